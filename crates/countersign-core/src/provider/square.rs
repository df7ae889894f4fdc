//! Square: payments, orders, customers and more.
//!
//! Signature: `x-square-hmacsha256-signature: <base64>`, HMAC-SHA256 over the notification URL and, behind it, the raw body, keyed by the
//! subscription's signature key as it stands (<https://developer.squareup.com/docs/webhooks/step3validate>). The URL is the one that
//! Square was given, byte for byte: it is configured, and nothing in the request says what it is. `x-square-signature`, of SHA-1, is
//! not taken. There is no timestamp in the signature, so a captured delivery can be played again once its dedupe key's retention has
//! ended.
//!
//! Nothing separates the URL from the body: give no two endpoints of one signature key URLs of which one begins with the other.
//!
//! The body's `event_id` identifies the event and is the same at every try, so it is the dedupe key; without one it is the
//! digest of the body. `square-retry-number` and its like are not signed and not read.
//!
//! Anything but a 2xx is tried again for 24 hours (<https://developer.squareup.com/docs/webhooks/troubleshooting>). After three weeks of failures
//! Square switches the webhook off.

use std::time::Duration;

use crate::{
    dedupe::{KeyPart, KeyRule},
    provider::{Fields, Retries, Source, provider},
    scheme::{Encoding, Scheme},
};

provider! {
    /// The provider Square. See [the module](self).
    pub Square {
        const NAME: &'static str = "square";
        const SCHEMES: &'static [Scheme] =
            &[Scheme::hmac_sha256("x-square-hmacsha256-signature").encoding(Encoding::Base64).signs("{url}{body}")];
        const FIELDS: Fields = Fields::NONE.id(Source::body("event_id")).kind(Source::body("type"));
        const KEYS: &'static [KeyRule] = &[KeyRule::of(&[KeyPart::Id]).or(&[KeyPart::Body])];
        const RETRIES: Retries = Retries::ON_ANY_FAILURE.within(Duration::from_secs(24 * 60 * 60));
    }
}
