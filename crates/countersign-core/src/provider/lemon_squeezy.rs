//! Lemon Squeezy: orders, subscriptions and license keys.
//!
//! Signature: `X-Signature: <hex>`, HMAC-SHA256 over the raw body, keyed by the signing secret
//! (<https://docs.lemonsqueezy.com/help/webhooks/signing-requests>). There is no timestamp, so a captured delivery can be played again
//! once its dedupe key's retention (72 h) has ended: make handlers idempotent where that matters.
//!
//! `X-Event-Name` repeats the kind and is not signed; the kind is read from the body's `meta.event_name`, which is. `data.id` is
//! the object's id, which many events share, so the dedupe key is the digest of the body.
//!
//! Anything but a 200 is tried again three times, after about 5, 25 and 125 seconds
//! (<https://docs.lemonsqueezy.com/help/webhooks/webhook-requests>), and then given up: answer within that, and fetch what was missed from the
//! API.

use crate::{
    dedupe::{KeyPart, KeyRule},
    provider::{Fields, Retries, Source, provider},
    scheme::Scheme,
};

provider! {
    /// The provider Lemon Squeezy. See [the module](self).
    pub LemonSqueezy {
        const NAME: &'static str = "lemon_squeezy";
        const SCHEMES: &'static [Scheme] = &[Scheme::hmac_sha256("x-signature")];
        const FIELDS: Fields = Fields::NONE.kind(Source::body("meta.event_name"));
        const KEYS: &'static [KeyRule] = &[KeyRule::of(&[KeyPart::Body])];
        // The horizon of three minutes would end the retention before a replay is worth an attacker's while.
        const RETRIES: Retries = Retries::ON_ANY_FAILURE;
    }
}
