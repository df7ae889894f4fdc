//! `Plan`: a template made ready, with what is configured filled in.

use super::{Piece, Scheme, pieces, template};
use crate::{json, scheme::BodyRule, time::TimestampFormat};

/// A part of the signed content beside the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Id,
    Timestamp,
    Header,
    Secret,
    Fixed(Box<[u8]>),
}

/// The signed content, around the body, and what its parts must not hold so that it has one reading: see `reading.rs`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    pub(crate) before: Vec<Part>,
    pub(crate) after: Vec<Part>,
    pub(crate) signs_id: bool,
    pub(crate) signs_method: bool,
    /// What the id must not hold.
    pub(crate) id: Option<Separator>,
    /// What the text of the signed header must not hold.
    pub(crate) header: Option<Separator>,
    front: Edge,
    back: Edge,
}

/// The byte beside an id or a header's text, which neither may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Separator {
    byte: u8,
    /// Whether a timestamp that begins with a digit or a minus sign follows: an id could end before nothing else.
    before_digits: bool,
}

/// What a body must not begin with, or end with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Edge {
    #[default]
    Free,
    /// A number stands beside it, which a digit would continue.
    BesideNumber,
    /// It is cut off as JSON, so its bracket is its first byte, or its last.
    Bracket,
}

impl Plan {
    pub(crate) fn new(scheme: &Scheme, url: &str, method: &str) -> Self {
        let mut plan = Self::default();
        let mut seen_body = false;
        for piece in pieces(scheme.template()) {
            let side = if seen_body { &mut plan.after } else { &mut plan.before };
            match piece {
                Piece::Body => seen_body = true,
                Piece::Id => side.push(Part::Id),
                Piece::Timestamp => side.push(Part::Timestamp),
                Piece::Header(_) => side.push(Part::Header),
                Piece::Secret => side.push(Part::Secret),
                Piece::Url => side.push(Part::Fixed(url.as_bytes().into())),
                Piece::Method => side.push(Part::Fixed(method.as_bytes().into())),
                Piece::Literal(text) => side.push(Part::Fixed(text.as_bytes().into())),
                Piece::Unknown => {}
            }
        }
        plan.signs_id = scheme.signs_id();
        plan.signs_method = scheme.signs_piece(Piece::Method);
        if let Some(remainder) = scheme.remainder() {
            plan.guard(scheme, remainder);
        }
        plan
    }

    /// Takes down what makes each piece end where it does.
    fn guard(&mut self, scheme: &Scheme, remainder: usize) {
        let piece = |place: Option<usize>| template::nth(scheme.template(), place?);
        for (place, this) in pieces(scheme.template()).enumerate() {
            let is_left = place < remainder;
            let beside = if is_left { place.checked_add(1) } else { place.checked_sub(1) };
            match (this, piece(beside)) {
                _ if place == remainder => {}
                (Piece::Id | Piece::Header(_), Some(Piece::Literal(text))) => {
                    let byte = if is_left { text.bytes().next() } else { text.bytes().last() };
                    let further = piece(place.checked_add(2)).filter(|_| is_left && text.len() == 1);
                    let is_date = scheme.timestamp.as_ref().map(|stamp| stamp.format);
                    let before_digits = further == Some(Piece::Timestamp)
                        && is_date.is_some_and(|format| format != TimestampFormat::ImfFixdate);
                    let separator = byte.map(|byte| Separator { byte, before_digits });
                    *(if this == Piece::Id { &mut self.id } else { &mut self.header }) = separator;
                }
                (Piece::Timestamp, Some(Piece::Body)) if scheme.timestamp_is_number() => {
                    *(if is_left { &mut self.front } else { &mut self.back }) = Edge::BesideNumber;
                }
                (Piece::Body, _) => *(if is_left { &mut self.back } else { &mut self.front }) = Edge::Bracket,
                _ => {}
            }
        }
    }

    /// Forgets what keeps several readings out, to show that the search for them finds them.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn unguarded(self) -> Self {
        Self { id: None, header: None, front: Edge::Free, back: Edge::Free, ..self }
    }

    /// Why this body, although signed, is refused.
    pub(crate) fn objection(&self, rule: BodyRule, body: &[u8]) -> Option<&'static str> {
        match rule {
            BodyRule::JsonStructure if !json::starts_structure(body) => {
                return Some("neither an object nor an array");
            }
            BodyRule::JsonText if !(json::starts_structure(body) && json::is_text(body)) => {
                return Some("not one complete JSON object or array");
            }
            _ => {}
        }
        const TOUCHES: &str = "a digit of it touches the signed timestamp";
        const BLANK: &str = "white space of it touches what is signed beside it";
        match (self.front, body.first()) {
            (Edge::BesideNumber, Some(b'0'..=b'9')) => Some(TOUCHES),
            (Edge::Bracket, Some(b' ' | b'\t' | b'\n' | b'\r')) => Some(BLANK),
            _ => match (self.back, body.last()) {
                (Edge::BesideNumber, Some(b'0'..=b'9' | b'-')) => Some(TOUCHES),
                (Edge::Bracket, Some(b' ' | b'\t' | b'\n' | b'\r')) => Some(BLANK),
                _ => None,
            },
        }
    }
}

impl Separator {
    /// Whether a text holds it, so that it could end elsewhere.
    pub(crate) fn is_in(self, text: &[u8]) -> bool {
        match self.before_digits {
            false => text.contains(&self.byte),
            true => text.windows(2).any(|pair| {
                matches!(pair, [byte, next] if *byte == self.byte && matches!(next, b'-' | b'0'..=b'9'))
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheme::TimestampSource;

    fn plan(template: &'static str, format: TimestampFormat, rule: BodyRule) -> Plan {
        let scheme = Scheme::hmac_sha256("x-sig")
            .timestamp(TimestampSource::header("x-ts"), format)
            .body(rule)
            .signs(template);
        Plan::new(&scheme, "", "POST")
    }

    #[test]
    fn an_id_that_could_end_elsewhere_is_found() {
        let check = |template, format, ambiguous: &[&str], clear: &[&str]| {
            let separator = plan(template, format, BodyRule::Any).id.unwrap();
            ambiguous.iter().for_each(|id| assert!(separator.is_in(id.as_bytes()), "{template}: {id}"));
            clear.iter().for_each(|id| assert!(!separator.is_in(id.as_bytes()), "{template}: {id}"));
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
        check(standard, TimestampFormat::ImfFixdate, &["a.Mon", "a.b", "a."], &["a"]);
        check("{timestamp}.{id}.{body}", seconds, &["a.1", "a.b", "a."], &["a", "1"]);
        check("{id}::{timestamp}.{body}", seconds, &["a:", "a::1"], &["a-b", "a.b"]);
        check("{body}.{timestamp}.{id}", seconds, &["a.b", ".b"], &["a"]);
    }

    #[test]
    fn a_body_that_could_start_or_end_elsewhere_is_found() {
        let check = |template, format, rule, objected: &[&str], clear: &[&str]| {
            let plan = plan(template, format, rule);
            let objection = |body: &&str| plan.objection(rule, body.as_bytes());
            objected.iter().for_each(|body| assert!(objection(body).is_some(), "{template}: {body}"));
            clear.iter().for_each(|body| assert_eq!(objection(body), None, "{template}: {body}"));
        };
        let (seconds, text) = (TimestampFormat::UnixSeconds, BodyRule::JsonText);
        check("{timestamp}{body}", seconds, BodyRule::Any, &["1", "0{}"], &["{}1", " 1", "-1", ""]);
        check("{body}{timestamp}", seconds, BodyRule::Any, &["1", "{}0", "{}-"], &["1{}", ""]);
        check("{timestamp}{body}", TimestampFormat::Rfc3339, BodyRule::Any, &[], &["1", "<xml/>", "Z"]);
        check(
            "{id}{timestamp}{body}",
            TimestampFormat::Rfc3339,
            text,
            &[" {}", "1", "\"a\"", "{", "{}{}", ""],
            &["{}", "[1] "],
        );
        check("{body}{header:x-date}", seconds, text, &["{} ", "[1]\n", "1"], &["{}", " [1]"]);
        check("{timestamp}.{body}", seconds, text, &["{", "7"], &["{}", " {}\n"]);
    }
}
