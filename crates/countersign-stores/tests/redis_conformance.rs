//! The conformance suite on real servers: one, with a password, under TLS, a cluster, and by scripts alone.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by a panic"
)]

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use countersign_core::dedupe::{
    BoxFuture, Store,
    conformance::{self, Harness},
};
use countersign_stores::redis::RedisStore;
use testbed::{Redis, RedisOptions};

struct OnServer {
    store: Arc<dyn Store>,
    run_id: String,
}

impl Harness for OnServer {
    fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store)
    }

    fn run_id(&self) -> &str {
        &self.run_id
    }

    fn unit(&self) -> Duration {
        Duration::from_millis(600)
    }

    fn advance(&self, by: Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(by))
    }

    fn spawn(&self, task: BoxFuture<'static, ()>) -> BoxFuture<'static, ()> {
        let task = tokio::spawn(task);
        Box::pin(async move { task.await.unwrap() })
    }
}

async fn check(store: RedisStore) {
    let run_id = format!("{:?}", SystemTime::now());
    conformance::run(&OnServer { store: Arc::new(store), run_id }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_server_conforms() {
    let Some(redis) = Redis::start() else { return };
    check(RedisStore::connect(redis.url()).await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_valkey_conforms() {
    let Some(valkey) = Redis::valkey() else { return };
    check(RedisStore::connect(valkey.url()).await.unwrap()).await;
}

#[tokio::test]
async fn one_server_with_a_password_conforms_on_one_thread() {
    let Some(redis) = Redis::with(RedisOptions { password: Some("open"), ..Default::default() }) else {
        return;
    };
    check(RedisStore::connect(redis.url()).await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_server_under_tls_conforms() {
    let Some(redis) = Redis::with(RedisOptions { tls: true, ..Default::default() }) else { return };
    let store = RedisStore::builder(redis.url()).root_certificates(redis.authority());
    check(store.connect().await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_of_three_conforms() {
    let Some(nodes) = Redis::cluster() else { return };
    check(RedisStore::cluster([nodes[1].url()]).connect().await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_of_unknown_version_conforms_by_scripts_alone() {
    let Some(redis) = Redis::start() else { return };
    redis.command("ACL SETUSER hook on >open ~countersign:* +@all -info -config");
    let url = redis.url().replace("redis://", "redis://hook:open@");
    check(RedisStore::builder(url).dangerously_allow_eviction().connect().await.unwrap()).await;
}
