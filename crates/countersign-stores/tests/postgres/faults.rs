//! Servers that crash, hang, or are cut off.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use countersign_core::{
    StoreError,
    dedupe::{Claim, Store},
};
use countersign_stores::postgres::PostgresStore;
use testbed::{PgBouncer, Postgres, Proxy};

use crate::{LEASE, RETENTION, execute, key, number, pool, token};

/// What a call may take at the most: its time-out, and what a busy machine adds.
const BOUND: Duration = Duration::from_millis(1500);

#[tokio::test]
async fn the_same_store_goes_on_after_a_crash_of_the_server() {
    let Some(mut postgres) = Postgres::start() else { return };
    let store = PostgresStore::connect(&postgres.url()).await.unwrap();
    let (committed, claimed, ours) = (key("committed"), key("claimed"), token());
    for key in [&committed, &claimed] {
        store.claim(key, ours, LEASE).await.unwrap();
    }
    store.commit(&committed, ours, RETENTION).await.unwrap();
    postgres.kill();
    let started = Instant::now();
    let failed = store.claim(&key("b"), token(), LEASE).await;
    assert!(matches!(failed, Err(StoreError::TimedOut | StoreError::Unavailable { .. })), "{failed:?}");
    assert!(started.elapsed() < BOUND, "{:?}", started.elapsed());
    postgres.restart();
    // The connection that was lost is noticed by the first call, which takes another.
    recovers(&store).await;
    assert_eq!(store.claim(&committed, token(), LEASE).await.unwrap(), Claim::Committed);
    assert!(matches!(store.claim(&claimed, token(), LEASE).await.unwrap(), Claim::InFlight { .. }));
    assert_eq!(store.claim(&claimed, ours, LEASE).await.unwrap(), Claim::Claimed, "by its own token");
    store.commit(&claimed, ours, RETENTION).await.unwrap();
}

#[tokio::test]
async fn a_restart_between_calls_is_not_noticed() {
    let Some(mut postgres) = Postgres::start() else { return };
    let store = PostgresStore::connect(&postgres.url()).await.unwrap();
    let ours = token();
    store.claim(&key("a"), ours, LEASE).await.unwrap();
    postgres.restart();
    store.commit(&key("a"), ours, RETENTION).await.unwrap();
    assert_eq!(store.claim(&key("a"), token(), LEASE).await.unwrap(), Claim::Committed);
}

#[tokio::test]
async fn a_hung_server_is_a_time_out_and_no_hung_call() {
    let Some(postgres) = Postgres::start() else { return };
    let store = Arc::new(PostgresStore::connect(&postgres.url()).await.unwrap());
    let pool = pool(&postgres.url()).await;
    store.claim(&key("a"), token(), LEASE).await.unwrap();
    let mut transaction = pool.begin().await.unwrap();
    postgres.signal("STOP");
    // Two rounds, so that the second waits behind what the first has left.
    for round in 0..2 {
        let calls: Vec<_> = (0..300)
            .map(|n| {
                let store = Arc::clone(&store);
                tokio::spawn(async move {
                    let (started, key) = (Instant::now(), key(format!("{round} {n}")));
                    let failed = match n % 2 {
                        0 => store.claim(&key, token(), LEASE).await.map(drop),
                        _ => store.commit(&key, token(), LEASE).await,
                    };
                    assert!(matches!(failed, Err(StoreError::TimedOut)), "{failed:?}");
                    assert!(started.elapsed() < BOUND, "{:?}", started.elapsed());
                })
            })
            .collect();
        for call in calls {
            call.await.unwrap();
        }
    }
    let started = Instant::now();
    let failed = store.claim_in(&mut transaction, &[key("in")], RETENTION).await;
    assert!(matches!(failed, Err(StoreError::TimedOut)), "{failed:?}");
    assert!(started.elapsed() < BOUND);
    postgres.signal("CONT");
    recovers(&store).await;
    drop(transaction);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(store.claim(&key("in"), token(), LEASE).await.unwrap(), Claim::Claimed);
}

#[tokio::test]
async fn connections_that_swallow_everything_are_replaced() {
    let Some(postgres) = Postgres::start() else { return };
    let proxy = Proxy::before(([127, 0, 0, 1], postgres.port()).into()).await;
    let url = postgres.url().replace(&postgres.port().to_string(), &proxy.address().port().to_string());
    let store = PostgresStore::builder(&url).connections(2).connect().await.unwrap();
    let ours = token();
    store.claim(&key("a"), ours, LEASE).await.unwrap();
    store.renew(&key("a"), ours, LEASE).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1100)).await;
    // What is open swallows from now on; new connections go through.
    proxy.abandon();
    // Idle connections are not trusted, so that nobody notices.
    assert_eq!(store.claim(&key("b"), token(), LEASE).await.unwrap(), Claim::Claimed);
    store.commit(&key("a"), ours, RETENTION).await.unwrap();
    // One that was just used is: that call times out, and the next has a new connection.
    proxy.abandon();
    let (started, again) = (Instant::now(), token());
    let failed = store.claim(&key("c"), again, LEASE).await;
    assert!(matches!(failed, Err(StoreError::TimedOut)), "{failed:?}");
    assert!(started.elapsed() < BOUND);
    assert_eq!(store.claim(&key("c"), again, LEASE).await.unwrap(), Claim::Claimed);
}

#[tokio::test]
async fn a_hung_pooler_is_a_time_out() {
    let Some(postgres) = Postgres::start() else { return };
    let Some(bouncer) = PgBouncer::start(&postgres, 2) else { return };
    let store = PostgresStore::connect(&bouncer.url()).await.unwrap();
    let (key, ours) = (key("a"), token());
    bouncer.signal("STOP");
    assert!(matches!(store.claim(&key, ours, LEASE).await, Err(StoreError::TimedOut)));
    bouncer.signal("CONT");
    recovers(&store).await;
    assert_eq!(store.claim(&key, ours, LEASE).await.unwrap(), Claim::Claimed);
}

#[tokio::test]
async fn a_claim_whose_answer_was_lost_is_recognised_by_its_token() {
    let Some(postgres) = Postgres::start() else { return };
    let pool = pool(&postgres.url()).await;
    let store = PostgresStore::connect(&postgres.url()).await.unwrap();
    let (key, ours) = (key("a"), token());
    // The claim is made, and then its answer is held back by a slow trigger until the caller has given up.
    execute(
        &pool,
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.9); RETURN NULL; END $$; \
         CREATE TRIGGER slow AFTER INSERT ON countersign_claims EXECUTE FUNCTION slow()",
    )
    .await;
    let cancelled = tokio::time::timeout(Duration::from_millis(300), store.claim(&key, ours, LEASE)).await;
    assert!(cancelled.is_err());
    tokio::time::sleep(Duration::from_millis(1000)).await;
    execute(&pool, "DROP TRIGGER slow ON countersign_claims").await;
    assert_eq!(number(&pool, "SELECT count(*) FROM countersign_claims").await, 1, "the claim was made");
    assert!(matches!(store.claim(&key, token(), LEASE).await.unwrap(), Claim::InFlight { .. }));
    assert_eq!(store.claim(&key, ours, LEASE).await.unwrap(), Claim::Claimed);
}

#[tokio::test]
async fn a_locked_table_fills_no_server_with_waiting_statements() {
    let Some(postgres) = Postgres::start() else { return };
    let pool = pool(&postgres.url()).await;
    let store = PostgresStore::connect(&postgres.url()).await.unwrap();
    let mut transaction = pool.begin().await.unwrap();
    sqlx::raw_sql("LOCK TABLE countersign_claims").execute(&mut *transaction).await.unwrap();
    for n in 0..4 {
        assert!(matches!(store.claim(&key(n), token(), LEASE).await, Err(StoreError::TimedOut)));
    }
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'countersign' AND wait_event_type = 'Lock'";
    assert!(number(&pool, waiting).await <= 2);
    transaction.rollback().await.unwrap();
    recovers(&store).await;
}

/// The store answers again within two seconds.
async fn recovers(store: &PostgresStore) {
    let started = Instant::now();
    while let Err(error) = store.claim(&key("recovers"), token(), LEASE).await {
        assert!(started.elapsed() < Duration::from_secs(2), "{error:?}");
    }
}
