//! `Outcome` and `Answer`: the one table from what happened to what the sender sees.

use std::{fmt, sync::Arc, time::Duration};

use super::metrics;
use crate::{
    delivery::Delivery,
    error::{Chain, EventError, StoreError, StoreErrorKind, VerifyError, VerifyErrorKind},
    provider::{Description, Provider, Retries},
    registry::LookUpError,
    reply::Reply,
};

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// Genuine. There was no receiver to claim it.
    Verified,
    /// The provider asked whether the endpoint is yours, and was answered.
    Handshake,
    /// Handled and committed.
    Processed,
    /// Handled, and the commit failed: a later copy may be handled again.
    Uncommitted,
    /// Handled before.
    Duplicate,
    /// Being handled by somebody else.
    InFlight,
    /// Not genuine, or not readable.
    Refused(VerifyErrorKind),
    /// The store could not claim it.
    StoreFailed(StoreErrorKind),
    /// Genuine, and its payload does not fit its type.
    Misfit,
    /// The handler answered with something else than a 2xx.
    Failed,
    /// The handler panicked, or the store did.
    Panicked,
    /// The handler asks for something that the route was not set up with.
    NotSetUp,
    /// The registry knows no such provider, or no such tenant.
    Unknown,
    /// The registry could not look up the secrets.
    SecretsFailed,
    /// The signature is wrong, and too many deliveries wait already for the secrets to be looked up again.
    Busy,
}

impl Outcome {
    /// The outcome in one word, for logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Handshake => "handshake",
            Self::Processed => "processed",
            Self::Uncommitted => "uncommitted",
            Self::Duplicate => "duplicate",
            Self::InFlight => "in_flight",
            Self::Refused(_) => "refused",
            Self::StoreFailed(_) => "store_failed",
            Self::Misfit => "misfit",
            Self::Failed => "failed",
            Self::Panicked => "panicked",
            Self::NotSetUp => "not_set_up",
            Self::Unknown => "unknown",
            Self::SecretsFailed => "secrets_failed",
            Self::Busy => "busy",
        }
    }

    /// The status that goes with it: the table. A handler's own status takes the place of 200 and 500.
    const fn status(self) -> u16 {
        match self {
            Self::Verified | Self::Handshake | Self::Processed | Self::Uncommitted | Self::Duplicate => 200,
            Self::Refused(kind) => match kind {
                VerifyErrorKind::MissingHeader
                | VerifyErrorKind::RepeatedHeader
                | VerifyErrorKind::MalformedHeader
                | VerifyErrorKind::TimestampRequired
                | VerifyErrorKind::BodyCutOff => 400,
                VerifyErrorKind::Timestamp | VerifyErrorKind::Signature | VerifyErrorKind::Forbidden => 401,
                VerifyErrorKind::Handshake => 403,
                VerifyErrorKind::BodyTooSlow => 408,
                VerifyErrorKind::BodyTooLarge => 413,
                VerifyErrorKind::OverBudget => 503,
                // Not the sender's fault: it is to try again once the set-up is mended.
                VerifyErrorKind::WrongEndpoint | VerifyErrorKind::NotSetUp => 500,
                VerifyErrorKind::Method => 405,
            },
            Self::Misfit | Self::Failed | Self::Panicked | Self::NotSetUp => 500,
            // Never a 2xx, since the first try may still fail; never a 409, since some only retry on 408, 429 and 5xx.
            Self::InFlight | Self::StoreFailed(_) | Self::SecretsFailed | Self::Busy => 503,
            Self::Unknown => 404,
        }
    }
}

/// The outcome in one word.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What the sender is told: a status and the class of the problem. What you are told: the outcome and the reason.
///
/// The adapters put it into the response's extensions. Its reason is for the log, and never sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    outcome: Outcome,
    status: u16,
    retry_after: Option<Duration>,
    reason: Option<Arc<str>>,
    reply: Option<Reply>,
}

/// How long a sender is asked to wait, and the longest for a delivery in flight: most handlers are done long before their lease
/// ends. Half of the time that a body may take by default, where there is no room for another.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(5);

impl Answer {
    fn new(outcome: Outcome, reason: Option<&dyn fmt::Display>) -> Self {
        let (reason, status) = (reason.map(|reason| reason.to_string().into()), outcome.status());
        // Some (Zendesk) take a 503 for final where nothing says when to try again.
        let retry_after = (status == 503).then_some(MAX_RETRY_AFTER);
        Self { outcome, status, retry_after, reason, reply: None }
    }

    /// A request that was refused.
    pub fn refused(error: &VerifyError) -> Self {
        Self::new(Outcome::Refused(error.kind()), Some(error))
    }

    /// A request for which a registry has no receiver.
    pub fn no_receiver(error: &LookUpError) -> Self {
        let outcome = match error {
            LookUpError::UnknownProvider | LookUpError::UnknownTenant | LookUpError::OtherSpelling => {
                Outcome::Unknown
            }
            LookUpError::Failed { .. } | LookUpError::TimedOut => Outcome::SecretsFailed,
            LookUpError::Busy => Outcome::Busy,
            LookUpError::NotSetUp { .. } => Outcome::Refused(VerifyErrorKind::NotSetUp),
        };
        Self::new(outcome, Some(error))
    }

    /// A handshake, with the reply to it, or why it was refused.
    pub fn handshake(verdict: Result<Reply, VerifyError>) -> Self {
        match verdict {
            Ok(reply) => {
                Self { status: reply.status(), reply: Some(reply), ..Self::new(Outcome::Handshake, None) }
            }
            Err(error) => Self::refused(&error),
        }
    }

    /// A delivery that was handled before.
    pub fn duplicate() -> Self {
        Self::new(Outcome::Duplicate, None)
    }

    /// A delivery that somebody else is handling, whose lease ends that much later.
    pub fn in_flight(retry_after: Duration) -> Self {
        let retry_after = Some(retry_after.min(MAX_RETRY_AFTER));
        Self { retry_after, ..Self::new(Outcome::InFlight, None) }
    }

    /// What a handler's response makes of a delivery: a 2xx is processed, all else has failed. `inner` is the answer in the
    /// response's extensions, which tells a misfit from a failure.
    pub fn of_response(status: u16, inner: Option<&Self>, retries: Retries) -> Self {
        match inner {
            Some(answer) if answer.outcome == Outcome::Misfit => answer.clone(),
            _ if (200..300).contains(&status) => Self::processed(status),
            _ => Self::failed(status, retries),
        }
    }

    /// A genuine delivery that the store could not claim.
    pub fn store_failed(error: &StoreError) -> Self {
        Self::new(Outcome::StoreFailed(error.kind()), Some(&Chain(error)))
    }

    /// A genuine delivery whose payload does not fit its type.
    pub fn misfit(error: &EventError) -> Self {
        Self::new(Outcome::Misfit, Some(error))
    }

    /// A delivery that the handler took, with its 2xx.
    fn processed(status: u16) -> Self {
        Self { status, ..Self::new(Outcome::Processed, None) }
    }

    /// A delivery that the handler did not take: its own status where the provider tries again on that, else 500.
    fn failed(status: u16, retries: Retries) -> Self {
        let (sent, note) = match retries.on(status) {
            true => (status, ""),
            false => (Outcome::Failed.status(), ", sent as 500: the provider might not try again on that"),
        };
        let reason = format_args!("the handler answered {status}{note}").to_string();
        Self { status: sent, ..Self::new(Outcome::Failed, Some(&reason)) }
    }

    /// A delivery that the handler did not take, with its error.
    pub(super) fn error(error: &dyn fmt::Display) -> Self {
        Self::new(Outcome::Failed, Some(error))
    }

    /// A handler that asks for something that the route was not set up with; `remedy` says what to add.
    pub fn not_set_up(remedy: &dyn fmt::Display) -> Self {
        Self::new(Outcome::NotSetUp, Some(remedy))
    }

    /// A delivery that is genuine, where nothing claims it.
    pub fn verified() -> Self {
        Self::new(Outcome::Verified, None)
    }

    /// A delivery whose handler, or whose store, panicked.
    pub fn panicked() -> Self {
        Self::new(Outcome::Panicked, None)
    }

    pub(super) fn uncommitted(self, error: &StoreError) -> Self {
        let Self { status, .. } = self;
        Self { status, ..Self::new(Outcome::Uncommitted, Some(&Chain(error))) }
    }

    /// The same with the status by which the provider hears that a delivery was handled.
    pub(super) fn acknowledged(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// The same, so that the provider tries again where this one is a failure: for those that take a failure for final unless it says
    /// when to try.
    pub(super) fn retried(mut self, retries: Retries) -> Self {
        if self.status >= 400 && retries.wants_retry_after() {
            self.status = if retries.on(self.status) { self.status } else { 503 };
            self.retry_after.get_or_insert(MAX_RETRY_AFTER);
        }
        self
    }

    /// What became of the request.
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// What to send, headers and body, in answer to a handshake.
    pub fn reply(&self) -> Option<&Reply> {
        self.reply.as_ref()
    }

    /// The value of `Retry-After`, in whole seconds and at least 1: for each 503 of ours, and for a failure of a provider that tries again
    /// only where there is one.
    pub fn retry_after_seconds(&self) -> Option<u64> {
        let wait = self.retry_after?;
        Some(wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).max(1))
    }

    /// Why, for the log. Holds neither a secret, nor an expected signature, nor anything of
    /// the body, except what the error of your own handler says.
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// The body of the answer: `application/problem+json` (RFC 9457) with the class of the problem and nothing else.
    /// `None` for a 2xx.
    pub fn problem(&self) -> Option<&'static str> {
        macro_rules! problem {
            ($($status:literal $title:literal),*) => {
                match self.status {
                    200..=299 => None,
                    $($status => Some(concat!(
                        r#"{"type":"about:blank","title":""#, $title, r#"","status":"#, $status, "}"
                    )),)*
                    _ => Some(r#"{"type":"about:blank"}"#),
                }
            };
        }
        problem!(
            400 "Bad Request",
            401 "Unauthorized",
            403 "Forbidden",
            404 "Not Found",
            405 "Method Not Allowed",
            408 "Request Timeout",
            413 "Content Too Large",
            500 "Internal Server Error",
            503 "Service Unavailable"
        )
    }

    /// Says to `tracing` what became of a request, at the level that it deserves, and to `metrics` (feature `metrics`).
    ///
    /// `delivery` is there once it was found genuine: nothing unverified is logged.
    pub fn log<P: Provider>(
        &self,
        description: &Description,
        endpoint: &str,
        delivery: Option<&Delivery<P>>,
        duration: Option<Duration>,
    ) {
        metrics::delivery(description, self.outcome);
        let (id, kind) = (delivery.and_then(Delivery::id), delivery.and_then(Delivery::kind));
        macro_rules! log {
            ($level:ident, $message:literal) => {
                tracing::$level!(
                    provider = description.name(),
                    endpoint,
                    delivery_id = id.as_deref(),
                    kind = kind.as_deref(),
                    outcome = self.outcome.as_str(),
                    status = self.status,
                    reason = self.reason(),
                    duration = duration.map(tracing::field::debug),
                    $message
                )
            };
        }
        match self.outcome {
            Outcome::Verified => log!(info, "delivery verified"),
            Outcome::Handshake => log!(info, "handshake answered"),
            Outcome::Processed => log!(info, "delivery processed"),
            Outcome::Duplicate => log!(info, "delivery was processed before"),
            Outcome::InFlight => log!(info, "delivery is being processed elsewhere"),
            Outcome::Refused(VerifyErrorKind::WrongEndpoint) => log!(error, "delivery at the wrong endpoint"),
            Outcome::Refused(VerifyErrorKind::NotSetUp) => log!(error, "the verifier cannot be set up"),
            Outcome::Refused(_) => log!(warn, "request refused"),
            Outcome::Failed => log!(warn, "handler failed; the delivery is released for the next try"),
            Outcome::Misfit => {
                log!(error, "payload does not fit its type; the delivery is released for the next try")
            }
            Outcome::Panicked => {
                log!(
                    error,
                    "handler or store panicked; the delivery is free for the next try, at the latest when its lease ends"
                )
            }
            Outcome::Uncommitted => {
                log!(error, "delivery processed, but not committed: a copy may be processed again")
            }
            Outcome::StoreFailed(_) => log!(error, "the store did not claim the delivery"),
            Outcome::NotSetUp => log!(error, "the route is not set up for this handler"),
            Outcome::Unknown => log!(warn, "request for an unknown provider or tenant"),
            Outcome::SecretsFailed => log!(error, "the secrets could not be looked up"),
            // Forgeries alone can bring it about, so it is no error of the set-up.
            Outcome::Busy => log!(warn, "too many deliveries wait for the secrets to be looked up again"),
        }
    }
}
