//! A call that is cancelled half-way was made, or was not.

use super::{
    Flaw, Harness, Verdict,
    probe::{
        Expected::{Claimed, Committed, Done, InFlight},
        Probe, When, cut_off, token,
    },
};
use crate::{
    dedupe::{BoxFuture, Claim},
    error::StoreError,
};

const CALLS: usize = 64;

/// A claim that is dropped after a few polls, or before the first, leaves the key free or held by its token: that token
/// can claim it again at once, anybody when the lease has ended.
pub fn cancelled_claim_is_made_or_not(harness: &dyn Harness) -> BoxFuture<'_, Verdict> {
    Box::pin(async move {
        let probe = Probe::new(harness, "cancelled_claim_is_made_or_not");
        let tokens: Vec<_> = (0..CALLS).map(|_| token()).collect();
        for (n, ours) in tokens.iter().enumerate() {
            cut_off(probe.store.claim(&probe.key(n), *ours, probe.unit), n % 4).await;
        }
        for (n, ours) in tokens.iter().enumerate() {
            let key = probe.key(n);
            if n % 2 == 0 {
                probe.claim(&key, *ours, probe.long, Claimed).await.when("again, after a cancelled claim")?;
                probe.claim(&key, token(), probe.long, InFlight).await.when("after a cancelled claim")?;
                probe.commit(&key, *ours, probe.long, Done).await.when("after a cancelled claim")?;
            }
        }
        harness.advance(probe.past).await;
        for n in (1..CALLS).step_by(2) {
            let key = probe.key(n);
            probe.claim(&key, token(), probe.long, Claimed).await.when("after a cancelled claim's lease")?;
        }
        Ok(())
    })
}

/// A commit, release or renewal that is dropped after a few polls, or before the first, was done or was not: it can be
/// made again, and what others are told fits one of the two.
pub fn cancelled_settling_is_done_or_not(harness: &dyn Harness) -> BoxFuture<'_, Verdict> {
    Box::pin(async move {
        let probe = Probe::new(harness, "cancelled_settling_is_done_or_not");
        for n in 0..CALLS {
            let (key, ours, other) = (probe.key(n), token(), token());
            probe.claim(&key, ours, probe.long, Claimed).await?;
            cut_off(probe.store.renew(&key, ours, probe.long), n % 4).await;
            probe.claim(&key, other, probe.long, InFlight).await.when("after a cancelled renewal")?;
            cut_off(probe.store.commit(&key, ours, probe.long), n % 4).await;
            match probe.store.claim(&key, other, probe.long).await {
                Ok(Claim::Committed | Claim::InFlight { .. }) => {}
                answer => {
                    return Err(Flaw::new(format_args!(
                        "after a cancelled commit: a claim should have been Committed or InFlight, \
                         the store answered {answer:?}"
                    )));
                }
            }
            probe.commit(&key, ours, probe.long, Done).await.when("again, after a cancelled commit")?;
            probe.claim(&key, other, probe.long, Committed).await.when("after a cancelled commit")?;

            let key = probe.key(format_args!("released {n}"));
            probe.claim(&key, ours, probe.long, Claimed).await?;
            cut_off(probe.store.release(&key, ours), n % 4).await;
            match probe.store.release(&key, ours).await {
                Ok(()) | Err(StoreError::Fenced) => {}
                answer => {
                    return Err(Flaw::new(format_args!(
                        "again, after a cancelled release: a release should have been Done or Fenced, \
                         the store answered {answer:?}"
                    )));
                }
            }
            probe.claim(&key, other, probe.long, Claimed).await.when("after a cancelled release")?;
        }
        Ok(())
    })
}
