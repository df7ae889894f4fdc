//! Signing: what a provider does with its key.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};
use zeroize::Zeroizing;

use super::{
    Algorithm, Scheme,
    key::{Unusable, basic},
};
use crate::secret::Secret;

/// The text that a provider with this secret would send: a signature over the content, or the secret itself.
///
/// For Ed25519 and ECDSA the secret is the private key: 32 bytes in the encoding that the scheme has for its public key.
pub(crate) fn sign(scheme: &Scheme, secret: &Secret, content: &[u8]) -> Result<Zeroizing<String>, Unusable> {
    let key = scheme.key.decode(secret.expose_secret()).ok_or(Unusable::Malformed(scheme.key.expected()))?;
    let signature = match scheme.algorithm {
        // What is not text is no header's value.
        Algorithm::Token => {
            return Ok(Zeroizing::new(std::str::from_utf8(&key).unwrap_or("\u{fffd}").to_owned()));
        }
        Algorithm::Basic => return basic(&key),
        Algorithm::Ed25519 => ed25519(&key, content)?,
        Algorithm::EcdsaP256 => ecdsa_p256(&key, content)?,
        Algorithm::HmacSha1 => hmac::<Hmac<Sha1>>(&key, content),
        Algorithm::HmacSha256 => hmac::<Hmac<Sha256>>(&key, content),
        Algorithm::HmacSha512 => hmac::<Hmac<Sha512>>(&key, content),
        // The key is part of the content.
        Algorithm::Sha256 => Sha256::digest(content).to_vec(),
    };
    Ok(Zeroizing::new(scheme.encoding.encode(&signature)))
}

fn hmac<M: KeyInit + Mac>(key: &[u8], content: &[u8]) -> Vec<u8> {
    match M::new_from_slice(key) {
        Ok(mac) => mac.chain_update(content).finalize().into_bytes().to_vec(),
        Err(_) => unreachable!("HMAC takes keys of any length (RFC 2104, section 2)"),
    }
}

#[cfg(feature = "ed25519")]
fn ed25519(key: &[u8], content: &[u8]) -> Result<Vec<u8>, Unusable> {
    use ed25519_dalek::{Signer, SigningKey};
    let key =
        SigningKey::try_from(key).map_err(|_| Unusable::Malformed("an Ed25519 private key of 32 bytes"))?;
    Ok(key.sign(content).to_bytes().to_vec())
}

#[cfg(not(feature = "ed25519"))]
fn ed25519(_key: &[u8], _content: &[u8]) -> Result<Vec<u8>, Unusable> {
    Err(Unusable::Feature("ed25519"))
}

#[cfg(feature = "ecdsa-p256")]
fn ecdsa_p256(key: &[u8], content: &[u8]) -> Result<Vec<u8>, Unusable> {
    use p256::ecdsa::{Signature, SigningKey, signature::Signer};
    let key =
        SigningKey::from_slice(key).map_err(|_| Unusable::Malformed("a private key on P-256 of 32 bytes"))?;
    let signature: Signature = key.sign(content);
    Ok(signature.to_der().as_bytes().to_vec())
}

#[cfg(not(feature = "ecdsa-p256"))]
fn ecdsa_p256(_key: &[u8], _content: &[u8]) -> Result<Vec<u8>, Unusable> {
    Err(Unusable::Feature("ecdsa-p256"))
}
