//! `PostgresStoreBuilder`: a store's settings.

use std::{fmt, str::FromStr, time::Duration};

use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::time::timeout;

use super::{PostgresStore, session::Source, set_up};
use crate::SetUpError;

/// How long it may take to connect and to make the tables.
const SET_UP: Duration = Duration::from_secs(30);

/// A [`PostgresStore`]'s settings.
#[must_use]
pub struct PostgresStoreBuilder {
    server: Server,
    schema: String,
    timeout: Duration,
    connections: u32,
    may_lose_claims: bool,
}

enum Server {
    Url(String),
    Pool(PgPool),
}

impl PostgresStoreBuilder {
    pub(super) fn of_url(url: &str) -> Self {
        Self::of(Server::Url(url.to_owned()))
    }

    pub(super) fn of_pool(pool: PgPool) -> Self {
        Self::of(Server::Pool(pool))
    }

    fn of(server: Server) -> Self {
        let schema = "public".to_owned();
        Self { server, schema, timeout: Duration::from_secs(1), connections: 4, may_lose_claims: false }
    }

    /// The schema that the tables are in, and are made in: `public` if not set. Lower-case letters, digits and `_`.
    pub fn schema(mut self, name: impl Into<String>) -> Self {
        self.schema = name.into();
        self
    }

    /// How long each call may take, waiting for its turn and for a connection included: 1 s if not set.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = limit;
        self
    }

    /// How many connections the calls share: 4 if not set, half of them for claims and half for what follows. One more sweeps now
    /// and then.
    ///
    /// Calls share statements, so that few connections serve many callers.
    pub fn connections(mut self, count: u32) -> Self {
        self.connections = count;
        self
    }

    /// Puts up with a server whose settings lose committed claims when it crashes. What was handled is then handled a
    /// second time.
    pub fn dangerously_allow_lost_claims(mut self) -> Self {
        self.may_lose_claims = true;
        self
    }

    /// Connects, makes the tables that are missing, and looks at the server's settings.
    ///
    /// Must be called on the tokio runtime that the store is to work on.
    ///
    /// # Errors
    /// [`SetUpError::OutOfRange`] for a setting of the store's own; [`SetUpError::Url`]; [`SetUpError::Connect`] when the server
    /// cannot be reached, refuses the role, or the role may not make the tables; [`SetUpError::LosesClaims`];
    /// [`SetUpError::Standby`]; [`SetUpError::Newer`].
    pub async fn connect(self) -> Result<PostgresStore, SetUpError> {
        let out_of_range = |setting, allowed| Err(SetUpError::OutOfRange { setting, allowed });
        if !is_identifier(&self.schema) {
            return out_of_range(
                "schema",
                "1 to 63 lower-case letters, digits or _, and begin with none of the digits",
            );
        }
        if self.timeout < Duration::from_millis(1) || self.timeout > Duration::from_secs(3600) {
            return out_of_range("timeout", "between a millisecond and an hour");
        }
        if !(2..=64).contains(&self.connections) {
            return out_of_range("connections", "between 2 and 64");
        }
        let (pool, shared) = match self.server {
            Server::Url(url) => (own_pool(&url, self.connections, self.timeout)?, false),
            Server::Pool(pool) => (pool, true),
        };
        let set_up = set_up::run(&pool, &self.schema, self.may_lose_claims);
        let late = |_| SetUpError::Connect { source: "the server did not answer in time".into() };
        let synchronous_commit = timeout(SET_UP, set_up).await.map_err(late)??;
        let source = Source { pool, timeout: self.timeout, shared, synchronous_commit };
        Ok(PostgresStore::start(self.schema, source, self.connections))
    }
}

fn own_pool(url: &str, connections: u32, timeout: Duration) -> Result<PgPool, SetUpError> {
    // The client takes any scheme, and so the user's name where there is none, and connects to the local machine.
    if !["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) {
        return Err(SetUpError::Url { source: "it must begin with postgres:// or postgresql://".into() });
    }
    let options =
        PgConnectOptions::from_str(url).map_err(|error| SetUpError::Url { source: error.into() })?;
    let options = match options.get_application_name() {
        Some(_) => options,
        None => options.application_name("countersign"),
    };
    // A pooler refuses a start-up packet with settings that it does not know.
    let options = sqlx::ConnectOptions::disable_statement_logging(options.extra_float_digits(None));
    let pool = PgPoolOptions::new().max_connections(connections.saturating_add(1)).acquire_timeout(timeout);
    Ok(pool.connect_lazy_with(options))
}

fn is_identifier(name: &str) -> bool {
    let of_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    name.len() <= 63
        && name.bytes().all(of_name)
        && name.bytes().next().is_some_and(|first| !first.is_ascii_digit())
}

impl fmt::Debug for PostgresStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStoreBuilder")
            .field("schema", &self.schema)
            .field("timeout", &self.timeout)
            .field("connections", &self.connections)
            .finish_non_exhaustive()
    }
}
