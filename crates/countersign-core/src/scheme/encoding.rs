//! How a signature's bytes are written: hex or base64, decoded strictly.

use base64ct::{Base64, Encoding as _};

use super::key::DIGEST_LEN;

/// How a signature's bytes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Encoding {
    /// Hexadecimal, in either case (RFC 4648, section 8).
    Hex,
    /// Standard base64, padded and canonical (RFC 4648, section 4).
    Base64,
}

impl Encoding {
    /// Reads exactly one digest: nothing shorter, longer, odd, stray or non-canonical.
    pub(crate) fn decode(self, text: &[u8]) -> Option<[u8; DIGEST_LEN]> {
        let mut digest = [0; DIGEST_LEN];
        match self {
            Self::Hex => {
                // In one sweep that is the same for every text, so that the compiler can take it in wide steps.
                let pairs = text.as_chunks::<2>().0;
                (text.len() == DIGEST_LEN * 2).then_some(())?;
                let mut stray = 0;
                for (byte, [high, low]) in digest.iter_mut().zip(pairs) {
                    let (high, low) = (nibble(*high), nibble(*low));
                    stray |= high | low;
                    *byte = high << 4 | low & 0xf;
                }
                (stray < 16).then_some(())?;
            }
            Self::Base64 => {
                let decoded = Base64::decode(text, &mut digest).ok()?;
                (decoded.len() == DIGEST_LEN).then_some(())?;
            }
        }
        Some(digest)
    }

    pub(crate) fn encode(self, digest: &[u8; DIGEST_LEN]) -> String {
        match self {
            Self::Hex => hex::encode(digest),
            Self::Base64 => Base64::encode_string(digest),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_is_taken_in_either_case_and_nothing_else_is() {
        let digest = [0xab; DIGEST_LEN];
        let good = "ab".repeat(32);
        assert_eq!(Encoding::Hex.encode(&digest), good);
        for text in [good.clone(), good.to_uppercase(), "aB".repeat(32)] {
            assert_eq!(Encoding::Hex.decode(text.as_bytes()), Some(digest), "{text}");
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
            assert_eq!(Encoding::Hex.decode(text.as_bytes()), None, "{text}");
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
                assert_eq!(Encoding::Hex.decode(&text), read.then_some(theirs), "{byte} at {at}");
            }
        }
    }

    #[test]
    fn base64_is_taken_in_its_one_canonical_form() {
        let digest = [0xfb; DIGEST_LEN];
        let good = Encoding::Base64.encode(&digest);
        assert_eq!(good, "+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/s=");
        assert_eq!(Encoding::Base64.decode(good.as_bytes()), Some(digest));
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
            assert_eq!(Encoding::Base64.decode(text.as_bytes()), None, "{text}");
        }
    }
}
