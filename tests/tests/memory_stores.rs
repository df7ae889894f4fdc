//! A second memory store for one provider and endpoint is warned of when its receiver is built.

use std::sync::Arc;

use countersign::{
    FixedSecrets, MemoryStore, Receiver, Registry, Secret,
    dedupe::Store,
    provider::{Raaft, Retake},
};
use countersign_tests::log::Log;

fn secret() -> Secret {
    Secret::new("a secret").unwrap()
}

fn retake(store: impl Store, endpoint: &str) -> Receiver<Retake> {
    Receiver::builder(secret()).store(store).endpoint(endpoint).build().unwrap()
}

/// For how many stores there is a warning while this is done.
#[track_caller]
fn check(expected: usize, act: impl FnOnce()) {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    tracing::subscriber::with_default(subscriber, act);
    let log = log.take();
    let warned = log.lines().filter(|line| line.contains("another memory store")).count();
    assert_eq!(warned, expected, "{log}");
}

// One test: the stores are the process's.
#[tokio::test]
async fn a_second_memory_store_of_one_endpoint_is_warned_of() {
    check(1, || {
        let _first = retake(MemoryStore::new(1), "a");
        let _second = retake(MemoryStore::new(1), "a");
    });
    // As many as the workers of a server, each with some receivers.
    check(3, || {
        let workers = (0..4).map(|_| {
            let store = Arc::new(MemoryStore::new(1));
            ["a", "b"].map(|endpoint| retake(Arc::clone(&store), endpoint))
        });
        drop(workers.collect::<Vec<_>>());
    });
    check(0, || {
        let store = Arc::new(MemoryStore::new(1));
        let erased: Arc<dyn Store> = Arc::<MemoryStore>::clone(&store);
        let _receivers = [retake(store, "a"), retake(erased, "a")];
    });
    check(0, || {
        for _ in 0..2 {
            drop(retake(MemoryStore::new(1), "a"));
        }
    });
    check(0, || {
        let _one = retake(MemoryStore::new(1), "a");
        let _other = retake(MemoryStore::new(1), "b");
        let _another =
            Receiver::<Raaft>::builder(secret()).store(MemoryStore::new(1)).endpoint("a").build().unwrap();
    });
}

#[tokio::test]
async fn a_registrys_store_counts_for_the_tenants_that_it_has_served() {
    let registry = |store: Arc<MemoryStore>| {
        let secrets = FixedSecrets::new().with("retake", "registered", secret());
        Registry::builder(secrets).built_in().store(store).build().unwrap()
    };
    let (first, second) = (Arc::new(MemoryStore::new(1)), Arc::new(MemoryStore::new(1)));
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let registries = [registry(Arc::clone(&first)), registry(first), registry(second)];
    for registry in &registries {
        registry.find("retake", "registered", tokio::time::sleep).await.unwrap();
    }
    drop(guard);
    let log = log.take();
    assert_eq!(log.lines().filter(|line| line.contains("another memory store")).count(), 1, "{log}");
}
