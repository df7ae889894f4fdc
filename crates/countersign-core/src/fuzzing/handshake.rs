//! What must hold for handshakes: a query that anybody may send, and a body that was signed.

use super::SECRET;
use crate::{
    provider::{BodyHandshake, QueryHandshake, ReplyRule},
    reply::Reply,
    scheme::{Key, Scheme},
    secret::Secret,
};

const OPEN: QueryHandshake = QueryHandshake::echo("challenge");
const GUARDED: QueryHandshake = QueryHandshake::echo("challenge").mode("mode", "subscribe").token("token");

pub(super) fn query(text: &str) {
    let token = Key::shown(&secret());
    let asked = OPEN.reply(text, None);
    if let Ok(reply) = &asked {
        assert_harmless(reply);
        let encoded: String = form_urlencoded::byte_serialize(reply.body()).collect();
        assert_eq!(OPEN.reply(&format!("challenge={encoded}"), None).as_ref(), Ok(reply), "{text:?}");
    }
    assert!(GUARDED.reply(text, None).is_err(), "{text:?} is answered with no token to compare");
    assert!(GUARDED.reply(text, Some(&token)).is_err(), "{text:?} is answered without the token");
    let encoded: String = form_urlencoded::byte_serialize(SECRET.as_bytes()).collect();
    let shown = format!("token={encoded}&mode=subscribe&{text}");
    if let Ok(reply) = GUARDED.reply(&shown, Some(&token)) {
        assert_eq!(Ok(reply), asked, "the token changes what {text:?} gets");
    }
}

pub(super) fn body(data: &[u8]) {
    let Ok(key) = Key::new(&Scheme::hmac_sha256("x-signature"), &secret()) else { return };
    let ask = |rule| BodyHandshake::new("type", "ask", rule).reply(data, Some(&key));
    let (echo, echo_json) = (ask(ReplyRule::echo("a.text")), ask(ReplyRule::echo_json("a.text")));
    assert_eq!(echo.is_some(), echo_json.is_some());
    if let (Some(echo), Some(object)) = (&echo, &echo_json) {
        assert_harmless(echo);
        assert_eq!(value(object)["text"].as_str().map(str::as_bytes), Some(&**echo.body()));
    }
    if let Some(reply) = ask(ReplyRule::hmac_sha256("a.text", "digest")) {
        let object = value(&reply);
        let token = object["text"].as_str().unwrap_or_default();
        let is_structure = token.starts_with(['{', '[']) || token.contains([':', '"', ' ']);
        assert!(!token.is_empty() && !is_structure, "{token:?} could be signed content");
        assert_eq!(object["digest"].as_str().map(str::to_owned), key.hmac_sha256(token.as_bytes()));
    }
    let with_text = BodyHandshake::new("type", "ask", ReplyRule::NoContent).without("a.text");
    assert!(with_text.reply(data, None).is_none() || echo.is_none(), "the text is there, and it is not");
}

fn secret() -> Secret {
    Secret::new(SECRET).expect("it is not blank")
}

fn assert_harmless(reply: &Reply) {
    let harmless = |b: &u8| b.is_ascii_graphic() && !b"<>".contains(b);
    assert!((1..=256).contains(&reply.body().len()) && reply.body().iter().all(harmless), "{reply:?}");
}

fn value(reply: &Reply) -> serde_json::Value {
    serde_json::from_slice(reply.body()).expect("a reply is JSON where it says so")
}
