//! The harness of the tests that cross crates.

pub mod attack;
pub mod book;
pub mod client;
pub mod descriptions;
pub mod faults;
pub mod handler;
#[cfg(target_os = "linux")]
pub mod heap;
pub mod log;
pub mod seeds;
pub mod server;
pub mod table;
pub mod told;
pub mod vault;
pub mod vector;

/// The README's example compiles.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
