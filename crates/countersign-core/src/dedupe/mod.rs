//! Dedupe: claimed before the handler runs, committed after it succeeded, released when it failed.

#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod key;
mod memory;
mod store;
#[cfg(test)]
pub(crate) mod testing;

pub use self::{
    key::{Key, KeyPart, KeyRule},
    memory::MemoryStore,
    store::{BoxFuture, Claim, Store, StoreFuture, Token},
};
