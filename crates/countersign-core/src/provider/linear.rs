//! Linear: issues, comments, projects.
//!
//! Signature: `Linear-Signature: <hex>`, HMAC-SHA256 over the raw body (<https://linear.app/developers/webhooks>). The
//! timestamp stands in the signed body, as `webhookTimestamp` in milliseconds, and is good for 60 s; a body without one
//! is refused.
//!
//! `Linear-Delivery`, the delivery's id, is not signed, and `webhookTimestamp` may differ from one attempt to the next.
//! So a delivery is known by two keys: the digest of the signed body, so that an exact replay is caught under whatever
//! headers it comes, and the delivery's id.
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

provider! {
    /// The provider Linear. See [the module](self).
    pub Linear {
        const NAME: &'static str = "linear";
        const SCHEMES: &'static [Scheme] = &[Scheme::hmac_sha256("linear-signature")
            .timestamp(TimestampSource::body("webhookTimestamp"), TimestampFormat::UnixMillis)
            .tolerance(Tolerance::from_secs(60))];
        const FIELDS: Fields = Fields::NONE.id(Source::header("linear-delivery")).kind(Source::body("type"));
        const KEYS: &'static [KeyRule] = &[KeyRule::of(&[KeyPart::Body]), KeyRule::of(&[KeyPart::Id])];
        const RETRIES: Retries = Retries::ON_ANY_FAILURE.within(Duration::from_secs((7 * 60 + 1) * 60));
    }
}
