//! `Retries`: on which answers a provider tries again, and for how long.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::scheme::table;

/// On which answers a provider tries again, and for how long.
///
/// In a description, `on` is `any-failure` or `server-errors` (408, 429 and 5xx), `within` is in seconds, and `except` lists the
/// statuses that are never passed on:
///
/// ```
/// use std::time::Duration;
///
/// use countersign_core::provider::Retries;
///
/// let read: Retries = toml::from_str("on = \"any-failure\"\nwithin = 86400\nexcept = [410]")?;
/// assert_eq!(read, Retries::ON_ANY_FAILURE.within(Duration::from_secs(86400)).except(&[410]));
/// assert!(read.on(404) && !read.on(410));
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct Retries {
    on: RetriedOn,
    /// Seconds from the first try to the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    within: Option<u64>,
    #[serde(default, skip_serializing_if = "Statuses::is_empty")]
    except: Statuses,
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

/// Statuses from 400 to 527, a bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<u16>", into = "Vec<u16>")]
struct Statuses(u128);

impl Statuses {
    const NONE: Self = Self(0);

    /// The bit of this status; none where no failure has that status.
    const fn bit(status: u16) -> u128 {
        match status.checked_sub(400) {
            Some(place @ 0..=127) => 1_u128.rotate_left(place as u32),
            _ => 0,
        }
    }

    const fn hold(self, status: u16) -> bool {
        self.0 & Self::bit(status) != 0
    }

    const fn is_empty(&self) -> bool {
        self.0 == 0
    }
}

impl TryFrom<Vec<u16>> for Statuses {
    type Error = &'static str;

    fn try_from(statuses: Vec<u16>) -> Result<Self, Self::Error> {
        let bits = statuses.into_iter().try_fold(0, |bits, status| match Self::bit(status) {
            0 => Err("the statuses of failures are between 400 and 527"),
            bit => Ok(bits | bit),
        });
        bits.map(Self)
    }
}

impl From<Statuses> for Vec<u16> {
    fn from(statuses: Statuses) -> Self {
        (400..=527).filter(|status| statuses.hold(*status)).collect()
    }
}

impl Retries {
    /// A provider that does not say: it is taken to retry on 408, 429 and 5xx only.
    pub const UNKNOWN: Self = Self { within: None, except: Statuses::NONE, on: RetriedOn::ServerErrors };
    /// A provider that retries on anything but a 2xx.
    pub const ON_ANY_FAILURE: Self = Self { within: None, except: Statuses::NONE, on: RetriedOn::AnyFailure };
    /// A provider that retries on 408, 429 and 5xx.
    pub const ON_SERVER_ERRORS: Self =
        Self { within: None, except: Statuses::NONE, on: RetriedOn::ServerErrors };

    /// A provider that retries on 409, 429 and 503 only, and on the last two where a `Retry-After` is below a minute (Zendesk). Where a
    /// genuine delivery was not handled, the answer is such a 503. A body that arrives too slowly is a 408, as at any provider.
    pub const ON_UNAVAILABLE: Self =
        Self { within: None, except: Statuses::NONE, on: RetriedOn::Unavailable };

    /// How long after the first try the last one comes.
    #[must_use]
    pub const fn within(mut self, horizon: Duration) -> Self {
        self.within = Some(horizon.as_secs());
        self
    }

    /// The same, but for these statuses: the provider does not retry on them, or does more than that, as Standard Webhooks
    /// disables an endpoint that answers 410. A handler's answer of such a status is sent as a 500.
    #[must_use]
    pub const fn except(mut self, statuses: &[u16]) -> Self {
        let mut rest = statuses;
        while let [status, others @ ..] = rest {
            self.except.0 |= Statuses::bit(*status);
            rest = others;
        }
        self
    }

    /// Whether a failure with this status is tried again, and nothing more.
    pub const fn on(self, status: u16) -> bool {
        if self.except.hold(status) {
            return false;
        }
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
