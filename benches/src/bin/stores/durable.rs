//! What the durable stores are measured by: claims for so long, each of a key that was not seen before.

use std::{
    num::NonZeroU64,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use countersign::dedupe::{Claim, Key, Store, Token};
use countersign_benches::rate::{AsyncCall, Effort, Sample, for_length};

use crate::compare::Contender;

const LEASE: Duration = Duration::from_secs(30);
const RETENTION: Duration = Duration::from_secs(72 * 3600);

/// Numbers that no run has had before: a run takes as many as it can need.
static FRESH: AtomicUsize = AtomicUsize::new(0);

pub fn fresh() -> usize {
    FRESH.fetch_add(1 << 32, Relaxed)
}

pub fn key(n: usize) -> Key {
    Key::new("retake", "", [&n.to_le_bytes()])
}

pub fn token(n: usize) -> Token {
    Token::new(NonZeroU64::new(n as u64 + 1).unwrap())
}

/// A store's claims, or claims and commits.
pub fn ours<S: Store>(store: &Arc<S>, effort: Effort, commits: bool) -> Contender<'static> {
    let store = Arc::clone(store);
    contender("countersign", effort, move |n: usize| {
        let store = Arc::clone(&store);
        async move { claim(&*store, n, commits).await }
    })
}

pub async fn claim(store: &impl Store, n: usize, commits: bool) {
    let (key, token) = (key(n), token(n));
    assert_eq!(store.claim(&key, token, LEASE).await.unwrap(), Claim::Claimed);
    if commits {
        store.commit(&key, token, RETENTION).await.unwrap();
    }
}

pub fn contender(name: &'static str, effort: Effort, call: impl AsyncCall) -> Contender<'static> {
    Contender::new(name, move |callers| measure(callers, effort, call.clone()))
}

async fn measure(callers: usize, effort: Effort, call: impl AsyncCall) -> Sample {
    for_length(callers, fresh(), effort.length, call).await
}
