//! How the bytes of signatures and of keys are written, read strictly.

use std::borrow::Cow;

use base64ct::{Base64, Base64Unpadded, Encoding as _};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
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
                let (eights, rest) = text.as_chunks::<8>();
                let bytes = bytes.get_mut(..text.len() / 2).filter(|_| text.len().is_multiple_of(2))?;
                let (fours, last) = bytes.as_chunks_mut::<4>();
                let mut stray = 0;
                for (four, eight) in fours.iter_mut().zip(eights) {
                    stray |= unhex(eight, four);
                }
                // A digest of any algorithm ends with its last eight digits.
                let mut padded = ([b'0'; 8], [0; 4]);
                padded.0.iter_mut().zip(rest).for_each(|(place, digit)| *place = *digit);
                stray |= unhex(&padded.0, &mut padded.1);
                last.iter_mut().zip(padded.1).for_each(|(place, byte)| *place = byte);
                (stray == 0).then_some(bytes)
            }
            Self::Base64 => unbase64(text, bytes),
        }
    }

    pub(crate) fn encode(self, bytes: &[u8]) -> String {
        match self {
            Self::Hex => hex::encode(bytes),
            Self::Base64 => Base64::encode_string(bytes),
        }
    }
}

/// Reads eight hex digits in either case as one word. What is not zero tells of a byte that is none.
fn unhex(digits: &[u8; 8], bytes: &mut [u8; 4]) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let digits = u64::from_le_bytes(*digits);
    // A letter has the bit 0x40, and is worth nine more than its low half: `a` is 0x61.
    let letters = digits >> 6 & EACH;
    let lower = digits | letters << 5;
    let nibbles = (digits & (EACH * 0x0f)).wrapping_add(letters.wrapping_mul(9));
    // A digit is right when the value that was read of it is written so: 0x30 and above, or 0x57 and above for a letter; and when
    // that value is below ten for a number, and from ten to fifteen for a letter.
    let written = nibbles.wrapping_add(EACH * 0x30).wrapping_add(letters.wrapping_mul(0x27));
    let from_ten = nibbles.wrapping_add(EACH * 0x76) >> 7 & EACH;
    let from_sixteen = nibbles >> 4 & EACH;
    let pairs = (nibbles << 4 | nibbles >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs | pairs >> 8) & 0x0000_ffff_0000_ffff;
    *bytes = ((fours | fours >> 16) as u32).to_le_bytes();
    lower ^ written | from_ten ^ letters | from_sixteen
}

/// The values of base64's digits; 0xff for what is none.
static BASE64: [u8; 256] = {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut digits, mut value) = ([0xff; 256], 0_u8);
    while value < 64 {
        #[expect(clippy::indexing_slicing, reason = "checked when the program is compiled")]
        let digit = alphabet[value as usize];
        #[expect(clippy::indexing_slicing, reason = "checked when the program is compiled")]
        (digits[digit as usize] = value);
        value += 1;
    }
    digits
};

/// Reads padded base64, and nothing but its canonical form.
fn unbase64<'b>(text: &[u8], bytes: &'b mut [u8]) -> Option<&'b [u8]> {
    let (fours, odd) = text.as_chunks::<4>();
    let padding = match text {
        [.., b'=', b'='] => 2,
        [.., b'='] => 1,
        _ => 0,
    };
    let length = fours.len().checked_mul(3)?.checked_sub(padding)?;
    let bytes = bytes.get_mut(..length).filter(|_| odd.is_empty())?;
    let (threes, last) = bytes.as_chunks_mut::<3>();
    let value = |digit: u8| BASE64.get(usize::from(digit)).copied().unwrap_or(0xff);
    let mut stray = 0;
    for ([one, two, three], four) in threes.iter_mut().zip(fours) {
        let [a, b, c, d] = four.map(value);
        stray |= a | b | c | d;
        (*one, *two, *three) = (a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d);
    }
    // Bits that fill no byte are zero.
    match (last, fours.last()) {
        ([one, two], Some([a, b, c, _])) => {
            let (a, b, c) = (value(*a), value(*b), value(*c));
            stray |= a | b | c | u8::from(c & 0x03 != 0) << 7;
            (*one, *two) = (a << 2 | b >> 4, b << 4 | c >> 2);
        }
        ([one], Some([a, b, ..])) => {
            let (a, b) = (value(*a), value(*b));
            stray |= a | b | u8::from(b & 0x0f != 0) << 7;
            *one = a << 2 | b >> 4;
        }
        _ => {}
    }
    (stray < 64).then_some(bytes)
}

/// How a secret's bytes are written, where they are not the secret's text itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
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

/// A name in a description. What is no name may be a secret that was put in the wrong place, so the error does not repeat it.
impl<'de> Deserialize<'de> for KeyEncoding {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match &*Cow::<'de, str>::deserialize(deserializer)? {
            "utf8" => Ok(Self::Utf8),
            "hex" => Ok(Self::Hex),
            "base64" => Ok(Self::Base64),
            "whsec" => Ok(Self::Whsec),
            _ => Err(D::Error::custom(
                "key says how the secret is written: \"utf8\", \"hex\", \"base64\" or \"whsec\"; the secret itself has no place in \
                 a description",
            )),
        }
    }
}

impl KeyEncoding {
    /// The key's bytes; `None` where the secret is not written so, or holds no byte.
    ///
    /// Decodes into one buffer, which is wiped on failure as well. A buffer that grows would leave copies of the key behind.
    pub(crate) fn decode(self, secret: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let mut key = Zeroizing::new(secret.to_vec());
        let length = match self {
            Self::Utf8 => key.len(),
            Self::Hex => {
                let bytes = key.get_mut(..secret.len() / 2)?;
                hex::decode_to_slice(secret, bytes).ok()?;
                bytes.len()
            }
            Self::Base64 => base64(secret, &mut key)?,
            Self::Whsec => {
                let text = secret.strip_prefix(WHSEC.as_bytes()).unwrap_or(secret);
                base64_of_libraries(text, &mut key)?
            }
        };
        key.truncate(length);
        Some(key).filter(|key| !key.is_empty())
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

/// Fills the front of `bytes`, and says how many it took.
fn base64(text: &[u8], bytes: &mut [u8]) -> Option<usize> {
    let decoded = match text.ends_with(b"=") {
        true => Base64::decode(text, bytes),
        false => Base64Unpadded::decode(text, bytes),
    };
    decoded.ok().map(<[u8]>::len)
}

/// Base64 whose last digit may hold more bits than fill a byte: clears those, and reads what is then canonical.
fn base64_of_libraries(text: &[u8], bytes: &mut [u8]) -> Option<usize> {
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
    base64(&digits, bytes)
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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

    proptest! {
        #[test]
        fn texts_of_any_length_are_read_as_the_crates_read_them(
            bytes in prop::collection::vec(any::<u8>(), 0..80),
            at in any::<prop::sample::Index>(),
            other in any::<u8>(),
        ) {
            for encoding in [Encoding::Hex, Encoding::Base64] {
                let good = encoding.encode(&bytes);
                let mut changed = good.clone().into_bytes();
                if !changed.is_empty() {
                    let at = at.index(changed.len());
                    changed[at] = other;
                }
                for text in [good.as_bytes(), &changed, &changed[..changed.len() / 2]] {
                    let theirs = match encoding {
                        Encoding::Hex => hex::decode(text).ok(),
                        Encoding::Base64 => std::str::from_utf8(text).ok().and_then(|t| Base64::decode_vec(t).ok()),
                    };
                    let mut place = [0; 80];
                    prop_assert_eq!(encoding.decode_some(text, &mut place), theirs.as_deref());
                }
                let mut place = [0; 80];
                let short = place.get_mut(..bytes.len().saturating_sub(1)).unwrap();
                prop_assert!(bytes.is_empty() || encoding.decode_some(good.as_bytes(), short).is_none());
            }
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
