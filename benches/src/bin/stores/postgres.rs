//! The Postgres store beside a bare `INSERT .. ON CONFLICT DO NOTHING` a call through the same pool.

use std::sync::Arc;

use countersign::PostgresStore;
use countersign_benches::{rate::Effort, table::Report};
use sqlx::postgres::PgPoolOptions;
use testbed::Postgres;

use crate::{
    compare::compare,
    durable::{contender, key, ours},
};

/// How many connections the pool has: as many as sqlx's has unless told otherwise.
const CONNECTIONS: u32 = 10;

pub async fn run(report: &Report, effort: Effort) {
    report.line("\n## Postgres");
    let Some(server) = Postgres::start() else { return report.line("\nNo Postgres on this machine.") };
    report.line(format!(
        "\nBeside a bare `INSERT .. ON CONFLICT DO NOTHING` a call, and for the commit an `UPDATE`, through the same pool of {CONNECTIONS} connections."
    ));
    let pool = PgPoolOptions::new().max_connections(CONNECTIONS).connect(&server.url()).await.unwrap();
    let store = Arc::new(PostgresStore::with_pool(pool.clone()).connect().await.unwrap());
    sqlx::query(
        "CREATE TABLE bare (key bytea PRIMARY KEY, token bigint NOT NULL, until timestamptz NOT NULL)",
    )
    .execute(&pool)
    .await
    .unwrap();
    const INSERT: &str =
        "INSERT INTO bare VALUES ($1, $2, now() + interval '30 seconds') ON CONFLICT DO NOTHING";
    const UPDATE: &str = "UPDATE bare SET until = now() + interval '72 hours' WHERE key = $1 AND token = $2";
    let run = move |text: &'static str, n: usize| {
        let pool = pool.clone();
        async move {
            let query = sqlx::query(text).bind(key(n).as_bytes().to_vec()).bind(n as i64);
            assert_eq!(query.execute(&pool).await.unwrap().rows_affected(), 1);
        }
    };
    for commits in [false, true] {
        let run = run.clone();
        let bare = move |n: usize| {
            let run = run.clone();
            async move {
                run(INSERT, n).await;
                if commits {
                    run(UPDATE, n).await;
                }
            }
        };
        let name = if commits { "bare INSERT, UPDATE" } else { "bare INSERT" };
        let contenders = [ours(&store, effort, commits), contender(name, effort, bare)];
        compare(report, effort, if commits { "claim + commit" } else { "claim" }, &contenders).await;
    }
}
