//! How much memory a process has.

use std::fmt::Display;

/// Resident bytes of this one.
pub fn resident() -> usize {
    resident_of("self")
}

/// Resident bytes of another.
pub fn resident_of(process: impl Display) -> usize {
    let statm = std::fs::read_to_string(format!("/proc/{process}/statm")).unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}
