//! The pure core of [countersign](https://docs.rs/countersign): headers, body and the time in, a verdict out.
//!
//! It has no runtime, opens no socket and reads no clock: a framework's adapter, or you, bring the bytes and the time.
//! [`Verifier`] says who sent a delivery, [`Receiver`] whether it was handled already, and [`Delivery::event`] what it
//! says.
//!
//! Most users want the crate `countersign`, which brings the adapters for axum and actix-web and the system's clock.

pub mod dedupe;
mod delivery;
mod error;
pub mod event;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod headers;
mod json;
pub mod provider;
mod receiver;
mod registry;
mod reply;
pub mod scheme;
mod secret;
mod signer;
mod text;
mod time;
mod verifier;

// The public interface is:
pub use self::{
    delivery::Delivery,
    error::{
        ConfigError, ConfigErrorKind, EventError, EventErrorKind, StoreError, StoreErrorKind, VerifyError,
        VerifyErrorKind,
    },
    headers::Headers,
    provider::{Description, Provider},
    receiver::{Admission, Admitted, Answer, Outcome, Receiver, ReceiverBuilder, Run, Runtime, Webhook},
    registry::{
        FixedSecrets, Found, LookUpError, Registry, RegistryBuilder, SecretError, SecretSource, Settings,
        TenantSecrets,
    },
    reply::Reply,
    secret::{MAX_SECRETS, Secret, Secrets},
    signer::{SignedHeaders, Signer},
    time::{Clock, Timestamp, TimestampFormat, Tolerance},
    verifier::{IntoBody, Limits, Verification, Verifier, VerifierBuilder},
};
