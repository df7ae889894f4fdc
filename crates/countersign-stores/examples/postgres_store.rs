//! What a `PostgresStore` does per second, beside a bare `INSERT .. ON CONFLICT DO NOTHING` a call through the same pool.
//!
//! `DATABASE_URL=.. cargo run --release -p countersign-stores --features postgres --example postgres_store [seconds [pool [connections]]]`
#![expect(clippy::print_stdout, reason = "the report is what it is for")]

use std::{
    env,
    error::Error,
    num::NonZeroU64,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use countersign_core::dedupe::{Claim, Key, Store, Token};
use countersign_stores::postgres::PostgresStore;
use sqlx::{PgPool, postgres::PgPoolOptions};
use tokio::task::JoinSet;

const LEASE: Duration = Duration::from_secs(600);
const RETENTION: Duration = Duration::from_secs(72 * 3600);

type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let Ok(url) = env::var("DATABASE_URL") else {
        return Err("set DATABASE_URL, such as postgres://postgres@localhost/postgres".into());
    };
    let mut arguments = env::args().skip(1);
    let length = Duration::from_secs(arguments.next().map_or(Ok(3), |seconds| seconds.parse())?);
    let size = arguments.next().map_or(Ok(10), |count| count.parse())?;
    let connections = arguments.next().map_or(Ok(4), |count| count.parse())?;

    let options = PgPoolOptions::new().max_connections(size).test_before_acquire(false);
    let pool = options.acquire_timeout(Duration::from_secs(30)).connect(&url).await?;
    let store = PostgresStore::with_pool(pool.clone()).connections(connections).connect().await?;
    let store = Arc::new(store);
    sqlx::raw_sql(
        "CREATE TABLE IF NOT EXISTS bare_claims (key bytea PRIMARY KEY, token bigint NOT NULL, until timestamptz NOT NULL)",
    )
    .execute(&pool)
    .await?;

    println!("a pool of {size} connections, of which the store uses {connections}; calls a second:");
    println!(
        "{:>8} {:>12} {:>12} {:>8} {:>18}",
        "callers", "bare INSERT", "claim", "ratio", "claim and commit"
    );
    for callers in [1, 16, 64, 256] {
        let bare = {
            let pool = pool.clone();
            rate(callers, length, move |key, token| bare(pool.clone(), key, token)).await?
        };
        let (claiming, committing) = (Arc::clone(&store), Arc::clone(&store));
        let claims =
            rate(callers, length, move |key, token| claim(Arc::clone(&claiming), key, token, false)).await?;
        let commits =
            rate(callers, length, move |key, token| claim(Arc::clone(&committing), key, token, true)).await?;
        let tenths = claims.saturating_mul(10).checked_div(bare).unwrap_or_default();
        println!("{callers:>8} {bare:>12} {claims:>12} {:>6}.{} {commits:>18}", tenths / 10, tenths % 10);
    }
    Ok(())
}

async fn bare(pool: PgPool, key: Key, token: Token) -> Result<(), Failure> {
    let insert =
        "INSERT INTO bare_claims VALUES ($1, $2, now() + interval '10 minutes') ON CONFLICT DO NOTHING";
    let insert = sqlx::query(insert).bind(key.as_bytes().as_slice()).bind(token.get().get().cast_signed());
    match insert.execute(&pool).await?.rows_affected() {
        1 => Ok(()),
        _ => Err("a new key was there".into()),
    }
}

async fn claim(store: Arc<PostgresStore>, key: Key, token: Token, commit: bool) -> Result<(), Failure> {
    match store.claim(&key, token, LEASE).await? {
        Claim::Claimed if commit => Ok(store.commit(&key, token, RETENTION).await?),
        Claim::Claimed => Ok(()),
        other => Err(format!("a new key was {other:?}").into()),
    }
}

/// How many calls a second so many callers make, each with keys of its own.
async fn rate<F: Future<Output = Result<(), Failure>> + Send>(
    callers: usize,
    length: Duration,
    call: impl Fn(Key, Token) -> F + Clone + Send + 'static,
) -> Result<u64, Failure> {
    static NUMBER: AtomicU64 = AtomicU64::new(1);
    let run = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_nanos();
    let (done, started) = (Arc::new(AtomicU64::new(0)), Instant::now());
    let mut tasks = JoinSet::new();
    for _ in 0..callers {
        let (call, done) = (call.clone(), Arc::clone(&done));
        tasks.spawn(async move {
            while started.elapsed() < length {
                let number = NUMBER.fetch_add(1, Ordering::Relaxed);
                let key = Key::new("example", "", [run.to_le_bytes().as_slice(), &number.to_le_bytes()]);
                call(key, Token::new(NonZeroU64::new(number).unwrap_or(NonZeroU64::MIN))).await?;
                done.fetch_add(1, Ordering::Relaxed);
            }
            Ok::<_, Failure>(())
        });
    }
    while let Some(task) = tasks.join_next().await {
        task??;
    }
    let micros = started.elapsed().as_micros();
    let done = u128::from(done.load(Ordering::Relaxed)).saturating_mul(1_000_000);
    Ok(done.checked_div(micros).unwrap_or_default().try_into().unwrap_or(u64::MAX))
}
