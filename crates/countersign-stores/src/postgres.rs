//! `PostgresStore`.

/// To be written.
#[derive(Debug)]
pub struct PostgresStore;
