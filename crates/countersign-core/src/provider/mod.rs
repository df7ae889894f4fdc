//! `Provider`: what sets one provider apart, as data; one file a provider, and the registry of all.

mod code;
mod custom;
mod description;
mod fields;
mod retries;

use std::{borrow::Cow, fmt};

use crate::{
    dedupe::KeyRule,
    delivery::Delivery,
    error::{EventError, VerifyError},
    scheme::Scheme,
};

pub mod raaft;
pub mod recharge;
pub mod retake;
pub mod retentbase;
pub mod revkeen;

use self::code::Code;
#[allow(unused_imports, reason = "the catalogue uses it")]
pub(crate) use self::custom::provider;
pub(crate) use self::description::{Described, NOT_A_URL, is_url};
pub use self::{
    custom::{Custom, Payload},
    description::Description,
    fields::{Fields, Source},
    raaft::Raaft,
    recharge::Recharge,
    retake::Retake,
    retentbase::RetentBase,
    retries::Retries,
    revkeen::RevKeen,
};

/// A provider of webhooks, described by data that one engine reads.
///
/// ```
/// use countersign_core::{
///     Delivery, EventError, Provider, Secret, Signer, Timestamp, Verifier,
///     dedupe::{KeyPart, KeyRule},
///     provider::{Fields, Retries, Source},
///     scheme::Scheme,
/// };
///
/// struct Example;
///
/// impl Provider for Example {
///     const NAME: &'static str = "example";
///     const SCHEMES: &'static [Scheme] = &[Scheme::hmac_sha256("x-example-signature").prefix("sha256=")];
///     const FIELDS: Fields = Fields::NONE.kind(Source::body("type"));
///     const KEYS: &'static [KeyRule] = &[KeyRule::of(&[KeyPart::Body])];
///     const RETRIES: Retries = Retries::UNKNOWN;
///     type Event = String;
///
///     fn event(delivery: &Delivery<Self>) -> Result<String, EventError> {
///         Ok(delivery.kind().unwrap_or_default().into_owned())
///     }
/// }
///
/// let (secret, now) = (Secret::new("a secret")?, Timestamp::from_unix_seconds(0));
/// let headers = Signer::<Example>::new(&secret).sign(r#"{"type":"ping"}"#, now)?;
/// let delivery = Verifier::<Example>::new(&secret)?.verify(&headers, r#"{"type":"ping"}"#, now)?;
/// assert_eq!(delivery.event()?, "ping");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Provider: Sized + Send + Sync + 'static {
    /// The provider's name, in lower case: in logs, metrics and dedupe keys.
    const NAME: &'static str;
    /// How it signs; the strongest first. The first whose header is there decides.
    ///
    /// A scheme that cannot be safe, or cannot work, does not compile once a verifier is made of it: a timestamp that is not
    /// signed, signed content without the body, a header's name that is not in lower case.
    const SCHEMES: &'static [Scheme];
    /// Where a delivery's id, kind and attempt stand.
    const FIELDS: Fields;
    /// What makes two deliveries the same.
    const KEYS: &'static [KeyRule];
    /// On which answers it tries again, and for how long.
    const RETRIES: Retries;
    /// All of it as one value.
    #[doc(hidden)]
    const DESCRIPTION: &'static Description =
        &Description::of::<Self>(Self::NAME, Self::SCHEMES, Self::FIELDS, Self::KEYS, Self::RETRIES);
    /// Its events.
    type Event: fmt::Debug + Send + Sync + 'static;

    /// Types a delivery's payload.
    ///
    /// # Errors
    /// [`EventError`] when the payload does not fit.
    fn event(delivery: &Delivery<Self>) -> Result<Self::Event, EventError>;

    /// The kind of a delivery. `named` is the one that is configured for the endpoint, or else what [`Fields::kind`] points
    /// at; a provider that can tell without may do so here.
    fn kind<'d>(_delivery: &'d Delivery<Self>, named: Option<Cow<'d, str>>) -> Option<Cow<'d, str>> {
        named
    }

    /// A last look at a delivery whose signature is genuine: does what was not signed agree with what was?
    ///
    /// # Errors
    /// [`VerifyError::Contradiction`] when it does not.
    fn check(_delivery: &Delivery<Self>) -> Result<(), VerifyError> {
        Ok(())
    }
}

#[doc(hidden)]
/// The registry: calls a macro with every provider, as `module => Type`.
///
/// For what must be done for each of them: tests, fuzzing, tables.
#[macro_export]
macro_rules! for_each_provider {
    ($macro:path) => {
        $macro! {
            raaft => Raaft,
            recharge => Recharge,
            retake => Retake,
            retentbase => RetentBase,
            revkeen => RevKeen,
        }
    };
}
