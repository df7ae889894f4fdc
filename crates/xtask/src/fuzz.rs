//! The fuzz targets' seeds.

use crate::commands::{Cargo, Failure};

/// Writes `fuzz/corpus/<target>/` from the vectors; what is written is what the ordinary tests run over.
pub(crate) fn seeds(_arguments: &[String]) -> Result<(), Failure> {
    Cargo::new("test --locked --package countersign-tests --test fuzz_seeds")
        .and(["--", "--ignored", "--exact", "write_the_corpus", "--nocapture"])
        .run()
}
