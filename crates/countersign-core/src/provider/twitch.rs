//! Twitch: EventSub, what happens on channels.
//!
//! Signature: `Twitch-Eventsub-Message-Signature: sha256=<hex>`, HMAC-SHA256 over
//! `{Twitch-Eventsub-Message-Id}{Twitch-Eventsub-Message-Timestamp}{raw body}`, the timestamp in RFC 3339, good for 600
//! s (<https://dev.twitch.tv/docs/eventsub/handling-webhook-events/>). Nothing separates the three. So the body must be one complete
//! JSON object or array: then it is certain where the body starts, and where the timestamp before it does. Otherwise a body that
//! holds a time could be cut there, and one signature would be valid for another id and another body.
//!
//! The message's id is signed and the same at every attempt, so it is the dedupe key. The kind is the body's
//! `subscription.type`; `Twitch-Eventsub-Message-Type` and the other headers are not signed and not read. A request to
//! verify the URL has a `challenge` in its body, and a subscription that was revoked has no `event`; both are signed
//! like the rest. A receiver sends the challenge back by itself.
//!
//! Twitch waits a few seconds and tries again on anything but a 2xx. It publishes no schedule, and revokes the
//! subscription when too many tries fail.

use crate::{
    dedupe::{KeyPart, KeyRule},
    provider::{BodyHandshake, Fields, Handshake, ReplyRule, Retries, Source, provider},
    scheme::{BodyRule, Scheme, TimestampSource},
    time::{TimestampFormat, Tolerance},
};

provider! {
    /// The provider Twitch. See [the module](self).
    pub Twitch {
        const NAME: &'static str = "twitch";
        const SCHEMES: &'static [Scheme] = &[Scheme::hmac_sha256("twitch-eventsub-message-signature")
            .prefix("sha256=")
            .timestamp(
                TimestampSource::header("twitch-eventsub-message-timestamp"),
                TimestampFormat::Rfc3339,
            )
            .tolerance(Tolerance::from_secs(600))
            .signs("{id}{timestamp}{body}")
            .body(BodyRule::JsonText)];
        const FIELDS: Fields = Fields::NONE
            .id(Source::header("twitch-eventsub-message-id"))
            .kind(Source::body("subscription.type"));
        const KEYS: &'static [KeyRule] = &[KeyRule::of(&[KeyPart::Id])];
        const RETRIES: Retries = Retries::ON_ANY_FAILURE;
        const HANDSHAKES: &'static [Handshake] = &[Handshake::Body(BodyHandshake::new(
            "subscription.status",
            "webhook_callback_verification_pending",
            ReplyRule::echo("challenge"),
        ))];
    }
}
