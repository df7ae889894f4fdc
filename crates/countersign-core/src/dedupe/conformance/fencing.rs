//! Fencing: a token that does not hold a key changes nothing.

use super::{
    Harness, Verdict,
    probe::{
        Expected::{Claimed, Committed, Done, Fenced, InFlight},
        Probe, When, token,
    },
};
use crate::dedupe::BoxFuture;

/// Commit, release and renewal are refused to a token that never held the key: one that is free, one that another token
/// holds, one that another committed.
pub fn others_are_fenced(harness: &dyn Harness) -> BoxFuture<'_, Verdict> {
    Box::pin(async move {
        let probe = Probe::new(harness, "others_are_fenced");
        let (key, holder, stranger) = (probe.key(""), token(), token());
        all_fenced(&probe, "on a free key", stranger).await?;
        probe.claim(&key, holder, probe.long, Claimed).await?;
        all_fenced(&probe, "", stranger).await.when("while another holds the key")?;
        probe.claim(&key, stranger, probe.long, InFlight).await.when("after refused calls")?;
        probe.commit(&key, holder, probe.long, Done).await.when("after refused calls by another")?;
        all_fenced(&probe, "", stranger).await.when("after another's commit")?;
        probe.claim(&key, stranger, probe.long, Committed).await.when("after refused calls")
    })
}

/// Commit, release and renewal are refused after the end of the lease: when nobody else holds the key, when somebody else
/// does, and when somebody else has committed it. None of them harms who holds it now.
pub fn late_calls_are_fenced(harness: &dyn Harness) -> BoxFuture<'_, Verdict> {
    Box::pin(async move {
        let probe = Probe::new(harness, "late_calls_are_fenced");
        let (key, late, next) = (probe.key(""), token(), token());
        probe.claim(&key, late, probe.unit, Claimed).await?;
        harness.advance(probe.past).await;
        all_fenced(&probe, "", late).await.when("after the lease, nobody else holds the key")?;
        probe.claim(&key, next, probe.long, Claimed).await.when("after refused late calls")?;
        all_fenced(&probe, "", late).await.when("after the lease, another holds the key")?;
        probe.claim(&key, late, probe.long, InFlight).await.when("after refused late calls")?;
        probe.renew(&key, next, probe.long, Done).await.when("after another's refused late calls")?;
        probe.commit(&key, next, probe.long, Done).await.when("after another's refused late calls")?;
        all_fenced(&probe, "", late).await.when("after the lease, another committed the key")?;
        probe.claim(&key, token(), probe.long, Committed).await.when("after refused late calls")
    })
}

/// A renewal that arrives after its own token's commit or release is refused and changes nothing: one that was cancelled
/// may be overtaken.
pub fn renewal_after_settling_is_fenced(harness: &dyn Harness) -> BoxFuture<'_, Verdict> {
    Box::pin(async move {
        let probe = Probe::new(harness, "renewal_after_settling_is_fenced");
        let (committed, released, ours) = (probe.key("committed"), probe.key("released"), token());
        for key in [&committed, &released] {
            probe.claim(key, ours, probe.unit, Claimed).await?;
        }
        probe.commit(&committed, ours, probe.long, Done).await?;
        probe.release(&released, ours, Done).await?;
        for key in [&committed, &released] {
            probe.renew(key, ours, probe.unit, Fenced).await.when("after commit or release")?;
        }
        probe.claim(&released, token(), probe.unit, Claimed).await.when("after a refused renewal")?;
        harness.advance(probe.past).await;
        probe.claim(&committed, token(), probe.unit, Committed).await.when("after a refused renewal")
    })
}

async fn all_fenced(probe: &Probe, name: &str, stranger: crate::dedupe::Token) -> Verdict {
    let key = probe.key(name);
    probe.renew(&key, stranger, probe.long, Fenced).await?;
    probe.release(&key, stranger, Fenced).await?;
    probe.commit(&key, stranger, probe.long, Fenced).await
}
