//! From JSON to a type, with the path of the misfit when it does not fit.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer as _,
    de::{self, DeserializeOwned, IgnoredAny, MapAccess, Visitor},
};
use serde_json::{error::Category, value::RawValue};

use super::{misfit::Misfit, model::Name};
use crate::error::EventError;

/// Where a payload stands, to be read as the type that its kind asks for.
pub(crate) trait Place {
    fn read<T: DeserializeOwned + 'static>(&self, kind: &str) -> Result<T, EventError>;
}

/// The whole of a body.
pub(crate) struct Whole<'b>(pub(crate) &'b [u8]);

impl Place for Whole<'_> {
    fn read<T: DeserializeOwned + 'static>(&self, kind: &str) -> Result<T, EventError> {
        parse(kind, "", self.0)
    }
}

/// Parses a payload. `at` is the path of the payload within the body, empty for the whole.
///
/// Parses once when it fits, and a second time to find the path when it does not.
pub(crate) fn parse<'j, T: Deserialize<'j>>(kind: &str, at: &str, json: &'j [u8]) -> Result<T, EventError> {
    // Looked at once as a whole, text need not be looked at string by string.
    let parsed = match std::str::from_utf8(json) {
        Ok(text) => serde_json::from_str(text),
        Err(_) => serde_json::from_slice(json),
    };
    parsed.map_err(|error| match error.classify() {
        Category::Data => misfit::<T>(kind, at, json),
        _ => EventError::NotJson { reason: error.to_string() },
    })
}

/// Parses a value that was kept as text until its type was known. The misfit's path goes to the [`parse`] around it.
///
/// `at` is the path of the value within the text that was kept, empty for the whole.
pub(crate) fn nested<'j, T: Deserialize<'j>, E: de::Error>(at: &str, json: &'j [u8]) -> Result<T, E> {
    parse("", at, json).map_err(|error| match error {
        EventError::Misfit { path, reason, .. } if path == WHOLE => {
            Misfit { path: String::new(), reason }.into_error()
        }
        EventError::Misfit { path, reason, .. } => Misfit { path, reason }.into_error(),
        other => E::custom(other),
    })
}

/// The field of this name, of the object that is the whole of this text; in one pass over it. `None` where the text is no
/// such object, or the field does not fit.
pub(crate) fn field<'j, T: Deserialize<'j>>(name: &str, json: &'j [u8]) -> Option<T> {
    struct Named<'n, T>(&'n str, PhantomData<T>);

    impl<'j, T: Deserialize<'j>> Visitor<'j> for Named<'_, T> {
        type Value = Option<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'j>>(self, mut map: A) -> Result<Option<T>, A::Error> {
            let mut field = None;
            while let Some(Name(name)) = map.next_key()? {
                match field {
                    None if name == self.0 => field = Some(map.next_value()?),
                    _ => drop(map.next_value::<IgnoredAny>()?),
                }
            }
            Ok(field)
        }
    }

    let mut deserializer = serde_json::Deserializer::from_str(std::str::from_utf8(json).ok()?);
    let field = deserializer.deserialize_map(Named(name, PhantomData)).ok()?;
    deserializer.end().ok().and(field)
}

/// The fields of these names as they stand in the text, of an object; in one pass over it. Of a repeated one the first.
pub(crate) fn fields<'j, const COUNT: usize>(
    names: [&str; COUNT],
    object: &'j RawValue,
) -> [Option<&'j RawValue>; COUNT] {
    struct Named<'n, const COUNT: usize>([&'n str; COUNT]);

    impl<'j, const COUNT: usize> Visitor<'j> for Named<'_, COUNT> {
        type Value = [Option<&'j RawValue>; COUNT];

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'j>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut fields = [None; COUNT];
            while let Some(Name(name)) = map.next_key()? {
                match self.0.iter().zip(&mut fields).find(|(named, _)| **named == name) {
                    Some((_, field @ None)) => *field = Some(map.next_value()?),
                    _ => drop(map.next_value::<IgnoredAny>()?),
                }
            }
            Ok(fields)
        }
    }

    object.deserialize_map(Named(names)).unwrap_or([None; COUNT])
}

fn misfit<'j, T: Deserialize<'j>>(kind: &str, at: &str, json: &'j [u8]) -> EventError {
    let Misfit { path, reason } = Misfit::find::<T>(json)
        .unwrap_or_else(|| Misfit { path: String::new(), reason: "trailing characters".to_owned() });
    let path = Some(join(at, &path)).filter(|path| !path.is_empty()).unwrap_or_else(|| WHOLE.to_owned());
    EventError::Misfit { kind: kind.to_owned(), path, reason }
}

/// The path of the whole.
const WHOLE: &str = ".";

/// One path behind another; the empty path is the whole.
fn join(outer: &str, inner: &str) -> String {
    match (outer, inner) {
        ("", _) => inner.to_owned(),
        (_, "") => outer.to_owned(),
        _ => format!("{outer}.{inner}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_a_nested_misfit_is_told_as_a_whole() {
        struct Kept;

        impl<'de> Deserialize<'de> for Kept {
            fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let raw = Box::<serde_json::value::RawValue>::deserialize(deserializer)?;
                nested::<Vec<u8>, _>("inner", raw.get().as_bytes()).map(|_| Self)
            }
        }

        let error = parse::<Vec<Kept>>("k", "outer", b"[[1],[2,\"s3cret\"]]").err().unwrap().to_string();
        assert_eq!(
            error,
            "the payload of a k event does not fit its type at outer.[1].inner.[1]: expected u8"
        );
    }

    #[test]
    fn the_reason_never_tells_the_value() {
        for json in [r#""s3cret@example.com""#, r#"{"s3cret":1}"#, "[\"s3cret\"]", r#"", expected s3cret""#] {
            let error = parse::<u64>("k", "", json.as_bytes()).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("s3cret"), "{error}");
        }
        #[derive(Debug, Deserialize)]
        enum Known {
            A,
        }
        let error = parse::<Known>("k", "", br#""s3cret""#).unwrap_err();
        assert!(error.to_string().ends_with("expected `A`"), "{error}");
        assert!(matches!(parse::<u64>("k", "", b"1 2"), Err(EventError::NotJson { .. })));
    }
}
