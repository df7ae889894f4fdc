//! `Lasting`: a future that, from some point on, is not ended by whoever stops waiting for it.

use std::{
    fmt,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

/// A future that runs where it is awaited, and in a task of its own once nobody awaits it any more.
///
/// A task from the start would run to its end as well, and cost each delivery its making, two turns of the scheduler and a copy of the
/// future, for the few whose sender hangs up.
pub struct Lasting<F> {
    /// Taken while it is polled: one that panicked is not to be polled again.
    future: Option<F>,
    lasts: Lasts,
    spawn: fn(F),
}

/// Tells a [`Lasting`] future from when on it lasts.
#[derive(Clone, Debug, Default)]
pub struct Lasts(Arc<AtomicBool>);

impl Lasts {
    /// From now on it lasts.
    pub fn from_now_on(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl<F> Lasting<F> {
    /// A future that tells by `lasts`, of which it has a clone, and what starts a task for it.
    pub fn new(future: F, lasts: Lasts, spawn: fn(F)) -> Self {
        Self { future: Some(future), lasts, spawn }
    }
}

impl<F: Future + Unpin> Future for Lasting<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let Some(mut future) = self.future.take() else { return Poll::Pending };
        let poll = Pin::new(&mut future).poll(cx);
        if poll.is_pending() {
            self.future = Some(future);
        }
        poll
    }
}

impl<F> Drop for Lasting<F> {
    fn drop(&mut self) {
        if let Some(future) = self.future.take()
            && self.lasts.0.load(Ordering::Relaxed)
        {
            (self.spawn)(future);
        }
    }
}

impl<F> fmt::Debug for Lasting<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lasting").field("lasts", &self.lasts).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, task::Waker};

    use super::*;

    thread_local! {
        static SPAWNED: Cell<bool> = const { Cell::new(false) };
    }

    type Boxed = Pin<Box<dyn Future<Output = ()>>>;

    /// Whether a task is started when one is polled and then dropped.
    fn check(spawned: bool, make: impl FnOnce(Lasts) -> Boxed) {
        SPAWNED.set(false);
        let lasts = Lasts::default();
        let mut lasting = Lasting::new(make(lasts.clone()), lasts, |_| SPAWNED.set(true));
        let mut context = Context::from_waker(Waker::noop());
        let poll = || Pin::new(&mut lasting).poll(&mut context);
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(poll));
        assert!(!SPAWNED.get());
        drop(lasting);
        assert_eq!(SPAWNED.get(), spawned);
    }

    #[test]
    fn it_goes_on_by_itself_from_when_it_lasts() {
        check(true, |lasts| {
            Box::pin(async move {
                lasts.from_now_on();
                std::future::pending().await
            })
        });
        check(false, |lasts| {
            Box::pin(async move {
                std::future::pending::<()>().await;
                lasts.from_now_on();
            })
        });
    }

    #[test]
    fn what_is_done_or_panicked_does_not_go_on() {
        check(false, |lasts| Box::pin(async move { lasts.from_now_on() }));
        check(false, |lasts| {
            Box::pin(async move {
                lasts.from_now_on();
                panic!("as a handler may")
            })
        });
    }
}
