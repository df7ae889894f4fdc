//! The embedded store on disks that fail, by clocks that jump, and against a model.
#![expect(clippy::arithmetic_side_effects, reason = "a test's sums are small, and fail it when they are not")]

mod crash;
mod fake;
mod faults;
mod files;
mod model;
mod space;
mod time;

use std::{
    num::NonZeroU64,
    sync::{Arc, Mutex},
    time::Duration,
};

use countersign_core::{
    Clock, StoreError, Timestamp,
    dedupe::{Claim, Key, Store, Token},
};

use self::fake::FakeDisk;
use super::EmbeddedStore;

const LEASE: Duration = Duration::from_secs(30);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);

/// A wall clock and a monotonic one, each moved by hand. Clones are the same clocks.
#[derive(Clone, Debug)]
struct ManualClock(Arc<Mutex<(Timestamp, Duration)>>);

impl Default for ManualClock {
    fn default() -> Self {
        Self(Arc::new(Mutex::new((Timestamp::from_unix_seconds(1_700_000_000), Duration::from_secs(5)))))
    }
}

impl ManualClock {
    /// Time passes, by both clocks.
    fn advance(&self, by: Duration) {
        let mut clocks = self.0.lock().unwrap();
        *clocks = (clocks.0.saturating_add(by), clocks.1.saturating_add(by));
    }

    fn set_wall(&self, change: impl FnOnce(Timestamp) -> Timestamp) {
        let mut clocks = self.0.lock().unwrap();
        clocks.0 = change(clocks.0);
    }

    /// As a monotonic clock is after the machine has started again.
    fn restart(&self) {
        self.0.lock().unwrap().1 = Duration::ZERO;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.0.lock().unwrap().0
    }

    fn elapsed(&self) -> Duration {
        self.0.lock().unwrap().1
    }
}

fn open(disk: &FakeDisk, clock: &ManualClock) -> EmbeddedStore {
    EmbeddedStore::builder("fake").clock(clock.clone()).open_storage(disk.storage()).unwrap()
}

fn key(n: u64) -> Key {
    Key::new("test", "", [&n.to_le_bytes()])
}

fn token(n: u64) -> Token {
    Token::new(NonZeroU64::new(n).unwrap())
}

/// A claim's answer in a word.
async fn claim(store: &EmbeddedStore, n: u64, by: u64, lease: Duration) -> &'static str {
    match store.claim(&key(n), token(by), lease).await {
        Ok(Claim::Claimed) => "claimed",
        Ok(Claim::Committed) => "committed",
        Ok(_) => "in flight",
        Err(StoreError::Unavailable { .. }) => "unavailable",
        Err(error) => panic!("{error}"),
    }
}

/// The numbers that follow from a seed, as good as random (xorshift64*).
fn numbers(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }
}
