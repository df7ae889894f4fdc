//! Requests as providers send them: a payload, and headers with what any client adds.

use bytes::Bytes;
use countersign::{Clock as _, Provider, Signer, SystemClock};
use http::{HeaderMap, HeaderValue, header};

/// What the secret is; in base64, as Standard Webhooks writes secrets.
pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A body of this length: RetentBase's documented fields up to 350 bytes, then more of its metadata.
pub fn body(length: usize) -> Bytes {
    const HEAD: &str = concat!(
        r#"{"environment":"prod","eventId":"evt_01HM3K5Q8ZC4","userId":"user_456","reasonKey":"too_expensive","#,
        r#""outcome":"recovered","offer":{"type":"discount","accepted":true,"label":"20% off for 3 months"},"#,
        r#""reasonText":"Budget was cut","context":{"plan":"pro","mrr":49.5,"tenureDays":412},"#,
        r#""occurredAt":"2024-01-15T10:29:58Z","metadata":{"note":""#,
    );
    const TAIL: &str = "\"}}";
    let padding = length.saturating_sub(HEAD.len() + TAIL.len());
    match length {
        0 => Bytes::new(),
        _ => format!("{HEAD}{}{TAIL}", "x".repeat(padding)).into(),
    }
}

/// The same as the object under a key, as Recharge sends objects.
pub fn wrapped(key: &str, length: usize) -> Bytes {
    let around = key.len() + 5;
    match length.checked_sub(around) {
        Some(inside) => [format!("{{\"{key}\":").as_bytes(), &body(inside), b"}"].concat().into(),
        None => Bytes::new(),
    }
}

/// So many secrets, the last of which is [`SECRET`].
pub fn secrets(count: usize) -> Vec<String> {
    (1..count).map(|n| format!("another secret, number {n}")).chain([SECRET.to_owned()]).collect()
}

/// The headers of a request with this body, signed now.
pub fn headers<P: Provider>(signer: &Signer<P>, body: &Bytes) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        (header::HOST, "api.example.com"),
        (header::USER_AGENT, "Webhooks/1.0 (+https://example.com/webhooks)"),
        (header::ACCEPT, "*/*"),
        (header::ACCEPT_ENCODING, "gzip, deflate"),
        (header::CONTENT_TYPE, "application/json"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    let signed: HeaderMap = signer.sign(body, SystemClock.now()).unwrap().into();
    headers.extend(signed);
    headers
}
