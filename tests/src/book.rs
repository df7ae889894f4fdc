//! Schemes by the book: what a provider would send, from the words of its description and the algorithms' crates alone.

use base64ct::{Base64, Encoding as _};
use countersign::{Description, Secret};
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use serde_json::Value;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

/// A scheme as a description spells it.
#[derive(Clone, Debug, Deserialize)]
pub struct Scheme {
    /// What makes the signature.
    pub algorithm: String,
    /// The signature's header.
    pub header: String,
    /// The header of the id, where that is another than the description says.
    pub id_header: Option<String>,
    /// How that is laid out.
    pub grammar: Value,
    /// How the signature's bytes are written.
    pub encoding: String,
    /// How the secret's bytes are written.
    pub key: String,
    /// What its secrets begin with, where it uses only some.
    pub secret_prefix: Option<String>,
    /// Where the timestamp stands, and how it is written.
    pub timestamp: Option<Value>,
    /// What is signed.
    pub signs: Option<String>,
}

/// What a delivery's signed content is made of.
#[derive(Clone, Copy, Debug)]
pub struct Content<'c> {
    /// The id, as its header has it.
    pub id: &'c str,
    /// The timestamp, as it was sent; or else the text of the header that is signed and not interpreted.
    pub timestamp: &'c str,
    /// The URL that the provider was given.
    pub url: &'c str,
    /// The body.
    pub body: &'c [u8],
}

/// The schemes of a description that use the secret of its [`Keys`].
pub fn schemes(description: &Description) -> Vec<Scheme> {
    let written = serde_json::to_value(description).expect("a description can be written");
    let mut schemes: Vec<Scheme> =
        serde_json::from_value(written["scheme"].clone()).expect("a scheme has these fields");
    if schemes.iter().any(|scheme| scheme.secret_prefix.is_some()) {
        schemes.retain(|scheme| scheme.secret_prefix.is_some());
    }
    schemes
}

impl Scheme {
    /// Whether the request shows the secret itself.
    pub fn shows_secret(&self) -> bool {
        matches!(&*self.algorithm, "token" | "basic")
    }

    /// Whether the verifier has a public key.
    pub fn takes_public_key(&self) -> bool {
        matches!(&*self.algorithm, "ed25519" | "ecdsa-p256")
    }

    /// What is signed, as a template.
    pub fn template(&self) -> &str {
        match &self.signs {
            Some(template) => template,
            None if self.shows_secret() => "",
            None => "{body}",
        }
    }

    /// Where the timestamp stands: `header`, `body` or `signature`, and the name of that header or the path in the body.
    pub fn timestamp(&self) -> Option<(&str, &str)> {
        match &self.timestamp.as_ref()?["source"] {
            Value::Object(source) => source.iter().next().map(|(at, name)| (&**at, name.as_str().unwrap())),
            source => source.as_str().map(|at| (at, "")),
        }
    }

    /// The format of the timestamp.
    pub fn format(&self) -> &str {
        self.timestamp.as_ref().map_or("", |stamp| stamp["format"].as_str().unwrap())
    }

    /// The value of the signature's header, by the private key or the secret as it is written.
    pub fn header_value(&self, secret: &[u8], content: Content<'_>) -> String {
        let shown = self.shown(secret, content);
        let named = |name: &str| self.grammar[name].as_str().map(str::to_owned);
        match (&*self.algorithm, self.grammar.as_str()) {
            ("basic", _) => return format!("Basic {shown}"),
            (_, Some("bare")) => return shown,
            (_, Some("positional")) => return format!("{},{shown}", content.timestamp),
            _ => {}
        }
        if let Some(prefix) = named("prefix") {
            return format!("{prefix}{shown}");
        }
        if let Some(version) = named("versioned") {
            return format!("{version},{shown}");
        }
        let list = &self.grammar["list"];
        let word = |name: &str| list[name].as_str();
        let signature = format!("{}={shown}", word("signature").expect("a list has a key for signatures"));
        match word("timestamp") {
            Some(key) => {
                format!("{key}={}{}{signature}", content.timestamp, word("separator").expect("it parts"))
            }
            None => signature,
        }
    }

    /// The signature as it is sent, or the token.
    pub fn shown(&self, secret: &[u8], content: Content<'_>) -> String {
        fn mac<M: Mac + KeyInit>(key: &[u8], signed: &[u8]) -> Vec<u8> {
            <M as KeyInit>::new_from_slice(key).unwrap().chain_update(signed).finalize().into_bytes().to_vec()
        }
        let key = decoded(&self.key, secret);
        let signed = filled_in(self.template(), &key, content);
        let signature = match &*self.algorithm {
            "token" => return String::from_utf8(key).unwrap(),
            "basic" => return Base64::encode_string(&key),
            "hmac-sha1" => mac::<Hmac<Sha1>>(&key, &signed),
            "hmac-sha256" => mac::<Hmac<Sha256>>(&key, &signed),
            "hmac-sha512" => mac::<Hmac<Sha512>>(&key, &signed),
            "sha256" => Sha256::digest(&signed).to_vec(),
            "ed25519" => {
                use ed25519_dalek::Signer;
                let key = ed25519_dalek::SigningKey::try_from(&*key).unwrap();
                key.sign(&signed).to_bytes().to_vec()
            }
            "ecdsa-p256" => {
                use p256::ecdsa::signature::Signer;
                let key = p256::ecdsa::SigningKey::from_slice(&key).unwrap();
                let signature: p256::ecdsa::Signature = key.sign(&signed);
                signature.to_der().as_bytes().to_vec()
            }
            other => panic!("{other} has no book here: add it"),
        };
        match &*self.encoding {
            "hex" => hex::encode(signature),
            "base64" => Base64::encode_string(&signature),
            other => panic!("{other} has no book here: add it"),
        }
    }
}

fn filled_in(mut template: &str, key: &[u8], content: Content<'_>) -> Vec<u8> {
    let mut signed = Vec::new();
    while let Some((text, rest)) = template.split_once('{') {
        let (piece, rest) = rest.split_once('}').expect("braces come in pairs");
        signed.extend(text.as_bytes());
        signed.extend(match piece {
            "body" => content.body,
            "id" => content.id.as_bytes(),
            "timestamp" => content.timestamp.as_bytes(),
            header if header.starts_with("header:") => content.timestamp.as_bytes(),
            "url" => content.url.as_bytes(),
            "method" => b"POST",
            "secret" => key,
            other => panic!("{other} has no book here: add it"),
        });
        template = rest;
    }
    signed.extend(template.as_bytes());
    signed
}

fn decoded(encoding: &str, secret: &[u8]) -> Vec<u8> {
    let base64 = |text: &str| {
        let text = text.trim_end_matches('=');
        base64ct::Base64Unpadded::decode_vec(text).unwrap()
    };
    let text = || std::str::from_utf8(secret).unwrap();
    match encoding {
        "utf8" => secret.to_vec(),
        "hex" => hex::decode(secret).unwrap(),
        "base64" => base64(text()),
        "whsec" => base64(text().trim_start_matches("whsec_")),
        other => panic!("{other} has no book here: add it"),
    }
}

/// The secrets of a provider, written as it writes them: a signer's, and a verifier's. One and the same where nothing is public.
#[derive(Clone, Debug)]
pub struct Keys {
    /// What a signer has: the private key, where there is a public one.
    pub signing: Secret,
    /// What a verifier has.
    pub verifying: Secret,
}

impl Keys {
    /// Keys that are made of a word: equal words make equal keys. `None` where no one secret serves all schemes.
    pub fn of(description: &Description, word: &str) -> Option<Self> {
        let schemes = schemes(description);
        let first = schemes.first()?;
        let key: [u8; 32] = Sha256::digest(word).into();
        if first.takes_public_key() {
            let alike = |other: &Scheme| other.algorithm == first.algorithm && other.key == first.key;
            schemes.iter().all(alike).then_some(())?;
            let public = public_key(&first.algorithm, &key);
            return Some(Self {
                signing: written(&first.key, &key),
                verifying: written(&first.key, &public),
            });
        }
        let all = |name: &str| schemes.iter().all(|scheme| scheme.key == name);
        let secret = if schemes.iter().any(|scheme| scheme.algorithm == "basic") {
            all("utf8").then_some(())?;
            Secret::new(format!("user:{word}")).ok()?
        } else if all("utf8") {
            Secret::new(word).ok()?
        } else if all("whsec") {
            written("whsec", &key)
        } else {
            // Hexadecimal in 64 digits is base64 as well.
            written("hex", &key)
        };
        Some(Self { signing: secret.clone(), verifying: secret })
    }

    /// The keys of a provider that is built in.
    pub fn of_provider<P: countersign::Provider>(word: &str) -> Self {
        Self::of(P::DESCRIPTION, word).unwrap_or_else(|| panic!("{} has no keys here", P::NAME))
    }
}

fn written(encoding: &str, key: &[u8]) -> Secret {
    let text = match encoding {
        "hex" => hex::encode(key),
        "base64" => Base64::encode_string(key),
        "whsec" => format!("whsec_{}", Base64::encode_string(key)),
        other => panic!("{other} has no book here: add it"),
    };
    Secret::new(text).unwrap()
}

fn public_key(algorithm: &str, key: &[u8; 32]) -> Vec<u8> {
    // What stands before an uncompressed point on P-256 in DER (RFC 5480, section 2).
    const INFO: &str = "3059301306072a8648ce3d020106082a8648ce3d030107034200";
    match algorithm {
        "ed25519" => ed25519_dalek::SigningKey::from_bytes(key).verifying_key().to_bytes().to_vec(),
        _ => {
            let key = p256::ecdsa::SigningKey::from_slice(key).unwrap();
            [&hex::decode(INFO).unwrap(), key.verifying_key().to_sec1_point(false).as_bytes()].concat()
        }
    }
}
