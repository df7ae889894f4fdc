//! `PostgresStore`.

use std::{fmt, future::Future, slice::from_ref, time::Duration};

use countersign_core::{
    StoreError,
    dedupe::{Claim, Key, Store, StoreFuture, Token},
};
use sqlx::{AssertSqlSafe, Connection, PgPool, PgTransaction};
use tokio::{task::JoinSet, time::timeout};

use super::{
    builder::PostgresStoreBuilder,
    lane::Lane,
    session::{Failure, Session, Source},
    statement::{self, Call, Found, Part},
    sweep::Sweep,
};
use crate::SetUpError;

/// When to ask again for a key that another transaction is about to change: most are done at once.
const BRIEF: Duration = Duration::from_millis(100);

/// Claims in a table of Postgres, for receivers of many processes. See [the module](super).
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
///
/// use countersign_core::dedupe::{Claim, Key, Store, Token};
/// use countersign_stores::postgres::PostgresStore;
///
/// let store = PostgresStore::connect("postgres://app@localhost/app?sslmode=verify-full").await?;
/// let (key, token) = (Key::new("retake", "", ["some id"]), Token::new(1.try_into()?));
/// assert_eq!(store.claim(&key, token, Duration::from_secs(30)).await?, Claim::Claimed);
/// store.commit(&key, token, Duration::from_secs(72 * 3600)).await?;
/// # Ok(())
/// # }
/// ```
pub struct PostgresStore {
    schema: String,
    source: Source,
    claims: Vec<Lane>,
    settles: Vec<Lane>,
    /// The lanes' work and the sweep: they end with the store.
    _tasks: JoinSet<()>,
}

impl PostgresStore {
    /// What makes the tables, one text a version, each to be run in the schema that they shall be in.
    ///
    /// The store runs what is missing when it connects. Where its role may not, somebody else runs them before.
    pub const MIGRATIONS: &[&str] = &[include_str!("migrations/1.sql")];

    /// The store of this URL, with its tables made if they are not there.
    ///
    /// Must be called on the tokio runtime that it is to work on.
    ///
    /// # Errors
    /// As [`PostgresStoreBuilder::connect`].
    pub async fn connect(url: &str) -> Result<Self, SetUpError> {
        Self::builder(url).connect().await
    }

    /// Settings for a store of this URL.
    ///
    /// `postgres://user:password@host:port/database?sslmode=verify-full&sslrootcert=ca.pem`, as libpq has it; what it
    /// leaves out comes from `PGHOST`, `PGPASSWORD` and the others of their kind, or from `.pgpass`.
    pub fn builder(url: &str) -> PostgresStoreBuilder {
        PostgresStoreBuilder::of_url(url)
    }

    /// Settings for a store on the connections of a pool of yours.
    ///
    /// It holds up to [`connections`](PostgresStoreBuilder::connections) of them while there is work, and so many must be
    /// left for it by those who hold one while they claim. At the start it makes a connection of its own by the pool's options.
    pub fn with_pool(pool: PgPool) -> PostgresStoreBuilder {
        PostgresStoreBuilder::of_pool(pool)
    }

    pub(super) fn start(schema: String, source: Source, connections: u32) -> Self {
        let mut tasks = JoinSet::new();
        let mut lanes = |count: u32| {
            let lane = |_| {
                let (lane, work) = Lane::new(&schema, Session::new(source.clone()));
                tasks.spawn(work);
                lane
            };
            (0..count.max(1)).map(lane).collect()
        };
        let settles = connections / 2;
        let (claims, settles) = (lanes(connections.saturating_sub(settles)), lanes(settles));
        tasks.spawn(Sweep::new(&schema, source.clone()).run());
        Self { schema, source, claims, settles, _tasks: tasks }
    }

    /// Claims keys for good within a transaction of yours: what it does and the record of it are committed together, or
    /// neither is. So an effect in the same database happens exactly once, whatever crashes when.
    ///
    /// All of the keys are claimed or, unless the answer is [`Claim::Claimed`], none. They are committed for the length of the
    /// retention when the transaction commits, and free again when it does not. It never waits: while another
    /// transaction holds one of the keys, it is [`Claim::InFlight`]. It takes the place of a claim before the
    /// handler and a commit after it; a key that is claimed in the ordinary way is in flight for it as well.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use countersign_core::dedupe::{Claim, Key};
    /// # use countersign_stores::postgres::PostgresStore;
    /// # async fn example(pool: sqlx::PgPool, store: PostgresStore, keys: &[Key]) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut transaction = pool.begin().await?;
    /// if store.claim_in(&mut transaction, keys, Duration::from_secs(72 * 3600)).await? == Claim::Claimed {
    ///     sqlx::query("UPDATE accounts SET paid = paid + 1").execute(&mut *transaction).await?;
    ///     transaction.commit().await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// The transaction must be one of the store's own database. What it makes of `synchronous_commit` counts for the claims
    /// as well. Under `REPEATABLE READ` and `SERIALIZABLE` a key that changed after the transaction began is an error, to be
    /// met by a new transaction.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], also where there is no key; [`StoreError::TimedOut`]. The transaction is of no more use then, nor after a call that was
    /// cancelled: roll it back.
    pub async fn claim_in(
        &self,
        transaction: &mut PgTransaction<'_>,
        keys: &[Key],
        retention: Duration,
    ) -> Result<Claim, StoreError> {
        if keys.is_empty() {
            return Err(StoreError::unavailable("there is no key to claim: nothing would be remembered"));
        }
        let part = |key| Part { key, token: None, call: Call::Claim, length: retention };
        let parts: Vec<_> = distinct(keys).into_iter().map(part).collect();
        let text = statement::claim(&self.schema, parts.iter());
        let claim = async {
            // A savepoint. What is dropped half-way goes back to it before anything else is done in the transaction.
            let mut savepoint = transaction.begin().await?;
            let rows = sqlx::raw_sql(AssertSqlSafe(text)).fetch_all(&mut *savepoint).await?;
            let found: Vec<_> = rows.iter().map(statement::found).collect::<Result<_, _>>()?;
            let refusal = found.into_iter().map(|(_, found)| found).filter(|found| *found != Found::Done);
            // Who has handled it says more than who is about to.
            match refusal.min_by_key(|found| *found != Found::Committed) {
                None => savepoint.commit().await.map(|()| Found::Done),
                Some(refusal) => savepoint.rollback().await.map(|()| refusal),
            }
        };
        let found = timeout(self.source.timeout, claim).await.map_err(|_| StoreError::TimedOut)?;
        claimed(found.map_err(Failure::from)?)
    }

    /// Removes all that has expired, and answers how many keys that were.
    ///
    /// The store does so by itself, little by little. This does not wait in between.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::TimedOut`]; what was removed before stays removed.
    pub async fn purge(&self) -> Result<u64, StoreError> {
        Ok(Sweep::new(&self.schema, self.source.clone()).all().await?)
    }

    /// Has calls of one token done by one statement.
    async fn call(
        &self,
        keys: &[Key],
        token: Token,
        call: Call,
        length: Duration,
    ) -> Result<Found, StoreError> {
        // Claims of one key meet in one lane, and what one token makes of its claims stays in its order.
        let (lanes, place) = match call {
            Call::Claim => (
                &self.claims,
                keys.first().and_then(|key| key.as_bytes().last()).map_or(0, |b| u64::from(*b)),
            ),
            _ => (&self.settles, token.get().get()),
        };
        let place = place.checked_rem(lanes.len() as u64).unwrap_or_default();
        let lane = lanes.get(place as usize).ok_or(StoreError::TimedOut)?;
        let part = |key: &Key| Part { key: *key, token: Some(token), call, length };
        let answer = lane.call(keys.iter().map(part).collect());
        timeout(self.source.timeout, answer).await.map_err(|_| StoreError::TimedOut)?
    }

    async fn settle(
        &self,
        keys: &[Key],
        token: Token,
        call: Call,
        length: Duration,
    ) -> Result<(), StoreError> {
        match self.call(keys, token, call, length).await? {
            Found::Done => Ok(()),
            Found::Busy => Err(busy()),
            _ => Err(StoreError::Fenced),
        }
    }
}

/// Each key once: a statement cannot change a row twice.
fn distinct(keys: &[Key]) -> Vec<Key> {
    let mut keys = keys.to_vec();
    keys.sort_unstable();
    keys.dedup();
    keys
}

fn claimed(found: Found) -> Result<Claim, StoreError> {
    Ok(match found {
        Found::Done => Claim::Claimed,
        Found::Committed => Claim::Committed,
        Found::Held { left, .. } => Claim::InFlight { retry_after: left },
        Found::Busy => Claim::InFlight { retry_after: BRIEF },
        Found::Fenced => return Err(busy()),
    })
}

fn busy() -> StoreError {
    StoreError::unavailable("another transaction is about to change the key")
}

impl Store for PostgresStore {
    fn claim<'s>(&'s self, key: &'s Key, token: Token, lease: Duration) -> StoreFuture<'s, Claim> {
        boxed(async move { claimed(self.call(from_ref(key), token, Call::Claim, lease).await?) })
    }

    fn renew<'s>(&'s self, key: &'s Key, token: Token, lease: Duration) -> StoreFuture<'s, ()> {
        boxed(self.settle(from_ref(key), token, Call::Renew, lease))
    }

    fn commit<'s>(&'s self, key: &'s Key, token: Token, retention: Duration) -> StoreFuture<'s, ()> {
        boxed(self.settle(from_ref(key), token, Call::Commit, retention))
    }

    fn commit_all<'s>(&'s self, keys: &'s [Key], token: Token, retention: Duration) -> StoreFuture<'s, ()> {
        boxed(async move {
            match distinct(keys).as_slice() {
                [] => Ok(()),
                keys => self.settle(keys, token, Call::Commit, retention).await,
            }
        })
    }

    fn release<'s>(&'s self, key: &'s Key, token: Token) -> StoreFuture<'s, ()> {
        boxed(self.settle(from_ref(key), token, Call::Release, Duration::ZERO))
    }
}

fn boxed<'s, T>(call: impl Future<Output = Result<T, StoreError>> + Send + 's) -> StoreFuture<'s, T> {
    Box::pin(call)
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore")
            .field("schema", &self.schema)
            .field("timeout", &self.source.timeout)
            .finish_non_exhaustive()
    }
}
