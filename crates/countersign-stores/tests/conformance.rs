//! The conformance suite on each store: on real files and servers, in real time.
#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::{
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use countersign_core::dedupe::{
    BoxFuture, Store,
    conformance::{self, Harness},
};
use countersign_stores::{
    embedded::EmbeddedStore,
    postgres::PostgresStore,
    redis::{RedisStore, RedisStoreBuilder},
};
use testbed::{PgBouncer, Postgres, Redis, RedisOptions};

/// A store on tokio that can be opened anew.
struct OnTokio {
    open: Box<dyn Fn() -> BoxFuture<'static, Arc<dyn Store>> + Send + Sync>,
    store: Mutex<Option<Arc<dyn Store>>>,
    run_id: String,
}

impl Harness for OnTokio {
    fn store(&self) -> Arc<dyn Store> {
        self.store.lock().unwrap().clone().unwrap()
    }

    fn run_id(&self) -> &str {
        &self.run_id
    }

    fn unit(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn advance(&self, by: Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(by))
    }

    fn spawn(&self, task: BoxFuture<'static, ()>) -> BoxFuture<'static, ()> {
        let task = tokio::spawn(task);
        Box::pin(async { task.await.unwrap() })
    }

    fn reopen(&self) -> BoxFuture<'_, Option<Arc<dyn Store>>> {
        Box::pin(async {
            let closed = self.store.lock().unwrap().take().unwrap();
            assert_eq!(Arc::strong_count(&closed), 1, "dropping it closes it");
            drop(closed);
            let store = (self.open)().await;
            *self.store.lock().unwrap() = Some(Arc::clone(&store));
            Some(store)
        })
    }
}

async fn check<S: Store, F>(open: impl Fn() -> F + Send + Sync + 'static)
where
    F: Future<Output = S> + Send + 'static,
{
    let open = move || -> BoxFuture<'static, Arc<dyn Store>> {
        let opening = open();
        Box::pin(async { Arc::new(opening.await) as _ })
    };
    let store = Mutex::new(Some(open().await));
    let run_id = format!("{:?}", SystemTime::now());
    conformance::run(&OnTokio { open: Box::new(open), store, run_id }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_embedded_store_conforms() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("claims.redb");
    check(move || std::future::ready(EmbeddedStore::open(&path).unwrap())).await;
}

async fn check_redis(builder: RedisStoreBuilder) {
    check(move || {
        let builder = builder.clone();
        async { builder.connect().await.unwrap() }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_conforms() {
    let Some(redis) = Redis::start() else { return };
    check_redis(RedisStore::builder(redis.url())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_valkey_conforms() {
    let Some(valkey) = Redis::valkey() else { return };
    check_redis(RedisStore::builder(valkey.url())).await;
}

#[tokio::test]
async fn a_redis_with_a_password_conforms_on_one_thread() {
    let with_password = RedisOptions { password: Some("open"), ..RedisOptions::default() };
    let Some(redis) = Redis::with(with_password) else { return };
    check_redis(RedisStore::builder(redis.url())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_under_tls_conforms() {
    let Some(redis) = Redis::with(RedisOptions { tls: true, ..RedisOptions::default() }) else { return };
    check_redis(RedisStore::builder(redis.url()).root_certificates(redis.authority())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_cluster_conforms() {
    let Some(nodes) = Redis::cluster() else { return };
    check_redis(RedisStore::cluster([nodes[1].url()])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_of_unknown_version_conforms_by_scripts_alone() {
    let Some(redis) = Redis::start() else { return };
    redis.command("ACL SETUSER hook on >open ~countersign:* +@all -info -config");
    let url = redis.url().replace("redis://", "redis://hook:open@");
    check_redis(RedisStore::builder(url).dangerously_allow_eviction()).await;
}

async fn check_postgres(url: String) {
    check(move || {
        // On a machine with a lot to do a second may be short for 64 claimants at once.
        let builder = PostgresStore::builder(&url).timeout(Duration::from_secs(5));
        async { builder.connect().await.unwrap() }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_conforms() {
    let Some(postgres) = Postgres::start() else { return };
    check_postgres(postgres.url()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_behind_a_pooler_with_fewer_connections_conforms() {
    let Some(postgres) = Postgres::start() else { return };
    let Some(bouncer) = PgBouncer::start(&postgres, 2) else { return };
    check_postgres(bouncer.url()).await;
}
