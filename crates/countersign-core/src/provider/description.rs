//! `Description`: a provider as one value, from code or from TOML and JSON.

use std::{borrow::Cow, ops::Deref, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{Code, Fields, Handshake, Provider, Retries, Source, Success};
use crate::{
    dedupe::{KeyPart, KeyRule, Known},
    error::ConfigError,
    scheme::{PATH, Scheme, is_path, some_header_name, table},
};

/// A provider as a value: how it signs, where ids and kinds stand, what makes two deliveries the same.
///
/// For providers that are not built in: [`Verifier::custom`](crate::Verifier::custom) takes one. It is made in code, or read from
/// TOML, JSON or anything else that serde reads. One that cannot be safe, or cannot work, is refused, with what to change.
///
/// As text, it has a `name` and at least one `[[scheme]]`, whose fields are those of [`Scheme`]; and where there are such: `id`, `event_id`,
/// `kind` and `attempt` ([`Source`]), `id_alias` and `kind_alias` (another name of that header), `dedupe` (a list of [`KeyRule`]s),
/// `retries` ([`Retries`]), `success` ([`Success`]), `body_limit` (in bytes), `public_url`, and `[[handshake]]`
/// ([`Handshake`]).
///
/// ```
/// use countersign_core::Description;
///
/// let acme: Description = toml::from_str(
///     r#"
///     name = "acme"
///     id = { header = "X-Acme-Id" }
///     kind = { body = "event.type" }
///
///     [[scheme]]
///     algorithm = "hmac-sha256"
///     header = "X-Acme-Signature"
///     grammar = { list = { separator = ",", timestamp = "t", signature = "v1" } }
///     timestamp = { source = "signature", format = "unix-seconds" }
///     signs = "{id}.{timestamp}.{body}"
///     "#,
/// )?;
/// assert_eq!(acme.name(), "acme");
///
/// let unsafe_one = toml::from_str::<Description>(
///     r#"
///     name = "acme"
///     [[scheme]]
///     algorithm = "hmac-sha256"
///     header = "X-Acme-Signature"
///     signs = "{timestamp}"
///     "#,
/// );
/// assert!(unsafe_one.unwrap_err().to_string().contains("must hold the {body}"));
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Fresh", into = "Fresh")]
pub struct Description {
    pub(crate) name: Cow<'static, str>,
    pub(crate) schemes: Cow<'static, [Scheme]>,
    pub(crate) fields: Fields,
    pub(crate) keys: Cow<'static, [KeyRule]>,
    pub(crate) retries: Retries,
    pub(crate) success: Success,
    pub(crate) body_limit: usize,
    pub(crate) handshakes: Cow<'static, [Handshake]>,
    pub(crate) public_url: Option<Cow<'static, str>>,
    /// None of a description that was made at run time.
    pub(super) code: Option<Code>,
}

/// The digest of the body: the key of a delivery of which nothing else is known.
const BY_BODY: &[KeyRule] = &[KeyRule::of(&[KeyPart::Body])];
/// The largest body of a provider that says nothing of it: 1 MiB.
const DEFAULT_BODY_LIMIT: usize = 1 << 20;
/// The id, where it is signed.
const BY_ID: &[KeyRule] = &[KeyRule::of(&[KeyPart::Id]).or(&[KeyPart::Body])];

impl Description {
    /// What a built-in provider is made of.
    pub(super) const fn of<P: Provider>() -> Self {
        Self {
            name: Cow::Borrowed(P::NAME),
            schemes: Cow::Borrowed(P::SCHEMES),
            fields: P::FIELDS,
            keys: Cow::Borrowed(P::KEYS),
            retries: P::RETRIES,
            success: P::SUCCESS,
            body_limit: P::BODY_LIMIT,
            handshakes: Cow::Borrowed(P::HANDSHAKES),
            public_url: None,
            code: Some(Code::of::<P>()),
        }
    }

    /// A provider of this name, in lower case, with these schemes, the strongest first; of which nothing else is known.
    ///
    /// Its dedupe key is the digest of the body, unless told otherwise.
    ///
    /// ```
    /// use countersign_core::{Description, provider::Source, scheme::Scheme};
    ///
    /// let acme = Description::new("acme", [Scheme::hmac_sha256("x-acme-signature").prefix("sha256=")])
    ///     .kind(Source::body("type"))
    ///     .id(Source::header("x-acme-delivery"));
    /// assert!(acme.check().is_ok());
    /// ```
    pub fn new(name: impl Into<Cow<'static, str>>, schemes: impl Into<Vec<Scheme>>) -> Self {
        Self {
            name: name.into(),
            schemes: Cow::Owned(schemes.into()),
            fields: Fields::NONE,
            keys: Cow::Borrowed(BY_BODY),
            retries: Retries::UNKNOWN,
            success: Success::OK,
            body_limit: DEFAULT_BODY_LIMIT,
            handshakes: Cow::Borrowed(&[]),
            public_url: None,
            code: None,
        }
    }

    /// Where the id stands. Where it is signed, it is the dedupe key as well, unless told otherwise.
    ///
    /// It is that of the delivery or the event, never of the object that the event is about: an order has many events, and all but
    /// the first would be taken for duplicates.
    #[must_use]
    pub fn id(mut self, source: Source) -> Self {
        self.fields.id = Some(source);
        // What `dedupe` said is owned, and stays.
        if matches!(&self.keys, Cow::Borrowed(keys) if [BY_BODY, BY_ID].contains(keys)) {
            self.keys = Cow::Borrowed(if self.id_is_signed() { BY_ID } else { BY_BODY });
        }
        self
    }

    /// Where the event's id stands, where that is another than the delivery's.
    #[must_use]
    pub fn event_id(mut self, source: Source) -> Self {
        self.fields.event_id = Some(source);
        self
    }

    /// Another name of the id's header. See [`Fields::id_alias`].
    #[must_use]
    pub fn id_alias(mut self, header: impl Into<Cow<'static, str>>) -> Self {
        self.fields.id_alias = Some(header.into());
        self
    }

    /// Another name of the kind's header. See [`Fields::id_alias`].
    #[must_use]
    pub fn kind_alias(mut self, header: impl Into<Cow<'static, str>>) -> Self {
        self.fields.kind_alias = Some(header.into());
        self
    }

    /// Where the kind stands.
    #[must_use]
    pub fn kind(mut self, source: Source) -> Self {
        self.fields.kind = Some(source);
        self
    }

    /// Where the number of the attempt stands.
    #[must_use]
    pub fn attempt(mut self, source: Source) -> Self {
        self.fields.attempt = Some(source);
        self
    }

    /// What makes two deliveries the same; a hit on any one of these keys. See [`KeyRule`] for what is asked of them.
    #[must_use]
    pub fn dedupe(mut self, rules: impl Into<Vec<KeyRule>>) -> Self {
        self.keys = Cow::Owned(rules.into());
        self
    }

    /// On which answers it tries again, and for how long.
    #[must_use]
    pub fn retries(mut self, retries: Retries) -> Self {
        self.retries = retries;
        self
    }

    /// How it wants to hear that a delivery was handled: by a 200, by default.
    #[must_use]
    pub fn success(mut self, success: Success) -> Self {
        self.success = success;
        self
    }

    /// The largest body that it sends, in bytes: 1 MiB by default.
    /// [`VerifierBuilder::body_limit`](crate::VerifierBuilder::body_limit) goes before it.
    #[must_use]
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// A way in which it asks whether the endpoint is yours, beside those that were given before.
    #[must_use]
    pub fn handshake(mut self, handshake: Handshake) -> Self {
        self.handshakes.to_mut().push(handshake);
        self
    }

    /// The URL that the provider was given, for schemes that sign it: byte for byte, query and all.
    #[must_use]
    pub fn public_url(mut self, url: impl Into<Cow<'static, str>>) -> Self {
        self.public_url = Some(url.into());
        self
    }

    /// The provider's name, in logs, metrics and dedupe keys.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How it signs, the strongest scheme first.
    pub fn schemes(&self) -> &[Scheme] {
        &self.schemes
    }

    /// Where a delivery's ids, kind and attempt stand.
    pub fn fields(&self) -> &Fields {
        &self.fields
    }

    /// Whether it is the one of this provider's type, whatever its payloads are read as. A name proves nothing: a description that
    /// was made at run time can have any.
    pub(crate) fn is_of<P: Provider>(&self) -> bool {
        self.code.is_some() && self == P::DESCRIPTION
    }

    /// How it asks whether the endpoint is yours.
    pub fn handshakes(&self) -> &[Handshake] {
        &self.handshakes
    }

    /// Whether the id cannot be changed without changing the body or the signature.
    fn id_is_signed(&self) -> bool {
        let all_sign_it = self.schemes.iter().all(Scheme::signs_id);
        match self.fields.id {
            Some(Source::Body(_)) => all_sign_it || !self.schemes.iter().any(Scheme::signs_id),
            Some(Source::Header(_)) => all_sign_it,
            None => false,
        }
    }

    /// Asks whether it can be safe, and can work. Reading one, and building a verifier of one, asks this.
    ///
    /// # Errors
    /// [`ConfigError::Description`], with the field and what to change.
    pub fn check(&self) -> Result<(), ConfigError> {
        let refuse = |field: String, problem| {
            Err(ConfigError::Description { provider: self.name.to_string(), field, problem })
        };
        let named = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_');
        if !(1..=64).contains(&self.name.len()) || !self.name.bytes().all(named) {
            return refuse(
                "name".to_owned(),
                "a name is of 1 to 64 letters in lower case, digits, `-` and `_`: it stands in logs, metrics and keys",
            );
        }
        if let Some((index, flaw)) = Scheme::flaw_of_all(&self.schemes, &self.fields) {
            let field = match flaw.field {
                "id" | "id_alias" | "kind" | "kind_alias" | "attempt" | "scheme" => flaw.field.to_owned(),
                field => format!("scheme[{index}].{field}"),
            };
            return refuse(field, flaw.problem);
        }
        if let Some(event_id) = &self.fields.event_id {
            // What is asked of the source of a kind is asked of this one.
            let fields = Fields { kind: Some(event_id.clone()), ..self.fields.clone() };
            if let Some((_, flaw)) = Scheme::flaw_of_all(&self.schemes, &fields) {
                return refuse("event_id".to_owned(), flaw.problem);
            }
        }
        if let Some((index, flaw)) = Handshake::flaw_at_run_time(&self.handshakes, &self.schemes) {
            return refuse(format!("handshake[{index}].{}", flaw.field), flaw.problem);
        }
        if let Some(problem) = KeyRule::flaw_of_all(&self.keys, &Known::of(&self.schemes, &self.fields)) {
            return refuse("dedupe".to_owned(), problem);
        }
        if !self.retries.is_sane() {
            return refuse("retries".to_owned(), "no provider tries for more than 90 days (7776000 s)");
        }
        if !self.success.is_sane() {
            return refuse("success".to_owned(), "the status of a success is between 200 and 299");
        }
        if self.success.with.as_deref().is_some_and(|path| !is_path(path)) {
            return refuse("success".to_owned(), PATH);
        }
        if self.body_limit == 0 {
            return refuse(
                "body_limit".to_owned(),
                "a body needs at least 1 byte: leave body_limit away for 1 MiB",
            );
        }
        match &self.public_url {
            Some(url) if !is_url(url) => refuse("public_url".to_owned(), NOT_A_URL),
            _ => Ok(()),
        }
    }
}

pub(crate) const NOT_A_URL: &str =
    "a public URL is as the provider was given it: https:// and behind it visible ASCII characters";

/// Whether this could be the URL that a provider calls.
pub(crate) fn is_url(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_graphic()))
}

/// One scheme is a description, of the name `custom`. Where several share a store, give each a name by [`Description::new`]: it keeps
/// their dedupe keys apart.
impl From<Scheme> for Description {
    fn from(scheme: Scheme) -> Self {
        Self::new("custom", [scheme])
    }
}

/// A description as it is written, not yet checked.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename = "Description", remote = "Self")]
struct Fresh {
    name: Cow<'static, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<Source>,
    #[serde(default, deserialize_with = "some_header_name", skip_serializing_if = "Option::is_none")]
    id_alias: Option<Cow<'static, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    event_id: Option<Source>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kind: Option<Source>,
    #[serde(default, deserialize_with = "some_header_name", skip_serializing_if = "Option::is_none")]
    kind_alias: Option<Cow<'static, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    attempt: Option<Source>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    public_url: Option<Cow<'static, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retries: Option<Retries>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    success: Option<Success>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body_limit: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dedupe: Option<Vec<KeyRule>>,
    scheme: Vec<Scheme>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    handshake: Vec<Handshake>,
}

table!(Fresh);

impl TryFrom<Fresh> for Description {
    type Error = ConfigError;

    fn try_from(fresh: Fresh) -> Result<Self, ConfigError> {
        let Fresh {
            name,
            id,
            id_alias,
            event_id,
            kind,
            kind_alias,
            attempt,
            public_url,
            retries,
            success,
            body_limit,
            dedupe,
            scheme,
            handshake,
        } = fresh;
        let mut description = Self::new(name, scheme).retries(retries.unwrap_or(Retries::UNKNOWN));
        description.fields.event_id = event_id;
        description.fields.kind = kind;
        description.fields.attempt = attempt;
        (description.fields.id_alias, description.fields.kind_alias) = (id_alias, kind_alias);
        description.public_url = public_url;
        description.success = success.unwrap_or(Success::OK);
        description.body_limit = body_limit.unwrap_or(DEFAULT_BODY_LIMIT);
        description.handshakes = Cow::Owned(handshake);
        if let Some(id) = id {
            description = description.id(id);
        }
        if let Some(rules) = dedupe {
            description = description.dedupe(rules);
        }
        description.check().map(|()| description)
    }
}

impl From<Description> for Fresh {
    fn from(description: Description) -> Self {
        let Description {
            name,
            schemes,
            fields,
            keys,
            retries,
            success,
            body_limit,
            handshakes,
            public_url,
            code: _,
        } = description;
        let Fields { id, id_alias, event_id, kind, kind_alias, attempt, .. } = fields;
        let (dedupe, retries) = (Some(keys.into_owned()), Some(retries));
        let (scheme, handshake) = (schemes.into_owned(), handshakes.into_owned());
        Self {
            name,
            id,
            id_alias,
            event_id,
            kind,
            kind_alias,
            attempt,
            public_url,
            retries,
            success: Some(success),
            body_limit: Some(body_limit),
            dedupe,
            scheme,
            handshake,
        }
    }
}

/// A description that is shared: a constant, or one that was made at run time.
#[derive(Clone, Debug)]
pub(crate) enum Described {
    Constant(&'static Description),
    Made(Arc<Description>),
}

impl Deref for Described {
    type Target = Description;

    fn deref(&self) -> &Description {
        match self {
            Self::Constant(description) => description,
            Self::Made(description) => description,
        }
    }
}
