//! Postmark: what became of e-mails, and e-mails that came in.
//!
//! No signature. Postmark shows a user and a password by HTTP's basic authentication, `Authorization: Basic ..`, where they are set up
//! for the webhook or stand in its URL (<https://postmarkapp.com/developer/webhooks/webhooks-overview>). The secret is `user:password`. Nothing
//! protects the body but TLS, and whoever learns the credential can send anything: keep it to this one endpoint.
//!
//! The kind is the body's `RecordType` (`Bounce`, `Delivery`, `Open`); an inbound e-mail has none. `MessageID` is the e-mail's, which has many
//! events. The id is `X-PM-Webhook-Trace-Id`, which is the same at every attempt at one event: it is the dedupe key. Where it is not
//! sent, the key is the digest of the body.
//!
//! An e-mail that came in holds its attachments, up to 35 MB of them and more in base64
//! (<https://postmarkapp.com/support/article/1056-what-are-the-attachment-and-email-size-limits>). So 50 MiB are taken by default. Set
//! [`body_limit`](crate::ReceiverBuilder::body_limit) to 1 MiB for an endpoint that no inbound e-mails come to.
//!
//! Events of sent e-mails are tried again 9 times in about 72 minutes, on 408, 429, 5xx and time-outs alone: any other 4xx is final. Inbound
//! e-mails are tried again 10 times over about ten and a half hours on anything but a 200, but a 403 ends it at once
//! (<https://postmarkapp.com/support/article/understanding-inbound-webhook-retries-in-postmark>). So a handler's other failures are sent
//! as a 500.

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
        const FIELDS: Fields =
            Fields::NONE.id(Source::header("x-pm-webhook-trace-id")).kind(Source::body("RecordType"));
        // The id is not signed, and the request shows the secret: whoever can choose the id can make whole deliveries.
        const KEYS: &'static [KeyRule] = &[KeyRule::of(&[KeyPart::Id]).or(&[KeyPart::Body])];
        /// The longer of the two schedules, and the fewer of the two lists of statuses.
        const RETRIES: Retries = Retries::ON_SERVER_ERRORS.within(Duration::from_secs((10 * 60 + 30) * 60));
        const BODY_LIMIT: usize = 50 << 20;
    }
}
