//! The README's table of providers.

use crate::commands::{Cargo, Failure};

/// Writes the table, made of the providers' descriptions; a test holds that it is up to date.
pub(crate) fn table(_arguments: &[String]) -> Result<(), Failure> {
    Cargo::new("run --locked --package countersign-tests --bin provider_table").run()
}
