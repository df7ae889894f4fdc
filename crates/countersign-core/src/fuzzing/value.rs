//! What must hold for the values of a payload: dates, decimals, JSON, and the parts of a dedupe key.

use std::{
    cmp::Ordering,
    collections::hash_map::DefaultHasher,
    fmt,
    hash::{Hash, Hasher},
};

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::{Dice, request::split};
use crate::{
    dedupe::Key,
    event::{DateTime, Decimal, Json},
    json,
};

/// The most digits that a decimal and its decimals can have together.
const DIGITS: usize = 128;

pub(super) fn date_time(data: &[u8]) {
    if let Ok(moment) = serde_json::from_slice::<DateTime>(data) {
        let _ = (moment.to_string(), moment.timestamp_as_utc().to_string());
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(moment) = text.parse::<DateTime>() else { return };
    let shown = moment.to_string();
    assert_eq!(shown.parse(), Ok(moment), "{text:?} became {shown:?}");
    assert_eq!(moment.timestamp().is_some(), moment.offset_seconds().is_some());
    assert!(moment.has_time() || moment.offset_seconds().is_none());
    let offset = i64::from(moment.offset_seconds().unwrap_or_default());
    assert!(offset.abs() < 86_400);
    let reading = match text.get(..10).map(str::parse::<DateTime>) {
        Some(Ok(day)) => day.timestamp_as_utc().unix_seconds(),
        _ => panic!("{text:?} does not begin with a day"),
    };
    let of_day = moment.timestamp_as_utc().unix_seconds().saturating_add(offset).saturating_sub(reading);
    assert!((0..86_400).contains(&of_day), "{text:?} is not within its day");
    let quoted = format!("\"{text}\"");
    assert_eq!(serde_json::from_str::<DateTime>(&quoted).ok(), Some(moment));
}

pub(super) fn decimal(data: &[u8]) {
    let (one, other) = split(data, b'\n').unwrap_or_default();
    let read = |text| std::str::from_utf8(text).ok()?.parse::<Decimal>().ok();
    if let Ok(text) = std::str::from_utf8(one) {
        for json in [text.to_owned(), format!("\"{text}\"")] {
            if let Ok(decimal) = serde_json::from_str::<Decimal>(&json) {
                let bare = json.trim_matches(['"', ' ', '\t', '\n', '\r']);
                assert_eq!(bare.parse(), Ok(decimal), "{json} is not the number that it shows");
            }
        }
    }
    let Some(one) = read(one) else { return };
    let shown = one.to_string();
    let again: Decimal = shown.parse().expect("what is shown can be read");
    assert_eq!((again.mantissa(), again.scale()), (one.mantissa(), one.scale()), "{shown}");
    assert_eq!(serde_json::from_str::<Decimal>(&shown).ok(), Some(one), "{shown} is no JSON number");
    assert_eq!(one.minor_units(one.scale()), Some(one.mantissa()));
    assert!(one.scale() <= 38, "{shown}");
    let Some(other) = read(other) else { return };
    assert_eq!(one.cmp(&other), by_digits(one, other), "{one} and {other}");
    assert_eq!(other.cmp(&one), one.cmp(&other).reverse());
    assert!(one != other || hash(one) == hash(other), "{one} and {other} are equal and hash apart");
}

/// The order of two decimals by their digits, as on paper.
fn by_digits(one: Decimal, other: Decimal) -> Ordering {
    let digits = |decimal: Decimal| {
        let size = Decimal::new(i128::try_from(decimal.mantissa().unsigned_abs()).unwrap_or(i128::MAX), 0);
        let text = size.map(|size| size.to_string()).unwrap_or_default();
        let zeros = 64_usize.saturating_sub(usize::try_from(decimal.scale()).unwrap_or_default());
        format!("{:0>DIGITS$}", text + &"0".repeat(zeros))
    };
    match (one.mantissa() < 0, other.mantissa() < 0) {
        (false, false) => digits(one).cmp(&digits(other)),
        (true, true) => digits(other).cmp(&digits(one)),
        (false, true) => Ordering::Greater,
        (true, false) => Ordering::Less,
    }
}

fn hash(decimal: Decimal) -> u64 {
    let mut hasher = DefaultHasher::new();
    decimal.hash(&mut hasher);
    hasher.finish()
}

/// Our look at JSON agrees with serde_json's reading of it.
pub(super) fn json(data: &[u8]) {
    let theirs = match std::str::from_utf8(data) {
        Ok(text) => serde_json::from_str::<IgnoredAny>(text).map(drop).map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    match (json::is_text(data), &theirs) {
        (true, Ok(())) | (false, Err(_)) => {}
        // The size of a number is nothing that we look at.
        (true, Err(error)) => assert!(error.contains("number out of range"), "{error}"),
        // serde_json passes over any depth of what it ignores.
        (false, Ok(())) => assert!(nesting(data) > 128, "JSON that is called none"),
    }
    let first = data.iter().find(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
    assert_eq!(json::starts_structure(data), matches!(first, Some(b'{' | b'[')));
    let _ = (json::member(data, "event"), json::field(data, "a.b.0"), json::sole_field(data));
    if let Ok(text) = serde_json::from_slice::<String>(data.trim_ascii()) {
        assert_eq!(json::string(data.trim_ascii()).as_deref(), Some(&*text).filter(|text| !text.is_empty()));
    }
    match serde_json::from_slice::<Fields>(data) {
        Ok(Fields(fields)) if json::is_text(data) => first_of_each(data, &fields),
        _ => {}
    }
}

/// An object's fields are found, the first where a name is repeated.
fn first_of_each(object: &[u8], fields: &[(String, Json)]) {
    for (name, _) in fields {
        let first = fields.iter().find(|(other, _)| other == name).map(|(_, value)| value.get().as_bytes());
        // A name that is written with an escape and empty is never one that is looked for.
        if !name.is_empty() {
            assert_eq!(json::member(object, name), first, "the field {name:?}");
        }
    }
    let sole = json::sole_field(object).map(|(name, value)| (name.into_owned(), value));
    let expected = match fields {
        [(name, value)] if !name.is_empty() => Some((name.clone(), value.get().as_bytes())),
        _ => None,
    };
    assert_eq!(sole, expected);
}

/// How deeply a JSON text is nested, strings aside.
fn nesting(text: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth = depth.saturating_add(1),
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// The fields of an object in their order, repeated ones as well.
struct Fields(Vec<(String, Json)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

/// Keys are equal when all they are made of is, and only then.
pub(super) fn dedupe_key(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut dice = Dice::new(data);
    let (one, other) = (cut(&text, &mut dice), cut(&text, &mut dice));
    let key = |parts: &[&str]| match parts {
        [provider, endpoint, parts @ ..] => Key::new(provider, endpoint, parts),
        _ => Key::new("", "", parts),
    };
    assert_eq!(key(&one) == key(&other), one == other, "{one:?} and {other:?}");
    assert_eq!(key(&one), key(&one));
    let mut longer = one.clone();
    longer.push("");
    assert_ne!(key(&one), key(&longer), "an empty part is no part");
    assert_eq!(key(&one).to_string().len(), 64);
}

/// The text in two to five pieces, some of them empty.
fn cut<'t>(mut text: &'t str, dice: &mut Dice) -> Vec<&'t str> {
    let mut pieces = Vec::new();
    for _ in 0..dice.below(4).saturating_add(1) {
        let at = dice.below(text.len().saturating_add(1));
        let at = (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
        let (piece, rest) = text.split_at(at);
        pieces.push(piece);
        text = rest;
    }
    pieces.push(text);
    pieces
}
