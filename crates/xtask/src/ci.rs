//! All that a change must pass, in order: each step reuses what those before it built.

use std::time::Instant;

use crate::{
    bench,
    commands::{Cargo, Failure},
    features, layers, msrv, test,
};

/// Every step: its name and its work, which may leave lines for the end.
type Step = (&'static str, fn(&mut Vec<String>) -> Result<(), Failure>);

const STEPS: &[Step] = &[
    ("format", |_| Cargo::new("fmt --all --check").run()),
    ("clippy", |_| {
        Cargo::new("clippy --workspace --all-targets --all-features --locked -- -D warnings").run()
    }),
    ("docs", |_| {
        Cargo::new("doc --workspace --no-deps --all-features --locked")
            .env("RUSTDOCFLAGS", "-D warnings")
            .run()
    }),
    ("features", |_| features::run(&[])),
    ("fuzz", |_| {
        Cargo::new(
            "check --locked --manifest-path fuzz/Cargo.toml --no-default-features --target-dir target/fuzz",
        )
        .run()
    }),
    ("layers", |_| layers::run(&[])),
    ("msrv", |_| msrv::run(&[])),
    // The README's two commands.
    ("test", |results| {
        test::tests(&[])?.run_watched(|line| {
            let told = ["test result: ", "faults "].iter().any(|beginning| line.starts_with(beginning));
            results.extend(told.then(|| line.to_owned()));
        })
    }),
    ("memory", |_| {
        Cargo::new("run --release --locked --package countersign-core --example memory_store")
            .and(["10000000", "commit", "2"])
            .run()
    }),
    ("bench", |_| bench::run(&["--quick".to_owned()])),
    ("quickstart", |_| {
        Cargo::new("run --release --locked --package countersign-examples --bin quickstart").run()
    }),
];

pub(crate) fn run(_arguments: &[String]) -> Result<(), Failure> {
    let (mut summary, mut results) = (Vec::new(), Vec::new());
    let started = Instant::now();
    for (name, step) in STEPS {
        println!("\n==> {name}");
        let began = Instant::now();
        let ended = step(&mut results);
        let verdict = if ended.is_ok() { "passed" } else { "FAILED" };
        summary.push(format!("{name:<12}{verdict}, {} s", began.elapsed().as_secs()));
        if let Err(failure) = ended {
            tell(&summary, &results);
            return Err(failure);
        }
    }
    tell(&summary, &results);
    println!("\nall {} steps passed in {} s", STEPS.len(), started.elapsed().as_secs());
    Ok(())
}

fn tell(summary: &[String], results: &[String]) {
    println!("\n==> summary");
    summary.iter().chain(results).for_each(|line| println!("{line}"));
}
