//! Postmark: what became of e-mails, and e-mails that came in.
//!
//! No signature. Postmark shows a user and a password by HTTP's basic authentication, `Authorization: Basic ..`, where they are set up
//! for the webhook or stand in its URL (<https://postmarkapp.com/developer/webhooks/webhooks-overview>). The secret is `user:password`. Nothing
//! protects the body but TLS, and whoever learns the credential can send anything: keep it to this one endpoint.
//!
//! The kind is the body's `RecordType` (`Bounce`, `Delivery`, `Open`); an inbound e-mail has none. `MessageID` is the e-mail's, which has many
//! events, so the dedupe key is the digest of the body.
//!
//! An e-mail that came in holds its attachments, up to 35 MB of them and more in base64
//! (<https://postmarkapp.com/support/article/1056-what-are-the-attachment-and-email-size-limits>): raise
//! [`body_limit`](crate::ReceiverBuilder::body_limit) for those.
//!
//! Anything but a 200 is tried again, ten times over about ten and a half hours, but a 403 ends it at once
//! (<https://postmarkapp.com/support/article/understanding-inbound-webhook-retries-in-postmark>, of inbound e-mails).

use std::time::Duration;

use crate::{
    dedupe::{KeyPart, KeyRule},
    provider::{Fields, Retries, Source, provider},
    scheme::Scheme,
};

provider! {
    /// The provider Postmark. See [the module](self).
    pub Postmark {
        const NAME: &'static str = "postmark";
        const SCHEMES: &'static [Scheme] = &[Scheme::basic()];
        const FIELDS: Fields = Fields::NONE.kind(Source::body("RecordType"));
        const KEYS: &'static [KeyRule] = &[KeyRule::of(&[KeyPart::Body])];
        /// A handler's 403 must not get through, for it would be the last try: so as if on 5xx alone.
        const RETRIES: Retries = Retries::ON_SERVER_ERRORS.within(Duration::from_secs((10 * 60 + 30) * 60));
    }
}
