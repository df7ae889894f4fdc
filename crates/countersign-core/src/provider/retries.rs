//! `Retries`: on which answers a provider tries again, and for how long.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::scheme::table;

/// On which answers a provider tries again, and for how long.
///
/// In a description, `on` is `any-failure` or `server-errors` (408, 429 and 5xx), and `within` is in seconds:
///
/// ```
/// use std::time::Duration;
///
/// use countersign_core::provider::Retries;
///
/// let read: Retries = toml::from_str("on = \"any-failure\"\nwithin = 86400")?;
/// assert_eq!(read, Retries::ON_ANY_FAILURE.within(Duration::from_secs(86400)));
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct Retries {
    on: RetriedOn,
    /// Seconds from the first try to the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    within: Option<u64>,
}

table!(Retries);

/// The longest that a provider is taken to try, in seconds: 90 days.
const MAX_WITHIN: u64 = 90 * 24 * 60 * 60;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum RetriedOn {
    AnyFailure,
    ServerErrors,
    Unavailable,
}

impl Retries {
    /// A provider that does not say: it is taken to retry on 408, 429 and 5xx only.
    pub const UNKNOWN: Self = Self { within: None, on: RetriedOn::ServerErrors };
    /// A provider that retries on anything but a 2xx.
    pub const ON_ANY_FAILURE: Self = Self { within: None, on: RetriedOn::AnyFailure };
    /// A provider that retries on 408, 429 and 5xx.
    pub const ON_SERVER_ERRORS: Self = Self { within: None, on: RetriedOn::ServerErrors };

    /// A provider that retries on 409, 429 and 503 only, and on the last two where a `Retry-After` is below a minute (Zendesk). Each
    /// failure of a genuine delivery is answered so.
    pub const ON_UNAVAILABLE: Self = Self { within: None, on: RetriedOn::Unavailable };

    /// How long after the first try the last one comes.
    #[must_use]
    pub const fn within(mut self, horizon: Duration) -> Self {
        self.within = Some(horizon.as_secs());
        self
    }

    /// Whether a failure with this status is tried again.
    pub const fn on(self, status: u16) -> bool {
        match self.on {
            RetriedOn::AnyFailure => matches!(status, 400..=599),
            RetriedOn::ServerErrors => matches!(status, 408 | 429 | 500..=599),
            RetriedOn::Unavailable => matches!(status, 409 | 429 | 503),
        }
    }

    /// Whether a failure is only tried again where it says when.
    pub(crate) const fn wants_retry_after(self) -> bool {
        matches!(self.on, RetriedOn::Unavailable)
    }

    /// For how long tries come in, and a quarter: 72 hours where that is unknown.
    pub const fn retention(self) -> Duration {
        match self.within {
            Some(within) => Duration::from_secs(within.saturating_add(within.div_ceil(4))),
            None => Duration::from_secs(72 * 60 * 60),
        }
    }

    /// Whether the horizon is one that a provider may have.
    pub(super) const fn is_sane(self) -> bool {
        matches!(self.within, None | Some(0..=MAX_WITHIN))
    }
}
