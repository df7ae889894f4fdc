//! How the bytes of signatures and of keys are written, read strictly.

use base64ct::{Base64, Base64Unpadded, Encoding as _};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// How a signature's bytes are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Encoding {
    /// Hexadecimal, in either case (RFC 4648, section 8).
    #[default]
    Hex,
    /// Standard base64, padded and canonical (RFC 4648, section 4).
    Base64,
}

impl Encoding {
    /// Fills `bytes` with what the text holds: nothing shorter, longer, odd, stray or non-canonical.
    pub(crate) fn decode(self, text: &[u8], bytes: &mut [u8]) -> Option<()> {
        let length = bytes.len();
        (self.decode_some(text, bytes)?.len() == length).then_some(())
    }

    /// As [`decode`](Self::decode), for texts of fewer bytes as well.
    pub(crate) fn decode_some<'b>(self, text: &[u8], bytes: &'b mut [u8]) -> Option<&'b [u8]> {
        match self {
            Self::Hex => {
                // In one sweep that is the same for every text, so that the compiler can take it in wide steps.
                let (pairs, odd) = text.as_chunks::<2>();
                let bytes = bytes.get_mut(..pairs.len()).filter(|_| odd.is_empty())?;
                let mut stray = 0;
                for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
                    let (high, low) = (nibble(*high), nibble(*low));
                    stray |= high | low;
                    *byte = high << 4 | low & 0xf;
                }
                (stray < 16).then_some(bytes)
            }
            Self::Base64 => Base64::decode(text, bytes).ok(),
        }
    }

    pub(crate) fn encode(self, bytes: &[u8]) -> String {
        match self {
            Self::Hex => hex::encode(bytes),
            Self::Base64 => Base64::encode_string(bytes),
        }
    }
}

/// The value of a hex digit in either case; 16 or more for anything else.
const fn nibble(digit: u8) -> u8 {
    let (number, letter) = (digit.wrapping_sub(b'0'), (digit | 0x20).wrapping_sub(b'a'));
    if number < 10 {
        number
    } else if letter < 6 {
        letter.wrapping_add(10)
    } else {
        0xff
    }
}

/// How a secret's bytes are written, where they are not the secret's text itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum KeyEncoding {
    /// As they stand: the secret's text in UTF-8 is the key.
    #[default]
    Utf8,
    /// In hexadecimal, in either case.
    Hex,
    /// In standard base64; padding may be left away.
    Base64,
    /// As Standard Webhooks writes secrets: `whsec_`, which may be left away, and base64, whose padding may be as well. As in
    /// the specification's own libraries, the bits that the last digit has to spare are not looked at.
    Whsec,
}

impl KeyEncoding {
    /// The key's bytes; `None` where the secret is not written so, or holds no byte.
    pub(crate) fn decode(self, secret: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let key = match self {
            Self::Utf8 => secret.to_vec(),
            Self::Hex => hex::decode(secret).ok()?,
            Self::Base64 => base64(secret)?,
            Self::Whsec => base64_of_libraries(secret.strip_prefix(WHSEC.as_bytes()).unwrap_or(secret))?,
        };
        Some(Zeroizing::new(key)).filter(|key| !key.is_empty())
    }

    /// What a secret in this encoding must look like.
    pub(crate) const fn expected(self) -> &'static str {
        match self {
            Self::Utf8 => "text",
            Self::Hex => "hexadecimal",
            Self::Base64 => "base64",
            Self::Whsec => "`whsec_` and base64 behind it",
        }
    }
}

const WHSEC: &str = "whsec_";

fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(text).ok()?;
    match text.ends_with('=') {
        true => Base64::decode_vec(text),
        false => Base64Unpadded::decode_vec(text),
    }
    .ok()
}

/// Base64 whose last digit may hold more bits than fill a byte: clears those, and reads what is then canonical.
fn base64_of_libraries(text: &[u8]) -> Option<Vec<u8>> {
    let padded = text.ends_with(b"=") && text.len().is_multiple_of(4);
    let digits = match text {
        [digits @ .., b'=', b'='] | [digits @ .., b'='] if padded => digits,
        digits => digits,
    };
    let spare = match digits.len() % 4 {
        2 => 4,
        3 => 2,
        _ => 0,
    };
    let mut digits = Zeroizing::new(digits.to_vec());
    if let Some(last) = digits.last_mut() {
        let value = DIGITS.iter().position(|digit| digit == last)?;
        *last = *DIGITS.get(value >> spare << spare)?;
    }
    base64(&digits)
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST_LEN: usize = 32;

    fn decode(encoding: Encoding, text: &[u8]) -> Option<[u8; DIGEST_LEN]> {
        let mut digest = [0; DIGEST_LEN];
        encoding.decode(text, &mut digest).map(|()| digest)
    }

    #[test]
    fn hex_is_taken_in_either_case_and_nothing_else_is() {
        let digest = [0xab; DIGEST_LEN];
        let good = "ab".repeat(32);
        assert_eq!(Encoding::Hex.encode(&digest), good);
        for text in [good.clone(), good.to_uppercase(), "aB".repeat(32)] {
            assert_eq!(decode(Encoding::Hex, text.as_bytes()), Some(digest), "{text}");
        }
        for text in [
            String::new(),
            "ab".repeat(31),
            "ab".repeat(33),
            format!("{}a", "ab".repeat(31)),
            format!("{good}a"),
            format!(" {}", "ab".repeat(31)),
            format!("0x{}", "ab".repeat(31)),
            format!("{}ag", "ab".repeat(31)),
            format!("{}é", "ab".repeat(31)),
            "é".repeat(32),
            format!("{good}\n"),
        ] {
            assert_eq!(decode(Encoding::Hex, text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn hex_agrees_with_the_crate_on_every_byte() {
        for byte in 0..=u8::MAX {
            for at in [0, 1, 31, 62, 63] {
                let mut text = [b'7'; 64];
                text[at] = byte;
                let mut theirs = [0; DIGEST_LEN];
                let read = hex::decode_to_slice(text, &mut theirs).is_ok();
                assert_eq!(decode(Encoding::Hex, &text), read.then_some(theirs), "{byte} at {at}");
            }
        }
    }

    #[test]
    fn base64_is_taken_in_its_one_canonical_form() {
        let digest = [0xfb; DIGEST_LEN];
        let good = Encoding::Base64.encode(&digest);
        assert_eq!(good, "+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/s=");
        assert_eq!(decode(Encoding::Base64, good.as_bytes()), Some(digest));
        for text in [
            good.trim_end_matches('=').to_owned(),
            good.replace('+', "-").replace('/', "_"),
            good.replace("s=", "t="),
            format!("{good}="),
            format!("{good}\n"),
            format!(" {good}"),
            good.replace("/s=", "=="),
            String::new(),
            "é".repeat(22),
        ] {
            assert_eq!(decode(Encoding::Base64, text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn keys_are_read_as_they_are_written() {
        let check = |encoding: KeyEncoding, secret: &str, key: Option<&[u8]>| {
            assert_eq!(encoding.decode(secret.as_bytes()).as_deref().map(Vec::as_slice), key, "{secret}");
        };
        check(KeyEncoding::Utf8, "whsec_YQ==", Some(b"whsec_YQ=="));
        check(KeyEncoding::Hex, "00fF", Some(&[0, 0xff]));
        // The last two are as in the tests of Standard Webhooks' own libraries, whose secrets were cut off anywhere.
        for secret in ["YQ==", "YQ", "whsec_YQ==", "whsec_YQ", "whsec_YR", "whsec_YR=="] {
            check(KeyEncoding::Whsec, secret, Some(b"a"));
        }
        check(KeyEncoding::Base64, "YQ", Some(b"a"));
        check(KeyEncoding::Base64, "YR", None);
        for secret in [
            "whsec_",
            "whsec_YQ===",
            "whsec_=",
            "whsec_YWFh==",
            "whsec_Y",
            "whsec_YQ=",
            "whsk_YQ==",
            "WHSEC_YQ==",
            " YQ==",
            "YQ==\n",
            "_-8=",
        ] {
            check(KeyEncoding::Whsec, secret, None);
        }
        for secret in ["", "0", "0g", " 00", "0x00"] {
            check(KeyEncoding::Hex, secret, None);
        }
    }
}
