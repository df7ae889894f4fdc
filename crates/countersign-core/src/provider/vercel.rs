//! Vercel: deployments, projects and domains.
//!
//! Signature: `x-vercel-signature: <hex>`, HMAC-SHA1 over the raw body, keyed by the webhook's secret, or by the client secret of
//! an integration (<https://vercel.com/docs/webhooks/webhooks-api>). SHA-1 is broken as a digest and unbroken as a MAC; Vercel offers nothing else.
//! There is no timestamp in the signature, so a captured delivery can be played again once its dedupe key's retention has ended.
//!
//! The body's `id` identifies the delivery and is the dedupe key; without one it is the digest of the body.
//!
//! Anything but a 2xx is tried again for up to 24 hours, less and less often.

use std::time::Duration;

use crate::{
    dedupe::{KeyPart, KeyRule},
    provider::{Fields, Retries, Source, provider},
    scheme::Scheme,
};

provider! {
    /// The provider Vercel. See [the module](self).
    pub Vercel {
        const NAME: &'static str = "vercel";
        const SCHEMES: &'static [Scheme] = &[Scheme::hmac_sha1("x-vercel-signature")];
        const FIELDS: Fields = Fields::NONE.id(Source::body("id")).kind(Source::body("type"));
        const KEYS: &'static [KeyRule] = &[KeyRule::of(&[KeyPart::Id]).or(&[KeyPart::Body])];
        const RETRIES: Retries = Retries::ON_ANY_FAILURE.within(Duration::from_secs(24 * 60 * 60));
    }
}
