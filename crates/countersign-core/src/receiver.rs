//! `Receiver<P>`: verify, claim, settle.

mod answer;
mod builder;
mod run;

use std::{
    fmt,
    hash::{BuildHasher, RandomState},
    num::NonZeroU64,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

pub use self::{
    answer::{Answer, Outcome},
    builder::ReceiverBuilder,
};
use crate::{
    dedupe::{Claim, Key, KeyRule, Store, Token},
    delivery::Delivery,
    error::{EventError, StoreError},
    headers::Headers,
    provider::Provider,
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
    rules: &'static [KeyRule],
    lease: Duration,
    retention: Duration,
    tokens: RandomState,
    admissions: AtomicU64,
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

/// A delivery that was claimed, to be handled and then settled.
///
/// One that is dropped without being settled becomes free when its lease ends.
pub struct Admitted<P: Provider> {
    delivery: Delivery<P>,
    keys: Vec<Key>,
    token: Token,
    receiver: Receiver<P>,
}

impl<P: Provider> Receiver<P> {
    /// A receiver to be set up.
    pub fn builder(secrets: impl Into<Secrets>) -> ReceiverBuilder<P> {
        ReceiverBuilder::new(secrets.into())
    }

    /// What verifies the deliveries.
    pub fn verifier(&self) -> &Verifier<P> {
        &self.shared.verifier
    }

    /// The endpoint's name, empty unless it was given one.
    pub fn endpoint(&self) -> &str {
        &self.shared.endpoint
    }

    /// Claims a delivery under each of its keys.
    ///
    /// A later key's refusal releases the earlier ones.
    ///
    /// # Errors
    /// [`StoreError`]: the delivery is to be refused with a 503, so that it is tried again.
    pub async fn admit(&self, delivery: Delivery<P>) -> Result<Admission<P>, StoreError> {
        let mut admitted =
            Admitted { keys: Vec::new(), token: self.token(), receiver: self.clone(), delivery };
        for key in admitted.delivery.keys(self.endpoint(), self.shared.rules) {
            match self.shared.store.claim(&key, admitted.token, self.shared.lease).await {
                Ok(Claim::Claimed) => admitted.keys.push(key),
                Ok(Claim::Committed) => return Ok(Admission::Duplicate(admitted.give_back().await)),
                Ok(Claim::InFlight { retry_after }) => {
                    return Ok(Admission::InFlight { delivery: admitted.give_back().await, retry_after });
                }
                Err(error) => {
                    // The store may have acted before it failed.
                    admitted.keys.extend(error.may_pass().then_some(key));
                    admitted.give_back().await;
                    return Err(error);
                }
            }
        }
        Ok(Admission::Process(admitted))
    }

    /// Handles one request from end to end, under any framework: verifies, claims, types, runs the handler and settles.
    ///
    /// `sleep` waits, so that the lease can be renewed while the handler works: `tokio::time::sleep` under tokio. To
    /// outlive a sender that hangs up, spawn this: a future that is dropped half-way leaves the delivery claimed until its
    /// lease ends.
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
    pub async fn handle<H, B, S, F, R, E>(
        &self,
        headers: &H,
        body: B,
        now: Timestamp,
        sleep: impl Fn(Duration) -> S,
        handler: F,
    ) -> Answer
    where
        H: Headers + ?Sized,
        B: IntoBody,
        S: Future<Output = ()>,
        F: FnOnce(Webhook<P>) -> R,
        R: Future<Output = Result<(), E>>,
        E: fmt::Display,
    {
        let verdict = self.verifier().verify(headers, body, now);
        let answer = match verdict.clone() {
            Ok(delivery) => self.process(delivery, sleep, handler).await,
            Err(error) => Answer::refused(&error),
        };
        answer.log(self.endpoint(), verdict.as_ref().ok(), None);
        answer
    }

    async fn process<S, F, R, E>(
        &self,
        delivery: Delivery<P>,
        sleep: impl Fn(Duration) -> S,
        handler: F,
    ) -> Answer
    where
        S: Future<Output = ()>,
        F: FnOnce(Webhook<P>) -> R,
        R: Future<Output = Result<(), E>>,
        E: fmt::Display,
    {
        let admitted = match self.admit(delivery.clone()).await {
            Ok(Admission::Process(admitted)) => admitted,
            Ok(Admission::Duplicate(_)) => return Answer::duplicate(),
            Ok(Admission::InFlight { retry_after, .. }) => return Answer::in_flight(retry_after),
            Err(error) => return Answer::store_failed(&error),
        };
        let work = async {
            match Webhook::try_from(delivery) {
                Ok(webhook) => handler(webhook).await.map_err(|error| Answer::error(&error)),
                Err(error) => Err(Answer::misfit(&error)),
            }
        };
        let judge = |result: &Result<(), Answer>| match result {
            Ok(()) => Answer::of_response(200, None, P::RETRIES),
            Err(answer) => answer.clone(),
        };
        admitted.run(work, sleep, judge).await.0
    }

    fn token(&self) -> Token {
        let number = self.shared.tokens.hash_one(self.shared.admissions.fetch_add(1, Ordering::Relaxed));
        Token::new(NonZeroU64::new(number).unwrap_or(NonZeroU64::MIN))
    }
}

impl<P: Provider> Admitted<P> {
    /// The delivery.
    pub fn delivery(&self) -> &Delivery<P> {
        &self.delivery
    }

    /// The delivery with its typed event.
    ///
    /// # Errors
    /// [`EventError`] when the payload does not fit its type.
    pub fn webhook(&self) -> Result<Webhook<P>, EventError> {
        Webhook::try_from(self.delivery.clone())
    }

    /// Starts the lease anew.
    ///
    /// # Errors
    /// [`StoreError`] of a key that could not be renewed; the others are all the same. [`StoreError::Fenced`] when the lease
    /// had ended.
    pub async fn renew(&self) -> Result<(), StoreError> {
        let Shared { store, lease, .. } = &*self.receiver.shared;
        self.each(|key| store.renew(key, self.token, *lease)).await
    }

    /// Remembers the delivery as handled, for the retention. A lease that ended is taken anew for that, if nobody else has
    /// taken the delivery since.
    ///
    /// # Errors
    /// [`StoreError`] of a key that could not be committed; the others are all the same. Can be called again.
    pub async fn commit(&self) -> Result<(), StoreError> {
        self.each(|key| self.commit_key(key)).await
    }

    /// Frees the delivery at once, for the next try.
    ///
    /// # Errors
    /// [`StoreError`] of a key that could not be released; the others are all the same, and this one is free when the lease
    /// ends.
    pub async fn release(&self) -> Result<(), StoreError> {
        self.each(|key| self.receiver.shared.store.release(key, self.token)).await
    }

    async fn commit_key(&self, key: &Key) -> Result<(), StoreError> {
        let Shared { store, lease, retention, .. } = &*self.receiver.shared;
        match store.commit(key, self.token, *retention).await {
            Err(StoreError::Fenced) => match store.claim(key, self.token, *lease).await? {
                Claim::Claimed => store.commit(key, self.token, *retention).await,
                _ => Err(StoreError::Fenced),
            },
            settled => settled,
        }
    }

    /// Does something for each key, whatever becomes of the others. Of several errors, one that may pass counts.
    async fn each<'k, F>(&'k self, act: impl Fn(&'k Key) -> F) -> Result<(), StoreError>
    where
        F: Future<Output = Result<(), StoreError>>,
    {
        let mut result = Ok(());
        for key in &self.keys {
            match (act(key).await, &result) {
                (Err(error), Ok(())) => result = Err(error),
                (Err(error), Err(other)) if error.may_pass() && !other.may_pass() => result = Err(error),
                _ => {}
            }
        }
        result
    }

    async fn give_back(self) -> Delivery<P> {
        if let Err(error) = self.release().await {
            tracing::debug!(provider = P::NAME, %error, "an earlier key was not released; it is free when its lease ends");
        }
        self.delivery
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

impl<P: Provider> fmt::Debug for Admitted<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admitted")
            .field("delivery", &self.delivery)
            .field("keys", &self.keys)
            .finish_non_exhaustive()
    }
}

impl<P: Provider> fmt::Debug for Webhook<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook").field("delivery", &self.delivery).field("event", &self.event).finish()
    }
}

impl<P: Provider<Event: Clone>> Clone for Webhook<P> {
    fn clone(&self) -> Self {
        Self { delivery: self.delivery.clone(), event: self.event.clone() }
    }
}
