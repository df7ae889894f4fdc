//! `SetUpError`: what is wrong with a store before its first claim, and what to change.

use std::{error::Error, path::PathBuf};

/// A store that could not be set up.
///
/// Never holds a password: of a URL it names the host at the most.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetUpError {
    /// Another process, or another store of this one, has the file open.
    #[error("{} is in use: a file belongs to one store of one process; share that store, or give each its own file", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be opened, or is not a store's.
    #[error("{} cannot be opened as a store", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The URL cannot be read.
    #[error("the URL of the store cannot be read")]
    Url {
        /// What is wrong with it.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The server cannot be reached, or refused what the set-up asks of it.
    #[error("the store's server cannot be used")]
    Connect {
        /// What the client said.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The server's own settings would break the promise that nothing committed is forgotten.
    #[error("the server would lose claims: {setting} is {found}; {remedy}")]
    LosesClaims {
        /// The server's setting.
        setting: &'static str,
        /// Its value.
        found: String,
        /// What to change.
        remedy: &'static str,
    },
    /// The server is a standby, which takes no claims.
    #[error("the server is a standby, which takes no claims: connect to the primary")]
    Standby,
    /// What the store keeps was written by a newer version of this crate.
    #[error("the store's data has version {found}, and this crate knows {known}: use a newer one")]
    Newer {
        /// The version found.
        found: u64,
        /// The newest that is known.
        known: u64,
    },
    /// A setting that makes no sense.
    #[error("{setting} must be {allowed}")]
    OutOfRange {
        /// The setting.
        setting: &'static str,
        /// What it may be.
        allowed: &'static str,
    },
}
