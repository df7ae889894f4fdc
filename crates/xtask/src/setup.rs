//! What tests need besides cargo, made available before they run.

use crate::commands::{Cargo, Failure};

/// Makes it available, and tells the tests' command where it is.
///
/// Tests need nothing but cargo today. What they will need is installed here, and named to them by the environment.
pub(crate) fn prepare(tests: Cargo) -> Result<Cargo, Failure> {
    println!("set-up: nothing beyond cargo is needed");
    Ok(tests)
}
