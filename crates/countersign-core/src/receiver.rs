//! `Receiver<P>`: verify, claim, settle.

mod admitted;
mod answer;
mod builder;
mod held;
mod metrics;
mod run;
mod running;
mod runtime;

use std::{
    borrow::Cow,
    fmt,
    hash::{BuildHasher, RandomState},
    num::NonZeroU64,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use self::held::Held;
pub use self::{
    admitted::Admitted,
    answer::{Answer, Outcome},
    builder::ReceiverBuilder,
    running::Run,
    runtime::Runtime,
};
pub(crate) use self::{
    builder::replay_window,
    held::unwound,
    running::Running,
    runtime::{since, within},
};
use crate::{
    dedupe::{Claim, Key, KeyRule, Store, Token},
    delivery::Delivery,
    error::{EventError, StoreError},
    headers::Headers,
    provider::{Custom, Description, Payload, Provider},
    secret::Secrets,
    time::Timestamp,
    verifier::{IntoBody, Verifier},
};

/// Receives the deliveries of one provider at one endpoint: verifies, claims, and settles each.
///
/// Cheap to clone, and meant to be shared. The adapters for axum and actix-web run it; [`handle`](Self::handle) runs it
/// anywhere else.
///
/// ```
/// # use std::time::Duration;
/// use countersign_core::{Clock, Receiver, Secret, Timestamp, dedupe::MemoryStore, provider::Retake};
///
/// # struct SystemClock;
/// # impl Clock for SystemClock {
/// #     fn now(&self) -> Timestamp { std::time::SystemTime::now().into() }
/// #     fn elapsed(&self) -> Duration { Duration::ZERO }
/// # }
/// let receiver = Receiver::<Retake>::builder(Secret::new("retake_secret")?)
///     .store(MemoryStore::with_clock(100_000, SystemClock))
///     .build()?;
/// # Ok::<(), countersign_core::ConfigError>(())
/// ```
pub struct Receiver<P: Provider> {
    shared: Arc<Shared<P>>,
}

struct Shared<P: Provider> {
    verifier: Verifier<P>,
    store: Box<dyn Store>,
    endpoint: String,
    rules: Cow<'static, [KeyRule]>,
    lease: Duration,
    retention: Duration,
    store_timeout: Duration,
    tokens: RandomState,
    admissions: AtomicU64,
    running: Running,
    spawn_handlers: bool,
}

/// A verified delivery with its typed event: what a handler under [`Receiver::handle`] gets.
///
/// Under axum and actix-web, handlers extract their adapter's `Webhook`, which has the same fields.
pub struct Webhook<P: Provider> {
    /// The verified delivery.
    pub delivery: Delivery<P>,
    /// What it says.
    pub event: P::Event,
}

/// What is to be done with a genuine delivery.
#[non_exhaustive]
pub enum Admission<P: Provider> {
    /// It is yours to handle, and to settle.
    Process(Admitted<P>),
    /// It was handled before, and is remembered.
    Duplicate(Delivery<P>),
    /// Somebody else is handling it.
    InFlight {
        /// The delivery.
        delivery: Delivery<P>,
        /// When the other's lease ends unless it is renewed.
        retry_after: Duration,
    },
}

impl<T: Payload> Receiver<Custom<T>> {
    /// A receiver to be set up, of a provider that is not built in. See [`Verifier::custom`].
    pub fn custom(
        description: impl Into<Description>,
        secrets: impl Into<Secrets>,
    ) -> ReceiverBuilder<Custom<T>> {
        ReceiverBuilder::new(Verifier::custom_builder(description, secrets))
    }
}

impl<P: Provider> Receiver<P> {
    /// A receiver to be set up.
    pub fn builder(secrets: impl Into<Secrets>) -> ReceiverBuilder<P> {
        ReceiverBuilder::new(Verifier::builder(secrets))
    }

    /// What verifies the deliveries.
    pub fn verifier(&self) -> &Verifier<P> {
        &self.shared.verifier
    }

    /// The endpoint's name, empty unless it was given one.
    pub fn endpoint(&self) -> &str {
        &self.shared.endpoint
    }

    /// How long a handled delivery is remembered.
    pub fn retention(&self) -> Duration {
        self.shared.retention
    }

    /// Whether each handler runs in a task of its own from the start: see [`ReceiverBuilder::spawn_handlers`]. For the adapters.
    pub fn spawns_handlers(&self) -> bool {
        self.shared.spawn_handlers
    }

    /// A delivery's dedupe keys at this endpoint, for stores that claim within a transaction of yours: a hit on any one
    /// makes it a duplicate.
    pub fn keys(&self, delivery: &Delivery<P>) -> Vec<Key> {
        delivery.keys(self.endpoint(), &self.shared.rules)
    }

    /// Claims a delivery under each of its keys.
    ///
    /// A handshake is a delivery as any other here: ask [`Delivery::reply`] first, as [`process`](Self::process) does.
    ///
    /// A later key's refusal releases the earlier ones. A claim whose answer was lost is tried once more, by the same token.
    ///
    /// # Errors
    /// [`StoreError`]: the delivery is to be refused with a 503, so that it is tried again. [`StoreError::TimedOut`] when
    /// that took longer than the [`store_timeout`](ReceiverBuilder::store_timeout).
    pub async fn admit(
        &self,
        delivery: Delivery<P>,
        runtime: impl Runtime,
    ) -> Result<Admission<P>, StoreError> {
        let mut held = Held::new(self, self.token());
        match held.claim(&self.keys(&delivery), &runtime).await? {
            Claim::Claimed => Ok(Admission::Process(Admitted::new(delivery, held))),
            Claim::Committed => Ok(Admission::Duplicate(delivery)),
            Claim::InFlight { retry_after } => Ok(Admission::InFlight { delivery, retry_after }),
        }
    }

    /// Claims a delivery, and where it is to be handled, does `work` and settles by what `judge` makes of the result, as
    /// [`Admitted::run`] does. There is no result when `work` was not done, or panicked. A store that panics is a failure as any other. A handshake is answered, and never claimed.
    ///
    /// What the adapters run; see [`handle`](Self::handle) for frameworks without one.
    pub fn process<T>(
        &self,
        delivery: Delivery<P>,
        runtime: impl Runtime,
        work: impl Future<Output = T>,
        judge: impl FnOnce(&T) -> Answer,
    ) -> impl Future<Output = (Answer, Option<T>)> {
        self.begin(delivery).process(runtime, work, judge)
    }

    /// Counts a delivery as being handled, for [`drain`](Self::drain), until what this returns has [processed](Run::process) it.
    ///
    /// For whoever processes it in another task: one that has not begun yet is waited for as well.
    pub fn begin(&self, delivery: Delivery<P>) -> Run<P> {
        Run::begin(self.clone(), delivery)
    }

    /// Waits until no delivery is being handled any more, at most for `timeout`; how many were not settled by then.
    ///
    /// Call it at a shutdown. Under axum, call it once the server has stopped: the handlers that are left are those whose sender has hung
    /// up. Under actix-web, call it before the server stops, since each worker drops its tasks when it stops.
    ///
    /// A delivery counts from the call of [`process`](Self::process), or of [`begin`](Self::begin), until it is settled, commits that are tried on after the answer
    /// among them. One that is dropped while this waits was not settled. Such a delivery is free again when its lease ends, and its
    /// sender, which has no 2xx, sends it again.
    ///
    /// The number is logged as a warning unless it is zero. At any time, each delivery that is dropped before it was settled is logged as
    /// a warning, with its id and with how many there were so far: also by a process that ends without this. A process that is killed, or
    /// that exits without dropping its runtime, logs nothing.
    ///
    /// `runtime` waits: `tokio::time::sleep` does under tokio.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use countersign_core::{Receiver, provider::Retake};
    /// # async fn shut_down(receiver: Receiver<Retake>, sleep: fn(Duration) -> std::future::Ready<()>) {
    /// let left = receiver.drain(Duration::from_secs(20), sleep).await;
    /// println!("{left} deliveries were left");
    /// # }
    /// ```
    pub async fn drain(&self, timeout: Duration, runtime: impl Runtime) -> usize {
        let left = self.shared.running.drain(timeout, &runtime).await;
        if left > 0 {
            let (provider, endpoint) = (self.verifier().description().name(), self.endpoint());
            tracing::warn!(provider, endpoint, left, "drained: some deliveries were not settled");
        }
        left
    }

    /// Handles one request from end to end, under any framework: verifies, claims, types, runs the handler and settles. A provider
    /// that asks by a delivery whether the endpoint is yours (Slack, Zoom, Discord) is answered: send what [`Answer::reply`] holds.
    ///
    /// `runtime` waits, so that the lease can be renewed while the handler works, and a store that hangs is given up:
    /// `tokio::time::sleep` does under tokio. To outlive a sender that hangs up, spawn this: a future that is dropped
    /// half-way leaves the delivery claimed until its lease ends.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use countersign_core::{Clock, Receiver, Secret, Signer, Timestamp, dedupe::MemoryStore, provider::Retake};
    /// # struct Fixed;
    /// # impl Clock for Fixed {
    /// #     fn now(&self) -> Timestamp { Timestamp::from_unix_seconds(0) }
    /// #     fn elapsed(&self) -> Duration { Duration::ZERO }
    /// # }
    /// # fn block_on<T>(future: impl Future<Output = T>) -> T {
    /// #     let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    /// #     match std::pin::pin!(future).poll(&mut context) { std::task::Poll::Ready(t) => t, _ => panic!() }
    /// # }
    /// # let (secret, now) = (Secret::new("retake_secret")?, Timestamp::from_unix_seconds(0));
    /// # let receiver = Receiver::<Retake>::builder(&secret).store(MemoryStore::with_clock(100, Fixed)).build()?;
    /// # let body = r#"{"event":"trial.expired","data":{"userId":"user_456"}}"#;
    /// # let headers = Signer::<Retake>::new(&secret).sign(body, now)?;
    /// # let sleep = |_| std::future::pending();
    /// # block_on(async {
    /// let answer = receiver
    ///     .handle(&headers, body, now, sleep, async |webhook| {
    ///         println!("{:?}", webhook.event);
    ///         Ok::<(), std::io::Error>(())
    ///     })
    ///     .await;
    /// assert_eq!(answer.status(), 200);
    /// # });
    /// # Ok::<(), countersign_core::ConfigError>(())
    /// ```
    pub async fn handle<H, B, F, R, E>(
        &self,
        headers: &H,
        body: B,
        now: Timestamp,
        runtime: impl Runtime,
        handler: F,
    ) -> Answer
    where
        H: Headers + ?Sized,
        B: IntoBody,
        F: FnOnce(Webhook<P>) -> R,
        R: Future<Output = Result<(), E>>,
        E: fmt::Display,
    {
        let began = runtime.elapsed();
        let verdict = self.verifier().verify(headers, body, now).map_err(|error| Answer::refused(&error));
        self.handle_verified(verdict, runtime, began, handler).await
    }

    /// Does what is left to do once it is known whether a delivery is genuine.
    pub(crate) async fn handle_verified<F, R, E>(
        &self,
        verdict: Result<Delivery<P>, Answer>,
        runtime: impl Runtime,
        began: Option<Duration>,
        handler: F,
    ) -> Answer
    where
        F: FnOnce(Webhook<P>) -> R,
        R: Future<Output = Result<(), E>>,
        E: fmt::Display,
    {
        let answer = match verdict.clone() {
            Ok(delivery) => {
                let webhook = delivery.clone();
                let work = async {
                    let webhook = Webhook::try_from(webhook).map_err(|error| Answer::misfit(&error))?;
                    handler(webhook).await.map_err(|error| Answer::error(&error))
                };
                let success = self.success(&delivery);
                let judge = |result: &Result<(), Answer>| match result {
                    Ok(()) => self.judge(success, None),
                    Err(answer) => answer.clone(),
                };
                self.process(delivery, runtime.clone(), work, judge).await.0
            }
            Err(answer) => answer,
        };
        self.log(&answer, verdict.as_ref().ok(), since(&runtime, began));
        answer
    }

    /// Answers a `GET` by which the provider asks whether the endpoint is yours (Meta, Dropbox): see [`Verifier::handshake`]. No store
    /// is asked, no handler runs.
    pub fn handshake(&self, query: &str) -> Answer {
        let answer = Answer::handshake(self.verifier().handshake(query));
        self.log(&answer, None, None);
        answer
    }

    /// What a handler's response makes of a delivery of this provider: see [`Answer::of_response`].
    pub fn judge(&self, status: u16, inner: Option<&Answer>) -> Answer {
        Answer::of_response(status, inner, self.verifier().description().retries)
    }

    /// The status by which this provider hears that the delivery was handled: 200, or the one that it wants instead
    /// ([`Provider::SUCCESS`]). It takes the place of a handler's empty 200.
    pub fn success(&self, delivery: &Delivery<P>) -> u16 {
        self.verifier().description().success.of(delivery.body())
    }

    /// Says what became of a request: see [`Answer::log`].
    pub fn log(&self, answer: &Answer, delivery: Option<&Delivery<P>>, duration: Option<Duration>) {
        answer.log(self.verifier().description(), self.endpoint(), delivery, duration);
    }

    /// Whether this is the same receiver, not merely an equal one.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    fn token(&self) -> Token {
        let number = self.shared.tokens.hash_one(self.shared.admissions.fetch_add(1, Ordering::Relaxed));
        Token::new(NonZeroU64::new(number).unwrap_or(NonZeroU64::MIN))
    }
}

impl<P: Provider> TryFrom<Delivery<P>> for Webhook<P> {
    type Error = EventError;

    fn try_from(delivery: Delivery<P>) -> Result<Self, EventError> {
        Ok(Self { event: delivery.event()?, delivery })
    }
}

impl<P: Provider> Clone for Receiver<P> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<P: Provider> fmt::Debug for Receiver<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("verifier", &self.shared.verifier)
            .field("endpoint", &self.shared.endpoint)
            .field("lease", &self.shared.lease)
            .field("retention", &self.shared.retention)
            .field("store_timeout", &self.shared.store_timeout)
            .finish_non_exhaustive()
    }
}

impl<P: Provider> fmt::Debug for Admission<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Process(admitted) => f.debug_tuple("Process").field(admitted).finish(),
            Self::Duplicate(delivery) => f.debug_tuple("Duplicate").field(delivery).finish(),
            Self::InFlight { delivery, retry_after } => f
                .debug_struct("InFlight")
                .field("delivery", delivery)
                .field("retry_after", retry_after)
                .finish(),
        }
    }
}

/// Shows the delivery as its own `Debug` does, and nothing of the event, which is payload data.
impl<P: Provider> fmt::Debug for Webhook<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook").field("delivery", &self.delivery).finish_non_exhaustive()
    }
}

impl<P: Provider<Event: Clone>> Clone for Webhook<P> {
    fn clone(&self) -> Self {
        Self { delivery: self.delivery.clone(), event: self.event.clone() }
    }
}
