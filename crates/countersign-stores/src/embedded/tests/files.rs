//! The file itself: cut short while it is made, moved away, or another one in its place.

use std::fs;

use super::*;
use crate::embedded::ledger::Ledger;

#[test]
fn a_power_cut_while_the_file_is_made_leaves_one_that_opens() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("claims.redb");
    for steps in 0.. {
        let disk = FakeDisk::default();
        disk.fail_after(steps);
        let made = Ledger::open(&disk.storage(), 1 << 20).is_ok();
        for seed in 1..=8 {
            fs::write(&path, disk.after_power_cut(numbers(seed)).bytes()).unwrap();
            let opened = EmbeddedStore::open(&path);
            assert!(opened.is_ok(), "after {steps} steps, seed {seed}: {opened:?}");
        }
        if made {
            break;
        }
    }
}

/// Else a second store could be made in its place, and both would claim.
#[cfg(unix)]
#[tokio::test]
async fn a_file_that_is_not_in_its_place_refuses_claims_until_it_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let (path, elsewhere) = (folder.path().join("claims.redb"), folder.path().join("elsewhere"));
    let store = EmbeddedStore::open(&path).unwrap();
    assert_eq!(claim(&store, 1, 1, DAY).await, "claimed");
    store.commit(&key(1), token(1), DAY).await.unwrap();

    fs::rename(&path, &elsewhere).unwrap();
    assert_eq!(claim(&store, 2, 1, DAY).await, "unavailable");
    assert_eq!(claim(&store, 1, 2, DAY).await, "unavailable");
    assert!(!path.exists(), "it was made anew, without what was committed");

    // As after a volume came back as it was long ago.
    drop(EmbeddedStore::open(&path).unwrap());
    tokio::time::sleep(Duration::from_millis(120)).await;
    assert_eq!(claim(&store, 1, 2, DAY).await, "unavailable");

    fs::rename(&elsewhere, &path).unwrap();
    tokio::time::sleep(Duration::from_millis(120)).await;
    assert_eq!(claim(&store, 1, 2, DAY).await, "committed");
    assert_eq!(claim(&store, 3, 1, DAY).await, "claimed");
}
