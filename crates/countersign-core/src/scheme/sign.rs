//! Signing: what a provider does with its key.

use subtle::Choice;

use super::{
    Algorithm, Scheme, Signatures,
    key::{Key, Unusable, basic},
};
use crate::secret::Secret;

/// The text that a provider with this secret would send: a signature over the content, or the secret itself.
///
/// For Ed25519 and ECDSA the secret is the private key: 32 bytes in the encoding that the scheme has for its public key.
pub(crate) fn sign(scheme: &Scheme, secret: &Secret, content: &[u8]) -> Result<String, Unusable> {
    let key = scheme.key.decode(secret.expose_secret()).ok_or(Unusable::Malformed(scheme.key.expected()))?;
    let signature = match scheme.algorithm {
        Algorithm::Token => return Ok(String::from_utf8_lossy(&key).into_owned()),
        Algorithm::Basic => return basic(&key).map(|credentials| credentials.to_string()),
        Algorithm::Ed25519 => ed25519(&key, content)?,
        Algorithm::EcdsaP256 => ecdsa_p256(&key, content)?,
        _ => digest(&Key::new(scheme, secret)?, content),
    };
    Ok(scheme.encoding.encode(&signature))
}

fn digest(key: &Key, content: &[u8]) -> Vec<u8> {
    let mut digest = Vec::new();
    if let Some(mut hasher) = key.hasher(&Signatures::default()) {
        hasher.update(content);
        hasher.finalize(|bytes| {
            digest.extend_from_slice(bytes);
            Choice::from(1)
        });
    }
    digest
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
