//! `Registry`: receivers by the names of providers and tenants, chosen at run time.

mod builder;
mod error;
mod flight;
mod found;
mod search;
mod settings;
mod source;
mod tenants;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

pub use self::{
    builder::RegistryBuilder,
    error::{LookUpError, SecretError},
    found::Found,
    settings::Settings,
    source::{FixedSecrets, SecretSource, TenantSecrets},
};
use self::{
    search::Search,
    tenants::{Tenants, Times},
};
use crate::{
    dedupe::Store,
    error::VerifyErrorKind,
    event::Json,
    provider::{Custom, Described, Description, Provider},
    receiver::{Answer, Outcome, Running, Runtime},
    time::Clock,
    verifier::Budget,
};

/// The longest name of a tenant, in bytes.
const MAX_TENANT: usize = 256;

/// What no tenant's name holds: NUL, which no database keeps in text, and the character that stands where
/// bytes were no UTF-8.
const NOBODYS: [char; 2] = ['\0', char::REPLACEMENT_CHARACTER];

/// Finds the receiver of a request by the names of its provider and its tenant: one route for many of both.
///
/// Providers are registered by their types or by their [`Description`]s; secrets are looked up in a [`SecretSource`] and kept for a
/// while, with the key states that they make, so that a rotation there is picked up without a restart. A tenant's name is the
/// [`endpoint`](crate::ReceiverBuilder::endpoint) of its receiver: tenants share a store and never a dedupe key.
///
/// Cheap to clone, and meant to be shared. Deliveries are [`Delivery<Custom>`](crate::Delivery); [`Delivery::of`](crate::Delivery::of)
/// types them.
///
/// ```
/// # use std::time::Duration;
/// # use countersign_core::{Clock, Signer, dedupe::MemoryStore};
/// use countersign_core::{FixedSecrets, Registry, Secret, Timestamp, provider::Retake};
/// # struct Fixed;
/// # impl Clock for Fixed {
/// #     fn now(&self) -> Timestamp { Timestamp::from_unix_seconds(0) }
/// #     fn elapsed(&self) -> Duration { Duration::ZERO }
/// # }
/// # fn block_on<T>(future: impl Future<Output = T>) -> T {
/// #     let mut context = std::task::Context::from_waker(std::task::Waker::noop());
/// #     match std::pin::pin!(future).poll(&mut context) { std::task::Poll::Ready(t) => t, _ => panic!() }
/// # }
/// # let (secret, now) = (Secret::new("acme's secret")?, Timestamp::from_unix_seconds(0));
/// # let body = r#"{"event":"trial.expired","data":{"userId":"user_456"}}"#;
/// # let headers = Signer::<Retake>::new(&secret).sign(body, now)?;
/// # let sleep = |_| std::future::pending();
/// # let store = MemoryStore::with_clock(100, Fixed);
/// let secrets = FixedSecrets::new().with("retake", "acme", secret);
/// let registry = Registry::builder(secrets).built_in().store(store).build()?;
/// # block_on(async {
/// let found = registry.find("retake", "acme", sleep).await?;
/// let answer = found
///     .handle(&headers, body, now, sleep, async |webhook| {
///         if let Some(delivery) = webhook.delivery.of::<Retake>() {
///             println!("{:?}", delivery.event());
///         }
///         Ok::<(), std::io::Error>(())
///     })
///     .await;
/// assert_eq!(answer.status(), 200);
/// assert!(registry.find("retake", "initech", sleep).await.is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Registry {
    shared: Arc<Shared>,
}

struct Shared {
    providers: BTreeMap<Box<str>, Arc<Listed>>,
    source: Box<dyn SecretSource>,
    times: Times,
    look_up_timeout: Duration,
    common: Common,
}

/// What all receivers share.
struct Common {
    store: Arc<dyn Store>,
    lease: Duration,
    store_timeout: Duration,
    clock: Option<Arc<dyn Clock>>,
    running: Running,
    spawn_handlers: bool,
    budget: Budget,
}

/// A registered provider.
struct Listed {
    described: Described,
    settings: Settings,
    tenants: Tenants,
}

impl Registry {
    /// A registry to be set up, of no provider yet, that looks up secrets there.
    pub fn builder(secrets: impl SecretSource) -> RegistryBuilder {
        RegistryBuilder::new(Box::new(secrets))
    }

    /// The receiver of this tenant's deliveries of the provider. Where a route has no tenants, the tenant's name is empty.
    ///
    /// `runtime` ends a look-up that takes too long. Its clock says how old a look-up is, unless the registry was given one; where
    /// neither tells the time, as with a function that waits, each request looks up.
    ///
    /// # Errors
    /// [`LookUpError`]; [`Answer::no_receiver`] is what to tell the sender.
    pub async fn find(
        &self,
        provider: &str,
        tenant: &str,
        runtime: impl Runtime,
    ) -> Result<Found, LookUpError> {
        let listed = self.shared.providers.get(provider).ok_or(LookUpError::UnknownProvider)?;
        if tenant.len() > MAX_TENANT || tenant.contains(NOBODYS) {
            return Err(LookUpError::UnknownTenant);
        }
        let search = Search::new(self.clone(), Arc::clone(listed), tenant, runtime);
        let receiver = search.seek(None).await?;
        Ok(Found::new(receiver, Arc::new(search)))
    }

    /// Waits until no delivery of any tenant is being handled any more, as [`Receiver::drain`](crate::Receiver::drain) does.
    pub async fn drain(&self, timeout: Duration, runtime: impl Runtime) -> usize {
        let left = self.shared.common.running.drain(timeout, &runtime).await;
        if left > 0 {
            tracing::warn!(left, "drained: some deliveries were not settled");
        }
        left
    }

    /// How many bytes of bodies are held now, of all tenants: see [`Verifier::bodies_held`](crate::Verifier::bodies_held).
    pub fn bodies_held(&self) -> usize {
        self.shared.common.budget.held()
    }

    /// The names of the providers, in their order.
    pub fn providers(&self) -> impl Iterator<Item = &str> {
        self.shared.providers.keys().map(|name| &**name)
    }

    /// How a provider of this name is described.
    pub fn description(&self, provider: &str) -> Option<&Description> {
        self.shared.providers.get(provider).map(|listed| &*listed.described)
    }

    /// Says what became of a request that no receiver was found for: see [`Answer::log`]. What it names is logged where that is known:
    /// a provider that is registered, a tenant for which there are secrets.
    pub fn log(&self, answer: &Answer, (provider, tenant): (&str, &str), duration: Option<Duration>) {
        let description = self.description(provider).unwrap_or(Custom::<Json>::DESCRIPTION);
        let has_secrets = answer.outcome() == Outcome::Refused(VerifyErrorKind::NotSetUp);
        answer.log::<Custom>(description, if has_secrets { tenant } else { "" }, None, duration);
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("providers", &self.shared.providers.keys())
            .field("times", &self.shared.times)
            .field("look_up_timeout", &self.shared.look_up_timeout)
            .finish_non_exhaustive()
    }
}
