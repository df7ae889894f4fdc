//! The grammars of signature headers: bare, prefixed, `t=..,v1=..`.

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

/// What a signature header holds.
#[derive(Debug)]
pub(crate) struct Presented<'h> {
    /// The timestamp's text, for [`Grammar::KeyValue`].
    pub(crate) timestamp: Option<&'h [u8]>,
    pub(crate) signatures: Signatures,
}

/// The signatures of one header, decoded; at most [`MAX_SIGNATURES`].
#[derive(Clone, Debug)]
pub(crate) struct Signatures {
    digests: [[u8; DIGEST_LEN]; MAX_SIGNATURES],
    count: usize,
}

impl Signatures {
    pub(crate) const NONE: Self = Self { digests: [[0; DIGEST_LEN]; MAX_SIGNATURES], count: 0 };

    fn push(&mut self, digest: [u8; DIGEST_LEN]) {
        if let Some(place) = self.digests.get_mut(self.count) {
            *place = digest;
            self.count = self.count.saturating_add(1);
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8; DIGEST_LEN]> {
        self.digests.iter().take(self.count)
    }
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

    /// Reads a header. Entries of a list that are malformed or unknown are passed over.
    ///
    /// The error says what is wrong with the header as a whole.
    pub(crate) fn parse(self, value: &[u8], encoding: Encoding) -> Result<Presented<'_>, &'static str> {
        let mut presented = Presented { timestamp: None, signatures: Signatures::NONE };
        let mut take = |text| encoding.decode(text).map(|digest| presented.signatures.push(digest));
        match self {
            Self::Bare => take(value).ok_or("not a signature of this scheme's length and encoding")?,
            Self::Prefixed(prefix) => {
                let text = value.strip_prefix(prefix.as_bytes()).ok_or("the prefix is missing")?;
                take(text).ok_or("not a signature of this scheme's length and encoding")?;
            }
            Self::KeyValue { timestamp, signature } => {
                for (key, text) in entries(value) {
                    if key == signature.as_bytes() {
                        take(text);
                    } else if key == timestamp.as_bytes() {
                        match presented.timestamp {
                            Some(other) if other != text => return Err("two different timestamps"),
                            _ => presented.timestamp = Some(text),
                        }
                    }
                }
                if presented.timestamp.is_none() {
                    return Err("no timestamp in the list");
                }
                if presented.signatures.count == 0 {
                    return Err("no signature of an accepted version in the list");
                }
            }
        }
        Ok(presented)
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
        let presented = grammar.parse(value.as_bytes(), Encoding::Hex)?;
        let timestamp = presented.timestamp.map(|t| std::str::from_utf8(t).unwrap());
        Ok((timestamp, presented.signatures.iter().count()))
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
