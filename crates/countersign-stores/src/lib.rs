//! Stores for countersign's claims: in memory, in a file, on Redis or Valkey, on Postgres.
//!
//! Each implements [`Store`](countersign_core::dedupe::Store), and is proved by the same
//! [conformance suite](countersign_core::dedupe). Users take them from `countersign`, by features of the same names.

mod clock;
#[cfg(feature = "embedded")]
pub mod embedded;
mod error;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(feature = "redis")]
pub mod redis;

pub use self::{clock::SystemClock, error::SetUpError};

/// A store in this process's memory, by the system's clock. See [`dedupe::MemoryStore`](countersign_core::dedupe::MemoryStore).
pub type MemoryStore = countersign_core::dedupe::MemoryStore<SystemClock>;
