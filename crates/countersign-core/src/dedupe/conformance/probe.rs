//! `Probe`: calls a store as a check's reader would say it, and compares the answers.

use std::{
    fmt,
    future::{Future, poll_fn},
    num::NonZeroU64,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::Poll,
    time::Duration,
};

use super::{Flaw, Harness, Verdict};
use crate::{
    dedupe::{Claim, Key, Store, Token},
    error::StoreError,
};

/// A store, and the lengths that a check works with.
#[derive(Clone)]
pub(super) struct Probe {
    pub(super) store: Arc<dyn Store>,
    run_id: String,
    check: &'static str,
    /// A short lease or retention, to be waited for.
    pub(super) unit: Duration,
    /// One that does not end while the check runs.
    pub(super) long: Duration,
    /// Long enough for a unit to have ended on any clock.
    pub(super) past: Duration,
    pub(super) half: Duration,
}

/// What a call is expected to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    Claimed,
    Committed,
    InFlight,
    Done,
    Fenced,
}

impl Probe {
    pub(super) fn new(harness: &dyn Harness, check: &'static str) -> Self {
        let unit = harness.unit();
        Self {
            store: harness.store(),
            run_id: harness.run_id().to_owned(),
            check,
            unit,
            long: unit.saturating_mul(1000),
            past: unit.saturating_mul(5).checked_div(4).unwrap_or(unit),
            half: unit.checked_div(2).unwrap_or(unit),
        }
    }

    /// A key of this check and this run only.
    pub(super) fn key(&self, name: impl fmt::Display) -> Key {
        Key::new("conformance", &self.run_id, [self.check, &name.to_string()])
    }

    pub(super) async fn claim(
        &self,
        key: &Key,
        token: Token,
        lease: Duration,
        expected: Expected,
    ) -> Verdict {
        let answer = self.store.claim(key, token, lease).await;
        let fits = match (&answer, expected) {
            (Ok(Claim::Claimed), Expected::Claimed) | (Ok(Claim::Committed), Expected::Committed) => true,
            (Ok(Claim::InFlight { retry_after }), Expected::InFlight) => *retry_after > Duration::ZERO,
            _ => false,
        };
        if fits { Ok(()) } else { Err(flaw("a claim", expected, &answer)) }
    }

    pub(super) async fn renew(
        &self,
        key: &Key,
        token: Token,
        lease: Duration,
        expected: Expected,
    ) -> Verdict {
        compare("a renewal", &self.store.renew(key, token, lease).await, expected)
    }

    pub(super) async fn commit(
        &self,
        key: &Key,
        token: Token,
        retention: Duration,
        expected: Expected,
    ) -> Verdict {
        compare("a commit", &self.store.commit(key, token, retention).await, expected)
    }

    pub(super) async fn commit_all(
        &self,
        keys: &[Key],
        token: Token,
        retention: Duration,
        expected: Expected,
    ) -> Verdict {
        let answer = self.store.commit_all(keys, token, retention).await;
        compare("a commit of several keys", &answer, expected)
    }

    pub(super) async fn release(&self, key: &Key, token: Token, expected: Expected) -> Verdict {
        compare("a release", &self.store.release(key, token).await, expected)
    }
}

fn compare(call: &str, answer: &Result<(), StoreError>, expected: Expected) -> Verdict {
    match (answer, expected) {
        (Ok(()), Expected::Done) | (Err(StoreError::Fenced), Expected::Fenced) => Ok(()),
        _ => Err(flaw(call, expected, answer)),
    }
}

fn flaw(call: &str, expected: Expected, answer: &dyn fmt::Debug) -> Flaw {
    Flaw::new(format_args!("{call} should have been {expected:?}, the store answered {answer:?}"))
}

impl Flaw {
    pub(super) fn new(what: impl fmt::Display) -> Self {
        Self(what.to_string())
    }
}

/// Says when in a check something happened.
pub(super) trait When {
    fn when(self, moment: impl fmt::Display) -> Self;
}

impl When for Verdict {
    fn when(self, moment: impl fmt::Display) -> Self {
        self.map_err(|Flaw(what)| Flaw(format!("{moment}: {what}")))
    }
}

/// A token unlike those before it, using all of its 64 bits.
pub(super) fn token() -> Token {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    let number = COUNT.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    Token::new(NonZeroU64::new(number).unwrap_or(NonZeroU64::MAX))
}

/// Polls a call so many times at the most, lets others run in between, and drops it.
pub(super) async fn cut_off<T>(call: impl Future<Output = T>, polls: usize) {
    let mut call = pin!(call);
    for _ in 0..polls {
        let ended = poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx).is_ready())).await;
        if ended {
            return;
        }
        yield_now().await;
    }
}

/// Lets others run.
pub(super) async fn yield_now() {
    let mut yielded = false;
    poll_fn(|cx| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
