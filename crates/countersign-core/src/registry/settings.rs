//! `Settings`: how the receivers of one registered provider are set up.

use std::{borrow::Cow, sync::Arc, time::Duration};

use serde::Deserialize;

use super::{Common, Listed};
use crate::{
    error::ConfigError,
    provider::{Custom, Described},
    receiver::{Receiver, ReceiverBuilder},
    secret::Secrets,
    time::Tolerance,
    verifier::VerifierBuilder,
};

/// How the receivers of one registered provider are set up, from code or from a configuration file. What is not set is as
/// [`ReceiverBuilder`] has it.
///
/// ```
/// use countersign_core::{Settings, Tolerance};
///
/// let settings: Settings = toml::from_str(
///     r#"
///     require_timestamp = true
///     tolerance = 3600 # seconds
///     body_limit = 65536
///     "#,
/// )?;
/// let tolerance = Tolerance::from_secs(3600);
/// assert_eq!(settings, Settings::new().require_timestamp().tolerance(tolerance).body_limit(65536));
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    public_url: Option<Cow<'static, str>>,
    method: Option<Cow<'static, str>>,
    kind: Option<Cow<'static, str>>,
    require_timestamp: bool,
    pub(super) tolerance: Option<Tolerance>,
    body_limit: Option<usize>,
    read_timeout_seconds: Option<u64>,
    retention_seconds: Option<u64>,
}

/// What stands for the tenant's name in a URL.
const TENANT: &str = "{tenant}";

impl Settings {
    /// Nothing but the defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// The URL that the provider was given, for one that signs it; `{tenant}` in it stands for the tenant's name. See
    /// [`VerifierBuilder::public_url`](crate::VerifierBuilder::public_url).
    #[must_use]
    pub fn public_url(mut self, url: impl Into<Cow<'static, str>>) -> Self {
        self.public_url = Some(url.into());
        self
    }

    /// The method that the provider uses, for one that signs it. See
    /// [`VerifierBuilder::method`](crate::VerifierBuilder::method).
    #[must_use]
    pub fn method(mut self, method: impl Into<Cow<'static, str>>) -> Self {
        self.method = Some(method.into());
        self
    }

    /// The kind of every delivery, for a provider that does not sign it. See
    /// [`ReceiverBuilder::kind`](crate::ReceiverBuilder::kind).
    #[must_use]
    pub fn kind(mut self, kind: impl Into<Cow<'static, str>>) -> Self {
        self.kind = Some(kind.into());
        self
    }

    /// Refuses the weaker form of a provider that also signs a timestamp.
    #[must_use]
    pub fn require_timestamp(mut self) -> Self {
        self.require_timestamp = true;
        self
    }

    /// How far a signed timestamp may be from now, in place of the provider's own tolerance. See
    /// [`ReceiverBuilder::tolerance`](crate::ReceiverBuilder::tolerance).
    #[must_use]
    pub fn tolerance(mut self, tolerance: Tolerance) -> Self {
        self.tolerance = Some(tolerance);
        self
    }

    /// The largest body that is taken, in bytes.
    #[must_use]
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = Some(bytes);
        self
    }

    /// How many seconds a whole body may take to arrive.
    #[must_use]
    pub fn read_timeout_seconds(mut self, seconds: u64) -> Self {
        self.read_timeout_seconds = Some(seconds);
        self
    }

    /// How many seconds a handled delivery is remembered. See [`ReceiverBuilder::retention`](crate::ReceiverBuilder::retention).
    #[must_use]
    pub fn retention_seconds(mut self, seconds: u64) -> Self {
        self.retention_seconds = Some(seconds);
        self
    }

    /// For how long a handled delivery is remembered, where that is set.
    pub(super) fn retention(&self) -> Option<Duration> {
        self.retention_seconds.map(Duration::from_secs)
    }

    /// A receiver of this provider's tenant, to be set up further.
    fn receiver(&self, described: Described, tenant: &str, secrets: Secrets) -> ReceiverBuilder<Custom> {
        let mut builder = ReceiverBuilder::new(VerifierBuilder::new(described, secrets)).endpoint(tenant);
        if let Some(url) = &self.public_url {
            builder = builder.public_url(url.replace(TENANT, tenant));
        }
        if let Some(method) = &self.method {
            builder = builder.method(method.clone());
        }
        if let Some(kind) = &self.kind {
            builder = builder.kind(kind.clone());
        }
        if self.require_timestamp {
            builder = builder.require_timestamp();
        }
        if let Some(tolerance) = self.tolerance {
            builder = builder.tolerance(tolerance);
        }
        if let Some(bytes) = self.body_limit {
            builder = builder.body_limit(bytes);
        }
        if let Some(seconds) = self.read_timeout_seconds {
            builder = builder.read_timeout(Duration::from_secs(seconds));
        }
        if let Some(retention) = self.retention() {
            builder = builder.retention(retention);
        }
        builder
    }
}

impl Listed {
    /// A receiver of this tenant's deliveries; the tenant is its endpoint, so that no two tenants share a dedupe key.
    pub(super) fn make(
        &self,
        tenant: &str,
        secrets: Secrets,
        common: &Common,
    ) -> Result<Receiver<Custom>, ConfigError> {
        self.builder(tenant, secrets, common).build()
    }

    pub(super) fn builder(&self, tenant: &str, secrets: Secrets, common: &Common) -> ReceiverBuilder<Custom> {
        let mut builder = self
            .settings
            .receiver(self.described.clone(), tenant, secrets)
            .store(Arc::clone(&common.store))
            .lease(common.lease)
            .store_timeout(common.store_timeout)
            .running(common.running.clone())
            .share_budget(common.budget.clone());
        if common.spawn_handlers {
            builder = builder.spawn_handlers();
        }
        if let Some(clock) = &common.clock {
            builder = builder.clock(Arc::clone(clock));
        }
        builder
    }
}
