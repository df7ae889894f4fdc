//! `Verifier<P>`: from headers, chunks and now to a `Delivery<P>`.

use std::{
    fmt,
    future::poll_fn,
    marker::PhantomData,
    pin::pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use subtle::{Choice, ConstantTimeEq};

use crate::{
    delivery::{Delivery, Signed},
    error::{ConfigError, VerifyError},
    headers::{self, Headers},
    json,
    provider::{Provider, Source},
    scheme::{Algorithm, BodyRule, Hasher, Key, Part, Presented, Scheme, Signatures, TimestampSource},
    secret::{MAX_SECRETS, Secrets},
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
        VerifierBuilder {
            secrets: secrets.into(),
            require_timestamp: false,
            kind: None,
            limits: Limits::default(),
            clock: None,
            provider: PhantomData,
        }
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
        let scheme = keyed.scheme;
        let mut signed = Signed { body_only: !scheme.signs_timestamp(), ..Signed::default() };
        let mut signatures = Signatures::NONE;
        if scheme.algorithm == Algorithm::Token {
            let known = keyed.keys.iter().fold(Choice::from(0), |known, key| known | key.is_token(value));
            bool::from(known).then_some(()).ok_or(VerifyError::WrongToken)?;
        } else {
            let malformed = |reason| VerifyError::MalformedHeader { name, reason };
            let presented = scheme.grammar.parse(value, scheme.encoding).map_err(malformed)?;
            self.check_timestamp(scheme, name, headers, &presented, now, &mut signed)?;
            signatures = presented.signatures;
        }
        self.read_fields(headers, &mut signed)?;
        let declared =
            headers.values("content-length").next().and_then(|v| std::str::from_utf8(v).ok()?.parse().ok());
        if declared.is_some_and(|length: u64| length > self.shared.limits.body as u64) {
            return Err(VerifyError::BodyTooLarge { limit: self.shared.limits.body });
        }
        let mut hashers = [const { None }; MAX_SECRETS];
        for (place, key) in hashers.iter_mut().zip(&keyed.keys) {
            *place = key.hasher();
        }
        let mut verification = Verification {
            scheme,
            limit: self.shared.limits.body,
            signed,
            signatures,
            hashers,
            received: 0,
            body: Collected::One(Bytes::new()),
            provider: PhantomData,
            verifier: PhantomData,
        };
        verification.hash_parts(scheme.around_body().0);
        Ok(verification)
    }

    /// Verifies a body that is there as a whole: [`begin`](Self::begin), [`update`](Verification::update) and
    /// [`finish`](Verification::finish) in one.
    ///
    /// A borrowed body is copied into the delivery after it was found genuine; [`Bytes`] are shared.
    ///
    /// # Errors
    /// Each cause of [`VerifyError`] but a slow or cut off body.
    pub fn verify<H, B>(&self, headers: &H, body: B, now: Timestamp) -> Result<Delivery<P>, VerifyError>
    where
        H: Headers + ?Sized,
        B: IntoBody,
    {
        let mut verification = self.begin(headers, now)?;
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

    fn check_timestamp<H>(
        &self,
        scheme: &Scheme,
        name: &'static str,
        headers: &H,
        presented: &Presented<'_>,
        now: Timestamp,
        signed: &mut Signed,
    ) -> Result<(), VerifyError>
    where
        H: Headers + ?Sized,
    {
        let Some((source, format)) = scheme.timestamp else { return Ok(()) };
        let (name, text) = match source {
            TimestampSource::SignatureHeader => (name, presented.timestamp),
            TimestampSource::Header(name) => (name, headers::one(headers, name)?),
        };
        let text = text.ok_or(VerifyError::MissingHeader { name })?;
        let malformed =
            VerifyError::MalformedHeader { name, reason: "not a timestamp of this scheme's format" };
        let timestamp = format.parse(text).ok_or(malformed.clone())?;
        scheme.tolerance.check(timestamp, now)?;
        signed.timestamp = Some((timestamp, ShortText::new(text).ok_or(malformed)?));
        Ok(())
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

/// Sets up a [`Verifier`].
pub struct VerifierBuilder<P: Provider> {
    secrets: Secrets,
    require_timestamp: bool,
    kind: Option<String>,
    limits: Limits,
    clock: Option<Arc<dyn Clock>>,
    provider: PhantomData<fn() -> P>,
}

impl<P: Provider> VerifierBuilder<P> {
    /// Refuses the weaker form of a provider that also signs a timestamp (Recharge, RevKeen).
    #[must_use]
    pub fn require_timestamp(mut self) -> Self {
        self.require_timestamp = true;
        self
    }

    /// The kind of every delivery at this endpoint, for a provider that does not sign it: with one endpoint a kind,
    /// nothing unsigned is left in the dedupe key.
    #[must_use]
    pub fn kind(mut self, kind: impl Into<String>) -> Self {
        self.kind = Some(kind.into());
        self
    }

    /// The largest body that is taken, in bytes. 1 MiB unless told otherwise.
    #[must_use]
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.limits.body = bytes;
        self
    }

    /// How long a whole body may take to arrive. 10 s unless told otherwise.
    #[must_use]
    pub fn read_timeout(mut self, timeout: Duration) -> Self {
        self.limits.read_timeout = timeout;
        self
    }

    /// A clock for the adapters to use instead of the system's; for tests.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// [`ConfigError`], when a timestamp is required of a provider that signs none, when a kind is configured for one
    /// that signs it, or when a limit is zero.
    pub fn build(self) -> Result<Verifier<P>, ConfigError> {
        if self.require_timestamp && !P::SCHEMES.iter().any(Scheme::signs_timestamp) {
            return Err(ConfigError::NoTimestamp { provider: P::NAME });
        }
        if self.kind.is_some() && matches!(P::FIELDS.kind, Some(Source::Body(_))) {
            return Err(ConfigError::KindIsSigned { provider: P::NAME });
        }
        let kind = match self.kind.as_deref().map(str::trim) {
            Some("") => return Err(out_of_range("kind", "not blank")),
            kind => kind.and_then(|kind| ShortText::new(kind.as_bytes())),
        };
        if self.limits.body == 0 {
            return Err(out_of_range("body_limit", "at least 1 byte"));
        }
        if self.limits.read_timeout.is_zero() {
            return Err(out_of_range("read_timeout", "longer than zero"));
        }
        Ok(self.made(kind))
    }

    /// Makes the key states. The settings are good: they were checked, or are the defaults.
    fn made(self, kind: Option<ShortText>) -> Verifier<P> {
        let keyed = |scheme: &'static Scheme| Keyed {
            scheme,
            keys: self.secrets.iter().map(|secret| Key::new(scheme.algorithm, secret)).collect(),
        };
        let shared = Shared {
            schemes: P::SCHEMES.iter().map(keyed).collect(),
            require_timestamp: self.require_timestamp,
            kind,
            limits: self.limits,
            clock: self.clock,
        };
        Verifier { shared: Arc::new(shared), provider: PhantomData }
    }
}

impl<P: Provider> fmt::Debug for VerifierBuilder<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifierBuilder")
            .field("provider", &P::NAME)
            .field("secrets", &self.secrets)
            .finish_non_exhaustive()
    }
}

pub(crate) fn out_of_range(setting: &'static str, expected: &'static str) -> ConfigError {
    ConfigError::OutOfRange { setting, expected }
}

/// A delivery whose headers are good, while its body arrives.
///
/// Keeps the chunks, so that the body that comes out is the one that was hashed.
pub struct Verification<'v, P: Provider> {
    scheme: &'static Scheme,
    limit: usize,
    signed: Signed,
    signatures: Signatures,
    hashers: [Option<Hasher>; MAX_SECRETS],
    received: usize,
    body: Collected,
    provider: PhantomData<fn() -> P>,
    verifier: PhantomData<&'v Verifier<P>>,
}

impl<P: Provider> Verification<'_, P> {
    /// Takes the next chunk of the body, hashing it at once.
    ///
    /// # Errors
    /// [`VerifyError::BodyTooLarge`] when the body grows beyond the limit.
    pub fn update(&mut self, chunk: Bytes) -> Result<(), VerifyError> {
        self.hash(&chunk)?;
        self.body.push(chunk);
        Ok(())
    }

    /// Compares the signatures, now that the body is complete.
    ///
    /// # Errors
    /// [`VerifyError::WrongSignature`]; [`VerifyError::ForbiddenBody`] and [`VerifyError::Contradiction`] when the
    /// signature matches and still proves too little.
    pub fn finish(mut self) -> Result<Delivery<P>, VerifyError> {
        let body = std::mem::replace(&mut self.body, Collected::One(Bytes::new()));
        self.conclude(body.into_bytes())
    }

    /// Reads a body to its end, hashing as it arrives, and finishes.
    ///
    /// `next` polls for the next chunk; `deadline` ends when the body must have arrived. For the adapters: it works with any
    /// kind of stream and any runtime's timer.
    ///
    /// # Errors
    /// As [`update`](Self::update) and [`finish`](Self::finish); [`VerifyError::BodyTooSlow`] at the deadline;
    /// [`VerifyError::BodyCutOff`] when the stream fails.
    pub async fn read<E>(
        mut self,
        mut next: impl FnMut(&mut Context<'_>) -> Poll<Option<Result<Bytes, E>>>,
        deadline: impl Future<Output = ()>,
    ) -> Result<Delivery<P>, VerifyError> {
        let mut deadline = pin!(deadline);
        poll_fn(|cx| {
            loop {
                match next(cx) {
                    Poll::Ready(None) => return Poll::Ready(Ok(())),
                    Poll::Ready(Some(Err(_))) => return Poll::Ready(Err(VerifyError::BodyCutOff)),
                    // A body that keeps growing meets its limit. One that does not is as good as pending.
                    Poll::Ready(Some(Ok(chunk))) if !chunk.is_empty() => match self.update(chunk) {
                        Ok(()) => continue,
                        refused => return Poll::Ready(refused),
                    },
                    Poll::Ready(Some(Ok(_empty))) => cx.waker().wake_by_ref(),
                    Poll::Pending => {}
                }
                return deadline.as_mut().poll(cx).map(|()| Err(VerifyError::BodyTooSlow));
            }
        })
        .await?;
        self.finish()
    }

    fn hash(&mut self, chunk: &[u8]) -> Result<(), VerifyError> {
        self.received = self.received.saturating_add(chunk.len());
        if self.received > self.limit {
            return Err(VerifyError::BodyTooLarge { limit: self.limit });
        }
        self.hashers.iter_mut().flatten().for_each(|hasher| hasher.update(chunk));
        Ok(())
    }

    fn hash_parts(&mut self, parts: &[Part]) {
        for part in parts {
            let bytes = match part {
                Part::Timestamp => self.signed.timestamp_text().as_bytes(),
                Part::Literal(text) => text.as_bytes(),
                Part::Body => &[],
            };
            self.hashers.iter_mut().flatten().for_each(|hasher| hasher.update(bytes));
        }
    }

    /// The body is the one that was hashed: private, and called by the two that see to it.
    fn conclude(mut self, body: impl IntoBody) -> Result<Delivery<P>, VerifyError> {
        self.hash_parts(self.scheme.around_body().1);
        if self.scheme.algorithm != Algorithm::Token {
            let mut genuine = Choice::from(0);
            for hasher in self.hashers.iter_mut().filter_map(Option::take) {
                let expected = hasher.finalize();
                for signature in self.signatures.iter() {
                    genuine |= expected.ct_eq(signature);
                }
            }
            bool::from(genuine).then_some(()).ok_or(VerifyError::WrongSignature)?;
        }
        let forbidden = match self.scheme.body {
            BodyRule::JsonStructure if !json::starts_structure(body.as_ref()) => {
                "neither an object nor an array"
            }
            BodyRule::JsonText if !json::is_text(body.as_ref()) => "not one complete JSON text",
            _ => "",
        };
        if !forbidden.is_empty() {
            return Err(VerifyError::ForbiddenBody { reason: forbidden });
        }
        let delivery = Delivery::verified(self.signed, body.into_body());
        P::check(&delivery)?;
        Ok(delivery)
    }
}

impl<P: Provider> fmt::Debug for Verification<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verification")
            .field("provider", &P::NAME)
            .field("received", &self.received)
            .finish_non_exhaustive()
    }
}

/// A body as it arrives: one chunk is kept as it is, more are copied together.
enum Collected {
    One(Bytes),
    Many(BytesMut),
}

impl Collected {
    fn push(&mut self, chunk: Bytes) {
        match self {
            Self::One(first) if first.is_empty() => *first = chunk,
            Self::One(first) => {
                let mut all = BytesMut::with_capacity(first.len().saturating_add(chunk.len()));
                all.extend_from_slice(first);
                all.extend_from_slice(&chunk);
                *self = Self::Many(all);
            }
            Self::Many(all) => all.extend_from_slice(&chunk),
        }
    }

    fn into_bytes(self) -> Bytes {
        match self {
            Self::One(bytes) => bytes,
            Self::Many(bytes) => bytes.freeze(),
        }
    }
}

/// A whole body: [`Bytes`] and owned buffers are taken over, slices and text are copied once they were verified.
///
/// Sealed: what is hashed and what is handed out must be the same bytes.
pub trait IntoBody: AsRef<[u8]> + sealed::Sealed {
    /// The body as shared bytes.
    fn into_body(self) -> Bytes;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! into_body {
    ($($body:ty => |$value:ident| $into:expr),* $(,)?) => {$(
        impl sealed::Sealed for $body {}

        impl IntoBody for $body {
            fn into_body(self) -> Bytes {
                let $value = self;
                $into
            }
        }
    )*};
}

into_body! {
    Bytes => |body| body,
    &Bytes => |body| body.clone(),
    Vec<u8> => |body| body.into(),
    String => |body| body.into(),
    &Vec<u8> => |body| Bytes::copy_from_slice(body),
    &[u8] => |body| Bytes::copy_from_slice(body),
    &str => |body| Bytes::copy_from_slice(body.as_bytes()),
    &String => |body| Bytes::copy_from_slice(body.as_bytes()),
}

impl<const LEN: usize> sealed::Sealed for &[u8; LEN] {}

impl<const LEN: usize> IntoBody for &[u8; LEN] {
    fn into_body(self) -> Bytes {
        Bytes::copy_from_slice(self)
    }
}
