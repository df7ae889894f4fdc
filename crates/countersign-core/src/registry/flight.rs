//! `Flight`: one look-up under way, which all who wait for it drive.

use std::{
    collections::BTreeMap,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Wake, Waker, ready},
};

use super::tenants::Sought;
use crate::dedupe::BoxFuture;

/// A look-up under way, and those who wait for it.
pub(super) struct Flight {
    call: Mutex<Call>,
    waiting: Arc<Waiting>,
}

enum Call {
    UnderWay(BoxFuture<'static, Sought>),
    Landed(Sought),
}

/// Those who wait, each by a number of its own, until they are woken.
#[derive(Default)]
struct Waiting(Mutex<BTreeMap<u64, Waker>>);

impl Flight {
    pub(super) fn new(call: BoxFuture<'static, Sought>) -> Self {
        Self { call: Mutex::new(Call::UnderWay(call)), waiting: Arc::default() }
    }

    /// Drives the look-up, unless another request does so at the moment.
    pub(super) fn poll(&self, waiter: u64, cx: &mut Context<'_>) -> Poll<Sought> {
        // Before the call is driven: whatever wakes the call from now on wakes this request as well.
        let waker = cx.waker().clone();
        // What is dropped of a waker may be a task, which leaves in its turn: so not while the lock is held.
        let before = self.waiting.lock().insert(waiter, waker);
        drop(before);
        let Ok(mut call) = self.call.try_lock() else { return Poll::Pending };
        let sought = match &mut *call {
            Call::Landed(sought) => return Poll::Ready(sought.clone()),
            Call::UnderWay(future) => {
                let all = Waker::from(Arc::clone(&self.waiting));
                ready!(future.as_mut().poll(&mut Context::from_waker(&all)))
            }
        };
        *call = Call::Landed(sought.clone());
        drop(call);
        Arc::clone(&self.waiting).wake();
        Poll::Ready(sought)
    }

    /// One of those who wait has gone. Where it was woken and has not looked since, it may have been the one to drive the look-up, so the
    /// others are woken. They are not woken by one that only waited: of many who hang up, each would wake all the others.
    pub(super) fn leave(&self, waiter: u64) {
        let waker = self.waiting.lock().remove(&waiter);
        if waker.is_none() {
            Arc::clone(&self.waiting).wake();
        }
    }
}

impl Waiting {
    /// Nothing panics while it holds the lock.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Waker>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Waiting {
    fn wake(self: Arc<Self>) {
        let waiting = mem::take(&mut *self.lock());
        waiting.into_values().for_each(Waker::wake);
    }
}
