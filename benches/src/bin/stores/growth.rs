//! What becomes of a store as it fills: each contender in a process of its own, so that its memory can be told.

use std::{process::Command, sync::Arc};

use countersign::MemoryStore;
use countersign_benches::{
    memory::resident,
    rate::{Sample, of_calls},
    table::{Report, rate},
};

use crate::{
    embedded,
    memory::{Claims, Countersign, Dash, Moka, Sharded, keys, names},
};

/// How many claims are measured once it holds its keys.
const MEASURED: usize = 200_000;
pub const CALLERS: usize = 64;

pub fn run(report: &Report, quick: bool) {
    report.line("\n## Growth");
    report.line(format!(
        "\nEach in a process of its own, three times but for the last size, of which the median is shown: filled with committed keys, then {MEASURED} more claims by {CALLERS} callers (and as many \
         as fit in 3 s for the file). Bytes a key are of resident memory; the file's memory is its cache. The last column is how long \
         opening takes after the process was killed."
    ));
    report.head(&[
        "keys held",
        "store",
        "claims a second",
        "slowest claim",
        "bytes a key",
        "opened after a crash in",
    ]);
    let sizes: &[usize] = if quick { &[10_000] } else { &[10_000, 1_000_000, 10_000_000] };
    for size in sizes {
        for contender in ["countersign memory", "sharded map", "moka", "dashmap", "countersign embedded"] {
            let mut runs: Vec<_> = (0..if quick || *size > 1_000_000 { 1 } else { 3 })
                .map(|_| grown(contender, *size))
                .collect();
            runs.sort_by(|(one, _), (other, _)| one.total_cmp(other));
            let (size, (_, cells)) = (size.to_string(), &runs[runs.len() / 2]);
            report.row(&[size.as_str(), contender].into_iter().chain(cells.split('|')).collect::<Vec<_>>());
        }
    }
}

/// A run in a process of its own: its rate, and the cells of its row.
fn grown(contender: &str, size: usize) -> (f64, String) {
    let child = Command::new(std::env::current_exe().unwrap())
        .args([format!("--growth-of={contender}"), size.to_string()])
        .output()
        .unwrap();
    assert!(child.status.success(), "{contender}: {}", String::from_utf8_lossy(&child.stderr));
    let printed = String::from_utf8(child.stdout).unwrap();
    let (rate, cells) = printed.trim().split_once('|').unwrap();
    (rate.parse().unwrap(), cells.to_owned())
}

/// Prints the rate and the cells of one row.
pub async fn child(contender: &str, size: &str) {
    let size: usize = size.parse().unwrap();
    let all = size + MEASURED;
    match contender {
        "countersign memory" => {
            let keys = keys(all);
            grow(size, || Countersign(MemoryStore::new(all), keys)).await;
        }
        "sharded map" => {
            let keys = keys(all);
            grow(size, || Sharded::new(keys)).await;
        }
        "moka" => {
            let names = names(all);
            grow(size, || Moka::new(all, names)).await;
        }
        "dashmap" => {
            let names = names(all);
            grow(size, || Dash::new(names)).await;
        }
        _ => embedded::grow(size).await,
    }
}

async fn grow<C: Claims>(size: usize, new: impl FnOnce() -> C) {
    let before = resident();
    let claims = Arc::new(new());
    for n in 0..size {
        assert!(claims.claim(n).await);
        claims.commit(n).await;
    }
    let bytes = (resident() - before) as f64 / size as f64;
    let sample = of_calls(CALLERS, size, MEASURED, move |n| {
        let claims = Arc::clone(&claims);
        async move { assert!(claims.claim(n).await) }
    })
    .await;
    println!("{}", cells(sample, format!("{bytes:.1}"), "-"));
}

/// A row's rate, and its last cells.
pub fn cells(sample: Sample, bytes: String, opened: &str) -> String {
    format!("{}|{}|{:.2?}|{bytes}|{opened}", sample.rate, rate(sample.rate), sample.slowest)
}
