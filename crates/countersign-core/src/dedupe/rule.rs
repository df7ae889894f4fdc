//! `KeyRule`: what a dedupe key is made of.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::scheme::{put, table};

/// What one key is made of.
///
/// Keys stop whoever captured a delivery and knows no secret. So three things are asked of the keys of a provider:
///
/// - A key that holds anything unsigned also holds the body. An unsigned id alone would let a copy of one delivery occupy the id of
///   a later one, and the later one would be lost as a duplicate.
/// - At least one key is of signed content alone, and every delivery has it. Otherwise a copy under other headers is handled again.
/// - No key repeats what another one says.
///
/// Where every scheme shows the secret itself (a token, a password), whoever captured a request knows the secret. So its headers are
/// as good as signed there.
///
/// In TOML and JSON, a list of parts, as in `["kind", "body"]`, or with what takes their place, as in
/// `{ of = ["id"], or = ["body"] }`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct KeyRule {
    parts: Cow<'static, [KeyPart]>,
    otherwise: Option<Cow<'static, [KeyPart]>>,
    takes_unsigned_kind: bool,
}

impl KeyRule {
    /// A key of these parts. There is no such key for a delivery that lacks an id or a field among them.
    pub const fn of(parts: &'static [KeyPart]) -> Self {
        Self { parts: Cow::Borrowed(parts), otherwise: None, takes_unsigned_kind: false }
    }

    /// A key of these parts for a delivery that lacks an id or a field among the first ones.
    #[must_use]
    pub const fn or(mut self, parts: &'static [KeyPart]) -> Self {
        put(&mut self.otherwise, Some(Cow::Borrowed(parts)));
        self
    }

    /// A key of these parts that may be the only one although its kind is not signed.
    ///
    /// Whoever captured a delivery can have it handled once more under each other kind, until the kind is configured for the endpoint.
    /// It is for providers that send one body under several kinds, and name the kind in no signed place: without the kind in the key,
    /// all but the first of these deliveries would be lost.
    pub(crate) const fn of_unsigned_kind(parts: &'static [KeyPart]) -> Self {
        Self { parts: Cow::Borrowed(parts), otherwise: None, takes_unsigned_kind: true }
    }

    pub(super) const fn parts(&self) -> &[KeyPart] {
        slice(&self.parts)
    }

    pub(super) const fn otherwise(&self) -> Option<&[KeyPart]> {
        match &self.otherwise {
            Some(parts) => Some(slice(parts)),
            None => None,
        }
    }

    pub(super) const fn takes_unsigned_kind(&self) -> bool {
        self.takes_unsigned_kind
    }
}

#[expect(clippy::ptr_arg, reason = "a constant's parts are read so when the program is compiled")]
const fn slice<'p>(parts: &'p Cow<'static, [KeyPart]>) -> &'p [KeyPart] {
    match parts {
        Cow::Borrowed(parts) => parts,
        Cow::Owned(parts) => parts.as_slice(),
    }
}

/// A rule as it is written.
#[derive(Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "a list of `body`, `timestamp`, `kind`, `id`, `event-id`, { field = \"..\" }, or { of = [..], or = [..] } of such lists"
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
            Written::Parts(parts) => {
                Self { parts: parts.into(), otherwise: None, takes_unsigned_kind: false }
            }
            Written::Rule(Alternatives { of, or }) => {
                Self { parts: of.into(), otherwise: Some(or.into()), takes_unsigned_kind: false }
            }
        }
    }
}

impl From<KeyRule> for Written {
    fn from(KeyRule { parts, otherwise, .. }: KeyRule) -> Self {
        match otherwise {
            None => Self::Parts(parts.into_owned()),
            Some(or) => Self::Rule(Alternatives { of: parts.into_owned(), or: or.into_owned() }),
        }
    }
}

/// A part of a dedupe key.
///
/// In TOML and JSON, `"body"`, `"timestamp"`, `"kind"`, `"id"`, `"event-id"` and `{ field = "data.id" }`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// The event's id, where that is another than the delivery's.
    EventId,
    /// What stands in the signed body at the end of this path, as it is written there: object keys and array indexes, joined by
    /// dots, where `*` stands for every item of an array. It is missing where the body is not one JSON text, and where any of what
    /// the path names is missing, null or an empty string.
    ///
    /// Name fields that tell one event from every other and are the same at every attempt.
    Field(Cow<'static, str>),
}

impl KeyPart {
    /// What stands in the signed body at the end of this path. See [`KeyPart::Field`].
    pub const fn field(path: &'static str) -> Self {
        Self::Field(Cow::Borrowed(path))
    }
}
