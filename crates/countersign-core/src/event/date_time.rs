//! `DateTime`: a moment as a payload writes it, with or without a zone, with or without a time of day.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, de};

use crate::time::{Timestamp, days_from_civil};

/// A date, a date and time, or a date and time in a zone (ISO 8601 as RFC 3339 profiles it).
///
/// Some providers send no zone, and some no time of day; this type says which it was. An integer in the JSON is read as
/// seconds since 1970-01-01T00:00:00Z.
///
/// ```
/// use countersign_core::{Timestamp, event::DateTime};
///
/// let zoned: DateTime = "2024-01-15T11:30:00+01:00".parse()?;
/// assert_eq!(zoned.timestamp(), Some(Timestamp::from_unix_seconds(1_705_314_600)));
/// let bare: DateTime = "2024-01-15".parse()?;
/// assert_eq!(bare.timestamp(), None);
/// assert_eq!(bare.timestamp_as_utc().to_string(), "2024-01-15T00:00:00Z");
/// # Ok::<(), countersign_core::event::ParseDateTimeError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct DateTime {
    /// The wall clock's reading, as if it were in UTC.
    reading: Timestamp,
    has_time: bool,
    /// Seconds east of UTC.
    offset: Option<i32>,
}

/// Not a date or date and time of ISO 8601.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a date, or date and time, of ISO 8601")]
pub struct ParseDateTimeError(());

impl DateTime {
    /// The moment, where a zone was given.
    pub fn timestamp(self) -> Option<Timestamp> {
        let seconds = self.reading.unix_seconds().checked_sub(self.offset?.into())?;
        Timestamp::from_unix(seconds, self.reading.subsec_nanos())
    }

    /// The moment, taking it for UTC where no zone was given, and for midnight where no time of day was.
    pub fn timestamp_as_utc(self) -> Timestamp {
        self.timestamp().unwrap_or(self.reading)
    }

    /// Whether a time of day was given.
    pub const fn has_time(self) -> bool {
        self.has_time
    }

    /// The zone's seconds east of UTC, where a zone was given.
    pub const fn offset_seconds(self) -> Option<i32> {
        self.offset
    }
}

impl From<Timestamp> for DateTime {
    fn from(timestamp: Timestamp) -> Self {
        Self { reading: timestamp, has_time: true, offset: Some(0) }
    }
}

impl FromStr for DateTime {
    type Err = ParseDateTimeError;

    fn from_str(text: &str) -> Result<Self, ParseDateTimeError> {
        parse(&mut Reader(text.as_bytes())).ok_or(ParseDateTimeError(()))
    }
}

/// Takes a text apart from its front.
struct Reader<'t>(&'t [u8]);

impl Reader<'_> {
    fn eat(&mut self, any_of: &[u8]) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        any_of.contains(first).then(|| self.0 = rest)?;
        Some(*first)
    }

    fn digits(&mut self, count: usize, range: std::ops::RangeInclusive<u32>) -> Option<u32> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        number(digits).filter(|number| range.contains(number))
    }

    /// Decimals of a second as nanoseconds; those beyond nine are dropped.
    fn nanos(&mut self) -> Option<u32> {
        let count = self.0.iter().take_while(|b| b.is_ascii_digit()).count();
        let (digits, rest) = self.0.split_at_checked(count).filter(|(digits, _)| !digits.is_empty())?;
        self.0 = rest;
        let kept = digits.get(..digits.len().min(9))?;
        let missing = u32::try_from(kept.len()).ok().and_then(|kept| 9_u32.checked_sub(kept))?;
        number(kept)?.checked_mul(10_u32.checked_pow(missing)?)
    }
}

/// The number that these digits, and nothing but digits, are.
fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0_u32, |number, digit| {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit < 10)?;
        number.checked_mul(10)?.checked_add(digit.into())
    })
}

fn parse(text: &mut Reader<'_>) -> Option<DateTime> {
    let year = text.digits(4, 0..=9999)?;
    text.eat(b"-")?;
    let month = text.digits(2, 1..=12)?;
    text.eat(b"-")?;
    let day = text.digits(2, 1..=days_of_month(year, month))?;
    let midnight = days_from_civil(i32::try_from(year).ok()?, month, day).checked_mul(86_400)?;
    if text.0.is_empty() {
        return Some(DateTime {
            reading: Timestamp::from_unix_seconds(midnight),
            has_time: false,
            offset: None,
        });
    }
    text.eat(b"Tt ")?;
    let hour = text.digits(2, 0..=23)?;
    text.eat(b":")?;
    let minute = text.digits(2, 0..=59)?;
    let second = match text.eat(b":") {
        // A leap second is the last second of its minute.
        Some(_) => text.digits(2, 0..=60)?.min(59),
        None => 0,
    };
    let nanos = match text.eat(b".,") {
        Some(_) => text.nanos()?,
        None => 0,
    };
    let offset = zone(text)?;
    let of_day = hour.checked_mul(3600)?.checked_add(minute.checked_mul(60)?)?.checked_add(second)?;
    let reading = Timestamp::from_unix(midnight.checked_add(of_day.into())?, nanos)?;
    text.0.is_empty().then_some(DateTime { reading, has_time: true, offset })
}

fn zone(text: &mut Reader<'_>) -> Option<Option<i32>> {
    let sign = match text.eat(b"Zz+-") {
        None => return Some(None),
        Some(b'Z' | b'z') => return Some(Some(0)),
        Some(sign) => sign,
    };
    let hours = text.digits(2, 0..=23)?;
    let minutes = match (text.eat(b":"), text.0.is_empty()) {
        (None, true) => 0,
        _ => text.digits(2, 0..=59)?,
    };
    let seconds = i32::try_from(hours.checked_mul(3600)?.checked_add(minutes.checked_mul(60)?)?).ok()?;
    Some(Some(if sign == b'-' { seconds.checked_neg()? } else { seconds }))
}

const fn days_of_month(year: u32, month: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// As it was written, in one spelling.
impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reading = self.reading.to_string();
        let reading = reading.trim_end_matches('Z');
        match (self.has_time, self.offset) {
            (false, _) => f.write_str(reading.split('T').next().unwrap_or_default()),
            (true, None) => f.write_str(reading),
            (true, Some(0)) => write!(f, "{reading}Z"),
            (true, Some(offset)) => {
                let (sign, size) = (if offset < 0 { '-' } else { '+' }, offset.unsigned_abs());
                write!(f, "{reading}{sign}{:02}:{:02}", size / 3600, size / 60 % 60)
            }
        }
    }
}

impl fmt::Debug for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl<'de> Deserialize<'de> for DateTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrSeconds;

        impl de::Visitor<'_> for TextOrSeconds {
            type Value = DateTime;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a date and time of ISO 8601, or seconds since the epoch")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<DateTime, E> {
                text.parse().map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
            }

            fn visit_i64<E: de::Error>(self, seconds: i64) -> Result<DateTime, E> {
                Ok(Timestamp::from_unix_seconds(seconds).into())
            }

            fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<DateTime, E> {
                let signed = i64::try_from(seconds);
                signed
                    .map(|seconds| Timestamp::from_unix_seconds(seconds).into())
                    .map_err(|_| E::invalid_value(de::Unexpected::Unsigned(seconds), &self))
            }
        }

        deserializer.deserialize_any(TextOrSeconds)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dates_come_with_and_without_zone_and_time() {
        for (text, shown, utc) in [
            ("2024-10-07T08:10:07.558Z", "2024-10-07T08:10:07.558Z", "2024-10-07T08:10:07.558Z"),
            ("2024-01-15T10:30:00Z", "2024-01-15T10:30:00Z", "2024-01-15T10:30:00Z"),
            ("2021-05-04T09:00:00", "2021-05-04T09:00:00", "2021-05-04T09:00:00Z"),
            ("2021-05-04 09:00:00", "2021-05-04T09:00:00", "2021-05-04T09:00:00Z"),
            ("2021-05-04", "2021-05-04", "2021-05-04T00:00:00Z"),
            ("2024-02-29T23:59:60-05:30", "2024-02-29T23:59:59-05:30", "2024-03-01T05:29:59Z"),
            ("2021-05-04T09:00+0200", "2021-05-04T09:00:00+02:00", "2021-05-04T07:00:00Z"),
        ] {
            let parsed: DateTime = text.parse().unwrap();
            assert_eq!(
                (parsed.to_string(), parsed.timestamp_as_utc().to_string()),
                (shown.into(), utc.into())
            );
            assert_eq!(parsed.timestamp().is_some(), parsed.offset_seconds().is_some());
        }
        let seconds: DateTime = serde_json::from_str("1705689600").unwrap();
        assert_eq!(seconds.to_string(), "2024-01-19T18:40:00Z");
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "2024",
            "2024-1-1",
            "2024-13-01",
            "2024-02-30",
            "2023-02-29",
            "2024-01-01T",
            "2024-01-01T24:00:00Z",
            "2024-01-01T00:00:00.Z",
            "2024-01-01T00:00:00+",
            "2024-01-01T00:00:00Zx",
            "2024-01-01T00:00:00+1",
            "٢٠٢٤-01-01",
            "-2024-01-01",
            "2024-01-01T00:60:00Z",
        ] {
            assert!(text.parse::<DateTime>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn agrees_with_jiff(seconds in -62_000_000_000_i64..250_000_000_000, nanos in 0_i32..1_000_000_000, minutes in -1439_i32..1440) {
            let theirs = jiff::Timestamp::new(seconds, nanos).unwrap();
            let offset = jiff::tz::Offset::from_seconds(minutes.saturating_mul(60)).unwrap();
            let text = theirs.display_with_offset(offset).to_string();
            let ours: DateTime = text.parse().unwrap();
            prop_assert_eq!(ours.timestamp().unwrap().to_string(), theirs.to_string());
            prop_assert_eq!(ours.to_string().parse::<DateTime>().unwrap(), ours);
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,30}|[0-9TZ:.+-]{0,30}") {
            let _ = text.parse::<DateTime>().map(|moment| (moment.to_string(), moment.timestamp_as_utc()));
        }
    }
}
