//! Intercom: conversations, contacts and companies.
//!
//! Signature: `X-Hub-Signature: sha1=<hex>`, HMAC-SHA1 over the raw body, keyed by the app's client secret
//! (<https://developers.intercom.com/docs/webhooks/webhook-notifications>). SHA-1 is broken as a digest and unbroken as a MAC; Intercom offers
//! nothing else. There is no timestamp in the signature, so a captured delivery can be played again once its dedupe key's
//! retention has ended.
//!
//! The body's `id` identifies the notification and is the dedupe key; without one, as in the ping of a test, it is the
//! digest of the body. The body alone would not do: it counts `delivery_attempts`.
//!
//! Before it takes a URL, Intercom sends a `HEAD` to it and wants a 2xx
//! (<https://developers.intercom.com/docs/webhooks/setting-up-webhooks>). That proves nothing and asks nothing, so a receiver does not answer it:
//! have a route for it beside the one of the deliveries, as in axum's `post(receiver, on_intercom).head(async || ())`.
//!
//! A 429 makes Intercom throttle for up to two hours and then drop notifications, so a handler's 429 is sent as a 500. How often a
//! notification is tried is not documented. After a thousand errors in a row within 15 minutes, Intercom pauses for 15
//! minutes; after seven days of errors, it suspends the subscription of a private app.

use crate::{
    dedupe::{KeyPart, KeyRule},
    provider::{Fields, Retries, Source, provider},
    scheme::Scheme,
};

provider! {
    /// The provider Intercom. See [the module](self).
    pub Intercom {
        const NAME: &'static str = "intercom";
        const SCHEMES: &'static [Scheme] = &[Scheme::hmac_sha1("x-hub-signature").prefix("sha1=")];
        const FIELDS: Fields = Fields::NONE.id(Source::body("id")).kind(Source::body("topic"));
        const KEYS: &'static [KeyRule] = &[KeyRule::of(&[KeyPart::Id]).or(&[KeyPart::Body])];
        const RETRIES: Retries = Retries::UNKNOWN.except(&[429]);
    }
}
