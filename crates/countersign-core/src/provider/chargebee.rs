//! Chargebee: subscriptions, invoices and payments.
//!
//! No signature. Chargebee shows a user and a password by HTTP's basic authentication, `Authorization: Basic ..`, where they
//! are set up for the webhook (<https://www.chargebee.com/docs/billing/2.0/site-configuration/webhook_settings>). The secret is
//! `user:password`. Nothing protects the body but TLS, and whoever learns the credential can send anything: keep it to this
//! one endpoint.
//!
//! The body's `id` identifies the event and is the same at every try, so it is the dedupe key; without one it is the digest of
//! the body. Events come out of order, and more than once.
//!
//! Anything but a 2xx is tried again, with growing delays; the last try comes about 3 days and 7 hours after the event
//! (<https://apidocs.chargebee.com/docs/api/events>). An event that is sent again by hand has its old id: where it was handled
//! before, it is answered without a second run.

use std::time::Duration;

use crate::{
    dedupe::{KeyPart, KeyRule},
    provider::{Fields, Retries, Source, provider},
    scheme::Scheme,
};

provider! {
    /// The provider Chargebee. See [the module](self).
    pub Chargebee {
        const NAME: &'static str = "chargebee";
        const SCHEMES: &'static [Scheme] = &[Scheme::basic()];
        const FIELDS: Fields = Fields::NONE.id(Source::body("id")).kind(Source::body("event_type"));
        const KEYS: &'static [KeyRule] = &[KeyRule::of(&[KeyPart::Id]).or(&[KeyPart::Body])];
        const RETRIES: Retries = Retries::ON_ANY_FAILURE.within(Duration::from_secs((3 * 24 + 7) * 60 * 60));
    }
}
