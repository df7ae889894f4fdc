//! `ShortText`: a copy of a header's text that needs no heap while it is short.

use std::fmt;

const INLINE: usize = 46;

/// Text of a header, kept beyond the request. Up to 46 bytes stand in place.
#[derive(Clone)]
pub(crate) enum ShortText {
    Inline { len: u8, bytes: [u8; INLINE] },
    Heap(Box<str>),
}

/// Whether bytes are text: mostly ASCII, which is quicker to see.
pub(crate) fn is_utf8(bytes: &[u8]) -> bool {
    bytes.is_ascii() || std::str::from_utf8(bytes).is_ok()
}

impl ShortText {
    /// A copy of a text that is known to be UTF-8.
    #[inline(always)]
    pub(crate) fn new(text: &[u8]) -> Self {
        let mut bytes = [0; INLINE];
        match (bytes.get_mut(..text.len()), u8::try_from(text.len())) {
            (Some(place), Ok(len)) => {
                place.copy_from_slice(text);
                Self::Inline { len, bytes }
            }
            _ => Self::Heap(String::from_utf8_lossy(text).into()),
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Inline { len, bytes } => bytes.get(..usize::from(*len)).unwrap_or_default(),
            Self::Heap(text) => text.as_bytes(),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Inline { .. } => std::str::from_utf8(self.as_bytes()).unwrap_or_default(),
            Self::Heap(text) => text,
        }
    }

    /// The text, unless it is empty.
    pub(crate) fn filled(&self) -> Option<&str> {
        Some(self.as_str()).filter(|text| !text.is_empty())
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
            let short = ShortText::new(text.as_bytes());
            assert_eq!(short.as_str(), text);
            assert_eq!(short.as_bytes(), text.as_bytes());
            assert_eq!(short.filled().is_none(), text.is_empty());
            assert!(is_utf8(text.as_bytes()));
        }
        assert!(!is_utf8(b"\xff") && !is_utf8(b"a\xc3"));
    }
}
