//! Every test of the workspace: unit tests, integration tests, doc tests, with all features.

use crate::{
    commands::{Cargo, Failure},
    setup,
};

pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    tests(arguments)?.run()
}

/// The command that runs them, all that they need set up.
pub(crate) fn tests(arguments: &[String]) -> Result<Cargo, Failure> {
    let tests = Cargo::new("test --workspace --all-features --locked --no-fail-fast").and(arguments);
    setup::prepare(tests, setup::NEEDS)
}
