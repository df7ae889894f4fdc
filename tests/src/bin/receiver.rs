//! A receiver to be killed: `receiver <store> <folder> <port>`, ready once it says so.

use std::{env, future, path::Path, sync::Arc, time::Duration};

use countersign::{EmbeddedStore, MemoryStore, dedupe::Store};
use countersign_tests::faults::Endpoint;

#[tokio::main]
async fn main() {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let [store, folder, port] = arguments.as_slice() else { panic!("receiver <store> <folder> <port>") };
    let folder = Path::new(folder);
    let endpoint = Endpoint::new(&folder.join("effects"), Duration::from_millis(400));
    let store = open(store, folder);
    endpoint.serve(([127, 0, 0, 1], port.parse().unwrap()).into(), store).await;
    println!("ready");
    future::pending().await
}

fn open(store: &str, folder: &Path) -> Arc<dyn Store> {
    match store {
        "embedded" => Arc::new(EmbeddedStore::open(folder.join("claims.redb")).unwrap()),
        "memory" => Arc::new(MemoryStore::new(1_000_000)),
        other => panic!("there is no store {other}"),
    }
}
