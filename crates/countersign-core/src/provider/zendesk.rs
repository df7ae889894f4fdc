//! Zendesk: tickets, users, organisations.
//!
//! Signature: `X-Zendesk-Webhook-Signature: <base64>`, HMAC-SHA256 over
//! `{X-Zendesk-Webhook-Signature-Timestamp}{raw body}`, the timestamp in RFC 3339
//! (<https://developer.zendesk.com/documentation/webhooks/verifying/>). The secret looks like base64 and is used as
//! text. Zendesk names no tolerance; 300 s both ways here.
//!
//! The invocation's id stands in a header that is not signed, and what a trigger sends is the customer's own text,
//! which may be the same for two events. So a delivery is known by two keys. Timestamp and body were signed: an exact
//! replay is caught under whatever headers it comes. The invocation's id and the body catch a retry that is signed anew. The
//! id alone is no key: whoever captured one delivery could occupy the id of a later one.
//!
//! Nothing fixes a body's form: it may be XML or a form where a trigger says so. Then the event is none, and handlers
//! read [`Delivery::body`](crate::Delivery::body). Events that Zendesk itself writes name their kind in `type`.
//!
//! Zendesk tries again up to 3 times on 409, on 429 and 503 with a `Retry-After` below 60 s, and up to 5 times when
//! nothing answers; **any other 5xx is final** (<https://developer.zendesk.com/api-reference/webhooks/introduction>).
//! So each failure of a genuine delivery is answered by a 503 with `Retry-After`. The schedule is not published.
//!
//! Whether a retry carries a fresh signed timestamp is not documented. If retries are refused as stale, widen
//! [`tolerance`](crate::ReceiverBuilder::tolerance).

use crate::{
    dedupe::{KeyPart, KeyRule},
    provider::{Fields, Retries, Source, provider},
    scheme::{Encoding, Scheme, TimestampSource},
    time::{TimestampFormat, Tolerance},
};

provider! {
    /// The provider Zendesk. See [the module](self).
    pub Zendesk {
        const NAME: &'static str = "zendesk";
        const SCHEMES: &'static [Scheme] = &[Scheme::hmac_sha256("x-zendesk-webhook-signature")
            .encoding(Encoding::Base64)
            .timestamp(
                TimestampSource::header("x-zendesk-webhook-signature-timestamp"),
                TimestampFormat::Rfc3339,
            )
            .tolerance(Tolerance::from_secs(300))
            .signs("{timestamp}{body}")];
        const FIELDS: Fields = Fields::NONE
            .id(Source::header("x-zendesk-webhook-invocation-id"))
            .kind(Source::body("type"));
        const KEYS: &'static [KeyRule] = &[KeyRule::of(&[KeyPart::Timestamp, KeyPart::Body]), KeyRule::of(&[KeyPart::Id, KeyPart::Body])];
        const RETRIES: Retries = Retries::ON_UNAVAILABLE;
    }
}
