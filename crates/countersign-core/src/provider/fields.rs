//! `Fields` and `Source`: where a delivery's ids, kind and attempt stand.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::scheme::{header_name, put};

/// Where something about a delivery stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Source {
    /// In a header of this name, in lower case. Unsigned, unless the scheme signs it.
    #[serde(deserialize_with = "header_name")]
    Header(Cow<'static, str>),
    /// In the body, at the end of this path: object keys and array indexes, joined by dots. Signed.
    Body(Cow<'static, str>),
}

impl Source {
    /// In a header of this name, in lower case.
    pub const fn header(name: &'static str) -> Self {
        Self::Header(Cow::Borrowed(name))
    }

    /// In the body, at the end of this path.
    pub const fn body(path: &'static str) -> Self {
        Self::Body(Cow::Borrowed(path))
    }
}

/// Where a delivery's ids, kind and attempt stand; each `None` when the provider sends none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fields {
    /// The delivery's or event's id.
    pub id: Option<Source>,
    /// Another name of the id's header.
    pub id_alias: Option<Cow<'static, str>>,
    /// The event's id, where that is another than the delivery's.
    pub event_id: Option<Source>,
    /// The event's kind.
    pub kind: Option<Source>,
    /// Another name of the kind's header.
    pub kind_alias: Option<Cow<'static, str>>,
    /// The number of the attempt, from 1.
    pub attempt: Option<Source>,
    /// A header that repeats the signed timestamp. Sent, never read.
    pub timestamp_repeated: Option<&'static str>,
    /// A header that repeats the id of the signed body. Sent, never read.
    pub id_repeated: Option<&'static str>,
}

impl Fields {
    /// A provider that sends none of them.
    pub const NONE: Self = Self {
        id: None,
        id_alias: None,
        event_id: None,
        kind: None,
        kind_alias: None,
        attempt: None,
        timestamp_repeated: None,
        id_repeated: None,
    };

    /// Where the id stands.
    #[must_use]
    pub const fn id(mut self, source: Source) -> Self {
        put(&mut self.id, Some(source));
        self
    }

    /// Where the event's id stands, where that is another than the delivery's.
    #[must_use]
    pub const fn event_id(mut self, source: Source) -> Self {
        put(&mut self.event_id, Some(source));
        self
    }

    /// Another name under which the id's header is read, in lower case. A request that has both, with different values, is
    /// refused.
    #[must_use]
    pub const fn id_alias(mut self, header: &'static str) -> Self {
        put(&mut self.id_alias, Some(Cow::Borrowed(header)));
        self
    }

    /// Where the kind stands.
    #[must_use]
    pub const fn kind(mut self, source: Source) -> Self {
        put(&mut self.kind, Some(source));
        self
    }

    /// Another name under which the kind's header is read, as [`id_alias`](Self::id_alias).
    #[must_use]
    pub const fn kind_alias(mut self, header: &'static str) -> Self {
        put(&mut self.kind_alias, Some(Cow::Borrowed(header)));
        self
    }

    /// Where the number of the attempt stands.
    #[must_use]
    pub const fn attempt(mut self, source: Source) -> Self {
        put(&mut self.attempt, Some(source));
        self
    }

    /// The header that repeats the id of the signed body.
    #[must_use]
    pub const fn id_repeated(mut self, header: &'static str) -> Self {
        self.id_repeated = Some(header);
        self
    }

    /// The header that repeats the signed timestamp.
    #[must_use]
    pub const fn timestamp_repeated(mut self, header: &'static str) -> Self {
        self.timestamp_repeated = Some(header);
        self
    }
}
