//! `Verifier<P>`: from headers, chunks and now to a `Delivery<P>`.

mod body;
mod budget;
mod builder;
mod checked;
mod oddity;
mod verification;

use std::{borrow::Cow, fmt, marker::PhantomData, sync::Arc, time::Duration};

use subtle::Choice;

use self::checked::Checked;
pub use self::{body::IntoBody, builder::VerifierBuilder, verification::Verification};
pub(crate) use self::{budget::Budget, builder::out_of_range};
use crate::{
    dedupe::{KeyRule, Known},
    delivery::{Beside, Delivery},
    error::{ConfigError, VerifyError},
    headers::{Found, Header, Headers, Sought},
    provider::{Custom, Described, Description, Handshake, Payload, Provider, QueryHandshake},
    reply::Reply,
    scheme::{Algorithm, Grammar, Key, Plan, Scheme, Separator, Signatures, Stamp, TimestampSource, is_id},
    secret::Secrets,
    time::{Clock, Timestamp},
};

/// How much of a body is taken, and for how long it is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The largest body, in bytes. By default the largest that the provider documents, or 1 MiB.
    pub body: usize,
    /// How long the whole body may take to arrive. 10 s unless told otherwise. Kept by the adapters.
    pub read_timeout: Duration,
}

impl Limits {
    fn check(self, length: usize) -> Result<(), VerifyError> {
        (length <= self.body).then_some(()).ok_or(VerifyError::BodyTooLarge { limit: self.body })
    }
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
    /// Those for which a secret is configured.
    schemes: Vec<Keyed>,
    sought: Sought,
    kind_header: Option<Header>,
    event_id: Option<Header>,
    attempt: Option<Header>,
    content_length: Header,
    require_timestamp: bool,
    kind: Option<String>,
    verify_token: Option<Key>,
    method: Cow<'static, str>,
    limits: Limits,
    budget: Budget,
    clock: Option<Arc<dyn Clock>>,
}

/// A scheme made ready, with the key states of each secret.
struct Keyed {
    scheme: Scheme,
    plan: Plan,
    /// Where its signature stands: the header, and its alias.
    signature: Vec<Header>,
    timestamp: Option<Header>,
    /// Where the id stands, signed or not.
    id: Option<Header>,
    /// The header whose text is signed and not interpreted.
    header: Option<Header>,
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
            KeyRule::assert_sound(P::KEYS, P::SCHEMES, &P::DESCRIPTION.fields);
            Handshake::assert_sound(P::HANDSHAKES, P::SCHEMES);
        };
        VerifierBuilder::new(Described::Constant(P::DESCRIPTION), secrets.into())
    }

    /// The provider, as it was described.
    pub fn description(&self) -> &Description {
        &self.shared.described
    }

    /// Where the parts of its deliveries' dedupe keys come from.
    pub(crate) fn known(&self) -> Known {
        let Shared { described, kind, require_timestamp, .. } = &*self.shared;
        Known::at_endpoint(described.schemes(), described.fields(), kind.is_some(), *require_timestamp)
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
        let found = self.shared.sought.find(headers);
        let mut signatures = Signatures::default();
        let checked = self.check_headers(&found, now, &mut signatures)?;
        let length = found.one(&self.shared.content_length).ok().flatten();
        let length = length.and_then(|length| std::str::from_utf8(length).ok()?.parse().ok());
        self.shared.limits.check(length.unwrap_or_default())?;
        Ok(Verification::new(checked, length))
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
        let found = self.shared.sought.find(headers);
        let mut signatures = Signatures::default();
        let checked = self.check_headers(&found, now, &mut signatures)?;
        let signer = checked.signer(body.as_ref())?;
        checked.conclude(signer, body)
    }

    /// Whether a scheme of the provider takes no part, since no secret of its own is configured.
    pub(crate) fn lacks_schemes(&self) -> bool {
        self.shared.schemes.len() < self.description().schemes().len()
    }

    /// How much of a body is taken, and for how long it is waited for.
    pub fn limits(&self) -> Limits {
        self.shared.limits
    }

    /// How many bytes of bodies are held now, until they are judged: at most the
    /// [`body_budget`](VerifierBuilder::body_budget). A registry's verifiers share one budget. For metrics.
    pub fn bodies_held(&self) -> usize {
        self.shared.budget.held()
    }

    /// The time by the verifier's own clock, if it was given one.
    pub fn now(&self) -> Option<Timestamp> {
        self.shared.clock.as_ref().map(|clock| clock.now())
    }

    /// The strongest scheme whose header is there. A header that is there decides, even when it cannot be read: a
    /// weaker scheme never serves as a fallback for a stronger one.
    fn select<'v, 'r>(&'v self, found: &Found<'r>) -> Result<Selected<'v, 'r>, VerifyError> {
        let schemes = || self.shared.schemes.iter().map(|keyed| &keyed.scheme);
        let is_single = self.shared.schemes.len() == 1;
        for keyed in &self.shared.schemes {
            let scheme = &keyed.scheme;
            for header in &keyed.signature {
                let (Some(value), name) = (found.one(header)?, &header.name) else { continue };
                let meant_for =
                    |other: &Scheme| other.headers().any(|n| n == name) && other.grammar.recognises(value);
                if !is_single && !scheme.grammar.recognises(value) && schemes().any(meant_for) {
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

    fn check_headers<'v: 'r, 'r>(
        &'v self,
        found: &Found<'r>,
        now: Timestamp,
        signatures: &'r mut Signatures,
    ) -> Result<Checked<'v, 'r>, VerifyError> {
        let (keyed, name, value) = self.select(found)?;
        let scheme = &keyed.scheme;
        let mut beside = Beside { body_only: !scheme.signs_timestamp(), ..Beside::default() };
        if scheme.algorithm.shows_secret() {
            let shown = shown(scheme, value).ok_or(VerifyError::WrongToken)?;
            let known = keyed.keys.iter().fold(Choice::from(0), |known, key| known | key.is_shown(shown));
            bool::from(known).then_some(()).ok_or(VerifyError::WrongToken)?;
        } else {
            let malformed = |reason| VerifyError::MalformedHeader { name: name.clone(), reason };
            let listed = scheme.grammar.parse(value, scheme.algorithm, scheme.encoding, signatures);
            let listed = listed.map_err(malformed)?;
            check_timestamp(keyed, (name, listed), found, now, &mut beside)?;
        }
        self.read_fields(keyed, found, &mut beside)?;
        Ok(Checked { shared: &self.shared, keyed, now, signatures, beside })
    }

    /// Takes what the provider says beside the signature, unsigned but for an id that the scheme signs: ids, kind and
    /// attempt.
    fn read_fields<'r>(
        &'r self,
        keyed: &Keyed,
        found: &Found<'r>,
        beside: &mut Beside<'r>,
    ) -> Result<(), VerifyError> {
        if let Some(header) = &keyed.id {
            beside.id = found.text(header)?;
            if keyed.plan.signs_id {
                check_part(beside.id, header, keyed.plan.id)?;
                if !is_id(beside.id) {
                    let reason =
                        "a signed id has 1 to 256 visible ASCII characters, and the first is neither { nor [";
                    return Err(VerifyError::MalformedHeader { name: header.name.clone(), reason });
                }
            }
        }
        if let Some(header) = &keyed.header {
            beside.header = found.text(header)?;
            check_part(beside.header, header, keyed.plan.header)?;
        }
        if let Some(header) = &self.shared.event_id {
            beside.event_id = found.text(header)?;
        }
        if let Some(header) = &self.shared.attempt {
            let attempt = std::str::from_utf8(found.text(header)?).unwrap_or_default();
            beside.attempt = attempt.parse().ok();
        }
        if let Some(kind) = &self.shared.kind {
            (beside.kind, beside.kind_is_configured) = (kind.as_bytes(), true);
        } else if let Some(header) = &self.shared.kind_header {
            beside.kind = found.text(header)?;
        }
        Ok(())
    }
}

/// Whether this part of the signed content is there, and could end nowhere else.
fn check_part(text: &[u8], header: &Header, separator: Option<Separator>) -> Result<(), VerifyError> {
    if text.is_empty() {
        return Err(VerifyError::MissingHeader { name: header.name.clone() });
    }
    if separator.is_some_and(|separator| separator.is_in(text)) {
        let reason = "it holds the text that separates it from the rest of the signed content";
        return Err(VerifyError::MalformedHeader { name: header.name.clone(), reason });
    }
    Ok(())
}

/// A scheme, the name of its header and what that holds.
type Selected<'v, 'r> = (&'v Keyed, &'v Cow<'static, str>, &'r [u8]);

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

/// Takes the scheme's timestamp, `listed` when it stands in the signature's header, which has this name. One that stands in the body is
/// looked at once that is known to be genuine.
fn check_timestamp<'r>(
    Keyed { scheme, timestamp: header, .. }: &Keyed,
    (name, listed): (&Cow<'static, str>, Option<&'r [u8]>),
    found: &Found<'r>,
    now: Timestamp,
    beside: &mut Beside<'r>,
) -> Result<(), VerifyError> {
    let Some(Stamp { source, format }) = &scheme.timestamp else { return Ok(()) };
    let (name, text) = match (source, header) {
        (TimestampSource::Body(_), _) => return Ok(()),
        (_, Some(header)) => (&header.name, found.one(header)?),
        (_, None) => (name, listed),
    };
    let text = text.ok_or_else(|| VerifyError::MissingHeader { name: name.clone() })?;
    let timestamp = format.parse(text).ok_or_else(|| VerifyError::MalformedHeader {
        name: name.clone(),
        reason: "not a timestamp of this scheme's format",
    })?;
    (beside.timestamp, beside.timestamp_text) = (Some(timestamp), text);
    scheme.max_age().check(timestamp, now)
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
