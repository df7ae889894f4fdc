//! `Reply`: what a handshake is answered, made of a delivery's body or of a query.

use std::{borrow::Cow, fmt};

use bytes::Bytes;

use crate::{
    error::VerifyError,
    json,
    provider::{BodyHandshake, QueryHandshake, ReplyRule},
    scheme::{Key, is_token},
};

/// The longest text that is sent back.
const MAX_ECHO: usize = 256;
/// The longest query that is looked at.
const MAX_QUERY: usize = 4096;

/// What a handshake is answered: a status, headers and a body, to be sent as they are.
///
/// [`Delivery::reply`](crate::Delivery::reply) makes one of a delivery that asks, and
/// [`Verifier::handshake`](crate::Verifier::handshake) one of a `GET`.
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    status: u16,
    content_type: &'static str,
    body: Bytes,
}

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";

impl Reply {
    fn new(content_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self { status: 200, content_type, body: body.into() }
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Each header's name, in lower case, and value: the content's type, and that nobody may take it for another.
    pub fn headers(&self) -> [(&'static str, &'static str); 2] {
        [("content-type", self.content_type), ("x-content-type-options", "nosniff")]
    }

    /// The body; empty for a 204.
    pub fn body(&self) -> &Bytes {
        &self.body
    }
}

/// Shows nothing of the body: it may hold what a secret makes of a text.
impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("status", &self.status)
            .field("content_type", &self.content_type)
            .field("body_len", &self.body.len())
            .finish()
    }
}

impl BodyHandshake {
    /// The reply to a genuine body; `None` where it does not ask, or not as it should. `key` is that of the secret that signed it.
    pub(crate) fn reply(&self, body: &[u8], key: Option<&Key>) -> Option<Reply> {
        let value = json::field(body, &self.field).and_then(json::string_or_number)?;
        let excluded = self.without.as_ref().is_some_and(|path| json::field(body, path).is_some());
        (value == self.value && !excluded).then_some(())?;
        self.reply.reply(body, key)
    }
}

impl ReplyRule {
    fn reply(&self, body: &[u8], key: Option<&Key>) -> Option<Reply> {
        let string = |path: &str| json::field(body, path).and_then(json::string);
        Some(match self {
            Self::Echo(path) => Reply::new(TEXT, string(path).filter(|text| is_echo(text))?.into_owned()),
            Self::EchoJson(path) => {
                let text = string(path).filter(|text| is_echo(text))?;
                Reply::new(JSON, object(&[(name_of(path), &text)])?)
            }
            Self::HmacSha256 { token, name } => {
                let text = string(token).filter(|text| is_token(text.as_bytes()))?;
                let digest = key?.hmac_sha256(text.as_bytes())?;
                Reply::new(JSON, object(&[(name_of(token), &text), (name, &digest)])?)
            }
            Self::Json(object) => Reply::new(JSON, object.clone().into_owned()),
            // Discord asks for a content type even here.
            Self::NoContent => Reply { status: 204, ..Reply::new(JSON, Bytes::new()) },
        })
    }
}

/// What may be sent back to whoever asks: nothing that a browser could take for a page.
fn is_echo(text: &str) -> bool {
    let harmless = |b: u8| b.is_ascii_graphic() && !matches!(b, b'<' | b'>');
    (1..=MAX_ECHO).contains(&text.len()) && text.bytes().all(harmless)
}

fn name_of(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

/// A JSON object of these strings, in this order.
fn object(fields: &[(&str, &str)]) -> Option<String> {
    let mut text = String::new();
    for (name, value) in fields {
        text.push(if text.is_empty() { '{' } else { ',' });
        text.push_str(&serde_json::to_string(name).ok()?);
        text.push(':');
        text.push_str(&serde_json::to_string(value).ok()?);
    }
    text.push('}');
    Some(text)
}

impl QueryHandshake {
    /// The reply to a query; `expected` is the key of the verify token that is configured.
    pub(crate) fn reply(&self, query: &str, expected: Option<&Key>) -> Result<Reply, VerifyError> {
        if let Some(token) = &self.token {
            let expected = expected.ok_or_else(|| VerifyError::NoVerifyToken { name: token.clone() })?;
            let shown = parameter(query, token)?;
            let known = bool::from(expected.is_shown(shown.as_bytes()));
            known.then_some(()).ok_or(VerifyError::WrongVerifyToken)?;
        }
        if let Some(mode) = &self.mode
            && parameter(query, &mode.name)? != mode.value
        {
            return Err(malformed(&mode.name, "not the value that it has in a handshake"));
        }
        let text = parameter(query, &self.echo)?;
        match is_echo(&text) {
            true => Ok(Reply::new(TEXT, text.into_owned())),
            false => Err(malformed(&self.echo, "not 1 to 256 visible ASCII characters without `<` and `>`")),
        }
    }
}

/// The one value of a parameter, decoded.
#[expect(clippy::ptr_arg, reason = "an error takes the name over, and a constant's costs nothing")]
fn parameter<'q>(query: &'q str, name: &Cow<'static, str>) -> Result<Cow<'q, str>, VerifyError> {
    if query.len() > MAX_QUERY {
        return Err(malformed(name, "in a query of more than 4096 bytes"));
    }
    if !is_encoded(query) {
        return Err(malformed(name, "in a query that is not percent-encoded"));
    }
    let mut found = None;
    for (_, value) in form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| *key == **name) {
        match &found {
            Some(known) if *known != value => {
                return Err(VerifyError::RepeatedParameter { name: name.clone() });
            }
            _ => found = Some(value),
        }
    }
    let value = found.ok_or_else(|| VerifyError::MissingParameter { name: name.clone() })?;
    match value.contains(char::REPLACEMENT_CHARACTER) {
        true => Err(malformed(name, "not UTF-8")),
        false => Ok(value),
    }
}

/// Whether two hex digits follow each `%`: what the decoder would let pass as it stands.
fn is_encoded(query: &str) -> bool {
    query.split('%').skip(1).all(|rest| {
        let digits = rest.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

#[expect(clippy::ptr_arg, reason = "an error takes the name over, and a constant's costs nothing")]
fn malformed(name: &Cow<'static, str>, reason: &'static str) -> VerifyError {
    VerifyError::MalformedParameter { name: name.clone(), reason }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::secret::Secret;

    const META: QueryHandshake =
        QueryHandshake::echo("hub.challenge").mode("hub.mode", "subscribe").token("hub.verify_token");

    fn check(handshake: &QueryHandshake, query: &str, expected: Result<&str, &str>) {
        let key = Key::shown(&Secret::new("meaty hamhöck").unwrap());
        match (handshake.reply(query, Some(&key)), expected) {
            (Ok(reply), Ok(text)) => assert_eq!(reply.body(), text, "{query}"),
            (Err(error), Err(words)) => assert!(error.to_string().contains(words), "{error}, not {words}"),
            (found, _) => panic!("{query}: {found:?}, not {expected:?}"),
        }
    }

    #[test]
    fn a_query_is_read_strictly() {
        let token = "hub.verify_token=meaty+hamh%c3%B6ck";
        let with = |rest: &str| format!("{token}&{rest}");
        for (query, expected) in [
            (with("hub.mode=subscribe&hub.challenge=1158201444"), Ok("1158201444")),
            (with("tenant=7&hub%2Emode=subscribe&hub.challenge=a%2bb+&&x"), Err("visible ASCII")),
            (with("tenant=7&hub%2Emode=subscribe&hub.challenge=a%2bb&&x"), Ok("a+b")),
            (with("hub.mode=subscribe&hub.challenge=1&hub.challenge=1"), Ok("1")),
            (with("hub.mode=subscribe&hub.challenge=1&hub.challenge=2"), Err("hub.challenge occurs more")),
            (with("hub.mode=subscribe&hub.mode=un&hub.challenge=1"), Err("hub.mode occurs more")),
            (with("hub.mode=subscribe&hub.challenge=1&hub.verify_token=x"), Err("hub.verify_token occurs")),
            (with("hub.mode=unsubscribe&hub.challenge=1"), Err("hub.mode is malformed")),
            (with("hub.challenge=1"), Err("hub.mode is missing")),
            (with("hub.mode=subscribe"), Err("hub.challenge is missing")),
            (with("hub.mode=subscribe&hub.challenge="), Err("hub.challenge is malformed")),
            (with("hub.mode=subscribe&hub.challenge=%3Cscript%3E"), Err("hub.challenge is malformed")),
            (with("hub.mode=subscribe&hub.challenge=a%0d%0ab"), Err("hub.challenge is malformed")),
            (with("hub.mode=subscribe&hub.challenge=%e9"), Err("not UTF-8")),
            (with("hub.mode=subscribe&hub.challenge=1%"), Err("not percent-encoded")),
            (with("hub.mode=subscribe&hub.challenge=1&x=%4"), Err("not percent-encoded")),
            (with("hub.mode=subscribe&hub.challenge=1&x=%+4"), Err("not percent-encoded")),
            (with("hub.mode=subscribe&hub.challenge=1&x=%éé"), Err("not percent-encoded")),
            (
                with(&format!("hub.mode=subscribe&hub.challenge=1&x={}", "x".repeat(4096))),
                Err("more than 4096"),
            ),
            ("hub.mode=subscribe&hub.challenge=1".to_owned(), Err("hub.verify_token is missing")),
            ("hub.verify_token=&hub.mode=subscribe&hub.challenge=1".to_owned(), Err("token is wrong")),
            ("hub.verify_token=meaty hamhock&hub.challenge=1".to_owned(), Err("token is wrong")),
            (String::new(), Err("hub.verify_token is missing")),
        ] {
            check(&META, &query, expected);
        }
        let unset = META.reply("hub.mode=subscribe&hub.challenge=1&hub.verify_token=", None).unwrap_err();
        assert!(unset.to_string().contains("add .verify_token(..)"), "{unset}");
    }

    #[test]
    fn an_echo_is_bounded_and_harmless() {
        let dropbox = QueryHandshake::echo("challenge");
        check(&dropbox, "challenge=abc123", Ok("abc123"));
        check(&dropbox, "challenge=alert(1)", Ok("alert(1)"));
        let long = "x".repeat(256);
        check(&dropbox, &format!("challenge={long}"), Ok(&long));
        for query in ["challenge", "challenge=a%20b", "challenge=a+b", "challenge=%00", "challenge=%3cb%3e"] {
            check(&dropbox, query, Err("visible ASCII"));
        }
        check(&dropbox, &format!("challenge={long}x"), Err("visible ASCII"));
    }

    #[test]
    fn nothing_that_could_be_signed_is_hashed_for_the_asking() {
        for token in ["qgg8vlvZRS6UYooatFL8Aw", "a+/=_-."] {
            assert!(is_token(token.as_bytes()), "{token}");
        }
        for token in ["", "v0:1705314600:{}", "{}", "[]", "\"a\"", "a b", "é", &"x".repeat(257)] {
            assert!(!is_token(token.as_bytes()), "{token}");
        }
    }

    #[test]
    fn a_reply_shows_nothing_of_its_body() {
        let reply = Reply::new(JSON, r#"{"encryptedToken":"70c1f2e2"}"#);
        assert_eq!(
            format!("{reply:?}"),
            r#"Reply { status: 200, content_type: "application/json", body_len: 29 }"#
        );
        assert_eq!(object(&[("a\"", "b\\"), ("c", "d")]).unwrap(), r#"{"a\"":"b\\","c":"d"}"#);
    }

    proptest! {
        #[test]
        fn whatever_is_asked_what_comes_back_is_harmless(query in "(challenge=|[a-z%&=+<>0-9\\PC]){0,12}") {
            if let Ok(reply) = QueryHandshake::echo("challenge").reply(&query, None) {
                let harmless = |b: &u8| b.is_ascii_graphic() && !b"<>".contains(b);
                prop_assert!((1..=256).contains(&reply.body().len()) && reply.body().iter().all(harmless), "{}", query);
            }
        }
    }
}
