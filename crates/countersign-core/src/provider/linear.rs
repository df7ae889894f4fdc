//! Linear: issues, comments, projects.
//!
//! Signature: `Linear-Signature: <hex>`, HMAC-SHA256 over the raw body (<https://linear.app/developers/webhooks>). The
//! timestamp stands in the signed body, as `webhookTimestamp` in milliseconds, and is good for 60 s; a body without one
//! is refused.
//!
//! `Linear-Delivery`, the delivery's id, is not signed, so it is no dedupe key. `webhookTimestamp` says when an attempt was sent,
//! so the body may differ from one attempt to the next. The key is therefore what the signed body says of the event: the
//! webhook, when the payload was made (`createdAt`), type, action and the whole `data`. Two events that agree in all of these
//! are one.
//!
//! Payloads without `data` (of agents' sessions, notifications, and apps that were revoked) are known by the whole body. A retry of
//! one of these, whose `webhookTimestamp` differs, is handled again.
//!
//! The kind is what the event is about (`type`, as in `Issue`); what happened to it is the body's `action`. Linear
//! waits 5 s and tries 3 times more, after 1 min, 1 h and 6 h, on anything but a 200.

use std::time::Duration;

use crate::{
    dedupe::{KeyPart, KeyRule},
    provider::{Fields, Retries, Source, provider},
    scheme::{Scheme, TimestampSource},
    time::{TimestampFormat, Tolerance},
};

/// What tells an event from every other, and is the same at every attempt.
const EVENT: &[KeyPart] = &[
    KeyPart::field("webhookId"),
    KeyPart::field("createdAt"),
    KeyPart::field("type"),
    KeyPart::field("action"),
    KeyPart::field("data"),
];

provider! {
    /// The provider Linear. See [the module](self).
    pub Linear {
        const NAME: &'static str = "linear";
        const SCHEMES: &'static [Scheme] = &[Scheme::hmac_sha256("linear-signature")
            .timestamp(TimestampSource::body("webhookTimestamp"), TimestampFormat::UnixMillis)
            .tolerance(Tolerance::from_secs(60))];
        const FIELDS: Fields = Fields::NONE.id(Source::header("linear-delivery")).kind(Source::body("type"));
        const KEYS: &'static [KeyRule] = &[KeyRule::of(EVENT).or(&[KeyPart::Body])];
        const RETRIES: Retries = Retries::ON_ANY_FAILURE.within(Duration::from_secs((7 * 60 + 1) * 60));
    }
}
