//! `RedisStore` while its server dies, hangs, fills up, forgets its scripts or cannot be reached.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by a panic"
)]

use std::{
    num::NonZeroU64,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use countersign_core::{
    StoreError,
    dedupe::{Claim, Key, Store, Token},
};
use countersign_stores::redis::RedisStore;
use testbed::{Proxy, Redis, RedisOptions};
use tokio::time::{sleep, timeout};

const LEASE: Duration = Duration::from_secs(30);
const RETENTION: Duration = Duration::from_secs(3600);
const TIMEOUT: Duration = Duration::from_millis(300);
/// How long recovering may take; leaves room for a machine that is busy.
const SOON: Duration = Duration::from_secs(2);

fn key(name: impl ToString) -> Key {
    Key::new("failures", "", [&name.to_string()])
}

fn token() -> Token {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    Token::new(NonZeroU64::new(NEXT.fetch_add(1, Ordering::Relaxed)).unwrap())
}

async fn store(url: String) -> RedisStore {
    RedisStore::builder(url).timeout(TIMEOUT).connect().await.unwrap()
}

/// Claims until it is answered, and says how long that took.
async fn recovers(store: &RedisStore) -> Duration {
    let (started, token) = (Instant::now(), token());
    let key = key(format!("recovers {token:?}"));
    while !matches!(store.claim(&key, token, LEASE).await, Ok(Claim::Claimed)) {
        assert!(started.elapsed() < Duration::from_secs(10), "does not recover");
        sleep(Duration::from_millis(20)).await;
    }
    started.elapsed()
}

#[tokio::test]
async fn what_was_committed_outlives_a_crash_and_the_store_goes_on() {
    let Some(mut redis) = Redis::with(RedisOptions { appendonly: true, ..Default::default() }) else {
        return;
    };
    let store = store(redis.url()).await;
    let holder = token();
    store.claim(&key("done"), holder, LEASE).await.unwrap();
    store.commit(&key("done"), holder, RETENTION).await.unwrap();
    store.claim(&key("claimed"), holder, LEASE).await.unwrap();
    redis.kill();
    let error = store.claim(&key("while down"), token(), LEASE).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
    redis.restart();
    assert!(recovers(&store).await < SOON);
    assert_eq!(store.claim(&key("done"), token(), LEASE).await.unwrap(), Claim::Committed);
    assert!(matches!(store.claim(&key("claimed"), token(), LEASE).await.unwrap(), Claim::InFlight { .. }));
    // The scripts went with the server.
    store.commit(&key("claimed"), holder, RETENTION).await.unwrap();
}

#[tokio::test]
async fn a_connection_that_was_closed_while_idle_fails_no_call() {
    let Some(redis) = Redis::start() else { return };
    let store = store(redis.url()).await;
    for round in 0..20 {
        redis.command("CLIENT KILL TYPE normal SKIPME yes");
        if round % 2 == 0 {
            sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(store.claim(&key(round), token(), LEASE).await.unwrap(), Claim::Claimed);
    }
}

#[tokio::test]
async fn a_server_that_hangs_times_calls_out_and_is_used_again_when_it_goes_on() {
    let Some(redis) = Redis::start() else { return };
    let store = Arc::new(store(redis.url()).await);
    redis.signal("STOP");
    for _ in 0..4 {
        let started = Instant::now();
        let calls: Vec<_> = (0..200)
            .map(|n| {
                let store = Arc::clone(&store);
                tokio::spawn(async move { store.claim(&key(format!("hangs {n}")), token(), LEASE).await })
            })
            .collect();
        for call in calls {
            let error = call.await.unwrap().unwrap_err();
            assert!(matches!(error, StoreError::TimedOut), "{error:?}");
        }
        assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
    }
    redis.signal("CONT");
    assert!(recovers(&store).await < SOON);
}

#[tokio::test]
async fn calls_that_a_hanging_server_makes_wait_are_bounded_in_number() {
    let Some(redis) = Redis::start() else { return };
    let store = Arc::new(store(redis.url()).await);
    redis.signal("STOP");
    let calls: Vec<_> = (0..6000)
        .map(|n| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.claim(&key(n), token(), LEASE).await.unwrap_err() })
        })
        .collect();
    let mut refused = 0;
    for call in calls {
        refused += usize::from(matches!(call.await.unwrap(), StoreError::Unavailable { .. }));
    }
    assert_eq!(refused, 6000 - 4096);
}

#[tokio::test]
async fn a_black_hole_is_left_when_the_network_heals() {
    let Some(redis) = Redis::start() else { return };
    let proxy = Proxy::before(([127, 0, 0, 1], redis.port()).into()).await;
    let store = store(format!("redis://{}", proxy.address())).await;
    for _ in 0..3 {
        proxy.stall();
        for _ in 0..3 {
            let started = Instant::now();
            let error = store.claim(&key("swallowed"), token(), LEASE).await.unwrap_err();
            assert!(matches!(error, StoreError::TimedOut), "{error:?}");
            assert!(started.elapsed() < SOON);
        }
        // What was swallowed once never arrives, even when the network heals.
        proxy.abandon();
        proxy.heal();
        let took = recovers(&store).await;
        assert!(took < SOON, "{took:?}");
    }
}

#[tokio::test]
async fn one_node_of_a_cluster_that_hangs_leaves_the_others_at_work() {
    let Some(nodes) = Redis::cluster() else { return };
    let urls: Vec<_> = nodes.iter().map(Redis::url).collect();
    let store = RedisStore::cluster(urls).timeout(TIMEOUT).connect().await.unwrap();
    nodes[1].signal("STOP");
    let (mut claimed, mut timed_out) = (0, 0);
    for n in 0..30 {
        match store.claim(&key(format!("shard {n}")), token(), LEASE).await {
            Ok(Claim::Claimed) => claimed += 1,
            Err(StoreError::TimedOut) => timed_out += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(claimed >= 10 && timed_out >= 3, "{claimed} claimed, {timed_out} timed out");
    nodes[1].signal("CONT");
    sleep(Duration::from_secs(2)).await;
    for n in 0..30 {
        store.claim(&key(format!("again {n}")), token(), LEASE).await.unwrap();
    }
}

#[tokio::test]
async fn a_node_of_a_cluster_that_dies_and_comes_back_is_used_again() {
    let Some(mut nodes) = Redis::cluster() else { return };
    let urls: Vec<_> = nodes.iter().map(Redis::url).collect();
    let store = RedisStore::cluster(urls).timeout(TIMEOUT).connect().await.unwrap();
    nodes[2].kill();
    for n in 0..10 {
        let started = Instant::now();
        let _ = store.claim(&key(format!("dead {n}")), token(), LEASE).await;
        assert!(started.elapsed() < SOON);
    }
    nodes[2].restart();
    for _ in 0..20 {
        recovers(&store).await;
    }
}

#[tokio::test]
async fn a_claim_whose_answer_was_lost_is_known_again_by_its_token() {
    let Some(redis) = Redis::start() else { return };
    let store = store(redis.url()).await;
    let ours = token();
    recovers(&store).await;
    redis.signal("STOP");
    let lost = store.claim(&key("lost"), ours, LEASE).await;
    assert!(matches!(lost, Err(StoreError::TimedOut)), "{lost:?}");
    redis.signal("CONT");
    // The server acts on what it was sent.
    let started = Instant::now();
    while redis.command(&format!("EXISTS countersign:{}", key("lost"))) != ":1" {
        assert!(started.elapsed() < Duration::from_secs(5));
    }
    assert_eq!(store.claim(&key("lost"), ours, LEASE).await.unwrap(), Claim::Claimed);
    assert!(matches!(store.claim(&key("lost"), token(), LEASE).await.unwrap(), Claim::InFlight { .. }));
    store.commit(&key("lost"), ours, RETENTION).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_answer_is_taken_for_anothers_after_time_outs() {
    let Some(redis) = Redis::start() else { return };
    let store = Arc::new(
        RedisStore::builder(redis.url()).timeout(Duration::from_millis(40)).connect().await.unwrap(),
    );
    // Even keys are committed and odd ones are free: an answer that slipped by one would show.
    for n in (0..200).step_by(2) {
        let holder = token();
        store.claim(&key(n), holder, LEASE).await.unwrap();
        store.commit(&key(n), holder, RETENTION).await.unwrap();
    }
    let callers: Vec<_> = (0..32)
        .map(|caller| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let (mut answered, mut lost) = (0, 0);
                for round in 0..400 {
                    let n = (caller * 7 + round) % 200;
                    let name = if n % 2 == 0 { n.to_string() } else { format!("{caller} {round}") };
                    let (name, ours) = (key(name), token());
                    let claim = store.claim(&name, ours, LEASE);
                    // Some callers leave before they are answered.
                    let answer = match round % 5 {
                        0 => timeout(Duration::from_micros(200), claim).await,
                        _ => Ok(claim.await),
                    };
                    match answer {
                        Ok(Ok(answer)) => {
                            let expected = if n % 2 == 0 { Claim::Committed } else { Claim::Claimed };
                            assert_eq!(answer, expected, "{n}");
                            answered += 1;
                        }
                        _ => lost += 1,
                    }
                }
                (answered, lost)
            })
        })
        .collect();
    for _ in 0..12 {
        sleep(Duration::from_millis(30)).await;
        redis.signal("STOP");
        sleep(Duration::from_millis(60)).await;
        redis.signal("CONT");
    }
    let (mut answered, mut lost) = (0, 0);
    for caller in callers {
        let (more, less) = caller.await.unwrap();
        (answered, lost) = (answered + more, lost + less);
    }
    assert!(answered > 1000 && lost > 50, "{answered} answered, {lost} lost");
}

#[tokio::test]
async fn scripts_that_the_server_forgot_are_sent_again() {
    let Some(redis) = Redis::start() else { return };
    let store = store(redis.url()).await;
    let ours = token();
    store.claim(&key("flushed"), ours, LEASE).await.unwrap();
    redis.command("SCRIPT FLUSH");
    store.renew(&key("flushed"), ours, LEASE).await.unwrap();
    redis.command("SCRIPT FLUSH");
    assert_eq!(store.claim(&key("flushed"), ours, LEASE).await.unwrap(), Claim::Claimed);
    redis.command("SCRIPT FLUSH");
    store.release(&key("flushed"), ours).await.unwrap();
    store.claim(&key("flushed"), ours, LEASE).await.unwrap();
    redis.command("SCRIPT FLUSH");
    store.commit(&key("flushed"), ours, RETENTION).await.unwrap();
    assert_eq!(store.claim(&key("flushed"), token(), LEASE).await.unwrap(), Claim::Committed);
}

#[tokio::test]
async fn a_full_server_refuses_claims_and_settles_those_it_has() {
    let Some(redis) = Redis::start() else { return };
    let store = store(redis.url()).await;
    let (committed, other) = (token(), token());
    let claims: Vec<_> = (0..4).map(|n| (key(format!("held {n}")), token())).collect();
    for (key, token) in &claims {
        store.claim(key, *token, LEASE).await.unwrap();
    }
    store.claim(&key("committed"), committed, LEASE).await.unwrap();
    store.commit(&key("committed"), committed, RETENTION).await.unwrap();
    redis.command("CONFIG SET maxmemory 1");
    assert!(redis.command("SET any thing").contains("OOM"));

    let error = store.claim(&key("new"), other, LEASE).await.unwrap_err();
    let StoreError::Unavailable { source } = &error else { panic!("{error:?}") };
    assert!(source.to_string().contains("maxmemory"), "{source}");
    assert!(source.source().unwrap().to_string().contains("OOM"), "{source:?}");
    // Duplicates are still told, and what is at work can go on and end.
    assert_eq!(store.claim(&key("committed"), other, LEASE).await.unwrap(), Claim::Committed);
    assert!(matches!(store.claim(&claims[0].0, other, LEASE).await.unwrap(), Claim::InFlight { .. }));
    assert_eq!(store.claim(&claims[0].0, claims[0].1, LEASE).await.unwrap(), Claim::Claimed);
    store.renew(&claims[1].0, claims[1].1, LEASE).await.unwrap();
    store.commit(&claims[1].0, claims[1].1, RETENTION).await.unwrap();
    store.commit(&claims[1].0, claims[1].1, RETENTION).await.unwrap();
    assert_eq!(store.claim(&claims[1].0, other, LEASE).await.unwrap(), Claim::Committed);
    store.release(&claims[2].0, claims[2].1).await.unwrap();
    redis.command("SCRIPT FLUSH");
    store.commit(&claims[3].0, claims[3].1, RETENTION).await.unwrap();
    redis.command("CONFIG SET maxmemory 0");
    assert_eq!(store.claim(&key("new"), other, LEASE).await.unwrap(), Claim::Claimed);
}

#[tokio::test]
async fn what_is_no_claim_at_a_key_is_an_error() {
    let Some(redis) = Redis::start() else { return };
    let store = store(redis.url()).await;
    redis.command(&format!("LPUSH countersign:{} x", key("list")));
    redis.command(&format!("SET countersign:{} something", key("text")));
    redis.command(&format!("SET countersign:{} x", key("short")));
    for name in ["list", "text", "short"] {
        let (name, ours) = (key(name), token());
        let claim = store.claim(&name, ours, LEASE).await;
        assert!(matches!(claim, Err(StoreError::Unavailable { .. })), "{claim:?}");
        assert!(store.commit(&name, ours, LEASE).await.is_err());
        assert!(store.renew(&name, ours, LEASE).await.is_err());
        assert!(store.release(&name, ours).await.is_err());
    }
    assert_eq!(redis.command("DBSIZE"), ":3");
}

#[tokio::test]
async fn a_primary_that_became_a_replica_is_left_for_the_new_one() {
    let Some(old) = Redis::start() else { return };
    let Some(new) = Redis::start() else { return };
    let store = store(old.url()).await;
    old.command(&format!("REPLICAOF 127.0.0.1 {}", new.port()));
    let error = store.claim(&key("read only"), token(), LEASE).await.unwrap_err();
    let StoreError::Unavailable { source } = &error else { panic!("{error:?}") };
    assert!(source.to_string().contains("READONLY") || source.to_string().contains("read"), "{source}");
    old.command("REPLICAOF NO ONE");
    assert!(recovers(&store).await < SOON);
}
