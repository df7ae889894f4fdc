//! Standard Webhooks: the scheme that many providers share, from a specification of its own.
//!
//! Signature: `webhook-signature: v1,<base64>[ v1,<base64>]`, HMAC-SHA256 over
//! `{webhook-id}.{webhook-timestamp}.{raw body}`, the timestamp in unix seconds, good for 300 s both ways, as in the
//! specification's own libraries
//! (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>). The key is what the
//! secret's base64 holds; the prefix `whsec_` and the padding may be left away. Signatures of other versions are passed
//! over: among them `v1a`, that of public keys (`whpk_`), which this provider cannot check.
//!
//! The message's id is signed, and the same at every attempt, so it is the dedupe key.
//!
//! The specification says what a payload *should* be: `type`, `timestamp`, `data`. [`Event`] types one that is not so
//! as well. It recommends to try for 75 h 35 min 5 s, on anything but a 2xx. A 410 tells the sender to disable the endpoint, so a handler's
//! 410 is sent as a 500.

use std::time::Duration;

use crate::{
    dedupe::{KeyPart, KeyRule},
    delivery::Delivery,
    error::EventError,
    event::{DateTime, Json, parse},
    json,
    provider::{Fields, Payload, Provider, Retries, Source, provider},
    scheme::{Encoding, KeyEncoding, Scheme, TimestampSource},
    time::{TimestampFormat, Tolerance},
};

provider! {
    /// A provider that follows Standard Webhooks. See [the module](self).
    pub StandardWebhooks {
        type Event = Event<T>;
        const NAME: &'static str = "standard_webhooks";
        const SCHEMES: &'static [Scheme] = &[Scheme::hmac_sha256("webhook-signature")
            .versioned("v1")
            .encoding(Encoding::Base64)
            .key(KeyEncoding::Whsec)
            .timestamp(TimestampSource::header("webhook-timestamp"), TimestampFormat::UnixSeconds)
            .tolerance(Tolerance::from_secs(300))
            .signs("{id}.{timestamp}.{body}")];
        const FIELDS: Fields = Fields::NONE.id(Source::header("webhook-id")).kind(Source::body("type"));
        const KEYS: &'static [KeyRule] = &[KeyRule::of(&[KeyPart::Id])];
        const RETRIES: Retries = Retries::ON_ANY_FAILURE.within(Duration::from_secs((75 * 60 + 35) * 60 + 5)).except(&[410]);

        fn event(delivery: &Delivery<Self>) -> Result<Event<T>, EventError> {
            Event::of(delivery)
        }
    }
}

/// A payload of Standard Webhooks.
///
/// The specification recommends an envelope of `type`, `timestamp` and `data`, and demands nothing. A payload that has both a
/// `type` and `data` is taken for that envelope. Of any other, `data` is the payload as a whole: that is how the
/// specification's second form is read, which has the data's fields beside `type` and `timestamp`. What else stands in the
/// envelope is in [`Delivery::json`].
///
/// ```
/// use countersign_core::{
///     Secret, Signer, Timestamp, Verifier,
///     provider::{StandardWebhooks, standard_webhooks::Event},
/// };
///
/// #[derive(Debug, serde::Deserialize)]
/// struct Contact {
///     id: String,
/// }
///
/// let (secret, now) = (Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?, Timestamp::from_unix_seconds(0));
/// let body = r#"{"type":"contact.created","timestamp":"2022-11-03T20:26:10.344522Z","data":{"id":"1f81eb52"}}"#;
/// let headers = Signer::<StandardWebhooks>::new(&secret).id("msg_1").sign(body, now)?;
///
/// let delivery = Verifier::<StandardWebhooks<Contact>>::new(&secret)?.verify(&headers, body, now)?;
/// let Event { kind, data, .. } = delivery.event()?;
/// assert_eq!((kind.as_deref(), data.id.as_str()), (Some("contact.created"), "1f81eb52"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Event<T = Json> {
    /// The message's id: signed, and the same at every attempt.
    pub id: String,
    /// What happened, as in `contact.created`: the payload's `type`, where it has one.
    pub kind: Option<String>,
    /// When it happened, which may be long before this attempt. `None` where the payload does not say, or not in ISO 8601 or
    /// unix seconds.
    pub timestamp: Option<DateTime>,
    /// What it is about: the payload's `data`, or the payload as a whole.
    pub data: T,
}

impl<T: Payload> Event<T> {
    fn of<P: Provider>(delivery: &Delivery<P>) -> Result<Self, EventError> {
        let (kind, body) = (delivery.kind(), delivery.body());
        let name = kind.as_deref().unwrap_or_default();
        let data = json::field(body, "data").filter(|_| json::field(body, "type").is_some());
        let timestamp = json::field(body, "timestamp").and_then(|text| serde_json::from_slice(text).ok());
        let data = match data {
            Some(data) => parse(name, "data", data)?,
            None => parse(name, "", body)?,
        };
        let id = delivery.id().unwrap_or_default().into_owned();
        Ok(Self { id, kind: kind.map(Into::into), timestamp, data })
    }
}
