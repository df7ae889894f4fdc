//! `Running`: the deliveries that are being handled, counted, and waited for at a shutdown.

use std::{
    fmt,
    future::poll_fn,
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Poll, Waker},
    time::Duration,
};

use super::{
    Admission, Answer, Receiver,
    runtime::{Runtime, within},
    unwound,
};
use crate::{delivery::Delivery, provider::Provider};

/// How many deliveries are being handled. Clones share the number: a registry's receivers have one.
#[derive(Clone, Default)]
pub(crate) struct Running(Arc<Shared>);

#[derive(Default)]
struct Shared {
    running: AtomicUsize,
    /// Those that were dropped before they were settled, since the start.
    dropped: AtomicUsize,
    waiting: Mutex<Vec<Waker>>,
}

impl Running {
    /// Waits until no delivery is being handled, at most for so long. How many of them were not settled by then, or never will be.
    pub(crate) async fn drain(&self, timeout: Duration, runtime: &impl Runtime) -> usize {
        let dropped = self.0.dropped.load(Ordering::SeqCst);
        let limit = pin!(runtime.sleep(timeout));
        let _ = within(limit, pin!(self.are_settled())).await;
        let dropped = self.0.dropped.load(Ordering::SeqCst).saturating_sub(dropped);
        self.0.running.load(Ordering::SeqCst).saturating_add(dropped)
    }

    async fn are_settled(&self) {
        poll_fn(|cx| {
            let mut waiting = self.waiting();
            if !waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
                waiting.push(cx.waker().clone());
            }
            drop(waiting);
            // Looked at after the waker is in its place, so that whoever ends the last one finds it.
            match self.0.running.load(Ordering::SeqCst) {
                0 => Poll::Ready(()),
                _ => Poll::Pending,
            }
        })
        .await;
    }

    /// How many were dropped so far.
    fn end(&self, is_settled: bool) -> usize {
        let is_dropped = usize::from(!is_settled);
        let dropped = self.0.dropped.fetch_add(is_dropped, Ordering::SeqCst).saturating_add(is_dropped);
        if self.0.running.fetch_sub(1, Ordering::SeqCst) == 1 {
            let waiting = std::mem::take(&mut *self.waiting());
            waiting.into_iter().for_each(Waker::wake);
        }
        dropped
    }

    /// Nothing panics while it holds the lock.
    fn waiting(&self) -> MutexGuard<'_, Vec<Waker>> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One delivery that is about to be handled, is being handled, or whose commit is tried on: see [`Receiver::begin`].
///
/// One that is dropped before it was settled is logged as a warning.
#[must_use]
pub struct Run<P: Provider> {
    receiver: Receiver<P>,
    delivery: Delivery<P>,
    is_settled: bool,
}

impl<P: Provider> Run<P> {
    pub(super) fn begin(receiver: Receiver<P>, delivery: Delivery<P>) -> Self {
        receiver.shared.running.0.running.fetch_add(1, Ordering::SeqCst);
        Self { receiver, delivery, is_settled: false }
    }

    /// Claims and handles the delivery: see [`Receiver::process`].
    pub async fn process<T>(
        self,
        runtime: impl Runtime,
        work: impl Future<Output = T>,
        judge: impl FnOnce(&T) -> Answer,
    ) -> (Answer, Option<T>) {
        let (receiver, delivery) = (&self.receiver, &self.delivery);
        if let Some(reply) = delivery.reply() {
            self.settle();
            return (Answer::handshake(Ok(reply)), None);
        }
        let admission = unwound(pin!(receiver.admit(delivery.clone(), runtime.clone()))).await;
        let (answer, result) = match admission {
            Some(Ok(Admission::Process(admitted))) => admitted.run(pin!(work), runtime, judge).await,
            Some(Ok(Admission::Duplicate(delivery))) => {
                (Answer::duplicate().acknowledged(receiver.success(&delivery)), None)
            }
            Some(Ok(Admission::InFlight { retry_after, .. })) => (Answer::in_flight(retry_after), None),
            Some(Err(error)) => (Answer::store_failed(&error), None),
            None => (Answer::panicked(), None),
        };
        let answer = answer.retried(receiver.verifier().description().retries);
        self.settle();
        (answer, result)
    }

    /// Nothing is left to do.
    pub(super) fn settle(mut self) {
        self.is_settled = true;
    }
}

impl<P: Provider> fmt::Debug for Run<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("delivery", &self.delivery).finish_non_exhaustive()
    }
}

impl<P: Provider> Drop for Run<P> {
    fn drop(&mut self) {
        let dropped = self.receiver.shared.running.end(self.is_settled);
        if !self.is_settled {
            tracing::warn!(
                provider = self.receiver.verifier().description().name(),
                endpoint = self.receiver.endpoint(),
                delivery_id = self.delivery.id().as_deref(),
                dropped,
                "a delivery was dropped before it was settled: it is free again when its lease ends"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::{Ready, pending, ready},
        pin::Pin,
        sync::atomic::AtomicBool,
        task::{Context, Wake},
    };

    use super::*;
    use crate::{
        dedupe::{
            BoxFuture, MemoryStore,
            testing::{ManualClock, block_on},
        },
        provider::Retake,
        receiver::{Answer, Outcome},
        secret::Secret,
        signer::Signer,
        time::Timestamp,
    };

    const NOW: Timestamp = Timestamp::from_unix_seconds(1_705_314_600);
    const TIMEOUT: Duration = Duration::from_secs(5);

    fn receiver() -> Receiver<Retake> {
        let store = MemoryStore::with_clock(100, ManualClock::default());
        Receiver::builder(Secret::new("retake_secret").unwrap()).store(store).build().unwrap()
    }

    fn delivery(receiver: &Receiver<Retake>, user: &str) -> Delivery<Retake> {
        let body = format!(r#"{{"event":"trial.expired","data":{{"userId":"{user}"}}}}"#);
        let headers = Signer::<Retake>::new(&Secret::new("retake_secret").unwrap()).sign(&body, NOW).unwrap();
        receiver.verifier().verify(&headers, body, NOW).unwrap()
    }

    fn never(_: Duration) -> std::future::Pending<()> {
        pending()
    }

    fn at_once(_: Duration) -> Ready<()> {
        ready(())
    }

    fn poll<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    /// A delivery whose handler never ends, which was polled so often.
    fn handled(receiver: &Receiver<Retake>, user: &str, polls: usize) -> BoxFuture<'static, Answer> {
        let (receiver, delivery) = (receiver.clone(), delivery(receiver, user));
        let mut future: BoxFuture<'static, Answer> = Box::pin(async move {
            receiver.process(delivery, never, pending::<()>(), |()| Answer::verified()).await.0
        });
        for _ in 0..polls {
            assert!(poll(future.as_mut()).is_pending());
        }
        future
    }

    struct Woken(AtomicBool);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::SeqCst);
        }
    }

    #[test]
    fn draining_ends_at_once_where_nothing_is_handled() {
        assert_eq!(block_on(receiver().drain(TIMEOUT, never)), 0);
    }

    #[test]
    fn draining_waits_for_the_last_and_is_woken_by_it() {
        let receiver = receiver();
        let gate = Arc::new(AtomicBool::new(false));
        let opened = Arc::clone(&gate);
        let work = poll_fn(move |_| match opened.load(Ordering::SeqCst) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        });
        let mut process =
            pin!(receiver.process(delivery(&receiver, "a"), never, work, |()| receiver.judge(200, None)));
        assert!(poll(process.as_mut()).is_pending());
        let woken = Arc::new(Woken(AtomicBool::new(false)));
        let waker = Waker::from(Arc::clone(&woken));
        let mut drain = pin!(receiver.drain(TIMEOUT, never));
        for _ in 0..2 {
            assert!(drain.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        }
        gate.store(true, Ordering::SeqCst);
        assert!(
            matches!(poll(process.as_mut()), Poll::Ready((answer, _)) if answer.outcome() == Outcome::Processed)
        );
        assert!(woken.0.load(Ordering::SeqCst));
        assert_eq!(poll(drain.as_mut()), Poll::Ready(0));
    }

    #[test]
    fn what_is_left_at_the_timeout_is_counted_and_so_is_what_was_dropped_meanwhile() {
        let receiver = receiver();
        let (first, second) = (handled(&receiver, "a", 1), handled(&receiver, "b", 1));
        assert_eq!(block_on(receiver.drain(TIMEOUT, at_once)), 2);
        let mut drain = pin!(receiver.drain(TIMEOUT, never));
        assert!(poll(drain.as_mut()).is_pending());
        drop((first, second));
        assert_eq!(poll(drain.as_mut()), Poll::Ready(2));
        // Those that were dropped before are not counted again.
        assert_eq!(block_on(receiver.drain(TIMEOUT, never)), 0);
    }

    #[test]
    fn receivers_are_drained_each_by_itself() {
        let (one, other) = (receiver(), receiver());
        let _handled = handled(&one, "a", 1);
        assert_eq!(block_on(one.clone().drain(TIMEOUT, at_once)), 1);
        assert_eq!(block_on(other.drain(TIMEOUT, never)), 0);
    }
}
