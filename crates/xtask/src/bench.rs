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
    let needs = if name == "speed" { setup::SPEED_NEEDS } else { setup::NEEDS };
    let bench = setup::prepare(cargo("run").and(["--bin", name, "--"]).and(arguments), needs)?;
    // Some start servers that are programs of their own.
    cargo("build").and(["--bins"]).run()?;
    bench.run()
}

/// A command of cargo's in the workspace of the benchmarks.
fn cargo(command: &str) -> Cargo {
    Cargo::new(command)
        .and("--release --locked --manifest-path benches/Cargo.toml --target-dir target/benches".split(' '))
}
