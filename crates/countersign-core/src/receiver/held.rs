//! `Held`: the keys of one delivery that one token holds.

use std::{
    fmt,
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    task::Poll,
    time::Duration,
};

use super::{
    Receiver, Shared, metrics,
    runtime::{Runtime, since, within},
};
use crate::{
    dedupe::{Claim, Key, Token},
    error::StoreError,
    provider::{Description, Provider},
};

/// Before a claim that failed is tried once more: a connection that broke is made anew by then, most of the time.
const CLAIM_PAUSE: Duration = Duration::from_millis(50);

/// How long a refused delivery's other keys may take to be released. What is not is free when the lease ends.
const MAX_GIVE_BACK: Duration = Duration::from_millis(500);

pub(super) struct Held<P: Provider> {
    receiver: Receiver<P>,
    token: Token,
    keys: Vec<Key>,
}

impl<P: Provider> Held<P> {
    /// No key yet.
    pub(super) fn new(receiver: &Receiver<P>, token: Token) -> Self {
        Self { receiver: receiver.clone(), token, keys: Vec::new() }
    }

    pub(super) fn receiver(&self) -> &Receiver<P> {
        &self.receiver
    }

    /// Claims each of these keys, or none.
    pub(super) async fn claim(&mut self, keys: &[Key], runtime: &impl Runtime) -> Result<Claim, StoreError> {
        let Shared { lease, store_timeout, .. } = self.shared();
        let (store_timeout, began) = (*store_timeout, runtime.elapsed());
        // A claim's lease began at some time before its answer: enough of it must be left to be renewed.
        let limit = store_timeout.min(lease.checked_div(2).unwrap_or_default());
        let claim = within(pin!(runtime.sleep(limit)), pin!(self.claim_each(keys, runtime))).await;
        let claim = claim.unwrap_or_else(|| counted(self.provider(), "claim", Err(StoreError::TimedOut)));
        metrics::claimed(self.provider(), since(runtime, began), self.shared().store.held());
        if !matches!(claim, Ok(Claim::Claimed)) && !self.keys.is_empty() {
            let limit = pin!(runtime.sleep(store_timeout.min(MAX_GIVE_BACK)));
            if let Err(error) = settled(self.provider(), "release", limit, pin!(self.release())).await {
                tracing::debug!(provider = self.provider().name(), %error, "an earlier key was not released; it is free when its lease ends");
            }
        }
        claim
    }

    async fn claim_each(&mut self, keys: &[Key], runtime: &impl Runtime) -> Result<Claim, StoreError> {
        for key in keys {
            // Until it was refused for certain, it may be held: the store may act and then fail, or not be waited for.
            self.keys.push(*key);
            let mut claim = self.claim_key(key).await;
            if claim.as_ref().is_err_and(StoreError::may_pass) {
                runtime.sleep(CLAIM_PAUSE).await;
                claim = self.claim_key(key).await;
            }
            match claim {
                Ok(Claim::Claimed) => {}
                Err(error) if error.may_pass() => return Err(error),
                refused => {
                    self.keys.pop();
                    return refused;
                }
            }
        }
        Ok(Claim::Claimed)
    }

    async fn claim_key(&self, key: &Key) -> Result<Claim, StoreError> {
        let Shared { store, lease, .. } = self.shared();
        counted(self.provider(), "claim", store.claim(key, self.token, *lease).await)
    }

    pub(super) async fn renew(&self) -> Result<(), StoreError> {
        let Shared { store, lease, .. } = self.shared();
        let renewed = |key| async move {
            counted(self.provider(), "renew", store.renew(key, self.token, *lease).await)?;
            metrics::renewed(self.provider());
            Ok(())
        };
        self.each(renewed).await
    }

    /// Commits all keys in one step, where the store can; and one by one where a lease was lost.
    pub(super) async fn commit(&self) -> Result<(), StoreError> {
        let Shared { store, retention, .. } = self.shared();
        match store.commit_all(&self.keys, self.token, *retention).await {
            Err(StoreError::Fenced) => {
                self.each(|key| async move { counted(self.provider(), "commit", self.commit_key(key).await) })
                    .await
            }
            settled => counted(self.provider(), "commit", settled),
        }
    }

    pub(super) async fn release(&self) -> Result<(), StoreError> {
        let store = &self.shared().store;
        self.each(
            |key| async move { counted(self.provider(), "release", store.release(key, self.token).await) },
        )
        .await
    }

    async fn commit_key(&self, key: &Key) -> Result<(), StoreError> {
        let Shared { store, lease, retention, .. } = self.shared();
        match store.commit(key, self.token, *retention).await {
            Err(StoreError::Fenced) => match store.claim(key, self.token, *lease).await? {
                Claim::Claimed => store.commit(key, self.token, *retention).await,
                _ => Err(StoreError::Fenced),
            },
            settled => settled,
        }
    }

    /// Does something for each key, whatever becomes of the others. Of several errors, one that may pass counts.
    async fn each<'k, F>(&'k self, act: impl Fn(&'k Key) -> F) -> Result<(), StoreError>
    where
        F: Future<Output = Result<(), StoreError>>,
    {
        let mut result = Ok(());
        for key in &self.keys {
            match (act(key).await, &result) {
                (Err(error), Ok(())) => result = Err(error),
                (Err(error), Err(other)) if error.may_pass() && !other.may_pass() => result = Err(error),
                _ => {}
            }
        }
        result
    }

    pub(super) fn provider(&self) -> &Description {
        self.receiver.verifier().description()
    }

    fn shared(&self) -> &Shared<P> {
        &self.receiver.shared
    }
}

/// What settling came to. A call that is given up, or panics, is a failure.
pub(super) async fn settled(
    provider: &Description,
    operation: &'static str,
    limit: Pin<&mut impl Future<Output = ()>>,
    call: Pin<&mut impl Future<Output = Result<(), StoreError>>>,
) -> Result<(), StoreError> {
    match unwound(pin!(within(limit, call))).await {
        Some(Some(result)) => result,
        Some(None) => counted(provider, operation, Err(StoreError::TimedOut)),
        None => counted(provider, operation, Err(StoreError::unavailable("the store panicked"))),
    }
}

/// A future's result, or `None` when it panicked.
pub(crate) async fn unwound<T>(mut future: Pin<&mut impl Future<Output = T>>) -> Option<T> {
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(poll) => poll.map(Some),
        Err(panic) => {
            // What was panicked with may panic itself when it is dropped.
            if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
                std::mem::forget(again);
            }
            Poll::Ready(None)
        }
    })
    .await
}

/// Tells the metrics of an error.
fn counted<T>(
    provider: &Description,
    operation: &'static str,
    result: Result<T, StoreError>,
) -> Result<T, StoreError> {
    if let Err(error) = &result {
        metrics::store_failed(provider, operation, error.kind());
    }
    result
}

impl<P: Provider> fmt::Debug for Held<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.keys).finish()
    }
}
