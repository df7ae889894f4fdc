//! `Flag`: for providers that send a yes or no as a boolean, a number or a string.

use std::fmt;

use serde::{Deserialize, Deserializer, de};

/// A yes or no that may be sent as `true` or `false`, as 1 or 0, or as any of these in a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Flag(bool);

impl Flag {
    /// Whether it is yes.
    pub const fn get(self) -> bool {
        self.0
    }
}

impl From<bool> for Flag {
    fn from(yes: bool) -> Self {
        Self(yes)
    }
}

impl From<Flag> for bool {
    fn from(flag: Flag) -> Self {
        flag.0
    }
}

impl PartialEq<bool> for Flag {
    fn eq(&self, other: &bool) -> bool {
        self.0 == *other
    }
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct YesOrNo;

        impl de::Visitor<'_> for YesOrNo {
            type Value = Flag;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a boolean, 0 or 1")
            }

            fn visit_bool<E: de::Error>(self, yes: bool) -> Result<Flag, E> {
                Ok(Flag(yes))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Flag, E> {
                match number {
                    0 => Ok(Flag(false)),
                    1 => Ok(Flag(true)),
                    _ => Err(E::invalid_value(de::Unexpected::Unsigned(number), &self)),
                }
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Flag, E> {
                match text {
                    "false" | "0" => Ok(Flag(false)),
                    "true" | "1" => Ok(Flag(true)),
                    _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
                }
            }
        }

        deserializer.deserialize_any(YesOrNo)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_come_as_booleans_numbers_or_strings() {
        let parse = serde_json::from_str::<Flag>;
        for yes in ["true", "1", "\"true\"", "\"1\""] {
            assert_eq!(parse(yes).unwrap(), true, "{yes}");
        }
        for no in ["false", "0", "\"false\"", "\"0\""] {
            assert_eq!(parse(no).unwrap(), false, "{no}");
        }
        for json in ["2", "-1", "1.0", "\"\"", "\"yes\"", "null", "[]"] {
            assert!(parse(json).is_err(), "{json}");
        }
    }
}
