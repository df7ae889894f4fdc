//! Real servers on free ports with their data in temporary folders, and proxies that cut, stall and swallow.

mod postgres;
mod program;
mod proxy;
mod redis;

pub use postgres::{PgBouncer, Postgres, PostgresOptions};
pub use program::{Program, Server, free_port, is_root, skipped};
pub use proxy::{Proxy, Then};
pub use redis::{Redis, RedisOptions};
