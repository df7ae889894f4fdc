//! `SecretError`, of a secret source, and `LookUpError`, of a registry.

use std::sync::Arc;

use thiserror::Error;

use crate::error::{Chain, ConfigError};

/// Why a [`SecretSource`](super::SecretSource) could not say what the secrets are.
///
/// Its text goes into the log: what your secret store's client says is yours, and must not hold a secret.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SecretError {
    /// What the source holds cannot be a secret, so that there is something to mend.
    #[error(transparent)]
    Malformed(#[from] ConfigError),
    /// The source could not be reached, or failed.
    #[error("the secret source is unavailable")]
    Unavailable {
        /// What its client said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl SecretError {
    /// Wraps what a secret store's client said.
    pub fn unavailable(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Unavailable { source: source.into() }
    }
}

/// Why a registry has no receiver for a request. For the log, never for the sender: see [`Answer::no_receiver`].
///
/// Holds nothing of the request.
///
/// [`Answer::no_receiver`]: crate::Answer::no_receiver
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LookUpError {
    /// No provider of that name is registered.
    #[error("no provider of that name is registered")]
    UnknownProvider,
    /// The secret source knows no such tenant of the provider.
    #[error("the secret source knows no such tenant")]
    UnknownTenant,
    /// The secret source knows the tenant by another spelling of its name: see
    /// [`TenantSecrets`](super::TenantSecrets).
    #[error("the secret source spells the tenant's name differently: the request must use that spelling")]
    OtherSpelling,
    /// The secret source failed, and nothing that it said before is recent enough.
    #[error("the secrets could not be looked up: {reason}")]
    Failed {
        /// What the source said.
        reason: Arc<str>,
    },
    /// The secret source did not answer in time, and nothing that it said before is recent enough.
    #[error("the secrets could not be looked up in time")]
    TimedOut,
    /// A signature is wrong, and too many deliveries of the tenant wait already for its secrets to be looked
    /// up again.
    #[error("too many deliveries wait for the tenant's secrets to be looked up again")]
    Busy,
    /// The secrets are there, and no receiver can be made of them.
    #[error("the receiver cannot be set up: {error}")]
    NotSetUp {
        /// What to change.
        error: ConfigError,
    },
}

impl From<SecretError> for LookUpError {
    fn from(error: SecretError) -> Self {
        match error {
            SecretError::Malformed(error) => Self::NotSetUp { error },
            SecretError::Unavailable { .. } => Self::Failed { reason: Chain(&error).to_string().into() },
        }
    }
}
