//! What has expired is removed, and the table stays small.

use std::{sync::Arc, time::Duration};

use countersign_core::dedupe::{Claim, Store};
use countersign_stores::postgres::PostgresStore;
use sqlx::PgPool;
use testbed::Postgres;

use crate::{LEASE, RETENTION, execute, key, number, pool, token};

const ROUNDS: usize = 12;
const KEYS: usize = 2000;

#[tokio::test(flavor = "multi_thread")]
async fn the_table_does_not_grow_with_what_has_expired() {
    let Some(postgres) = Postgres::start() else { return };
    let builder = PostgresStore::builder(&postgres.url()).timeout(Duration::from_secs(10));
    let (store, pool) = (Arc::new(builder.connect().await.unwrap()), pool(&postgres.url()).await);
    // What must not be removed.
    store.claim(&key("claimed"), token(), LEASE).await.unwrap();
    let committed = token();
    store.claim(&key("committed"), committed, LEASE).await.unwrap();
    store.commit(&key("committed"), committed, RETENTION).await.unwrap();

    let mut sizes = Vec::new();
    for round in 0..ROUNDS {
        let calls: Vec<_> = (0..KEYS)
            .map(|n| {
                let store = Arc::clone(&store);
                tokio::spawn(async move {
                    let (key, token) = (key(format!("{round} {n}")), token());
                    store.claim(&key, token, LEASE).await.unwrap();
                    store.renew(&key, token, LEASE).await.unwrap();
                    store.commit(&key, token, Duration::from_millis(50)).await.unwrap();
                })
            })
            .collect();
        for call in calls {
            call.await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(60)).await;
        store.purge().await.unwrap();
        assert_eq!(number(&pool, "SELECT count(*) FROM countersign_claims").await, 2);
        // As autovacuum does in its time.
        execute(&pool, "VACUUM countersign_claims").await;
        sizes.push(number(&pool, "SELECT pg_total_relation_size('countersign_claims')").await);
    }
    assert!(sizes[ROUNDS - 1] <= sizes[1] * 3 / 2, "{sizes:?}");
    assert!(matches!(store.claim(&key("claimed"), token(), LEASE).await.unwrap(), Claim::InFlight { .. }));
    assert_eq!(store.claim(&key("committed"), token(), LEASE).await.unwrap(), Claim::Committed);

    tokio::time::sleep(Duration::from_millis(1500)).await;
    let changes = "FROM pg_stat_user_tables WHERE relname = 'countersign_claims'";
    let all = number(&pool, &format!("SELECT n_tup_upd {changes}")).await;
    let within_their_page = number(&pool, &format!("SELECT n_tup_hot_upd {changes}")).await;
    // The statistics lag behind a little.
    assert!(all >= (ROUNDS * KEYS) as i64, "{all}");
    // A page that another lane reads at that moment keeps its old rows, and the new one goes elsewhere.
    assert!(within_their_page * 100 >= all * 90, "{within_their_page} of {all}");
}

#[tokio::test]
async fn the_store_sweeps_by_itself() {
    let Some(postgres) = Postgres::start() else { return };
    let pool = pool(&postgres.url()).await;
    let store = PostgresStore::connect(&postgres.url()).await.unwrap();
    first_sweep(&pool).await;
    let ours = token();
    store.claim(&key("a"), ours, LEASE).await.unwrap();
    store.release(&key("a"), ours).await.unwrap();
    drop(store);
    // The next process finds the last sweep long enough ago.
    execute(&pool, "UPDATE countersign_state SET swept_at = 'epoch'").await;
    let _store = PostgresStore::connect(&postgres.url()).await.unwrap();
    for _ in 0..100 {
        if number(&pool, "SELECT count(*) FROM countersign_claims").await == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("nothing was swept");
}

#[tokio::test]
async fn a_server_whose_clock_was_set_back_goes_on_to_sweep() {
    let Some(postgres) = Postgres::start() else { return };
    let pool = pool(&postgres.url()).await;
    let store = PostgresStore::connect(&postgres.url()).await.unwrap();
    first_sweep(&pool).await;
    store.claim(&key("expired"), token(), Duration::ZERO).await.unwrap();
    drop(store);
    execute(&pool, "UPDATE countersign_state SET swept_at = now() + interval '1 year'").await;
    let _store = PostgresStore::connect(&postgres.url()).await.unwrap();
    let started = std::time::Instant::now();
    while number(&pool, "SELECT count(*) FROM countersign_claims").await > 0 {
        assert!(started.elapsed() < Duration::from_secs(5), "it is not removed");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits for the turn that the first store takes as it starts: on a busy machine it would come in between.
async fn first_sweep(pool: &PgPool) {
    while number(pool, "SELECT count(*) FROM countersign_state WHERE swept_at > 'epoch'").await == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
