//! Adyen for Platforms: balance accounts, transfers, account holders, reports. **Not the webhooks of payments.**
//!
//! Adyen's standard webhooks, those of payments (`AUTHORISATION`, `CAPTURE`, `REFUND`), have no signature in a header. Each item of their
//! body holds one (`additionalData.hmacSignature`), over some of its fields. They are refused here as deliveries without a
//! signature: this provider is for the webhooks of platforms alone.
//!
//! Signature: `HmacSignature: <base64>`, HMAC-SHA256 over the raw body; the secret is the hexadecimal HMAC key of the Customer
//! Area, and the key is the bytes that it stands for (<https://docs.adyen.com/development-resources/webhooks/secure-webhooks/verify-hmac-signatures>).
//! There is no timestamp in the signature, so a captured delivery can be played again once its dedupe key's retention has
//! ended. `Protocol` and a credential in `Authorization` may come beside; neither is read.
//!
//! There is no id of the event or the delivery: the dedupe key is the digest of the signed body. Two events whose bodies are
//! equal byte for byte are one, which the body's own `timestamp` prevents where Adyen sends it.
//!
//! Anything but a 2xx within 10 s is tried again, three times at once and then for 30 days at up to 8 h between
//! (<https://docs.adyen.com/development-resources/webhooks/troubleshoot>). Deliveries of one endpoint wait behind the one that fails.
//! A new HMAC key takes a while to reach all of Adyen: have both secrets live.

use std::time::Duration;

use crate::{
    dedupe::{KeyPart, KeyRule},
    provider::{Fields, Retries, Source, provider},
    scheme::{Encoding, KeyEncoding, Scheme},
};

provider! {
    /// The provider Adyen, for the webhooks of its platforms; not for those of payments. See [the module](self).
    pub AdyenPlatforms {
        const NAME: &'static str = "adyen_platforms";
        const SCHEMES: &'static [Scheme] =
            &[Scheme::hmac_sha256("hmacsignature").encoding(Encoding::Base64).key(KeyEncoding::Hex)];
        const FIELDS: Fields = Fields::NONE.kind(Source::body("type"));
        const KEYS: &'static [KeyRule] = &[KeyRule::of(&[KeyPart::Body])];
        const RETRIES: Retries = Retries::ON_ANY_FAILURE.within(Duration::from_secs(30 * 24 * 60 * 60));
    }
}
