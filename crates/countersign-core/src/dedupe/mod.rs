//! Dedupe: claimed before the handler runs, committed after it succeeded, released when it failed.

#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod in_process;
mod key;
mod memory;
mod rule;
mod sound;
mod store;
#[cfg(test)]
pub(crate) mod testing;

pub(crate) use self::sound::Known;
pub use self::{
    in_process::InProcess,
    key::Key,
    memory::MemoryStore,
    rule::{KeyPart, KeyRule},
    store::{BoxFuture, Claim, Store, StoreFuture, Token},
};
