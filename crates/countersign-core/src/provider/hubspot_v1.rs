//! HubSpot, by the first version of its signature: for apps and subscriptions that are still sent no other.
//!
//! Signature: `X-HubSpot-Signature: <hex>`, plain SHA-256 over the app's client secret and, behind it, the raw body
//! (<https://legacydocs.hubspot.com/docs/faq/v1-request-validation>). It is no HMAC: with one genuine body and its digest, anybody can
//! compute the digest of that body, some padding and more. So a body must be one complete JSON text in UTF-8, which no such
//! body is. Where HubSpot sends `X-HubSpot-Signature-V3`, use that version: it signs the method, the URL and a timestamp as well.
//!
//! The second version stands in the same header and signs the method and the URL; `X-HubSpot-Signature-Version` tells them apart. It is
//! refused here.
//!
//! There is no timestamp, so a captured delivery can be played again once its dedupe key's retention has ended. A body is an
//! array of up to 100 events, and the kind is the first one's: look at each. The dedupe key is made of each event's fields, as for
//! [HubSpot's third version](super::hubspot).
//!
//! Failures are tried again up to ten times within 24 hours, but not on a 400, 401, 403, 404 or 405.

use std::time::Duration;

use crate::{
    dedupe::KeyRule,
    provider::{Fields, Retries, Source, hubspot, provider},
    scheme::Scheme,
};

provider! {
    /// The provider HubSpot, by the first version of its signature. See [the module](self).
    pub HubSpotV1 {
        const NAME: &'static str = "hubspot_v1";
        const SCHEMES: &'static [Scheme] = &[Scheme::sha256("x-hubspot-signature")];
        const FIELDS: Fields = Fields::NONE.kind(Source::body("0.subscriptionType"));
        const KEYS: &'static [KeyRule] = hubspot::KEYS;
        const RETRIES: Retries = Retries::ON_SERVER_ERRORS.within(Duration::from_secs(24 * 60 * 60));
    }
}
