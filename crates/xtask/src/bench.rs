//! Benchmarks: this project beside its floors and its peers, in a workspace of their own.

use crate::{
    commands::{Cargo, Failure},
    setup,
};

/// Every benchmark by name.
const BENCHMARKS: &[&str] = &["speed", "stores"];

/// One by name, with arguments of its own; or all.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    match arguments.split_first() {
        Some((name, arguments)) if BENCHMARKS.contains(&name.as_str()) => one(name, arguments),
        Some((name, _)) if !name.starts_with("--") => {
            Err(Failure::Found(format!("there is no {name}: {}, or all", BENCHMARKS.join(", "))))
        }
        _ => BENCHMARKS.iter().try_for_each(|name| one(name, arguments)),
    }
}

fn one(name: &str, arguments: &[String]) -> Result<(), Failure> {
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
