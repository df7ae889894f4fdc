//! `Request`: what an input says, read as an HTTP request is written.

use bytes::Bytes;

use crate::{scheme::Scheme, time::Timestamp};

/// Header lines, a blank line, the body. The line `now: <seconds>` is no header: it sets the time.
pub(super) struct Request<'d> {
    pub(super) headers: Vec<(&'d str, &'d [u8])>,
    pub(super) now: Timestamp,
    pub(super) body: &'d [u8],
    pub(super) data: &'d [u8],
}

impl<'d> Request<'d> {
    pub(super) fn parse(data: &'d [u8]) -> Self {
        let mut request =
            Self { headers: Vec::new(), now: Timestamp::from_unix_seconds(1_705_689_600), body: &[], data };
        let mut rest = data;
        while let Some((line, after)) = split(rest, b'\n') {
            rest = after;
            if line.is_empty() {
                request.body = rest;
                break;
            }
            let Some((name, value)) = split(line, b':') else { continue };
            let Ok(name) = std::str::from_utf8(name) else { continue };
            let value = value.strip_prefix(b" ").unwrap_or(value);
            match (name, std::str::from_utf8(value).unwrap_or_default().parse()) {
                ("now", Ok(seconds)) => request.now = Timestamp::from_unix_seconds(seconds),
                _ => request.headers.push((name, value)),
            }
        }
        request
    }

    /// The text of a header, for what is sent beside a genuine signature.
    pub(super) fn text(&self, name: &str) -> Option<&'d str> {
        let (_, value) = self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(value).ok()
    }

    /// Whether one of these schemes' headers is there.
    pub(super) fn is_meant_for(&self, schemes: &[Scheme]) -> bool {
        let is_theirs =
            |name: &str| schemes.iter().any(|s| s.headers().any(|n| n.eq_ignore_ascii_case(name)));
        self.headers.iter().any(|(name, _)| is_theirs(name))
    }

    pub(super) fn dice(&self) -> Dice {
        Dice::new(self.data)
    }
}

/// What stands before and after the first `separator`. Without one, the whole stands before it.
pub(super) fn split(text: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    if text.is_empty() {
        return None;
    }
    let mut halves = text.splitn(2, |byte| *byte == separator);
    Some((halves.next()?, halves.next().unwrap_or_default()))
}

/// Choices that an input makes by its content: equal inputs choose alike.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(data: &[u8]) -> Self {
        // FNV-1a.
        let hash = data.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self(hash | 1)
    }

    /// A number below `bound`, or 0.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 8).unwrap_or_default().checked_rem(bound).unwrap_or_default()
    }

    /// The text with one of its bits changed.
    pub(super) fn flip(&mut self, text: &[u8]) -> Vec<u8> {
        let mut flipped = text.to_vec();
        let place = self.below(text.len());
        let bit = self.below(8);
        if let Some(byte) = flipped.get_mut(place) {
            *byte ^= 1 << bit;
        }
        flipped
    }

    /// The text in chunks, some of them empty.
    pub(super) fn chunks(&mut self, mut text: &[u8]) -> Vec<Bytes> {
        let mut chunks = Vec::new();
        while !text.is_empty() {
            let longest = text.len().min(97).saturating_add(1);
            let Some((chunk, rest)) = text.split_at_checked(self.below(longest)) else { break };
            chunks.push(Bytes::copy_from_slice(chunk));
            text = rest;
        }
        chunks
    }
}
