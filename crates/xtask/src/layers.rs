//! The crates depend only towards core, and core on nothing that runs, listens or stores.

use std::collections::BTreeSet;

use crate::{
    commands::{Cargo, Failure},
    metadata, purity,
};

/// Runtimes, sockets, frameworks: nothing that core may know. A name that ends in `*` stands for all that begin so.
const OUTSIDE: &[&str] = &[
    "actix*",
    "async-io",
    "async-std",
    "axum*",
    "futures-executor",
    "futures-util",
    "hyper*",
    "mio",
    "polling",
    "reqwest",
    "smol",
    "socket2",
    "tokio*",
    "tower*",
];
const STORES: &[&str] =
    &["countersign-stores", "fred", "moka", "postgres*", "redb", "redis", "rusqlite", "sqlx*"];
const AXUM: &[&str] = &["axum*", "countersign-axum"];
const ACTIX: &[&str] = &["actix*", "countersign-actix"];

/// A published crate, and what its tree must not name with all features on. Every published crate has a row.
const LAYERS: &[(&str, &[&[&str]])] = &[
    ("countersign-core", &[OUTSIDE, STORES, &["countersign*"]]),
    ("countersign-axum", &[STORES, ACTIX]),
    ("countersign-actix", &[STORES, AXUM]),
    ("countersign-stores", &[AXUM, ACTIX]),
    ("countersign-runtime", &[STORES, AXUM, ACTIX]),
    // The crate that brings all of them together.
    ("countersign", &[]),
];

pub(crate) fn run(_arguments: &[String]) -> Result<(), Failure> {
    let metadata = metadata::read()?;
    for package in metadata::published(&metadata) {
        let Some((name, forbidden)) = LAYERS.iter().find(|(name, _)| *name == package.name.as_str()) else {
            let name = &package.name;
            return Err(Failure::Found(format!(
                "{name} has no row in the table of layers.rs: say what it may not name"
            )));
        };
        check(name, &forbidden.concat())?;
    }
    purity::check("countersign-core")
}

fn check(name: &str, forbidden: &[&str]) -> Result<(), Failure> {
    let tree =
        Cargo::new("tree --locked --all-features --edges normal --target all --prefix none --format {p}");
    let tree = tree.and(["--package", name]).output()?;
    let named: BTreeSet<_> = tree.lines().filter_map(|line| line.split_whitespace().next()).collect();
    if !named.contains(name) {
        return Err(Failure::Found(format!("cargo tree says nothing of {name}")));
    }
    let known: Vec<_> = named.iter().filter(|n| **n != name && matches_any(n, forbidden)).copied().collect();
    if !known.is_empty() {
        return Err(Failure::Found(format!("{name} must not depend on {}", known.join(", "))));
    }
    println!(
        "layers: {name} names {} crates, none of: {}",
        named.len().saturating_sub(1),
        forbidden.join(" ")
    );
    Ok(())
}

fn matches_any(name: &str, patterns: &[&str]) -> bool {
    patterns.iter().any(|pattern| match pattern.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => name == *pattern,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_all_that_begin_so() {
        for (name, forbidden) in [
            ("actix-web", true),
            ("tokio", true),
            ("tokio-util", true),
            ("mio", true),
            ("miow", false),
            ("bytes", false),
        ] {
            assert_eq!(matches_any(name, OUTSIDE), forbidden, "{name}");
        }
    }
}
