//! Customer.io: what became of messages, and of the people they were sent to.
//!
//! Signature: `X-CIO-Signature: <hex>`, HMAC-SHA256 over `v0:{X-CIO-Timestamp}:{raw body}`, keyed by the webhook's
//! signing key as text (<https://docs.customer.io/integrations/api/webhooks/>). Customer.io names no tolerance; 300 s
//! both ways here.
//!
//! The dedupe key is the body's `event_id`, the same at every attempt. The kind is the `metric`, as in `opened`; what
//! it is of is the body's `object_type`.
//!
//! Customer.io waits 4 s and tries for 7 days, ever less often, on anything but a 2xx; what comes later waits behind
//! the one that fails.
//!
//! Whether a retry carries a fresh signed timestamp is not documented. If retries are refused as stale, widen
//! [`tolerance`](crate::ReceiverBuilder::tolerance).

use std::time::Duration;

use crate::{
    dedupe::{KeyPart, KeyRule},
    provider::{Fields, Retries, Source, provider},
    scheme::{Scheme, TimestampSource},
    time::{TimestampFormat, Tolerance},
};

provider! {
    /// The provider Customer.io. See [the module](self).
    pub CustomerIo {
        const NAME: &'static str = "customer_io";
        const SCHEMES: &'static [Scheme] = &[Scheme::hmac_sha256("x-cio-signature")
            .timestamp(TimestampSource::header("x-cio-timestamp"), TimestampFormat::UnixSeconds)
            .tolerance(Tolerance::from_secs(300))
            .signs("v0:{timestamp}:{body}")];
        const FIELDS: Fields = Fields::NONE.id(Source::body("event_id")).kind(Source::body("metric"));
        const KEYS: &'static [KeyRule] = &[KeyRule::of(&[KeyPart::Id]).or(&[KeyPart::Body])];
        const RETRIES: Retries = Retries::ON_ANY_FAILURE.within(Duration::from_secs(7 * 24 * 60 * 60));
    }
}
