//! `Session`: one connection at a time, and statements that end by a deadline whatever happens to it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use countersign_core::StoreError;
use sqlx::{AssertSqlSafe, Connection, PgPool, Postgres, pool::PoolConnection, postgres::PgRow};
use tokio::time::timeout;

/// A connection that was idle for longer is asked for a sign of life before it is trusted with a statement.
const TRUSTED: Duration = Duration::from_secs(1);

/// Where connections come from, and how they are used.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) pool: PgPool,
    /// How long a statement may take, and what comes before it.
    pub(super) timeout: Duration,
    /// Whether the pool is somebody else's, who wants back what is not used.
    pub(super) shared: bool,
    /// The `synchronous_commit` that was found at the start, and that each statement is committed by: sessions may have another
    /// one, of a pool's own making or left behind in a pooler's connection.
    pub(super) synchronous_commit: String,
}

/// Runs statements one after the other.
pub(super) struct Session {
    pub(super) source: Source,
    kept: Option<(Held, Instant)>,
}

impl Session {
    pub(super) fn new(source: Source) -> Self {
        Self { source, kept: None }
    }

    /// The rows of a text of statements, by the simple protocol: no statement is prepared, so that nothing depends on
    /// which of a pooler's connections it runs on. They are one transaction, of the isolation that they are made for, whatever
    /// the role's default is; and where this side gives up on it, the server does as well.
    ///
    /// When it fails, it is run a second time on a new connection: it must be safe to run twice.
    pub(super) async fn run(&mut self, statements: &str) -> Result<Vec<PgRow>, Failure> {
        let limit = self.source.timeout;
        let millis = limit.as_millis();
        let settings = format!(
            "SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE; SET LOCAL statement_timeout = {millis}; \
             SET LOCAL synchronous_commit = {};",
            self.source.synchronous_commit
        );
        let statements = Arc::<str>::from(settings + statements);
        let twice = async {
            match self.attempt(&statements).await {
                Err(_) => self.attempt(&statements).await,
                rows => rows,
            }
        };
        timeout(limit, twice).await.map_err(|_| Failure::TimedOut)?.map_err(Failure::from)
    }

    async fn attempt(&mut self, statements: &Arc<str>) -> Result<Vec<PgRow>, sqlx::Error> {
        let mut held = self.connection().await?;
        let rows = sqlx::raw_sql(AssertSqlSafe(Arc::clone(statements))).fetch_all(held.get()?).await?;
        self.kept = Some((held, Instant::now()));
        Ok(rows)
    }

    async fn connection(&mut self) -> Result<Held, sqlx::Error> {
        if let Some((mut held, used)) = self.kept.take() {
            let patience = self.source.timeout.checked_div(4).unwrap_or_default();
            if used.elapsed() < TRUSTED || held.lives(patience).await {
                return Ok(held);
            }
        }
        Ok(Held(Some(self.source.pool.acquire().await?)))
    }

    /// Gives the connection back, or closes it where nobody else uses the pool: no connection lies idle there, to fail
    /// whoever takes it next.
    pub(super) async fn rest(&mut self) {
        if let Some((mut held, _)) = self.kept.take()
            && self.source.shared
            && held.lives(self.source.timeout).await
        {
            drop(held.0.take());
        }
    }
}

/// A connection that is closed when it is dropped: a statement may be under way on it, and a pool would wait for its end.
struct Held(Option<PoolConnection<Postgres>>);

impl Held {
    fn get(&mut self) -> Result<&mut sqlx::PgConnection, sqlx::Error> {
        self.0.as_deref_mut().ok_or(sqlx::Error::WorkerCrashed)
    }

    async fn lives(&mut self, patience: Duration) -> bool {
        match self.get() {
            Ok(connection) => matches!(timeout(patience, connection.ping()).await, Ok(Ok(()))),
            Err(_) => false,
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        drop(self.0.take().map(PoolConnection::detach));
    }
}

/// Why a statement has no answer; for each of those who share it.
#[derive(Clone, Debug)]
pub(super) enum Failure {
    TimedOut,
    Client(Arc<sqlx::Error>),
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        /// The server's own time-out, `statement_timeout`.
        const QUERY_CANCELED: &str = "57014";
        match &error {
            sqlx::Error::PoolTimedOut => Self::TimedOut,
            sqlx::Error::Database(answer) if answer.code().as_deref() == Some(QUERY_CANCELED) => {
                Self::TimedOut
            }
            _ => Self::Client(Arc::new(error)),
        }
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::TimedOut => Self::TimedOut,
            Failure::Client(error) => Self::unavailable(error),
        }
    }
}
