//! Key states made once, and the hashes that start from them.

use hmac::{HmacReset, KeyInit};
use sha1::Sha1;
use sha2::{
    Digest as _, Sha256, Sha512,
    digest::{FixedOutputReset, Output, Update},
};
use subtle::Choice;
use zeroize::Zeroizing;

use super::{Algorithm, KeyEncoding, Scheme, Signatures, grammar::same};
use crate::{error::ConfigError, secret::Secret};

/// A secret under an algorithm, ready for use: what depends on the secret alone is computed once.
///
/// Wiped from memory when dropped. Each state is in a box, since moving a state would leave a copy behind. The box has the size of the
/// state: the unused bytes of a larger enum could hold a copy from the stack, and nobody would wipe them.
#[derive(Clone)]
pub(crate) enum Key {
    HmacSha1(Box<HmacReset<Sha1>>),
    HmacSha256(Box<HmacReset<Sha256>>),
    HmacSha512(Box<HmacReset<Sha512>>),
    /// The secret, which is part of the signed content.
    Sha256(Secret),
    /// The digest of what is shown: comparing digests tells nothing about a token's length.
    Shown(Box<Zeroizing<[u8; 32]>>),
    #[cfg(feature = "ed25519")]
    Ed25519(Box<ed25519_dalek::VerifyingKey>),
    #[cfg(feature = "ecdsa-p256")]
    EcdsaP256(Box<p256::ecdsa::VerifyingKey>),
}

/// Why a secret makes no key.
pub(crate) enum Unusable {
    /// It is not what the scheme needs.
    Malformed(&'static str),
    /// The scheme's algorithm is behind a feature.
    #[cfg_attr(
        all(feature = "ed25519", feature = "ecdsa-p256"),
        expect(dead_code, reason = "all features are on")
    )]
    Feature(&'static str),
}

impl Unusable {
    pub(crate) fn of(self, provider: String) -> ConfigError {
        match self {
            Self::Malformed(expected) => ConfigError::MalformedSecret { provider, expected },
            Self::Feature(feature) => ConfigError::MissingFeature { provider, feature },
        }
    }
}

impl Key {
    pub(crate) fn new(scheme: &Scheme, secret: &Secret) -> Result<Self, Unusable> {
        let key = decoded(scheme.key, secret)?;
        Ok(match scheme.algorithm {
            Algorithm::HmacSha1 => Self::HmacSha1(hmac(&key)),
            Algorithm::HmacSha256 => Self::HmacSha256(hmac(&key)),
            Algorithm::HmacSha512 => Self::HmacSha512(hmac(&key)),
            Algorithm::Sha256 => match Secret::new(key.to_vec()) {
                Ok(secret) => Self::Sha256(secret),
                Err(_) => return Err(Unusable::Malformed(scheme.key.expected())),
            },
            Algorithm::Token => Self::Shown(digest(&key)),
            Algorithm::Basic => Self::Shown(digest(basic(&key)?.as_bytes())),
            Algorithm::Ed25519 => ed25519(&key)?,
            Algorithm::EcdsaP256 => ecdsa_p256(&key)?,
        })
    }

    /// The key of a token that is shown as it is.
    pub(crate) fn shown(token: &Secret) -> Self {
        Self::Shown(digest(token.expose_secret()))
    }

    /// The HMAC-SHA256 of a text, in hex; `None` for a key of another algorithm.
    pub(crate) fn hmac_sha256(&self, text: &[u8]) -> Option<String> {
        let Self::HmacSha256(hmac) = self else { return None };
        Some(super::Encoding::Hex.encode(&hashed(&**hmac, |hash| hash.update(text))))
    }

    /// Whether this is what is to be shown, in a time that depends on the length of what was shown and nothing else.
    pub(crate) fn is_shown(&self, shown: &[u8]) -> Choice {
        match self {
            Self::Shown(expected) => same(&Sha256::digest(shown), expected.as_slice()),
            _ => Choice::from(0),
        }
    }

    /// Starts hashing signed content. `None` where nothing is signed, or no signature can be right.
    #[cfg_attr(
        not(feature = "ed25519"),
        expect(unused_variables, reason = "Ed25519 hashes its signature as well")
    )]
    pub(crate) fn hasher(&self, signatures: &Signatures) -> Option<Hasher> {
        match self {
            Self::HmacSha1(hmac) => Some(Hasher::HmacSha1(hmac.clone())),
            Self::HmacSha256(hmac) => Some(Hasher::HmacSha256(hmac.clone())),
            Self::HmacSha512(hmac) => Some(Hasher::HmacSha512(hmac.clone())),
            Self::Sha256(_) => Some(Hasher::Sha256(Box::default())),
            Self::Shown(_) => None,
            #[cfg(feature = "ed25519")]
            Self::Ed25519(key) => {
                let signature = ed25519_dalek::Signature::from_slice(signatures.iter().next()?).ok()?;
                key.verify_stream(&signature).ok().map(Box::new).map(Some).map(Hasher::Ed25519)
            }
            #[cfg(feature = "ecdsa-p256")]
            Self::EcdsaP256(_) => Some(Hasher::Sha256(Box::default())),
        }
    }

    /// Whether one of the signatures is this key's over the content that `feed` adds to its hash.
    pub(crate) fn has_signed_all(&self, signatures: &Signatures, feed: impl Fn(&mut dyn Update)) -> Choice {
        match self {
            Self::HmacSha1(hmac) => signatures.contain(&hashed(&**hmac, feed)),
            Self::HmacSha256(hmac) => signatures.contain(&hashed(&**hmac, feed)),
            Self::HmacSha512(hmac) => signatures.contain(&hashed(&**hmac, feed)),
            Self::Sha256(_) => signatures.contain(&hashed(&Sha256::new(), feed)),
            Self::Shown(_) => Choice::from(0),
            #[cfg(feature = "ed25519")]
            Self::Ed25519(_) => match self.hasher(signatures) {
                Some(mut hasher) => {
                    feed(&mut hasher);
                    self.has_signed(&mut hasher, signatures)
                }
                None => Choice::from(0),
            },
            #[cfg(feature = "ecdsa-p256")]
            Self::EcdsaP256(key) => has_signed_digest(key, &hashed(&Sha256::new(), feed), signatures),
        }
    }

    /// Adds the secret, where it is part of the signed content.
    pub(crate) fn hash_secret(&self, hash: &mut dyn Update) {
        if let Self::Sha256(secret) = self {
            hash.update(secret.expose_secret());
        }
    }

    /// Whether both are secrets that are part of the signed content, and content with this one could be read as content with the other.
    pub(crate) fn passes_as(&self, other: &Self, scheme: &Scheme) -> bool {
        match (self, other) {
            (Self::Sha256(one), Self::Sha256(two)) => {
                scheme.confuses(one.expose_secret(), two.expose_secret())
            }
            _ => false,
        }
    }

    /// Whether one of the signatures is this key's over what was hashed, which is used up where it stands.
    pub(crate) fn has_signed(&self, hasher: &mut Hasher, signatures: &Signatures) -> Choice {
        match (self, hasher) {
            (_, Hasher::HmacSha1(hmac)) => signatures.contain(&hmac.finalize_fixed_reset()),
            (_, Hasher::HmacSha256(hmac)) => signatures.contain(&hmac.finalize_fixed_reset()),
            (_, Hasher::HmacSha512(hmac)) => signatures.contain(&hmac.finalize_fixed_reset()),
            (Self::Sha256(_), Hasher::Sha256(sha256)) => signatures.contain(&sha256.finalize_fixed_reset()),
            #[cfg(feature = "ed25519")]
            (Self::Ed25519(_), Hasher::Ed25519(stream)) => {
                let genuine = stream.take().is_some_and(|stream| stream.finalize_and_verify().is_ok());
                Choice::from(u8::from(genuine))
            }
            #[cfg(feature = "ecdsa-p256")]
            (Self::EcdsaP256(key), Hasher::Sha256(sha256)) => {
                has_signed_digest(key, &sha256.finalize_fixed_reset(), signatures)
            }
            _ => Choice::from(0),
        }
    }
}

/// The hash of what `feed` adds. It is on the stack, so that a body that is there as a whole costs no allocation.
fn hashed<H: FixedOutputReset + Clone>(start: &H, feed: impl Fn(&mut dyn Update)) -> Output<H> {
    let mut hash = start.clone();
    feed(&mut hash);
    // In place: passing the hash by value would leave a copy behind.
    hash.finalize_fixed_reset()
}

fn decoded(encoding: KeyEncoding, secret: &Secret) -> Result<Zeroizing<Vec<u8>>, Unusable> {
    encoding.decode(secret.expose_secret()).ok_or(Unusable::Malformed(encoding.expected()))
}

fn hmac<M: KeyInit>(key: &[u8]) -> Box<M> {
    match M::new_from_slice(key) {
        Ok(hmac) => Box::new(hmac),
        Err(_) => unreachable!("HMAC takes keys of any length (RFC 2104, section 2)"),
    }
}

fn digest(shown: &[u8]) -> Box<Zeroizing<[u8; 32]>> {
    Box::new(Zeroizing::new(Sha256::digest(shown).into()))
}

/// The credentials of HTTP's basic authentication (RFC 7617, section 2).
pub(super) fn basic(user_and_password: &[u8]) -> Result<Zeroizing<String>, Unusable> {
    let has_either = user_and_password.iter().any(|byte| !matches!(byte, b':' | b' '));
    match has_either && user_and_password.contains(&b':') {
        true => Ok(Zeroizing::new(super::Encoding::Base64.encode(user_and_password))),
        false => Err(Unusable::Malformed("a user and a password, with a colon between them")),
    }
}

#[cfg(feature = "ed25519")]
fn ed25519(key: &[u8]) -> Result<Key, Unusable> {
    let key = key.try_into().ok().and_then(|key| ed25519_dalek::VerifyingKey::from_bytes(key).ok());
    // Under a key of small order, one signature is good for any content.
    let key = key.filter(|key| !key.is_weak());
    key.map(Box::new).map(Key::Ed25519).ok_or(Unusable::Malformed("an Ed25519 public key of 32 bytes"))
}

#[cfg(not(feature = "ed25519"))]
fn ed25519(_key: &[u8]) -> Result<Key, Unusable> {
    Err(Unusable::Feature("ed25519"))
}

#[cfg(feature = "ecdsa-p256")]
fn ecdsa_p256(key: &[u8]) -> Result<Key, Unusable> {
    use p256::{ecdsa::VerifyingKey, pkcs8::DecodePublicKey};
    let point = VerifyingKey::from_sec1_bytes(key).ok();
    let key = point.or_else(|| VerifyingKey::from_public_key_der(key).ok());
    key.map(Box::new)
        .map(Key::EcdsaP256)
        .ok_or(Unusable::Malformed("a public key on P-256, in DER or as a point"))
}

#[cfg(not(feature = "ecdsa-p256"))]
fn ecdsa_p256(_key: &[u8]) -> Result<Key, Unusable> {
    Err(Unusable::Feature("ecdsa-p256"))
}

/// Whether one of the signatures is this key's over what has this SHA-256.
#[cfg(feature = "ecdsa-p256")]
fn has_signed_digest(key: &p256::ecdsa::VerifyingKey, digest: &[u8], signatures: &Signatures) -> Choice {
    use p256::ecdsa::{Signature, signature::hazmat::PrehashVerifier};
    let right = |bytes| {
        Signature::from_slice(bytes).is_ok_and(|signature| key.verify_prehash(digest, &signature).is_ok())
    };
    Choice::from(u8::from(signatures.iter().any(right)))
}

/// Reads ECDSA's two numbers from DER into 64 bytes.
#[cfg(feature = "ecdsa-p256")]
pub(super) fn read_der(der: &[u8], place: &mut [u8]) -> Option<()> {
    let signature = p256::ecdsa::Signature::from_der(der).ok()?;
    let bytes = signature.to_bytes();
    (bytes.len() == place.len()).then(|| place.copy_from_slice(&bytes))
}

#[cfg(not(feature = "ecdsa-p256"))]
pub(super) fn read_der(_der: &[u8], _place: &mut [u8]) -> Option<()> {
    None
}

/// Signed content being hashed. Wiped from memory when dropped, and in boxes for the same reasons as a [`Key`].
pub(crate) enum Hasher {
    Sha256(Box<Sha256>),
    HmacSha1(Box<HmacReset<Sha1>>),
    HmacSha256(Box<HmacReset<Sha256>>),
    HmacSha512(Box<HmacReset<Sha512>>),
    #[cfg(feature = "ed25519")]
    Ed25519(Option<Box<ed25519_dalek::StreamVerifier>>),
}

impl Update for Hasher {
    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(sha256) => Update::update(&mut **sha256, bytes),
            Self::HmacSha1(hmac) => hmac.update(bytes),
            Self::HmacSha256(hmac) => hmac.update(bytes),
            Self::HmacSha512(hmac) => hmac.update(bytes),
            #[cfg(feature = "ed25519")]
            Self::Ed25519(stream) => {
                if let Some(stream) = stream {
                    stream.update(bytes);
                }
            }
        }
    }
}
