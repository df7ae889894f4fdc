//! Measures claims a second beside bare `SET NX PX` through the same client.
//!
//! `cargo run --release -p countersign-stores --features redis --example redis_store [URL]`; without a URL it starts a server.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::float_arithmetic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement ends at what it did not expect"
)]

use std::{
    error::Error,
    num::NonZeroU64,
    sync::Arc,
    time::{Duration, Instant},
};

use countersign_core::dedupe::{Claim, Key, Store, Token};
use countersign_stores::redis::RedisStore;
use redis::{Client, Value, aio::MultiplexedConnection, cmd};
use testbed::Redis;

const CALLS: u64 = 60_000;
const ROUNDS: usize = 7;
const LEASE: Duration = Duration::from_secs(30);
const RETENTION: Duration = Duration::from_secs(600);

#[derive(Clone, Copy, Debug)]
enum Load {
    Set,
    Claim,
    ClaimAndCommit,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let given = std::env::args().nth(1);
    let server = if given.is_none() { Redis::start() } else { None };
    let url = given.or(server.as_ref().map(Redis::url)).ok_or("no server")?;
    let store = Arc::new(RedisStore::connect(url.as_str()).await?);
    let bare = Client::open(url)?.get_multiplexed_async_connection().await?;
    println!("callers  SET NX PX/s  claims/s  ratio  claims and commits/s");
    for callers in [1, 16, 64, 256] {
        let mut rates = [const { Vec::new() }; 3];
        for _ in 0..ROUNDS {
            // In turn, so that what else the machine does meets them all.
            for (load, rates) in [Load::Set, Load::Claim, Load::ClaimAndCommit].into_iter().zip(&mut rates) {
                rates.push(rate(load, callers, &store, &bare).await?);
            }
        }
        let [sets, claims, both] = rates.map(median);
        println!("{callers:>7}  {sets:>11.0}  {claims:>8.0}  {:>5.2}  {both:>20.0}", claims / sets);
    }
    Ok(())
}

async fn rate(
    load: Load,
    callers: u64,
    store: &Arc<RedisStore>,
    bare: &MultiplexedConnection,
) -> Result<f64, Box<dyn Error>> {
    let calls = if callers == 1 { CALLS / 10 } else { CALLS / callers };
    let started = Instant::now();
    let tasks: Vec<_> = (0..callers)
        .map(|caller| tokio::spawn(work(load, caller, calls, Arc::clone(store), bare.clone())))
        .collect();
    for task in tasks {
        task.await?;
    }
    let rate = (callers * calls) as f64 / started.elapsed().as_secs_f64();
    let _: Value = cmd("FLUSHALL").query_async(&mut bare.clone()).await?;
    Ok(rate)
}

async fn work(load: Load, caller: u64, calls: u64, store: Arc<RedisStore>, mut bare: MultiplexedConnection) {
    for call in 0..calls {
        // Both pay for the key: a receiver has made its own before it claims.
        let key = Key::new("bench", "", [&caller.to_le_bytes(), &call.to_le_bytes()]);
        let token = Token::new(NonZeroU64::MIN.saturating_add(call));
        if let Load::Set = load {
            let mut set = cmd("SET");
            set.arg(format!("countersign:{key}")).arg(&[b'c'; 9]).arg("NX").arg("PX").arg(30_000);
            assert_eq!(set.query_async::<Value>(&mut bare).await.unwrap(), Value::Okay);
            continue;
        }
        assert_eq!(store.claim(&key, token, LEASE).await.unwrap(), Claim::Claimed);
        if let Load::ClaimAndCommit = load {
            store.commit(&key, token, RETENTION).await.unwrap();
        }
    }
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}
