//! `ReceiverBuilder`: the settings of a receiver, checked at start.

use std::{borrow::Cow, fmt, hash::RandomState, sync::Arc, sync::atomic::AtomicU64, time::Duration};

use super::{Receiver, Running, Shared, metrics};
use crate::{
    dedupe::{KeyRule, Store},
    error::ConfigError,
    provider::{Description, Provider},
    scheme::Scheme,
    secret::Secret,
    time::{Clock, Tolerance},
    verifier::{Budget, VerifierBuilder, out_of_range},
};

/// Sets up a [`Receiver`].
pub struct ReceiverBuilder<P: Provider> {
    verifier: VerifierBuilder<P>,
    store: Option<Box<dyn Store>>,
    endpoint: String,
    rules: Option<&'static [KeyRule]>,
    lease: Duration,
    retention: Option<Duration>,
    store_timeout: Duration,
    running: Running,
    spawn_handlers: bool,
}

impl<P: Provider> ReceiverBuilder<P> {
    pub(crate) fn new(verifier: VerifierBuilder<P>) -> Self {
        Self {
            verifier,
            retention: None,
            store: None,
            endpoint: String::new(),
            rules: None,
            lease: Duration::from_secs(30),
            store_timeout: Duration::from_secs(3),
            running: Running::default(),
            spawn_handlers: false,
        }
    }

    /// Where claims are kept. To share one among receivers, give each an `Arc` of it, and those of one provider each an
    /// [`endpoint`](Self::endpoint).
    #[must_use]
    pub fn store(mut self, store: impl Store) -> Self {
        self.store = Some(Box::new(store));
        self
    }

    /// The endpoint's name: endpoints that share a store do not see each other's deliveries.
    ///
    /// Give each tenant one. Without it, two receivers of one provider share their dedupe keys, whatever their secrets: one
    /// tenant's delivery can be taken for another's duplicate.
    #[must_use]
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint = endpoint.into();
        self
    }

    /// How long a claim is held without being renewed: after a crash, a delivery is free this much later. 30 s unless told
    /// otherwise; renewed while the handler works.
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// How long a handled delivery is remembered. By default a quarter longer than the provider keeps trying, 72 h where
    /// that is not known, and never shorter than the two sides of its timestamps' tolerance together, and a second; at least 72 h where it may be signed
    /// without one, since then nothing else keeps a replay out.
    #[must_use]
    pub fn retention(mut self, retention: Duration) -> Self {
        self.retention = Some(retention);
        self
    }

    /// How long the store may take over a delivery's claims, a renewal or a commit before it is given up: the sender then
    /// gets a 503. 3 s unless told otherwise: senders wait 5 s or longer. Claims get half the lease at most.
    #[must_use]
    pub fn store_timeout(mut self, timeout: Duration) -> Self {
        self.store_timeout = timeout;
        self
    }

    /// Runs each handler in a task of its own from the start.
    ///
    /// By default, a handler runs in the task of its connection, and moves to a task of its own when its sender hangs up. It then loses
    /// what the layers around the receiver set for the connection's task: task-locals (`tokio::task_local!`), and what such a layer
    /// keeps for as long as it polls. With this setting no handler sees those task-locals, so that it behaves the same whether its sender
    /// waits or not. It costs a task and two turns of the scheduler for each delivery. The current `tracing` span stays in either case.
    ///
    /// For the adapters: [`Receiver::handle`] runs the handler where it is awaited.
    #[must_use]
    pub fn spawn_handlers(mut self) -> Self {
        self.spawn_handlers = true;
        self
    }

    /// Counts what is being handled together with other receivers.
    pub(crate) fn running(mut self, running: Running) -> Self {
        self.running = running;
        self
    }

    /// What makes two deliveries the same, instead of the provider's own rules. See [`KeyRule`] for what is asked of them.
    #[must_use]
    pub fn dedupe_by(mut self, rules: &'static [KeyRule]) -> Self {
        self.rules = Some(rules);
        self
    }

    /// Refuses the weaker form of a provider that also signs a timestamp (Recharge, RevKeen).
    #[must_use]
    pub fn require_timestamp(mut self) -> Self {
        self.verifier = self.verifier.require_timestamp();
        self
    }

    /// How far a signed timestamp may be from now, in place of the provider's own tolerance. See
    /// [`VerifierBuilder::tolerance`]. The [`retention`](Self::retention) follows a wider one by itself; a shorter retention that was
    /// set is a [`ConfigError`].
    #[must_use]
    pub fn tolerance(mut self, tolerance: Tolerance) -> Self {
        self.verifier = self.verifier.tolerance(tolerance);
        self
    }

    /// The kind of every delivery at this endpoint, for a provider that does not sign it: with one endpoint a kind,
    /// nothing unsigned is left in the dedupe key.
    ///
    /// Few providers sign the path. Where several endpoints have one secret, whoever captured a delivery can present it at each of them, and
    /// have it handled there once as that endpoint's kind: give each a secret of its own where the provider lets you.
    #[must_use]
    pub fn kind(mut self, kind: impl Into<String>) -> Self {
        self.verifier = self.verifier.kind(kind);
        self
    }

    /// The verify token, for a provider that shows it when it asks whether the endpoint is yours. See
    /// [`VerifierBuilder::verify_token`].
    #[must_use]
    pub fn verify_token(mut self, token: Secret) -> Self {
        self.verifier = self.verifier.verify_token(token);
        self
    }

    /// The URL that the provider was given, for one that signs it. See [`VerifierBuilder::public_url`].
    #[must_use]
    pub fn public_url(mut self, url: impl Into<Cow<'static, str>>) -> Self {
        self.verifier = self.verifier.public_url(url);
        self
    }

    /// The method that the provider uses, for one that signs it. See [`VerifierBuilder::method`].
    #[must_use]
    pub fn method(mut self, method: impl Into<Cow<'static, str>>) -> Self {
        self.verifier = self.verifier.method(method);
        self
    }

    /// The largest body that is taken, in bytes. By default the largest that the provider documents, or 1 MiB.
    #[must_use]
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.verifier = self.verifier.body_limit(bytes);
        self
    }

    /// How many bytes of bodies are held at once, until they are judged. See [`VerifierBuilder::body_budget`].
    #[must_use]
    pub fn body_budget(mut self, bytes: usize) -> Self {
        self.verifier = self.verifier.body_budget(bytes);
        self
    }

    /// Draws bodies on a budget together with other receivers.
    pub(crate) fn share_budget(mut self, budget: Budget) -> Self {
        self.verifier = self.verifier.share_budget(budget);
        self
    }

    /// How long a whole body may take to arrive. 10 s unless told otherwise.
    #[must_use]
    pub fn read_timeout(mut self, timeout: Duration) -> Self {
        self.verifier = self.verifier.read_timeout(timeout);
        self
    }

    /// A clock for the adapters to use instead of the system's; for tests.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.verifier = self.verifier.clock(clock);
        self
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// [`ConfigError`]: no store, a lease or retention out of range, dedupe keys that are not safe, or what
    /// [`VerifierBuilder::build`] finds.
    pub fn build(self) -> Result<Receiver<P>, ConfigError> {
        let receiver = self.make()?;
        let Shared { store, verifier, endpoint, .. } = &*receiver.shared;
        let provider = verifier.description().name();
        if store.in_process().is_some_and(|store| store.is_second(provider, endpoint)) {
            tracing::warn!(
                provider,
                endpoint,
                "there is another memory store for this provider and endpoint, so a copy of a delivery can be handled once by each: make one \
                 store a process (under actix-web, outside of HttpServer::new), and give an Arc of it to each receiver"
            );
        }
        Ok(receiver)
    }

    /// A receiver that may never be used.
    pub(crate) fn make(self) -> Result<Receiver<P>, ConfigError> {
        let tolerance = self.verifier.tolerance;
        let verifier = self.verifier.build()?;
        let description = verifier.description();
        let store = self.store.ok_or(ConfigError::NoStore)?;
        if self.lease < Duration::from_millis(100) || self.lease > Duration::from_secs(24 * 60 * 60) {
            return Err(out_of_range("lease", "between 100 ms and 24 h"));
        }
        if self.store_timeout < Duration::from_millis(10) || self.store_timeout > Duration::from_secs(60) {
            return Err(out_of_range("store_timeout", "between 10 ms and 60 s"));
        }
        let retention = self.retention.unwrap_or_else(|| default_retention(description, tolerance));
        if retention.is_zero() || retention < replay_window(description, tolerance) {
            return Err(out_of_range(
                "retention",
                "at least the tolerance behind and ahead together, and one second, or replays would get through",
            ));
        }
        if let Some(problem) = self.rules.and_then(|rules| KeyRule::flaw_of_all(rules, &verifier.known())) {
            return Err(out_of_range("dedupe_by", problem));
        }
        metrics::describe();
        let shared = Shared {
            store,
            endpoint: self.endpoint,
            rules: self.rules.map_or_else(|| description.keys.clone(), Cow::Borrowed),
            lease: self.lease,
            retention,
            store_timeout: self.store_timeout,
            tokens: RandomState::new(),
            admissions: AtomicU64::new(0),
            running: self.running,
            spawn_handlers: self.spawn_handlers,
            verifier,
        };
        Ok(Receiver { shared: Arc::new(shared) })
    }
}

/// The least that is remembered of a provider whose signature never grows old.
const UNTIMED: Duration = Duration::from_secs(72 * 60 * 60);

fn default_retention(description: &Description, tolerance: Option<Tolerance>) -> Duration {
    // Whoever can play a token again can make deliveries of their own: there, retries alone count.
    let is_untimed = |scheme: &Scheme| !scheme.signs_timestamp() && !scheme.algorithm().shows_secret();
    let least = if description.schemes().iter().any(is_untimed) { UNTIMED } else { Duration::ZERO };
    description.retries.retention().max(replay_window(description, tolerance)).max(least)
}

/// For how long one delivery can be played again, under the tolerance that is configured or else the provider's own: its timestamp may be
/// the tolerance ahead, and then is good until the second is over in which it is the tolerance behind.
pub(crate) fn replay_window(description: &Description, tolerance: Option<Tolerance>) -> Duration {
    let signed = description.schemes().iter().filter(|scheme| scheme.signs_timestamp());
    signed.map(|scheme| tolerance.unwrap_or(scheme.max_age()).window()).max().unwrap_or_default()
}

impl<P: Provider> fmt::Debug for ReceiverBuilder<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceiverBuilder")
            .field("verifier", &self.verifier)
            .field("endpoint", &self.endpoint)
            .field("lease", &self.lease)
            .field("retention", &self.retention)
            .field("store_timeout", &self.store_timeout)
            .finish_non_exhaustive()
    }
}
