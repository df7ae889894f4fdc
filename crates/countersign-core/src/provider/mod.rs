//! `Provider`: what sets one provider apart, as data; one file a provider, and the registry of all.

use std::{borrow::Cow, fmt, time::Duration};

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

pub use self::{raaft::Raaft, recharge::Recharge, retake::Retake, retentbase::RetentBase, revkeen::RevKeen};

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
///     const FIELDS: Fields = Fields::NONE.kind(Source::Body(&["type"]));
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
/// let delivery = Verifier::<Example>::new(&secret).verify(&headers, r#"{"type":"ping"}"#, now)?;
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

/// Where something about a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// In a header of this name, in lower case. Unsigned.
    Header(&'static str),
    /// In the body, at the end of this path of object keys. Signed.
    Body(&'static [&'static str]),
}

/// Where a delivery's id, kind and attempt stand; each `None` when the provider sends none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fields {
    /// The delivery's or event's id.
    pub id: Option<Source>,
    /// The event's kind.
    pub kind: Option<Source>,
    /// The number of the attempt, from 1.
    pub attempt: Option<Source>,
    /// A header that repeats the signed timestamp. Sent, never read.
    pub timestamp_repeated: Option<&'static str>,
    /// A header that repeats the id of the signed body. Sent, never read.
    pub id_repeated: Option<&'static str>,
}

impl Fields {
    /// A provider that sends none of them.
    pub const NONE: Self =
        Self { id: None, kind: None, attempt: None, timestamp_repeated: None, id_repeated: None };

    /// Where the id stands.
    #[must_use]
    pub const fn id(mut self, source: Source) -> Self {
        self.id = Some(source);
        self
    }

    /// Where the kind stands.
    #[must_use]
    pub const fn kind(mut self, source: Source) -> Self {
        self.kind = Some(source);
        self
    }

    /// Where the number of the attempt stands.
    #[must_use]
    pub const fn attempt(mut self, source: Source) -> Self {
        self.attempt = Some(source);
        self
    }

    /// The header that repeats the id of the signed body.
    #[must_use]
    pub const fn id_repeated(mut self, header: &'static str) -> Self {
        self.id_repeated = Some(header);
        self
    }

    /// The header that repeats the signed timestamp.
    #[must_use]
    pub const fn timestamp_repeated(mut self, header: &'static str) -> Self {
        self.timestamp_repeated = Some(header);
        self
    }
}

/// On which answers a provider tries again, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retries {
    horizon: Option<Duration>,
    on: RetriedOn,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RetriedOn {
    AnyFailure,
    ServerErrors,
}

impl Retries {
    /// A provider that does not say: it is taken to retry on 408, 429 and 5xx only.
    pub const UNKNOWN: Self = Self { horizon: None, on: RetriedOn::ServerErrors };
    /// A provider that retries on anything but a 2xx.
    pub const ON_ANY_FAILURE: Self = Self { horizon: None, on: RetriedOn::AnyFailure };
    /// A provider that retries on 408, 429 and 5xx.
    pub const ON_SERVER_ERRORS: Self = Self { horizon: None, on: RetriedOn::ServerErrors };

    /// How long after the first try the last one comes.
    #[must_use]
    pub const fn within(mut self, horizon: Duration) -> Self {
        self.horizon = Some(horizon);
        self
    }

    /// Whether a failure with this status is tried again.
    pub const fn on(self, status: u16) -> bool {
        match self.on {
            RetriedOn::AnyFailure => matches!(status, 400..=599),
            RetriedOn::ServerErrors => matches!(status, 408 | 429 | 500..=599),
        }
    }

    /// For how long tries come in, and a quarter: 72 hours where that is unknown.
    #[expect(clippy::arithmetic_side_effects, reason = "horizons are days")]
    pub const fn retention(self) -> Duration {
        match self.horizon {
            Some(horizon) => Duration::from_secs(horizon.as_secs() + horizon.as_secs().div_ceil(4)),
            None => Duration::from_secs(72 * 60 * 60),
        }
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
