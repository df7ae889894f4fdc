//! `Verifier<P>`: from headers, chunks and now to a `Delivery<P>`.

mod body;
mod builder;
mod verification;

use std::{borrow::Cow, fmt, marker::PhantomData, sync::Arc, time::Duration};

use subtle::Choice;

pub(crate) use self::builder::out_of_range;
pub use self::{body::IntoBody, builder::VerifierBuilder, verification::Verification};
use crate::{
    delivery::{Delivery, Signed},
    error::{ConfigError, VerifyError},
    headers::{self, Headers},
    provider::{Custom, Described, Description, Handshake, Payload, Provider, QueryHandshake, Source},
    reply::Reply,
    scheme::{Algorithm, Grammar, Key, Plan, Scheme, Stamp, TimestampSource},
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
/// let verifier = Verifier::<Retake>::new(Secret::new("retake_secret")?)?;
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
    described: Described,
    schemes: Vec<Keyed>,
    require_timestamp: bool,
    kind: Option<ShortText>,
    verify_token: Option<Key>,
    method: Cow<'static, str>,
    limits: Limits,
    clock: Option<Arc<dyn Clock>>,
}

/// A scheme made ready, with the key states of each secret.
struct Keyed {
    scheme: Scheme,
    plan: Plan,
    keys: Vec<Key>,
    /// The same, where a handshake's reply holds a digest under one; else none.
    reply_keys: Vec<Arc<Key>>,
}

impl<T: Payload> Verifier<Custom<T>> {
    /// A verifier of a provider that is not built in, by its description; or by one scheme, where that says enough.
    ///
    /// # Errors
    /// [`ConfigError::Description`] where the description cannot be safe or cannot work, and as [`VerifierBuilder::build`].
    pub fn custom(
        description: impl Into<Description>,
        secrets: impl Into<Secrets>,
    ) -> Result<Self, ConfigError> {
        Self::custom_builder(description, secrets).build()
    }

    /// As [`custom`](Self::custom), to be set up further.
    pub fn custom_builder(
        description: impl Into<Description>,
        secrets: impl Into<Secrets>,
    ) -> VerifierBuilder<Custom<T>> {
        VerifierBuilder::new(Described::Made(Arc::new(description.into())), secrets.into())
    }
}

impl<P: Provider> Verifier<P> {
    /// A verifier with the defaults of its provider.
    ///
    /// # Errors
    /// As [`VerifierBuilder::build`]: a secret that is not written as this provider writes its secrets, or a provider that signs
    /// the URL that it calls, which is set by [`VerifierBuilder::public_url`].
    pub fn new(secrets: impl Into<Secrets>) -> Result<Self, ConfigError> {
        Self::builder(secrets).build()
    }

    /// A verifier to be set up.
    pub fn builder(secrets: impl Into<Secrets>) -> VerifierBuilder<P> {
        const {
            Scheme::assert_sound(P::SCHEMES, &P::DESCRIPTION.fields);
            Handshake::assert_sound(P::HANDSHAKES, P::SCHEMES);
        };
        VerifierBuilder::new(Described::Constant(P::DESCRIPTION), secrets.into())
    }

    /// The provider, as it was described.
    pub fn description(&self) -> &Description {
        &self.shared.described
    }

    /// The method that requests must have where it is signed; `POST` unless told otherwise. For the adapters.
    ///
    /// # Errors
    /// [`VerifyError::WrongMethod`], when the scheme signs the method and this is another.
    pub fn check_method(&self, method: &str) -> Result<(), VerifyError> {
        let signed = self.shared.schemes.iter().any(|keyed| keyed.plan.signs_method);
        match signed && method != self.shared.method {
            true => Err(VerifyError::WrongMethod { expected: self.shared.method.clone() }),
            false => Ok(()),
        }
    }

    /// Whether a request of this method is a handshake, to be answered by [`handshake`](Self::handshake): a `GET`, for a provider that
    /// asks so whether the endpoint is yours (Meta, Dropbox).
    pub fn is_handshake(&self, method: &str) -> bool {
        method == "GET" && self.query_handshake().is_some()
    }

    /// What to answer to a `GET` with this query, still encoded.
    ///
    /// Nothing signs it. Where the provider shows a verify token (Meta), that must be the one that is
    /// [configured](VerifierBuilder::verify_token); where it shows none (Dropbox), anybody may ask, and is told nothing but what was
    /// asked.
    ///
    /// ```
    /// use countersign_core::{
    ///     Description, Secret, Verifier,
    ///     provider::{Custom, Handshake, QueryHandshake},
    ///     scheme::Scheme,
    /// };
    ///
    /// let query = QueryHandshake::echo("hub.challenge").mode("hub.mode", "subscribe").token("hub.verify_token");
    /// let acme = Description::new("acme", [Scheme::hmac_sha256("x-acme-signature")]).handshake(Handshake::Query(query));
    /// let verifier = Verifier::<Custom>::custom_builder(acme, Secret::new("a secret")?)
    ///     .verify_token(Secret::new("meatyhamhock")?)
    ///     .build()?;
    /// let reply = verifier.handshake("hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=meatyhamhock")?;
    /// assert_eq!(reply.body(), "1158201444");
    /// assert!(verifier.handshake("hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=guess").is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// A parameter that is missing, malformed, or there twice with different values; a wrong verify token, or none configured; and
    /// [`VerifyError::NoHandshake`] for a provider that does not ask so.
    pub fn handshake(&self, query: &str) -> Result<Reply, VerifyError> {
        let handshake = self.query_handshake().ok_or(VerifyError::NoHandshake)?;
        handshake.reply(query, self.shared.verify_token.as_ref())
    }

    fn query_handshake(&self) -> Option<&QueryHandshake> {
        self.description().handshakes().iter().find_map(|handshake| match handshake {
            Handshake::Query(query) => Some(query),
            Handshake::Body(_) => None,
        })
    }

    /// Decides everything that the headers can decide, before a byte of the body is read.
    ///
    /// # Errors
    /// A missing, repeated, malformed or stale header, a wrong token, or a declared length beyond the limit.
    pub fn begin<H>(&self, headers: &H, now: Timestamp) -> Result<Verification<'_, P>, VerifyError>
    where
        H: Headers + ?Sized,
    {
        let selected = self.select(headers)?;
        let mut verification = Verification::new(&self.shared, selected.0, now);
        self.check_headers(selected, headers, now, &mut verification)?;
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
        let selected = self.select(headers)?;
        let mut verification = Verification::new(&self.shared, selected.0, now);
        self.check_headers(selected, headers, now, &mut verification)?;
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
    fn select<'v: 'h, 'h, H>(&'v self, headers: &'h H) -> Result<Selected<'v, 'h>, VerifyError>
    where
        H: Headers + ?Sized,
    {
        let schemes = || self.shared.schemes.iter().map(|keyed| &keyed.scheme);
        for keyed in &self.shared.schemes {
            let scheme = &keyed.scheme;
            for name in scheme.headers() {
                let Some(value) = headers::one(headers, name)? else { continue };
                let meant_for =
                    |other: &Scheme| other.headers().any(|n| n == name) && other.grammar.recognises(value);
                if !meant_for(scheme) && schemes().any(meant_for) {
                    continue;
                }
                return match self.shared.require_timestamp && !scheme.signs_timestamp() {
                    true => Err(VerifyError::TimestampRequired { name: name.clone() }),
                    false => Ok((keyed, name, value)),
                };
            }
        }
        let name = schemes().next().map_or("".into(), |scheme| scheme.header.clone());
        Err(VerifyError::MissingHeader { name })
    }

    fn check_headers<H>(
        &self,
        (keyed, name, value): Selected<'_, '_>,
        headers: &H,
        now: Timestamp,
        verification: &mut Verification<'_, P>,
    ) -> Result<(), VerifyError>
    where
        H: Headers + ?Sized,
    {
        let scheme = &keyed.scheme;
        if scheme.algorithm.shows_secret() {
            let shown = shown(scheme, value).ok_or(VerifyError::WrongToken)?;
            let known = keyed.keys.iter().fold(Choice::from(0), |known, key| known | key.is_shown(shown));
            bool::from(known).then_some(()).ok_or(VerifyError::WrongToken)?;
        } else {
            let malformed = |reason| VerifyError::MalformedHeader { name: name.clone(), reason };
            let signatures = &mut verification.signatures;
            let listed = scheme.grammar.parse(value, scheme.algorithm, scheme.encoding, signatures);
            let listed = listed.map_err(malformed)?;
            verification.signed.timestamp = check_timestamp(scheme, (name, listed), headers, now)?;
        }
        self.read_fields(keyed, headers, &mut verification.signed)?;
        verification.start();
        Ok(())
    }

    /// Takes what the provider says beside the signature, unsigned but for an id that the scheme signs: id, kind and
    /// attempt.
    fn read_fields<H>(&self, keyed: &Keyed, headers: &H, signed: &mut Signed) -> Result<(), VerifyError>
    where
        H: Headers + ?Sized,
    {
        let sent = |name: &Cow<'static, str>| match headers::one(headers, name)? {
            Some([]) | None => Ok(None),
            Some(value) => ShortText::new(value)
                .map(Some)
                .ok_or_else(|| VerifyError::MalformedHeader { name: name.clone(), reason: "not UTF-8" }),
        };
        let text = |source: &Option<Source>| match source {
            Some(Source::Header(name)) => sent(name),
            _ => Ok(None),
        };
        let fields = self.shared.described.fields();
        let id_header = match (&keyed.scheme.id_header, &fields.id) {
            (Some(name), _) | (None, Some(Source::Header(name))) => Some(name),
            _ => None,
        };
        signed.id = id_header.map_or(Ok(None), sent)?;
        if let (true, None, Some(name)) = (keyed.plan.signs_id, &signed.id, id_header) {
            return Err(VerifyError::MissingHeader { name: name.clone() });
        }
        signed.attempt = text(&fields.attempt)?.and_then(|attempt| attempt.as_str().parse().ok());
        signed.kind_is_configured = self.shared.kind.is_some();
        signed.kind = match &self.shared.kind {
            Some(kind) => Some(kind.clone()),
            None => text(&fields.kind)?,
        };
        Ok(())
    }
}

/// A scheme, the name of its header and what that holds.
type Selected<'v, 'h> = (&'v Keyed, &'v Cow<'static, str>, &'h [u8]);

/// The token, or the credentials, that a header shows; `None` where it shows none.
fn shown<'h>(scheme: &Scheme, value: &'h [u8]) -> Option<&'h [u8]> {
    match (scheme.algorithm, &scheme.grammar) {
        (Algorithm::Basic, _) => {
            // RFC 7617, section 2, and RFC 9110, section 11.1: in any case, with at least one blank behind it.
            let (name, credentials) = value.split_at_checked(6)?;
            name.eq_ignore_ascii_case(b"basic ").then_some(credentials.trim_ascii_start())
        }
        (_, Grammar::Prefix(prefix)) => value.strip_prefix(prefix.as_bytes()),
        _ => Some(value),
    }
}

/// The scheme's timestamp, `listed` when it stands in the signature's header, which has this name; and its text. One that stands in the body is
/// looked at once that is known to be genuine.
fn check_timestamp<H>(
    scheme: &Scheme,
    (name, listed): (&Cow<'static, str>, Option<&[u8]>),
    headers: &H,
    now: Timestamp,
) -> Result<Option<(Timestamp, ShortText)>, VerifyError>
where
    H: Headers + ?Sized,
{
    let Some(Stamp { source, format }) = &scheme.timestamp else { return Ok(None) };
    let (name, text) = match source {
        TimestampSource::Signature => (name, listed),
        TimestampSource::Header(name) => (name, headers::one(headers, name)?),
        TimestampSource::Body(_) => return Ok(None),
    };
    let text = text.ok_or_else(|| VerifyError::MissingHeader { name: name.clone() })?;
    let malformed = || VerifyError::MalformedHeader {
        name: name.clone(),
        reason: "not a timestamp of this scheme's format",
    };
    let timestamp = format.parse(text).ok_or_else(malformed)?;
    scheme.max_age().check(timestamp, now)?;
    Ok(Some((timestamp, ShortText::new(text).ok_or_else(malformed)?)))
}

impl<P: Provider> Clone for Verifier<P> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), provider: PhantomData }
    }
}

impl<P: Provider> fmt::Debug for Verifier<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("provider", &self.shared.described.name())
            .field("require_timestamp", &self.shared.require_timestamp)
            .field("kind", &self.shared.kind)
            .field("limits", &self.shared.limits)
            .finish_non_exhaustive()
    }
}
