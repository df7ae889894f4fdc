//! Running a handler under a lease: renewed while it works, committed or released when it is done.

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    task::Poll,
    time::Duration,
};

use super::{
    Admitted, Answer, Held, Outcome, Run,
    held::{settled, unwound},
    metrics,
    runtime::{Runtime, since, yield_now},
};
use crate::{
    error::{Chain, StoreError},
    provider::Provider,
};

/// Pauses before a commit is tried again. A sender waits 5 to 6 s for its answer.
const COMMIT_PAUSES: [Duration; 3] =
    [Duration::from_millis(50), Duration::from_millis(200), Duration::from_millis(750)];

/// Pauses before it is tried again once the sender was answered: each twice the one before, up to the longest, as often as
/// that: for about an hour.
const FIRST_LATE_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_LATE_PAUSE: Duration = Duration::from_secs(2);
const LATE_TRIES: usize = 1800;

impl<P: Provider> Admitted<P> {
    /// Runs a handler to its end and settles the delivery by what `judge` makes of the result: committed when it is
    /// [`Outcome::Processed`], released when it is not, or when the handler panicked.
    ///
    /// The lease is renewed each third of its length, and sooner after a renewal that failed. The result is `None` when the
    /// handler panicked. A commit that fails for longer than the store may take is tried on in a task of the runtime, after
    /// the sender was answered.
    pub async fn run<T>(
        self,
        handler: impl Future<Output = T>,
        runtime: impl Runtime,
        judge: impl FnOnce(&T) -> Answer,
    ) -> (Answer, Option<T>) {
        let began = runtime.elapsed();
        let result = self.work(pin!(handler), &runtime).await;
        metrics::handled(self.held.provider(), since(&runtime, began));
        let answer = result.as_ref().map_or_else(Answer::panicked, judge);
        let limit = pin!(runtime.sleep(self.held.receiver().shared.store_timeout));
        if answer.outcome() != Outcome::Processed {
            if let Err(error) =
                settled(self.held.provider(), "release", limit, pin!(self.held.release())).await
            {
                let reason = Chain(&error);
                tracing::warn!(provider = self.held.provider().name(), %reason, "not released: free again when the lease ends");
            }
            return (answer, result);
        }
        let committed =
            settled(self.held.provider(), "commit", limit, pin!(self.held.commit_patiently(&runtime))).await;
        match committed {
            Ok(()) => (answer, result),
            // The effect has happened. A failure's answer would bring it a second time for certain.
            Err(error) => {
                if error.may_pass() {
                    let run = Run::begin(self.held.receiver().clone(), self.delivery);
                    let commit = self.held.commit_late(runtime.clone());
                    runtime.spawn(Box::pin(async move {
                        commit.await;
                        run.settle();
                    }));
                }
                (answer.uncommitted(&error), result)
            }
        }
    }

    async fn work<T>(&self, handler: Pin<&mut impl Future<Output = T>>, runtime: &impl Runtime) -> Option<T> {
        let shared = &self.held.receiver().shared;
        let third = shared.lease.checked_div(3).unwrap_or_default();
        let mut handler = pin!(unwound(handler));
        let mut pause = third;
        loop {
            let pause_ends = runtime.sleep(pause);
            let mut renewal = pin!(async {
                pause_ends.await;
                // A renewal that hangs must not keep the next one from being tried.
                let limit = pin!(runtime.sleep(third.min(shared.store_timeout)));
                settled(self.held.provider(), "renew", limit, pin!(self.held.renew())).await
            });
            let done = poll_fn(|cx| match handler.as_mut().poll(cx) {
                Poll::Ready(result) => Poll::Ready(Ok(result)),
                Poll::Pending => renewal.as_mut().poll(cx).map(Err),
            });
            match done.await {
                Ok(result) => return result,
                Err(Ok(())) => pause = third,
                // Of several keys the others may still be held, so it is tried again all the same; sooner, where that may help
                // before the lease ends.
                Err(Err(error)) => {
                    pause = if error.may_pass() { third.checked_div(4).unwrap_or_default() } else { third };
                    let reason = Chain(&error);
                    tracing::warn!(
                        provider = self.held.provider().name(),
                        endpoint = self.held.receiver().endpoint(),
                        delivery_id = self.delivery.id().as_deref(),
                        %reason,
                        "the lease was not renewed"
                    );
                }
            }
            // A runtime that does not wait must not keep the handler from its turn.
            yield_now().await;
        }
    }
}

impl<P: Provider> Held<P> {
    async fn commit_patiently(&self, runtime: &impl Runtime) -> Result<(), StoreError> {
        for pause in COMMIT_PAUSES {
            match self.commit().await {
                Err(error) if error.may_pass() => runtime.sleep(pause).await,
                settled => return settled,
            }
        }
        self.commit().await
    }

    async fn commit_late(self, runtime: impl Runtime) {
        let mut pause = FIRST_LATE_PAUSE;
        for _ in 0..LATE_TRIES {
            runtime.sleep(pause).await;
            pause = pause.saturating_mul(2).min(LONGEST_LATE_PAUSE);
            let limit = pin!(runtime.sleep(self.receiver().shared.store_timeout));
            let (provider, keys, endpoint) = (self.provider().name(), &self, self.receiver().endpoint());
            match settled(self.provider(), "commit", limit, pin!(self.commit())).await {
                Ok(()) => {
                    return tracing::info!(provider, endpoint, ?keys, "delivery committed late");
                }
                Err(error) if error.may_pass() => {}
                Err(error) => {
                    let reason = Chain(&error);
                    return tracing::error!(provider, endpoint, ?keys, %reason, "delivery not committed");
                }
            }
        }
    }
}
