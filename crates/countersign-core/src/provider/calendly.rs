//! Calendly: meetings and who is invited.
//!
//! Signature: `Calendly-Webhook-Signature: t=<unix seconds>,v1=<hex>`, HMAC-SHA256 over `{t}.{raw body}`, good for 180
//! s, as on Calendly's page (<https://developer.calendly.com/api-docs/4c305798a61d3-webhook-signatures>). There is a
//! signature only where the subscription was made with a `signing_key`.
//!
//! There is no id of the delivery or the event, so the dedupe key is the digest of the signed body, which holds the
//! time at which the event was made (`created_at`).
//!
//! Calendly tries for 24 h, ever less often, on anything but a 2xx, and then disables the subscription.
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
    /// The provider Calendly. See [the module](self).
    pub Calendly {
        const NAME: &'static str = "calendly";
        const SCHEMES: &'static [Scheme] = &[Scheme::hmac_sha256("calendly-webhook-signature")
            .list(',', Some("t"), "v1")
            .timestamp(TimestampSource::Signature, TimestampFormat::UnixSeconds)
            .tolerance(Tolerance::from_secs(180))
            .signs("{timestamp}.{body}")];
        const FIELDS: Fields = Fields::NONE.kind(Source::body("event"));
        const KEYS: &'static [KeyRule] = &[KeyRule::of(&[KeyPart::Body])];
        const RETRIES: Retries = Retries::ON_ANY_FAILURE.within(Duration::from_secs(24 * 60 * 60));
    }
}
