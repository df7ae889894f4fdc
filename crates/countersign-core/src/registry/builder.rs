//! `RegistryBuilder`: the providers of a registry and its settings, checked at start.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use super::{Common, Listed, Registry, SecretSource, Settings, Shared, Tenants, Times};
use crate::{
    dedupe::{KeyRule, Store},
    error::{ConfigError, ConfigErrorKind},
    for_each_provider,
    provider::*,
    receiver::{Running, replay_window},
    scheme::Scheme,
    secret::Secret,
    time::Clock,
    verifier::{Budget, out_of_range},
};

/// Sets up a [`Registry`].
pub struct RegistryBuilder {
    providers: Vec<Described>,
    settings: Vec<(String, Settings)>,
    source: Box<dyn SecretSource>,
    store: Option<Arc<dyn Store>>,
    times: Times,
    look_up_timeout: Duration,
    lease: Duration,
    store_timeout: Duration,
    clock: Option<Arc<dyn Clock>>,
    spawn_handlers: bool,
    body_budget: usize,
}

impl RegistryBuilder {
    pub(super) fn new(source: Box<dyn SecretSource>) -> Self {
        Self {
            providers: Vec::new(),
            settings: Vec::new(),
            source,
            store: None,
            times: Times {
                refresh: Duration::from_secs(60),
                floor: Duration::from_secs(1),
                keep: Duration::from_secs(60 * 60),
            },
            look_up_timeout: Duration::from_secs(2),
            lease: Duration::from_secs(30),
            store_timeout: Duration::from_secs(3),
            clock: None,
            spawn_handlers: false,
            body_budget: Budget::DEFAULT,
        }
    }

    /// Every built-in provider, by its name. Each verifies, checks and types as it does by its type.
    #[must_use]
    pub fn built_in(mut self) -> Self {
        macro_rules! list {
            ($($module:ident => $provider:ident,)*) => {
                $(self = self.with::<$provider>();)*
            };
        }
        for_each_provider!(list);
        self
    }

    /// A provider by its type: one of the built-in ones, or of your own.
    #[must_use]
    pub fn with<P: Provider>(mut self) -> Self {
        const {
            Scheme::assert_sound(P::SCHEMES, &P::DESCRIPTION.fields);
            KeyRule::assert_sound(P::KEYS, P::SCHEMES, &P::DESCRIPTION.fields);
            Handshake::assert_sound(P::HANDSHAKES, P::SCHEMES);
        };
        self.providers.push(Described::Constant(P::DESCRIPTION));
        self
    }

    /// A provider by its description, from code or from a configuration file.
    #[must_use]
    pub fn provider(mut self, description: impl Into<Description>) -> Self {
        self.providers.push(Described::Made(Arc::new(description.into())));
        self
    }

    /// How the receivers of the provider of this name are set up, in place of what was said before.
    #[must_use]
    pub fn settings(mut self, provider: impl Into<String>, settings: Settings) -> Self {
        self.settings.push((provider.into(), settings));
        self
    }

    /// Where claims are kept, for all providers and tenants.
    #[must_use]
    pub fn store(mut self, store: impl Store) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// For how long secrets serve before they are looked up again: a rotation is picked up that much later, and at once by a delivery
    /// that is signed with a new secret. 60 s unless told otherwise; at zero, each request looks up.
    ///
    /// One request looks up; the others go on with what is known. Where it has gone before the source answered, those that come next wait
    /// for a look-up. Equal secrets keep their key states.
    #[must_use]
    pub fn refresh(mut self, refresh: Duration) -> Self {
        self.times.refresh = refresh;
        self
    }

    /// How far apart the look-ups of one tenant are at least, whatever comes: 1 s unless configured
    /// otherwise.
    ///
    /// Where a signature is wrong, the secrets are looked up once more, since they may have been rotated. If
    /// the last look-up began longer ago than this, that happens at once. Otherwise the delivery waits for
    /// the next look-up that is allowed: it shares the look-up with all who wait, and is then verified again.
    /// So a rotation costs no delivery, and a flood of forgeries is not a flood of look-ups. The answer is a
    /// 503 only where that look-up fails, or where 64 deliveries of the tenant wait already: each holds its
    /// body.
    ///
    /// A name that the secret source refused is refused again for as long, and so is one that could not be
    /// looked up and has no known secrets. The [`SecretSource`] says what is not bounded by this.
    #[must_use]
    pub fn look_up_floor(mut self, floor: Duration) -> Self {
        self.times.floor = floor;
        self
    }

    /// For how long secrets serve on, since they were looked up last, while the secret source fails: 1 h unless told otherwise.
    #[must_use]
    pub fn keep(mut self, keep: Duration) -> Self {
        self.times.keep = keep;
        self
    }

    /// How long the secret source may take over an answer before it is given up. 2 s unless told otherwise: senders wait 5 s or
    /// longer.
    #[must_use]
    pub fn look_up_timeout(mut self, timeout: Duration) -> Self {
        self.look_up_timeout = timeout;
        self
    }

    /// How long a claim is held without being renewed. See [`ReceiverBuilder::lease`](crate::ReceiverBuilder::lease).
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// How long the store may take. See [`ReceiverBuilder::store_timeout`](crate::ReceiverBuilder::store_timeout).
    #[must_use]
    pub fn store_timeout(mut self, timeout: Duration) -> Self {
        self.store_timeout = timeout;
        self
    }

    /// How many bytes of bodies are held at once, until they are judged; of all providers and tenants, since whoever forges a delivery
    /// chooses the tenant that it names. 64 MiB by default. See
    /// [`VerifierBuilder::body_budget`](crate::VerifierBuilder::body_budget).
    #[must_use]
    pub fn body_budget(mut self, bytes: usize) -> Self {
        self.body_budget = bytes;
        self
    }

    /// Runs each handler in a task of its own from the start. See
    /// [`ReceiverBuilder::spawn_handlers`](crate::ReceiverBuilder::spawn_handlers).
    #[must_use]
    pub fn spawn_handlers(mut self) -> Self {
        self.spawn_handlers = true;
        self
    }

    /// A clock for the adapters, and for the age of look-ups, to use instead of the system's; for tests. Its
    /// elapsed time must go on while the runtime waits, or a wrong signature is a 503 after several seconds.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// Checks the providers and their settings.
    ///
    /// # Errors
    /// [`ConfigError`]: a name that is taken, a description that cannot be used, settings of a provider that is not registered or
    /// that do not go with it, no store, a time out of range. What depends on secrets is found when they are looked up: secrets that
    /// are not written as their provider writes them, a URL that is signed and not set, a feature that is not on.
    pub fn build(self) -> Result<Registry, ConfigError> {
        let store = self.store.ok_or(ConfigError::NoStore)?;
        if self.times.floor < Duration::from_millis(10) || self.times.floor > Duration::from_secs(60) {
            return Err(out_of_range("look_up_floor", "between 10 ms and 60 s"));
        }
        if self.look_up_timeout < Duration::from_millis(10) || self.look_up_timeout > Duration::from_secs(60)
        {
            return Err(out_of_range("look_up_timeout", "between 10 ms and 60 s"));
        }
        let mut providers = BTreeMap::new();
        for described in self.providers {
            if let Described::Made(description) = &described {
                description.check()?;
            }
            let name = described.name().to_owned();
            let listed = Listed { described, settings: Settings::default(), tenants: Tenants::default() };
            if providers.insert(name.clone().into_boxed_str(), listed).is_some() {
                return Err(ConfigError::NameTaken { provider: name });
            }
        }
        for (name, settings) in self.settings {
            let Some(listed) = providers.get_mut(&*name) else {
                return Err(ConfigError::NotRegistered { provider: name });
            };
            listed.settings = settings;
        }
        let common = Common {
            store,
            lease: self.lease,
            store_timeout: self.store_timeout,
            clock: self.clock,
            running: Running::default(),
            spawn_handlers: self.spawn_handlers,
            budget: Budget::new(self.body_budget),
        };
        providers.values().try_for_each(|listed| check(listed, &common))?;
        let shared = Shared {
            providers: providers.into_iter().map(|(name, listed)| (name, Arc::new(listed))).collect(),
            source: self.source,
            times: self.times,
            look_up_timeout: self.look_up_timeout,
            common,
        };
        Ok(Registry { shared: Arc::new(shared) })
    }
}

/// Whether there can be a receiver of this provider, as far as that can be said without its secrets.
fn check(listed: &Listed, common: &Common) -> Result<(), ConfigError> {
    let Listed { described, settings, .. } = listed;
    if settings.retention().is_some_and(|retention| retention < replay_window(described, settings.tolerance))
    {
        return Err(out_of_range(
            "retention_seconds",
            "at least the tolerance behind and ahead together, and one second, or replays would get through",
        ));
    }
    match listed.builder("", Secret::new("a word in place of a secret")?.into(), common).make() {
        Err(ConfigError::NoPublicUrl { .. } | ConfigError::MissingFeature { .. }) => Ok(()),
        Err(error) if error.kind() == ConfigErrorKind::Secret => Ok(()),
        made => made.map(drop),
    }
}

impl fmt::Debug for RegistryBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let providers: Vec<_> = self.providers.iter().map(|described| described.name()).collect();
        f.debug_struct("RegistryBuilder")
            .field("providers", &providers)
            .field("settings", &self.settings)
            .field("times", &self.times)
            .field("look_up_timeout", &self.look_up_timeout)
            .finish_non_exhaustive()
    }
}
