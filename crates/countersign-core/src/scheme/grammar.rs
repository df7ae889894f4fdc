//! The grammars of signature headers: bare, prefixed, `t=..,v1=..`, `v1,.. v1,..`, `<timestamp>,..`.

use std::borrow::Cow;

use memchr::memchr;
use serde::{Deserialize, Serialize};
use subtle::{Choice, ConstantTimeEq};

use super::{Algorithm, Encoding, key};

/// The most entries of a list that are looked at.
const MAX_ENTRIES: usize = 32;
/// The bytes that one header's signatures may take: 16 of up to 32 bytes, 8 of 64.
const ROOM: usize = 512;
/// The longest signature in the encoding of its bytes: ECDSA's in DER.
const MAX_DER: usize = 72;

/// How a signature header is laid out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Grammar {
    /// The signature and nothing else.
    #[default]
    Bare,
    /// The signature behind a fixed prefix, as in `sha256=..`.
    Prefix(Cow<'static, str>),
    /// A list of `key=value`, as in `t=..,v1=..`. Other keys are ignored.
    #[non_exhaustive]
    List {
        /// What stands between the entries: `,` or `;`.
        separator: char,
        /// The timestamp's key, where the list holds it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        timestamp: Option<Cow<'static, str>>,
        /// The key of each signature.
        signature: Cow<'static, str>,
    },
    /// Signatures behind their version, as in `v1,.. v1,..`, separated by blanks. Other versions are ignored.
    Versioned(Cow<'static, str>),
    /// The timestamp, then the signatures, separated by commas.
    Positional,
}

/// The signatures of one header, decoded; at most [`ROOM`] bytes of them.
#[derive(Clone, Debug)]
pub(crate) struct Signatures {
    bytes: [u8; ROOM],
    width: usize,
    count: usize,
}

impl Default for Signatures {
    fn default() -> Self {
        Self { bytes: [0; ROOM], width: 1, count: 0 }
    }
}

impl Signatures {
    /// Adds the signature that this text holds, where there is room; `None` when it holds none.
    fn take(&mut self, algorithm: Algorithm, encoding: Encoding, text: &[u8]) -> Option<()> {
        self.width = algorithm.width().max(1);
        let mut spare = [0; 64];
        let (start, room) = (self.count.saturating_mul(self.width), self.count < 16);
        let place = self.bytes.get_mut(start..start.saturating_add(self.width)).filter(|_| room);
        let (place, kept) = match place {
            Some(place) => (place, 1),
            None => (spare.get_mut(..self.width)?, 0),
        };
        match algorithm {
            Algorithm::EcdsaP256 => {
                let mut der = [0; MAX_DER];
                key::read_der(encoding.decode_some(text, &mut der)?, place)?;
            }
            _ => encoding.decode(text, place)?,
        }
        self.count = self.count.saturating_add(kept);
        Some(())
    }

    /// Whether this one is among them, in a time that depends on their number alone.
    pub(crate) fn contain(&self, signature: &[u8]) -> Choice {
        self.iter().fold(Choice::from(0), |known, other| known | same(signature, other))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.bytes.chunks_exact(self.width).take(self.count)
    }
}

/// Compares in words: an eighth of the steps that bytes take, and as constant in time.
pub(super) fn same(a: &[u8], b: &[u8]) -> Choice {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let words = a.iter().zip(b).map(|(a, b)| u64::from_ne_bytes(*a) ^ u64::from_ne_bytes(*b));
    words.fold(0, |difference, word| difference | word).ct_eq(&0)
        & a.len().ct_eq(&b.len())
        & a_rest.ct_eq(b_rest)
}

impl Grammar {
    /// Whether a header is meant for this grammar. Tells apart the forms that share a header.
    pub(crate) fn recognises(&self, value: &[u8]) -> bool {
        match self {
            Self::Bare | Self::Positional => true,
            Self::Prefix(prefix) => value.starts_with(prefix.as_bytes()),
            Self::List { separator, timestamp, signature } => entries(value, *separator).any(|(key, _)| {
                key == signature.as_bytes() || timestamp.as_deref().is_some_and(|name| key == name.as_bytes())
            }),
            Self::Versioned(version) => versions(value).any(|(name, _)| name == version.as_bytes()),
        }
    }

    /// Whether it can hold several signatures.
    pub(crate) const fn is_list(&self) -> bool {
        !matches!(self, Self::Bare | Self::Prefix(_))
    }

    /// Reads a header: its signatures into `signatures`, and the timestamp's text, where it holds one. Entries of a list that
    /// are malformed or unknown are passed over.
    ///
    /// The error says what is wrong with the header as a whole.
    pub(crate) fn parse<'h>(
        &self,
        value: &'h [u8],
        algorithm: Algorithm,
        encoding: Encoding,
        signatures: &mut Signatures,
    ) -> Result<Option<&'h [u8]>, &'static str> {
        let mut take = |text| signatures.take(algorithm, encoding, text);
        let mut found = None;
        match self {
            Self::Bare => take(value).ok_or(NOT_A_SIGNATURE)?,
            Self::Prefix(prefix) => {
                let text = value.strip_prefix(prefix.as_bytes()).ok_or("the prefix is missing")?;
                take(text).ok_or(NOT_A_SIGNATURE)?;
            }
            Self::List { separator, timestamp, signature } => {
                for (name, text) in entries(value, *separator) {
                    if name == signature.as_bytes() {
                        take(text);
                    } else if timestamp.as_deref().is_some_and(|key| name == key.as_bytes()) {
                        match found {
                            Some(other) if other != text => return Err("two different timestamps"),
                            _ => found = Some(text),
                        }
                    }
                }
                if timestamp.is_some() {
                    found.ok_or("no timestamp in the list")?;
                }
            }
            Self::Versioned(version) => {
                for (_, text) in versions(value).filter(|(name, _)| *name == version.as_bytes()) {
                    take(text);
                }
            }
            Self::Positional => {
                let mut entries = split(value, b',');
                found = entries.next();
                for text in entries {
                    take(text);
                }
            }
        }
        match signatures.count {
            0 => Err("no signature of an accepted version in the list"),
            _ => Ok(found),
        }
    }

    /// Writes a header, as the provider would.
    pub(crate) fn write(&self, timestamp: Option<&str>, signature: &str) -> String {
        let stamp = timestamp.unwrap_or_default();
        match self {
            Self::Bare => signature.to_owned(),
            Self::Prefix(prefix) => format!("{prefix}{signature}"),
            Self::List { separator, timestamp: Some(key), signature: name } => {
                format!("{key}={stamp}{separator}{name}={signature}")
            }
            Self::List { signature: name, .. } => format!("{name}={signature}"),
            Self::Versioned(version) => format!("{version},{signature}"),
            Self::Positional => format!("{stamp},{signature}"),
        }
    }
}

const NOT_A_SIGNATURE: &str = "not a signature of this scheme's length and encoding";

fn entries(list: &[u8], separator: char) -> impl Iterator<Item = (&[u8], &[u8])> {
    // One that is not ASCII parts nothing.
    let separator = u8::try_from(separator).unwrap_or_default();
    split(list, separator).filter_map(|entry| cut(entry, b'='))
}

fn versions(list: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    split(list, b' ').filter_map(|entry| cut(entry, b','))
}

/// The first entries of a list.
fn split(list: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(list);
    let entries = std::iter::from_fn(move || {
        let list = rest?;
        let (entry, behind) = match cut(list, separator) {
            Some((entry, behind)) => (entry, Some(behind)),
            None => (list, None),
        };
        rest = behind;
        Some(entry)
    });
    entries.take(MAX_ENTRIES)
}

/// What stands before the first of these bytes, and what behind it.
fn cut(entry: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let (before, from) = entry.split_at_checked(memchr(at, entry)?)?;
    Some((before, from.get(1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: Grammar =
        Grammar::List { separator: ',', timestamp: Some(Cow::Borrowed("t")), signature: Cow::Borrowed("v1") };

    fn parse(grammar: Grammar, value: &str) -> Result<(Option<&str>, usize), &'static str> {
        let mut signatures = Signatures::default();
        let timestamp =
            grammar.parse(value.as_bytes(), Algorithm::HmacSha256, Encoding::Hex, &mut signatures)?;
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
        assert_eq!(parse(LIST, &format!("t=1{}", entry.repeat(10_000))), Ok((Some("1"), 16)));
        assert_eq!(
            parse(LIST, &format!("{}t=1{entry}", "v0=00,".repeat(10_000))),
            Err("no timestamp in the list")
        );
    }

    #[test]
    fn signatures_are_compared_over_their_full_length() {
        for algorithm in [Algorithm::HmacSha1, Algorithm::HmacSha256, Algorithm::HmacSha512] {
            let mut signatures = Signatures::default();
            let signature: Vec<u8> = (0..algorithm.width() as u8).collect();
            let mut push =
                |bytes: &[u8]| signatures.take(algorithm, Encoding::Hex, hex::encode(bytes).as_bytes());
            push(&vec![0xff; algorithm.width()]).unwrap();
            push(&signature).unwrap();
            assert!(bool::from(signatures.contain(&signature)));
            assert!(
                !bool::from(signatures.contain(&vec![0; algorithm.width()])),
                "an empty place is no signature"
            );
            assert!(!bool::from(signatures.contain(&signature[1..])) && !bool::from(signatures.contain(&[])));
            for bit in 0..signature.len() * 8 {
                let mut other = signature.clone();
                other[bit / 8] ^= 1 << (bit % 8);
                assert!(!bool::from(signatures.contain(&other)), "{bit}");
            }
        }
    }

    #[test]
    fn versions_and_positions_are_read_as_lists() {
        let sig = "ab".repeat(32);
        let versioned = Grammar::Versioned("v1".into());
        assert_eq!(parse(versioned.clone(), &format!("v1,{sig}")), Ok((None, 1)));
        assert_eq!(
            parse(versioned.clone(), &format!("v2,{sig} v1,zz  v1 v1,{sig} v1a,{sig} v1,{sig}")),
            Ok((None, 2))
        );
        for list in
            ["", "v1", "v1,", &format!("v1,{sig},v1"), &format!("v2,{sig}"), &format!("v1={sig}"), &sig]
        {
            assert!(parse(versioned.clone(), list).is_err(), "{list}");
        }
        let positional = Grammar::Positional;
        assert_eq!(parse(positional.clone(), &format!("17,{sig}")), Ok((Some("17"), 1)));
        assert_eq!(parse(positional.clone(), &format!("17,zz,{sig},,{sig}")), Ok((Some("17"), 2)));
        for list in ["", "17", "17,", &sig, &format!("17;{sig}"), &format!("17, {sig}")] {
            assert!(parse(positional.clone(), list).is_err(), "{list}");
        }
        let semicolons = Grammar::List { separator: ';', timestamp: None, signature: "h1".into() };
        assert_eq!(parse(semicolons.clone(), &format!("ts=1;h1={sig}")), Ok((None, 1)));
        assert!(parse(semicolons, &format!("ts=1,h1={sig}")).is_err());
    }

    #[test]
    fn sixty_four_bytes_are_compared_eight_times() {
        let (mut signatures, sig) = (Signatures::default(), "ab".repeat(64));
        let list = format!("t=1{}", format!(",v1={sig}").repeat(20));
        LIST.parse(list.as_bytes(), Algorithm::HmacSha512, Encoding::Hex, &mut signatures).unwrap();
        assert_eq!(signatures.count, 8);
    }

    #[test]
    fn prefixes_are_exact() {
        let sig = "ab".repeat(32);
        let prefixed = Grammar::Prefix("sha256=".into());
        assert_eq!(parse(prefixed.clone(), &format!("sha256={sig}")), Ok((None, 1)));
        for value in [
            sig.clone(),
            format!("SHA256={sig}"),
            format!("sha1={sig}"),
            format!("sha256={sig},sha256={sig}"),
        ] {
            assert!(parse(prefixed.clone(), &value).is_err(), "{value}");
        }
        assert!(parse(Grammar::Bare, &format!("sha256={sig}")).is_err());
    }
}
