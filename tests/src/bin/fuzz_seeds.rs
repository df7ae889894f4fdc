//! Writes `fuzz/corpus/<target>/` from the vectors.

use std::{fs, io};

use countersign_tests::seeds::{repository, seeds};

fn main() -> io::Result<()> {
    for (name, seeds) in seeds() {
        let folder = repository().join("fuzz/corpus").join(name);
        fs::create_dir_all(&folder)?;
        for (i, seed) in seeds.iter().enumerate() {
            fs::write(folder.join(format!("seed-{i:04}")), seed)?;
        }
        println!("{}: {} seeds", folder.display(), seeds.len());
    }
    Ok(())
}
