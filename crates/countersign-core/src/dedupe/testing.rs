//! A clock moved by hand, and tasks on plain threads, for the tests of stores.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    thread,
    time::Duration,
};

use super::{BoxFuture, Store, conformance::Harness};
use crate::time::{Clock, Timestamp};

/// A clock that stands still until it is moved. Clones are the same clock.
#[derive(Clone, Debug, Default)]
pub(crate) struct ManualClock(Arc<Mutex<Duration>>);

impl ManualClock {
    pub(crate) fn at(elapsed: Duration) -> Self {
        Self(Arc::new(Mutex::new(elapsed)))
    }

    pub(crate) fn advance(&self, by: Duration) {
        let mut elapsed = self.0.lock().unwrap();
        *elapsed = elapsed.saturating_add(by);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        // Jumps about by an hour: no store may depend on it.
        let seconds = if self.elapsed().subsec_millis().is_multiple_of(2) { 0 } else { 3600 };
        Timestamp::from_unix_seconds(seconds)
    }

    fn elapsed(&self) -> Duration {
        *self.0.lock().unwrap()
    }
}

/// A store by a manual clock, with a thread for each task.
pub(super) struct Threads {
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: ManualClock,
}

impl Harness for Threads {
    fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store)
    }

    fn run_id(&self) -> &str {
        "threads"
    }

    fn unit(&self) -> Duration {
        Duration::from_secs(30)
    }

    fn advance(&self, by: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async move { self.clock.advance(by) })
    }

    fn spawn(&self, task: BoxFuture<'static, ()>) -> BoxFuture<'static, ()> {
        let mut thread = Some(thread::spawn(|| block_on(task)));
        Box::pin(poll_fn(move |_| {
            if let Some(thread) = thread.take() {
                thread.join().unwrap();
            }
            Poll::Ready(())
        }))
    }
}

/// Runs a future to its end on this thread.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Signal {
        woken: AtomicBool,
        thread: thread::Thread,
    }

    impl Wake for Signal {
        fn wake(self: Arc<Self>) {
            self.woken.store(true, Ordering::SeqCst);
            self.thread.unpark();
        }
    }

    let signal = Arc::new(Signal { woken: AtomicBool::new(false), thread: thread::current() });
    let waker = Waker::from(Arc::clone(&signal));
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(result) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return result;
        }
        match signal.woken.swap(false, Ordering::SeqCst) {
            true => thread::yield_now(),
            false => thread::park_timeout(Duration::from_secs(1)),
        }
    }
}
