//! A look at JSON that neither builds nor allocates: is it one complete text, and where does a field stand.
//!
//! The events themselves are parsed by serde_json. This is for what must be known of a body without paying for that:
//! whether it is JSON at all (see [`crate::scheme::BodyRule`]), and the fields that hold the id and the kind.

use std::borrow::Cow;

/// How deeply arrays and objects may be nested; a bit of [`Open`] each.
const MAX_DEPTH: u8 = 128;

/// Whether these bytes are exactly one JSON text (RFC 8259) in valid UTF-8, with nothing but white space around it.
pub(crate) fn is_text(bytes: &[u8]) -> bool {
    let complete = || {
        let mut cursor = Cursor { rest: bytes };
        cursor.value()?;
        cursor.blank();
        cursor.rest.is_empty().then_some(())
    };
    std::str::from_utf8(bytes).is_ok() && complete().is_some()
}

/// Whether the first byte that is not white space opens an object or an array.
pub(crate) fn starts_structure(bytes: &[u8]) -> bool {
    let mut cursor = Cursor { rest: bytes };
    cursor.blank();
    matches!(cursor.rest.first(), Some(b'{' | b'['))
}

/// The value at the end of a path of object keys and array indexes, joined by dots, as it stands in the text.
///
/// `None` when a step of the path is missing, or when the text up to there is not JSON.
pub(crate) fn field<'j>(text: &'j [u8], path: &str) -> Option<&'j [u8]> {
    path.split('.').try_fold(text, |value, step| match items(value) {
        Some(mut items) => items.nth(index(step)?),
        None => member(value, step),
    })
}

/// The value of an object's key, as it stands in the text.
pub(crate) fn member<'j>(object: &'j [u8], name: &str) -> Option<&'j [u8]> {
    fields(object)?.find_map(|(key, value)| is_key(key, name).then_some(value))
}

/// Whether an object begins with this key and an object under it, whatever follows: seen without a look at that.
pub(crate) fn opens_with(object: &[u8], name: &str) -> bool {
    let mut cursor = Cursor { rest: object };
    let mut value = || {
        cursor.blank();
        cursor.eat(b'{')?;
        let key = cursor.name()?;
        Some((key, cursor.rest))
    };
    value().is_some_and(|(key, value)| is_key(key, name) && value.starts_with(b"{"))
}

fn index(step: &str) -> Option<usize> {
    let one_spelling = step == "0" || !step.starts_with(['0', '+']);
    step.parse().ok().filter(|_| one_spelling)
}

/// The one field of an object that has no other, as its key's text and its value.
pub(crate) fn sole_field(text: &[u8]) -> Option<(Cow<'_, str>, &[u8])> {
    let mut fields = fields(text)?;
    let (key, value) = fields.next()?;
    fields.next().is_none().then_some(())?;
    Some((string(key)?, value))
}

/// The text of a JSON string that is not empty.
pub(crate) fn string(value: &[u8]) -> Option<Cow<'_, str>> {
    let inner = value.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    match inner.contains(&b'\\') {
        true => serde_json::from_slice(value).ok().map(Cow::Owned),
        false => std::str::from_utf8(inner).ok().map(Cow::Borrowed),
    }
    .filter(|text: &Cow<'_, str>| !text.is_empty())
}

/// The text of a JSON string that is not empty, or of a number as it stands.
pub(crate) fn string_or_number(value: &[u8]) -> Option<Cow<'_, str>> {
    match value.first()? {
        b'-' | b'0'..=b'9' => std::str::from_utf8(value).ok().map(Cow::Borrowed),
        _ => string(value),
    }
}

/// Whether this key, with its quotes, has this name.
pub(crate) fn is_key(key: &[u8], name: &str) -> bool {
    match key.contains(&b'\\') {
        true => string(key).is_some_and(|text| text == name),
        false => key.get(1..key.len().saturating_sub(1)) == Some(name.as_bytes()),
    }
}

/// The fields of an object, as far as they are JSON: each key with its quotes, and its value.
pub(crate) fn fields(object: &[u8]) -> Option<impl Iterator<Item = (&[u8], &[u8])>> {
    let mut cursor = Cursor { rest: object };
    cursor.blank();
    cursor.eat(b'{')?;
    let mut more = true;
    Some(std::iter::from_fn(move || {
        if !more {
            return None;
        }
        let key = cursor.name()?;
        let value = cursor.taken(Cursor::value)?;
        cursor.blank();
        more = cursor.eat(b',').is_some();
        Some((key, value))
    }))
}

/// The items of an array, as far as they are JSON.
pub(crate) fn items(array: &[u8]) -> Option<impl Iterator<Item = &[u8]>> {
    let mut cursor = Cursor { rest: array };
    cursor.blank();
    cursor.eat(b'[')?;
    let mut more = true;
    Some(std::iter::from_fn(move || {
        if !more {
            return None;
        }
        cursor.blank();
        let item = cursor.taken(Cursor::value)?;
        cursor.blank();
        more = cursor.eat(b',').is_some();
        Some(item)
    }))
}

/// The arrays and objects that are open, innermost lowest: a set bit is an object.
#[derive(Default)]
struct Open {
    kinds: u128,
    depth: u8,
}

impl Open {
    fn push(&mut self, object: bool) -> Option<()> {
        self.depth = self.depth.checked_add(1).filter(|depth| *depth <= MAX_DEPTH)?;
        self.kinds = self.kinds << 1 | u128::from(object);
        Some(())
    }

    fn pop(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        self.kinds >>= 1;
    }

    fn innermost_is_object(&self) -> Option<bool> {
        (self.depth > 0).then_some(self.kinds & 1 == 1)
    }
}

/// What is left of a text. Every step answers `None` where the text is not JSON.
struct Cursor<'j> {
    rest: &'j [u8],
}

impl<'j> Cursor<'j> {
    fn taken(&mut self, step: impl FnOnce(&mut Self) -> Option<()>) -> Option<&'j [u8]> {
        let before = self.rest;
        step(self)?;
        before.get(..before.len().saturating_sub(self.rest.len()))
    }

    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn eat(&mut self, byte: u8) -> Option<()> {
        self.rest = self.rest.strip_prefix(&[byte])?;
        Some(())
    }

    fn skip_while(&mut self, accepted: impl Fn(u8) -> bool) -> usize {
        let count = self.rest.iter().position(|b| !accepted(*b)).unwrap_or(self.rest.len());
        self.rest = self.rest.get(count..).unwrap_or_default();
        count
    }

    fn blank(&mut self) {
        self.skip_while(|b| matches!(b, b' ' | b'\t' | b'\n' | b'\r'));
    }

    /// One value with everything in it, white space before it included.
    fn value(&mut self) -> Option<()> {
        let mut open = Open::default();
        loop {
            self.blank();
            match self.next()? {
                b'{' => {
                    open.push(true)?;
                    self.blank();
                    match self.eat(b'}') {
                        Some(()) => open.pop(),
                        None => {
                            self.name()?;
                            continue;
                        }
                    }
                }
                b'[' => {
                    open.push(false)?;
                    self.blank();
                    match self.eat(b']') {
                        Some(()) => open.pop(),
                        None => continue,
                    }
                }
                b'"' => self.string()?,
                b't' => self.literal(b"rue")?,
                b'f' => self.literal(b"alse")?,
                b'n' => self.literal(b"ull")?,
                b'-' => {
                    let first = self.next()?;
                    self.number(first)?;
                }
                first => self.number(first)?,
            }
            // A value has ended: close what ends with it, until another one must follow.
            loop {
                let Some(in_object) = open.innermost_is_object() else { return Some(()) };
                self.blank();
                match (self.next()?, in_object) {
                    (b',', true) => {
                        self.name()?;
                        break;
                    }
                    (b',', false) => break,
                    (b'}', true) | (b']', false) => open.pop(),
                    _ => return None,
                }
            }
        }
    }

    /// The name of a field, with its quotes. Its value is next.
    fn name(&mut self) -> Option<&'j [u8]> {
        self.blank();
        let name = self.taken(|cursor| {
            cursor.eat(b'"')?;
            cursor.string()
        })?;
        self.blank();
        self.eat(b':')?;
        self.blank();
        Some(name)
    }

    /// The rest of a string, its opening quote taken.
    fn string(&mut self) -> Option<()> {
        loop {
            self.skip_plain();
            match self.next()? {
                b'"' => return Some(()),
                b'\\' => match self.next()? {
                    b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
                    b'u' => {
                        let digits = self.rest.get(..4)?;
                        digits.iter().all(u8::is_ascii_hexdigit).then_some(())?;
                        self.rest = self.rest.get(4..)?;
                    }
                    _ => return None,
                },
                _ => return None,
            }
        }
    }

    /// Skips what stands for itself in a string: sixteen bytes at a time, as long as all of them do.
    fn skip_plain(&mut self) {
        let is_plain = |b: u8| (b != b'"') & (b != b'\\') & (b >= b' ');
        let (blocks, _) = self.rest.as_chunks::<16>();
        let plain = blocks.iter().take_while(|block| block.iter().fold(true, |all, b| all & is_plain(*b)));
        self.rest = self.rest.get(plain.count().saturating_mul(16)..).unwrap_or_default();
        self.skip_while(is_plain);
    }

    fn literal(&mut self, rest: &[u8]) -> Option<()> {
        self.rest = self.rest.strip_prefix(rest)?;
        Some(())
    }

    /// The rest of a number, its sign and this first byte taken.
    fn number(&mut self, first: u8) -> Option<()> {
        match first {
            b'0' => {}
            b'1'..=b'9' => {
                self.skip_while(|b| b.is_ascii_digit());
            }
            _ => return None,
        }
        if self.eat(b'.').is_some() {
            self.digits()?;
        }
        if self.eat(b'e').or_else(|| self.eat(b'E')).is_some() {
            let _sign = self.eat(b'+').or_else(|| self.eat(b'-'));
            self.digits()?;
        }
        Some(())
    }

    fn digits(&mut self) -> Option<()> {
        (self.skip_while(|b| b.is_ascii_digit()) > 0).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::de::IgnoredAny;

    use super::*;

    fn check(text: &[u8]) {
        let theirs = std::str::from_utf8(text).is_ok() && serde_json::from_slice::<IgnoredAny>(text).is_ok();
        assert_eq!(is_text(text), theirs, "{}", String::from_utf8_lossy(text));
    }

    #[test]
    fn agrees_with_serde_json_at_the_edges() {
        for text in [
            "",
            " ",
            "{}",
            "[]",
            "null",
            "true",
            "false",
            "nul",
            "truex",
            "0",
            "-0",
            "-",
            "01",
            "1.",
            ".1",
            "1.5e+3",
            "1e",
            "1E-2",
            "--1",
            "\"\"",
            "\"a",
            "\"\\u00e9\"",
            "\"\\u00g9\"",
            "\"\\x\"",
            "\"\u{1}\"",
            "{\"a\":1}",
            "{\"a\":1,}",
            "{\"a\"}",
            "{a:1}",
            "[1,2]",
            "[1,]",
            "[,1]",
            "[1 2]",
            "[}",
            "{]",
            "[[[]]]",
            "{\"a\":{\"b\":[1,{}]}}",
            " {} ",
            "{}x",
            "{}\u{80}",
            "1 2",
            "{\"a\":1}{\"b\":2}",
            "\u{feff}{}",
            "\"é🦀\"",
            "[\"\\\"\"]",
            "\"\\",
            "\"\\u12",
        ] {
            check(text.as_bytes());
        }
        for bytes in [&b"\"\xff\""[..], b"{\"a\":\"\xc3\"}", b"{}\x80\0\0", b"{}\0"] {
            check(bytes);
        }
    }

    #[test]
    fn nesting_is_bounded_and_needs_no_stack() {
        let nested = |depth: usize| [b"[".repeat(depth), b"]".repeat(depth)].concat();
        assert!(is_text(&nested(128)));
        assert!(!is_text(&nested(129)));
        assert!(!is_text(&b"[".repeat(1 << 20)));
    }

    #[test]
    fn fields_are_found_by_path() {
        let text = br#" {"a" : {"b":"c","a":[1, 2]} , "id":"x\u0041", "\u006b":1, "empty":""}"#;
        assert_eq!(field(text, "a.a"), Some(&b"[1, 2]"[..]));
        assert_eq!(field(text, "id").and_then(string).as_deref(), Some("xA"));
        assert_eq!(field(text, "k"), Some(&b"1"[..]));
        assert_eq!(field(text, "empty").and_then(string), None);
        assert_eq!(field(text, "b"), None);
        assert_eq!(field(text, "a.b.c"), None);
        assert_eq!(field(text, "a.a.1"), Some(&b"2"[..]));
        assert_eq!(field(text, "a.a.2"), None);
        assert_eq!(field(b"[{\"id\":\"x\"}, 7]", "0.id"), Some(&b"\"x\""[..]));
        for step in ["-1", "+0", "", "00", "99999999999999999999", "1.0"] {
            assert_eq!(field(b"[0]", step), None, "{step}");
        }
        assert_eq!(field(b"[1]", "a"), None);
        assert_eq!(field(b"{\"a\"", "a"), None);
        assert_eq!(sole_field(br#"{"order":{"id":1}}"#), Some(("order".into(), &br#"{"id":1}"#[..])));
        assert_eq!(sole_field(br#"{"order":{},"id":1}"#), None);
        assert!(opens_with(b" { \"order\" : {", "order") && opens_with(br#"{"\u006frder":{"#, "order"));
        for other in [
            &br#"{"orders":{}}"#[..],
            br#"{"id":1,"order":{}}"#,
            br#"{"order":[{}]}"#,
            b"{\"order\"",
            b"[]",
            b"",
        ] {
            assert!(!opens_with(other, "order"), "{}", String::from_utf8_lossy(other));
        }
        assert_eq!(sole_field(b"{}"), None);
    }

    proptest! {
        #[test]
        fn agrees_with_serde_json(text in "[\\[\\]{},:\"\\\\ a0-2.eEu+-]{0,12}|(\\{\"[a-c]\":){0,4}[0-9\\[\\]\"a}]{0,9}\\}{0,4}") {
            let ours = is_text(text.as_bytes());
            let theirs = serde_json::from_str::<IgnoredAny>(&text);
            // serde_json refuses numbers beyond a double; we need not look at the size of a number.
            let too_large = matches!(&theirs, Err(e) if e.to_string().contains("number out of range"));
            prop_assert!(ours == theirs.is_ok() || too_large, "{}", text);
        }
    }
}
