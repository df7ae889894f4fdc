//! `Told`: a store that fails, hangs or panics where it is told to.

use std::{future::pending, time::Duration};

use countersign::{
    StoreError,
    dedupe::{Claim, InProcess, Key, Store, StoreFuture, Token},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    Claim,
    Renew,
    Commit,
    Release,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    None,
    /// Fails, and may succeed later.
    Fails,
    /// Does not hold the key any more.
    Fenced,
    /// Never answers.
    Hangs,
    /// Does what it is asked, and fails to say so.
    LosesAnswer,
    /// Does what it is asked, and takes that long to say so.
    AnswersAfter(Duration),
    Panics,
}

type Decide = dyn Fn(Call, &Key) -> Fault + Send + Sync;

/// A store that does as another does, but for the faults of its calls.
pub struct Told<S> {
    inner: S,
    fault: Box<Decide>,
}

impl<S: Store> Told<S> {
    pub fn new(inner: S, fault: impl Fn(Call, &Key) -> Fault + Send + Sync + 'static) -> Self {
        Self { inner, fault: Box::new(fault) }
    }

    fn do_as_told<'s, T: Send + 's>(
        &'s self,
        call: Call,
        key: &'s Key,
        act: StoreFuture<'s, T>,
    ) -> StoreFuture<'s, T> {
        Box::pin(async move {
            match (self.fault)(call, key) {
                Fault::None => act.await,
                Fault::Fails => Err(StoreError::unavailable("connection refused")),
                Fault::Fenced => Err(StoreError::Fenced),
                Fault::Hangs => pending().await,
                Fault::LosesAnswer => act.await.and(Err(StoreError::TimedOut)),
                Fault::AnswersAfter(length) => {
                    let result = act.await;
                    tokio::time::sleep(length).await;
                    result
                }
                Fault::Panics => panic!("told to"),
            }
        })
    }
}

impl<S: Store> Store for Told<S> {
    fn claim<'s>(&'s self, key: &'s Key, token: Token, lease: Duration) -> StoreFuture<'s, Claim> {
        self.do_as_told(Call::Claim, key, self.inner.claim(key, token, lease))
    }

    fn renew<'s>(&'s self, key: &'s Key, token: Token, lease: Duration) -> StoreFuture<'s, ()> {
        self.do_as_told(Call::Renew, key, self.inner.renew(key, token, lease))
    }

    fn commit<'s>(&'s self, key: &'s Key, token: Token, retention: Duration) -> StoreFuture<'s, ()> {
        self.do_as_told(Call::Commit, key, self.inner.commit(key, token, retention))
    }

    fn release<'s>(&'s self, key: &'s Key, token: Token) -> StoreFuture<'s, ()> {
        self.do_as_told(Call::Release, key, self.inner.release(key, token))
    }

    fn held(&self) -> Option<u64> {
        self.inner.held()
    }

    fn in_process(&self) -> Option<&InProcess> {
        self.inner.in_process()
    }
}
