//! What has expired is removed, and its space is used again.

use std::sync::Arc;

use super::*;
use crate::embedded::{
    entry::{Act, Time},
    ledger::{Call, Ledger},
    writer::Writer,
};

async fn fill(store: &Arc<EmbeddedStore>, first: u64, count: u64) {
    let callers: Vec<_> = (0..64)
        .map(|caller| {
            let store = Arc::clone(store);
            tokio::spawn(async move {
                for n in (first + caller..first + count).step_by(64) {
                    assert_eq!(claim(&store, n, 1, LEASE).await, "claimed");
                    store.commit(&key(n), token(1), HOUR).await.unwrap();
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_space_of_expired_keys_is_used_again() {
    const KEYS: u64 = 4000;
    let (disk, clock) = (FakeDisk::default(), ManualClock::default());
    let store = Arc::new(open(&disk, &clock));
    let mut lengths = Vec::new();
    for round in 0..6 {
        fill(&store, round * KEYS, KEYS).await;
        assert_eq!(store.held(), Some(KEYS));
        assert_eq!(store.purge().await.unwrap(), 0, "nothing has expired");
        assert_eq!(store.held(), Some(KEYS));
        clock.advance(HOUR);
        // The store may have removed some by itself.
        assert!(store.purge().await.unwrap() > KEYS / 2);
        assert_eq!(store.held(), Some(0));
        lengths.push(disk.len());
    }
    // Its length goes up and down with what is written at once.
    let first = lengths[0].max(lengths[1]);
    assert!(lengths.iter().all(|length| *length <= first * 2), "the file grew: {lengths:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_keys_are_removed_without_being_asked_for() {
    let (disk, clock) = (FakeDisk::default(), ManualClock::default());
    let mut writer = Writer::new(disk.storage(), 1 << 20, Box::new(clock.clone())).unwrap();
    writer.rest = Duration::from_millis(10);
    let store = Arc::new(EmbeddedStore::start("fake".into(), writer).unwrap());
    fill(&store, 0, 500).await;
    assert_eq!(claim(&store, 1000, 1, DAY).await, "claimed");
    clock.advance(HOUR);
    for _ in 0..1000 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        if store.held() == Some(1) {
            break;
        }
    }
    assert_eq!(store.held(), Some(1));
    assert_eq!(claim(&store, 1000, 2, DAY).await, "in flight");
    // With nothing left to remove, it rests.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let syncs = disk.syncs();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(disk.syncs(), syncs);
}

/// Where every handler fails, each key is claimed and released, and none is held.
#[test]
fn what_waits_in_the_log_has_a_limit_whatever_is_held() {
    let disk = FakeDisk::default();
    let mut ledger = Ledger::open(&disk.storage(), 1 << 20).unwrap();
    let (mut n, mut lengths) = (0_u64, Vec::new());
    for _ in 0..400 {
        let calls = (0..64).map(|call| {
            n += call % 2;
            let act = if call % 2 == 1 { Act::Release } else { Act::Claim(LEASE) };
            let key = key(n - call % 2).as_bytes().first_chunk().copied().unwrap();
            Call { key, token: token(1), act }
        });
        ledger.run(&calls.collect::<Vec<_>>(), &[], false, || Time::since_1970(DAY)).unwrap();
        lengths.push(ledger.recent.len());
    }
    assert_eq!((n, ledger.held()), (400 * 32, 0));
    assert!(lengths.iter().all(|length| *length < 1000), "{:?}", lengths.last());
}
