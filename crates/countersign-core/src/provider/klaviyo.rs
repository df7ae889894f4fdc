//! Klaviyo: what happened to messages, and to the profiles that they were sent to.
//!
//! Signature: `Klaviyo-Signature: <hex>`, HMAC-SHA256 over `{raw body}{Klaviyo-Timestamp}`
//! (<https://developers.klaviyo.com/en/docs/working_with_system_webhooks>). These are system webhooks: the webhooks of flows are not signed.
//!
//! `Klaviyo-Timestamp` is local time, labelled GMT, and so hours off. It is signed content and nothing else here. How old a
//! delivery is, its body says: `meta.timestamp`, in RFC 3339. It may be 72 h old, for as long as Klaviyo is taken to retry, and 300 s
//! ahead: whether a retry carries a fresh timestamp is not documented. A body without one is refused. Set
//! [`tolerance`](crate::ReceiverBuilder::tolerance) to less where your deliveries show that retries are fresh. It cannot be more.
//!
//! The id is that of the webhook, **not of the delivery**: `Klaviyo-Webhook-Id` is the same for all that one webhook
//! sends, and not signed. Klaviyo's page calls it an attack where it differs from the body's `meta.klaviyo_webhook_id`: such a
//! delivery is refused. It is no dedupe key. The key is the digest of the signed body. A body
//! may hold several events, and each has its own `external_id`. The kind is the first one's topic.
//!
//! Klaviyo documents no largest body of a batch. 5 MiB are taken by default: as much as one request to Klaviyo's own API for events may
//! have.
//!
//! Retries exist; for flows they come on 429, 500, 502, 503 and 504
//! (<https://developers.klaviyo.com/en/docs/understanding_webhook_status_codes>). The schedule is not published.

use crate::{
    dedupe::{KeyPart, KeyRule},
    delivery::Delivery,
    error::{EventError, VerifyError},
    event::Generic,
    json,
    provider::{Fields, Retries, Source, provider},
    scheme::{BodyRule, Scheme, TimestampSource},
    time::{TimestampFormat, Tolerance},
};

const WEBHOOK_ID: &str = "klaviyo-webhook-id";

provider! {
    /// The provider Klaviyo. See [the module](self).
    pub Klaviyo {
        type Event = Generic<T>;
        const NAME: &'static str = "klaviyo";
        const SCHEMES: &'static [Scheme] = &[Scheme::hmac_sha256("klaviyo-signature")
            .timestamp(TimestampSource::body("meta.timestamp"), TimestampFormat::Rfc3339)
            .tolerance(Tolerance::from_secs(72 * 60 * 60).ahead(300))
            .signs("{body}{header:klaviyo-timestamp}")
            .body(BodyRule::JsonText)];
        const FIELDS: Fields = Fields::NONE.id(Source::header(WEBHOOK_ID)).kind(Source::body("data.0.topic"));
        const KEYS: &'static [KeyRule] = &[KeyRule::of(&[KeyPart::Body])];
        const RETRIES: Retries = Retries::ON_SERVER_ERRORS;
        const BODY_LIMIT: usize = 5 << 20;

        fn event(delivery: &Delivery<Self>) -> Result<Generic<T>, EventError> {
            Generic::of(delivery)
        }

        fn check(delivery: &Delivery<Self>) -> Result<(), VerifyError> {
            let Some(sent) = delivery.id() else { return Ok(()) };
            let signed = json::field(delivery.body(), "meta.klaviyo_webhook_id").and_then(json::string);
            match signed.is_some_and(|signed| signed == sent) {
                true => Ok(()),
                false => Err(VerifyError::Contradiction { name: WEBHOOK_ID.into() }),
            }
        }
    }
}
