//! `RedisStore`.

/// To be written.
#[derive(Debug)]
pub struct RedisStore;
