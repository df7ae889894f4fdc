//! What a `MemoryStore` costs: resident bytes a key, claims per second, the slowest claim seen.
//!
//! Fails when a million keys or more take more than 40 bytes each. Times are shown, and judged by nobody.
//!
//! `cargo run --release -p countersign-core --example memory_store [keys [claim|commit [threads]]]`, on Linux.
#![expect(clippy::print_stdout, reason = "the report is what it is for")]

use std::{
    env,
    error::Error,
    fs,
    future::Future,
    num::NonZeroU64,
    pin::pin,
    task::{Context, Poll, Waker},
    thread,
    time::{Duration, Instant, SystemTime},
};

use countersign_core::{
    Clock, StoreError, Timestamp,
    dedupe::{Claim, Key, MemoryStore, Store, Token},
};

const LEASE: Duration = Duration::from_secs(600);
const RETENTION: Duration = Duration::from_secs(72 * 3600);
/// What a key may take, in tenths of a byte.
const MOST_TENTHS: usize = 400;
/// The page size of x86-64 and of most other Linux systems.
const PAGE: usize = 4096;

struct SystemClock(Instant);

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        SystemTime::now().into()
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// How one thread fared.
struct Tally {
    busy: Duration,
    slowest: Duration,
    slow: usize,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let keys: usize = arguments.next().map_or(Ok(1_000_000), |keys| keys.parse())?;
    let commit = arguments.next().is_some_and(|word| word == "commit");
    let threads: usize = arguments.next().map_or(Ok(1), |threads| threads.parse())?;

    let before = resident()?;
    let store = MemoryStore::with_clock(keys, SystemClock(Instant::now()));
    let share = keys.checked_div(threads).unwrap_or_default();
    let tallies: Vec<_> = thread::scope(|scope| {
        let runs: Vec<_> = (0..threads)
            .map(|thread| {
                let store = &store;
                scope.spawn(move || fill(store, thread.saturating_mul(share), share, commit))
            })
            .collect();
        runs.into_iter().map(|run| run.join().map_err(|_| "a thread panicked")).collect()
    });
    let bytes = resident()?.saturating_sub(before);
    let tallies: Vec<Tally> =
        tallies.into_iter().map(|run| run?.map_err(Box::<dyn Error>::from)).collect::<Result<_, _>>()?;

    let busy = tallies.iter().map(|tally| tally.busy).max().unwrap_or_default();
    let slowest = tallies.iter().map(|tally| tally.slowest).max().unwrap_or_default();
    let slow: usize = tallies.iter().map(|tally| tally.slow).sum();
    let per_second =
        (store.len() as u128).saturating_mul(1_000_000).checked_div(busy.as_micros()).unwrap_or_default();
    let tenths = bytes.saturating_mul(10).checked_div(store.len()).unwrap_or_default();
    println!(
        "{} keys {}, {threads} threads: {}.{} bytes a key, {per_second} a second, slowest claim {slowest:?}, \
         {slow} claims above 1 ms",
        store.len(),
        if commit { "claimed and committed" } else { "claimed" },
        tenths / 10,
        tenths % 10,
    );

    let clock = Instant::now();
    let refused = (0..100_000_u64).filter(|n| {
        let key = Key::new("refused", "", [&n.to_le_bytes()]);
        matches!(now(store.claim(&key, Token::new(NonZeroU64::MIN), LEASE)), Err(StoreError::Full { .. }))
    });
    println!("{} claims refused at the limit in {:?}, keys included", refused.count(), clock.elapsed());
    // With fewer keys, the tables that are there from the start count for too much.
    match keys >= 1_000_000 && tenths > MOST_TENTHS {
        true => Err("more than 40 bytes a key".into()),
        false => Ok(()),
    }
}

fn fill<S: Store>(store: &S, first: usize, count: usize, commit: bool) -> Result<Tally, StoreError> {
    let mut tally = Tally { busy: Duration::ZERO, slowest: Duration::ZERO, slow: 0 };
    let end = first.saturating_add(count);
    let mut at = first;
    while at < end {
        // Keys are made outside the measured time, a batch at a time, so that they take no memory to speak of.
        let next = at.saturating_add(1000).min(end);
        let batch: Vec<_> = (at..next)
            .map(|n| {
                let token = NonZeroU64::new(n as u64).unwrap_or(NonZeroU64::MAX);
                (Key::new("example", "", [&n.to_le_bytes()]), Token::new(token))
            })
            .collect();
        let mut last = Instant::now();
        for (key, token) in &batch {
            if now(store.claim(key, *token, LEASE))? != Claim::Claimed {
                return Err(StoreError::Fenced);
            }
            if commit {
                now(store.commit(key, *token, RETENTION))?;
            }
            let done = Instant::now();
            let took = done.duration_since(last);
            tally.busy = tally.busy.saturating_add(took);
            tally.slowest = tally.slowest.max(took);
            tally.slow = tally.slow.saturating_add(usize::from(took > Duration::from_millis(1)));
            last = done;
        }
        at = next;
    }
    Ok(tally)
}

/// The result of a future that has nothing to wait for.
fn now<T>(future: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(StoreError::TimedOut),
    }
}

fn resident() -> Result<usize, Box<dyn Error>> {
    let statm = fs::read_to_string("/proc/self/statm")?;
    let pages: usize = statm.split_whitespace().nth(1).ok_or("no resident pages in statm")?.parse()?;
    Ok(pages.saturating_mul(PAGE))
}
