//! `Integer` and `Text`: for providers that send numbers as strings, or strings as numbers.

use std::{fmt, ops::Deref};

use serde::{Deserialize, Deserializer, de};

/// A 64-bit integer that may be sent as a number or as a string of digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Integer(i64);

impl Integer {
    /// The integer.
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl From<i64> for Integer {
    fn from(integer: i64) -> Self {
        Self(integer)
    }
}

impl From<Integer> for i64 {
    fn from(integer: Integer) -> Self {
        integer.0
    }
}

impl PartialEq<i64> for Integer {
    fn eq(&self, other: &i64) -> bool {
        self.0 == *other
    }
}

impl fmt::Display for Integer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for Integer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberOrDigits;

        impl de::Visitor<'_> for NumberOrDigits {
            type Value = Integer;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a 64-bit integer, as a number or a string")
            }

            fn visit_i64<E: de::Error>(self, integer: i64) -> Result<Integer, E> {
                Ok(Integer(integer))
            }

            fn visit_u64<E: de::Error>(self, integer: u64) -> Result<Integer, E> {
                integer
                    .try_into()
                    .map(Integer)
                    .map_err(|_| E::invalid_value(de::Unexpected::Unsigned(integer), &self))
            }

            fn visit_str<E: de::Error>(self, digits: &str) -> Result<Integer, E> {
                let signed = if digits.starts_with('+') { "" } else { digits };
                signed.parse().map(Integer).map_err(|_| E::invalid_value(de::Unexpected::Str(digits), &self))
            }
        }

        deserializer.deserialize_any(NumberOrDigits)
    }
}

/// Text that may be sent as a string or as a number, whose digits it then holds.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(String);

impl Text {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.0
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<serde_json::value::RawValue>::deserialize(deserializer)?;
        let expected =
            || de::Error::invalid_value(de::Unexpected::Other("another value"), &"a string or a number");
        match raw.get().bytes().next() {
            Some(b'"') if raw.get().contains('\\') => {
                serde_json::from_str(raw.get()).map(Self).map_err(|_| expected())
            }
            // Between its quotes it stands as it is.
            Some(b'"') => {
                let mut text = String::from(Box::<str>::from(raw));
                text.pop();
                text.remove(0);
                Ok(Self(text))
            }
            Some(b'-' | b'0'..=b'9') => Ok(Self(Box::<str>::from(raw).into())),
            _ => Err(expected()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_come_as_numbers_or_digits() {
        let parse = serde_json::from_str::<Integer>;
        for (json, integer) in [
            ("1", 1),
            ("\"30\"", 30),
            ("-9223372036854775808", i64::MIN),
            ("\"9223372036854775807\"", i64::MAX),
        ] {
            assert_eq!(parse(json).unwrap(), integer, "{json}");
        }
        for json in [
            "1.5",
            "\"\"",
            "\"a\"",
            "\"+5\"",
            "9223372036854775808",
            "\"9223372036854775808\"",
            "true",
            "null",
            "[]",
        ] {
            assert!(parse(json).is_err(), "{json}");
        }
    }

    #[test]
    fn text_comes_as_strings_or_numbers() {
        for (json, text) in [("\"a\\u00e9\"", "aé"), ("12345678901234567890.10", "12345678901234567890.10")]
        {
            assert_eq!(serde_json::from_str::<Text>(json).unwrap(), text);
        }
        assert!(serde_json::from_str::<Text>("true").is_err());
    }
}
