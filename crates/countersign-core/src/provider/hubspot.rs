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
//! A body is an array of up to 100 events. Id and kind are those of the first. A retry counts up `attemptNumber` in the body, so
//! the body differs from one attempt to the next, and HubSpot says that `eventId` is not guaranteed to be unique. The dedupe key is
//! therefore what each event of the array says of itself: `eventId`, `subscriptionId`, `portalId`, `objectId`, `occurredAt`
//! and `subscriptionType`. All events count, since two arrays may begin alike.
//!
//! Where an event lacks one of these (a change of an association has no `objectId`), the key is the digest of the signed body, and
//! a retry is handled again. So are events that come in another array than before. Handlers that must not act twice tell events by the
//! same fields.
//!
//! HubSpot waits 5 s. It tries an app's webhooks 10 times in 24 h, on any failure. It tries those of workflows for up to 3 days, on 429
//! and 5xx alone, and any other 4xx is final: so such a failure is sent as a 500.
//!
//! Whether a retry carries a fresh signed timestamp is not documented. If retries are refused as stale, widen
//! [`tolerance`](crate::ReceiverBuilder::tolerance).

use std::time::Duration;

use crate::{
    dedupe::{KeyPart, KeyRule},
    provider::{Fields, Retries, Source, provider},
    scheme::{Encoding, Scheme, TimestampSource},
    time::{TimestampFormat, Tolerance},
};

/// What tells an event from every other, and is the same at every attempt, for each event of a body.
const EVENTS: &[KeyPart] = &[
    KeyPart::field("*.eventId"),
    KeyPart::field("*.subscriptionId"),
    KeyPart::field("*.portalId"),
    KeyPart::field("*.objectId"),
    KeyPart::field("*.occurredAt"),
    KeyPart::field("*.subscriptionType"),
];
/// The same for each version of the signature.
pub(super) const KEYS: &[KeyRule] = &[KeyRule::of(EVENTS).or(&[KeyPart::Body])];

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
        const KEYS: &'static [KeyRule] = KEYS;
        const RETRIES: Retries = Retries::ON_SERVER_ERRORS.except(&[408]).within(Duration::from_secs(3 * 24 * 60 * 60));
    }
}
