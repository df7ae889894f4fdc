//! Klaviyo: what happened to messages, and to the profiles that they were sent to.
//!
//! Signature: `Klaviyo-Signature: <hex>`, HMAC-SHA256 over `{raw body}{Klaviyo-Timestamp}`, the timestamp as HTTP
//! writes dates (<https://developers.klaviyo.com/en/docs/working_with_system_webhooks>). Klaviyo names no tolerance;
//! 300 s both ways here. These are system webhooks: the webhooks of flows are not signed.
//!
//! The id is that of the webhook, **not of the delivery**: `Klaviyo-Webhook-Id` is the same for all that one webhook
//! sends, and not signed. It is no dedupe key. The key is the digest of the signed body; the events in it, of which
//! there may be several, have their own `external_id`. The kind is the first one's topic.
//!
//! Klaviyo documents no largest body of a batch. 5 MiB are taken by default: as much as one request to Klaviyo's own API for events may
//! have.
//!
//! Retries exist; for flows they come on 429, 500, 502, 503 and 504
//! (<https://developers.klaviyo.com/en/docs/understanding_webhook_status_codes>). The schedule is not published.

use crate::{
    dedupe::{KeyPart, KeyRule},
    provider::{Fields, Retries, Source, provider},
    scheme::{Scheme, TimestampSource},
    time::{TimestampFormat, Tolerance},
};

provider! {
    /// The provider Klaviyo. See [the module](self).
    pub Klaviyo {
        const NAME: &'static str = "klaviyo";
        const SCHEMES: &'static [Scheme] = &[Scheme::hmac_sha256("klaviyo-signature")
            .timestamp(TimestampSource::header("klaviyo-timestamp"), TimestampFormat::ImfFixdate)
            .tolerance(Tolerance::from_secs(300))
            .signs("{body}{timestamp}")];
        const FIELDS: Fields = Fields::NONE
            .id(Source::header("klaviyo-webhook-id"))
            .kind(Source::body("data.0.topic"));
        const KEYS: &'static [KeyRule] = &[KeyRule::of(&[KeyPart::Body])];
        const RETRIES: Retries = Retries::ON_SERVER_ERRORS;
        const BODY_LIMIT: usize = 5 << 20;
    }
}
