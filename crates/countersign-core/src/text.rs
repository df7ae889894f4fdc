//! `ShortText`: a copy of a header's text that needs no heap while it is short.

use std::fmt;

const INLINE: usize = 46;

/// Text of a header, kept beyond the request. Up to 46 bytes stand in place.
#[derive(Clone)]
pub(crate) enum ShortText {
    Inline { len: u8, bytes: [u8; INLINE] },
    Heap(Box<str>),
}

impl ShortText {
    /// `None` when the bytes are not UTF-8.
    pub(crate) fn new(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        let mut bytes = [0; INLINE];
        Some(match (bytes.get_mut(..text.len()), u8::try_from(text.len())) {
            (Some(place), Ok(len)) => {
                place.copy_from_slice(text.as_bytes());
                Self::Inline { len, bytes }
            }
            _ => Self::Heap(text.into()),
        })
    }

    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Inline { len, bytes } => {
                bytes.get(..usize::from(*len)).and_then(|b| std::str::from_utf8(b).ok()).unwrap_or_default()
            }
            Self::Heap(text) => text,
        }
    }
}

impl fmt::Debug for ShortText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_comes_back_as_it_was() {
        for text in ["", "a", &"é".repeat(23), &"a".repeat(46), &"a".repeat(47), &"🦀".repeat(1024)] {
            assert_eq!(ShortText::new(text.as_bytes()).unwrap().as_str(), text);
        }
        assert!(ShortText::new(b"\xff").is_none());
    }
}
