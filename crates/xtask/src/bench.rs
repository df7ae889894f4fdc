//! Benchmarks: this project beside its floors and its peers, in a workspace of their own.

use crate::{
    commands::{Cargo, Failure},
    setup,
};

/// Every benchmark by name.
const BENCHMARKS: &[&str] = &["speed", "stores"];

pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let Some((name, arguments)) =
        arguments.split_first().filter(|(name, _)| BENCHMARKS.contains(&name.as_str()))
    else {
        return Err(Failure::Found(format!("which one? {}", BENCHMARKS.join(", "))));
    };
    setup::prepare(bench(name).and(arguments))?.run()
}

/// The command of one, without its set-up.
fn bench(name: &str) -> Cargo {
    Cargo::new("run --release --locked --manifest-path benches/Cargo.toml --target-dir target/benches")
        .and(["--bin", name, "--"])
}
