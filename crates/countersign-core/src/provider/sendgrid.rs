//! SendGrid: Twilio's Event Webhook, what became of e-mails.
//!
//! Signature: `X-Twilio-Email-Event-Webhook-Signature: <base64 of DER>`, ECDSA on P-256 over
//! `{X-Twilio-Email-Event-Webhook-Timestamp}{raw body}`
//! (<https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features>).
//! The secret is the verification key as the settings show it: a public key in DER, in base64; anybody may know it.
//! SendGrid names no tolerance; 300 s both ways here. Timestamp and body touch in what is signed, so a body that begins
//! with a digit is refused; SendGrid's begin with `[`.
//!
//! A body is an array of events, and ends in CR and LF, which are signed. Id and kind are those of the first event
//! (`sg_event_id`, `event`), so the dedupe key is the digest of the signed body. The same event may come in two bodies,
//! and its `sg_event_id` is reported to change at a retry: do not deduplicate by that alone. Handlers that must not act twice compare
//! `sg_message_id`, `event`, `email` and `timestamp` as well.
//!
//! SendGrid tries for 24 h after the event, ever less often, on anything but a 2xx.
//!
//! Whether a retry carries a fresh signed timestamp is not documented. If retries are refused as stale, widen
//! [`tolerance`](crate::ReceiverBuilder::tolerance).

use std::time::Duration;

use crate::{
    dedupe::{KeyPart, KeyRule},
    provider::{Fields, Retries, Source, provider},
    scheme::{Scheme, TimestampSource},
    time::{TimestampFormat, Tolerance},
};

provider! {
    /// The provider SendGrid. See [the module](self).
    pub SendGrid {
        const NAME: &'static str = "sendgrid";
        const SCHEMES: &'static [Scheme] = &[Scheme::ecdsa_p256("x-twilio-email-event-webhook-signature")
            .timestamp(
                TimestampSource::header("x-twilio-email-event-webhook-timestamp"),
                TimestampFormat::UnixSeconds,
            )
            .tolerance(Tolerance::from_secs(300))
            .signs("{timestamp}{body}")];
        const FIELDS: Fields = Fields::NONE.id(Source::body("0.sg_event_id")).kind(Source::body("0.event"));
        const KEYS: &'static [KeyRule] = &[KeyRule::of(&[KeyPart::Body])];
        const RETRIES: Retries = Retries::ON_ANY_FAILURE.within(Duration::from_secs(24 * 60 * 60));
    }
}
