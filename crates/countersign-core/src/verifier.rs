//! `Verifier<P>`: from headers, chunks and now to a `Delivery<P>`.

mod body;
mod builder;
mod verification;

use std::{fmt, marker::PhantomData, sync::Arc, time::Duration};

use subtle::Choice;

pub(crate) use self::builder::out_of_range;
pub use self::{body::IntoBody, builder::VerifierBuilder, verification::Verification};
use crate::{
    delivery::{Delivery, Signed},
    error::VerifyError,
    headers::{self, Headers},
    provider::{Provider, Source},
    scheme::{Algorithm, Key, Scheme, TimestampSource},
    secret::Secrets,
    text::ShortText,
    time::{Clock, Timestamp},
};

/// How much of a body is taken, and for how long it is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The largest body, in bytes. 1 MiB unless told otherwise.
    pub body: usize,
    /// How long the whole body may take to arrive. 10 s unless told otherwise. Kept by the adapters.
    pub read_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { body: 1 << 20, read_timeout: Duration::from_secs(10) }
    }
}

/// Verifies the deliveries of one provider.
///
/// Holds the key states that its secrets make, computed once. Cheap to clone, and meant to be shared.
///
/// ```
/// use countersign_core::{Secret, Timestamp, Verifier, provider::Retake};
///
/// let verifier = Verifier::<Retake>::new(Secret::new("retake_secret")?);
/// let headers = [(
///     "X-Webhook-Signature",
///     "sha256=2a5353ac343b35701a0297aed52c55725036e711d8eb8d6f3d0f6e7db254428e",
/// )];
/// let body = r#"{"event":"intent.tracked","timestamp":"2024-01-15T10:30:00Z","data":{"intentId":"int_abc123","userId":"user_456"}}"#;
/// let delivery = verifier.verify(&headers, body, Timestamp::from_unix_seconds(1_705_314_600))?;
/// assert_eq!(delivery.kind().as_deref(), Some("intent.tracked"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Verifier<P: Provider> {
    shared: Arc<Shared>,
    provider: PhantomData<fn() -> P>,
}

struct Shared {
    schemes: Vec<Keyed>,
    require_timestamp: bool,
    kind: Option<ShortText>,
    limits: Limits,
    clock: Option<Arc<dyn Clock>>,
}

/// A scheme with the key states of each secret.
struct Keyed {
    scheme: &'static Scheme,
    keys: Vec<Key>,
}

impl<P: Provider> Verifier<P> {
    /// A verifier with the defaults of its provider.
    pub fn new(secrets: impl Into<Secrets>) -> Self {
        Self::builder(secrets).made(None)
    }

    /// A verifier to be set up.
    pub fn builder(secrets: impl Into<Secrets>) -> VerifierBuilder<P> {
        VerifierBuilder::new(secrets.into())
    }

    /// Decides everything that the headers can decide, before a byte of the body is read.
    ///
    /// # Errors
    /// A missing, repeated, malformed or stale header, a wrong token, or a declared length beyond the limit.
    pub fn begin<H>(&self, headers: &H, now: Timestamp) -> Result<Verification<'_, P>, VerifyError>
    where
        H: Headers + ?Sized,
    {
        let (keyed, name, value) = self.select(headers)?;
        let mut verification = Verification::new(keyed.scheme, self.shared.limits.body);
        self.check_headers(keyed, name, value, headers, now, &mut verification)?;
        let length = headers.values("content-length").next();
        let length = length.and_then(|length| std::str::from_utf8(length).ok()?.parse().ok());
        if length.is_some_and(|length: usize| length > self.shared.limits.body) {
            return Err(VerifyError::BodyTooLarge { limit: self.shared.limits.body });
        }
        Ok(verification)
    }

    /// Verifies a body that is there as a whole: [`begin`](Self::begin), [`update`](Verification::update) and
    /// [`finish`](Verification::finish) in one.
    ///
    /// A borrowed body is copied into the delivery after it was found genuine; [`Bytes`](bytes::Bytes) are shared.
    ///
    /// # Errors
    /// Each cause of [`VerifyError`] but a slow or cut off body.
    pub fn verify<H, B>(&self, headers: &H, body: B, now: Timestamp) -> Result<Delivery<P>, VerifyError>
    where
        H: Headers + ?Sized,
        B: IntoBody,
    {
        // As `begin`, `update` and `finish`, in place: moving a verification costs as much as a block of hashing.
        let (keyed, name, value) = self.select(headers)?;
        let mut verification = Verification::new(keyed.scheme, self.shared.limits.body);
        self.check_headers(keyed, name, value, headers, now, &mut verification)?;
        verification.hash(body.as_ref())?;
        verification.conclude(body)
    }

    /// How much of a body is taken, and for how long it is waited for.
    pub fn limits(&self) -> Limits {
        self.shared.limits
    }

    /// The time by the verifier's own clock, if it was given one.
    pub fn now(&self) -> Option<Timestamp> {
        self.shared.clock.as_ref().map(|clock| clock.now())
    }

    /// The strongest scheme whose header is there. A header that is there decides, even when it cannot be read: a
    /// weaker scheme never serves as a fallback for a stronger one.
    fn select<'h, H>(&self, headers: &'h H) -> Result<(&Keyed, &'static str, &'h [u8]), VerifyError>
    where
        H: Headers + ?Sized,
    {
        let schemes = || self.shared.schemes.iter().map(|keyed| keyed.scheme);
        for keyed in &self.shared.schemes {
            let scheme = keyed.scheme;
            for name in scheme.headers() {
                let Some(value) = headers::one(headers, name)? else { continue };
                let meant_for =
                    |other: &Scheme| other.headers().any(|n| n == name) && other.grammar.recognises(value);
                if !meant_for(scheme) && schemes().any(meant_for) {
                    continue;
                }
                return match self.shared.require_timestamp && !scheme.signs_timestamp() {
                    true => Err(VerifyError::TimestampRequired { name }),
                    false => Ok((keyed, name, value)),
                };
            }
        }
        let name = schemes().next().map_or("", |scheme| scheme.header);
        Err(VerifyError::MissingHeader { name })
    }

    fn check_headers<H>(
        &self,
        keyed: &Keyed,
        name: &'static str,
        value: &[u8],
        headers: &H,
        now: Timestamp,
        verification: &mut Verification<'_, P>,
    ) -> Result<(), VerifyError>
    where
        H: Headers + ?Sized,
    {
        let scheme = keyed.scheme;
        if scheme.algorithm == Algorithm::Token {
            let known = keyed.keys.iter().fold(Choice::from(0), |known, key| known | key.is_token(value));
            bool::from(known).then_some(()).ok_or(VerifyError::WrongToken)?;
        } else {
            let malformed = |reason| VerifyError::MalformedHeader { name, reason };
            let signatures = &mut verification.signatures;
            let timestamp = scheme.grammar.parse(value, scheme.encoding, signatures).map_err(malformed)?;
            verification.signed.timestamp = self.check_timestamp(scheme, name, timestamp, headers, now)?;
        }
        self.read_fields(headers, &mut verification.signed)?;
        verification.start(&keyed.keys);
        Ok(())
    }

    /// The scheme's timestamp, `listed` when it stands in the signature's header, and its text.
    fn check_timestamp<H>(
        &self,
        scheme: &Scheme,
        name: &'static str,
        listed: Option<&[u8]>,
        headers: &H,
        now: Timestamp,
    ) -> Result<Option<(Timestamp, ShortText)>, VerifyError>
    where
        H: Headers + ?Sized,
    {
        let Some((source, format)) = scheme.timestamp else { return Ok(None) };
        let (name, text) = match source {
            TimestampSource::SignatureHeader => (name, listed),
            TimestampSource::Header(name) => (name, headers::one(headers, name)?),
        };
        let text = text.ok_or(VerifyError::MissingHeader { name })?;
        let malformed =
            VerifyError::MalformedHeader { name, reason: "not a timestamp of this scheme's format" };
        let timestamp = format.parse(text).ok_or_else(|| malformed.clone())?;
        scheme.tolerance.check(timestamp, now)?;
        Ok(Some((timestamp, ShortText::new(text).ok_or(malformed)?)))
    }

    /// Takes what the provider says beside the signature, unsigned: id, kind and attempt.
    fn read_fields<H>(&self, headers: &H, signed: &mut Signed) -> Result<(), VerifyError>
    where
        H: Headers + ?Sized,
    {
        let text = |source| match source {
            Some(Source::Header(name)) => match headers::one(headers, name)? {
                Some([]) | None => Ok(None),
                Some(value) => ShortText::new(value)
                    .map(Some)
                    .ok_or(VerifyError::MalformedHeader { name, reason: "not UTF-8" }),
            },
            _ => Ok(None),
        };
        signed.id = text(P::FIELDS.id)?;
        signed.attempt = text(P::FIELDS.attempt)?.and_then(|attempt| attempt.as_str().parse().ok());
        signed.kind_is_configured = self.shared.kind.is_some();
        signed.kind = match &self.shared.kind {
            Some(kind) => Some(kind.clone()),
            None => text(P::FIELDS.kind)?,
        };
        Ok(())
    }
}

impl<P: Provider> Clone for Verifier<P> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), provider: PhantomData }
    }
}

impl<P: Provider> fmt::Debug for Verifier<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("provider", &P::NAME)
            .field("require_timestamp", &self.shared.require_timestamp)
            .field("kind", &self.shared.kind)
            .field("limits", &self.shared.limits)
            .finish_non_exhaustive()
    }
}
