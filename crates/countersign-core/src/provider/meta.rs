//! Meta: the webhooks of the Graph API, for Facebook's pages and users, Instagram, Messenger; and WhatsApp.
//!
//! Signature: `X-Hub-Signature-256: sha256=<hex>`, HMAC-SHA256 over the raw body, keyed by the app's secret
//! (<https://developers.facebook.com/docs/graph-api/webhooks/getting-started>). Meta signs the text as it sends it, with every character beyond
//! ASCII escaped: what re-serialises a body breaks its signature. `X-Hub-Signature`, of SHA-1, comes beside and is not taken. There is
//! no timestamp in the signature, so a captured delivery can be played again once its dedupe key's retention has ended.
//!
//! One secret signs for every product of an app. The kind is the body's `object` (`user`, `page`, `instagram`); a body batches up
//! to 1000 changes, in `entry` and in its `changes` or `messaging`. There is no id of a delivery, so the dedupe key is the digest of the
//! body: changes that Meta batches anew at a retry are told apart by nothing but what they are about. Meta documents no size for such a
//! body; 3 MiB are taken by default, as for WhatsApp.
//!
//! Anything but a 200 is tried again, at once and then less and less often over 36 hours. Before that, Meta proves the endpoint by a
//! `GET` of `hub.mode`, `hub.verify_token` and `hub.challenge`: the challenge is sent back where the token is the one that was configured by
//! [`verify_token`](crate::VerifierBuilder::verify_token), and a 403 where it is not.
//!
//! # WhatsApp
//!
//! [`WhatsApp`] is Meta's Cloud API for messages (<https://developers.facebook.com/docs/whatsapp/cloud-api/guides/set-up-webhooks>): the same signature, in
//! a product of its own. Its kind is the `field` of the first change (`messages`, `message_template_status_update`); a body may hold several.
//! The ids (`wamid...`) are those of messages, and each message has several statuses, so the dedupe key is the digest of the body as
//! well. It tries for up to 7 days. A body may have 3 MB, so 3 MiB are taken by default.

use std::time::Duration;

use crate::{
    dedupe::{KeyPart, KeyRule},
    provider::{Fields, Handshake, QueryHandshake, Retries, Source, provider},
    scheme::Scheme,
};

/// The same for all of Meta's products.
const HANDSHAKES: &[Handshake] = &[Handshake::Query(
    QueryHandshake::echo("hub.challenge").mode("hub.mode", "subscribe").token("hub.verify_token"),
)];

/// 3 MiB. The one size that Meta documents is WhatsApp's.
const BODY_LIMIT: usize = 3 << 20;

provider! {
    /// The provider Meta. See [the module](self).
    pub Meta {
        const NAME: &'static str = "meta";
        const SCHEMES: &'static [Scheme] = &[Scheme::hmac_sha256("x-hub-signature-256").prefix("sha256=")];
        const FIELDS: Fields = Fields::NONE.kind(Source::body("object"));
        const KEYS: &'static [KeyRule] = &[KeyRule::of(&[KeyPart::Body])];
        const RETRIES: Retries = Retries::ON_ANY_FAILURE.within(Duration::from_secs(36 * 60 * 60));
        const BODY_LIMIT: usize = BODY_LIMIT;
        const HANDSHAKES: &'static [Handshake] = HANDSHAKES;
    }
}

provider! {
    /// The provider WhatsApp. See [the module](self).
    pub WhatsApp {
        const NAME: &'static str = "whatsapp";
        const SCHEMES: &'static [Scheme] = &[Scheme::hmac_sha256("x-hub-signature-256").prefix("sha256=")];
        const FIELDS: Fields = Fields::NONE.kind(Source::body("entry.0.changes.0.field"));
        const KEYS: &'static [KeyRule] = &[KeyRule::of(&[KeyPart::Body])];
        const RETRIES: Retries = Retries::ON_ANY_FAILURE.within(Duration::from_secs(7 * 24 * 60 * 60));
        const BODY_LIMIT: usize = BODY_LIMIT;
        const HANDSHAKES: &'static [Handshake] = HANDSHAKES;
    }
}
