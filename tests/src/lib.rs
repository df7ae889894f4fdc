//! The harness of the tests that cross crates.

pub mod client;
pub mod handler;
pub mod seeds;
pub mod server;
pub mod vector;
