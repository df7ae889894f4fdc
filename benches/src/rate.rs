//! How often something is done in a second by callers that do it at the same time.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::Barrier;

/// A run's settings.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// How often each rate is measured.
    pub runs: usize,
    /// How long each run of a store that waits for something takes.
    pub length: Duration,
    /// How many claims each run of a store in memory makes.
    pub claims: usize,
}

impl Effort {
    /// For numbers to be told.
    pub const FULL: Self = Self { runs: 5, length: Duration::from_secs(1), claims: 400_000 };
    /// To prove that it runs.
    pub const QUICK: Self = Self { runs: 1, length: Duration::from_millis(50), claims: 10_000 };
}

/// What some callers did.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// Calls a second.
    pub rate: f64,
    /// The longest call.
    pub slowest: Duration,
}

/// So many callers share so many calls. A call gets its number, from `first` on.
pub async fn of_calls<F>(callers: usize, first: usize, calls: usize, call: F) -> Sample
where
    F: AsyncCall,
{
    let each = calls / callers;
    sample(callers, move |caller| {
        let (call, from) = (call.clone(), first + caller * each);
        async move {
            let mut slowest = Duration::ZERO;
            for n in from..from + each {
                let began = Instant::now();
                call.call(n).await;
                slowest = slowest.max(began.elapsed());
            }
            (each, slowest)
        }
    })
    .await
}

/// So many callers call for so long. A call gets a number that no other has, from `first` on.
pub async fn for_length<F>(callers: usize, first: usize, length: Duration, call: F) -> Sample
where
    F: AsyncCall,
{
    sample(callers, move |caller| {
        let call = call.clone();
        async move {
            let (began, mut count, mut slowest) = (Instant::now(), 0, Duration::ZERO);
            let mut before = began;
            while before.duration_since(began) < length {
                call.call(first + count * callers + caller).await;
                let now = Instant::now();
                slowest = slowest.max(now.duration_since(before));
                (count, before) = (count + 1, now);
            }
            (count, slowest)
        }
    })
    .await
}

/// A call of what is measured. Its own trait, so that a call costs no allocation that it does not make itself.
pub trait AsyncCall: Clone + Send + Sync + 'static {
    /// Makes the call of this number.
    fn call(&self, n: usize) -> impl Future<Output = ()> + Send;
}

impl<F, R> AsyncCall for F
where
    F: Fn(usize) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = ()> + Send,
{
    fn call(&self, n: usize) -> impl Future<Output = ()> + Send {
        self(n)
    }
}

async fn sample<R>(callers: usize, caller: impl Fn(usize) -> R) -> Sample
where
    R: Future<Output = (usize, Duration)> + Send + 'static,
{
    let barrier = Arc::new(Barrier::new(callers + 1));
    let tasks: Vec<_> = (0..callers)
        .map(|n| {
            let (barrier, work) = (Arc::clone(&barrier), caller(n));
            tokio::spawn(async move {
                barrier.wait().await;
                work.await
            })
        })
        .collect();
    let began = Instant::now();
    barrier.wait().await;
    let (mut calls, mut slowest) = (0, Duration::ZERO);
    for task in tasks {
        let (count, longest) = task.await.unwrap();
        (calls, slowest) = (calls + count, slowest.max(longest));
    }
    Sample { rate: calls as f64 / began.elapsed().as_secs_f64(), slowest }
}

/// The median of some runs, and how far they spread: all of them, or their middle half.
#[derive(Clone, Copy, Debug)]
pub struct Median {
    pub median: f64,
    pub least: f64,
    pub most: f64,
}

impl Median {
    /// Of at least one.
    pub fn of(values: Vec<f64>) -> Self {
        Self::within(values, 0)
    }

    /// Of at least one, leaving a quarter at each end out of the spread: on a shared machine the ends are its neighbours'.
    pub fn of_middle_half(values: Vec<f64>) -> Self {
        let quarter = values.len() / 4;
        Self::within(values, quarter)
    }

    fn within(mut values: Vec<f64>, cut: usize) -> Self {
        values.sort_by(f64::total_cmp);
        Self { median: values[values.len() / 2], least: values[cut], most: values[values.len() - 1 - cut] }
    }
}
