//! Paystack: charges, transfers, subscriptions and disputes.
//!
//! Signature: `X-Paystack-Signature: <hex>`, HMAC-SHA512 over the raw body, keyed by the secret key of the API (`sk_live_..`,
//! `sk_test_..`) (<https://paystack.com/docs/payments/webhooks>). There is no timestamp in the signature, so a captured delivery can be
//! played again once its dedupe key's retention has ended.
//!
//! The secret is the one that makes payments: whoever can read it here can do so. `data.id` is the object's id, and the body
//! names no event's, so the dedupe key is the digest of the body.
//!
//! Anything but a 200 is tried again: every 3 minutes for the first four tries, and then every hour for 72 hours; in test mode for
//! less long.

use std::time::Duration;

use crate::{
    dedupe::{KeyPart, KeyRule},
    provider::{Fields, Retries, Source, provider},
    scheme::Scheme,
};

provider! {
    /// The provider Paystack. See [the module](self).
    pub Paystack {
        const NAME: &'static str = "paystack";
        const SCHEMES: &'static [Scheme] = &[Scheme::hmac_sha512("x-paystack-signature")];
        const FIELDS: Fields = Fields::NONE.kind(Source::body("event"));
        const KEYS: &'static [KeyRule] = &[KeyRule::of(&[KeyPart::Body])];
        const RETRIES: Retries = Retries::ON_ANY_FAILURE.within(Duration::from_secs((72 * 60 + 12) * 60));
    }
}
