//! `RedisStore` itself: one command or script a call.

use std::{fmt, num::NonZeroU64, slice::from_ref, time::Duration};

use countersign_core::{
    StoreError,
    dedupe::{Claim, Key, Store, StoreFuture, Token},
};
use redis::{Cmd, ErrorKind, ServerErrorKind, Value};
use tokio::time::Instant;

use super::{
    builder::{RedisStoreBuilder, refused},
    link::{CallError, Link},
    script::{CLAIMED_BY, COMMITTED, COMMITTED_BY, DONE, FENCED, FOREIGN, Script, Scripts},
};
use crate::SetUpError;

/// The longest lease or retention: some 140,000 years, which servers and Lua's numbers can both take.
const LONGEST: u64 = 1 << 52;

/// Claims on Redis 6 and newer or Valkey, for receivers on any number of machines.
///
/// ```no_run
/// # async fn set_up() -> Result<(), countersign_stores::SetUpError> {
/// use countersign_stores::redis::RedisStore;
///
/// let store = RedisStore::connect("redis://:password@localhost:6379/0").await?;
/// let store = RedisStore::cluster(["rediss://node-1:6379", "rediss://node-2:6379"]).connect().await?;
/// # Ok(())
/// # }
/// ```
///
/// # What it does
/// Each call is one command or one script on one key, and so is atomic, on a cluster as on one server. The keys of one delivery
/// are committed by one script on one server, and one after the other on a cluster: there, a receiver that is killed in between
/// leaves a delivery known by some of its keys alone. It touches keys of its own prefix and nothing else; `countersign:` and the
/// digest that logs show is a key's name. Keys expire by themselves. A key takes 190 bytes of the server's memory, as measured with Redis 7.0: a million deliveries of one key each take 190 MB until
/// their retention ends. [`held`](Store::held) is `None`: servers know how many keys they hold in all, and tell by `DBSIZE`.
///
/// A claim whose answer was lost is known again by its token, so a connection that breaks costs one more try. Calls are
/// bounded in [time](RedisStoreBuilder::timeout) and in number: past 4096 that wait for the server, more are refused at once. A
/// connection on which nothing comes back is replaced. The store lives on tokio: calls need one of its runtimes with time and
/// input enabled.
///
/// # What the server decides
/// - **Eviction.** A server that drops keys when its memory is full forgets what was handled. Unless its `maxmemory-policy` is
///   `noeviction`, set-up fails. At its limit such a server refuses new claims (503, and so they are sent again), and goes on to
///   renew, commit and release those it holds, and to tell duplicates.
/// - **A crash.** What Redis has not written to disk it forgets: set `appendonly yes`. With `appendfsync everysec`, which is its
///   default, up to a second is lost, and nothing with `always`. Without an append-only file all since the last snapshot is.
///   Set-up warns of that.
/// - **A fail-over.** Redis answers before its replicas have a write, so one that is promoted may lack the last moment's. A
///   delivery that was committed in that moment is handled again if it is sent again, and one that was claimed in it may be
///   handled by two at once. None is lost. `min-replicas-to-write 1` with a small `min-replicas-max-lag` bounds that moment. Set-up
///   warns where there are replicas. Where no effect may ever be repeated, use a store that waits, as Postgres does.
/// - **Time** is the server's wall clock. A jump ahead ends leases and retentions early, a jump back keeps them for longer.
///
/// The policy is read once, when the store connects. Users of an access control list need `EVAL`, `EVALSHA`, `GET`, `SET`, `PEXPIRE`,
/// `PTTL` and `DEL` on keys of the prefix, and `INFO`; `SELECT` where the URL names a database other than 0; of a cluster also
/// `CLUSTER SLOTS`.
///
/// # TLS
/// By `rediss://`, with the system's authorities or [your own](RedisStoreBuilder::root_certificates). Where the process has not chosen a
/// default `CryptoProvider` of rustls by then, ring becomes that.
pub struct RedisStore {
    link: Link,
    prefix: String,
    scripts: Scripts,
    /// Whether a claim is one native command; otherwise it is a script.
    sets_and_gets: bool,
}

/// What a key holds: whether it is committed, and by which token.
type Held = [u8; 9];

impl RedisStore {
    /// Connects to one server, by a URL such as `redis://:password@host:6379/0`, or `rediss://..` for TLS.
    ///
    /// # Errors
    /// See [`RedisStoreBuilder::connect`].
    pub async fn connect(url: impl Into<String>) -> Result<Self, SetUpError> {
        Self::builder(url).connect().await
    }

    /// A store on one server, to be set up.
    pub fn builder(url: impl Into<String>) -> RedisStoreBuilder {
        RedisStoreBuilder::new(vec![url.into()], false)
    }

    /// A store on a cluster, to be set up, by the URLs of some of its nodes. The others are found through them.
    pub fn cluster(urls: impl IntoIterator<Item = impl Into<String>>) -> RedisStoreBuilder {
        RedisStoreBuilder::new(urls.into_iter().map(Into::into).collect(), true)
    }

    pub(super) async fn new(link: Link, prefix: String, sets_and_gets: bool) -> Result<Self, SetUpError> {
        let store = Self { link, prefix, scripts: Scripts::default(), sets_and_gets };
        // Shows at set-up that scripts are allowed, and changes nothing: nobody holds that key.
        match store.release(&Key::new("", "", [""]), Token::new(NonZeroU64::MIN)).await {
            Err(StoreError::Fenced) | Ok(()) => Ok(store),
            Err(error) => Err(refused(error)),
        }
    }

    fn name(&self, key: &Key) -> String {
        format!("{}{key}", self.prefix)
    }

    async fn try_claim(&self, key: &Key, token: Token, lease: Duration) -> Result<Claim, CallError> {
        let (name, deadline, lease) = (self.name(key), self.link.deadline(), millis(lease));
        let claimed = held(CLAIMED_BY, token);
        if self.sets_and_gets {
            let mut set = Cmd::with_capacity(7, name.len().saturating_add(48));
            set.arg("SET").arg(&name).arg(&claimed).arg("NX").arg("GET").arg("PX").arg(lease);
            match self.link.call(&set, deadline).await {
                Ok(Value::Nil) => return Ok(Claim::Claimed),
                Ok(Value::BulkString(held)) if is_committed(&held) => return Ok(Claim::Committed),
                // Held by another, or by this token; or refused by a full server, which can still tell duplicates.
                Ok(Value::BulkString(_)) | Err(CallError::OutOfMemory(_)) => {}
                Ok(_) => return Err(CallError::Misfit),
                Err(error) => return Err(error),
            }
        }
        let lease = lease.to_string();
        match self.run(&self.scripts.claim, &[name], &[&claimed, lease.as_bytes()], deadline).await? {
            DONE => Ok(Claim::Claimed),
            COMMITTED => Ok(Claim::Committed),
            FOREIGN => Err(CallError::Foreign),
            left => u64::try_from(left)
                .map(|left| Claim::InFlight { retry_after: Duration::from_millis(left) })
                .map_err(|_| CallError::Misfit),
        }
    }

    /// Runs a script that only the holder of a claim gets done.
    async fn settle(&self, script: &Script, keys: &[Key], arguments: &[&[u8]]) -> Result<(), StoreError> {
        let names: Vec<_> = keys.iter().map(|key| self.name(key)).collect();
        match self.run(script, &names, arguments, self.link.deadline()).await? {
            DONE => Ok(()),
            FENCED => Err(StoreError::Fenced),
            _ => Err(CallError::Misfit.into()),
        }
    }

    async fn try_commit(&self, keys: &[Key], token: Token, retention: Duration) -> Result<(), StoreError> {
        let (claimed, committed) = (held(CLAIMED_BY, token), held(COMMITTED_BY, token));
        let retention = millis(retention).to_string();
        self.settle(&self.scripts.commit, keys, &[&claimed, &committed, retention.as_bytes()]).await
    }

    async fn run(
        &self,
        script: &Script,
        names: &[String],
        arguments: &[&[u8]],
        deadline: Instant,
    ) -> Result<i64, CallError> {
        let answer = match self.link.call(&script.by_digest(names, arguments), deadline).await {
            Err(CallError::Failed(error)) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                self.link.call(&script.by_source(names, arguments), deadline).await
            }
            answer => answer,
        };
        match answer? {
            Value::Int(number) => Ok(number),
            _ => Err(CallError::Misfit),
        }
    }
}

impl Store for RedisStore {
    fn claim<'s>(&'s self, key: &'s Key, token: Token, lease: Duration) -> StoreFuture<'s, Claim> {
        Box::pin(async move { Ok(self.try_claim(key, token, lease).await?) })
    }

    fn renew<'s>(&'s self, key: &'s Key, token: Token, lease: Duration) -> StoreFuture<'s, ()> {
        Box::pin(async move {
            let lease = millis(lease).to_string();
            self.settle(&self.scripts.renew, from_ref(key), &[&held(CLAIMED_BY, token), lease.as_bytes()])
                .await
        })
    }

    fn commit<'s>(&'s self, key: &'s Key, token: Token, retention: Duration) -> StoreFuture<'s, ()> {
        Box::pin(self.try_commit(from_ref(key), token, retention))
    }

    /// In one step on one server; one after the other on a cluster, where keys of one delivery are on several.
    fn commit_all<'s>(&'s self, keys: &'s [Key], token: Token, retention: Duration) -> StoreFuture<'s, ()> {
        Box::pin(async move {
            if keys.len() > 1 && !self.link.is_cluster() {
                return self.try_commit(keys, token, retention).await;
            }
            for key in keys {
                self.try_commit(from_ref(key), token, retention).await?;
            }
            Ok(())
        })
    }

    fn release<'s>(&'s self, key: &'s Key, token: Token) -> StoreFuture<'s, ()> {
        Box::pin(async move {
            self.settle(&self.scripts.release, from_ref(key), &[&held(CLAIMED_BY, token)]).await
        })
    }
}

/// Without the URL, as it may hold a password.
impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

fn held(state: u8, token: Token) -> Held {
    let mut held = [state; 9];
    if let Some(number) = held.last_chunk_mut() {
        *number = token.get().get().to_be_bytes();
    }
    held
}

fn is_committed(held: &[u8]) -> bool {
    held.len() == size_of::<Held>() && held.first() == Some(&COMMITTED_BY)
}

/// A length of time that servers take: none of it is no length to them.
fn millis(length: Duration) -> u64 {
    u64::try_from(length.as_millis()).unwrap_or(LONGEST).clamp(1, LONGEST)
}
