//! `TimestampFormat`: how schemes write their timestamps.

use serde::{Deserialize, Serialize};

use super::{Timestamp, civil_from_days};
use crate::event::DateTime;

/// How a scheme writes its timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum TimestampFormat {
    /// Decimal seconds since the epoch, of up to 20 digits, with an optional minus sign and nothing else.
    UnixSeconds,
    /// Decimal milliseconds since the epoch, of up to 20 digits, with an optional minus sign and nothing else.
    UnixMillis,
    /// A date and time with its zone: `2024-01-15T10:30:00.5Z`, `2024-01-15T11:30:00+01:00` (RFC 3339, section 5.6, its
    /// letters in upper case).
    #[serde(rename = "rfc3339")]
    Rfc3339,
    /// The date of HTTP's own headers: `Mon, 15 Jan 2024 10:30:00 GMT` (RFC 9110, section 5.6.7).
    ImfFixdate,
}

const WEEKDAYS: [&[u8; 3]; 7] = [b"Thu", b"Fri", b"Sat", b"Sun", b"Mon", b"Tue", b"Wed"];
const MONTHS: [&[u8; 3]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

impl TimestampFormat {
    /// Reads a timestamp, strictly.
    ///
    /// `None` for anything else than this format's text, or a number beyond 64 bits.
    pub fn parse(self, text: &[u8]) -> Option<Timestamp> {
        match self {
            Self::UnixSeconds => integer(text).map(Timestamp::from_unix_seconds),
            Self::UnixMillis => from_millis(integer(text)?),
            Self::Rfc3339 => rfc3339(text),
            Self::ImfFixdate => imf_fixdate(text),
        }
    }

    /// Writes a timestamp as the provider would.
    pub fn format(self, timestamp: Timestamp) -> String {
        match self {
            Self::UnixSeconds => timestamp.unix_seconds().to_string(),
            Self::UnixMillis => {
                let millis = i128::from(timestamp.subsec_nanos() / 1_000_000);
                let millis = i128::from(timestamp.unix_seconds()).saturating_mul(1000).saturating_add(millis);
                millis.clamp(i64::MIN.into(), i64::MAX.into()).to_string()
            }
            Self::Rfc3339 => timestamp.to_string(),
            Self::ImfFixdate => to_imf_fixdate(timestamp),
        }
    }

    /// Whether its texts are numbers, which run into digits that stand beside them.
    pub(crate) const fn is_number(self) -> bool {
        matches!(self, Self::UnixSeconds | Self::UnixMillis)
    }
}

fn integer(text: &[u8]) -> Option<i64> {
    let (digits, is_negative) = match text {
        [b'-', digits @ ..] => (digits, true),
        digits => (digits, false),
    };
    if !(1..=20).contains(&digits.len()) {
        return None;
    }
    // Below zero, there is one number more than above it.
    let negated = digits.iter().try_fold(0_i64, |number, digit| {
        let digit = digit.wrapping_sub(b'0');
        (digit < 10).then_some(number.checked_mul(10)?.checked_sub(i64::from(digit))?)
    })?;
    if is_negative { Some(negated) } else { negated.checked_neg() }
}

fn from_millis(millis: i64) -> Option<Timestamp> {
    let nanos = u32::try_from(millis.rem_euclid(1000)).ok()?.checked_mul(1_000_000)?;
    Timestamp::from_unix(millis.div_euclid(1000), nanos)
}

/// `DateTime` reads what payloads hold, which is more; so this looks at the form first.
fn rfc3339(text: &[u8]) -> Option<Timestamp> {
    let zone = match text {
        [.., b'Z'] => 1,
        [.., b'+' | b'-', _, _, b':', _, _] => 6,
        _ => return None,
    };
    let (date_time, _) = text.split_at_checked(text.len().saturating_sub(zone))?;
    let (whole, decimals) = date_time.split_at_checked(19)?;
    let is_exact = matches!((whole.get(10), whole.get(16)), (Some(b'T'), Some(b':')))
        && (decimals.is_empty() || decimals.starts_with(b"."));
    is_exact.then_some(())?;
    std::str::from_utf8(text).ok()?.parse::<DateTime>().ok()?.timestamp()
}

fn imf_fixdate(text: &[u8]) -> Option<Timestamp> {
    let text: &[u8; 29] = text.try_into().ok()?;
    let [w1, w2, w3, b',', b' ', day @ .., b' ', b'G', b'M', b'T'] = text else { return None };
    let (day, rest) = day.split_at_checked(2)?;
    let (month, rest) = rest.strip_prefix(b" ")?.split_at_checked(3)?;
    let (year, time) = rest.strip_prefix(b" ")?.split_at_checked(4)?;
    let month = MONTHS.iter().position(|name| *name == month)?.checked_add(1)?;
    let text = |bytes| std::str::from_utf8(bytes).ok();
    let (year, day, time) = (text(year)?, text(day)?, text(time.strip_prefix(b" ")?)?);
    let timestamp = rfc3339(format!("{year}-{month:02}-{day}T{time}Z").as_bytes())?;
    // Another weekday is another date.
    (&[*w1, *w2, *w3] == weekday_of(timestamp)).then_some(timestamp)
}

fn weekday_of(timestamp: Timestamp) -> &'static [u8; 3] {
    let day = timestamp.unix_seconds().div_euclid(86_400).rem_euclid(7);
    usize::try_from(day).ok().and_then(|day| WEEKDAYS.get(day)).copied().unwrap_or(b"Thu")
}

fn to_imf_fixdate(timestamp: Timestamp) -> String {
    let seconds = timestamp.unix_seconds();
    let (year, month, day) = civil_from_days(seconds.div_euclid(86_400));
    let month = usize::try_from(month).ok().and_then(|month| MONTHS.get(month.saturating_sub(1)));
    let name = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
    let (weekday, month) = (name(weekday_of(timestamp)), name(month.map_or(b"Jan", |month| *month)));
    let of_day = seconds.rem_euclid(86_400);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(format: TimestampFormat, text: &str, expected: Option<Timestamp>) {
        assert_eq!(format.parse(text.as_bytes()), expected, "{text}");
    }

    #[test]
    fn unix_seconds_are_read_strictly() {
        for (text, seconds) in [
            ("0", 0),
            ("1705689600", 1_705_689_600),
            ("-1", -1),
            ("007", 7),
            ("9223372036854775807", i64::MAX),
            ("-9223372036854775808", i64::MIN),
        ] {
            check(TimestampFormat::UnixSeconds, text, Some(Timestamp::from_unix_seconds(seconds)));
        }
        for text in [
            "",
            "-",
            "+1",
            " 1",
            "1 ",
            "1.0",
            "1e3",
            "0x1",
            "--1",
            "９",
            "9223372036854775808",
            "1705689600\0",
            "000000000000000000001",
        ] {
            check(TimestampFormat::UnixSeconds, text, None);
            check(TimestampFormat::UnixMillis, text, None);
        }
    }

    #[test]
    fn milliseconds_are_read_strictly() {
        for (text, seconds, millis) in
            [("1705314600123", 1_705_314_600, 123), ("0", 0, 0), ("-1", -1, 999), ("-1000", -1, 0)]
        {
            check(TimestampFormat::UnixMillis, text, Timestamp::from_unix(seconds, millis * 1_000_000));
        }
        for text in ["-9223372036854775808", "9223372036854775807"] {
            let extreme = TimestampFormat::UnixMillis.parse(text.as_bytes()).unwrap();
            assert_eq!(TimestampFormat::UnixMillis.format(extreme), text);
        }
    }

    #[test]
    fn rfc_3339_is_read_strictly() {
        let at = |nanos| Timestamp::from_unix(1_705_314_600, nanos);
        for (text, expected) in [
            ("2024-01-15T10:30:00Z", at(0)),
            ("2024-01-15T10:30:00.5Z", at(500_000_000)),
            ("2024-01-15T10:30:00.634234626Z", at(634_234_626)),
            ("2024-01-15T11:30:00+01:00", at(0)),
            ("2024-01-15T05:00:00.0-05:30", at(0)),
            // The examples of RFC 3339, section 5.8.
            ("1985-04-12T23:20:50.52Z", Timestamp::from_unix(482_196_050, 520_000_000)),
            ("1996-12-19T16:39:57-08:00", Timestamp::from_unix(851_042_397, 0)),
        ] {
            check(TimestampFormat::Rfc3339, text, expected);
        }
        for text in [
            "",
            "Z",
            "2024-01-15",
            "2024-01-15T10:30:00",
            "2024-01-15T10:30Z",
            "2024-01-15 10:30:00Z",
            "2024-01-15t10:30:00Z",
            "2024-01-15T10:30:00z",
            "2024-01-15T10:30:00,5Z",
            "2024-01-15T10:30:00.Z",
            "2024-01-15T10:30:00+0100",
            "2024-01-15T10:30:00+01",
            "2024-02-30T10:30:00Z",
            "2024-01-15T24:00:00Z",
            "12024-01-15T10:30:00Z",
            "24-01-15T10:30:00Z",
            " 2024-01-15T10:30:00Z",
            "2024-01-15T10:30:00ZZ",
            "1705314600",
        ] {
            check(TimestampFormat::Rfc3339, text, None);
        }
    }

    #[test]
    fn the_date_of_http_is_read_strictly() {
        // RFC 9110, section 5.6.7.
        let then = Timestamp::from_unix_seconds(784_111_777);
        check(TimestampFormat::ImfFixdate, "Sun, 06 Nov 1994 08:49:37 GMT", Some(then));
        for text in [
            "",
            "Mon, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "sun, 06 Nov 1994 08:49:37 GMT",
            "Sun, 06 nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 06 Nov 1994 08:49:37.0 GMT",
            "Sun, 06 Nov 1994 08:49:37 GMT ",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 31 Feb 1994 08:49:37 GMT",
            "1994-11-06T08:49:37Z",
        ] {
            check(TimestampFormat::ImfFixdate, text, None);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(millis in -62_135_596_800_000_i64..253_402_000_000_000) {
            let then = from_millis(millis).unwrap();
            let whole = Timestamp::from_unix_seconds(then.unix_seconds());
            for (format, expected) in [
                (TimestampFormat::UnixSeconds, whole),
                (TimestampFormat::UnixMillis, then),
                (TimestampFormat::Rfc3339, then),
                (TimestampFormat::ImfFixdate, whole),
            ] {
                let text = format.format(then);
                prop_assert_eq!(format.parse(text.as_bytes()), Some(expected), "{}", text);
            }
        }

        #[test]
        fn the_date_of_http_agrees_with_jiff(seconds in 0_i64..253_402_000_000) {
            let theirs = jiff::Timestamp::from_second(seconds).unwrap().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
            prop_assert_eq!(TimestampFormat::ImfFixdate.format(Timestamp::from_unix_seconds(seconds)), theirs);
        }
    }
}
