//! `Plan`: a template made ready, with what is configured filled in.

use super::{Piece, Scheme, pieces};

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
    /// Whether a timestamp touches the front, or the end, of the body: digits could then change sides.
    pub(crate) touches: (bool, bool),
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
                Piece::Secret => side.push(Part::Secret),
                Piece::Url => side.push(Part::Fixed(url.as_bytes().into())),
                Piece::Method => side.push(Part::Fixed(method.as_bytes().into())),
                Piece::Literal(text) => side.push(Part::Fixed(text.as_bytes().into())),
                Piece::Unknown => {}
            }
        }
        plan.signs_id = scheme.signs_id();
        plan.signs_method = scheme.signs_piece(Piece::Method);
        // The other formats cannot be read as anything else where a digit more or less stands beside them.
        let is_number = scheme.timestamp.as_ref().is_some_and(|stamp| stamp.format.is_number());
        let touches = |part: Option<&Part>| is_number && part == Some(&Part::Timestamp);
        plan.touches = (touches(plan.before.last()), touches(plan.after.first()));
        plan
    }

    /// Whether the body's own digits could pass for the timestamp's, or the other way round.
    pub(crate) fn is_ambiguous(&self, body: &[u8]) -> bool {
        let digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
        self.touches.0 && digit(body.first()) || self.touches.1 && digit(body.last())
    }
}
