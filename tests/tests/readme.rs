//! What the README says is so.

#![allow(clippy::unwrap_used, reason = "a test tells what it found by panicking")]

use std::fs;

use countersign_tests::{seeds::repository, table::updated};

#[test]
fn the_table_of_providers_is_up_to_date() {
    let text = fs::read_to_string(repository().join("README.md")).unwrap();
    assert!(updated(&text).unwrap() == text, "run `cargo xtask providers`");
}
