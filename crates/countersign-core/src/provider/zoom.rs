//! Zoom: meetings, webinars, recordings, phone.
//!
//! Signature: `x-zm-signature: v0=<hex>`, HMAC-SHA256 over `v0:{x-zm-request-timestamp}:{raw body}`, keyed by the app's
//! secret token (<https://developers.zoom.us/docs/api/webhooks/>). Zoom names no tolerance; 300 s both ways here.
//!
//! There is no id of the delivery or the event, so the dedupe key is the digest of the signed body, which holds the
//! event's time in milliseconds (`event_ts`). The ids in the payload are those of meetings, which have many events.
//!
//! Zoom waits 3 s and tries 3 times more: 5, 25 and 85 min after the first
//! (<https://developers.zoom.us/blog/webhook-delays>). Its pages do not agree on which answers it tries again, so
//! failures are sent as a 5xx. A URL is validated by the event `endpoint.url_validation`, at first and every 72 h, which is signed
//! like any other: a receiver answers by itself, with the `plainToken` and its HMAC-SHA256 under the secret that signed it.
//!
//! Whether a retry carries a fresh signed timestamp is not documented. If retries are refused as stale, widen
//! [`tolerance`](crate::ReceiverBuilder::tolerance).

use std::time::Duration;

use crate::{
    dedupe::{KeyPart, KeyRule},
    provider::{BodyHandshake, Fields, Handshake, ReplyRule, Retries, Source, provider},
    scheme::{Scheme, TimestampSource},
    time::{TimestampFormat, Tolerance},
};

provider! {
    /// The provider Zoom. See [the module](self).
    pub Zoom {
        const NAME: &'static str = "zoom";
        const SCHEMES: &'static [Scheme] = &[Scheme::hmac_sha256("x-zm-signature")
            .prefix("v0=")
            .timestamp(TimestampSource::header("x-zm-request-timestamp"), TimestampFormat::UnixSeconds)
            .tolerance(Tolerance::from_secs(300))
            .signs("v0:{timestamp}:{body}")];
        const FIELDS: Fields = Fields::NONE.kind(Source::body("event"));
        const KEYS: &'static [KeyRule] = &[KeyRule::of(&[KeyPart::Body])];
        const RETRIES: Retries = Retries::ON_SERVER_ERRORS.within(Duration::from_secs(85 * 60));
        const HANDSHAKES: &'static [Handshake] = &[Handshake::Body(BodyHandshake::new(
            "event",
            "endpoint.url_validation",
            ReplyRule::hmac_sha256("payload.plainToken", "encryptedToken"),
        ))];
    }
}
