//! Receive webhooks: verified per provider, deduplicated without losing one, typed.
//!
//! ```
//! # #[cfg(all(feature = "axum", feature = "embedded"))] {
//! use ::axum::http::StatusCode;
//! use countersign::{
//!     EmbeddedStore, Receiver, Secret,
//!     axum::{Webhook, post},
//!     provider::{Retake, retake::Event},
//! };
//!
//! async fn on_retake(webhook: Webhook<Retake>) -> Result<(), StatusCode> {
//!     if let Event::IntentConverted(converted) = webhook.event {
//!         println!("converted: {:?}", converted.data.value);
//!     }
//!     Ok(())
//! }
//!
//! # fn app() -> Result<::axum::Router, Box<dyn std::error::Error>> {
//! let receiver = Receiver::<Retake>::builder(Secret::new("the secret from the dashboard")?)
//!     .store(EmbeddedStore::open("claims.redb")?)
//!     .build()?;
//! let app = ::axum::Router::new().route("/webhooks/retake", post(receiver, on_retake));
//! # Ok(app)
//! # }
//! # }
//! ```
//!
//! A delivery goes through [`Verifier`] (who sent it), [`Receiver`] (was it handled already) and
//! [`Delivery::event`] (what does it say). Take as much as you need:
//!
//! - [`verify`]: a function over headers and body, for any framework.
//! - [`axum`] and [`actix`] (features of these names): extractors, a layer, middleware, routes.
//! - [`Receiver::handle`]: everything, under a framework of your own.
//! - [`Registry`]: one route for many providers and tenants, by their names, with secrets that are looked up.
//! - [`Signer`]: signs as the providers do, for tests of your own handler.
//!
//! What was handled is remembered by a store: [`MemoryStore`] for a process that may forget, and by features of their names
//! `EmbeddedStore` for one machine, `RedisStore` and `PostgresStore` for many. Each says what it keeps through which failure.
//!
//! Providers are in [`provider`]; one of your own is an `impl` of [`Provider`] of a dozen lines.

#[cfg(feature = "actix")]
pub use countersign_actix as actix;
#[cfg(feature = "axum")]
pub use countersign_axum as axum;
pub use countersign_core::{
    Admission, Admitted, Answer, Clock, ConfigError, ConfigErrorKind, Delivery, Description, EventError,
    EventErrorKind, FixedSecrets, Found, Headers, IntoBody, Limits, LookUpError, MAX_SECRETS, Outcome,
    Provider, Receiver, ReceiverBuilder, Registry, RegistryBuilder, Reply, Run, Runtime, Secret, SecretError,
    SecretSource, Secrets, Settings, SignedHeaders, Signer, StoreError, StoreErrorKind, TenantSecrets,
    Timestamp, TimestampFormat, Tolerance, Verification, Verifier, VerifierBuilder, VerifyError,
    VerifyErrorKind, Webhook, dedupe, event, for_each_provider, provider, scheme,
};

pub use countersign_runtime::SystemClock;
#[cfg(feature = "tokio")]
pub use countersign_runtime::TokioRuntime;
#[cfg(any(feature = "embedded", feature = "postgres", feature = "redis"))]
pub use countersign_stores::SetUpError;
#[cfg(feature = "embedded")]
pub use countersign_stores::embedded::{self, EmbeddedStore};
#[cfg(feature = "postgres")]
pub use countersign_stores::postgres::{self, PostgresStore};
#[cfg(feature = "redis")]
pub use countersign_stores::redis::{self, RedisStore};

/// A store in this process's memory. See [`dedupe::MemoryStore`].
pub type MemoryStore = dedupe::MemoryStore<SystemClock>;

/// Verifies one delivery by the system's clock.
///
/// Makes the key states anew at each call; a service that verifies many keeps a [`Verifier`].
///
/// ```
/// use countersign::{Secret, provider::Retake};
///
/// let secret = Secret::new("retake_secret")?;
/// let headers = [(
///     "X-Webhook-Signature",
///     "sha256=2a5353ac343b35701a0297aed52c55725036e711d8eb8d6f3d0f6e7db254428e",
/// )];
/// let body = r#"{"event":"intent.tracked","timestamp":"2024-01-15T10:30:00Z","data":{"intentId":"int_abc123","userId":"user_456"}}"#;
/// let delivery = countersign::verify::<Retake>(&secret, &headers, body)?;
/// assert_eq!(delivery.kind().as_deref(), Some("intent.tracked"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// As [`Verifier::verify`]; [`VerifyError::NotSetUp`] where [`Verifier::new`] fails.
pub fn verify<P: Provider>(
    secret: &Secret,
    headers: &(impl Headers + ?Sized),
    body: impl IntoBody,
) -> Result<Delivery<P>, VerifyError> {
    let verifier = Verifier::<P>::new(secret).map_err(|error| VerifyError::NotSetUp { error })?;
    verifier.verify(headers, body, SystemClock.now())
}
