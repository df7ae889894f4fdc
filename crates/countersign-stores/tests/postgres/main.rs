//! `PostgresStore` on real servers.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests may panic"
)]

mod conformance;

use std::{
    num::NonZeroU64,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use countersign_core::dedupe::{Key, Token};

const LEASE: Duration = Duration::from_secs(30);
const RETENTION: Duration = Duration::from_secs(3600);

/// A key that no other test has.
fn key(name: &str) -> Key {
    Key::new("postgres", "", [name])
}

/// A token unlike those before it.
fn token() -> Token {
    static COUNT: AtomicU64 = AtomicU64::new(u64::MAX / 2);
    Token::new(NonZeroU64::new(COUNT.fetch_add(1, Ordering::Relaxed)).unwrap())
}
