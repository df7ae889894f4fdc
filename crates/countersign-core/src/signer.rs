//! `Signer<P>`: the same schemes the other way, for tests and tools.

use std::{fmt, marker::PhantomData};

use crate::{
    error::ConfigError,
    headers::Headers,
    json,
    provider::{Provider, Source},
    scheme::{Algorithm, Key, Part, Scheme},
    secret::Secret,
    time::Timestamp,
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
    secret: Secret,
    schemes: &'static [Scheme],
    id: Option<String>,
    kind: Option<String>,
    attempt: Option<u32>,
    provider: PhantomData<fn() -> P>,
}

impl<P: Provider> Signer<P> {
    /// A signer with this secret.
    pub fn new(secret: &Secret) -> Self {
        Self {
            secret: secret.clone(),
            schemes: P::SCHEMES,
            id: None,
            kind: None,
            attempt: None,
            provider: PhantomData,
        }
    }

    /// Signs by the weakest of the provider's schemes alone: Recharge's legacy digest, RevKeen's form without a timestamp.
    #[must_use]
    pub fn weakest(mut self) -> Self {
        self.schemes = P::SCHEMES.last().map_or(&[], std::slice::from_ref);
        self
    }

    /// The delivery's id, for a provider that sends it in a header.
    #[must_use]
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// The event's kind, for a provider that sends it in a header.
    #[must_use]
    pub fn kind(mut self, kind: impl Into<String>) -> Self {
        self.kind = Some(kind.into());
        self
    }

    /// The number of the attempt, from 1, for a provider that sends it.
    #[must_use]
    pub fn attempt(mut self, attempt: u32) -> Self {
        self.attempt = Some(attempt);
        self
    }

    /// The headers that the provider would send with this body at this time.
    ///
    /// # Errors
    /// [`ConfigError::NotAHeaderValue`] when the id, the kind or a token cannot stand in a header.
    pub fn sign(&self, body: impl AsRef<[u8]>, timestamp: Timestamp) -> Result<SignedHeaders, ConfigError> {
        let mut headers = SignedHeaders(Vec::new());
        for scheme in self.schemes {
            if headers.0.iter().any(|(name, _)| *name == scheme.header) {
                continue;
            }
            let text = scheme.timestamp.map(|(_, format)| format.format(timestamp));
            if let (Some((crate::scheme::TimestampSource::Header(name), _)), Some(text)) =
                (scheme.timestamp, &text)
            {
                headers.push(name, text, "timestamp")?;
            }
            if let (Some(name), Some(text)) = (P::FIELDS.timestamp_repeated, &text) {
                headers.push(name, text, "timestamp")?;
            }
            let value = match scheme.algorithm {
                Algorithm::Token => String::from_utf8_lossy(self.secret.expose_secret()).into_owned(),
                _ => scheme
                    .grammar
                    .write(text.as_deref(), &self.signature(scheme, text.as_deref(), body.as_ref())),
            };
            headers.push(scheme.header, &value, "secret")?;
        }
        let id_in_body = match (P::FIELDS.id_repeated, P::FIELDS.id) {
            (Some(name), Some(Source::Body(path))) => {
                json::field(body.as_ref(), path).and_then(json::string).map(|id| (name, id))
            }
            _ => None,
        };
        if let Some((name, id)) = id_in_body.filter(|(_, id)| is_header_value(id)) {
            headers.push(name, &id, "id")?;
        }
        let attempt = self.attempt.map(|attempt| attempt.to_string());
        for (source, value, field) in [
            (P::FIELDS.id, &self.id, "id"),
            (P::FIELDS.kind, &self.kind, "kind"),
            (P::FIELDS.attempt, &attempt, "attempt"),
        ] {
            if let (Some(Source::Header(name)), Some(value)) = (source, value) {
                headers.push(name, value, field)?;
            }
        }
        Ok(headers)
    }

    fn signature(&self, scheme: &Scheme, timestamp: Option<&str>, body: &[u8]) -> Vec<String> {
        let hasher = Key::new(scheme.algorithm, &self.secret).hasher();
        let digest = hasher.map(|mut hasher| {
            for part in scheme.parts {
                hasher.update(match part {
                    Part::Timestamp => timestamp.unwrap_or_default().as_bytes(),
                    Part::Literal(text) => text.as_bytes(),
                    Part::Body => body,
                });
            }
            scheme.encoding.encode(&hasher.finalize())
        });
        digest.into_iter().collect()
    }
}

impl<P: Provider> Clone for Signer<P> {
    fn clone(&self) -> Self {
        Self {
            secret: self.secret.clone(),
            schemes: self.schemes,
            id: self.id.clone(),
            kind: self.kind.clone(),
            attempt: self.attempt,
            provider: PhantomData,
        }
    }
}

impl<P: Provider> fmt::Debug for Signer<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("provider", &P::NAME)
            .field("secret", &self.secret)
            .finish_non_exhaustive()
    }
}

/// The headers of a signed delivery: names in lower case, in the order of sending.
///
/// Its `Debug` shows names alone: a value may be a token.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedHeaders(Vec<(&'static str, String)>);

impl SignedHeaders {
    /// Each name and value.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_str()))
    }

    fn push(&mut self, name: &'static str, value: &str, field: &'static str) -> Result<(), ConfigError> {
        if !is_header_value(value) {
            return Err(ConfigError::NotAHeaderValue { field });
        }
        self.0.push((name, value.to_owned()));
        Ok(())
    }
}

fn is_header_value(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_graphic() || b == b' ')
}

impl From<SignedHeaders> for http::HeaderMap {
    fn from(headers: SignedHeaders) -> Self {
        let pair = |(name, value): &(&'static str, String)| {
            Some((http::HeaderName::from_static(name), http::HeaderValue::from_str(value).ok()?))
        };
        headers.0.iter().filter_map(pair).collect()
    }
}

impl Headers for SignedHeaders {
    fn values<'h>(&'h self, name: &'h str) -> impl Iterator<Item = &'h [u8]> {
        self.0.values(name)
    }
}

impl fmt::Debug for SignedHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}
