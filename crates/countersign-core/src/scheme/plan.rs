//! `Plan`: a template made ready, with what is configured filled in.

use memchr::memchr;

use super::{BodyRule, Piece, Scheme, pieces};
use crate::{json, time::TimestampFormat};

/// A part of the signed content beside the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Id,
    Timestamp,
    Secret,
    Fixed(Box<[u8]>),
}

/// The signed content, around the body.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    pub(crate) before: Vec<Part>,
    pub(crate) after: Vec<Part>,
    pub(crate) signs_id: bool,
    pub(crate) signs_method: bool,
    /// Whether a number touches the front, or the end, of the body: digits could then change sides.
    number_touches: (bool, bool),
    /// Whether the id touches the front, or the end, of the body: what belongs to neither JSON could then change sides.
    id_touches: (bool, bool),
    /// Whether another scheme signs other content with the same key and algorithm.
    is_beside_another: bool,
    /// What stands between the id and the rest, and on which side of the id.
    id_ends: Option<End>,
}

/// What stands beside the id.
#[derive(Clone, Debug, PartialEq, Eq)]
struct End {
    side: Side,
    text: Box<[u8]>,
    /// Whether a timestamp that begins with a digit or a minus sign follows: an id can then only end before one of these.
    before_digits: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Before,
    Behind,
}

impl Plan {
    pub(crate) fn new(scheme: &Scheme, all: &[Scheme], url: &str, method: &str) -> Self {
        let mut plan = Self::default();
        let mut seen_body = false;
        for piece in pieces(scheme.template()) {
            let side = if seen_body { &mut plan.after } else { &mut plan.before };
            match piece {
                Piece::Body => seen_body = true,
                Piece::Id => side.push(Part::Id),
                Piece::Timestamp => side.push(Part::Timestamp),
                Piece::Secret => side.push(Part::Secret),
                Piece::Url => side.push(Part::Fixed(url.as_bytes().into())),
                Piece::Method => side.push(Part::Fixed(method.as_bytes().into())),
                Piece::Literal(text) => side.push(Part::Fixed(text.as_bytes().into())),
                Piece::Unknown => {}
            }
        }
        plan.signs_id = scheme.signs_id();
        plan.signs_method = scheme.signs_piece(Piece::Method);
        let touching = (plan.before.last().cloned(), plan.after.first().cloned());
        let touches = |part: Part| (touching.0.as_ref() == Some(&part), touching.1.as_ref() == Some(&part));
        // The other formats cannot be read as anything else where a digit more or less stands beside them.
        if scheme.timestamp.as_ref().is_some_and(|stamp| stamp.format.is_number()) {
            plan.number_touches = touches(Part::Timestamp);
        }
        plan.id_touches = touches(Part::Id);
        plan.is_beside_another = all
            .iter()
            .any(|other| other.algorithm == scheme.algorithm && other.template() != scheme.template());
        plan.id_ends = end_of_id(&plan.before, Side::Behind).or_else(|| end_of_id(&plan.after, Side::Before));
        let by_letters = scheme.timestamp.as_ref().is_some_and(|s| s.format == TimestampFormat::ImfFixdate);
        if let Some(end) = plan.id_ends.as_mut().filter(|_| by_letters) {
            end.before_digits = false;
        }
        plan
    }

    /// Why the signature could be one of another delivery as well: bytes of this body could stand beside it there, or bytes from
    /// beside it in its body.
    pub(crate) fn ambiguity(&self, rule: BodyRule, body: &[u8]) -> Option<&'static str> {
        let (first, last) = (body.first(), body.last());
        let digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
        let sign = last == Some(&b'-');
        if self.number_touches.0 && digit(first) || self.number_touches.1 && (digit(last) || sign) {
            return Some("a digit of it touches the signed timestamp");
        }
        let (opens, closes) = (matches!(first, Some(b'{' | b'[')), matches!(last, Some(b'}' | b']')));
        if self.id_touches.0 && !opens || self.id_touches.1 && !closes {
            return Some("the signed id touches it where it is neither an object nor an array");
        }
        let must_open = self.is_beside_another && rule != BodyRule::Any;
        (must_open && !json::starts_structure(body)).then_some("neither an object nor an array")
    }

    /// Whether the id holds the text that parts it from the rest of the signed content, so that it could end elsewhere.
    pub(crate) fn is_ambiguous_id(&self, id: &[u8]) -> bool {
        let Some(End { side, text, before_digits }) = &self.id_ends else { return false };
        if !text.iter().any(|byte| memchr(*byte, id).is_some()) {
            return false;
        }
        // In part as well: of `--`, an id that ends in `-` would leave two places.
        let overlaps = |length: usize| {
            let (head, tail) = (text.get(..length), text.get(length..));
            let (Some(head), Some(tail)) = (head, tail) else { return false };
            match side {
                Side::Behind => id.ends_with(head) && text.starts_with(tail),
                Side::Before => id.starts_with(tail) && text.ends_with(head),
            }
        };
        let ends_at = |at: usize| {
            let behind = id.get(at..).and_then(|rest| rest.strip_prefix(&**text));
            behind.is_some_and(|rest| !before_digits || matches!(rest, [b'-' | b'0'..=b'9', ..]))
        };
        (0..id.len()).any(ends_at) || (1..text.len()).any(overlaps)
    }
}

/// The fixed text on this side of the id. On the other side, something of known extent stands.
fn end_of_id(parts: &[Part], side: Side) -> Option<End> {
    let at = parts.iter().position(|part| *part == Part::Id)?;
    let beside = match side {
        Side::Behind => at.checked_add(1)?,
        Side::Before => at.checked_sub(1)?,
    };
    let Some(Part::Fixed(text)) = parts.get(beside) else { return None };
    let before_digits = side == Side::Behind && parts.get(beside.checked_add(1)?) == Some(&Part::Timestamp);
    Some(End { side, text: text.clone(), before_digits })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheme::TimestampSource;

    #[test]
    fn an_id_that_could_end_elsewhere_is_found() {
        let check = |template: &'static str, format, ambiguous: &[&str], clear: &[&str]| {
            let scheme = Scheme::hmac_sha256("x-sig")
                .timestamp(TimestampSource::header("x-ts"), format)
                .signs(template);
            let plan = Plan::new(&scheme, &[], "", "POST");
            for id in ambiguous {
                assert!(plan.is_ambiguous_id(id.as_bytes()), "{template}: {id}");
            }
            for id in clear {
                assert!(!plan.is_ambiguous_id(id.as_bytes()), "{template}: {id}");
            }
        };
        let standard = "{id}.{timestamp}.{body}";
        let seconds = TimestampFormat::UnixSeconds;
        // `a`, 1 and a body that begins with `7.` would be signed alike.
        check(
            standard,
            seconds,
            &["a.1", "a.-1", ".1", "a.b.1"],
            &["msg_1", "a.b", "order.paid.x", "a.", "1"],
        );
        check(standard, TimestampFormat::Rfc3339, &["a.2024"], &["a.b"]);
        check(standard, TimestampFormat::ImfFixdate, &["a.Mon", "a.1"], &["a"]);
        check("{timestamp}.{id}.{body}", seconds, &["a.1", "a.b", "a."], &["a", "1"]);
        check("{id}--{timestamp}.{body}", seconds, &["a-", "a--1"], &["a-b", "a--b"]);
        check("{body}.{timestamp}.{id}", seconds, &["a.b", ".b"], &["a"]);
        check("{timestamp}.{body}", seconds, &[], &["a.1"]);
    }
}
