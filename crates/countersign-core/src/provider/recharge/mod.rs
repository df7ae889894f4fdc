//! Recharge: subscriptions, charges, orders and the customers behind them.
//!
//! Every delivery carries two schemes, both keyed by the API client secret:
//!
//! 1. `X-Recharge-Webhook-Signature: t=<unix seconds>,v1=<hex>`, HMAC-SHA256 over `{t}.{raw body}`, good for 48 h both ways;
//! 2. `X-Recharge-Hmac-Sha256: <hex>`, which despite its name is plain SHA-256 over the secret and the raw body. That is open
//!    to length extension, so under it a body must be one complete JSON text.
//!
//! When the first is there it alone decides. But whoever has captured a delivery can leave the first away, and play it again
//! under the second however old it is: require the first ([`VerifierBuilder::require_timestamp`]) wherever it is sent.
//!
//! The topic (`subscription/created`) is not signed, and one body is sent under several topics, so the dedupe key holds
//! both. **Serve each topic at an endpoint of its own and configure its kind** ([`VerifierBuilder::kind`]): then nothing
//! unsigned is left in the key, and the header is not read. One client secret signs for all topics, so what is left is the path: whoever
//! captures a delivery can have it handled once at each endpoint of its resource, as that endpoint's topic. Without that, whoever captures a delivery can have it handled once more
//! under each other topic of its resource: no key prevents it. A topic that names another resource than the signed body is
//! refused, but for one that `app/uninstalled` and `recharge/uninstalled` may show, `store`. Without any topic the kind is the resource alone, `subscription`; where even that is unclear, the event is
//! [`Event::Unknown`] with an empty kind.
//!
//! Recharge deletes the subscription of an endpoint that fails 20 times in 48 h, and retries on 408, 429 and 5xx: answer
//! failures with 5xx, and within 5 s, and see to them. So a genuine delivery whose resource is not that of the kind that is
//! configured for the endpoint is a 500.
//!
//! [`VerifierBuilder::kind`]: crate::VerifierBuilder::kind
//! [`VerifierBuilder::require_timestamp`]: crate::VerifierBuilder::require_timestamp

mod event;
mod field;
mod model;

use std::{any::TypeId, borrow::Cow, time::Duration};

use serde::de::{DeserializeOwned, IgnoredAny};

pub use self::{
    event::Event,
    field::{ExternalId, Tags},
    model::*,
};
use crate::{
    dedupe::{KeyPart, KeyRule},
    delivery::Delivery,
    error::{EventError, VerifyError},
    event::{Json, Place, field, parse},
    json,
    provider::{Fields, Provider, Retries, Source},
    scheme::{Scheme, TimestampSource},
    time::{TimestampFormat, Tolerance},
};

/// The header that names the topic.
const TOPIC: &str = "x-recharge-topic";

/// The provider Recharge. See [the module](self).
#[derive(Clone, Copy, Debug)]
pub enum Recharge {}

impl Provider for Recharge {
    const NAME: &'static str = "recharge";
    const SCHEMES: &'static [Scheme] = &[
        Scheme::hmac_sha256("x-recharge-webhook-signature")
            .list(',', Some("t"), "v1")
            .timestamp(TimestampSource::Signature, TimestampFormat::UnixSeconds)
            .tolerance(Tolerance::from_secs(172_800))
            .signs("{timestamp}.{body}"),
        Scheme::sha256("x-recharge-hmac-sha256"),
    ];
    const FIELDS: Fields =
        Fields::NONE.kind(Source::header(TOPIC)).timestamp_repeated("x-recharge-webhook-timestamp");
    const KEYS: &'static [KeyRule] = &[KeyRule::of_unsigned_kind(&[KeyPart::Kind, KeyPart::Body])];
    const RETRIES: Retries = Retries::ON_SERVER_ERRORS.within(Duration::from_secs(48 * 60 * 60));
    type Event = Event;

    fn event(delivery: &Delivery<Self>) -> Result<Event, EventError> {
        let kind = delivery.kind().unwrap_or_default();
        Event::read(&kind, &Wrapped { resource: resource_of(&kind), body: delivery.body() })
    }

    fn kind<'d>(delivery: &'d Delivery<Self>, named: Option<Cow<'d, str>>) -> Option<Cow<'d, str>> {
        named.or_else(|| sole_object(delivery.body()))
    }

    fn check(delivery: &Delivery<Self>) -> Result<(), VerifyError> {
        let (Some(topic), body) = (delivery.field_kind(), delivery.body()) else { return Ok(()) };
        let resource = resource_of(&topic);
        let is_its = json::opens_with(body, resource) || object(body, resource).is_some();
        // An object that is not wrapped has an id of its own.
        if is_its || json::member(body, "id").is_some() {
            return Ok(());
        }
        let sole = sole_object(body).filter(|_| !UNDOCUMENTED.contains(&resource));
        let another = sole.is_some() || WRAPPED.iter().any(|key| object(body, key).is_some());
        match (another, delivery.kind_is_configured()) {
            (false, _) => Ok(()),
            (true, true) => Err(VerifyError::WrongEndpoint),
            (true, false) => Err(VerifyError::Contradiction { name: TOPIC.into() }),
        }
    }
}

/// An object under its resource's name, or the body as a whole.
struct Wrapped<'b> {
    resource: &'b str,
    body: &'b [u8],
}

impl Place for Wrapped<'_> {
    fn read<T: DeserializeOwned + 'static>(&self, kind: &str) -> Result<T, EventError> {
        // But for JSON, which is anything, the types are of objects: what fits is one, and the whole body was looked at.
        let is_object = TypeId::of::<T>() != TypeId::of::<Json>();
        match is_object.then(|| field(self.resource, self.body)).flatten() {
            Some(payload) => Ok(payload),
            None => self.read_in_steps(kind),
        }
    }
}

impl Wrapped<'_> {
    fn read_in_steps<T: DeserializeOwned>(&self, kind: &str) -> Result<T, EventError> {
        let Self { resource, body } = *self;
        // The payload is cut out of the body, so that nothing else would look at what stands around it.
        parse::<IgnoredAny>(kind, "", body)?;
        match object(body, resource) {
            Some(payload) => parse(kind, resource, payload),
            None => parse(kind, "", body),
        }
    }
}

/// The resources whose topics have bodies that are not documented. They are keyed by none of what other topics are about.
const UNDOCUMENTED: &[&str] = &["app", "recharge"];

/// The resources that a body is keyed by, but for `store`, which the end of an installation may show as well.
const WRAPPED: &[&str] = &[
    "address",
    "async_batch",
    "bundle_selection",
    "charge",
    "checkout",
    "customer",
    "gift_purchase",
    "onetime",
    "order",
    "plan",
    "product",
    "subscription",
];

/// The resource that a topic names: `subscription` of `subscription/created`.
fn resource_of(topic: &str) -> &str {
    topic.split_once('/').map_or(topic, |(resource, _)| resource)
}

/// The object under a key of the body.
fn object<'b>(body: &'b [u8], key: &str) -> Option<&'b [u8]> {
    json::member(body, key).filter(|value| value.starts_with(b"{"))
}

/// The key of a body's one field, where that is an object.
fn sole_object(body: &[u8]) -> Option<Cow<'_, str>> {
    json::sole_field(body).filter(|(_, value)| value.starts_with(b"{")).map(|(key, _)| key)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A payload in one pass is what it is in steps, whatever the body.
    fn check<T: DeserializeOwned + std::fmt::Debug + 'static>(resource: &str, body: &[u8]) {
        let place = Wrapped { resource, body };
        let shown = |read: Result<T, EventError>| format!("{read:?}");
        assert_eq!(
            shown(place.read("k")),
            shown(place.read_in_steps("k")),
            "{}",
            String::from_utf8_lossy(body)
        );
    }

    #[test]
    fn one_pass_reads_what_steps_read() {
        for body in [
            &br#"{"order":{"id":1,"x":2}}"#[..],
            br#" { "a" : [{"order":{"id":2}}], "\u006frder" : { "id" : "1" } } "#,
            br#"{"order":{"id":1},"order":{"id":2}}"#,
            br#"{"order":{"id":1},"order":7}"#,
            br#"{"order":7,"order":{"id":1}}"#,
            br#"{"order":7,"id":1}"#,
            br#"{"order":null,"id":1}"#,
            br#"{"order":{},"id":1}"#,
            br#"{"order":{"id":1}} x"#,
            br#"{"order":{"id":1},}"#,
            br#"{"order":{"id":1},"a":nul}"#,
            br#"{"order":{"$serde_json::private::RawValue":"]"}}"#,
            br#"{"id":1}"#,
            br#"[{"order":{"id":1}}]"#,
            b"{}",
            b"",
            b"{\"order\":{\"id\":1},\"a\":\"\xff\"}",
            b"{\"order\":{\"id\":1,\"id\":\"\xff\"}}",
            b"{\"order\":{\"id\":1,\"x\":\"\xff\"}}",
        ] {
            check::<Order>("order", body);
            check::<Record>("order", body);
            check::<Json>("order", body);
            check::<Box<Customer>>("customer", body);
        }
    }
}
