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
        "\nBeside a bare `INSERT .. ON CONFLICT DO NOTHING` a call, through the same pool of {CONNECTIONS} connections."
    ));
    let pool = PgPoolOptions::new().max_connections(CONNECTIONS).connect(&server.url()).await.unwrap();
    let store = Arc::new(PostgresStore::with_pool(pool.clone()).connect().await.unwrap());
    sqlx::query(
        "CREATE TABLE bare (key bytea PRIMARY KEY, token bigint NOT NULL, until timestamptz NOT NULL)",
    )
    .execute(&pool)
    .await
    .unwrap();
    let bare = move |n: usize| {
        let pool = pool.clone();
        async move {
            sqlx::query(
                "INSERT INTO bare VALUES ($1, $2, now() + interval '30 seconds') ON CONFLICT DO NOTHING",
            )
            .bind(key(n).as_bytes().as_slice())
            .bind(n as i64)
            .execute(&pool)
            .await
            .unwrap();
        }
    };
    for commits in [false, true] {
        let contenders = [ours(&store, effort, commits), contender("bare INSERT", effort, bare.clone())];
        compare(report, effort, if commits { "claim + commit" } else { "claim" }, &contenders).await;
    }
}
