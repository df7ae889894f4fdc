//! Claims within the caller's own transaction.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use countersign_core::{
    StoreError,
    dedupe::{Claim, Store},
};
use countersign_stores::postgres::PostgresStore;
use sqlx::Connection;
use testbed::{PgBouncer, Postgres};

use crate::{LEASE, RETENTION, execute, key, number, pool, token};

#[tokio::test]
async fn no_key_is_no_claim() {
    let Some(postgres) = Postgres::start() else { return };
    let store = PostgresStore::connect(&postgres.url()).await.unwrap();
    let pool = pool(&postgres.url()).await;
    let claim = store.claim_in(&mut pool.begin().await.unwrap(), &[], RETENTION).await;
    assert!(claim.is_err(), "{claim:?}");
}

#[tokio::test]
async fn a_rollback_frees_and_a_commit_remembers() {
    let Some(postgres) = Postgres::start() else { return };
    let (store, pool) = (PostgresStore::connect(&postgres.url()).await.unwrap(), pool(&postgres.url()).await);
    let keys = [key("b"), key("a"), key("b")];
    for _ in 0..2 {
        let mut transaction = pool.begin().await.unwrap();
        assert_eq!(store.claim_in(&mut transaction, &keys, RETENTION).await.unwrap(), Claim::Claimed);
        let again = store.claim_in(&mut transaction, &keys, RETENTION).await.unwrap();
        assert_eq!(again, Claim::Committed, "claimed before in this transaction");
        transaction.rollback().await.unwrap();
    }
    let mut transaction = pool.begin().await.unwrap();
    assert_eq!(store.claim_in(&mut transaction, &keys, RETENTION).await.unwrap(), Claim::Claimed);
    transaction.commit().await.unwrap();
    let mut transaction = pool.begin().await.unwrap();
    assert_eq!(store.claim_in(&mut transaction, &keys, RETENTION).await.unwrap(), Claim::Committed);
    assert_eq!(store.claim(&keys[0], token(), LEASE).await.unwrap(), Claim::Committed);
}

#[tokio::test]
async fn of_several_keys_all_are_claimed_or_none() {
    let Some(postgres) = Postgres::start() else { return };
    let (store, pool) = (PostgresStore::connect(&postgres.url()).await.unwrap(), pool(&postgres.url()).await);
    let (free, held, ours) = (key("free"), key("held"), token());
    store.claim(&held, ours, LEASE).await.unwrap();
    let mut transaction = pool.begin().await.unwrap();
    execute_in(&mut transaction, "CREATE TABLE effects (name text)").await;
    let refused = store.claim_in(&mut transaction, &[free, held], RETENTION).await.unwrap();
    assert!(matches!(refused, Claim::InFlight { retry_after } if retry_after > LEASE / 2), "{refused:?}");
    // Not even until the transaction ends.
    assert_eq!(store.claim(&free, token(), LEASE).await.unwrap(), Claim::Claimed);
    store.commit(&held, ours, RETENTION).await.unwrap();
    let refused = store.claim_in(&mut transaction, &[free, held], RETENTION).await.unwrap();
    assert_eq!(refused, Claim::Committed);
    transaction.commit().await.unwrap();
    assert_eq!(number(&pool, "SELECT count(*) FROM effects").await, 0, "the transaction went on");
}

async fn execute_in(transaction: &mut sqlx::PgTransaction<'_>, statement: &'static str) {
    sqlx::raw_sql(statement).execute(&mut **transaction).await.unwrap();
}

#[tokio::test]
async fn an_open_transaction_holds_up_nobody() {
    let Some(postgres) = Postgres::start() else { return };
    let (store, pool) = (PostgresStore::connect(&postgres.url()).await.unwrap(), pool(&postgres.url()).await);
    let store = Arc::new(store);
    // One key is new, one is there with a lease that has ended.
    let (new, old) = (key("new"), key("old"));
    let before = token();
    store.claim(&old, before, Duration::from_millis(1)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(10)).await;
    let mut open = pool.begin().await.unwrap();
    assert_eq!(store.claim_in(&mut open, &[new, old], RETENTION).await.unwrap(), Claim::Claimed);

    let started = Instant::now();
    let mut other = pool.begin().await.unwrap();
    let refused = store.claim_in(&mut other, &[new], RETENTION).await.unwrap();
    assert!(matches!(refused, Claim::InFlight { .. }), "{refused:?}");
    let calls: Vec<_> = (0..200)
        .map(|n| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let (key, token) = (key(n), token());
                assert_eq!(store.claim(&key, token, LEASE).await.unwrap(), Claim::Claimed);
                let refused = store.claim(if n % 2 == 0 { &new } else { &old }, token, LEASE).await.unwrap();
                assert!(matches!(refused, Claim::InFlight { retry_after } if retry_after < LEASE / 10));
                store.commit(&key, token, RETENTION).await.unwrap();
                // A late commit of the key that was taken over shares statements with the others.
                let late = store.commit(&old, before, RETENTION).await;
                assert!(matches!(late, Err(StoreError::Fenced | StoreError::Unavailable { .. })), "{late:?}");
            })
        })
        .collect();
    for call in calls {
        call.await.unwrap();
    }
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    assert_eq!(store.purge().await.unwrap(), 0, "what is being claimed is left alone");
    open.commit().await.unwrap();
    assert_eq!(store.claim(&new, token(), LEASE).await.unwrap(), Claim::Committed);
    assert_eq!(store.claim(&old, token(), LEASE).await.unwrap(), Claim::Committed);
}

#[tokio::test]
async fn stricter_isolation_is_an_error_or_right() {
    let Some(postgres) = Postgres::start() else { return };
    let (store, pool) = (PostgresStore::connect(&postgres.url()).await.unwrap(), pool(&postgres.url()).await);
    for level in ["REPEATABLE READ", "SERIALIZABLE"] {
        let (free, taken) = (key(format!("free {level}")), key(format!("taken {level}")));
        let mut connection = pool.acquire().await.unwrap();
        let begin = sqlx::AssertSqlSafe(format!("BEGIN ISOLATION LEVEL {level}"));
        let mut transaction = connection.begin_with(begin).await.unwrap();
        execute_in(&mut transaction, "SELECT count(*) FROM countersign_claims").await;
        // After the transaction's snapshot was taken.
        let ours = token();
        store.claim(&taken, ours, LEASE).await.unwrap();
        let refused = store.claim_in(&mut transaction, &[taken], RETENTION).await;
        assert!(matches!(refused, Err(StoreError::Unavailable { .. })), "{refused:?}");
        // It was rolled back to where it was before.
        assert_eq!(store.claim_in(&mut transaction, &[free], RETENTION).await.unwrap(), Claim::Claimed);
        transaction.commit().await.unwrap();
        store.commit(&taken, ours, RETENTION).await.unwrap();
        assert_eq!(store.claim(&free, token(), LEASE).await.unwrap(), Claim::Committed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_effect_happens_exactly_once_through_crashes_of_the_server() {
    let Some(mut postgres) = Postgres::start() else { return };
    let builder = PostgresStore::builder(&postgres.url()).timeout(Duration::from_secs(5));
    let store = Arc::new(builder.connect().await.unwrap());
    let own = pool(&postgres.url()).await;
    execute(&own, "CREATE TABLE effects (delivery int NOT NULL)").await;
    const DELIVERIES: usize = 400;

    // Each delivery is sent until somebody was told that it is done; by three senders at once.
    let done = Arc::new(Mutex::new(0));
    let senders: Vec<_> = (0..3)
        .map(|_| {
            let (store, own, done) = (Arc::clone(&store), own.clone(), Arc::clone(&done));
            tokio::spawn(async move {
                for n in 0..DELIVERIES {
                    while !effect(&store, &own, n).await {
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                    *done.lock().unwrap() += 1;
                }
            })
        })
        .collect();
    for round in 1..=5 {
        while *done.lock().unwrap() < round * DELIVERIES * 3 / 6 {
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
        postgres.restart();
    }
    for sender in senders {
        sender.await.unwrap();
    }
    let own = pool(&postgres.url()).await;
    assert_eq!(number(&own, "SELECT count(*) FROM effects").await, DELIVERIES as i64);
    assert_eq!(number(&own, "SELECT count(DISTINCT delivery) FROM effects").await, DELIVERIES as i64);
    assert_eq!(
        number(&own, "SELECT count(*) FROM countersign_claims WHERE committed").await,
        DELIVERIES as i64
    );
}

/// One try of a delivery; whether it is done.
async fn effect(store: &PostgresStore, own: &sqlx::PgPool, n: usize) -> bool {
    let attempt = async {
        let mut transaction = own.begin().await?;
        match store.claim_in(&mut transaction, &[key(n)], RETENTION).await {
            Ok(Claim::Claimed) => {
                let insert = sqlx::query("INSERT INTO effects VALUES ($1)").bind(n as i32);
                insert.execute(&mut *transaction).await?;
                transaction.commit().await?;
                Ok(true)
            }
            Ok(Claim::Committed) => Ok(true),
            _ => Ok::<_, sqlx::Error>(false),
        }
    };
    tokio::time::timeout(Duration::from_secs(10), attempt).await.is_ok_and(|done| done.unwrap_or(false))
}

#[tokio::test]
async fn it_works_through_a_pooler() {
    let Some(postgres) = Postgres::start() else { return };
    let Some(bouncer) = PgBouncer::start(&postgres, 2) else { return };
    let store = PostgresStore::connect(&bouncer.url()).await.unwrap();
    // The caller's own transaction may be on connections of its own.
    let pool = pool(&postgres.url()).await;
    let mut transaction = pool.begin().await.unwrap();
    assert_eq!(store.claim_in(&mut transaction, &[key("a")], RETENTION).await.unwrap(), Claim::Claimed);
    assert!(matches!(store.claim(&key("a"), token(), LEASE).await.unwrap(), Claim::InFlight { .. }));
    transaction.commit().await.unwrap();
    assert_eq!(store.claim(&key("a"), token(), LEASE).await.unwrap(), Claim::Committed);
}
