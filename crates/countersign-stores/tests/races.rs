//! Stores of many processes on one server, racing for the same keys while their connections break: nobody holds what another
//! holds, and what was committed stays committed.
#![cfg(any(feature = "postgres", feature = "redis"))]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by a panic"
)]

use std::{
    collections::HashMap,
    net::SocketAddr,
    num::NonZeroU64,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use countersign_core::{
    StoreError,
    dedupe::{Claim, Key, Store, Token},
};
use testbed::{Proxy, Then};
use tokio::{task::JoinSet, time::timeout};

const LEASE: Duration = Duration::from_secs(2);
const RETENTION: Duration = Duration::from_secs(3600);
/// How long each race is.
const LENGTH: Duration = Duration::from_secs(8);
/// How many stores race, each by a proxy of its own.
const STORES: usize = 3;
const CALLERS: usize = 24;
/// Keys that are in use at a time.
const KEYS: u64 = 6;

#[cfg(feature = "postgres")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_one_holds_and_what_is_committed_stays() {
    use countersign_stores::postgres::PostgresStore;
    let Some(postgres) = testbed::Postgres::start() else { return };
    let race = Race::default();
    for _ in 0..STORES {
        let proxy = Proxy::before(SocketAddr::from(([127, 0, 0, 1], postgres.port()))).await;
        let url = postgres.url().replace(&postgres.port().to_string(), &proxy.address().port().to_string());
        let store = PostgresStore::builder(&url).timeout(Duration::from_millis(300)).connect().await.unwrap();
        race.add(store, proxy);
    }
    race.run().await;
}

#[cfg(feature = "redis")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_redis_one_holds_and_what_is_committed_stays() {
    use countersign_stores::redis::RedisStore;
    let Some(redis) = testbed::Redis::start() else { return };
    let race = Race::default();
    for _ in 0..STORES {
        let proxy = Proxy::before(SocketAddr::from(([127, 0, 0, 1], redis.port()))).await;
        let url = format!("redis://{}", proxy.address());
        let store = RedisStore::builder(url).timeout(Duration::from_millis(100)).connect().await.unwrap();
        race.add(store, proxy);
    }
    race.run().await;
}

#[derive(Default)]
struct Race {
    runners: Mutex<Vec<(Arc<dyn Store>, Proxy)>>,
    ledger: Arc<Mutex<HashMap<u64, Entry>>>,
    commits: Arc<AtomicU64>,
    failures: Arc<AtomicU64>,
}

/// What is certain of a key, from what callers were told.
#[derive(Default)]
struct Entry {
    /// A token that holds it, and until when at the least.
    holder: Option<(Token, Instant)>,
    committed: Option<Token>,
}

impl Race {
    fn add(&self, store: impl Store, proxy: Proxy) {
        self.runners.lock().unwrap().push((Arc::new(store), proxy));
    }

    async fn run(self) {
        let started = Instant::now();
        let runners = std::mem::take(&mut *self.runners.lock().unwrap());
        let mut callers = JoinSet::new();
        for n in 0..CALLERS {
            let caller = Caller {
                store: Arc::clone(&runners[n % STORES].0),
                ledger: Arc::clone(&self.ledger),
                commits: Arc::clone(&self.commits),
                failures: Arc::clone(&self.failures),
                dice: Dice(n as u64 + 1),
            };
            callers.spawn(caller.run(started));
        }
        let mut dice = Dice(77);
        while started.elapsed() < LENGTH {
            let proxy = &runners[dice.below(STORES as u64) as usize].1;
            match dice.below(4) {
                0 => proxy.cut(),
                1 => proxy.stall(),
                2 => proxy.drop_next_answer(1 + dice.below(3) as usize, Then::Cut),
                _ => proxy.drop_next_answer(1, Then::Silence),
            }
            tokio::time::sleep(Duration::from_millis(dice.below(250))).await;
            proxy.heal();
            tokio::time::sleep(Duration::from_millis(dice.below(100))).await;
        }
        while let Some(caller) = callers.join_next().await {
            caller.unwrap();
        }
        let (commits, failures) =
            (self.commits.load(Ordering::Relaxed), self.failures.load(Ordering::Relaxed));
        assert!(commits > 100 && failures > 20, "{commits} commits, {failures} failures");
    }
}

struct Caller {
    store: Arc<dyn Store>,
    ledger: Arc<Mutex<HashMap<u64, Entry>>>,
    commits: Arc<AtomicU64>,
    failures: Arc<AtomicU64>,
    dice: Dice,
}

impl Caller {
    async fn run(mut self, started: Instant) {
        while started.elapsed() < LENGTH {
            // The keys in use move on with the number of commits, and old ones come back.
            let back = if self.dice.below(4) == 0 { 40 } else { 0 };
            let number = (self.commits.load(Ordering::Relaxed) + self.dice.below(KEYS)).saturating_sub(back);
            self.attempt(number).await;
        }
    }

    async fn attempt(&mut self, number: u64) {
        static NEXT: AtomicU64 = AtomicU64::new(u64::MAX / 2 - 500);
        let key = Key::new("races", "", [&number.to_le_bytes()]);
        let ours = Token::new(NonZeroU64::new(NEXT.fetch_add(1, Ordering::Relaxed)).unwrap());
        let store = Arc::clone(&self.store);
        let was_committed = self.entry(number, |entry| entry.committed.is_some());
        let mut sent = Instant::now();
        let mut claimed = None;
        for _ in 0..3 {
            sent = Instant::now();
            claimed = self.answered(store.claim(&key, ours, LEASE)).await;
            if claimed.is_some() {
                break;
            }
        }
        match claimed {
            Some(Ok(Claim::Claimed)) => {
                assert!(!was_committed, "{number} was committed, and is claimed again")
            }
            Some(Ok(Claim::InFlight { retry_after })) => {
                assert!(!was_committed, "{number} was committed, and is in flight");
                assert!(!retry_after.is_zero() && retry_after <= LEASE, "{retry_after:?}");
                return;
            }
            _ => return,
        }
        let claim = sent;
        self.holds(number, ours, sent);
        if self.dice.below(3) == 0 {
            sent = Instant::now();
            match self.answered(store.renew(&key, ours, LEASE)).await {
                Some(Ok(())) => self.holds(number, ours, sent),
                Some(Err(_)) => assert!(claim.elapsed() >= LEASE, "{number} was lost"),
                None => {}
            }
        }
        if self.dice.below(3) == 0 {
            self.entry(number, |entry| entry.holder = None);
            let _ = self.answered(store.release(&key, ours)).await;
            return;
        }
        for _ in 0..20 {
            match self.answered(store.commit(&key, ours, RETENTION)).await {
                None => {}
                Some(Err(error)) => {
                    assert!(matches!(error, StoreError::Fenced), "{error:?}");
                    return;
                }
                Some(Ok(())) => {
                    let before = self.entry(number, |entry| entry.committed.replace(ours));
                    assert_eq!(before, None, "{number} was committed twice");
                    self.commits.fetch_add(1, Ordering::Relaxed);
                    return;
                }
            }
        }
    }

    /// What a call answered; `None` when it failed, or its caller left.
    async fn answered<T>(
        &mut self,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Option<Result<T, StoreError>> {
        let answer = match self.dice.below(10) {
            0 => timeout(Duration::from_micros(self.dice.below(2000)), call).await.ok()?,
            _ => call.await,
        };
        match answer {
            Err(StoreError::TimedOut | StoreError::Unavailable { .. }) => {
                self.failures.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(2)).await;
                None
            }
            answer => Some(answer),
        }
    }

    fn holds(&self, number: u64, ours: Token, sent: Instant) {
        let now = Instant::now();
        self.entry(number, |entry| {
            if let Some((other, until)) = entry.holder.replace((ours, sent + LEASE)) {
                let both = other != ours && until > now && sent + LEASE > now;
                assert!(!both, "{number} is held by {other:?} and {ours:?}");
            }
        });
    }

    fn entry<T>(&self, number: u64, act: impl FnOnce(&mut Entry) -> T) -> T {
        act(self.ledger.lock().unwrap().entry(number).or_default())
    }
}

/// Numbers by chance, the same in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) % limit
    }
}
