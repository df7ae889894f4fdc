//! Claims in a table of Postgres, 14 and newer, for receivers of many processes and machines.
//!
//! The claims of callers who wait at the same time share one statement and one commit, so that many of them cost little
//! more than one. [`PostgresStore::claim_in`] claims within a transaction of your own: the effect and the record of it are
//! committed together.
//!
//! # What counts
//!
//! - **Time** is the server's, `clock_timestamp()`. A server whose clock jumps ahead ends leases and retentions early.
//! - **A crash** of the server loses no claim that was answered: it is asked for `fsync`, `full_page_writes` and
//!   `synchronous_commit` at the start. **A fail-over** to an asynchronous replica loses the last claims and commits, and what
//!   was handled in them is handled again; a synchronous one (`synchronous_standby_names`) keeps them.
//! - **A pooler** in transaction mode, such as PgBouncer, may stand in between: no statement is prepared and nothing is kept
//!   in a session.
//! - **Locks**: a statement takes up to 128 advisory locks until it ends, of the numbers that the keys' first 8 bytes are.
//!   `claim_in` takes one a key until your transaction ends. With far more than 64 statements at once from all processes
//!   together, raise `max_locks_per_transaction`.
//! - **Space**: some 200 bytes a key. Expired keys are removed little by little, by one process at a time, and autovacuum makes their place
//!   free for others. A transaction that is left open for hours keeps it from that, as it does for any table.
//!
//! # The role
//!
//! It makes the tables when it may. Where they are made by somebody else, from [`PostgresStore::MIGRATIONS`], it
//! needs `SELECT, INSERT, UPDATE, DELETE` on `countersign_claims`, `SELECT, UPDATE` on `countersign_state`, and `USAGE` of
//! their schema.

mod builder;
mod lane;
mod session;
mod set_up;
mod statement;
mod store;
mod sweep;

pub use self::{builder::PostgresStoreBuilder, store::PostgresStore};
