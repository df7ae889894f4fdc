//! The grammars of signature headers: bare, prefixed, `t=..,v1=..`.

use subtle::{Choice, ConstantTimeEq};

use super::{Encoding, key::DIGEST_LEN};

/// The most entries of a list that are looked at.
const MAX_ENTRIES: usize = 32;
/// The most signatures of one header that are compared.
const MAX_SIGNATURES: usize = 16;

/// How a signature header is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grammar {
    /// The signature and nothing else.
    Bare,
    /// The signature behind a fixed prefix.
    Prefixed(&'static str),
    /// Comma-separated `key=value`: a timestamp, and signatures under a version's key.
    KeyValue { timestamp: &'static str, signature: &'static str },
}

/// The signatures of one header, decoded; at most [`MAX_SIGNATURES`].
#[derive(Clone, Debug)]
pub(crate) struct Signatures {
    digests: [[u8; DIGEST_LEN]; MAX_SIGNATURES],
    count: usize,
}

impl Default for Signatures {
    fn default() -> Self {
        Self { digests: [[0; DIGEST_LEN]; MAX_SIGNATURES], count: 0 }
    }
}

impl Signatures {
    fn push(&mut self, digest: [u8; DIGEST_LEN]) {
        if let Some(place) = self.digests.get_mut(self.count) {
            *place = digest;
            self.count = self.count.saturating_add(1);
        }
    }

    /// Whether this digest is among them, in a time that depends on their number alone.
    pub(crate) fn contain(&self, digest: &[u8; DIGEST_LEN]) -> Choice {
        self.iter().fold(Choice::from(0), |known, other| known | same(digest, other))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8; DIGEST_LEN]> {
        self.digests.iter().take(self.count)
    }
}

/// Compares in words: an eighth of the steps that bytes take, and as constant in time.
fn same(a: &[u8; DIGEST_LEN], b: &[u8; DIGEST_LEN]) -> Choice {
    let (a, b) = (a.as_chunks::<8>().0, b.as_chunks::<8>().0);
    let words = a.iter().zip(b).map(|(a, b)| u64::from_ne_bytes(*a) ^ u64::from_ne_bytes(*b));
    words.fold(0, |difference, word| difference | word).ct_eq(&0)
}

impl Grammar {
    /// Whether a header is meant for this grammar. Tells apart the forms that share a header.
    pub(crate) fn recognises(self, value: &[u8]) -> bool {
        match self {
            Self::Bare => true,
            Self::Prefixed(prefix) => value.starts_with(prefix.as_bytes()),
            Self::KeyValue { timestamp, signature } => {
                entries(value).any(|(key, _)| key == timestamp.as_bytes() || key == signature.as_bytes())
            }
        }
    }

    /// Reads a header: its signatures into `signatures`, and the timestamp's text, where it holds one. Entries of a list that
    /// are malformed or unknown are passed over.
    ///
    /// The error says what is wrong with the header as a whole.
    pub(crate) fn parse<'h>(
        self,
        value: &'h [u8],
        encoding: Encoding,
        signatures: &mut Signatures,
    ) -> Result<Option<&'h [u8]>, &'static str> {
        let mut take = |text| encoding.decode(text).map(|digest| signatures.push(digest));
        match self {
            Self::Bare => take(value).ok_or("not a signature of this scheme's length and encoding")?,
            Self::Prefixed(prefix) => {
                let text = value.strip_prefix(prefix.as_bytes()).ok_or("the prefix is missing")?;
                take(text).ok_or("not a signature of this scheme's length and encoding")?;
            }
            Self::KeyValue { timestamp: key, signature } => {
                let mut timestamp = None;
                for (name, text) in entries(value) {
                    if name == signature.as_bytes() {
                        take(text);
                    } else if name == key.as_bytes() {
                        match timestamp {
                            Some(other) if other != text => return Err("two different timestamps"),
                            _ => timestamp = Some(text),
                        }
                    }
                }
                let timestamp = timestamp.ok_or("no timestamp in the list")?;
                if signatures.count == 0 {
                    return Err("no signature of an accepted version in the list");
                }
                return Ok(Some(timestamp));
            }
        }
        Ok(None)
    }

    /// Writes a header, as the provider would.
    pub(crate) fn write(self, timestamp: Option<&str>, signatures: &[String]) -> String {
        match self {
            Self::Bare => signatures.concat(),
            Self::Prefixed(prefix) => format!("{prefix}{}", signatures.concat()),
            Self::KeyValue { timestamp: key, signature } => {
                let mut header = format!("{key}={}", timestamp.unwrap_or_default());
                for text in signatures {
                    header.push_str(&format!(",{signature}={text}"));
                }
                header
            }
        }
    }
}

fn entries(list: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    list.split(|b| *b == b',').take(MAX_ENTRIES).filter_map(|entry| {
        let equals = entry.iter().position(|b| *b == b'=')?;
        let (key, value) = entry.split_at_checked(equals)?;
        Some((key, value.strip_prefix(b"=")?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: Grammar = Grammar::KeyValue { timestamp: "t", signature: "v1" };

    fn parse(grammar: Grammar, value: &str) -> Result<(Option<&str>, usize), &'static str> {
        let mut signatures = Signatures::default();
        let timestamp = grammar.parse(value.as_bytes(), Encoding::Hex, &mut signatures)?;
        Ok((timestamp.map(|t| std::str::from_utf8(t).unwrap()), signatures.count))
    }

    #[test]
    fn lists_pass_over_what_they_do_not_know() {
        let sig = "ab".repeat(32);
        assert_eq!(parse(LIST, &format!("t=1,v1={sig}")), Ok((Some("1"), 1)));
        assert_eq!(parse(LIST, &format!("v1={sig},t=1")), Ok((Some("1"), 1)));
        assert_eq!(
            parse(LIST, &format!("t=1,v1={sig},v2=zz,,=,x,v1=zz,v0={sig},v1={sig}")),
            Ok((Some("1"), 2))
        );
        assert_eq!(parse(LIST, &format!("t=1,t=1,v1={sig}")), Ok((Some("1"), 1)));
        assert_eq!(parse(LIST, &format!("t=1,t=2,v1={sig}")), Err("two different timestamps"));
        assert_eq!(parse(LIST, &format!("v1={sig}")), Err("no timestamp in the list"));
        let none = Err("no signature of an accepted version in the list");
        for list in
            ["t=1".to_owned(), format!("t=1,v0={sig}"), format!("t=1,v1={sig}0"), format!("t=1, v1={sig}")]
        {
            assert_eq!(parse(LIST, &list), none, "{list}");
        }
    }

    #[test]
    fn lists_are_read_up_to_a_bound() {
        let entry = format!(",v1={}", "ab".repeat(32));
        assert_eq!(parse(LIST, &format!("t=1{}", entry.repeat(10_000))), Ok((Some("1"), MAX_SIGNATURES)));
        assert_eq!(
            parse(LIST, &format!("{}t=1{entry}", "v0=00,".repeat(10_000))),
            Err("no timestamp in the list")
        );
    }

    #[test]
    fn digests_are_compared_over_their_full_length() {
        let mut signatures = Signatures::default();
        let digest = std::array::from_fn(|i| i as u8);
        assert!(!bool::from(signatures.contain(&[0; DIGEST_LEN])), "an empty place is no signature");
        signatures.push([0xff; DIGEST_LEN]);
        signatures.push(digest);
        assert!(bool::from(signatures.contain(&digest)));
        for bit in 0..DIGEST_LEN * 8 {
            let mut other = digest;
            other[bit / 8] ^= 1 << (bit % 8);
            assert!(!bool::from(signatures.contain(&other)), "{bit}");
        }
    }

    #[test]
    fn prefixes_are_exact() {
        let sig = "ab".repeat(32);
        let prefixed = Grammar::Prefixed("sha256=");
        assert_eq!(parse(prefixed, &format!("sha256={sig}")), Ok((None, 1)));
        for value in [
            sig.clone(),
            format!("SHA256={sig}"),
            format!("sha1={sig}"),
            format!("sha256={sig},sha256={sig}"),
        ] {
            assert!(parse(prefixed, &value).is_err(), "{value}");
        }
        assert!(parse(Grammar::Bare, &format!("sha256={sig}")).is_err());
    }
}
