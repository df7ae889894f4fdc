//! What was answered is there after a power cut; a disk that fails stops nothing for longer than it fails.

use std::{
    error::Error,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_claims_share_syncs() {
    let (disk, clock) = (FakeDisk::default(), ManualClock::default());
    let store = Arc::new(open(&disk, &clock));
    let before = disk.syncs();
    disk.stall(true);
    let claims: Vec<_> = (0..256)
        .map(|n| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { claim(&store, n, 1, LEASE).await })
        })
        .collect();
    // The first of them wait for the sync that stalls, and all others for those.
    tokio::time::sleep(Duration::from_millis(200)).await;
    disk.stall(false);
    for claim in claims {
        assert_eq!(claim.await.unwrap(), "claimed");
    }
    let syncs = disk.syncs() - before;
    assert!((1..=8).contains(&syncs), "{syncs} syncs");
}

#[tokio::test]
async fn what_changes_nothing_is_not_written() {
    let (disk, clock) = (FakeDisk::default(), ManualClock::default());
    let store = open(&disk, &clock);
    assert_eq!(claim(&store, 1, 1, LEASE).await, "claimed");
    let before = disk.syncs();
    assert_eq!(claim(&store, 1, 2, LEASE).await, "in flight");
    assert!(store.renew(&key(1), token(2), LEASE).await.is_err());
    assert!(store.commit(&key(2), token(2), LEASE).await.is_err());
    assert_eq!(disk.syncs(), before);
}

/// Eight callers claim, commit and release until `done`, and note what they were answered.
async fn work(store: &Arc<EmbeddedStore>, first: u64, calls: u64) -> Vec<(u64, &'static str)> {
    let answered = Arc::new(Mutex::new(Vec::new()));
    let callers: Vec<_> = (0..8)
        .map(|caller| {
            let (store, answered) = (Arc::clone(store), Arc::clone(&answered));
            tokio::spawn(async move {
                for n in (first + caller..first + calls).step_by(8) {
                    if claim(&store, n, n + 1, DAY).await != "claimed" {
                        continue;
                    }
                    let word = match n % 3 {
                        0 => "in flight",
                        1 => match store.commit(&key(n), token(n + 1), DAY).await {
                            Ok(()) => "committed",
                            Err(_) => continue,
                        },
                        _ => match store.release(&key(n), token(n + 1)).await {
                            Ok(()) => "claimed",
                            Err(_) => continue,
                        },
                    };
                    answered.lock().unwrap().push((n, word));
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    Arc::into_inner(answered).unwrap().into_inner().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_outlives_power_cuts() {
    for seed in 1..=60 {
        let mut random = numbers(seed);
        let (mut disk, clock) = (FakeDisk::default(), ManualClock::default());
        let mut answered = Vec::new();
        for life in 0..3 {
            let store = Arc::new(open(&disk, &clock));
            let calls = 20 + random() % 150;
            answered.extend(work(&store, life * 1000, calls).await);
            // More is under way when the power fails.
            let late: Vec<_> = (0..8)
                .map(|n| {
                    let store = Arc::clone(&store);
                    tokio::spawn(async move { claim(&store, 100_000 * (life + 1) + n, 1, LEASE).await })
                })
                .collect();
            disk = disk.after_power_cut(&mut random);
            for late in late {
                late.await.unwrap();
            }
        }
        let store = open(&disk, &clock);
        for (n, word) in answered {
            assert_eq!(claim(&store, n, 9_999_999, LEASE).await, word, "key {n}, seed {seed}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fails_and_works_again_needs_no_restart() {
    let (disk, clock) = (FakeDisk::default(), ManualClock::default());
    let store = Arc::new(open(&disk, &clock));
    let mut answered = Vec::new();
    for round in 0..10 {
        answered.extend(work(&store, round * 1000, 200).await);
        disk.fail(true);
        for n in 0..20 {
            let error = store.claim(&key(500_000 + n), token(1), LEASE).await.unwrap_err();
            let StoreError::Unavailable { source } = &error else { panic!("{error:?}") };
            let source: &dyn Error = &**source;
            assert!(source.to_string().contains("the disk is broken"), "{source}");
        }
        disk.fail(false);
        tokio::time::sleep(Duration::from_millis(120)).await;
    }
    assert!(answered.len() > 1500, "{}", answered.len());
    for (n, word) in answered {
        assert_eq!(claim(&store, n, 9_999_999, LEASE).await, word, "key {n}");
    }
}

/// Such a sync leaves pages that are read as written, and are not on the disk.
#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_fails_once_loses_nothing_in_a_later_power_cut() {
    for seed in 1..=20 {
        let (disk, clock) = (FakeDisk::default(), ManualClock::default());
        let store = Arc::new(open(&disk, &clock));
        let mut answered = Vec::new();
        for round in 0..5 {
            answered.extend(work(&store, round * 1000, 100).await);
            disk.fail_the_next_sync();
            answered.extend(work(&store, round * 1000 + 500, 60).await);
        }
        assert_eq!(claim(&store, 200_000, 1, DAY).await, "claimed");
        answered.push((200_000, "in flight"));
        let disk = disk.after_power_cut(numbers(seed));
        let store = open(&disk, &clock);
        for (n, word) in answered {
            assert_eq!(claim(&store, n, 9_999_999, LEASE).await, word, "key {n}, seed {seed}");
        }
    }
}

#[tokio::test]
async fn calls_wait_while_the_disk_hangs_and_can_be_given_up() {
    let (disk, clock) = (FakeDisk::default(), ManualClock::default());
    let store = open(&disk, &clock);
    disk.stall(true);
    let timed_out = |n| tokio::time::timeout(Duration::from_millis(50), claim(&store, n, 1, LEASE));
    let (first, second) = tokio::join!(timed_out(1), timed_out(2));
    assert!(first.is_err() && second.is_err());
    // Nobody waits for this one any more when its turn comes.
    let (_, third) = (tokio::task::yield_now().await, timed_out(3).await);
    assert!(third.is_err());
    disk.stall(false);
    assert_eq!(claim(&store, 3, 2, LEASE).await, "claimed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_hung_holds_nobody_up_once_it_works_again() {
    let (disk, clock) = (FakeDisk::default(), ManualClock::default());
    let store = Arc::new(open(&disk, &clock));
    // The second time, all of them are in the transaction that hangs.
    for first in [0, 100] {
        disk.stall(true);
        let claims: Vec<_> = (first..first + 64)
            .map(|n| {
                let store = Arc::clone(&store);
                tokio::spawn(async move { claim(&store, n, 1, LEASE).await })
            })
            .collect();
        tokio::time::sleep(Duration::from_secs(2)).await;
        disk.stall(false);
        for claim in claims {
            assert_eq!(claim.await.unwrap(), "claimed");
        }
    }
    let began = Instant::now();
    assert_eq!(claim(&store, 200, 1, LEASE).await, "claimed");
    assert!(began.elapsed() < Duration::from_millis(200), "{:?}", began.elapsed());
}
