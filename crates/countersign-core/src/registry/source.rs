//! `SecretSource`: where the secrets of a provider's tenant are looked up.

use std::{collections::HashMap, fmt, future::ready, sync::Arc};

use super::SecretError;
use crate::{dedupe::BoxFuture, secret::Secrets};

/// What a secret source said: the tenant with its secrets, or `None` where it knows no such tenant.
pub(super) type Said = Result<Option<TenantSecrets>, SecretError>;

/// A tenant as the secret source has it: its canonical name, and the secrets that are live.
///
/// The name is the one in the source's own storage, never the one that the source was asked for. A request
/// that spells the name in another way is a 404. So a source that ignores case or blanks does not make
/// several endpoints, each with its own dedupe keys, of one tenant.
///
/// **Tenants of equal secrets are not kept apart by them.** Some providers sign by one secret for a whole app (Shopify, Slack, Meta), and few
/// sign the path. Whoever captured a delivery of one tenant can then present it as one of each other tenant with that secret. There, compare the
/// tenant with what the signed body says of it (Slack's `team_id`), or serve them as one tenant.
///
/// A tenant that is renamed becomes another endpoint. The old name serves until its next look-up, at most for
/// the [`refresh`](crate::RegistryBuilder::refresh). A delivery that was handled under the old name can be
/// handled again under the new one. Where tenants are renamed, use an id that stays.
#[derive(Clone, Debug)]
pub struct TenantSecrets {
    pub(super) tenant: String,
    pub(super) secrets: Secrets,
}

impl TenantSecrets {
    /// The tenant of this canonical name, with its secrets. The tenant of a route without tenants has the
    /// empty name.
    pub fn new(tenant: impl Into<String>, secrets: impl Into<Secrets>) -> Self {
        Self { tenant: tenant.into(), secrets: secrets.into() }
    }

    /// The tenant's canonical name.
    pub fn tenant(&self) -> &str {
        &self.tenant
    }

    /// The secrets that are live.
    pub fn secrets(&self) -> &Secrets {
        &self.secrets
    }
}

/// Where a [`Registry`](crate::Registry) looks up secrets: your own secret store.
///
/// Asked when a tenant is first seen, and again as the registry's [`refresh`](crate::RegistryBuilder::refresh) has it. Both names
/// come from the request: use them as values, never as parts of a query's or a path's text.
///
/// **Return the name as your table has it, not the one that you were asked for.** Many tables compare text
/// leniently: they ignore case, blanks at the end, or accents. The registry refuses a request whose spelling
/// is not the returned name, byte for byte. If you return the name that you were asked for, each spelling
/// becomes an endpoint of its own, and one delivery can be handled once for each.
///
/// A function of both names is one:
///
/// ```
/// use countersign_core::{Registry, Secret, SecretError, TenantSecrets};
///
/// async fn secret_of(provider: String, tenant: String) -> Result<Option<TenantSecrets>, SecretError> {
///     // SELECT tenant, secret FROM webhook_secrets WHERE provider = $1 AND tenant = $2
///     let Some(row) = read_row(&provider, &tenant).await.map_err(SecretError::unavailable)? else {
///         return Ok(None);
///     };
///     Ok(Some(TenantSecrets::new(row.tenant, Secret::new(row.secret)?)))
/// }
///
/// # struct Row { tenant: String, secret: String }
/// # async fn read_row(_: &str, _: &str) -> Result<Option<Row>, std::io::Error> { Ok(None) }
/// let registry = Registry::builder(secret_of).built_in();
/// ```
///
/// # Names that the source has never seen
///
/// A name that the source refused is refused again without a look-up, for the length of the
/// [`look_up_floor`](crate::RegistryBuilder::look_up_floor). At most 1024 such names are remembered for each provider. A sender who makes up a
/// new name for each request causes one look-up for each request: nothing tells such a name from a new
/// tenant's until the source was asked. Limit the rate of requests in front of the registry, or answer from a
/// list of all tenants in memory.
pub trait SecretSource: Send + Sync + 'static {
    /// The tenant of the provider, by its canonical name, with the secrets that are live; `None` where there
    /// is no such tenant. A route without tenants asks for the tenant of the empty name.
    ///
    /// # Errors
    /// [`SecretError::Unavailable`] when the source could not be asked: what it said before serves on for a while.
    /// [`SecretError::Malformed`] when what it holds cannot be a secret.
    fn look_up<'s>(
        &'s self,
        provider: &'s str,
        tenant: &'s str,
    ) -> BoxFuture<'s, Result<Option<TenantSecrets>, SecretError>>;
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

/// Secrets that are known beforehand, for tools and for tests. Names are compared byte for byte.
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
        let found = self.0.get(provider).and_then(|tenants| tenants.get_key_value(tenant));
        Box::pin(ready(Ok(found.map(|(tenant, secrets)| TenantSecrets::new(tenant, secrets)))))
    }
}

/// Whose secrets there are.
impl fmt::Debug for FixedSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenants = |of: &HashMap<String, Secrets>| of.keys().cloned().collect::<Vec<_>>();
        f.debug_map().entries(self.0.iter().map(|(provider, of)| (provider, tenants(of)))).finish()
    }
}
