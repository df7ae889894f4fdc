//! `Key`: what makes two deliveries the same, from signed content.

use std::{borrow::Cow, cell::LazyCell, fmt, hash};

use sha2::{Digest, Sha256};

use super::{KeyPart, KeyRule};
use crate::{delivery::Delivery, json, provider::Provider};

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
        let event_id = LazyCell::new(|| delivery.event_id());
        // What follows a JSON text is in no field of it, so two bodies with equal fields could be two events.
        let is_json = LazyCell::new(|| json::is_text(delivery.body()));
        let mut content = opening(delivery.provider(), endpoint);
        let opened = content.len();
        let mut key = |parts: &[KeyPart]| {
            content.truncate(opened);
            for part in parts {
                let field;
                let (tag, value): (&[u8], &[u8]) = match part {
                    KeyPart::Body => (b"body", &*body),
                    KeyPart::Timestamp => (b"timestamp", delivery.timestamp_text().as_bytes()),
                    KeyPart::Kind => (b"kind", kind.as_deref().unwrap_or_default().as_bytes()),
                    KeyPart::Id => (b"id", id.as_deref()?.as_bytes()),
                    KeyPart::EventId => (b"event-id", event_id.as_deref()?.as_bytes()),
                    KeyPart::Field(path) => {
                        field = is_json.then(|| value_at(delivery.body(), Some(path))).flatten()?;
                        add(&mut content, b"field");
                        (path.as_bytes(), &field)
                    }
                };
                add(&mut content, tag);
                add(&mut content, value);
            }
            Some(Self::digest(&content))
        };
        rules
            .iter()
            .filter_map(|rule| key(rule.parts()).or_else(|| rule.otherwise().and_then(&mut key)))
            .collect()
    }
}

/// What stands at the end of a path, as it is written there; behind a `*`, each item's in turn. `None` where something is missing,
/// null or an empty string, or an array is empty.
fn value_at<'b>(value: &'b [u8], path: Option<&str>) -> Option<Cow<'b, [u8]>> {
    let Some(path) = path else {
        return (!matches!(value, b"null" | b"\"\"")).then_some(Cow::Borrowed(value));
    };
    let (step, rest) = path.split_once('.').map_or((path, None), |(step, rest)| (step, Some(rest)));
    let Some(items) = json::items(value).filter(|_| step == "*") else {
        return value_at(json::field(value, step)?, rest);
    };
    let mut values = Vec::new();
    for item in items {
        add(&mut values, &value_at(item, rest)?);
    }
    (!values.is_empty()).then_some(Cow::Owned(values))
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
