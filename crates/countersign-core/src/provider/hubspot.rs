//! HubSpot: contacts, companies, deals, and what happens to them.
//!
//! Signature, version 3: `X-HubSpot-Signature-v3: <base64>`, HMAC-SHA256 over
//! `{method}{url}{raw body}{X-HubSpot-Request-Timestamp}`, the timestamp in milliseconds, keyed by the app's client
//! secret, good for 300 s (<https://developers.hubspot.com/docs/apps/legacy-apps/authentication/validating-requests>).
//!
//! The URL is the one that HubSpot was given, query and all, and is configured: a proxy may have changed what the
//! request shows, and a `Host` header is anybody's. HubSpot decodes a few characters of it before it signs (`%3A`,
//! `%2F`, `%3F`, `%40`, `%21`, `%24`, `%27`, `%28`, `%29`, `%2A`, `%2C`, `%3B`); configure it so decoded. Timestamp and
//! body touch in what is signed, so a body that ends in a digit is refused; HubSpot's end in `]`.
//!
//! A body is an array of up to 100 events. Id and kind are those of the first; HubSpot says that `eventId` is not
//! guaranteed to be unique, so the dedupe key is the digest of the signed body. A retry counts up `attemptNumber` in
//! the body and so is another delivery: handlers that must not act twice tell events by `eventId`, `subscriptionId` and
//! `occurredAt`.
//!
//! HubSpot waits 5 s and tries 10 times in 24 h, on any failure.

use std::time::Duration;

use crate::{
    dedupe::{KeyPart, KeyRule},
    provider::{Fields, Retries, Source, provider},
    scheme::{Encoding, Scheme, TimestampSource},
    time::{TimestampFormat, Tolerance},
};

provider! {
    /// The provider HubSpot. See [the module](self).
    pub HubSpot {
        const NAME: &'static str = "hubspot";
        const SCHEMES: &'static [Scheme] = &[Scheme::hmac_sha256("x-hubspot-signature-v3")
            .encoding(Encoding::Base64)
            .timestamp(TimestampSource::header("x-hubspot-request-timestamp"), TimestampFormat::UnixMillis)
            .tolerance(Tolerance::from_secs(300))
            .signs("{method}{url}{body}{timestamp}")];
        const FIELDS: Fields = Fields::NONE.id(Source::body("0.eventId")).kind(Source::body("0.subscriptionType"));
        const KEYS: &'static [KeyRule] = &[KeyRule::of(&[KeyPart::Body])];
        const RETRIES: Retries = Retries::ON_ANY_FAILURE.within(Duration::from_secs(24 * 60 * 60));
    }
}
