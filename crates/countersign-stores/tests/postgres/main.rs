//! `PostgresStore` on real servers.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests may panic"
)]

mod claim_in;
mod expiry;
mod faults;
mod set_up;
mod sharing;
mod tls;

use std::{
    num::NonZeroU64,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use countersign_core::dedupe::{Key, Token};
use sqlx::{AssertSqlSafe, PgPool, Row, postgres::PgPoolOptions};

const LEASE: Duration = Duration::from_secs(30);
const RETENTION: Duration = Duration::from_secs(3600);

/// A key that no other test on the same server has.
fn key(name: impl std::fmt::Display) -> Key {
    Key::new("postgres", "", [&name.to_string()])
}

/// A token unlike those before it.
fn token() -> Token {
    static COUNT: AtomicU64 = AtomicU64::new(u64::MAX / 2);
    Token::new(NonZeroU64::new(COUNT.fetch_add(1, Ordering::Relaxed)).unwrap())
}

/// A pool as a user has one.
async fn pool(url: &str) -> PgPool {
    PgPoolOptions::new().max_connections(20).connect(url).await.unwrap()
}

/// The number that a statement answers.
async fn number(pool: &PgPool, statement: &str) -> i64 {
    let row = sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).fetch_one(pool).await.unwrap();
    row.try_get_unchecked(0).unwrap()
}

async fn execute(pool: &PgPool, statements: &str) {
    sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(pool).await.unwrap();
}
