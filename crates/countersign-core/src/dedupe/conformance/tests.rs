//! The suite itself: a store that does as it should passes, and each flaw is caught by the checks that are meant for it.

use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use super::{CHECKS, Harness, probe::yield_now};
use crate::{
    dedupe::{
        BoxFuture, Claim, Key, Store, StoreFuture, Token,
        testing::{ManualClock, Threads, block_on},
    },
    error::StoreError,
    time::Clock,
};

/// What a store may get wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    ChecksThenInserts,
    TakesOverWithoutAsking,
    LetsEverybodyIn,
    IgnoresTokens,
    LeaseNeverEnds,
    LeaseEndsEarly,
    RetentionNeverEnds,
    RetentionIsTheLease,
    Evicts,
    CutsKeys,
    EndsKeysAtZeroBytes,
    OldTokenCommits,
    OldTokenReleases,
    OldTokenRenews,
    ReleaseKeepsKey,
    ReleasesCommitted,
    RenewalDoesNothing,
    RenewsCommitted,
    RenewsReleased,
    RefusesOwnToken,
    OwnTokenKeepsLease,
    OwnTokenReclaimsCommitted,
    CommitsOnce,
    SaysNothingOfTheLease,
    LosesCancelledClaims,
    LosesCancelledCommits,
    ForgetsWhenClosed,
    CommitsTheFirstOfAll,
    CommitsAllForAnybody,
}

#[derive(Clone, Copy)]
struct Row {
    /// `None` for a key that a cancelled call has left to nobody.
    token: Option<Token>,
    committed: bool,
    until: Duration,
}

struct Faulty {
    fault: Fault,
    clock: ManualClock,
    rows: Mutex<HashMap<Vec<u8>, Row>>,
    /// Held while a call reads and writes.
    turn: Mutex<()>,
}

impl Faulty {
    fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn rows(&self) -> MutexGuard<'_, HashMap<Vec<u8>, Row>> {
        self.rows.lock().unwrap()
    }

    fn name(&self, key: &Key) -> Vec<u8> {
        let bytes = key.as_bytes();
        match self.fault {
            Fault::CutsKeys => bytes[..2].to_vec(),
            Fault::EndsKeysAtZeroBytes => bytes.iter().copied().take_while(|byte| *byte != 0).collect(),
            _ => bytes.to_vec(),
        }
    }

    fn get(&self, key: &Key) -> Option<Row> {
        self.rows().get(&self.name(key)).copied()
    }

    fn live(&self, key: &Key) -> Option<Row> {
        self.get(key).filter(|row| {
            row.until > self.clock.elapsed()
                || self.is(Fault::LeaseNeverEnds) && !row.committed
                || self.is(Fault::RetentionNeverEnds) && row.committed
        })
    }

    /// The row of a key that this token holds.
    fn held(&self, key: &Key, token: Token, late: Fault) -> Result<Row, StoreError> {
        if self.is(late) {
            return self.get(key).filter(|row| row.token == Some(token)).ok_or(StoreError::Fenced);
        }
        let ours = |row: &Row| row.token == Some(token) || self.is(Fault::IgnoresTokens);
        self.live(key).filter(ours).ok_or(StoreError::Fenced)
    }

    fn put(&self, key: &Key, token: Option<Token>, committed: bool, length: Duration) {
        let until = self.clock.elapsed().saturating_add(length);
        self.rows().insert(self.name(key), Row { token, committed, until });
    }

    fn new(fault: Fault, clock: &ManualClock) -> Arc<Self> {
        Arc::new(Self { fault, clock: clock.clone(), rows: Mutex::default(), turn: Mutex::default() })
    }

    async fn claim_as_it_does(&self, key: &Key, token: Token, lease: Duration) -> Result<Claim, StoreError> {
        if self.is(Fault::ChecksThenInserts) {
            let live = self.live(key);
            yield_now().await;
            return Ok(self.claim_given(live, key, token, lease));
        }
        if self.is(Fault::TakesOverWithoutAsking) && self.get(key).is_some() && self.live(key).is_none() {
            yield_now().await;
            self.put(key, Some(token), false, lease);
            return Ok(Claim::Claimed);
        }
        if self.is(Fault::LosesCancelledClaims) && self.live(key).is_none() {
            self.put(key, None, false, Duration::MAX);
            yield_now().await;
            self.rows().remove(&self.name(key));
        }
        let _turn = self.turn.lock().unwrap();
        Ok(self.claim_given(self.live(key), key, token, lease))
    }

    fn claim_given(&self, live: Option<Row>, key: &Key, token: Token, lease: Duration) -> Claim {
        let lease = if self.is(Fault::LeaseEndsEarly) { lease.mul_f32(0.3) } else { lease };
        match live {
            Some(row) if row.committed => {
                if self.is(Fault::OwnTokenReclaimsCommitted) && row.token == Some(token) {
                    self.put(key, Some(token), false, lease);
                    return Claim::Claimed;
                }
                Claim::Committed
            }
            Some(row) if row.token == Some(token) && !self.is(Fault::RefusesOwnToken) => {
                if !self.is(Fault::OwnTokenKeepsLease) {
                    self.put(key, Some(token), false, lease);
                }
                Claim::Claimed
            }
            Some(_) if self.is(Fault::SaysNothingOfTheLease) => {
                Claim::InFlight { retry_after: Duration::ZERO }
            }
            Some(row) if !self.is(Fault::LetsEverybodyIn) => {
                Claim::InFlight { retry_after: row.until.saturating_sub(self.clock.elapsed()) }
            }
            _ => {
                if self.is(Fault::Evicts) && self.rows().len() >= 3000 {
                    let any = self.rows().keys().next().cloned().unwrap();
                    self.rows().remove(&any);
                }
                self.put(key, Some(token), false, lease);
                Claim::Claimed
            }
        }
    }
}

impl Store for Faulty {
    fn claim<'s>(&'s self, key: &'s Key, token: Token, lease: Duration) -> StoreFuture<'s, Claim> {
        Box::pin(self.claim_as_it_does(key, token, lease))
    }

    fn renew<'s>(&'s self, key: &'s Key, token: Token, lease: Duration) -> StoreFuture<'s, ()> {
        Box::pin(async move {
            let _turn = self.turn.lock().unwrap();
            if self.is(Fault::RenewsReleased) && self.get(key).is_none() {
                self.put(key, Some(token), false, lease);
                return Ok(());
            }
            let row = self.held(key, token, Fault::OldTokenRenews)?;
            if row.committed && !self.is(Fault::RenewsCommitted) {
                return Err(StoreError::Fenced);
            }
            if !self.is(Fault::RenewalDoesNothing) {
                self.put(key, row.token, row.committed, lease);
            }
            Ok(())
        })
    }

    fn commit<'s>(&'s self, key: &'s Key, token: Token, retention: Duration) -> StoreFuture<'s, ()> {
        Box::pin(async move {
            let row = self.held(key, token, Fault::OldTokenCommits)?;
            if row.committed && self.is(Fault::CommitsOnce) {
                return Err(StoreError::Fenced);
            }
            if self.is(Fault::LosesCancelledCommits) {
                self.rows().remove(&self.name(key));
                yield_now().await;
            }
            let _turn = self.turn.lock().unwrap();
            let left = row.until.saturating_sub(self.clock.elapsed());
            let length = if self.is(Fault::RetentionIsTheLease) { left } else { retention };
            self.put(key, row.token, true, length);
            Ok(())
        })
    }

    fn commit_all<'s>(&'s self, keys: &'s [Key], token: Token, retention: Duration) -> StoreFuture<'s, ()> {
        Box::pin(async move {
            for key in keys {
                match self.fault {
                    Fault::CommitsTheFirstOfAll => return self.commit(key, token, retention).await,
                    Fault::CommitsAllForAnybody => self.put(key, Some(token), true, retention),
                    _ => self.commit(key, token, retention).await?,
                }
            }
            Ok(())
        })
    }

    fn release<'s>(&'s self, key: &'s Key, token: Token) -> StoreFuture<'s, ()> {
        Box::pin(async move {
            let _turn = self.turn.lock().unwrap();
            let row = self.held(key, token, Fault::OldTokenReleases)?;
            if row.committed && !self.is(Fault::ReleasesCommitted) {
                return Err(StoreError::Fenced);
            }
            if !self.is(Fault::ReleaseKeepsKey) {
                self.rows().remove(&self.name(key));
            }
            Ok(())
        })
    }
}

/// A harness whose store can be closed and opened again.
struct Reopened {
    inner: Threads,
    faulty: Arc<Faulty>,
}

impl Harness for Reopened {
    fn store(&self) -> Arc<dyn Store> {
        self.inner.store()
    }

    fn run_id(&self) -> &str {
        self.inner.run_id()
    }

    fn unit(&self) -> Duration {
        self.inner.unit()
    }

    fn advance(&self, by: Duration) -> BoxFuture<'_, ()> {
        self.inner.advance(by)
    }

    fn spawn(&self, task: BoxFuture<'static, ()>) -> BoxFuture<'static, ()> {
        self.inner.spawn(task)
    }

    fn reopen(&self) -> BoxFuture<'_, Option<Arc<dyn Store>>> {
        Box::pin(async move {
            if self.faulty.is(Fault::ForgetsWhenClosed) {
                self.faulty.rows().clear();
            }
            Some(self.store())
        })
    }
}

fn harness(fault: Fault) -> Reopened {
    let clock = ManualClock::at(Duration::from_secs(3600));
    let faulty = Faulty::new(fault, &clock);
    Reopened { inner: Threads { store: Arc::clone(&faulty) as _, clock }, faulty }
}

#[test]
fn each_fault_is_caught() {
    for (fault, check) in [
        (Fault::ChecksThenInserts, "exactly_one_wins"),
        (Fault::LetsEverybodyIn, "exactly_one_wins"),
        (Fault::TakesOverWithoutAsking, "exactly_one_takes_over"),
        (Fault::IgnoresTokens, "others_are_fenced"),
        (Fault::LeaseNeverEnds, "lease_end_frees"),
        (Fault::LeaseEndsEarly, "lease_end_frees"),
        (Fault::RetentionNeverEnds, "retention_ends"),
        (Fault::RetentionIsTheLease, "retention_ends"),
        (Fault::Evicts, "keys_stay_apart"),
        (Fault::CutsKeys, "keys_stay_apart"),
        (Fault::EndsKeysAtZeroBytes, "keys_stay_apart"),
        (Fault::OldTokenCommits, "late_calls_are_fenced"),
        (Fault::OldTokenReleases, "late_calls_are_fenced"),
        (Fault::OldTokenRenews, "late_calls_are_fenced"),
        (Fault::ReleaseKeepsKey, "release_frees_at_once"),
        (Fault::ReleasesCommitted, "release_after_commit_is_fenced"),
        (Fault::RenewalDoesNothing, "renewal_extends"),
        (Fault::RenewsCommitted, "renewal_after_settling_is_fenced"),
        (Fault::RenewsReleased, "renewal_after_settling_is_fenced"),
        (Fault::RefusesOwnToken, "same_token_claims_again"),
        (Fault::OwnTokenKeepsLease, "same_token_claims_again"),
        (Fault::OwnTokenReclaimsCommitted, "same_token_claims_again"),
        (Fault::CommitsOnce, "commit_is_idempotent"),
        (Fault::SaysNothingOfTheLease, "lease_end_frees"),
        (Fault::LosesCancelledClaims, "cancelled_claim_is_made_or_not"),
        (Fault::LosesCancelledCommits, "cancelled_settling_is_done_or_not"),
        (Fault::ForgetsWhenClosed, "commit_outlives_reopening"),
        (Fault::CommitsTheFirstOfAll, "keys_are_committed_together"),
        (Fault::CommitsAllForAnybody, "keys_are_committed_together"),
    ] {
        let (_, run) = CHECKS.iter().find(|(name, _)| *name == check).unwrap();
        let verdict = block_on(run(&harness(fault)));
        assert!(verdict.is_err(), "{fault:?} passes {check}");
    }
}

#[test]
fn a_store_without_fault_passes() {
    block_on(super::run(&harness(Fault::None)));
}

#[test]
fn run_names_the_failing_check_in_its_panic() {
    let harness = harness(Fault::ReleaseKeepsKey);
    let run = AssertUnwindSafe(|| block_on(super::run(&harness)));
    let panic = catch_unwind(run).unwrap_err();
    let message = panic.downcast_ref::<String>().unwrap();
    assert!(
        message.starts_with("the store fails `release_frees_at_once`: released before: a release"),
        "{message}"
    );
}

#[test]
fn every_check_has_another_name() {
    let mut names: Vec<_> = CHECKS.iter().map(|(name, _)| name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), CHECKS.len());
}

/// A harness that starts a task when it is waited for: no two of its calls are made at once.
struct Lazy(Reopened);

impl Harness for Lazy {
    fn store(&self) -> Arc<dyn Store> {
        self.0.store()
    }

    fn run_id(&self) -> &str {
        self.0.run_id()
    }

    fn unit(&self) -> Duration {
        self.0.unit()
    }

    fn advance(&self, by: Duration) -> BoxFuture<'_, ()> {
        self.0.advance(by)
    }

    fn spawn(&self, task: BoxFuture<'static, ()>) -> BoxFuture<'static, ()> {
        task
    }
}

#[test]
fn a_harness_that_runs_one_task_after_the_other_proves_nothing() {
    let flaw = block_on(super::exactly_one_wins(&Lazy(harness(Fault::ChecksThenInserts)))).unwrap_err();
    assert!(flaw.to_string().contains("one after the other"), "{flaw}");
}
