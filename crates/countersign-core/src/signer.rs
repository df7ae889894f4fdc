//! `Signer<P>`: the same schemes the other way, for tests and tools.

use std::{borrow::Cow, fmt, marker::PhantomData, sync::Arc};

use zeroize::Zeroizing;

use crate::{
    error::ConfigError,
    headers::Headers,
    json,
    provider::{Custom, Described, Description, Payload, Provider, Source},
    scheme::{Algorithm, Piece, Scheme, TimestampSource, Unusable, pieces, sign},
    secret::Secret,
    time::{Timestamp, TimestampFormat},
};

/// Signs deliveries as a provider would: for tests of your own handler, and for tools.
///
/// ```
/// use countersign_core::{Secret, Signer, Timestamp, provider::Retake};
///
/// let body = r#"{"event":"intent.tracked","timestamp":"2024-01-15T10:30:00Z","data":{"intentId":"int_abc123","userId":"user_456"}}"#;
/// let headers = Signer::<Retake>::new(&Secret::new("retake_secret")?).sign(body, Timestamp::from_unix_seconds(0))?;
/// assert_eq!(
///     headers.iter().next(),
///     Some(("x-webhook-signature", "sha256=2a5353ac343b35701a0297aed52c55725036e711d8eb8d6f3d0f6e7db254428e")),
/// );
/// # Ok::<(), countersign_core::ConfigError>(())
/// ```
pub struct Signer<P: Provider> {
    described: Described,
    secret: Secret,
    weakest: bool,
    id: Option<String>,
    event_id: Option<String>,
    kind: Option<String>,
    attempt: Option<u32>,
    public_url: Option<String>,
    header: Option<String>,
    provider: PhantomData<fn() -> P>,
}

impl<T: Payload> Signer<Custom<T>> {
    /// A signer for a provider that is not built in.
    ///
    /// # Errors
    /// [`ConfigError::Description`] where the description cannot be safe or cannot work.
    pub fn custom(description: impl Into<Description>, secret: &Secret) -> Result<Self, ConfigError> {
        let description = description.into();
        description.check()?;
        Ok(Self::of(Described::Made(Arc::new(description)), secret))
    }
}

impl<P: Provider> Signer<P> {
    /// A signer with this secret. For Ed25519 and ECDSA that is the private key: 32 bytes, written as the scheme writes its public
    /// key.
    pub fn new(secret: &Secret) -> Self {
        Self::of(Described::Constant(P::DESCRIPTION), secret)
    }

    fn of(described: Described, secret: &Secret) -> Self {
        Self {
            described,
            secret: secret.clone(),
            weakest: false,
            id: None,
            event_id: None,
            kind: None,
            attempt: None,
            public_url: None,
            header: None,
            provider: PhantomData,
        }
    }

    /// Signs by the weakest alone of the schemes that use this secret: Recharge's legacy digest, RevKeen's form without a timestamp.
    #[must_use]
    pub fn weakest(mut self) -> Self {
        self.weakest = true;
        self
    }

    /// The URL that the provider calls, for one that signs it.
    #[must_use]
    pub fn public_url(mut self, url: impl Into<String>) -> Self {
        self.public_url = Some(url.into());
        self
    }

    /// The delivery's id, for a provider that sends it in a header.
    #[must_use]
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// The event's id, for a provider that sends it in a header beside the delivery's.
    #[must_use]
    pub fn event_id(mut self, id: impl Into<String>) -> Self {
        self.event_id = Some(id.into());
        self
    }

    /// The event's kind, for a provider that sends it in a header.
    #[must_use]
    pub fn kind(mut self, kind: impl Into<String>) -> Self {
        self.kind = Some(kind.into());
        self
    }

    /// The text of the header that the provider signs without giving it a meaning (`{header:name}`, as Klaviyo does). By default,
    /// the time of signing, as HTTP writes dates.
    #[must_use]
    pub fn header(mut self, text: impl Into<String>) -> Self {
        self.header = Some(text.into());
        self
    }

    /// The number of the attempt, from 1, for a provider that sends it.
    #[must_use]
    pub fn attempt(mut self, attempt: u32) -> Self {
        self.attempt = Some(attempt);
        self
    }

    /// The headers that the provider would send with this body at this time, by `POST`. A timestamp in the body is the body's own.
    ///
    /// # Errors
    /// [`ConfigError::NotAHeaderValue`] when an id, the kind or a token cannot stand in a header, or the scheme signs an id
    /// and there is none; [`ConfigError::MalformedSecret`] and [`ConfigError::NoPublicUrl`] as for a verifier.
    pub fn sign(&self, body: impl AsRef<[u8]>, timestamp: Timestamp) -> Result<SignedHeaders, ConfigError> {
        let (body, fields) = (body.as_ref(), self.described.fields());
        let mut headers = SignedHeaders(Vec::new());
        let all = self.described.schemes();
        let schemes: Vec<_> = all.iter().filter(|scheme| scheme.uses(&self.secret, all)).collect();
        if schemes.is_empty() {
            let expected = "one that begins as the secrets of a scheme do";
            return Err(Unusable::Malformed(expected).of(self.described.name().to_owned()));
        }
        let weaker = if self.weakest { schemes.len().saturating_sub(1) } else { 0 };
        for scheme in schemes.into_iter().skip(weaker) {
            if headers.0.iter().any(|(name, _)| *name == scheme.header) {
                continue;
            }
            let text = scheme.timestamp.as_ref().map(|stamp| stamp.format.format(timestamp));
            let source = scheme.timestamp.as_ref().map(|stamp| &stamp.source);
            if let (Some(TimestampSource::Header(name)), Some(text)) = (source, &text) {
                headers.push_once(name, text, "timestamp")?;
            }
            if let (Some(name), Some(text)) = (fields.timestamp_repeated, &text) {
                headers.push_once(&name.into(), text, "timestamp")?;
            }
            if let (Some(name), Some(id)) = (&scheme.id_header, &self.id) {
                headers.push_once(name, id, "id")?;
            }
            let header = self.header.clone().unwrap_or_else(|| TimestampFormat::ImfFixdate.format(timestamp));
            if let Some(name) = scheme.signed_header() {
                headers.push_once(&name.to_owned().into(), &header, "header")?;
            }
            let content = self.content(scheme, text.as_deref(), &header, body)?;
            let signature = sign(scheme, &self.secret, &content);
            let signature = signature.map_err(|unusable| unusable.of(self.described.name().to_owned()))?;
            let value = Zeroizing::new(match scheme.algorithm {
                Algorithm::Basic => format!("Basic {}", *signature),
                _ => scheme.grammar.write(text.as_deref(), &signature),
            });
            headers.push_once(&scheme.header, &value, "secret")?;
        }
        let id_in_body = match (fields.id_repeated, &fields.id) {
            (Some(name), Some(Source::Body(path))) => {
                json::field(body, path).and_then(json::string).map(|id| (name, id))
            }
            _ => None,
        };
        if let Some((name, id)) = id_in_body.filter(|(_, id)| is_header_value(id)) {
            headers.push_once(&name.into(), &id, "id")?;
        }
        let attempt = self.attempt.map(|attempt| attempt.to_string());
        for (source, value, field) in [
            (&fields.id, &self.id, "id"),
            (&fields.event_id, &self.event_id, "event_id"),
            (&fields.kind, &self.kind, "kind"),
            (&fields.attempt, &attempt, "attempt"),
        ] {
            if let (Some(Source::Header(name)), Some(value)) = (source, value) {
                headers.push_once(name, value, field)?;
            }
        }
        Ok(headers)
    }

    /// The signed content, in one piece. It may hold the secret.
    fn content(
        &self,
        scheme: &Scheme,
        timestamp: Option<&str>,
        header: &str,
        body: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, ConfigError> {
        let mut parts = Vec::new();
        let malformed = || Unusable::Malformed(scheme.key.expected()).of(self.described.name().to_owned());
        let key = &**scheme.key.decode(self.secret.expose_secret()).ok_or_else(malformed)?;
        for piece in pieces(scheme.template()) {
            parts.push(match piece {
                Piece::Body => body,
                Piece::Timestamp => timestamp.unwrap_or_default().as_bytes(),
                Piece::Id => {
                    self.id.as_deref().ok_or(ConfigError::NotAHeaderValue { field: "id" })?.as_bytes()
                }
                Piece::Url => {
                    let url = self.public_url.as_deref().or(self.described.public_url.as_deref());
                    let no_url = || ConfigError::NoPublicUrl { provider: self.described.name().to_owned() };
                    url.ok_or_else(no_url)?.as_bytes()
                }
                Piece::Method => b"POST",
                Piece::Header(_) => header.as_bytes(),
                Piece::Secret => key,
                Piece::Literal(text) => text.as_bytes(),
                Piece::Unknown => b"",
            });
        }
        Ok(Zeroizing::new(parts.concat()))
    }
}

impl<P: Provider> Clone for Signer<P> {
    fn clone(&self) -> Self {
        Self {
            described: self.described.clone(),
            secret: self.secret.clone(),
            weakest: self.weakest,
            id: self.id.clone(),
            event_id: self.event_id.clone(),
            kind: self.kind.clone(),
            attempt: self.attempt,
            public_url: self.public_url.clone(),
            header: self.header.clone(),
            provider: PhantomData,
        }
    }
}

impl<P: Provider> fmt::Debug for Signer<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("provider", &self.described.name())
            .field("secret", &self.secret)
            .finish_non_exhaustive()
    }
}

/// The headers of a signed delivery: names in lower case, in the order of sending.
///
/// Its `Debug` shows names alone: a value may be a token. Values are wiped when dropped; copies made from them are not.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedHeaders(Vec<(Cow<'static, str>, Zeroizing<String>)>);

impl SignedHeaders {
    /// Each name and value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, value.as_str()))
    }

    #[expect(clippy::ptr_arg, reason = "an error takes the name over, and a constant's costs nothing")]
    fn push_once(
        &mut self,
        name: &Cow<'static, str>,
        value: &str,
        field: &'static str,
    ) -> Result<(), ConfigError> {
        if !is_header_value(value) {
            return Err(ConfigError::NotAHeaderValue { field });
        }
        if self.0.iter().all(|(known, _)| known != name) {
            self.0.push((name.clone(), Zeroizing::new(value.to_owned())));
        }
        Ok(())
    }
}

fn is_header_value(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_graphic() || b == b' ')
}

impl From<SignedHeaders> for http::HeaderMap {
    fn from(headers: SignedHeaders) -> Self {
        let pair = |(name, value): &(Cow<'static, str>, Zeroizing<String>)| {
            Some((
                http::HeaderName::from_bytes(name.as_bytes()).ok()?,
                http::HeaderValue::from_str(value).ok()?,
            ))
        };
        headers.0.iter().filter_map(pair).collect()
    }
}

impl Headers for SignedHeaders {
    fn pairs(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.pairs()
    }
}

impl fmt::Debug for SignedHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}
