//! `VerifierBuilder`: the settings of a verifier, checked at start.

use std::{fmt, marker::PhantomData, sync::Arc, time::Duration};

use super::{Keyed, Limits, Shared, Verifier};
use crate::{
    error::ConfigError,
    provider::{Provider, Source},
    scheme::{Key, Scheme},
    secret::Secrets,
    text::ShortText,
    time::Clock,
};

/// Sets up a [`Verifier`].
pub struct VerifierBuilder<P: Provider> {
    secrets: Secrets,
    require_timestamp: bool,
    kind: Option<String>,
    limits: Limits,
    clock: Option<Arc<dyn Clock>>,
    provider: PhantomData<fn() -> P>,
}

impl<P: Provider> VerifierBuilder<P> {
    pub(super) fn new(secrets: Secrets) -> Self {
        Self {
            secrets,
            require_timestamp: false,
            kind: None,
            limits: Limits::default(),
            clock: None,
            provider: PhantomData,
        }
    }

    /// Refuses the weaker form of a provider that also signs a timestamp (Recharge, RevKeen).
    #[must_use]
    pub fn require_timestamp(mut self) -> Self {
        self.require_timestamp = true;
        self
    }

    /// The kind of every delivery at this endpoint, for a provider that does not sign it: with one endpoint a kind,
    /// nothing unsigned is left in the dedupe key.
    #[must_use]
    pub fn kind(mut self, kind: impl Into<String>) -> Self {
        self.kind = Some(kind.into());
        self
    }

    /// The largest body that is taken, in bytes. 1 MiB unless told otherwise.
    #[must_use]
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.limits.body = bytes;
        self
    }

    /// How long a whole body may take to arrive. 10 s unless told otherwise.
    #[must_use]
    pub fn read_timeout(mut self, timeout: Duration) -> Self {
        self.limits.read_timeout = timeout;
        self
    }

    /// A clock for the adapters to use instead of the system's; for tests.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// [`ConfigError`], when a timestamp is required of a provider that signs none, when a kind is configured for one
    /// that signs it, or when a limit is zero.
    pub fn build(self) -> Result<Verifier<P>, ConfigError> {
        if self.require_timestamp && !P::SCHEMES.iter().any(Scheme::signs_timestamp) {
            return Err(ConfigError::NoTimestamp { provider: P::NAME });
        }
        if self.kind.is_some() && matches!(P::FIELDS.kind, Some(Source::Body(_))) {
            return Err(ConfigError::KindIsSigned { provider: P::NAME });
        }
        let kind = match self.kind.as_deref().map(str::trim) {
            Some("") => return Err(out_of_range("kind", "not blank")),
            kind => kind.and_then(|kind| ShortText::new(kind.as_bytes())),
        };
        if self.limits.body == 0 {
            return Err(out_of_range("body_limit", "at least 1 byte"));
        }
        if self.limits.read_timeout.is_zero() {
            return Err(out_of_range("read_timeout", "longer than zero"));
        }
        Ok(self.made(kind))
    }

    /// Makes the key states. The settings are good: they were checked, or are the defaults.
    pub(super) fn made(self, kind: Option<ShortText>) -> Verifier<P> {
        const { Scheme::assert_sound(P::SCHEMES) };
        let keyed = |scheme: &'static Scheme| Keyed {
            scheme,
            keys: self.secrets.iter().map(|secret| Key::new(scheme.algorithm, secret)).collect(),
        };
        let shared = Shared {
            schemes: P::SCHEMES.iter().map(keyed).collect(),
            require_timestamp: self.require_timestamp,
            kind,
            limits: self.limits,
            clock: self.clock,
        };
        Verifier { shared: Arc::new(shared), provider: PhantomData }
    }
}

impl<P: Provider> fmt::Debug for VerifierBuilder<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifierBuilder")
            .field("provider", &P::NAME)
            .field("secrets", &self.secrets)
            .finish_non_exhaustive()
    }
}

pub(crate) fn out_of_range(setting: &'static str, expected: &'static str) -> ConfigError {
    ConfigError::OutOfRange { setting, expected }
}
