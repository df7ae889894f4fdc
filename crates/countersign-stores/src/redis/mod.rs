//! `RedisStore`: claims on Redis or Valkey, one server or a cluster.

mod builder;
mod link;
mod script;
mod server;
mod store;

pub use self::{builder::RedisStoreBuilder, store::RedisStore};
