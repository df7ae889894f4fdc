//! Signatures by the book: over content in one piece, by the algorithms' crates alone.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use crate::{
    provider::Description,
    scheme::{Algorithm, Encoding, KeyEncoding, Scheme},
    secret::Secret,
};

/// What an ordinary provider signs with here. An input that verifies without its help is a forgery.
pub(super) const SECRET: &str = "s3cret of the fuzz targets";
const CREDENTIALS: &str = "fuzz:s3cret of the fuzz targets";
/// A key of 32 bytes; private, where there is a public one.
const KEY: [u8; 32] = *b"thirty-two bytes of a secret key";

/// The secrets of a provider, written as it writes them.
pub(super) struct Keys {
    pub(super) signing: Secret,
    pub(super) verifying: Secret,
}

impl Keys {
    /// `None` where no one secret serves all schemes, or a feature is off.
    pub(super) fn of(description: &Description) -> Option<Self> {
        let schemes = description.schemes();
        let is_for_signing_tokens = |scheme: &Scheme| {
            scheme.key == KeyEncoding::Whsec && scheme.secret_prefix.as_deref() == Some("whsec_")
        };
        let all = |key: KeyEncoding| schemes.iter().all(|scheme| scheme.key == key);
        let text = match schemes {
            [first, others @ ..] if first.algorithm.takes_public_key() => {
                let is_alike = |other: &Scheme| other.algorithm == first.algorithm && other.key == first.key;
                others.iter().all(is_alike).then_some(())?;
                let public = written(first.key, &public_key(first.algorithm)?);
                return Some(Self { signing: written(first.key, &KEY), verifying: public });
            }
            _ if schemes.iter().any(is_for_signing_tokens) => written(KeyEncoding::Whsec, &KEY),
            _ if schemes.iter().any(|scheme| scheme.algorithm == Algorithm::Basic) => secret(CREDENTIALS),
            _ if all(KeyEncoding::Utf8) => secret(SECRET),
            _ if all(KeyEncoding::Whsec) => written(KeyEncoding::Whsec, &KEY),
            // Hexadecimal in 64 digits is base64 as well.
            _ => written(KeyEncoding::Hex, &KEY),
        };
        let mut using = schemes.iter().filter(|scheme| scheme.uses(&text, schemes)).peekable();
        using.peek()?;
        using.all(|scheme| scheme.key.decode(text.expose_secret()).is_some()).then_some(())?;
        Some(Self { signing: text.clone(), verifying: text })
    }

    /// The key's bytes under a scheme.
    pub(super) fn bytes(&self, scheme: &Scheme) -> Vec<u8> {
        scheme.key.decode(self.signing.expose_secret()).expect("it was tried").to_vec()
    }
}

fn secret(text: &str) -> Secret {
    Secret::new(text).expect("it is not blank")
}

fn written(encoding: KeyEncoding, key: &[u8]) -> Secret {
    secret(&match encoding {
        KeyEncoding::Utf8 | KeyEncoding::Hex => Encoding::Hex.encode(key),
        KeyEncoding::Base64 => Encoding::Base64.encode(key),
        KeyEncoding::Whsec => format!("whsec_{}", Encoding::Base64.encode(key)),
    })
}

/// What the signature's header shows, as a text within it: the signature over the content, or the token.
pub(super) fn shown(scheme: &Scheme, keys: &Keys, content: &[u8]) -> String {
    let key = keys.bytes(scheme);
    match scheme.algorithm {
        Algorithm::Token => String::from_utf8_lossy(&key).into_owned(),
        Algorithm::Basic => Encoding::Base64.encode(&key),
        algorithm => scheme.encoding.encode(&signature(algorithm, &key, content)),
    }
}

fn signature(algorithm: Algorithm, key: &[u8], content: &[u8]) -> Vec<u8> {
    fn mac<M: Mac + KeyInit>(key: &[u8], content: &[u8]) -> Vec<u8> {
        let mac = <M as KeyInit>::new_from_slice(key).expect("keys have any length");
        mac.chain_update(content).finalize().into_bytes().to_vec()
    }
    match algorithm {
        Algorithm::HmacSha1 => mac::<Hmac<Sha1>>(key, content),
        Algorithm::HmacSha256 => mac::<Hmac<Sha256>>(key, content),
        Algorithm::HmacSha512 => mac::<Hmac<Sha512>>(key, content),
        Algorithm::Sha256 => Sha256::digest(content).to_vec(),
        Algorithm::Ed25519 => ed25519(key, content),
        Algorithm::EcdsaP256 => ecdsa_p256(key, content),
        Algorithm::Token | Algorithm::Basic => Vec::new(),
    }
}

/// A signature as it is kept, written as it is sent.
pub(super) fn sent(scheme: &Scheme, signature: &[u8]) -> String {
    match scheme.algorithm {
        Algorithm::EcdsaP256 => scheme.encoding.encode(&der(signature)),
        _ => scheme.encoding.encode(signature),
    }
}

#[cfg(feature = "ed25519")]
fn ed25519(key: &[u8], content: &[u8]) -> Vec<u8> {
    use ed25519_dalek::{Signer, SigningKey};
    let key = SigningKey::try_from(key).expect("it is of 32 bytes");
    key.sign(content).to_bytes().to_vec()
}

#[cfg(not(feature = "ed25519"))]
fn ed25519(_key: &[u8], _content: &[u8]) -> Vec<u8> {
    Vec::new()
}

#[cfg(feature = "ecdsa-p256")]
fn ecdsa_p256(key: &[u8], content: &[u8]) -> Vec<u8> {
    use p256::ecdsa::{Signature, SigningKey, signature::Signer};
    let signature: Signature = SigningKey::from_slice(key).expect("it is of 32 bytes").sign(content);
    signature.to_der().as_bytes().to_vec()
}

#[cfg(not(feature = "ecdsa-p256"))]
fn ecdsa_p256(_key: &[u8], _content: &[u8]) -> Vec<u8> {
    Vec::new()
}

#[cfg(feature = "ecdsa-p256")]
fn der(signature: &[u8]) -> Vec<u8> {
    let signature = p256::ecdsa::Signature::from_slice(signature).expect("it was read from DER");
    signature.to_der().as_bytes().to_vec()
}

#[cfg(not(feature = "ecdsa-p256"))]
fn der(signature: &[u8]) -> Vec<u8> {
    signature.to_vec()
}

/// The public key of [`KEY`]; `None` where the algorithm's feature is off.
fn public_key(algorithm: Algorithm) -> Option<Vec<u8>> {
    match algorithm {
        #[cfg(feature = "ed25519")]
        Algorithm::Ed25519 => {
            Some(ed25519_dalek::SigningKey::from_bytes(&KEY).verifying_key().to_bytes().to_vec())
        }
        #[cfg(feature = "ecdsa-p256")]
        Algorithm::EcdsaP256 => {
            let key = p256::ecdsa::SigningKey::from_slice(&KEY).ok()?;
            Some(key.verifying_key().to_sec1_point(false).as_bytes().to_vec())
        }
        _ => None,
    }
}
