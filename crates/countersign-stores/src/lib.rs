//! Stores for countersign's claims: in a file, on Redis or Valkey, on Postgres.
//!
//! Each implements [`Store`](countersign_core::dedupe::Store), and is proved by the same
//! [conformance suite](countersign_core::dedupe). Users take them from `countersign`, by features of the same names.

#[cfg(feature = "embedded")]
pub mod embedded;
mod error;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(feature = "redis")]
pub mod redis;

pub use self::error::SetUpError;
