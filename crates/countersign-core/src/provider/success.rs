//! `Success`: how a provider wants to hear that a delivery was handled.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::{
    json,
    scheme::{put, table},
};

/// The status that acknowledges a delivery: 200 for most providers.
///
/// It is the answer to a duplicate, and takes the place of an empty 200 of a handler. In a description, `with` may name a field of the
/// body: deliveries without it are acknowledged by a 200.
///
/// ```
/// use countersign_core::provider::Success;
///
/// let read: Success = toml::from_str("status = 204\nwith = \"event\"")?;
/// assert_eq!(read, Success::status(204).with("event"));
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct Success {
    status: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) with: Option<Cow<'static, str>>,
}

table!(Success);

impl Success {
    /// A 200.
    pub const OK: Self = Self::status(200);

    /// This status, between 200 and 299.
    pub const fn status(status: u16) -> Self {
        Self { status, with: None }
    }

    /// This status for deliveries whose body has something at the end of this path, and a 200 for all others.
    #[must_use]
    pub const fn with(mut self, path: &'static str) -> Self {
        put(&mut self.with, Some(Cow::Borrowed(path)));
        self
    }

    /// The status for a delivery with this body.
    pub(crate) fn of(&self, body: &[u8]) -> u16 {
        match &self.with {
            Some(path) if json::field(body, path).is_none() => 200,
            _ => self.status,
        }
    }

    /// Whether it is the status of a success.
    pub(crate) const fn is_sane(&self) -> bool {
        matches!(self.status, 200..=299)
    }
}
