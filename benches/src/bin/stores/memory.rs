//! The memory store beside a sharded hash map of 128-bit keys, moka and dashmap with string keys.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    num::NonZeroU64,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use countersign::{
    MemoryStore,
    dedupe::{Claim, Key, Store, Token},
};
use countersign_benches::{
    rate::{Effort, of_calls},
    table::Report,
};

use crate::compare::{Contender, compare};

const LEASE: Duration = Duration::from_secs(30);
const RETENTION: Duration = Duration::from_secs(72 * 3600);

/// What any of them does for a delivery.
pub trait Claims: Send + Sync + 'static {
    /// Whether the key was free.
    fn claim(&self, n: usize) -> impl Future<Output = bool> + Send;
    fn commit(&self, n: usize) -> impl Future<Output = ()> + Send;
}

pub fn token(n: usize) -> Token {
    Token::new(NonZeroU64::new(n as u64 + 1).unwrap())
}

/// Keys as deliveries have them, made beforehand.
pub fn keys(count: usize) -> Arc<[Key]> {
    (0..count).map(|n| Key::new("retake", "", [&n.to_le_bytes()])).collect()
}

/// The same as text, as users of a cache make them: provider and delivery id.
pub fn names(count: usize) -> Arc<[Box<str>]> {
    (0..count)
        .map(|n| format!("retake:dlv_{n:016x}{:016x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15)).into())
        .collect()
}

pub struct Countersign(pub MemoryStore, pub Arc<[Key]>);

impl Claims for Countersign {
    async fn claim(&self, n: usize) -> bool {
        self.0.claim(&self.1[n], token(n), LEASE).await.unwrap() == Claim::Claimed
    }

    async fn commit(&self, n: usize) {
        self.0.commit(&self.1[n], token(n), RETENTION).await.unwrap();
    }
}

/// Keys are digests: their own bits are the hash.
#[derive(Default)]
struct Own(u64);

impl Hasher for Own {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = u64::from_le_bytes(bytes[..8].try_into().unwrap());
    }

    fn write_u128(&mut self, number: u128) {
        self.0 = number as u64;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

type Shard = Mutex<HashMap<u128, (u64, u64), BuildHasherDefault<Own>>>;

/// The floor: token and end of the lease by key, and nothing of leases, fencing, limits or expiry.
pub struct Sharded(Box<[Shard]>, Arc<[Key]>, Instant);

impl Sharded {
    pub fn new(keys: Arc<[Key]>) -> Self {
        Self((0..256).map(|_| Shard::default()).collect(), keys, Instant::now())
    }

    fn place(&self, n: usize) -> (&Shard, u128) {
        let key = self.1[n].as_bytes();
        (&self.0[usize::from(key[31])], u128::from_le_bytes(key[..16].try_into().unwrap()))
    }

    fn until(&self, length: Duration) -> u64 {
        (self.2.elapsed() + length).as_millis() as u64
    }
}

impl Claims for Sharded {
    async fn claim(&self, n: usize) -> bool {
        let (shard, key) = self.place(n);
        let until = self.until(LEASE);
        let mut shard = shard.lock().unwrap();
        let free = !shard.contains_key(&key);
        if free {
            shard.insert(key, (n as u64, until));
        }
        free
    }

    async fn commit(&self, n: usize) {
        let (shard, key) = self.place(n);
        let until = self.until(RETENTION);
        shard.lock().unwrap().insert(key, (u64::MAX, until));
    }
}

/// As its documentation shows it: entries with a time to live, and a largest number of them.
pub struct Moka(moka::sync::Cache<String, bool>, Arc<[Box<str>]>);

impl Moka {
    pub fn new(limit: usize, names: Arc<[Box<str>]>) -> Self {
        Self(moka::sync::Cache::builder().max_capacity(limit as u64).time_to_live(RETENTION).build(), names)
    }
}

impl Claims for Moka {
    async fn claim(&self, n: usize) -> bool {
        self.0.entry(self.1[n].to_string()).or_insert(false).is_fresh()
    }

    async fn commit(&self, n: usize) {
        self.0.insert(self.1[n].to_string(), true);
    }
}

pub struct Dash(dashmap::DashMap<String, (bool, Instant)>, Arc<[Box<str>]>);

impl Dash {
    pub fn new(names: Arc<[Box<str>]>) -> Self {
        Self(dashmap::DashMap::new(), names)
    }
}

impl Claims for Dash {
    async fn claim(&self, n: usize) -> bool {
        match self.0.entry(self.1[n].to_string()) {
            dashmap::Entry::Vacant(free) => {
                free.insert((false, Instant::now() + LEASE));
                true
            }
            dashmap::Entry::Occupied(_) => false,
        }
    }

    async fn commit(&self, n: usize) {
        self.0.insert(self.1[n].to_string(), (true, Instant::now() + RETENTION));
    }
}

pub async fn run(report: &Report, effort: Effort) {
    report.line("\n## Memory");
    report.line("\nBeside a sharded hash map of 128-bit keys (the floor), moka and dashmap with string keys. Each run begins empty.");
    let (keys, names) = (&keys(effort.claims), &names(effort.claims));
    for commits in [false, true] {
        let contenders = [
            contender("countersign", effort, commits, || {
                Countersign(MemoryStore::new(effort.claims), Arc::clone(keys))
            }),
            contender("sharded map", effort, commits, || Sharded::new(Arc::clone(keys))),
            contender("moka", effort, commits, || Moka::new(effort.claims, Arc::clone(names))),
            contender("dashmap", effort, commits, || Dash::new(Arc::clone(names))),
        ];
        compare(report, effort, if commits { "claim + commit" } else { "claim" }, &contenders).await;
    }
}

fn contender<'m, C: Claims>(
    name: &'static str,
    effort: Effort,
    commits: bool,
    new: impl Fn() -> C + 'm,
) -> Contender<'m> {
    Contender::new(name, move |callers| {
        let claims = Arc::new(new());
        async move {
            of_calls(callers, 0, effort.claims, move |n| {
                let claims = Arc::clone(&claims);
                async move {
                    assert!(claims.claim(n).await);
                    if commits {
                        claims.commit(n).await;
                    }
                }
            })
            .await
        }
    })
}
