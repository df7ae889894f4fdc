//! `Algorithm`: what turns the signed content and the secret into a signature.

use serde::{Deserialize, Serialize};

/// What turns the signed content and the secret into a signature, or stands in for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Algorithm {
    /// HMAC-SHA1 (RFC 2104, FIPS 180-4), keyed by the secret. Unbroken as a MAC, and only for providers that offer no better.
    HmacSha1,
    /// HMAC-SHA256 (RFC 2104, FIPS 180-4), keyed by the secret.
    HmacSha256,
    /// HMAC-SHA512 (RFC 2104, FIPS 180-4), keyed by the secret.
    HmacSha512,
    /// Plain SHA-256 over signed content that holds the `{secret}`. Open to length extension where the secret stands before
    /// the body, so there only with [`BodyRule::JsonText`](super::BodyRule::JsonText).
    Sha256,
    /// No signature: the secret itself is shown.
    Token,
    /// No signature: the secret, `user:password`, is shown as HTTP's basic authentication (RFC 7617).
    Basic,
    /// Ed25519 (RFC 8032); the secret is the provider's public key, 32 bytes. Needs the feature `ed25519`.
    Ed25519,
    /// ECDSA on P-256 over SHA-256 (FIPS 186-5), the signature in DER; the secret is the provider's public key in DER
    /// (`SubjectPublicKeyInfo`) or as a point (SEC 1). Needs the feature `ecdsa-p256`.
    EcdsaP256,
}

impl Algorithm {
    /// Whether the request shows the secret in place of a signature.
    pub const fn shows_secret(self) -> bool {
        matches!(self, Self::Token | Self::Basic)
    }

    /// Whether what a verifier has for its secret is a public key, which anybody may know.
    pub(crate) const fn takes_public_key(self) -> bool {
        matches!(self, Self::Ed25519 | Self::EcdsaP256)
    }

    /// The bytes of a signature as they are compared; 0 where there is none.
    pub(crate) const fn width(self) -> usize {
        match self {
            Self::HmacSha1 => 20,
            Self::HmacSha256 | Self::Sha256 => 32,
            Self::HmacSha512 | Self::Ed25519 | Self::EcdsaP256 => 64,
            Self::Token | Self::Basic => 0,
        }
    }

    /// Its name in descriptions.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HmacSha1 => "hmac-sha1",
            Self::HmacSha256 => "hmac-sha256",
            Self::HmacSha512 => "hmac-sha512",
            Self::Sha256 => "sha256",
            Self::Token => "token",
            Self::Basic => "basic",
            Self::Ed25519 => "ed25519",
            Self::EcdsaP256 => "ecdsa-p256",
        }
    }
}
