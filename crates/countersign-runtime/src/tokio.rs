//! `TokioRuntime`: tokio's timer and tasks.

use std::time::Duration;

use countersign_core::{Clock as _, Runtime, dedupe::BoxFuture};

use crate::SystemClock;

/// The tokio runtime that polls the receiver: under axum, actix-web and all that run on tokio.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokioRuntime;

impl Runtime for TokioRuntime {
    async fn sleep(&self, length: Duration) {
        tokio::time::sleep(length).await;
    }

    fn elapsed(&self) -> Option<Duration> {
        Some(SystemClock.elapsed())
    }

    /// Outside of a tokio runtime, and while it shuts down, the task is dropped.
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(task);
        }
    }
}
