//! Paddle: payments and subscriptions of software companies.
//!
//! Signature: `Paddle-Signature: ts=<unix seconds>;h1=<hex>[;h1=..]`, HMAC-SHA256 over `{ts}:{raw body}`, keyed by the
//! secret of the notification's destination, as it is (<https://developer.paddle.com/webhooks/signature-verification>).
//! A timestamp may be 5 s old, as in Paddle's own SDKs. They have no bound for one that is ahead; here it may be 60 s ahead, so that
//! a clock of yours that lags refuses nothing. A clock that runs 5 s ahead refuses everything: set
//! [`tolerance`](crate::ReceiverBuilder::tolerance) where yours may.
//!
//! The dedupe key is the body's `event_id`: the same at every attempt and at every replay, while `notification_id`
//! differs by destination and replay.
//!
//! Paddle waits 5 s. A live account tries 60 times in 3 days, a sandbox 3 times in 15 min, on anything but a 200
//! (<https://developer.paddle.com/webhooks/respond-to-webhooks>). Events may arrive out of order; `occurred_at` tells.

use std::time::Duration;

use crate::{
    dedupe::{KeyPart, KeyRule},
    provider::{Fields, Retries, Source, provider},
    scheme::{Scheme, TimestampSource},
    time::{TimestampFormat, Tolerance},
};

provider! {
    /// The provider Paddle. See [the module](self).
    pub Paddle {
        const NAME: &'static str = "paddle";
        const SCHEMES: &'static [Scheme] = &[Scheme::hmac_sha256("paddle-signature")
            .list(';', Some("ts"), "h1")
            .timestamp(TimestampSource::Signature, TimestampFormat::UnixSeconds)
            .tolerance(Tolerance::from_secs(5).ahead(60))
            .signs("{timestamp}:{body}")];
        const FIELDS: Fields = Fields::NONE.id(Source::body("event_id")).kind(Source::body("event_type"));
        const KEYS: &'static [KeyRule] = &[KeyRule::of(&[KeyPart::Id]).or(&[KeyPart::Body])];
        const RETRIES: Retries = Retries::ON_ANY_FAILURE.within(Duration::from_secs(3 * 24 * 60 * 60));
    }
}
