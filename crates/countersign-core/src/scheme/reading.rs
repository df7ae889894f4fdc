//! The one rule of signed content: it has exactly one reading.
//!
//! A template is cut from both ends. A piece is cut off where it certainly ends: fixed text has a known length, a date has a form that
//! no longer or shorter date continues, an id ends before the text that it must not hold, a complete JSON text ends with its
//! last bracket. When at most one piece is left in the middle, it takes what remains, and no other cut is possible. What the rule
//! cannot decide, it refuses.

use super::{BodyRule, Piece, Scheme, Stamp, TimestampSource, equal, template, text};
use crate::time::TimestampFormat;

/// What the first byte of a content may be.
#[derive(Clone, Copy)]
struct FirstByte {
    ascii: u128,
    others: bool,
}

const ANY: FirstByte = FirstByte { ascii: u128::MAX, others: true };
const DIGITS: u128 = range(b'0', b'9');
const CAPITALS: u128 = range(b'A', b'Z');
/// What an id that is signed begins with: see [`is_id`].
const ID: u128 = range(b'!', b'~') & !bit(b'{') & !bit(b'[');
/// What a body of [`BodyRule::JsonStructure`] or [`BodyRule::JsonText`] begins with.
const STRUCTURE: u128 = bit(b'{') | bit(b'[') | bit(b' ') | bit(b'\t') | bit(b'\n') | bit(b'\r');

/// Whether an id can be part of signed content: it is short, visible, and begins as no JSON body does.
pub(crate) fn is_id(id: &[u8]) -> bool {
    (1..=256).contains(&id.len()) && id.iter().all(u8::is_ascii_graphic) && !matches!(id, [b'{' | b'[', ..])
}

/// Whether a text can be a handshake's token, whose digest under the secret is sent back to whoever asked: it must never be the
/// content of a scheme, see [`Scheme::is_never_token`].
pub(crate) fn is_token(text: &[u8]) -> bool {
    (1..=256).contains(&text.len()) && text.iter().all(|byte| is_token_byte(*byte))
}

const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'_' | b'-' | b'.')
}

impl Scheme {
    /// The place of the piece that takes what remains, once those before it are cut off from the left and those behind it from
    /// the right; `None` where the content could be cut in several ways.
    ///
    /// A body is cut off as JSON only where no other cut is possible: that puts more conditions on it.
    pub(crate) const fn remainder(&self) -> Option<usize> {
        match self.cut_off(false) {
            None if matches!(self.body, BodyRule::JsonText) => self.cut_off(true),
            cut => cut,
        }
    }

    const fn cut_off(&self, bodies: bool) -> Option<usize> {
        let count = template::count(self.template());
        let mut left = 0_usize;
        while left < count && self.ends(left, bodies) {
            left = left.saturating_add(1);
        }
        let mut right = count;
        while right > 0 && self.starts(right.saturating_sub(1), bodies) {
            right = right.saturating_sub(1);
        }
        if left >= right.saturating_sub(1) { Some(left) } else { None }
    }

    /// Whether it is certain where this piece ends, once it is known where it starts.
    const fn ends(&self, place: usize, bodies: bool) -> bool {
        let Some(piece) = template::nth(self.template(), place) else { return false };
        let next = template::nth(self.template(), place.saturating_add(1));
        match (piece, next) {
            (Piece::Literal(_) | Piece::Url | Piece::Method | Piece::Secret, _) => true,
            (Piece::Body, _) => bodies,
            (Piece::Timestamp, _) if !self.timestamp_is_number() => true,
            (Piece::Timestamp, Some(Piece::Literal(text))) => match text.as_bytes() {
                [first, ..] => !first.is_ascii_digit(),
                [] => false,
            },
            // A body that begins with a digit is refused: `Plan::ambiguity`.
            (Piece::Timestamp, Some(Piece::Body | Piece::Url | Piece::Method)) => true,
            (Piece::Id | Piece::Header(_), Some(Piece::Literal(text))) => match text.as_bytes() {
                [first, ..] => separates(*first),
                [] => false,
            },
            _ => false,
        }
    }

    /// Whether it is certain where this piece starts, once it is known where it ends.
    const fn starts(&self, place: usize, bodies: bool) -> bool {
        let Some(piece) = template::nth(self.template(), place) else { return false };
        let before = match place.checked_sub(1) {
            Some(place) => template::nth(self.template(), place),
            None => None,
        };
        match (piece, before) {
            (Piece::Literal(_) | Piece::Url | Piece::Method | Piece::Secret, _) => true,
            (Piece::Body, _) => bodies,
            (Piece::Timestamp, _) if !self.timestamp_is_number() => true,
            (Piece::Timestamp, Some(Piece::Literal(text))) => match text.as_bytes() {
                [.., last] => !last.is_ascii_digit() && *last != b'-',
                [] => false,
            },
            // A body that ends with a digit or a minus sign is refused: `Plan::ambiguity`.
            (Piece::Timestamp, Some(Piece::Body | Piece::Method)) => true,
            (Piece::Id | Piece::Header(_), Some(Piece::Literal(text))) => match text.as_bytes() {
                [.., last] => separates(*last),
                [] => false,
            },
            _ => false,
        }
    }

    pub(crate) const fn timestamp_is_number(&self) -> bool {
        match &self.timestamp {
            Some(stamp) => stamp.format.is_number(),
            None => false,
        }
    }

    /// Whether content with this secret in it could be read as content with a shorter one: what the longer one has more would be part
    /// of what stands beside it.
    ///
    /// What stands before a body that is JSON, and still leaves it JSON, is white space.
    pub(crate) fn confuses(&self, long: &[u8], short: &[u8]) -> bool {
        let pieces: Vec<_> = template::pieces(self.template()).collect();
        let place = pieces.iter().position(|piece| *piece == Piece::Secret);
        let (Some(place), Some(remainder), true) = (place, self.remainder(), long.len() > short.len()) else {
            return false;
        };
        let is_blank = |rest: &[u8]| rest.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
        match pieces.get(place..) {
            _ if place > remainder => long.ends_with(short),
            Some([_, Piece::Body]) => long.strip_prefix(short).is_some_and(is_blank),
            _ => long.starts_with(short),
        }
    }

    /// Whether no content of one is content of the other: where their templates stop being alike, they differ in the next byte.
    pub(crate) const fn is_told_apart(&self, other: &Self, both_structures: bool) -> bool {
        let ((mut ours, mut in_ours), (mut theirs, mut in_theirs)) = ((0_usize, 0_usize), (0_usize, 0_usize));
        loop {
            let (Some(one), Some(two)) =
                (template::nth(self.template(), ours), template::nth(other.template(), theirs))
            else {
                return false;
            };
            let is_alike = match (one, two) {
                (Piece::Url, Piece::Url) | (Piece::Method, Piece::Method) => true,
                (Piece::Literal(one), Piece::Literal(two)) => match (at(one, in_ours), at(two, in_theirs)) {
                    (Some(one), Some(two)) => one == two,
                    _ => return false,
                },
                _ => false,
            };
            if !is_alike {
                return self.first_byte(one, in_ours, both_structures).is_apart(other.first_byte(
                    two,
                    in_theirs,
                    both_structures,
                ));
            }
            (ours, in_ours) = step(one, ours, in_ours);
            (theirs, in_theirs) = step(two, theirs, in_theirs);
        }
    }

    /// What a piece may begin with; a literal from this byte on.
    const fn first_byte(&self, piece: Piece<'_>, from: usize, structures: bool) -> FirstByte {
        match piece {
            Piece::Literal(text) => match at(text, from) {
                Some(byte) if byte.is_ascii() => ascii(bit(byte)),
                _ => ANY,
            },
            Piece::Timestamp => match &self.timestamp {
                Some(Stamp { format: TimestampFormat::ImfFixdate, .. }) => ascii(CAPITALS),
                Some(Stamp { format: TimestampFormat::Rfc3339, .. }) => ascii(DIGITS),
                Some(_) => ascii(DIGITS | bit(b'-')),
                None => ANY,
            },
            Piece::Id => ascii(ID),
            Piece::Url => ascii(bit(b'h')),
            Piece::Method => ascii(CAPITALS),
            Piece::Body if structures || !matches!(self.body, BodyRule::Any) => ascii(STRUCTURE),
            Piece::Body | Piece::Header(_) | Piece::Secret | Piece::Unknown => ANY,
        }
    }

    /// Whether no content of it can be a handshake's token: it certainly holds a byte that no token holds.
    pub(crate) const fn is_never_token(&self) -> bool {
        let mut place = 0_usize;
        while let Some(piece) = template::nth(self.template(), place) {
            let is_foreign = match piece {
                Piece::Literal(text) => holds_foreign_byte(text),
                // A bracket, and the colon behind `https`, in a time of day.
                Piece::Body => !matches!(self.body, BodyRule::Any),
                Piece::Url => true,
                Piece::Timestamp => !self.timestamp_is_number(),
                _ => false,
            };
            if is_foreign {
                return true;
            }
            place = place.saturating_add(1);
        }
        false
    }
}

impl Stamp {
    /// Whether it reads the same moment as another one out of the same content.
    pub(crate) const fn reads_as(&self, other: &Self) -> bool {
        let is_same_place = match (&self.source, &other.source) {
            (TimestampSource::Body(one), TimestampSource::Body(two)) => equal(text(one), text(two)),
            (TimestampSource::Body(_), _) | (_, TimestampSource::Body(_)) => false,
            _ => true,
        };
        is_same_place && self.format as u8 == other.format as u8
    }
}

/// Whether a byte can stand behind an id, or before it: ids are full of letters, digits, `-` and `_`.
const fn separates(byte: u8) -> bool {
    byte.is_ascii() && !byte.is_ascii_alphanumeric() && !matches!(byte, b'-' | b'_')
}

const fn holds_foreign_byte(text: &str) -> bool {
    let mut rest = text.as_bytes();
    while let [byte, others @ ..] = rest {
        if !is_token_byte(*byte) {
            return true;
        }
        rest = others;
    }
    false
}

/// The place behind this one: the next byte of a literal, or the next piece.
const fn step(piece: Piece<'_>, place: usize, within: usize) -> (usize, usize) {
    match piece {
        Piece::Literal(text) if within.saturating_add(1) < text.len() => (place, within.saturating_add(1)),
        _ => (place.saturating_add(1), 0),
    }
}

const fn at(text: &str, place: usize) -> Option<u8> {
    match text.as_bytes().split_at_checked(place) {
        Some((_, [byte, ..])) => Some(*byte),
        _ => None,
    }
}

impl FirstByte {
    const fn is_apart(self, other: Self) -> bool {
        self.ascii & other.ascii == 0 && !(self.others && other.others)
    }
}

const fn ascii(ascii: u128) -> FirstByte {
    FirstByte { ascii, others: false }
}

const fn bit(byte: u8) -> u128 {
    1 << (byte & 127)
}

/// Every byte from this one to that one.
const fn range(first: u8, last: u8) -> u128 {
    (bit(last) << 1).wrapping_sub(bit(first))
}
