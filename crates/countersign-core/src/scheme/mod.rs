//! `Scheme`: how a provider signs, as data that one engine reads.

mod algorithm;
mod encoding;
mod grammar;
mod key;
mod plan;
mod reading;
mod sign;
mod sound;
mod table;
mod template;

use std::{borrow::Cow, mem};

use serde::{Deserialize, Deserializer, Serialize};

pub use self::{
    algorithm::Algorithm,
    encoding::{Encoding, KeyEncoding},
    grammar::Grammar,
};
pub(crate) use self::{
    grammar::Signatures,
    key::{Hasher, Key, Unusable},
    plan::{Part, Plan, Separator},
    reading::{is_id, is_token},
    sign::sign,
    sound::{Flaw, PATH, equal, flaw, is_path},
    table::table,
    template::{Piece, pieces},
};
use crate::{
    secret::Secret,
    time::{TimestampFormat, Tolerance},
};

/// How one signature is made and where it is sent.
///
/// A provider lists its schemes in [`Provider::SCHEMES`](crate::Provider::SCHEMES), the strongest first. A scheme can be read
/// from TOML, JSON or anything else that serde reads, as part of a [`Description`](crate::Description): its fields have the names of
/// the methods here.
///
/// ```
/// use countersign_core::scheme::{Scheme, TimestampSource};
/// use countersign_core::{TimestampFormat, Tolerance};
///
/// const SCHEME: Scheme = Scheme::hmac_sha256("x-example-signature")
///     .timestamp(TimestampSource::header("x-example-timestamp"), TimestampFormat::UnixSeconds)
///     .tolerance(Tolerance::from_secs(300))
///     .signs("{timestamp}.{body}");
/// assert!(SCHEME.signs_timestamp());
///
/// let read: Scheme = toml::from_str(
///     r#"
///     algorithm = "hmac-sha256"
///     header = "X-Example-Signature"
///     timestamp = { source = { header = "X-Example-Timestamp" }, format = "unix-seconds" }
///     tolerance = 300 # seconds
///     signs = "{timestamp}.{body}"
///     "#,
/// )?;
/// assert_eq!(read, SCHEME);
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, remote = "Self")]
#[must_use]
pub struct Scheme {
    pub(crate) algorithm: Algorithm,
    #[serde(deserialize_with = "header_name")]
    pub(crate) header: Cow<'static, str>,
    #[serde(default, deserialize_with = "some_header_name", skip_serializing_if = "Option::is_none")]
    pub(crate) alias: Option<Cow<'static, str>>,
    #[serde(default, deserialize_with = "some_header_name", skip_serializing_if = "Option::is_none")]
    pub(crate) id_header: Option<Cow<'static, str>>,
    #[serde(default)]
    pub(crate) grammar: Grammar,
    #[serde(default)]
    pub(crate) encoding: Encoding,
    #[serde(default)]
    pub(crate) key: KeyEncoding,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) secret_prefix: Option<Cow<'static, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) timestamp: Option<Stamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tolerance: Option<Tolerance>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) signs: Option<Cow<'static, str>>,
    #[serde(default)]
    pub(crate) body: BodyRule,
}

/// Where a scheme's timestamp stands, and how it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, remote = "Self")]
pub(crate) struct Stamp {
    pub(crate) source: TimestampSource,
    pub(crate) format: TimestampFormat,
}

/// Where a scheme's timestamp stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum TimestampSource {
    /// In a header of its own, of this name in lower case.
    #[serde(deserialize_with = "header_name")]
    Header(Cow<'static, str>),
    /// In the signature's header, where the list has its key, or first.
    Signature,
    /// In the signed body, at the end of this path: object keys and array indexes, joined by dots.
    Body(Cow<'static, str>),
}

impl TimestampSource {
    /// In a header of its own, of this name in lower case.
    pub const fn header(name: &'static str) -> Self {
        Self::Header(Cow::Borrowed(name))
    }

    /// In the signed body, at the end of this path.
    pub const fn body(path: &'static str) -> Self {
        Self::Body(Cow::Borrowed(path))
    }
}

/// What a body must be besides signed, where the signature alone proves too little.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum BodyRule {
    /// Anything that is signed.
    #[default]
    Any,
    /// The first byte that is not white space is `{` or `[`: so that a signature over `{timestamp}.{body}` does not
    /// serve as one over a body.
    JsonStructure,
    /// One complete JSON object or array in valid UTF-8: so that what length extension appends is never part of it, and so
    /// that it is certain where it starts and ends beside an id.
    JsonText,
}

table!(Scheme, Stamp);

impl Scheme {
    const fn new(header: &'static str, algorithm: Algorithm) -> Self {
        Self {
            algorithm,
            header: Cow::Borrowed(header),
            alias: None,
            id_header: None,
            grammar: Grammar::Bare,
            encoding: Encoding::Hex,
            key: KeyEncoding::Utf8,
            secret_prefix: None,
            timestamp: None,
            tolerance: None,
            signs: None,
            body: BodyRule::Any,
        }
    }

    /// HMAC-SHA1 in this header; over the body alone, in bare hex, unless told otherwise.
    pub const fn hmac_sha1(header: &'static str) -> Self {
        Self::new(header, Algorithm::HmacSha1)
    }

    /// HMAC-SHA256 in this header; over the body alone, in bare hex, unless told otherwise.
    pub const fn hmac_sha256(header: &'static str) -> Self {
        Self::new(header, Algorithm::HmacSha256)
    }

    /// HMAC-SHA512 in this header; over the body alone, in bare hex, unless told otherwise.
    pub const fn hmac_sha512(header: &'static str) -> Self {
        Self::new(header, Algorithm::HmacSha512)
    }

    /// Plain SHA-256 in this header, over `{secret}{body}` unless told otherwise.
    ///
    /// The body must then be one complete JSON text: anything else could be the work of length extension.
    pub const fn sha256(header: &'static str) -> Self {
        let mut scheme = Self::new(header, Algorithm::Sha256).signs("{secret}{body}");
        scheme.body = BodyRule::JsonText;
        scheme
    }

    /// The secret itself in this header.
    pub const fn token(header: &'static str) -> Self {
        Self::new(header, Algorithm::Token)
    }

    /// HTTP's basic authentication, in the header `authorization`; the secret is `user:password`.
    pub const fn basic() -> Self {
        Self::new("authorization", Algorithm::Basic)
    }

    /// Ed25519 in this header; over the body alone, in bare hex, unless told otherwise. The secret is the provider's public
    /// key, in hex unless told otherwise.
    pub const fn ed25519(header: &'static str) -> Self {
        Self::new(header, Algorithm::Ed25519).key(KeyEncoding::Hex)
    }

    /// ECDSA on P-256 over SHA-256 in this header, in DER; over the body alone, in bare base64, unless told otherwise. The secret
    /// is the provider's public key, in base64 unless told otherwise.
    pub const fn ecdsa_p256(header: &'static str) -> Self {
        Self::new(header, Algorithm::EcdsaP256).encoding(Encoding::Base64).key(KeyEncoding::Base64)
    }

    /// Another name under which the header is read. A request that has both, with different values, is refused where this is
    /// the provider's only scheme; otherwise the first decides.
    pub const fn alias(mut self, header: &'static str) -> Self {
        put(&mut self.alias, Some(Cow::Borrowed(header)));
        self
    }

    /// The header of the `{id}` that it signs, where that is another than [`Fields::id`](crate::provider::Fields::id).
    pub const fn id_header(mut self, header: &'static str) -> Self {
        put(&mut self.id_header, Some(Cow::Borrowed(header)));
        self
    }

    /// How the signature's bytes are written; in hex unless told otherwise.
    pub const fn encoding(mut self, encoding: Encoding) -> Self {
        self.encoding = encoding;
        self
    }

    /// How the secret's bytes are written; as its text unless told otherwise.
    pub const fn key(mut self, encoding: KeyEncoding) -> Self {
        self.key = encoding;
        self
    }

    /// This scheme uses the secrets that begin so and no others, and takes part only where one of them is configured; the other schemes of
    /// the description do not use them. In a description it is the field `secret_prefix`.
    ///
    /// For a provider that has a secret of another kind for each of its schemes, as GitLab has signing tokens (`whsec_`) and
    /// secret tokens.
    pub const fn secrets_with_prefix(mut self, prefix: &'static str) -> Self {
        put(&mut self.secret_prefix, Some(Cow::Borrowed(prefix)));
        self
    }

    /// How the signature's header is laid out; bare unless told otherwise.
    pub const fn grammar(mut self, grammar: Grammar) -> Self {
        put(&mut self.grammar, grammar);
        self
    }

    /// The signature, or the token, stands behind this prefix, as in `sha256=..`: [`Grammar::Prefix`].
    pub const fn prefix(self, prefix: &'static str) -> Self {
        self.grammar(Grammar::Prefix(Cow::Borrowed(prefix)))
    }

    /// The header is a list of `key=value`, as in `t=..,v1=..`: [`Grammar::List`].
    pub const fn list(
        self,
        separator: char,
        timestamp: Option<&'static str>,
        signature: &'static str,
    ) -> Self {
        let timestamp = match timestamp {
            Some(key) => Some(Cow::Borrowed(key)),
            None => None,
        };
        self.grammar(Grammar::List { separator, timestamp, signature: Cow::Borrowed(signature) })
    }

    /// The header is a list of signatures behind their version, as in `v1,.. v1,..`: [`Grammar::Versioned`].
    pub const fn versioned(self, version: &'static str) -> Self {
        self.grammar(Grammar::Versioned(Cow::Borrowed(version)))
    }

    /// The header is the timestamp and behind it the signatures, separated by commas: [`Grammar::Positional`].
    pub const fn positional(self) -> Self {
        self.grammar(Grammar::Positional)
    }

    /// Where the timestamp stands, and how it is written.
    pub const fn timestamp(mut self, source: TimestampSource, format: TimestampFormat) -> Self {
        put(&mut self.timestamp, Some(Stamp { source, format }));
        self
    }

    /// How far the timestamp may be from now; 300 seconds, behind and ahead, by default.
    pub const fn tolerance(mut self, tolerance: Tolerance) -> Self {
        self.tolerance = Some(tolerance);
        self
    }

    /// What is signed, as a template: `{body}`, `{timestamp}`, `{id}`, `{url}`, `{method}`, `{secret}`, `{header:name}` and fixed text
    /// between them. By default, the body alone.
    ///
    /// What the request brings is taken byte for byte as received. `{id}` stands in the header that
    /// [`id_header`](Self::id_header) or else [`Fields::id`](crate::provider::Fields::id) names. It has 1 to 256 visible ASCII
    /// characters, does not begin with `{` or `[`, and does not hold the text that separates it from the next part. `{header:name}` is
    /// the text of that header, which is signed and not interpreted. `{url}` and `{method}` are configured, and never taken from the
    /// request.
    ///
    /// A template is rejected when one signed content could be cut into these parts in two ways: a signature of one delivery
    /// would then be valid for another.
    pub const fn signs(mut self, template: &'static str) -> Self {
        put(&mut self.signs, Some(Cow::Borrowed(template)));
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

    /// Whether the timestamp stands in the body, so that a stale delivery is only known once its body has been read.
    pub const fn reads_timestamp_from_body(&self) -> bool {
        matches!(&self.timestamp, Some(Stamp { source: TimestampSource::Body(_), .. }))
    }

    /// Whether the delivery's id, as its header has it, is part of the signed content.
    pub const fn signs_id(&self) -> bool {
        let mut rest = self.template();
        while let Some((piece, left)) = template::first(rest) {
            if matches!(piece, Piece::Id) {
                return true;
            }
            rest = left;
        }
        false
    }

    /// The header whose text it signs without interpreting it.
    pub(crate) fn signed_header(&self) -> Option<&str> {
        pieces(self.template()).find_map(|piece| match piece {
            Piece::Header(name) => Some(name),
            _ => None,
        })
    }

    pub(crate) fn signs_piece(&self, wanted: Piece<'_>) -> bool {
        pieces(self.template()).any(|piece| piece == wanted)
    }

    /// How far its timestamp may be from now.
    pub const fn max_age(&self) -> Tolerance {
        match self.tolerance {
            Some(tolerance) => tolerance,
            None => Tolerance::from_secs(300),
        }
    }

    /// The signature's header, in lower case.
    pub fn header_name(&self) -> &str {
        &self.header
    }

    /// What its secrets begin with, where it uses only some of those that are configured.
    pub fn secret_prefix(&self) -> Option<&str> {
        self.secret_prefix.as_deref()
    }

    /// Whether it uses this secret; `all` are the schemes of its description.
    pub(crate) fn uses(&self, secret: &Secret, all: &[Self]) -> bool {
        let is_for = |scheme: &Self| {
            let prefix = scheme.secret_prefix.as_deref();
            prefix.is_some_and(|prefix| secret.expose_secret().starts_with(prefix.as_bytes()))
        };
        if self.secret_prefix.is_some() { is_for(self) } else { !all.iter().any(is_for) }
    }

    /// What makes the signature.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// What is signed, as a template; empty where nothing is.
    pub const fn template(&self) -> &str {
        match &self.signs {
            Some(template) => text(template),
            None if self.algorithm.shows_secret() => "",
            None => "{body}",
        }
    }

    /// The names under which the signature's header is read.
    pub(crate) fn headers(&self) -> impl Iterator<Item = &Cow<'static, str>> {
        std::iter::once(&self.header).chain(&self.alias)
    }
}

/// Assigns in a `const fn`, which runs no destructor: what was there is a constant's, and owns nothing.
pub(crate) const fn put<T>(place: &mut T, value: T) {
    mem::forget(mem::replace(place, value));
}

#[expect(clippy::ptr_arg, reason = "a constant's text is read so when the program is compiled")]
pub(crate) const fn text<'t>(text: &'t Cow<'static, str>) -> &'t str {
    match text {
        Cow::Borrowed(text) => text,
        Cow::Owned(text) => text.as_str(),
    }
}

/// Reads a header's name, in whatever case it is written.
pub(crate) fn header_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Cow<'static, str>, D::Error> {
    String::deserialize(deserializer).map(|name| name.to_ascii_lowercase().into())
}

pub(crate) fn some_header_name<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Cow<'static, str>>, D::Error> {
    header_name(deserializer).map(Some)
}
