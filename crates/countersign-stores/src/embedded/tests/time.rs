//! Leases and retentions by clocks that jump.

use super::*;

#[tokio::test]
async fn a_jump_of_the_wall_clock_while_it_is_open_changes_nothing() {
    for jump in [Timestamp::saturating_add, Timestamp::saturating_sub] {
        let clock = ManualClock::default();
        let store = open(&FakeDisk::default(), &clock);
        assert_eq!(claim(&store, 1, 1, LEASE).await, "claimed");
        assert_eq!(claim(&store, 2, 1, LEASE).await, "claimed");
        store.commit(&key(2), token(1), HOUR / 2).await.unwrap();
        clock.set_wall(|wall| jump(wall, HOUR));
        clock.advance(LEASE - Duration::from_millis(1));
        assert_eq!(claim(&store, 1, 2, LEASE).await, "in flight");
        clock.advance(Duration::from_millis(1));
        assert_eq!(claim(&store, 1, 2, LEASE).await, "claimed");
        clock.advance(HOUR / 2 - LEASE - Duration::from_millis(1));
        assert_eq!(claim(&store, 2, 2, LEASE).await, "committed");
        clock.advance(Duration::from_millis(1));
        assert_eq!(claim(&store, 2, 2, LEASE).await, "claimed");
    }
}

#[tokio::test]
async fn a_wall_clock_set_back_between_two_runs_keeps_no_lease_longer() {
    let (disk, clock) = (FakeDisk::default(), ManualClock::default());
    let store = open(&disk, &clock);
    store.claim(&key(2), token(1), LEASE).await.unwrap();
    store.commit(&key(2), token(1), DAY * 2).await.unwrap();
    clock.advance(HOUR * 5);
    assert_eq!(claim(&store, 1, 1, LEASE).await, "claimed");
    drop(store);
    clock.set_wall(|wall| wall.saturating_sub(HOUR));
    clock.restart();
    let store = open(&disk, &clock);
    clock.advance(LEASE - Duration::from_millis(1));
    assert_eq!(claim(&store, 1, 2, LEASE).await, "in flight");
    clock.advance(Duration::from_millis(1));
    assert_eq!(claim(&store, 1, 2, LEASE).await, "claimed");
    clock.advance(HOUR * 43 - LEASE - Duration::from_millis(1));
    assert_eq!(claim(&store, 2, 2, LEASE).await, "committed");
    clock.advance(Duration::from_millis(1));
    assert_eq!(claim(&store, 2, 2, LEASE).await, "claimed");
}

#[tokio::test]
async fn a_wall_clock_set_ahead_between_two_runs_ends_a_retention_by_that_much_earlier() {
    let (disk, clock) = (FakeDisk::default(), ManualClock::default());
    let store = open(&disk, &clock);
    store.claim(&key(1), token(1), LEASE).await.unwrap();
    store.commit(&key(1), token(1), HOUR * 43).await.unwrap();
    drop(store);
    clock.set_wall(|wall| wall.saturating_add(HOUR));
    clock.restart();
    let store = open(&disk, &clock);
    clock.advance(HOUR * 42 - Duration::from_millis(1));
    assert_eq!(claim(&store, 1, 2, LEASE).await, "committed");
    drop(store);
    // Once it is set right, the store's time goes on from where it was.
    clock.set_wall(|wall| wall.saturating_sub(HOUR));
    let store = open(&disk, &clock);
    clock.advance(HOUR);
    assert_eq!(claim(&store, 1, 2, LEASE).await, "claimed");
}

#[tokio::test]
async fn time_between_two_runs_counts() {
    let (disk, clock) = (FakeDisk::default(), ManualClock::default());
    let store = open(&disk, &clock);
    assert_eq!(claim(&store, 1, 1, LEASE).await, "claimed");
    drop(store);
    clock.advance(LEASE - Duration::from_secs(1));
    clock.restart();
    let store = open(&disk, &clock);
    assert_eq!(claim(&store, 1, 2, LEASE).await, "in flight");
    drop(store);
    clock.advance(Duration::from_secs(1));
    let store = open(&disk, &clock);
    assert_eq!(claim(&store, 1, 2, LEASE).await, "claimed");
}

#[tokio::test]
async fn a_lease_never_ends_early_and_less_than_a_millisecond_late() {
    let clock = ManualClock::default();
    clock.advance(Duration::from_nanos(123_456_789));
    let store = open(&FakeDisk::default(), &clock);
    clock.advance(Duration::from_nanos(1_000_001));
    assert_eq!(claim(&store, 0, 1, Duration::from_nanos(10_000_001)).await, "claimed");
    clock.advance(Duration::from_nanos(10_000_000));
    assert_eq!(claim(&store, 0, 2, LEASE).await, "in flight", "a nanosecond is left");
    clock.advance(Duration::from_nanos(1_000_000));
    assert_eq!(claim(&store, 0, 2, LEASE).await, "claimed");
}

#[tokio::test]
async fn no_time_is_too_long() {
    let lengths = [0, 1, 30_000, u64::from(u32::MAX), 1 << 40, 1 << 47, u64::MAX].map(Duration::from_millis);
    let extremes = lengths.into_iter().chain([Duration::MAX, Duration::from_nanos(1)]);
    for start in extremes.clone() {
        for length in extremes.clone() {
            let (disk, clock) = (FakeDisk::default(), ManualClock::default());
            clock.advance(start);
            let store = open(&disk, &clock);
            assert_eq!(claim(&store, 1, 1, length).await, "claimed");
            // Half-way through a millisecond, a lease of no length lasts for the other half.
            let ends_at_once = length.is_zero() && start != Duration::from_nanos(1);
            let again = if ends_at_once { "claimed" } else { "in flight" };
            assert_eq!(claim(&store, 1, 2, length).await, again, "{start:?} {length:?}");
            clock.advance(length);
            for call in [
                store.renew(&key(1), token(1), length).await,
                store.commit(&key(1), token(1), length).await,
                store.release(&key(1), token(1)).await,
            ] {
                assert!(matches!(call, Ok(()) | Err(StoreError::Fenced)));
            }
            clock.advance(Duration::MAX);
            claim(&store, 2, 1, length).await;
            store.purge().await.unwrap();
            drop(store);
            clock.restart();
            claim(&open(&disk, &clock), 2, 1, length).await;
        }
    }
}
