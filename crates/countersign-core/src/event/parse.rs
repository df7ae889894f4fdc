//! From JSON to a type, with the path of the misfit when it does not fit.

use serde::Deserialize;
use serde_json::error::Category;

use crate::error::EventError;

/// Parses a payload. `at` is the path of the payload within the body, empty for the whole.
///
/// Parses once when it fits, and a second time to find the path when it does not.
pub(crate) fn parse<'j, T: Deserialize<'j>>(kind: &str, at: &str, json: &'j [u8]) -> Result<T, EventError> {
    serde_json::from_slice(json).map_err(|error| match error.classify() {
        Category::Data => misfit::<T>(kind, at, json),
        _ => EventError::NotJson { reason: error.to_string() },
    })
}

fn misfit<'j, T: Deserialize<'j>>(kind: &str, at: &str, json: &'j [u8]) -> EventError {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let (path, reason) = match serde_path_to_error::deserialize::<_, T>(&mut deserializer) {
        Ok(_) => (".".to_owned(), "trailing characters".to_owned()),
        Err(error) => (error.path().to_string(), reason(&error.inner().to_string())),
    };
    let path = match (at, path.as_str()) {
        ("", _) => path,
        (_, ".") => at.to_owned(),
        _ => format!("{at}.{path}"),
    };
    EventError::Misfit { kind: kind.to_owned(), path, reason }
}

/// What serde says, without the value it says it of: `invalid type: string "..", expected u64` is `expected u64`.
fn reason(message: &str) -> String {
    let message = message.rsplit_once(" at line ").map_or(message, |(message, _)| message);
    match (message.starts_with("invalid"), message.rsplit_once(", expected ")) {
        (true, Some((_, expected))) => format!("expected {expected}"),
        (true, None) => "invalid value".to_owned(),
        (false, _) => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_never_tells_the_value() {
        for json in [r#""s3cret@example.com""#, r#"{"s3cret":1}"#, "[\"s3cret\"]", r#"", expected s3cret""#] {
            let error = parse::<u64>("k", "", json.as_bytes()).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("s3cret"), "{error}");
        }
        assert!(matches!(parse::<u64>("k", "", b"1 2"), Err(EventError::NotJson { .. })));
    }
}
