//! The Redis store beside bare `SET NX PX` through the same client.

use std::sync::Arc;

use countersign::RedisStore;
use countersign_benches::{rate::Effort, table::Report};
use redis::{Client, Cmd};
use testbed::Redis;

use crate::{
    compare::compare,
    durable::{contender, key, ours},
};

pub async fn run(report: &Report, effort: Effort) {
    report.line("\n## Redis");
    let Some(server) = Redis::start() else { return report.line("\nNo Redis on this machine.") };
    report.line(
        "\nBeside bare `SET key token NX PX lease`, and for the commit `SET .. XX PX retention`, through the same client: one multiplexed connection to one server.",
    );
    let store = Arc::new(RedisStore::connect(server.url()).await.unwrap());
    let client = Client::open(server.url()).unwrap();
    let connection = client.get_multiplexed_async_connection().await.unwrap();
    let set = move |n: usize, condition: &'static str, millis: u64| {
        let mut connection = connection.clone();
        async move {
            let mut set = Cmd::new();
            set.arg("SET")
                .arg(format!("bare:{}", key(n)))
                .arg(&n.to_le_bytes())
                .arg(condition)
                .arg("PX")
                .arg(millis);
            set.query_async::<()>(&mut connection).await.unwrap();
        }
    };
    for commits in [false, true] {
        let set = set.clone();
        let bare = move |n: usize| {
            let set = set.clone();
            async move {
                set(n, "NX", 30_000).await;
                if commits {
                    set(n, "XX", 72 * 3_600_000).await;
                }
            }
        };
        let name = if commits { "bare SET NX PX, SET XX PX" } else { "bare SET NX PX" };
        let contenders = [ours(&store, effort, commits), contender(name, effort, bare)];
        compare(report, effort, if commits { "claim + commit" } else { "claim" }, &contenders).await;
    }
}
