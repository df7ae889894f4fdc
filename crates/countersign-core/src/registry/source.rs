//! `SecretSource`: where the secrets of a provider's tenant are looked up.

use std::{collections::HashMap, fmt, future::ready, sync::Arc};

use super::SecretError;
use crate::{dedupe::BoxFuture, secret::Secrets};

/// What a secret source said: the secrets that are live, or `None` where it knows no such tenant.
pub(super) type Said = Result<Option<Secrets>, SecretError>;

/// Where a [`Registry`](crate::Registry) looks up secrets: your own secret store.
///
/// Asked when a tenant is first seen, and again as the registry's [`refresh`](crate::RegistryBuilder::refresh) has it. Both names
/// come from the request: use them as values, never as parts of a query's or a path's text.
///
/// A function of both names is one:
///
/// ```
/// use countersign_core::{Registry, Secret, SecretError, Secrets};
///
/// async fn secret_of(provider: String, tenant: String) -> Result<Option<Secrets>, SecretError> {
///     let found = read_row(&provider, &tenant).await.map_err(SecretError::unavailable)?;
///     Ok(found.map(Secret::new).transpose()?.map(Secrets::from))
/// }
///
/// # async fn read_row(_: &str, _: &str) -> Result<Option<String>, std::io::Error> { Ok(None) }
/// let registry = Registry::builder(secret_of).built_in();
/// ```
pub trait SecretSource: Send + Sync + 'static {
    /// The secrets that are live for this tenant of the provider; `None` where there is no such tenant. A route without tenants asks
    /// for the tenant of the empty name.
    ///
    /// # Errors
    /// [`SecretError::Unavailable`] when the source could not be asked: what it said before serves on for a while.
    /// [`SecretError::Malformed`] when what it holds cannot be a secret.
    fn look_up<'s>(
        &'s self,
        provider: &'s str,
        tenant: &'s str,
    ) -> BoxFuture<'s, Result<Option<Secrets>, SecretError>>;
}

impl<S: SecretSource + ?Sized> SecretSource for Arc<S> {
    fn look_up<'s>(&'s self, provider: &'s str, tenant: &'s str) -> BoxFuture<'s, Said> {
        (**self).look_up(provider, tenant)
    }
}

impl<F, R> SecretSource for F
where
    F: Fn(String, String) -> R + Send + Sync + 'static,
    R: Future<Output = Said> + Send + 'static,
{
    fn look_up<'s>(&'s self, provider: &'s str, tenant: &'s str) -> BoxFuture<'s, Said> {
        Box::pin(self(provider.to_owned(), tenant.to_owned()))
    }
}

/// Secrets that are known beforehand, for tools and for tests.
///
/// ```
/// use countersign_core::{FixedSecrets, Secret};
///
/// let secrets = FixedSecrets::new()
///     .with("retake", "acme", Secret::new("acme's secret")?)
///     .with("retake", "initech", Secret::new("initech's secret")?);
/// # Ok::<(), countersign_core::ConfigError>(())
/// ```
#[derive(Clone, Default)]
pub struct FixedSecrets(HashMap<String, HashMap<String, Secrets>>);

impl FixedSecrets {
    /// No secret yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// With the secrets of this tenant of the provider, in place of any before. The tenant of a route without tenants has the
    /// empty name.
    #[must_use]
    pub fn with(
        mut self,
        provider: impl Into<String>,
        tenant: impl Into<String>,
        secrets: impl Into<Secrets>,
    ) -> Self {
        self.0.entry(provider.into()).or_default().insert(tenant.into(), secrets.into());
        self
    }
}

impl SecretSource for FixedSecrets {
    fn look_up<'s>(&'s self, provider: &'s str, tenant: &'s str) -> BoxFuture<'s, Said> {
        let found = self.0.get(provider).and_then(|tenants| tenants.get(tenant));
        Box::pin(ready(Ok(found.cloned())))
    }
}

/// Whose secrets there are.
impl fmt::Debug for FixedSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenants = |of: &HashMap<String, Secrets>| of.keys().cloned().collect::<Vec<_>>();
        f.debug_map().entries(self.0.iter().map(|(provider, of)| (provider, tenants(of)))).finish()
    }
}
