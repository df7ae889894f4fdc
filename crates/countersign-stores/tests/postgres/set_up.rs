//! What a store asks of its server at the start, and the tables that it makes.

use countersign_core::dedupe::{Claim, Store};
use countersign_stores::{SetUpError, postgres::PostgresStore};
use testbed::{PgBouncer, Postgres};

use crate::{LEASE, execute, key, number, pool, token};

#[tokio::test(flavor = "multi_thread")]
async fn many_processes_that_start_at_once_make_the_tables_once() {
    let Some(postgres) = Postgres::start() else { return };
    let Some(bouncer) = PgBouncer::start(&postgres, 5) else { return };
    for url in [postgres.url(), bouncer.url()] {
        let starts: Vec<_> = (0..16)
            .map(|_| {
                let builder =
                    PostgresStore::builder(&url).schema(if url == postgres.url() { "one" } else { "two" });
                tokio::spawn(builder.connect())
            })
            .collect();
        for start in starts {
            let store = start.await.unwrap().unwrap();
            store.claim(&key("a"), token(), LEASE).await.unwrap();
        }
    }
    let pool = pool(&postgres.url()).await;
    assert_eq!(number(&pool, "SELECT count(*) FROM one.countersign_state").await, 1);
    assert_eq!(number(&pool, "SELECT count(*) FROM two.countersign_claims").await, 1);
}

#[tokio::test]
async fn a_role_that_may_make_nothing_suffices_for_tables_that_are_there() {
    let Some(postgres) = Postgres::start() else { return };
    let pool = pool(&postgres.url()).await;
    execute(&pool, "CREATE ROLE app LOGIN").await;
    let url = postgres.url().replace("postgres@", "app@");
    let refused = PostgresStore::connect(&url).await.unwrap_err();
    assert!(matches!(refused, SetUpError::Connect { .. }), "{refused:?}");
    for migration in PostgresStore::MIGRATIONS {
        execute(&pool, migration).await;
    }
    execute(&pool, "GRANT SELECT, INSERT, UPDATE, DELETE ON countersign_claims TO app").await;
    execute(&pool, "GRANT SELECT, UPDATE ON countersign_state TO app").await;
    let store = PostgresStore::connect(&url).await.unwrap();
    let ours = token();
    assert_eq!(store.claim(&key("a"), ours, LEASE).await.unwrap(), Claim::Claimed);
    store.release(&key("a"), ours).await.unwrap();
    // Unless the store was faster.
    assert!(store.purge().await.unwrap() <= 1);
    assert_eq!(number(&pool, "SELECT count(*) FROM countersign_claims").await, 0);
}

#[tokio::test]
async fn tables_of_a_newer_version_are_left_alone() {
    let Some(postgres) = Postgres::start() else { return };
    drop(PostgresStore::connect(&postgres.url()).await.unwrap());
    execute(&pool(&postgres.url()).await, "UPDATE countersign_state SET version = 99").await;
    let refused = PostgresStore::connect(&postgres.url()).await.unwrap_err();
    assert!(matches!(refused, SetUpError::Newer { found: 99, known: 1 }), "{refused:?}");
}

#[tokio::test]
async fn a_server_that_would_lose_claims_is_refused_unless_allowed() {
    for setting in ["fsync", "full_page_writes", "synchronous_commit"] {
        let Some(postgres) = Postgres::options().setting(setting, "off").start() else { return };
        let refused = PostgresStore::connect(&postgres.url()).await.unwrap_err();
        assert!(
            matches!(refused, SetUpError::LosesClaims { setting: named, .. } if named == setting),
            "{refused:?}"
        );
        PostgresStore::builder(&postgres.url()).dangerously_allow_lost_claims().connect().await.unwrap();
    }
}

#[tokio::test]
async fn a_standby_is_refused() {
    let Some(mut postgres) = Postgres::start() else { return };
    postgres.restart_as_standby();
    let refused = PostgresStore::connect(&postgres.url()).await.unwrap_err();
    assert!(matches!(refused, SetUpError::Standby), "{refused:?}");
}

#[tokio::test]
async fn a_setting_that_makes_no_sense_is_refused() {
    let url = "postgres://nobody@127.0.0.1:1/x";
    for name in ["", "1a", "Public", "a\"; DROP TABLE x; --", "a'b", &"a".repeat(64)] {
        let refused = PostgresStore::builder(url).schema(name).connect().await.unwrap_err();
        assert!(matches!(refused, SetUpError::OutOfRange { setting: "schema", .. }), "{name}: {refused:?}");
    }
    for builder in [
        PostgresStore::builder(url).connections(0),
        PostgresStore::builder(url).connections(1000),
        PostgresStore::builder(url).timeout(std::time::Duration::ZERO),
        PostgresStore::builder(url).timeout(std::time::Duration::MAX),
    ] {
        assert!(matches!(builder.connect().await, Err(SetUpError::OutOfRange { .. })));
    }
    assert!(matches!(PostgresStore::connect("no URL").await, Err(SetUpError::Url { .. })));
    let refused = PostgresStore::connect(url).await.unwrap_err();
    assert!(matches!(refused, SetUpError::Connect { .. }), "{refused:?}");
}

#[tokio::test]
async fn nothing_that_is_printed_holds_the_password() {
    let Some(postgres) = Postgres::options().password("hunter2-hunter2").start() else { return };
    let url = |password: &str| postgres.url().replace("postgres@", &format!("postgres:{password}@"));
    let right = url("hunter2-hunter2");
    let store = PostgresStore::connect(&right).await.unwrap();
    let mut printed = format!("{store:?} {:?}", PostgresStore::builder(&right));
    for url in [
        url("hunter2-wrong"),
        right.replace("127.0.0.1:", "127.0.0.1:9"),
        right.replace("127.0.0.1", "host:port:"),
        format!("{right}?sslmode=none"),
        format!("{right}?sslrootcert=/nowhere&sslmode=verify-full"),
    ] {
        let Err(error) = PostgresStore::connect(&url).await else { continue };
        let mut source: Option<&dyn std::error::Error> = Some(&error);
        printed.push_str(&format!("{error:?} "));
        while let Some(error) = source {
            printed.push_str(&format!("{error} "));
            source = error.source();
        }
    }
    assert!(!printed.contains("hunter2-"), "{printed}");
}

#[tokio::test]
async fn a_url_that_is_none_is_refused_without_its_password() {
    for url in ["app:hunter2@localhost/app", "mysql://app:hunter2@localhost/app", "hunter2", ""] {
        let refused = PostgresStore::connect(url).await.unwrap_err();
        assert!(matches!(refused, SetUpError::Url { .. }), "{url}: {refused:?}");
        assert!(!format!("{refused:?}").contains("hunter2"), "{refused:?}");
    }
}
