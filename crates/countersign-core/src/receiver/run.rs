//! Running a handler under a lease: renewed while it works, committed or released when it is done.

use std::{
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    task::Poll,
    time::Duration,
};

use super::{Admitted, Answer, Outcome};
use crate::{
    error::{Chain, StoreError},
    provider::Provider,
};

/// Pauses before a commit is tried again. A sender waits 5 to 6 s for its answer.
const COMMIT_PAUSES: [Duration; 3] =
    [Duration::from_millis(50), Duration::from_millis(200), Duration::from_millis(750)];

impl<P: Provider> Admitted<P> {
    /// Runs a handler to its end and settles the delivery by what `judge` makes of the result: committed when it is
    /// [`Outcome::Processed`], released when it is not, or when the handler panicked.
    ///
    /// The lease is renewed each third of its length. `sleep` is the runtime's timer. The result is `None` when the
    /// handler panicked.
    pub async fn run<T, S: Future<Output = ()>>(
        self,
        handler: impl Future<Output = T>,
        sleep: impl Fn(Duration) -> S,
        judge: impl FnOnce(&T) -> Answer,
    ) -> (Answer, Option<T>) {
        let result = self.work(handler, &sleep).await;
        let answer = result.as_ref().map_or_else(Answer::panicked, judge);
        if answer.outcome() != Outcome::Processed {
            if let Err(error) = unwound(self.release()).await.unwrap_or_else(|| Err(panicked())) {
                let reason = Chain(&error);
                tracing::warn!(provider = P::NAME, %reason, "not released: free again when the lease ends");
            }
            return (answer, result);
        }
        match unwound(self.commit_patiently(&sleep)).await.unwrap_or_else(|| Err(panicked())) {
            Ok(()) => (answer, result),
            // The effect has happened. A failure's answer would bring it a second time for certain.
            Err(error) => (answer.uncommitted(&error), result),
        }
    }

    async fn work<T, S: Future<Output = ()>>(
        &self,
        handler: impl Future<Output = T>,
        sleep: &impl Fn(Duration) -> S,
    ) -> Option<T> {
        let mut handler = pin!(unwound(handler));
        loop {
            let mut renewal = pin!(unwound(async {
                sleep(self.receiver.shared.lease.checked_div(3).unwrap_or_default()).await;
                self.renew().await
            }));
            let done = poll_fn(|cx| match handler.as_mut().poll(cx) {
                Poll::Ready(result) => Poll::Ready(Ok(result)),
                Poll::Pending => renewal.as_mut().poll(cx).map(Err),
            });
            match done.await {
                Ok(result) => return result,
                Err(Some(Ok(()))) => {}
                Err(renewal) => {
                    // Of several keys the others may still be held, so it is tried again all the same.
                    let error = renewal.and_then(Result::err).unwrap_or_else(panicked);
                    let reason = Chain(&error);
                    tracing::warn!(
                        provider = P::NAME,
                        endpoint = self.receiver.endpoint(),
                        delivery_id = self.delivery.id().as_deref(),
                        %reason,
                        "the lease was not renewed"
                    );
                }
            }
        }
    }

    async fn commit_patiently<S: Future<Output = ()>>(
        &self,
        sleep: &impl Fn(Duration) -> S,
    ) -> Result<(), StoreError> {
        for pause in COMMIT_PAUSES {
            match self.commit().await {
                Err(error) if error.may_pass() => sleep(pause).await,
                settled => return settled,
            }
        }
        self.commit().await
    }
}

/// A future's result, or `None` when it panicked.
async fn unwound<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
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

fn panicked() -> StoreError {
    StoreError::unavailable("the store panicked")
}
