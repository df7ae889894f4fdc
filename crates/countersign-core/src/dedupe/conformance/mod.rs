//! The conformance suite that every store passes.
//!
//! A store's tests write a [`Harness`] and call [`run`]:
//!
//! ```no_run
//! use std::{sync::Arc, time::Duration};
//! use countersign_core::dedupe::{BoxFuture, Store, conformance::{self, Harness}};
//!
//! struct OnMyServer {
//!     store: Arc<dyn Store>,
//!     run_id: String,
//! }
//!
//! impl Harness for OnMyServer {
//!     fn store(&self) -> Arc<dyn Store> {
//!         Arc::clone(&self.store)
//!     }
//!     fn run_id(&self) -> &str {
//!         &self.run_id
//!     }
//!     fn unit(&self) -> Duration {
//!         Duration::from_millis(500)
//!     }
//!     fn advance(&self, by: Duration) -> BoxFuture<'_, ()> {
//!         Box::pin(sleep(by))
//!     }
//!     fn spawn(&self, task: BoxFuture<'static, ()>) -> BoxFuture<'static, ()> {
//!         spawned(task)
//!     }
//! }
//!
//! # async fn sleep(_: Duration) {}
//! # fn spawned(task: BoxFuture<'static, ()>) -> BoxFuture<'static, ()> { task }
//! async fn my_store_conforms(harness: OnMyServer) {
//!     conformance::run(&harness).await;
//! }
//! ```
//!
//! Each [check](CHECKS) stands alone, and can be called alone. They keep no keys in common, and none with another run of
//! another [`run_id`](Harness::run_id), so that a server can be shared.

mod apart;
mod cancelled;
mod contention;
mod fencing;
mod lifetime;
mod probe;
#[cfg(test)]
mod tests;

use std::{fmt, future, sync::Arc, time::Duration};

pub use self::{
    apart::keys_stay_apart,
    cancelled::{cancelled_claim_is_made_or_not, cancelled_settling_is_done_or_not},
    contention::{exactly_one_takes_over, exactly_one_wins},
    fencing::{late_calls_are_fenced, others_are_fenced, renewal_after_settling_is_fenced},
    lifetime::{
        commit_is_idempotent, commit_outlives_reopening, keys_are_committed_together, lease_end_frees,
        release_after_commit_is_fenced, release_frees_at_once, renewal_extends, retention_ends,
        same_token_claims_again,
    },
};
use super::{BoxFuture, Store};

/// A store under test, and the world around it.
pub trait Harness: Send + Sync {
    /// The store.
    fn store(&self) -> Arc<dyn Store>;

    /// Stands in every key: a text that no other run on the same server has, be it random or a time.
    fn run_id(&self) -> &str;

    /// The length of the short leases and retentions.
    ///
    /// The checks expect a store to answer within half of it, and wait for about 17 of them in all. A second is ample for
    /// a server on the same machine; by a clock that is moved by hand any length will do.
    fn unit(&self) -> Duration;

    /// Lets time pass for the store: moves its clock, or sleeps where the time is a server's.
    fn advance(&self, by: Duration) -> BoxFuture<'_, ()>;

    /// Starts a task that runs at the same time as others, on threads if there are some. What is returned ends when the
    /// task has.
    fn spawn(&self, task: BoxFuture<'static, ()>) -> BoxFuture<'static, ()>;

    /// Closes a durable store and opens it again, or opens it as if after a crash; [`store`](Self::store) is that one from
    /// then on. `None`, unless overridden, for a store that forgets.
    ///
    /// The check that calls it has let go of the store.
    fn reopen(&self) -> BoxFuture<'_, Option<Arc<dyn Store>>> {
        Box::pin(future::ready(None))
    }
}

/// What a check found.
pub type Verdict = Result<(), Flaw>;

/// One demand on a store.
pub type Check = for<'h> fn(&'h dyn Harness) -> BoxFuture<'h, Verdict>;

/// What a store got wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw(String);

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Flaw {}

/// Every check, with its name.
pub const CHECKS: &[(&str, Check)] = &[
    ("same_token_claims_again", same_token_claims_again),
    ("release_frees_at_once", release_frees_at_once),
    ("lease_end_frees", lease_end_frees),
    ("renewal_extends", renewal_extends),
    ("commit_is_idempotent", commit_is_idempotent),
    ("keys_are_committed_together", keys_are_committed_together),
    ("release_after_commit_is_fenced", release_after_commit_is_fenced),
    ("retention_ends", retention_ends),
    ("others_are_fenced", others_are_fenced),
    ("late_calls_are_fenced", late_calls_are_fenced),
    ("renewal_after_settling_is_fenced", renewal_after_settling_is_fenced),
    ("keys_stay_apart", keys_stay_apart),
    ("commit_outlives_reopening", commit_outlives_reopening),
    ("cancelled_claim_is_made_or_not", cancelled_claim_is_made_or_not),
    ("cancelled_settling_is_done_or_not", cancelled_settling_is_done_or_not),
    ("exactly_one_wins", exactly_one_wins),
    ("exactly_one_takes_over", exactly_one_takes_over),
];

/// Runs every check.
///
/// # Panics
/// When the store fails one: with its name, what was expected and what the store answered.
#[expect(clippy::panic, reason = "a test suite fails by a panic")]
pub async fn run(harness: &dyn Harness) {
    for (name, check) in CHECKS {
        if let Err(flaw) = check(harness).await {
            panic!("the store fails `{name}`: {flaw}");
        }
    }
}
