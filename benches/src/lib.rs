//! What the benchmarks share: rates of concurrent callers, medians, tables.

pub mod memory;
pub mod rate;
pub mod table;
pub mod timing;
