//! `cargo xtask`: the project's own chores.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a chore tells what it does")]

mod bench;
mod ci;
mod commands;
mod features;
mod fuzz;
mod layers;
mod metadata;
mod msrv;
mod providers;
mod purity;
mod setup;
mod test;

use std::process::ExitCode;

use self::commands::Failure;

/// What a chore takes: the arguments after its name.
type Chore = fn(&[String]) -> Result<(), Failure>;

/// Every chore: its name, what it does, and its work.
const CHORES: &[(&str, &str, Chore)] = &[
    ("test", "set up what tests need, then run every test; arguments go to cargo test", test::run),
    ("bench", "all benchmarks, or one: [speed|stores] [--quick] [its sections ..]", bench::run),
    ("ci", "all that a change must pass, in order", ci::run),
    ("layers", "prove that the crates depend only towards core, and that core is pure", layers::run),
    ("features", "build each published crate with each of its features alone", features::run),
    ("msrv", "prove each published crate's rust-version from its dependencies", msrv::run),
    ("providers", "write the README's table of providers from their descriptions", providers::table),
    ("fuzz-seeds", "write the fuzz targets' seeds from the test vectors", fuzz::seeds),
];

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let Some((name, arguments)) = arguments.split_first() else { return help() };
    let Some((_, _, chore)) = CHORES.iter().find(|(known, ..)| known == name) else { return help() };
    match chore(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask {name}: {failure}");
            failure.exit_code()
        }
    }
}

fn help() -> ExitCode {
    println!("usage: cargo xtask <chore> [arguments]\n");
    for (name, what, _) in CHORES {
        println!("  {name:<12}{what}");
    }
    ExitCode::FAILURE
}
