//! Of many who claim at once, one wins.

use std::{
    future::Future,
    iter,
    num::NonZeroU64,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
};

use super::{
    Flaw, Harness, Verdict,
    probe::{
        Expected::{Claimed, Committed, Done, Fenced},
        Probe, When, token, yield_now,
    },
};
use crate::dedupe::{BoxFuture, Claim, Token};

const KEYS: usize = 1000;
const TAKEN_OVER: usize = 200;
const CLAIMANTS: usize = 64;

/// How often a claimant lets others run at the most while it waits for them. Only for them to claim as close together as
/// can be: a store in which one is held up fails by its answers, not here.
const PATIENCE: usize = 10_000;

/// Of 64 concurrent claims on each of 1,000 keys exactly one is `Claimed` and the others are `InFlight`. Who won can
/// commit, nobody else can.
pub fn exactly_one_wins(harness: &dyn Harness) -> BoxFuture<'_, Verdict> {
    Box::pin(async move {
        let probe = Probe::new(harness, "exactly_one_wins");
        race(harness, &probe, KEYS).await
    })
}

/// The same where each key is there already: claimed under a lease that has ended, or committed for a retention that has.
pub fn exactly_one_takes_over(harness: &dyn Harness) -> BoxFuture<'_, Verdict> {
    Box::pin(async move {
        let (probe, before) = (Probe::new(harness, "exactly_one_takes_over"), token());
        for n in 0..TAKEN_OVER {
            let key = probe.key(n);
            probe.claim(&key, before, probe.unit, Claimed).await?;
            if n % 2 == 0 {
                probe.commit(&key, before, probe.unit, Done).await?;
            }
        }
        harness.advance(probe.past).await;
        race(harness, &probe, TAKEN_OVER).await
    })
}

async fn race(harness: &dyn Harness, probe: &Probe, keys: usize) -> Verdict {
    let race = Arc::new(Race {
        running: AtomicUsize::new(0),
        has_overlapped: AtomicBool::new(false),
        arrived: AtomicUsize::new(0),
        winners: iter::repeat_with(|| AtomicU64::new(0)).take(keys).collect(),
        flaw: Mutex::new(None),
    });
    let claimants: Vec<_> =
        (0..CLAIMANTS).map(|_| harness.spawn(Box::pin(compete(probe.clone(), Arc::clone(&race))))).collect();
    for claimant in claimants {
        claimant.await;
    }
    if let Some(flaw) = race.flaw.lock().unwrap_or_else(PoisonError::into_inner).take() {
        return Err(flaw);
    }
    if !race.has_overlapped.load(Ordering::SeqCst) {
        return Err(Flaw::new("the harness ran its tasks one after the other, not at the same time"));
    }
    for (n, winner) in race.winners.iter().enumerate() {
        let Some(winner) = NonZeroU64::new(winner.load(Ordering::SeqCst)) else {
            return Err(Flaw::new(format_args!("nobody won the key {n}")));
        };
        let key = probe.key(n);
        probe.commit(&key, token(), probe.long, Fenced).await.when("by one who did not win")?;
        probe.commit(&key, Token::new(winner), probe.long, Done).await.when("by the winner")?;
        probe.claim(&key, token(), probe.long, Committed).await.when("after the winner's commit")?;
    }
    Ok(())
}

struct Race {
    running: AtomicUsize,
    has_overlapped: AtomicBool,
    arrived: AtomicUsize,
    winners: Vec<AtomicU64>,
    flaw: Mutex<Option<Flaw>>,
}

impl Race {
    fn fails(&self, flaw: Flaw) {
        self.flaw.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(flaw);
    }

    /// Waits until everybody is at the key `n`, or for long enough.
    fn start(&self, n: usize) -> impl Future<Output = ()> {
        self.arrived.fetch_add(1, Ordering::SeqCst);
        let everybody = n.saturating_add(1).saturating_mul(CLAIMANTS);
        async move {
            for _ in 0..PATIENCE {
                let is_alone = n > 0 && !self.has_overlapped.load(Ordering::SeqCst);
                if is_alone || self.arrived.load(Ordering::SeqCst) >= everybody {
                    break;
                }
                yield_now().await;
            }
        }
    }
}

async fn compete(probe: Probe, race: Arc<Race>) {
    if race.running.fetch_add(1, Ordering::SeqCst) > 0 {
        race.has_overlapped.store(true, Ordering::SeqCst);
    }
    for (n, winner) in race.winners.iter().enumerate() {
        let (key, ours) = (probe.key(n), token());
        race.start(n).await;
        match probe.store.claim(&key, ours, probe.long).await {
            Ok(Claim::Claimed) => {
                let before = winner.swap(ours.get().get(), Ordering::SeqCst);
                if before != 0 {
                    race.fails(Flaw::new(format_args!("the key {n} was claimed by two at once")));
                }
            }
            Ok(Claim::InFlight { .. }) => {}
            answer => {
                let expected = "one of many claims on a key should have been Claimed, the others InFlight";
                race.fails(Flaw::new(format_args!("{expected}; the store answered {answer:?} to one")));
            }
        }
    }
    race.running.fetch_sub(1, Ordering::SeqCst);
}
