//! What must hold for header text: signatures and timestamps.

use std::time::{Duration, SystemTime};

use super::{book, request::split};
use crate::{
    error::VerifyError,
    event::DateTime,
    provider::Provider,
    scheme::{Encoding, Grammar, Scheme, Signatures},
    time::{Timestamp, TimestampFormat, Tolerance},
};

pub(super) fn signature_header<P: Provider>(data: &[u8]) {
    P::SCHEMES.iter().for_each(|scheme| header(scheme, data));
}

/// What is read is what is there, nothing is read twice, and what is written is read back.
fn header(scheme: &Scheme, value: &[u8]) {
    let Scheme { grammar, encoding, .. } = scheme;
    if scheme.algorithm().shows_secret() {
        return;
    }
    let longer = |more: &[u8]| [value, more].concat();
    let Ok(presented) = read(scheme, value) else { return };
    assert!(grammar.recognises(value), "read and not recognised");
    let signatures: Vec<_> = presented.signatures.iter().map(|bytes| book::sent(scheme, bytes)).collect();
    assert!((1..=16).contains(&signatures.len()), "{} signatures", signatures.len());
    let timestamp = presented.timestamp.map(|text| String::from_utf8_lossy(text).into_owned());
    let [signature, ..] = &*signatures else { return };
    let written = grammar.write(timestamp.as_deref(), signature);
    if let Some((separator, others)) = passed_over(grammar) {
        assert_eq!(presented.timestamp.is_some(), holds_timestamp(grammar));
        assert!(signatures.iter().all(|signature| holds(value, signature, *encoding)));
        if value.iter().filter(|byte| char::from(**byte) == separator).count() < 31 {
            for other in others {
                let longer = longer(format!("{separator}{other}").as_bytes());
                let again = read(scheme, &longer).expect("an unknown entry is passed over");
                assert_eq!(again.signatures, presented.signatures);
                assert_eq!(again.timestamp, presented.timestamp);
            }
        }
    } else {
        assert!(same(value, written.as_bytes(), *encoding), "{written} was read from something else");
        for more in [&b"0"[..], b"=", b" ", b"\n", b"\0", b","] {
            assert!(read(scheme, &longer(more)).is_err(), "a longer signature was read");
        }
        for len in 0..value.len() {
            let shorter = value.get(..len).unwrap_or_default();
            assert!(read(scheme, shorter).is_err(), "a shorter signature was read");
        }
    }
    // A timestamp that is not UTF-8 is none of any format.
    if presented.timestamp.is_none_or(|text| std::str::from_utf8(text).is_ok()) {
        let again = read(scheme, written.as_bytes()).expect("what is written can be read");
        assert_eq!(again.signatures.first(), presented.signatures.first());
        assert_eq!(again.timestamp, presented.timestamp);
    }
}

/// What parts the entries of a list, and entries that mean nothing in it.
fn passed_over(grammar: &Grammar) -> Option<(char, &'static [&'static str])> {
    match grammar {
        Grammar::List { separator, .. } => Some((*separator, &["unknown=1", "", "=", "v"])),
        Grammar::Versioned(_) => Some((' ', &["unknown,1", "", ",", "v"])),
        Grammar::Positional => Some((',', &["unknown", "", "=", "v"])),
        Grammar::Bare | Grammar::Prefix(_) => None,
    }
}

fn holds_timestamp(grammar: &Grammar) -> bool {
    match grammar {
        Grammar::List { timestamp, .. } => timestamp.is_some(),
        grammar => *grammar == Grammar::Positional,
    }
}

struct Presented<'h> {
    timestamp: Option<&'h [u8]>,
    signatures: Vec<Vec<u8>>,
}

fn read<'h>(scheme: &Scheme, value: &'h [u8]) -> Result<Presented<'h>, &'static str> {
    let mut signatures = Signatures::default();
    let timestamp = scheme.grammar.parse(value, scheme.algorithm, scheme.encoding, &mut signatures)?;
    Ok(Presented { timestamp, signatures: signatures.iter().map(<[u8]>::to_vec).collect() })
}

fn same(one: &[u8], other: &[u8], encoding: Encoding) -> bool {
    if encoding == Encoding::Hex { one.eq_ignore_ascii_case(other) } else { one == other }
}

fn holds(value: &[u8], signature: &str, encoding: Encoding) -> bool {
    value.windows(signature.len()).any(|part| same(part, signature.as_bytes(), encoding))
}

/// In each format, what is read is written so that it reads the same, and is read without anything around it.
pub(super) fn timestamp(data: &[u8]) {
    let (text, _) = split(data, b'\n').unwrap_or_default();
    let formats = [
        TimestampFormat::UnixSeconds,
        TimestampFormat::UnixMillis,
        TimestampFormat::Rfc3339,
        TimestampFormat::ImfFixdate,
    ];
    for format in formats {
        let Some(read) = format.parse(text) else { continue };
        // An offset can lead out of the years that have four digits.
        if format.is_number() || (-62_167_219_200..253_402_300_800).contains(&read.unix_seconds()) {
            assert_eq!(format.parse(format.format(read).as_bytes()), Some(read), "{format:?}");
        }
        for junk in [" ", "\0", "-", "x", "."] {
            assert_eq!(format.parse(&[junk.as_bytes(), text].concat()).filter(|_| junk != "-"), None);
            assert_eq!(format.parse(&[text, junk.as_bytes()].concat()), None);
        }
    }
}

/// Arithmetic on timestamps agrees with the same in 128 bits, at both ends of 64.
pub(super) fn time(data: &[u8]) {
    let mut lines =
        data.split(|byte| *byte == b'\n').map(|line| std::str::from_utf8(line).unwrap_or_default());
    let mut number = || lines.next().unwrap_or_default().parse::<i64>().unwrap_or_default();
    let (one, other, by) = (number(), number(), number());
    let (then, now, seconds) =
        (Timestamp::from_unix_seconds(one), Timestamp::from_unix_seconds(other), by.unsigned_abs());
    tolerance(then, now, seconds);
    tolerance(now, then, seconds);

    let duration = Duration::from_secs(seconds);
    let (earliest, latest) = (i128::from(i64::MIN), i128::from(i64::MAX));
    let sum = i128::from(one).saturating_add(seconds.into()).clamp(earliest, latest);
    let difference = i128::from(one).saturating_sub(seconds.into()).clamp(earliest, latest);
    assert_eq!(i128::from(then.saturating_add(duration).unix_seconds()), sum);
    assert_eq!(i128::from(then.saturating_sub(duration).unix_seconds()), difference);
    let after = i128::from(one).saturating_sub(other.into()).max(0);
    assert_eq!(i128::from(then.since(now).as_secs()), after);

    let shown = then.to_string();
    if (-62_167_219_200..253_402_300_800).contains(&one) {
        assert_eq!(shown.parse::<DateTime>().ok().and_then(DateTime::timestamp), Some(then), "{shown}");
    }
    // Windows holds fewer times than a timestamp does.
    if cfg!(unix) || (0..253_402_300_800).contains(&one) {
        assert_eq!(Timestamp::from(SystemTime::from(then)), then, "{shown}");
    }
}

fn tolerance(then: Timestamp, now: Timestamp, seconds: u64) {
    let apart = i128::from(now.unix_seconds()).saturating_sub(then.unix_seconds().into());
    let expected = match apart.unsigned_abs() <= seconds.into() {
        true => Ok(()),
        false if apart > 0 => Err(i128::from(seconds)),
        false => Err(i128::from(seconds).saturating_neg()),
    };
    let verdict = Tolerance::from_secs(seconds).check(then, now);
    match (&verdict, expected) {
        (Ok(()), Ok(())) => {}
        (Err(VerifyError::Stale { age_seconds: distance, .. }), Err(_)) if apart > 0 => {
            assert_eq!(u128::from(*distance), apart.unsigned_abs());
        }
        (Err(VerifyError::Future { ahead_seconds: distance, .. }), Err(_)) if apart < 0 => {
            assert_eq!(u128::from(*distance), apart.unsigned_abs());
        }
        _ => panic!("{apart} s apart with a tolerance of {seconds} s: {verdict:?}"),
    }
}
