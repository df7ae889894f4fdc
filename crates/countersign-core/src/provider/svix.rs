//! Svix, and who sends through it: Clerk (users and organisations) and Resend (e-mails).
//!
//! Signature: `svix-signature: v1,<base64>[ v1,<base64>]`, HMAC-SHA256 over `{svix-id}.{svix-timestamp}.{raw body}`,
//! the timestamp in unix seconds, good for 300 s both ways
//! (<https://docs.svix.com/receiving/verifying-payloads/how-manual>,
//! <https://clerk.com/docs/guides/development/webhooks/overview>,
//! <https://resend.com/docs/webhooks/verify-webhooks-requests>). The key is what the secret's base64 holds; the prefix
//! `whsec_` and the padding may be left away. It is the scheme of [Standard Webhooks](super::standard_webhooks), under
//! names of Svix's own; the three names of the standard are read as well, where `svix-signature` is missing.
//!
//! The message's id is signed, and the same at every attempt, so it is the dedupe key. Payloads are the sender's own:
//! Clerk and Resend have their kind in `type`, and what a sender of one's own puts there is theirs to say.
//!
//! Svix tries 8 times: at once and after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h and 10 h, each after the one before, on
//! anything but a 2xx (<https://docs.svix.com/retries>). As in Standard Webhooks, a 410 tells the sender to disable the endpoint, so a
//! handler's 410 is sent as a 500.

use std::time::Duration;

use crate::{
    dedupe::{KeyPart, KeyRule},
    provider::{Fields, Retries, Source, provider},
    scheme::{Encoding, KeyEncoding, Scheme, TimestampSource},
    time::{TimestampFormat, Tolerance},
};

const SCHEMES: &[Scheme] = &[
    scheme("svix-signature", TimestampSource::header("svix-timestamp")),
    scheme("webhook-signature", TimestampSource::header("webhook-timestamp")).id_header("webhook-id"),
];
const FIELDS: Fields = Fields::NONE.id(Source::header("svix-id")).kind(Source::body("type"));
const KEYS: &[KeyRule] = &[KeyRule::of(&[KeyPart::Id])];
const RETRIES: Retries =
    Retries::ON_ANY_FAILURE.within(Duration::from_secs((27 * 60 + 35) * 60 + 5)).except(&[410]);

const fn scheme(header: &'static str, timestamp: TimestampSource) -> Scheme {
    Scheme::hmac_sha256(header)
        .versioned("v1")
        .encoding(Encoding::Base64)
        .key(KeyEncoding::Whsec)
        .timestamp(timestamp, TimestampFormat::UnixSeconds)
        .tolerance(Tolerance::from_secs(300))
        .signs("{id}.{timestamp}.{body}")
}

provider! {
    /// A provider that sends through Svix. See [the module](self).
    pub Svix {
        const NAME: &'static str = "svix";
        const SCHEMES: &'static [Scheme] = SCHEMES;
        const FIELDS: Fields = FIELDS;
        const KEYS: &'static [KeyRule] = KEYS;
        const RETRIES: Retries = RETRIES;
    }
}

provider! {
    /// The provider Clerk. See [the module](self).
    pub Clerk {
        const NAME: &'static str = "clerk";
        const SCHEMES: &'static [Scheme] = SCHEMES;
        const FIELDS: Fields = FIELDS;
        const KEYS: &'static [KeyRule] = KEYS;
        const RETRIES: Retries = RETRIES;
    }
}

provider! {
    /// The provider Resend. See [the module](self).
    pub Resend {
        const NAME: &'static str = "resend";
        const SCHEMES: &'static [Scheme] = SCHEMES;
        const FIELDS: Fields = FIELDS;
        const KEYS: &'static [KeyRule] = KEYS;
        const RETRIES: Retries = RETRIES;
    }
}
