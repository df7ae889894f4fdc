//! Recurly: subscriptions, invoices, accounts.
//!
//! Signature: `recurly-signature: <unix milliseconds>,<hex>[,<hex>]`, HMAC-SHA256 over `{timestamp}.{raw body}`, good
//! for 300 s (<https://docs.recurly.com/recurly-subscriptions/docs/signature-verification>). There are two for 24 h
//! after the key was changed. The key looks like hexadecimal and is used as text. Webhooks in XML are not signed, and
//! refused.
//!
//! The body's `id` is that of the object, which has many events; the notification's id stands in the header
//! `recurly-notification-id`, which is not signed. So a delivery is known by two keys. Timestamp and body were signed: an
//! exact replay is caught under whatever headers it comes. The notification's id and the body catch a retry that is signed
//! anew. The id alone is no key: whoever captured one delivery could occupy the id of a later one.
//!
//! The kind is what happened (`event_type`, as in `created`); what it happened to is the body's `object_type`. Recurly
//! waits 5 s and tries 10 times, the x-th after 10 + x * 2^(x + 5) s with x from 0, on anything but a 2xx
//! (<https://docs.recurly.com/recurly-subscriptions/docs/automatic-retries>).
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
    /// The provider Recurly. See [the module](self).
    pub Recurly {
        const NAME: &'static str = "recurly";
        const SCHEMES: &'static [Scheme] = &[Scheme::hmac_sha256("recurly-signature")
            .positional()
            .timestamp(TimestampSource::Signature, TimestampFormat::UnixMillis)
            .tolerance(Tolerance::from_secs(300))
            .signs("{timestamp}.{body}")];
        const FIELDS: Fields = Fields::NONE
            .id(Source::header("recurly-notification-id"))
            .kind(Source::body("event_type"));
        const KEYS: &'static [KeyRule] = &[KeyRule::of(&[KeyPart::Timestamp, KeyPart::Body]), KeyRule::of(&[KeyPart::Id, KeyPart::Body])];
        /// The sum of the ten waits: a little over 3 days.
        const RETRIES: Retries = Retries::ON_ANY_FAILURE.within(Duration::from_secs(262_308));
    }
}
