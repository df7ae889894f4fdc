//! `Timestamp` and its wire formats, `Tolerance`, and the `Clock` that others bring.

mod format;

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, MapAccess, Unexpected, Visitor, value::MapAccessDeserializer},
};

pub use self::format::TimestampFormat;
use crate::error::VerifyError;

/// A point in time: seconds and nanoseconds since 1970-01-01T00:00:00Z.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use countersign_core::Timestamp;
///
/// let then = Timestamp::from_unix_seconds(1_705_689_600);
/// assert_eq!(SystemTime::from(then), SystemTime::UNIX_EPOCH + Duration::from_secs(1_705_689_600));
/// assert_eq!(then.to_string(), "2024-01-19T18:40:00Z");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    seconds: i64,
    nanos: u32,
}

impl Timestamp {
    /// Whole seconds since the epoch; negative before it.
    pub const fn from_unix_seconds(seconds: i64) -> Self {
        Self { seconds, nanos: 0 }
    }

    /// Seconds since the epoch and nanoseconds within the second.
    ///
    /// `None` when `nanos` is not below 1,000,000,000.
    pub const fn from_unix(seconds: i64, nanos: u32) -> Option<Self> {
        if nanos < 1_000_000_000 { Some(Self { seconds, nanos }) } else { None }
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn unix_seconds(self) -> i64 {
        self.seconds
    }

    /// Nanoseconds within the second, from 0 to 999,999,999.
    pub const fn subsec_nanos(self) -> u32 {
        self.nanos
    }

    /// This much later, or the latest timestamp there is.
    #[must_use]
    pub fn saturating_add(self, duration: Duration) -> Self {
        let nanos = self.nanos.saturating_add(duration.subsec_nanos());
        let (carry, nanos) = (u64::from(nanos >= 1_000_000_000), nanos % 1_000_000_000);
        let seconds = duration.as_secs().saturating_add(carry);
        Self { seconds: self.seconds.saturating_add_unsigned(seconds), nanos }
    }

    /// This much earlier, or the earliest timestamp there is.
    #[must_use]
    pub fn saturating_sub(self, duration: Duration) -> Self {
        let borrow = self.nanos < duration.subsec_nanos();
        let lifted = if borrow { self.nanos.saturating_add(1_000_000_000) } else { self.nanos };
        let seconds = duration.as_secs().saturating_add(u64::from(borrow));
        Self {
            seconds: self.seconds.saturating_sub_unsigned(seconds),
            nanos: lifted.saturating_sub(duration.subsec_nanos()),
        }
    }

    /// How long after `earlier` this is; zero when it is not after it.
    pub fn since(self, earlier: Self) -> Duration {
        if self <= earlier {
            return Duration::ZERO;
        }
        let borrow = self.nanos < earlier.nanos;
        let lifted = if borrow { self.nanos.saturating_add(1_000_000_000) } else { self.nanos };
        let seconds = self.seconds.abs_diff(earlier.seconds).saturating_sub(u64::from(borrow));
        Duration::new(seconds, lifted.saturating_sub(earlier.nanos))
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        let epoch = Self::from_unix_seconds(0);
        match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => match i64::try_from(after.as_secs()) {
                Ok(seconds) => Self { seconds, nanos: after.subsec_nanos() },
                Err(_) => epoch.saturating_add(after),
            },
            Err(before) => epoch.saturating_sub(before.duration()),
        }
    }
}

/// A timestamp that the platform's `SystemTime` cannot hold becomes the epoch.
impl From<Timestamp> for SystemTime {
    fn from(timestamp: Timestamp) -> Self {
        let epoch = Timestamp::from_unix_seconds(0);
        let time = match timestamp >= epoch {
            true => SystemTime::UNIX_EPOCH.checked_add(timestamp.since(epoch)),
            false => SystemTime::UNIX_EPOCH.checked_sub(epoch.since(timestamp)),
        };
        time.unwrap_or(SystemTime::UNIX_EPOCH)
    }
}

/// RFC 3339 in UTC, with as many decimals as needed.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil_from_days(self.seconds.div_euclid(86_400));
        let second_of_day = self.seconds.rem_euclid(86_400);
        let (hour, minute, second) = (second_of_day / 3600, second_of_day / 60 % 60, second_of_day % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        if self.nanos > 0 {
            let decimals = format!("{:09}", self.nanos);
            write!(f, ".{}", decimals.trim_end_matches('0'))?;
        }
        f.write_str("Z")
    }
}

/// Days since 1970-01-01 of a date in the proleptic Gregorian calendar (years count from 1 March).
#[expect(clippy::arithmetic_side_effects, reason = "callers give years of at most four digits")]
pub(crate) const fn days_from_civil(year: i32, month: u32, day: u32) -> i64 {
    let year = year as i64 - (month <= 2) as i64;
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month as i64 + 9) % 12) + 2) / 5 + day as i64 - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[expect(clippy::arithmetic_side_effects, reason = "days are seconds of an i64 divided by 86,400")]
const fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (era * 400 + year_of_era + (month <= 2) as i64, month, day)
}

/// How far a timestamp may be from now, in whole seconds; both ends are within.
///
/// In a description it is a number of seconds, or a table where the two sides differ:
///
/// ```
/// use countersign_core::Tolerance;
///
/// #[derive(serde::Deserialize)]
/// struct Scheme {
///     tolerance: Tolerance,
/// }
///
/// let read = |text| toml::from_str::<Scheme>(text).map(|scheme| scheme.tolerance);
/// assert_eq!(read("tolerance = 300")?, Tolerance::from_secs(300));
/// assert_eq!(read("tolerance = { behind = 5, ahead = 60 }")?, Tolerance::from_secs(5).ahead(60));
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tolerance {
    pub(crate) behind: u64,
    ahead: u64,
}

impl Tolerance {
    /// This many seconds, behind and ahead of now.
    pub const fn from_secs(seconds: u64) -> Self {
        Self { behind: seconds, ahead: seconds }
    }

    /// How many seconds a timestamp may be ahead of now, where that is another number than it may be behind.
    ///
    /// A timestamp from the future is a sign of a clock that is off. Whether a delivery is old is decided by the other side.
    #[must_use]
    pub const fn ahead(mut self, seconds: u64) -> Self {
        self.ahead = seconds;
        self
    }

    /// The larger side of the tolerance.
    pub const fn as_duration(self) -> Duration {
        Duration::from_secs(if self.behind < self.ahead { self.ahead } else { self.behind })
    }

    /// For how long one signature is good: from the moment at which its timestamp is as far ahead as it may be, until it is
    /// as far behind, with the whole of that second.
    pub(crate) const fn window(self) -> Duration {
        Duration::from_secs(self.behind.saturating_add(self.ahead).saturating_add(1))
    }

    /// Whether it is the same, asked when the program is compiled.
    pub(crate) const fn is(self, other: Self) -> bool {
        self.behind == other.behind && self.ahead == other.ahead
    }

    /// Refuses a timestamp that is further from `now` than this.
    ///
    /// Timestamps count whole seconds, so `now` is taken in whole seconds as well: a delivery that is exactly as old
    /// as the tolerance is still good. No input overflows.
    ///
    /// # Errors
    /// [`VerifyError::Stale`] or [`VerifyError::Future`].
    pub fn check(self, timestamp: Timestamp, now: Timestamp) -> Result<(), VerifyError> {
        let (sent, now) = (timestamp.unix_seconds(), now.unix_seconds());
        let distance = sent.abs_diff(now);
        match (sent < now, self) {
            (true, Self { behind, .. }) if distance > behind => {
                Err(VerifyError::Stale { age_seconds: distance, tolerance_seconds: behind })
            }
            (false, Self { ahead, .. }) if distance > ahead => {
                Err(VerifyError::Future { ahead_seconds: distance, tolerance_seconds: ahead })
            }
            _ => Ok(()),
        }
    }
}

/// The number of seconds, or the number on each side.
impl fmt::Display for Tolerance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self { behind, ahead } if behind == ahead => write!(f, "{behind} s"),
            Self { behind, ahead } => write!(f, "{behind} s behind, {ahead} s ahead"),
        }
    }
}

/// A tolerance as it is written where its sides differ.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sides {
    behind: u64,
    ahead: u64,
}

impl Serialize for Tolerance {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self { behind, ahead } if behind == ahead => serializer.serialize_u64(behind),
            Self { behind, ahead } => Sides { behind, ahead }.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Tolerance {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;

        impl<'de> Visitor<'de> for Written {
            type Value = Tolerance;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of seconds, or a table of `behind` and `ahead`")
            }

            fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<Tolerance, E> {
                Ok(Tolerance::from_secs(seconds))
            }

            fn visit_i64<E: de::Error>(self, seconds: i64) -> Result<Tolerance, E> {
                let negative = |_| E::invalid_value(Unexpected::Signed(seconds), &self);
                u64::try_from(seconds).map(Tolerance::from_secs).map_err(negative)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Tolerance, A::Error> {
                let Sides { behind, ahead } = Sides::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Tolerance { behind, ahead })
            }
        }

        deserializer.deserialize_any(Written)
    }
}

/// The time, brought from outside: core reads no clock of its own.
pub trait Clock: Send + Sync + 'static {
    /// What a wall clock shows. May jump.
    fn now(&self) -> Timestamp;

    /// The time since some fixed point in the past. Never goes back, whatever the wall clock does.
    fn elapsed(&self) -> Duration;
}

impl<C: Clock + ?Sized> Clock for std::sync::Arc<C> {
    fn now(&self) -> Timestamp {
        (**self).now()
    }

    fn elapsed(&self) -> Duration {
        (**self).elapsed()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const EXTREMES: [i64; 7] = [i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX - 1, i64::MAX];

    #[test]
    fn no_timestamp_overflows() {
        for timestamp in EXTREMES.map(Timestamp::from_unix_seconds) {
            for now in EXTREMES.map(Timestamp::from_unix_seconds) {
                for tolerance in [0, 300, u64::MAX] {
                    let verdict = Tolerance::from_secs(tolerance).check(timestamp, now);
                    assert!(verdict.is_ok() || timestamp != now);
                }
                let _ = (timestamp.since(now), timestamp.to_string(), SystemTime::from(timestamp));
                let _ = (timestamp.saturating_add(Duration::MAX), timestamp.saturating_sub(Duration::MAX));
            }
        }
    }

    #[test]
    fn the_tolerance_holds_to_the_second() {
        let at = Timestamp::from_unix_seconds;
        let tolerance = Tolerance::from_secs(300);
        assert!(tolerance.check(at(1000), at(1300)).is_ok());
        assert!(tolerance.check(at(1300), at(1000)).is_ok());
        assert!(tolerance.check(at(1000), Timestamp::from_unix(1300, 999_999_999).unwrap()).is_ok());
        let stale = VerifyError::Stale { age_seconds: 301, tolerance_seconds: 300 };
        assert_eq!(tolerance.check(at(1000), at(1301)), Err(stale));
        let future = VerifyError::Future { ahead_seconds: 301, tolerance_seconds: 300 };
        assert_eq!(tolerance.check(at(1301), at(1000)), Err(future));
    }

    #[test]
    fn each_side_has_its_own_tolerance() {
        let at = Timestamp::from_unix_seconds;
        let tolerance = Tolerance::from_secs(5).ahead(60);
        assert!(tolerance.check(at(1000), at(1005)).is_ok() && tolerance.check(at(1060), at(1000)).is_ok());
        let stale = VerifyError::Stale { age_seconds: 6, tolerance_seconds: 5 };
        assert_eq!(tolerance.check(at(1000), at(1006)), Err(stale));
        let future = VerifyError::Future { ahead_seconds: 61, tolerance_seconds: 60 };
        assert_eq!(tolerance.check(at(1061), at(1000)), Err(future));
        assert_eq!((tolerance.as_duration().as_secs(), tolerance.window().as_secs()), (60, 66));
        assert_eq!(Tolerance::from_secs(u64::MAX).window().as_secs(), u64::MAX);
    }

    #[test]
    fn a_window_lasts_from_the_first_moment_at_which_a_signature_is_good_to_the_last() {
        for tolerance in [Tolerance::from_secs(300), Tolerance::from_secs(5).ahead(60)] {
            let signed = Timestamp::from_unix_seconds(1_705_314_600);
            let first = signed.saturating_sub(Duration::from_secs(tolerance.ahead));
            let forgotten = first.saturating_add(tolerance.window());
            assert!(tolerance.check(signed, first).is_ok());
            assert!(tolerance.check(signed, forgotten.saturating_sub(Duration::from_nanos(1))).is_ok());
            assert!(tolerance.check(signed, forgotten).is_err(), "{tolerance}: forgotten and still good");
        }
    }

    #[test]
    fn a_tolerance_is_a_number_or_a_table_of_both_sides() {
        let read = |text: &str| serde_json::from_str::<Tolerance>(text).map_err(|error| error.to_string());
        for (text, tolerance) in [
            ("300", Tolerance::from_secs(300)),
            (r#"{"behind":5,"ahead":60}"#, Tolerance::from_secs(5).ahead(60)),
        ] {
            assert_eq!(read(text), Ok(tolerance));
            assert_eq!(serde_json::to_string(&tolerance).unwrap(), text);
        }
        assert_eq!(read(r#"{"ahead":5,"behind":5}"#), Ok(Tolerance::from_secs(5)));
        for (text, told) in [
            ("-1", "invalid value: integer `-1`, expected a number of seconds, or a table"),
            ("5.5", "invalid type: floating point"),
            ("[5,60]", "invalid type: sequence"),
            (r#"{"behind":5}"#, "missing field `ahead`"),
            (r#"{"behind":5,"ahead":6,"by":7}"#, "unknown field `by`"),
        ] {
            assert!(read(text).unwrap_err().starts_with(told), "{text}: {:?}", read(text));
        }
    }

    proptest! {
        #[test]
        fn the_calendar_agrees_with_jiff(seconds in -62_135_596_800_i64..253_402_000_000, nanos in 0_u32..1_000_000_000) {
            let ours = Timestamp::from_unix(seconds, nanos).unwrap();
            let theirs = jiff::Timestamp::new(seconds, nanos as i32).unwrap();
            prop_assert_eq!(ours.to_string(), theirs.to_string());
            let (year, month, day) = civil_from_days(seconds.div_euclid(86_400));
            prop_assert_eq!(days_from_civil(year as i32, month as u32, day as u32), seconds.div_euclid(86_400));
        }

        #[test]
        fn adding_and_subtracting_agree(seconds in -9_000_000_000_i64..9_000_000_000, nanos in 0_u32..1_000_000_000, by in 0_u64..u64::MAX / 4) {
            let (start, by) = (Timestamp::from_unix(seconds, nanos).unwrap(), Duration::from_nanos(by));
            prop_assert_eq!(start.saturating_add(by).since(start), by);
            prop_assert_eq!(start.saturating_add(by).saturating_sub(by), start);
            prop_assert_eq!(Timestamp::from(SystemTime::from(start)), start);
        }
    }
}
