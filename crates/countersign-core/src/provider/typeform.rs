//! Typeform: answers to forms.
//!
//! Signature: `Typeform-Signature: sha256=<base64>`, HMAC-SHA256 over the raw body, keyed by the webhook's secret
//! (<https://www.typeform.com/developers/webhooks/secure-your-webhooks/>). A webhook that has no secret sends no signature, and is refused.
//! There is no timestamp in the signature, so a captured delivery can be played again once its dedupe key's retention has ended.
//!
//! The body's `event_id` identifies the event and is the dedupe key; without one it is the digest of the body.
//!
//! Failures are tried again (<https://www.typeform.com/developers/webhooks/>): after a 408, 423, 429 or 503 every 2 or 3 minutes for 10 hours,
//! after most others at growing intervals of up to 4 hours. But a 404 or a 410 switches the webhook off at once, so no failure is answered
//! so.

use std::time::Duration;

use crate::{
    dedupe::{KeyPart, KeyRule},
    provider::{Fields, Retries, Source, provider},
    scheme::{Encoding, Scheme},
};

provider! {
    /// The provider Typeform. See [the module](self).
    pub Typeform {
        const NAME: &'static str = "typeform";
        const SCHEMES: &'static [Scheme] =
            &[Scheme::hmac_sha256("typeform-signature").prefix("sha256=").encoding(Encoding::Base64)];
        const FIELDS: Fields = Fields::NONE.id(Source::body("event_id")).kind(Source::body("event_type"));
        const KEYS: &'static [KeyRule] = &[KeyRule::of(&[KeyPart::Id]).or(&[KeyPart::Body])];
        /// The longer schedule: 5, 10 and 20 minutes, 1, 2, 3 and 4 hours, each after the one before.
        const RETRIES: Retries = Retries::ON_SERVER_ERRORS.within(Duration::from_secs((10 * 60 + 35) * 60));
    }
}
