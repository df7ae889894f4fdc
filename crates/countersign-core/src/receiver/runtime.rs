//! `Runtime`: what a receiver needs of the runtime around it.

use std::{future::poll_fn, mem::replace, pin::Pin, task::Poll, time::Duration};

use crate::dedupe::BoxFuture;

/// A timer, and where there are any, a clock and tasks.
///
/// A function that waits is a runtime: `tokio::time::sleep`, or a closure around another runtime's timer. One that also
/// tells the time and starts tasks gets durations in its metrics, and has a commit that failed for long tried again
/// after the sender was answered. The adapters bring their own.
pub trait Runtime: Clone + Send + Sync + 'static {
    /// Waits for so long.
    fn sleep(&self, length: Duration) -> impl Future<Output = ()> + Send;

    /// The monotonic time since some fixed moment; `None`, unless overridden, when it is not told.
    fn elapsed(&self) -> Option<Duration> {
        None
    }

    /// Starts a task; unless overridden, drops it.
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        drop(task);
    }
}

impl<F, S> Runtime for F
where
    F: Fn(Duration) -> S + Clone + Send + Sync + 'static,
    S: Future<Output = ()> + Send,
{
    fn sleep(&self, length: Duration) -> impl Future<Output = ()> + Send {
        self(length)
    }
}

/// How long it was since then, where the runtime tells.
pub(crate) fn since(runtime: &impl Runtime, began: Option<Duration>) -> Option<Duration> {
    Some(runtime.elapsed()?.saturating_sub(began?))
}

/// What a call of a store, or of a secret source, came to; `None` when it took longer than that, and was given up.
///
/// Takes both where they stand: each function that a future goes through by value makes the whole larger by that future.
pub(crate) async fn within<T>(
    mut limit: Pin<&mut impl Future<Output = ()>>,
    mut call: Pin<&mut impl Future<Output = T>>,
) -> Option<T> {
    poll_fn(|cx| match call.as_mut().poll(cx) {
        Poll::Pending => limit.as_mut().poll(cx).map(|()| None),
        Poll::Ready(result) => Poll::Ready(Some(result)),
    })
    .await
}

/// Lets others run.
pub(super) async fn yield_now() {
    let mut has_yielded = false;
    poll_fn(|cx| {
        if replace(&mut has_yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
