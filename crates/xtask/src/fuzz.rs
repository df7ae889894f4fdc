//! The fuzz targets' seeds.

use crate::commands::{Cargo, Failure};

/// Writes `fuzz/corpus/<target>/` from the vectors; what is written is what the ordinary tests run over.
pub(crate) fn seeds(_arguments: &[String]) -> Result<(), Failure> {
    Cargo::new("run --locked --package countersign-tests --bin fuzz_seeds").run()
}
