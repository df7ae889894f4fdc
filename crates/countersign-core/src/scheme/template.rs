//! Templates of signed content: `{timestamp}.{body}`.

/// A piece of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece<'t> {
    /// The delivery's id, exactly as received.
    Id,
    /// The timestamp's text, exactly as received.
    Timestamp,
    /// The body, exactly as received.
    Body,
    /// The URL that the provider was given, as configured.
    Url,
    /// The request's method, as configured.
    Method,
    /// The secret itself.
    Secret,
    /// The text of this header, exactly as received. It is signed and means nothing to the scheme.
    Header(&'t str),
    /// Fixed text.
    Literal(&'t str),
    /// Braces around something else, or not in pairs.
    Unknown,
}

/// The first piece of a template, and what is left of it.
pub(crate) const fn first(template: &str) -> Option<(Piece<'_>, &str)> {
    if template.is_empty() {
        return None;
    }
    let opens = matches!(template.as_bytes(), [b'{', ..]);
    let before = before(template.as_bytes(), if opens { b'}' } else { b'{' });
    let length = if opens { before.saturating_add(1) } else { before };
    let Some((piece, rest)) = template.split_at_checked(length) else { return Some((Piece::Unknown, "")) };
    let piece = match piece.as_bytes() {
        b"{id}" => Piece::Id,
        b"{timestamp}" => Piece::Timestamp,
        b"{body}" => Piece::Body,
        b"{url}" => Piece::Url,
        b"{method}" => Piece::Method,
        b"{secret}" => Piece::Secret,
        [b'{', b'h', b'e', b'a', b'd', b'e', b'r', b':', name @ .., b'}'] => header(name),
        text if opens || closes(text) => Piece::Unknown,
        _ => Piece::Literal(piece),
    };
    Some((piece, rest))
}

/// The piece at this place, counted from zero.
pub(crate) const fn nth(template: &str, place: usize) -> Option<Piece<'_>> {
    let (mut rest, mut left) = (template, place);
    while let Some((piece, behind)) = first(rest) {
        if left == 0 {
            return Some(piece);
        }
        rest = behind;
        left = left.saturating_sub(1);
    }
    None
}

/// How many pieces there are.
pub(crate) const fn count(template: &str) -> usize {
    let (mut rest, mut count) = (template, 0_usize);
    while let Some((_, behind)) = first(rest) {
        rest = behind;
        count = count.saturating_add(1);
    }
    count
}

const fn header(name: &[u8]) -> Piece<'_> {
    match str::from_utf8(name) {
        Ok(name) => Piece::Header(name),
        Err(_) => Piece::Unknown,
    }
}

/// Each piece of a template.
pub(crate) fn pieces(template: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = template;
    std::iter::from_fn(move || {
        let (piece, left) = first(rest)?;
        rest = left;
        Some(piece)
    })
}

/// How many bytes stand before this one, or in all where it is not there.
const fn before(bytes: &[u8], wanted: u8) -> usize {
    let (mut count, mut rest) = (0_usize, bytes);
    while let [byte, others @ ..] = rest {
        if *byte == wanted {
            return count;
        }
        count = count.saturating_add(1);
        rest = others;
    }
    count
}

/// Whether a literal holds a brace that nothing opened.
const fn closes(literal: &[u8]) -> bool {
    before(literal, b'}') < literal.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_taken_apart_in_its_order() {
        let check = |template, expected: &[Piece<'_>]| {
            assert_eq!(pieces(template).collect::<Vec<_>>(), expected, "{template}");
        };
        check("", &[]);
        check("{body}", &[Piece::Body]);
        check(
            "v0:{timestamp}:{body}",
            &[Piece::Literal("v0:"), Piece::Timestamp, Piece::Literal(":"), Piece::Body],
        );
        check("{method}{url}{body}{timestamp}", &[Piece::Method, Piece::Url, Piece::Body, Piece::Timestamp]);
        check("{body}{header:x-date}", &[Piece::Body, Piece::Header("x-date")]);
        check("{secret}é{id}.", &[Piece::Secret, Piece::Literal("é"), Piece::Id, Piece::Literal(".")]);
        for unknown in ["{bodies}", "{}", "{", "{body", "}", "a}", "{Body}", "{ body }", "{{body}}"] {
            assert!(pieces(unknown).any(|piece| piece == Piece::Unknown), "{unknown}");
        }
    }

    #[test]
    fn a_piece_is_found_by_its_place() {
        let template = "v0:{timestamp}:{body}";
        let found: Vec<_> = (0..count(template)).filter_map(|place| nth(template, place)).collect();
        assert_eq!(found, pieces(template).collect::<Vec<_>>());
        assert_eq!((nth(template, 4), count(""), nth("", 0)), (None, 0, None));
    }
}
