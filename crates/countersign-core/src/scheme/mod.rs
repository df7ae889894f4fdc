//! `Scheme`: how a provider signs, as data that one engine reads.

mod encoding;
mod grammar;
mod key;
mod sound;

pub use self::encoding::Encoding;
pub(crate) use self::{
    grammar::{Grammar, Signatures},
    key::{Hasher, Key},
};
use crate::time::{TimestampFormat, Tolerance};

/// How one signature is made and where it is sent.
///
/// A provider lists its schemes in [`Provider::SCHEMES`](crate::Provider::SCHEMES), the strongest first.
///
/// ```
/// use countersign_core::scheme::{Part, Scheme};
/// use countersign_core::{TimestampFormat, Tolerance};
///
/// const SCHEME: Scheme = Scheme::hmac_sha256("x-example-signature")
///     .timestamp_header("x-example-timestamp", TimestampFormat::UnixSeconds)
///     .tolerance(Tolerance::from_secs(300))
///     .signs(&[Part::Timestamp, Part::Literal("."), Part::Body]);
/// assert!(SCHEME.signs_timestamp());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Scheme {
    pub(crate) header: &'static str,
    pub(crate) alias: Option<&'static str>,
    pub(crate) algorithm: Algorithm,
    pub(crate) encoding: Encoding,
    pub(crate) grammar: Grammar,
    pub(crate) timestamp: Option<(TimestampSource, TimestampFormat)>,
    pub(crate) tolerance: Tolerance,
    pub(crate) parts: &'static [Part],
    pub(crate) body: BodyRule,
}

/// What turns the signed content and the secret into a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// HMAC-SHA256 (RFC 2104, FIPS 180-4), keyed by the secret.
    HmacSha256,
    /// SHA-256 over the secret followed by the signed content. Open to length extension, so only with
    /// [`BodyRule::JsonText`].
    Sha256,
    /// No signature: the secret itself is shown.
    Token,
}

/// A piece of the signed content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Part {
    /// The timestamp's text, exactly as received.
    Timestamp,
    /// Fixed text.
    Literal(&'static str),
    /// The body, exactly as received.
    Body,
}

/// Where a scheme's timestamp stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TimestampSource {
    /// In a header of its own.
    Header(&'static str),
    /// In the signature's header, under the key that the list grammar names.
    SignatureHeader,
}

/// What a body must be besides signed, where the signature alone proves too little.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BodyRule {
    /// Anything that is signed.
    Any,
    /// The first byte that is not white space is `{` or `[`: so that a signature over `{timestamp}.{body}` does not
    /// serve as one over a body.
    JsonStructure,
    /// One complete JSON text in valid UTF-8: so that what length extension appends is never part of it.
    JsonText,
}

impl Scheme {
    const fn new(header: &'static str, algorithm: Algorithm) -> Self {
        Self {
            header,
            alias: None,
            algorithm,
            encoding: Encoding::Hex,
            grammar: Grammar::Bare,
            timestamp: None,
            tolerance: Tolerance::from_secs(300),
            parts: &[Part::Body],
            body: BodyRule::Any,
        }
    }

    /// HMAC-SHA256 in this header; over the body alone, in bare hex, unless told otherwise.
    pub const fn hmac_sha256(header: &'static str) -> Self {
        Self::new(header, Algorithm::HmacSha256)
    }

    /// Plain SHA-256 over the secret followed by the signed content, in this header.
    ///
    /// The body must then be one complete JSON text: anything else could be the work of length extension.
    pub const fn sha256_of_secret_and(header: &'static str) -> Self {
        let mut scheme = Self::new(header, Algorithm::Sha256);
        scheme.body = BodyRule::JsonText;
        scheme
    }

    /// The secret itself in this header.
    pub const fn token(header: &'static str) -> Self {
        let mut scheme = Self::new(header, Algorithm::Token);
        scheme.parts = &[];
        scheme
    }

    /// Another name under which the header is read, though the provider sends the first.
    pub const fn alias(mut self, header: &'static str) -> Self {
        self.alias = Some(header);
        self
    }

    /// The signature is in standard base64, padded.
    pub const fn base64(mut self) -> Self {
        self.encoding = Encoding::Base64;
        self
    }

    /// The signature stands behind this prefix, as in `sha256=..`.
    pub const fn prefix(mut self, prefix: &'static str) -> Self {
        self.grammar = Grammar::Prefixed(prefix);
        self
    }

    /// The header is a comma-separated list of `key=value`, as in `t=..,v1=..`: the timestamp under one key, any number
    /// of signatures under another. Other keys are ignored.
    pub const fn key_value(
        mut self,
        timestamp: &'static str,
        format: TimestampFormat,
        signature: &'static str,
    ) -> Self {
        self.grammar = Grammar::KeyValue { timestamp, signature };
        self.timestamp = Some((TimestampSource::SignatureHeader, format));
        self
    }

    /// The timestamp stands in a header of its own.
    pub const fn timestamp_header(mut self, header: &'static str, format: TimestampFormat) -> Self {
        self.timestamp = Some((TimestampSource::Header(header), format));
        self
    }

    /// How far the timestamp may be from now; 300 seconds unless told otherwise.
    pub const fn tolerance(mut self, tolerance: Tolerance) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// What is signed, in its order. The body must be among it, once.
    pub const fn signs(mut self, parts: &'static [Part]) -> Self {
        self.parts = parts;
        self
    }

    /// What the body must be besides signed.
    pub const fn body(mut self, rule: BodyRule) -> Self {
        self.body = rule;
        self
    }

    /// Whether a timestamp is part of the signed content.
    pub const fn signs_timestamp(&self) -> bool {
        self.timestamp.is_some()
    }

    /// How old a delivery may be, where a timestamp is signed.
    pub const fn max_age(&self) -> std::time::Duration {
        self.tolerance.as_duration()
    }

    /// The signature's header, in lower case.
    pub const fn header_name(&self) -> &'static str {
        self.header
    }

    /// What makes the signature.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The names under which the signature's header is read.
    pub(crate) fn headers(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.header).chain(self.alias)
    }

    /// The parts before the body and those after it.
    pub(crate) fn around_body(&self) -> (&'static [Part], &'static [Part]) {
        let mut halves = self.parts.splitn(2, |part| *part == Part::Body);
        (halves.next().unwrap_or_default(), halves.next().unwrap_or_default())
    }
}
