//! Claimed, renewed, committed, released: how long a key is held.

use std::time::Duration;

use super::{
    Flaw, Harness, Verdict,
    probe::{
        Expected::{Claimed, Committed, Done, Fenced, InFlight},
        Probe, When, token,
    },
};
use crate::dedupe::{BoxFuture, Claim};

/// A key that a token holds can be claimed by that token again, and the lease starts anew. Nobody else can claim it.
pub fn same_token_claims_again(harness: &dyn Harness) -> BoxFuture<'_, Verdict> {
    Box::pin(async move {
        let probe = Probe::new(harness, "same_token_claims_again");
        let (key, ours, other) = (probe.key(""), token(), token());
        probe.claim(&key, ours, probe.unit, Claimed).await?;
        probe.claim(&key, other, probe.unit, InFlight).await?;
        probe.claim(&key, ours, probe.long, Claimed).await.when("by the token that holds the key")?;
        probe.claim(&key, other, probe.unit, InFlight).await?;
        harness.advance(probe.past).await;
        probe.claim(&key, other, probe.unit, InFlight).await.when("under the second lease")?;
        probe.commit(&key, ours, probe.long, Done).await?;
        probe.claim(&key, ours, probe.unit, Committed).await.when("by the token that committed the key")
    })
}

/// A released key is free at once, and the token that released it does not hold it any more.
pub fn release_frees_at_once(harness: &dyn Harness) -> BoxFuture<'_, Verdict> {
    Box::pin(async move {
        let probe = Probe::new(harness, "release_frees_at_once");
        let (key, first, second) = (probe.key(""), token(), token());
        probe.claim(&key, first, probe.long, Claimed).await?;
        probe.release(&key, first, Done).await?;
        probe.release(&key, first, Fenced).await.when("released before")?;
        probe.commit(&key, first, probe.long, Fenced).await.when("released before")?;
        probe.claim(&key, second, probe.long, Claimed).await.when("after the release")?;
        probe.release(&key, second, Done).await?;
        probe.claim(&key, first, probe.long, Claimed).await.when("after the second release")
    })
}

/// A lease is kept to its end, and what is left of it is said to the others; then the key is free.
pub fn lease_end_frees(harness: &dyn Harness) -> BoxFuture<'_, Verdict> {
    Box::pin(async move {
        let probe = Probe::new(harness, "lease_end_frees");
        let (key, first, second) = (probe.key(""), token(), token());
        probe.claim(&key, first, probe.unit, Claimed).await?;
        harness.advance(probe.half).await;
        // A server may keep its leases in whole milliseconds.
        let most = probe.unit.saturating_add(Duration::from_millis(1));
        match probe.store.claim(&key, second, probe.unit).await {
            Ok(Claim::InFlight { retry_after }) if !retry_after.is_zero() && retry_after <= most => {}
            answer => {
                let lease = probe.unit;
                return Err(Flaw::new(format_args!(
                    "half-way through a lease of {lease:?}: a claim should have been InFlight, \
                     retry_after no longer than that lease; the store answered {answer:?}"
                )));
            }
        }
        harness.advance(probe.past).await;
        probe.claim(&key, second, probe.unit, Claimed).await.when("after the lease")?;
        probe.claim(&key, first, probe.unit, InFlight).await.when("under the second lease")
    })
}

/// A renewed lease ends later than it would have, and does end.
pub fn renewal_extends(harness: &dyn Harness) -> BoxFuture<'_, Verdict> {
    Box::pin(async move {
        let probe = Probe::new(harness, "renewal_extends");
        let (key, ours, other) = (probe.key(""), token(), token());
        probe.claim(&key, ours, probe.unit.saturating_mul(2), Claimed).await?;
        for _ in 0..3 {
            harness.advance(probe.unit).await;
            probe.renew(&key, ours, probe.unit.saturating_mul(2), Done).await?;
            probe.claim(&key, other, probe.unit, InFlight).await.when("under a renewed lease")?;
        }
        harness.advance(probe.past.saturating_mul(2)).await;
        probe.claim(&key, other, probe.unit, Claimed).await.when("after a renewed lease")
    })
}

/// What was committed can be committed again by the same token, and stays committed.
pub fn commit_is_idempotent(harness: &dyn Harness) -> BoxFuture<'_, Verdict> {
    Box::pin(async move {
        let probe = Probe::new(harness, "commit_is_idempotent");
        let (key, ours) = (probe.key(""), token());
        probe.claim(&key, ours, probe.long, Claimed).await?;
        for _ in 0..3 {
            probe.commit(&key, ours, probe.long, Done).await?;
            probe.claim(&key, token(), probe.unit, Committed).await?;
        }
        Ok(())
    })
}

/// The keys of one delivery that are committed together are all committed, and again when they are committed again; a token
/// that does not hold one of them is refused.
pub fn keys_are_committed_together(harness: &dyn Harness) -> BoxFuture<'_, Verdict> {
    Box::pin(async move {
        let probe = Probe::new(harness, "keys_are_committed_together");
        let (keys, ours, other) = ([0, 1, 2, 3].map(|n| probe.key(n)), token(), token());
        let [held @ .., lost] = &keys;
        for key in &keys {
            probe.claim(key, ours, probe.long, Claimed).await?;
        }
        probe.commit_all(&keys, other, probe.long, Fenced).await.when("by another token")?;
        probe.release(lost, ours, Done).await?;
        probe.claim(lost, other, probe.long, Claimed).await?;
        probe.commit_all(&keys, ours, probe.long, Fenced).await.when("one of them is held by another")?;
        probe.claim(lost, ours, probe.long, InFlight).await.when("after a refused commit of several keys")?;
        for _ in 0..2 {
            probe.commit_all(held, ours, probe.long, Done).await?;
            for key in held {
                probe.claim(key, other, probe.long, Committed).await.when("committed with others")?;
            }
        }
        probe.commit_all(&[], ours, probe.long, Done).await.when("of no key")
    })
}

/// What was committed cannot be released.
pub fn release_after_commit_is_fenced(harness: &dyn Harness) -> BoxFuture<'_, Verdict> {
    Box::pin(async move {
        let probe = Probe::new(harness, "release_after_commit_is_fenced");
        let (key, ours) = (probe.key(""), token());
        probe.claim(&key, ours, probe.long, Claimed).await?;
        probe.commit(&key, ours, probe.long, Done).await?;
        probe.release(&key, ours, Fenced).await.when("after the commit")?;
        probe.claim(&key, token(), probe.unit, Committed).await.when("after a refused release")
    })
}

/// A committed key stays so beyond the end of the lease it was claimed under, until its retention ends; then it is free.
pub fn retention_ends(harness: &dyn Harness) -> BoxFuture<'_, Verdict> {
    Box::pin(async move {
        let probe = Probe::new(harness, "retention_ends");
        let (key, kept, first, second) = (probe.key("short"), probe.key("long"), token(), token());
        for (key, retention) in [(&kept, probe.long), (&key, probe.unit.saturating_mul(3))] {
            probe.claim(key, first, probe.unit, Claimed).await?;
            probe.commit(key, first, retention, Done).await?;
        }
        harness.advance(probe.past).await;
        probe.claim(&key, second, probe.unit, Committed).await.when("after the lease, in the retention")?;
        harness.advance(probe.unit.saturating_mul(2)).await;
        probe.commit(&key, first, probe.long, Fenced).await.when("after the retention")?;
        probe.claim(&key, second, probe.unit, Claimed).await.when("after the retention")?;
        probe.claim(&kept, second, probe.unit, Committed).await.when("in the longer retention")
    })
}

/// What was committed stays committed, and what is claimed stays claimed, when the store is closed and opened again.
///
/// Passes for a store that says it forgets: whose [`Harness::reopen`] is `None`.
pub fn commit_outlives_reopening(harness: &dyn Harness) -> BoxFuture<'_, Verdict> {
    Box::pin(async move {
        let probe = Probe::new(harness, "commit_outlives_reopening");
        let (committed, claimed, released) =
            (probe.key("committed"), probe.key("claimed"), probe.key("released"));
        let ours = token();
        for key in [&committed, &claimed, &released] {
            probe.claim(key, ours, probe.long, Claimed).await?;
        }
        probe.commit(&committed, ours, probe.long, Done).await?;
        probe.release(&released, ours, Done).await?;
        drop(probe);
        let Some(store) = harness.reopen().await else { return Ok(()) };
        let mut probe = Probe::new(harness, "commit_outlives_reopening");
        probe.store = store;
        probe.claim(&committed, token(), probe.unit, Committed).await.when("committed before re-opening")?;
        probe.claim(&claimed, token(), probe.unit, InFlight).await.when("claimed before re-opening")?;
        probe.claim(&released, token(), probe.unit, Claimed).await.when("released before re-opening")?;
        probe.commit(&committed, ours, probe.long, Done).await.when("committed before re-opening")?;
        probe.commit(&claimed, ours, probe.long, Done).await.when("claimed before re-opening")?;
        probe.claim(&claimed, token(), probe.unit, Committed).await.when("committed after re-opening")
    })
}
