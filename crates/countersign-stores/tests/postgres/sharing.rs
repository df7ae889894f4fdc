//! Callers who share statements, and are answered each by itself.

use std::{sync::Arc, time::Duration};

use countersign_core::{
    StoreError,
    dedupe::{BoxFuture, Claim, Store, Token},
};
use countersign_stores::postgres::PostgresStore;
use sqlx::postgres::PgPoolOptions;
use testbed::Postgres;

use crate::{LEASE, RETENTION, execute, key, number, pool, token};

#[tokio::test]
async fn many_callers_take_few_statements() {
    let Some(postgres) = Postgres::start() else { return };
    let (store, pool) = (PostgresStore::connect(&postgres.url()).await.unwrap(), pool(&postgres.url()).await);
    let store = Arc::new(store);
    let commits = "SELECT xact_commit FROM pg_stat_database WHERE datname = 'postgres'";
    execute(&pool, "SELECT pg_stat_force_next_flush()").await;
    let before = number(&pool, commits).await;
    let calls: Vec<_> = (0..2000)
        .map(|n| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.claim(&key(n), token(), LEASE).await.unwrap() })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap(), Claim::Claimed);
    }
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let taken = number(&pool, commits).await - before;
    assert!(taken < 200, "{taken} transactions for 2000 claims");
}

#[tokio::test]
async fn equal_keys_in_one_statement_are_told_apart_by_their_tokens() {
    let Some(postgres) = Postgres::start() else { return };
    let store = PostgresStore::connect(&postgres.url()).await.unwrap();
    let (key, ours, other) = (key("a"), token(), token());
    let [first, second, again] = [ours, other, ours].map(|token| store.claim(&key, token, LEASE));
    let answers = tokio::join!(first, second, again);
    assert_eq!((answers.0.unwrap(), answers.2.unwrap()), (Claim::Claimed, Claim::Claimed));
    assert!(matches!(answers.1.unwrap(), Claim::InFlight { .. }));
    // The holder's own claim succeeds though it shares a statement behind another's.
    let answers = tokio::join!(store.claim(&key, other, LEASE), store.claim(&key, ours, LEASE));
    assert!(matches!(answers.0.unwrap(), Claim::InFlight { .. }));
    assert_eq!(answers.1.unwrap(), Claim::Claimed);
    // In their order.
    let answers = tokio::join!(
        store.renew(&key, ours, LEASE),
        store.commit(&key, ours, RETENTION),
        store.release(&key, ours)
    );
    assert!(answers.0.is_ok() && answers.1.is_ok(), "{answers:?}");
    assert!(matches!(answers.2, Err(StoreError::Fenced)), "{answers:?}");
    let answers = tokio::join!(store.claim(&key, other, LEASE), store.claim(&key, ours, LEASE));
    assert_eq!((answers.0.unwrap(), answers.1.unwrap()), (Claim::Committed, Claim::Committed));
}

#[tokio::test]
async fn lengths_that_cannot_be_told_are_as_good_as_for_ever() {
    let Some(postgres) = Postgres::start() else { return };
    let store = PostgresStore::connect(&postgres.url()).await.unwrap();
    let (key, ours) = (key("a"), token());
    assert_eq!(store.claim(&key, ours, Duration::MAX).await.unwrap(), Claim::Claimed);
    assert!(matches!(store.claim(&key, token(), LEASE).await.unwrap(), Claim::InFlight { .. }));
    store.renew(&key, ours, Duration::MAX).await.unwrap();
    store.commit(&key, ours, Duration::MAX).await.unwrap();
    assert_eq!(store.claim(&key, token(), LEASE).await.unwrap(), Claim::Committed);
}

#[tokio::test]
async fn two_stores_in_one_database_do_not_know_of_each_other() {
    let Some(postgres) = Postgres::start() else { return };
    let one = PostgresStore::connect(&postgres.url()).await.unwrap();
    let own = pool(&postgres.url()).await;
    let two = PostgresStore::with_pool(own).schema("two").connect().await.unwrap();
    assert_eq!(one.claim(&key("a"), token(), LEASE).await.unwrap(), Claim::Claimed);
    assert_eq!(two.claim(&key("a"), token(), LEASE).await.unwrap(), Claim::Claimed);
}

#[tokio::test]
async fn a_store_that_is_dropped_lets_go_of_its_connections() {
    let Some(postgres) = Postgres::start() else { return };
    let pool = pool(&postgres.url()).await;
    let store = PostgresStore::connect(&postgres.url()).await.unwrap();
    store.claim(&key("a"), token(), LEASE).await.unwrap();
    let open = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'countersign'";
    assert!(number(&pool, open).await > 0);
    drop(store);
    for _ in 0..100 {
        if number(&pool, open).await == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("connections are still open");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_role_may_have_other_defaults() {
    let Some(postgres) = Postgres::start() else { return };
    let pool = pool(&postgres.url()).await;
    drop(PostgresStore::connect(&postgres.url()).await.unwrap());
    for default in ["default_transaction_isolation = 'serializable'", "default_transaction_read_only = on"] {
        execute(&pool, &format!("ALTER ROLE postgres SET {default}")).await;
    }
    let [one, two] =
        [PostgresStore::connect(&postgres.url()).await, PostgresStore::connect(&postgres.url()).await];
    let stores = [Arc::new(one.unwrap()), Arc::new(two.unwrap())];
    let claims: Vec<_> = (0..2000)
        .map(|n| {
            let store = Arc::clone(&stores[n % 2]);
            tokio::spawn(async move { store.claim(&key(n / 4), token(), LEASE).await.unwrap() })
        })
        .collect();
    let mut claimed = 0;
    for claim in claims {
        claimed += usize::from(claim.await.unwrap() == Claim::Claimed);
    }
    assert_eq!(claimed, 500, "one of four");
}

#[tokio::test]
async fn a_session_that_does_not_wait_for_the_disk_makes_no_claim_that_does_not() {
    let Some(postgres) = Postgres::start() else { return };
    let hasty = PgPoolOptions::new().after_connect(|connection, _| {
        Box::pin(
            async move { sqlx::raw_sql("SET synchronous_commit = off").execute(connection).await.map(drop) },
        )
    });
    let hasty = hasty.connect(&postgres.url()).await.unwrap();
    let store = PostgresStore::with_pool(hasty).connect().await.unwrap();
    let pool = pool(&postgres.url()).await;
    execute(
        &pool,
        "CREATE TABLE seen (setting text); CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS \
         $$ BEGIN INSERT INTO seen VALUES (current_setting('synchronous_commit')); RETURN NULL; END $$; \
         CREATE TRIGGER note AFTER INSERT OR UPDATE ON countersign_claims EXECUTE FUNCTION note()",
    )
    .await;
    let ours = token();
    store.claim(&key("a"), ours, LEASE).await.unwrap();
    store.commit(&key("a"), ours, RETENTION).await.unwrap();
    assert!(number(&pool, "SELECT count(*) FROM seen").await >= 2);
    assert_eq!(number(&pool, "SELECT count(*) FROM seen WHERE setting <> 'on'").await, 0);
}

#[tokio::test]
async fn each_of_a_statement_is_told_of_its_own_key() {
    let Some(postgres) = Postgres::start() else { return };
    let builder = PostgresStore::builder(&postgres.url()).timeout(Duration::from_secs(10));
    let store = Arc::new(builder.connect().await.unwrap());
    let (holder, other) = (token(), token());
    // By turns free, held, committed, and released.
    for n in 0..80 {
        if n % 4 > 0 {
            store.claim(&key(n), holder, LEASE).await.unwrap();
        }
        match n % 4 {
            2 => store.commit(&key(n), holder, RETENTION).await.unwrap(),
            3 => store.release(&key(n), holder).await.unwrap(),
            _ => {}
        }
    }
    let all = |call: fn(Arc<PostgresStore>, usize, Token, Token) -> BoxFuture<'static, ()>| {
        let calls: Vec<_> =
            (0..80).map(|n| tokio::spawn(call(Arc::clone(&store), n, holder, other))).collect();
        async move {
            for call in calls {
                call.await.unwrap();
            }
        }
    };
    all(|store, n, _, other| {
        Box::pin(async move {
            let claim = store.claim(&key(n), other, LEASE).await.unwrap();
            match n % 4 {
                1 => assert!(matches!(claim, Claim::InFlight { .. }), "{n}: {claim:?}"),
                2 => assert_eq!(claim, Claim::Committed, "{n}"),
                _ => assert_eq!(claim, Claim::Claimed, "{n}"),
            }
        })
    })
    .await;
    all(|store, n, holder, _| {
        Box::pin(async move {
            let commit = store.commit(&key(n), holder, RETENTION).await;
            match n % 4 {
                1 | 2 => assert!(commit.is_ok(), "{n}: {commit:?}"),
                _ => assert!(matches!(commit, Err(StoreError::Fenced)), "{n}: {commit:?}"),
            }
        })
    })
    .await;
}
