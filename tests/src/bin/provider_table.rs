//! Writes the README's table of providers.

use std::{error::Error, fs};

use countersign_tests::{seeds::repository, table::updated};

fn main() -> Result<(), Box<dyn Error>> {
    let path = repository().join("README.md");
    let text = updated(&fs::read_to_string(&path)?).ok_or("README.md has no marks around its table")?;
    Ok(fs::write(path, text)?)
}
