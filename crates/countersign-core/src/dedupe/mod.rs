//! Dedupe: claimed before the handler runs, committed after it succeeded, released when it failed.

#[cfg(feature = "conformance")]
pub mod conformance;
mod key;
mod memory;
mod store;

pub use self::{
    key::{Key, KeyPart, KeyRule},
    store::{BoxFuture, Claim, Store, Token},
};
