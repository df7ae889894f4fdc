//! Each feature of each published crate builds alone, and each crate builds without any.

use crate::{
    commands::{Cargo, Failure},
    metadata,
};

pub(crate) fn run(_arguments: &[String]) -> Result<(), Failure> {
    let metadata = metadata::read()?;
    let mut count = 0_usize;
    for package in metadata::published(&metadata) {
        for feature in std::iter::once("").chain(package.features.keys().map(String::as_str)) {
            let check = format!("check --quiet --locked --package {} --no-default-features", package.name);
            match feature {
                "" => Cargo::new(&check).run()?,
                _ => Cargo::new(&check).and(["--features", feature]).run()?,
            }
            count = count.saturating_add(1);
        }
    }
    println!("features: {count} sets of features build");
    Ok(())
}
