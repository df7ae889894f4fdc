//! The memory store: the conformance suite, its limit, many threads, a model, and clocks at their extremes.

use std::{
    collections::HashMap,
    num::NonZeroU64,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use proptest::prelude::*;

use super::MemoryStore;
use crate::{
    dedupe::{
        Claim, Key, Store, Token, conformance,
        testing::{ManualClock, Threads, block_on},
    },
    error::StoreError,
    time::{Clock, Timestamp},
};

const LEASE: Duration = Duration::from_secs(30);
const HOUR: Duration = Duration::from_secs(3600);

fn store(limit: usize) -> (MemoryStore<ManualClock>, ManualClock) {
    let clock = ManualClock::default();
    (MemoryStore::with_clock(limit, clock.clone()), clock)
}

fn key(n: usize) -> Key {
    Key::new("test", "", [&n.to_le_bytes()])
}

fn token(n: u64) -> Token {
    Token::new(NonZeroU64::new(n).unwrap())
}

/// A claim's answer in a word.
fn claim(store: &impl Store, n: usize, by: u64, lease: Duration) -> &'static str {
    match block_on(store.claim(&key(n), token(by), lease)) {
        Ok(Claim::Claimed) => "claimed",
        Ok(Claim::Committed) => "committed",
        Ok(Claim::InFlight { .. }) => "in flight",
        Err(StoreError::Full { .. }) => "full",
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn it_passes_the_conformance_suite() {
    let (store, clock) = store(100_000);
    block_on(conformance::run(&Threads { store: Arc::new(store), clock }));
}

#[test]
fn at_its_limit_it_refuses_and_drops_nothing() {
    for limit in [0, 1, 10, 1000, 100_000] {
        let (store, _) = store(limit);
        for n in 0..limit {
            assert_eq!(claim(&store, n, 1, LEASE), "claimed", "key {n} of {limit}");
        }
        for n in limit..limit + 10 {
            assert_eq!(claim(&store, n, 1, LEASE), "full", "key {n} of {limit}");
        }
        for n in 0..limit {
            assert_eq!(claim(&store, n, 2, LEASE), "in flight", "key {n} of {limit}");
        }
        assert_eq!((store.len(), store.is_empty(), store.limit()), (limit, limit == 0, limit));
    }
}

#[test]
fn at_its_limit_it_takes_the_place_of_any_key_that_is_settled_or_expired() {
    let (store, clock) = store(1000);
    for n in 0..1000 {
        // Each ends a second after the one before.
        assert_eq!(claim(&store, n, 1, LEASE + Duration::from_secs(n as u64)), "claimed");
    }
    block_on(store.release(&key(999), token(1))).unwrap();
    assert_eq!(claim(&store, 1000, 1, HOUR * 24), "claimed", "in a released key's place");
    clock.advance(LEASE - Duration::from_millis(1));
    for n in 0..999 {
        let new = 2000 + n;
        assert_eq!(claim(&store, new, 1, HOUR * 24), "full", "a millisecond before the lease of {n} ends");
        clock.advance(Duration::from_millis(1));
        assert_eq!(claim(&store, new, 1, HOUR * 24), "claimed", "when the lease of {n} has ended");
        assert_eq!(claim(&store, new + 1, 1, HOUR * 24), "full", "there was one place only");
        clock.advance(Duration::from_millis(999));
    }
    assert_eq!(store.len(), 1000);
}

#[test]
fn a_commit_moves_a_keys_end_for_the_sweep_as_well() {
    let (store, clock) = store(10_000);
    for n in 0..10_000 {
        assert_eq!(claim(&store, n, 1, LEASE), "claimed");
        block_on(store.commit(&key(n), token(1), if n == 5000 { LEASE * 2 } else { HOUR })).unwrap();
    }
    clock.advance(LEASE);
    assert_eq!(claim(&store, 10_000, 1, HOUR), "full");
    clock.advance(LEASE);
    assert_eq!(claim(&store, 10_000, 1, HOUR), "claimed");
    assert_eq!(claim(&store, 10_001, 1, HOUR), "full");
    clock.advance(HOUR);
    for n in 20_000..30_000 {
        assert_eq!(claim(&store, n, 1, HOUR), "claimed");
    }
    assert_eq!(store.len(), 10_000);
}

#[test]
fn memory_is_given_back_when_much_has_expired() {
    let (store, clock) = store(100_000);
    let capacity = || (0..store.segments.len()).map(|at| store.lock(at).capacity()).sum::<usize>();
    for n in 0..100_000 {
        claim(&store, n, 1, LEASE);
    }
    let full = capacity();
    assert!(full < 115_000, "room for {full} keys was allocated for 100,000");
    clock.advance(LEASE);
    for n in 100_000..110_000 {
        claim(&store, n, 1, LEASE);
    }
    assert!(capacity() < full / 2, "{} of {full}", capacity());
}

#[test]
fn a_key_takes_30_bytes() {
    assert_eq!(size_of::<super::Entry>(), 30);
}

#[test]
fn a_lease_never_ends_early_and_less_than_a_millisecond_late() {
    let clock = ManualClock::at(Duration::from_nanos(123_456_789));
    let store = MemoryStore::with_clock(100, clock.clone());
    clock.advance(Duration::from_nanos(1_000_001));
    assert_eq!(claim(&store, 0, 1, Duration::from_nanos(10_000_001)), "claimed");
    clock.advance(Duration::from_nanos(10_000_000));
    assert_eq!(claim(&store, 0, 2, LEASE), "in flight", "a nanosecond is left");
    clock.advance(Duration::from_nanos(1_000_000));
    assert_eq!(claim(&store, 0, 2, LEASE), "claimed");
}

/// A wall clock that somebody sets, beside time that passes as it does.
struct Set(&'static AtomicUsize, ManualClock);

impl Clock for Set {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_seconds(self.0.load(Ordering::SeqCst) as i64)
    }

    fn elapsed(&self) -> Duration {
        self.1.elapsed()
    }
}

#[test]
fn a_wall_clock_that_jumps_by_an_hour_neither_ends_a_lease_nor_keeps_one() {
    static WALL: AtomicUsize = AtomicUsize::new(7200);
    for jump in [0, 3600, 10_800] {
        let clock = ManualClock::default();
        let store = MemoryStore::with_clock(10, Set(&WALL, clock.clone()));
        assert_eq!(claim(&store, 1, 1, LEASE), "claimed");
        assert_eq!(claim(&store, 2, 1, LEASE), "claimed");
        block_on(store.commit(&key(2), token(1), HOUR)).unwrap();
        WALL.store(jump, Ordering::SeqCst);
        clock.advance(LEASE - Duration::from_millis(1));
        assert_eq!((claim(&store, 1, 2, LEASE), claim(&store, 2, 2, LEASE)), ("in flight", "committed"));
        clock.advance(Duration::from_millis(1));
        assert_eq!((claim(&store, 1, 2, LEASE), claim(&store, 2, 2, LEASE)), ("claimed", "committed"));
        clock.advance(HOUR - LEASE);
        assert_eq!(claim(&store, 2, 2, LEASE), "claimed");
    }
}

#[test]
fn many_threads_share_the_limit_and_the_keys() {
    const THREADS: u64 = 8;
    const LIMIT: usize = 5000;
    let (store, clock) = store(LIMIT);
    for round in 0..4 {
        let claimed = AtomicUsize::new(0);
        thread::scope(|scope| {
            for by in 1..=THREADS {
                let (store, claimed) = (&store, &claimed);
                scope.spawn(move || {
                    for n in 0..2 * LIMIT {
                        if claim(store, round * LIMIT + n, by, LEASE) == "claimed" {
                            claimed.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                });
            }
        });
        assert_eq!((claimed.into_inner(), store.len()), (LIMIT, LIMIT), "round {round}");
        clock.advance(LEASE);
    }
}

#[test]
fn many_threads_settle_and_expire_at_once() {
    const LIMIT: usize = 500;
    let (store, clock) = store(LIMIT);
    thread::scope(|scope| {
        for by in 1..=4 {
            let (store, clock) = (&store, &clock);
            scope.spawn(move || {
                for n in 0..20_000_usize {
                    let n = n.wrapping_mul(by as usize * 2 + 1) % 2000;
                    let fits = match (n + by as usize) % 4 {
                        0 => block_on(store.release(&key(n), token(by))),
                        1 => block_on(store.commit(&key(n), token(by), LEASE)),
                        2 => block_on(store.renew(&key(n), token(by), LEASE)),
                        _ => {
                            claim(store, n, by, LEASE);
                            Ok(())
                        }
                    };
                    assert!(matches!(fits, Ok(()) | Err(StoreError::Fenced)));
                    clock.advance(Duration::from_millis(5));
                }
            });
        }
    });
    let held: usize = (0..store.segments.len()).map(|at| store.lock(at).len()).sum();
    assert_eq!(held, store.len(), "the count is of what is held");
    clock.advance(HOUR);
    for n in 10_000..10_000 + LIMIT {
        assert_eq!(claim(&store, n, 9, LEASE), "claimed");
    }
    assert_eq!(claim(&store, 20_000, 9, LEASE), "full");
}

#[test]
fn no_time_is_too_long() {
    let lengths = [0, 1, 30_000, u64::from(u32::MAX), 1 << 40, 1 << 47, u64::MAX].map(Duration::from_millis);
    let extremes = lengths.into_iter().chain([Duration::MAX, Duration::from_nanos(1)]);
    for start in extremes.clone() {
        for length in extremes.clone() {
            let clock = ManualClock::at(start);
            let store = MemoryStore::with_clock(10, clock.clone());
            assert_eq!(claim(&store, 1, 1, length), "claimed");
            let again = if length.is_zero() { "claimed" } else { "in flight" };
            assert_eq!(claim(&store, 1, 2, length), again, "{start:?} {length:?}");
            clock.advance(length);
            for call in [
                block_on(store.renew(&key(1), token(1), length)),
                block_on(store.commit(&key(1), token(1), length)),
                block_on(store.release(&key(1), token(1))),
            ] {
                assert!(matches!(call, Ok(()) | Err(StoreError::Fenced)));
            }
            clock.advance(Duration::MAX);
            claim(&store, 2, 1, length);
        }
    }
    let (store, _) = store(usize::MAX);
    assert_eq!(claim(&store, 1, 1, LEASE), "claimed");
}

#[derive(Clone, Debug)]
enum Call {
    Claim,
    Renew,
    Commit,
    Release,
    Advance,
}

/// A store as one would write it on a slip of paper.
#[derive(Default)]
struct Model {
    now: u64,
    rows: HashMap<usize, (u64, bool, u64)>,
}

impl Model {
    fn answer(&mut self, limit: usize, call: &Call, n: usize, by: u64, millis: u64) -> String {
        let until = self.now.saturating_add(millis);
        self.rows.retain(|_, (_, _, until)| *until > self.now);
        match (call, self.rows.get(&n).copied()) {
            (Call::Advance, _) => self.now = until,
            (Call::Claim, Some((_, true, _))) => return "Ok(Committed)".into(),
            (Call::Claim, Some((holder, false, until))) if holder != by => {
                return format!(
                    "Ok({:?})",
                    Claim::InFlight { retry_after: Duration::from_millis(until.saturating_sub(self.now)) }
                );
            }
            (Call::Claim, None) if self.rows.len() >= limit => {
                return format!("Err(Full {{ limit: {limit} }})");
            }
            (Call::Claim, _) => {
                self.rows.insert(n, (by, false, until));
                return "Ok(Claimed)".into();
            }
            (Call::Renew, Some((holder, false, _))) if holder == by => {
                self.rows.insert(n, (by, false, until));
            }
            (Call::Commit, Some((holder, _, _))) if holder == by => {
                self.rows.insert(n, (by, true, until));
            }
            (Call::Release, Some((holder, false, _))) if holder == by => {
                self.rows.remove(&n);
            }
            _ => return "Err(Fenced)".into(),
        }
        "Ok(())".into()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn it_answers_as_the_model_does(
        limit in 0_usize..12,
        few in any::<bool>(),
        calls in prop::collection::vec(
            (
                prop_oneof![
                    4 => Just(Call::Claim), 1 => Just(Call::Renew), 2 => Just(Call::Commit),
                    1 => Just(Call::Release), 2 => Just(Call::Advance)
                ],
                0_usize..16, 1_u64..4, 0_u64..50
            ),
            0..400
        )
    ) {
        let (store, clock) = store(limit);
        let mut model = Model::default();
        for (call, n, by, millis) in calls {
            // With three keys the same ones meet more often.
            let n = if few { n % 3 } else { n };
            let (key, token, length) = (key(n), token(by), Duration::from_millis(millis));
            let answer = match call {
                Call::Claim => format!("{:?}", block_on(store.claim(&key, token, length))),
                Call::Renew => format!("{:?}", block_on(store.renew(&key, token, length))),
                Call::Commit => format!("{:?}", block_on(store.commit(&key, token, length))),
                Call::Release => format!("{:?}", block_on(store.release(&key, token))),
                Call::Advance => {
                    clock.advance(length);
                    "Ok(())".into()
                }
            };
            prop_assert_eq!(answer, model.answer(limit, &call, n, by, millis), "{:?} of {} by {}", call, n, by);
            prop_assert!(store.len() <= limit);
        }
    }
}
