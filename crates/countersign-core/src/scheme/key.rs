//! Key states made once, and the hashes that start from them.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

use super::Algorithm;
use crate::secret::Secret;

/// The bytes of a SHA-256 digest.
pub(crate) const DIGEST_LEN: usize = 32;

/// A secret under an algorithm, ready for use: what depends on the secret alone is computed once.
///
/// Wiped from memory when dropped.
#[derive(Clone)]
pub(crate) enum Key {
    /// The two states of an HMAC.
    HmacSha256(Hmac<Sha256>),
    /// The state after the secret.
    Sha256(Sha256),
    /// The digest of the token: comparing digests tells nothing about the token's length.
    Token(Zeroizing<[u8; DIGEST_LEN]>),
}

impl Key {
    pub(crate) fn new(algorithm: Algorithm, secret: &Secret) -> Self {
        let secret = secret.expose_secret();
        match algorithm {
            Algorithm::HmacSha256 => match Hmac::new_from_slice(secret) {
                Ok(hmac) => Self::HmacSha256(hmac),
                Err(_) => unreachable!("HMAC takes keys of any length (RFC 2104, section 2)"),
            },
            Algorithm::Sha256 => Self::Sha256(Sha256::new().chain_update(secret)),
            Algorithm::Token => Self::Token(Zeroizing::new(Sha256::digest(secret).into())),
        }
    }

    /// Whether this is the token, in a time that depends on the length of what was shown and nothing else.
    pub(crate) fn is_token(&self, shown: &[u8]) -> Choice {
        match self {
            Self::Token(digest) => Sha256::digest(shown).as_slice().ct_eq(digest.as_slice()),
            _ => Choice::from(0),
        }
    }

    /// Starts hashing signed content. `None` for a token, which signs nothing.
    pub(crate) fn hasher(&self) -> Option<Hasher> {
        match self {
            Self::HmacSha256(hmac) => Some(Hasher::HmacSha256(hmac.clone())),
            Self::Sha256(sha256) => Some(Hasher::Sha256(sha256.clone())),
            Self::Token(_) => None,
        }
    }
}

/// Signed content being hashed.
pub(crate) enum Hasher {
    HmacSha256(Hmac<Sha256>),
    Sha256(Sha256),
}

impl Hasher {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::HmacSha256(hmac) => hmac.update(bytes),
            Self::Sha256(sha256) => Digest::update(sha256, bytes),
        }
    }

    pub(crate) fn finalize(self) -> [u8; DIGEST_LEN] {
        match self {
            Self::HmacSha256(hmac) => hmac.finalize().into_bytes().into(),
            Self::Sha256(sha256) => sha256.finalize().into(),
        }
    }
}
