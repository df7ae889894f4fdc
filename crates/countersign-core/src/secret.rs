//! `Secret` and `Secrets`: never empty, never printed, wiped when dropped.

use std::fmt;

use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

use crate::error::ConfigError;

/// The most secrets that can be live at once.
pub const MAX_SECRETS: usize = 8;

/// A secret that a provider signs with, or a token that it shows.
///
/// Used byte for byte as given. Cannot be empty or blank, has no `Display`, prints as `Secret(..)`, and is wiped
/// from memory when dropped. What is made from it, such as a verifier's key states, is wiped from the heap when its owner is dropped.
///
/// ```
/// use countersign_core::Secret;
///
/// let secret = Secret::new("rk_wh_abc123")?;
/// assert_eq!(format!("{secret:?}"), "Secret(..)");
/// assert!(Secret::new("  \n").is_err());
/// # Ok::<(), countersign_core::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes the secret as it stands: no trimming, no decoding.
    ///
    /// A `String` or a `Vec<u8>` is taken over and wiped when the secret is dropped. Every other copy remains the caller's: the text
    /// behind a `&str`, what a `String` left behind when it grew, the environment variable or the file that the secret came from.
    ///
    /// # Errors
    /// [`ConfigError::BlankSecret`] when it is empty or holds nothing but white space.
    pub fn new(secret: impl Into<Vec<u8>>) -> Result<Self, ConfigError> {
        let secret = Zeroizing::new(secret.into());
        let blank = match std::str::from_utf8(&secret) {
            Ok(text) => text.chars().all(is_blank),
            Err(_) => false,
        };
        if blank { Err(ConfigError::BlankSecret) } else { Ok(Self(secret)) }
    }

    /// The secret itself. Named to be easy to search for.
    pub fn expose_secret(&self) -> &[u8] {
        &self.0
    }
}

/// What an unset or misread setting leaves: white space, and the zeros of an empty buffer. Other control characters can be
/// part of a key that is not text (RFC 4231 has one of vertical tabs).
fn is_blank(c: char) -> bool {
    c == '\0' || c.is_whitespace() && !matches!(c, '\u{b}' | '\u{c}')
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl std::str::FromStr for Secret {
    type Err = ConfigError;

    fn from_str(secret: &str) -> Result<Self, ConfigError> {
        Self::new(secret)
    }
}

impl TryFrom<String> for Secret {
    type Error = ConfigError;

    fn try_from(secret: String) -> Result<Self, ConfigError> {
        Self::new(secret)
    }
}

/// The secrets that are live: one, or several while they are being rotated.
///
/// A delivery is genuine when any of them signed it. Signing uses the first.
///
/// ```
/// use countersign_core::{Secret, Secrets};
///
/// let rotating = Secrets::new([Secret::new("new secret")?, Secret::new("old secret")?])?;
/// assert_eq!(rotating.len(), 2);
/// # Ok::<(), countersign_core::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Secrets {
    live: Vec<Secret>,
    verify_token: Option<Secret>,
}

impl Secrets {
    /// Takes between 1 and [`MAX_SECRETS`] secrets.
    ///
    /// # Errors
    /// [`ConfigError::SecretCount`] when there are none or too many.
    pub fn new(secrets: impl IntoIterator<Item = Secret>) -> Result<Self, ConfigError> {
        let secrets: Vec<_> = secrets.into_iter().collect();
        match secrets.len() {
            1..=MAX_SECRETS => Ok(Self { live: secrets, verify_token: None }),
            count => Err(ConfigError::SecretCount { count, max: MAX_SECRETS }),
        }
    }

    /// How many there are.
    #[expect(clippy::len_without_is_empty, reason = "there is always one")]
    pub fn len(&self) -> usize {
        self.live.len()
    }

    /// Each of them, the current one first.
    pub fn iter(&self) -> impl Iterator<Item = &Secret> {
        self.live.iter()
    }

    /// With the verify token beside them, for a provider that shows one when it asks whether the endpoint is yours: what a
    /// [`SecretSource`](crate::SecretSource) knows of a tenant of Meta. See [`VerifierBuilder::verify_token`](crate::VerifierBuilder::verify_token),
    /// which goes before it.
    #[must_use]
    pub fn with_verify_token(mut self, token: Secret) -> Self {
        self.verify_token = Some(token);
        self
    }

    pub(crate) fn verify_token(&self) -> Option<&Secret> {
        self.verify_token.as_ref()
    }

    /// Whether these are the same in the same order. How long that takes says how many they are and how long each is, and no more.
    pub(crate) fn are(&self, others: &Self) -> bool {
        let (ours, theirs) = (self.live.iter(), others.live.iter());
        let pairs = ours.chain(&self.verify_token).zip(theirs.chain(&others.verify_token));
        let same = pairs.fold(Choice::from(1), |same, (one, other)| same & one.0.ct_eq(&other.0));
        let counts = |secrets: &Self| (secrets.len(), secrets.verify_token.is_some());
        counts(self) == counts(others) && bool::from(same)
    }
}

impl From<Secret> for Secrets {
    fn from(secret: Secret) -> Self {
        Self { live: vec![secret], verify_token: None }
    }
}

impl From<&Secret> for Secrets {
    fn from(secret: &Secret) -> Self {
        secret.clone().into()
    }
}

impl From<&Secrets> for Secrets {
    fn from(secrets: &Secrets) -> Self {
        secrets.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blank_secret_is_refused() {
        for blank in ["", " ", "\t\r\n", "\u{a0}\u{2003}", "\0\0"] {
            assert_eq!(Secret::new(blank).unwrap_err(), ConfigError::BlankSecret, "{blank:?}");
        }
        assert!(Secret::new([0xff]).is_ok());
        assert!(Secret::new([0x0b; 20]).is_ok());
        assert_eq!(Secret::new(" a ").unwrap().expose_secret(), b" a ");
    }

    #[test]
    fn secrets_are_the_same_when_each_is_and_none_is_missing() {
        let some =
            |words: &[&str]| Secrets::new(words.iter().map(|word| Secret::new(*word).unwrap())).unwrap();
        assert!(some(&["a", "b"]).are(&some(&["a", "b"])));
        for other in [&["a"][..], &["b", "a"], &["a", "bc"], &["a", "c"], &["a", "b", "c"]] {
            assert!(!some(&["a", "b"]).are(&some(other)), "{other:?}");
        }
        let with = |token: &str| some(&["a"]).with_verify_token(Secret::new(token).unwrap());
        assert!(with("b").are(&with("b")));
        assert!(
            !with("b").are(&with("c")) && !with("b").are(&some(&["a"])) && !with("b").are(&some(&["a", "b"]))
        );
    }

    #[test]
    fn the_list_is_bounded() {
        let some = |n| Secrets::new((0..n).map(|i| Secret::new(format!("secret {i}")).unwrap()));
        assert!(some(1).is_ok() && some(MAX_SECRETS).is_ok());
        assert_eq!(some(0).unwrap_err(), ConfigError::SecretCount { count: 0, max: MAX_SECRETS });
        assert_eq!(some(9).unwrap_err(), ConfigError::SecretCount { count: 9, max: MAX_SECRETS });
    }
}
