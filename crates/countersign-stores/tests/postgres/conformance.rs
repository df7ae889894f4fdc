//! The conformance suite, directly and through a pooler.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use countersign_core::dedupe::{
    BoxFuture, Store,
    conformance::{self, Harness},
};
use countersign_stores::postgres::PostgresStore;
use testbed::{PgBouncer, Postgres};

struct OnServer {
    url: String,
    store: Mutex<Arc<PostgresStore>>,
}

impl OnServer {
    async fn of(url: String) -> Self {
        let store = Mutex::new(Arc::new(open(&url).await));
        Self { url, store }
    }
}

async fn open(url: &str) -> PostgresStore {
    // On a machine with a lot to do a second may be short for 64 claimants at once.
    PostgresStore::builder(url).timeout(Duration::from_secs(5)).connect().await.unwrap()
}

impl Harness for OnServer {
    fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&*self.store.lock().unwrap()) as _
    }

    fn run_id(&self) -> &str {
        "server"
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
            let store = open(&self.url).await;
            *self.store.lock().unwrap() = Arc::new(store);
            Some(self.store())
        })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_conforms() {
    let Some(postgres) = Postgres::start() else { return };
    conformance::run(&OnServer::of(postgres.url()).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_conforms_behind_a_pooler_with_fewer_connections() {
    let Some(postgres) = Postgres::start() else { return };
    let Some(bouncer) = PgBouncer::start(&postgres, 2) else { return };
    conformance::run(&OnServer::of(bouncer.url()).await).await;
}
