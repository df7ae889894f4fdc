//! `Json` and `Extra`: JSON kept as it stands in the text.

use std::{fmt, iter};

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::error::EventError;

/// One JSON value, kept as text: numbers keep every digit.
///
/// Its `Debug` prints payload data; no log line, error or answer of this crate holds it.
#[derive(Clone)]
pub struct Json(Box<RawValue>);

impl Json {
    /// The text.
    pub fn get(&self) -> &str {
        self.0.get()
    }

    /// Reads the value as a type of your own.
    ///
    /// # Errors
    /// [`EventError::Misfit`] with the path of what does not fit.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, EventError> {
        super::parse("", "", self.get().as_bytes())
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.get())
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(Self)
    }
}

/// The fields of a payload that its type has no name for.
///
/// They are many at some providers, and most handlers look at none: so they are kept as they came, their names in one text.
///
/// Its `Debug` prints payload data; no log line, error or answer of this crate holds it.
#[derive(Clone, Default)]
pub struct Extra {
    names: String,
    /// Each with the end of its name.
    fields: Vec<(usize, Json)>,
}

impl Extra {
    /// The value of a field; of a repeated one the last.
    pub fn get(&self, name: &str) -> Option<&Json> {
        self.as_they_came().filter(|(other, _)| *other == name).last().map(|(_, value)| value)
    }

    /// Every field, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Json)> {
        let mut fields: Vec<_> = self.as_they_came().collect();
        // The sort is stable: of a repeated field the last comes last.
        fields.sort_by_key(|(name, _)| *name);
        let mut fields = fields.into_iter().peekable();
        iter::from_fn(move || {
            let (name, mut value) = fields.next()?;
            while let Some((_, later)) = fields.next_if(|(other, _)| *other == name) {
                value = later;
            }
            Some((name, value))
        })
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    pub(crate) fn insert(&mut self, name: &str, value: Json) {
        self.names.push_str(name);
        self.fields.push((self.names.len(), value));
    }

    fn as_they_came(&self) -> impl Iterator<Item = (&str, &Json)> {
        let mut start = 0;
        self.fields.iter().map(move |(end, value)| {
            let name = self.names.get(start..*end).unwrap_or_default();
            start = *end;
            (name, value)
        })
    }
}

impl PartialEq for Extra {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl fmt::Debug for Extra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extra(fields: &[(&str, &str)]) -> Extra {
        let mut extra = Extra::default();
        for (name, value) in fields {
            extra.insert(name, serde_json::from_str(value).unwrap());
        }
        extra
    }

    #[test]
    fn fields_are_found_by_name_and_told_in_the_order_of_their_names() {
        let extra = extra(&[("b", "1"), ("", "2"), ("ab", "3"), ("a", "4")]);
        let told: Vec<_> = extra.iter().map(|(name, value)| (name, value.get())).collect();
        assert_eq!(told, [("", "2"), ("a", "4"), ("ab", "3"), ("b", "1")]);
        for (name, value) in
            [("b", Some("1")), ("", Some("2")), ("ab", Some("3")), ("a", Some("4")), ("ba", None)]
        {
            assert_eq!(extra.get(name).map(Json::get), value, "{name}");
        }
        assert_eq!(format!("{extra:?}"), r#"{"": 2, "a": 4, "ab": 3, "b": 1}"#);
    }

    #[test]
    fn of_a_repeated_field_the_last_counts() {
        let repeated = extra(&[("a", "1"), ("b", "2"), ("a", "3")]);
        assert_eq!(repeated.get("a").map(Json::get), Some("3"));
        assert_eq!(repeated, extra(&[("b", "2"), ("a", "3")]));
        assert_ne!(repeated, extra(&[("b", "2"), ("a", "1")]));
        assert!(Extra::default().is_empty() && !repeated.is_empty());
    }
}
