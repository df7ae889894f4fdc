//! Discord: interactions, and the events of applications.
//!
//! Signature: `X-Signature-Ed25519: <hex>`, Ed25519 over `{X-Signature-Timestamp}{raw body}`
//! (<https://docs.discord.com/developers/interactions/overview>). The secret is the application's public key, in hex,
//! as the developer portal shows it; anybody may know it. Discord names no tolerance; 300 s both ways here. Timestamp
//! and body touch in what is signed, so a body that begins with a digit is refused; Discord's begin with `{`.
//!
//! The dedupe key is the interaction's `id` in the signed body; an application's event has none, and is known by the
//! digest of its body. The kind is the event's (`event.type`); an interaction has a number in its place, the body's
//! `type`.
//!
//! An endpoint is tested with a `PING` that is signed and one that is not, and is taken away when it takes the second. A
//! receiver answers the first by itself: that of interactions, whose type is 1, with the same type; that of an
//! application's events, whose type is 0, with a 204. Such events have the type 1 as well, and are told by their `event`.
//!
//! An interaction is sent once, and must be answered within 3 s by a 200 with JSON, which your handler writes. An event must be
//! answered within 3 s by a 204, and is tried again for up to 10 min (<https://docs.discord.com/developers/events/webhook-events>). A
//! handler of events need not care: its empty 200 is sent as a 204, and duplicates of events are answered so. A duplicate of an
//! interaction can only be a replay: it is answered by an empty 200, and Discord never sees that answer.
//!
//! Whether a retry carries a fresh signed timestamp is not documented. If retries are refused as stale, widen
//! [`tolerance`](crate::ReceiverBuilder::tolerance).

use std::time::Duration;

use crate::{
    dedupe::{KeyPart, KeyRule},
    provider::{BodyHandshake, Fields, Handshake, ReplyRule, Retries, Source, Success, provider},
    scheme::{Scheme, TimestampSource},
    time::{TimestampFormat, Tolerance},
};

provider! {
    /// The provider Discord. See [the module](self).
    pub Discord {
        const NAME: &'static str = "discord";
        const SCHEMES: &'static [Scheme] = &[Scheme::ed25519("x-signature-ed25519")
            .timestamp(TimestampSource::header("x-signature-timestamp"), TimestampFormat::UnixSeconds)
            .tolerance(Tolerance::from_secs(300))
            .signs("{timestamp}{body}")];
        const FIELDS: Fields = Fields::NONE.id(Source::body("id")).kind(Source::body("event.type"));
        const KEYS: &'static [KeyRule] = &[KeyRule::of(&[KeyPart::Id]).or(&[KeyPart::Body])];
        const RETRIES: Retries = Retries::ON_SERVER_ERRORS.within(Duration::from_secs(10 * 60));
        const SUCCESS: Success = Success::status(204).with("event");
        const HANDSHAKES: &'static [Handshake] = &[
            Handshake::Body(BodyHandshake::new("type", "1", ReplyRule::json(r#"{"type":1}"#)).without("event")),
            Handshake::Body(BodyHandshake::new("type", "0", ReplyRule::NoContent).without("event")),
        ];
    }
}
