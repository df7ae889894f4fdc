//! `Flight`: one look-up under way, which all who wait for it drive.

use std::{
    mem,
    sync::{Arc, Mutex, PoisonError},
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

#[derive(Default)]
struct Waiting(Mutex<Vec<Waker>>);

impl Flight {
    pub(super) fn new(call: BoxFuture<'static, Sought>) -> Self {
        Self { call: Mutex::new(Call::UnderWay(call)), waiting: Arc::default() }
    }

    /// Drives the look-up, unless another request does so at the moment.
    pub(super) fn poll(&self, cx: &mut Context<'_>) -> Poll<Sought> {
        // Before the call is driven: whatever wakes the call from now on wakes this request as well.
        self.waiting.add(cx.waker());
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
        self.wake();
        Poll::Ready(sought)
    }

    /// Wakes all who wait: there is a result, or one of them has gone who may have been the one to drive the
    /// look-up.
    pub(super) fn wake(&self) {
        Arc::clone(&self.waiting).wake();
    }
}

impl Waiting {
    fn add(&self, waker: &Waker) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !waiting.iter().any(|other| other.will_wake(waker)) {
            waiting.push(waker.clone());
        }
    }
}

impl Wake for Waiting {
    fn wake(self: Arc<Self>) {
        let waiting = mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        waiting.into_iter().for_each(Waker::wake);
    }
}
