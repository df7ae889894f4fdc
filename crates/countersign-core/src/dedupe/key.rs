//! `Key`: what makes two deliveries the same, from signed content.

use std::{borrow::Cow, cell::LazyCell, fmt, hash};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    delivery::Delivery,
    provider::{Description, Provider, Source},
    scheme::{put, table},
};

/// A dedupe key: a SHA-256 digest over provider, endpoint and the parts of one [`KeyRule`], each with its length before
/// it.
///
/// Not a secret: safe to log and to store.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key([u8; 32]);

impl Key {
    /// The key of these parts, for stores' tests and for keys of one's own.
    ///
    /// Keys that differ in provider, in endpoint, in any part or in where one part ends and the next begins are different.
    ///
    /// ```
    /// use countersign_core::dedupe::Key;
    ///
    /// assert_ne!(Key::new("retake", "", ["ab", "c"]), Key::new("retake", "", ["a", "bc"]));
    /// ```
    pub fn new<'p, B>(provider: &str, endpoint: &str, parts: impl IntoIterator<Item = &'p B>) -> Self
    where
        B: AsRef<[u8]> + ?Sized + 'p,
    {
        let mut content = opening(provider, endpoint);
        parts.into_iter().for_each(|part| add(&mut content, part.as_ref()));
        Self::digest(&content)
    }

    fn digest(content: &[u8]) -> Self {
        Self(Sha256::digest(content).into())
    }

    /// The key's bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    pub(crate) fn of_delivery<P: Provider>(
        delivery: &Delivery<P>,
        endpoint: &str,
        rules: &[KeyRule],
    ) -> Vec<Self> {
        // Each is made when a rule asks for it: a body may be large, and an id far within it.
        let body = LazyCell::new(|| <[u8; 32]>::from(Sha256::digest(delivery.body())));
        let (id, kind) = (LazyCell::new(|| delivery.id()), LazyCell::new(|| delivery.kind()));
        let mut content = opening(delivery.provider(), endpoint);
        let opened = content.len();
        let mut key = |parts: &[KeyPart]| {
            content.truncate(opened);
            for part in parts {
                let (tag, value): (&[u8], &[u8]) = match part {
                    KeyPart::Body => (b"body", &*body),
                    KeyPart::Timestamp => (b"timestamp", delivery.timestamp_text().as_bytes()),
                    KeyPart::Kind => (b"kind", kind.as_deref().unwrap_or_default().as_bytes()),
                    KeyPart::Id => (b"id", id.as_deref()?.as_bytes()),
                };
                add(&mut content, tag);
                add(&mut content, value);
            }
            Some(Self::digest(&content))
        };
        rules.iter().filter_map(|rule| key(&rule.parts).or_else(|| key(rule.otherwise.as_ref()?))).collect()
    }
}

/// What every key of an endpoint begins with. Gathered, and then hashed at once: a hash in so many steps costs more in the steps.
fn opening(provider: &str, endpoint: &str) -> Vec<u8> {
    let mut content = Vec::with_capacity(256);
    for part in [b"countersign/1", provider.as_bytes(), endpoint.as_bytes()] {
        add(&mut content, part);
    }
    content
}

fn add(content: &mut Vec<u8>, part: &[u8]) {
    content.extend_from_slice(&(part.len() as u64).to_le_bytes());
    content.extend_from_slice(part);
}

impl hash::Hash for Key {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

/// In hex.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({self})")
    }
}

/// What one key is made of.
///
/// In TOML and JSON, a list of parts, as in `["kind", "body"]`, or with what takes their place, as in
/// `{ of = ["id"], or = ["body"] }`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct KeyRule {
    parts: Cow<'static, [KeyPart]>,
    otherwise: Option<Cow<'static, [KeyPart]>>,
}

impl KeyRule {
    /// A key of these parts. There is no such key for a delivery that lacks the id it names.
    pub const fn of(parts: &'static [KeyPart]) -> Self {
        Self { parts: Cow::Borrowed(parts), otherwise: None }
    }

    /// A key of these parts for a delivery that lacks the id.
    #[must_use]
    pub const fn or(mut self, parts: &'static [KeyPart]) -> Self {
        put(&mut self.otherwise, Some(Cow::Borrowed(parts)));
        self
    }

    fn branches(&self) -> impl Iterator<Item = &[KeyPart]> {
        std::iter::once(&self.parts).chain(&self.otherwise).map(|parts| &**parts)
    }

    /// Whether two deliveries with different bodies never share this key, but by their id.
    pub(crate) fn tells_bodies_apart(&self) -> bool {
        self.branches().all(|parts| parts.contains(&KeyPart::Body) || parts.contains(&KeyPart::Id))
    }

    /// Whether the id is part of it.
    pub(crate) fn needs_id(&self) -> bool {
        self.branches().any(|parts| parts.contains(&KeyPart::Id))
    }

    /// Whether a delivery that lacks the id has no such key.
    pub(crate) fn needs_id_alone(&self) -> bool {
        self.branches().all(|parts| parts.contains(&KeyPart::Id))
    }

    /// Whether there is something in it that cannot be changed without changing the body or the signature.
    pub(crate) fn holds_signed(&self, id_is_signed: bool) -> bool {
        let signed = |part: &KeyPart| *part == KeyPart::Body || id_is_signed && *part == KeyPart::Id;
        self.branches().all(|parts| parts.iter().any(signed))
    }

    /// Whether every delivery has this key, whatever unsigned headers it comes with.
    pub(crate) fn is_signed(&self, description: &Description) -> bool {
        let id_is_signed = description.id_is_signed();
        let kind_is_signed = !matches!(description.fields().kind, Some(Source::Header(_)));
        let is_whole = |parts: &[KeyPart]| {
            parts.contains(&KeyPart::Body)
                && !parts.contains(&KeyPart::Id)
                && (kind_is_signed || !parts.contains(&KeyPart::Kind))
        };
        is_whole(&self.parts) || id_is_signed && self.otherwise.as_deref().is_some_and(is_whole)
    }
}

/// A rule as it is written.
#[derive(Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "a list of `body`, `timestamp`, `kind`, `id`, or { of = [..], or = [..] } of such lists"
)]
enum Written {
    Parts(Vec<KeyPart>),
    Rule(Alternatives),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, remote = "Self")]
struct Alternatives {
    of: Vec<KeyPart>,
    or: Vec<KeyPart>,
}

table!(Alternatives);

impl From<Written> for KeyRule {
    fn from(written: Written) -> Self {
        match written {
            Written::Parts(parts) => Self { parts: parts.into(), otherwise: None },
            Written::Rule(Alternatives { of, or }) => Self { parts: of.into(), otherwise: Some(or.into()) },
        }
    }
}

impl From<KeyRule> for Written {
    fn from(KeyRule { parts, otherwise }: KeyRule) -> Self {
        match otherwise {
            None => Self::Parts(parts.into_owned()),
            Some(or) => Self::Rule(Alternatives { of: parts.into_owned(), or: or.into_owned() }),
        }
    }
}

/// A part of a dedupe key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum KeyPart {
    /// The digest of the signed body.
    Body,
    /// The signed timestamp's text; empty where there is none.
    Timestamp,
    /// The event's kind; empty where there is none.
    Kind,
    /// The delivery's id.
    Id,
}
