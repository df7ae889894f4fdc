//! `Lane`: the routes of one probe under one server, the deliveries for them, and the bodies that their handlers saw.

use std::{
    sync::{Mutex, MutexGuard},
    time::{Duration, SystemTime},
};

use countersign::{
    FixedSecrets, Provider, Receiver, ReceiverBuilder, Secret, Secrets, Signer, Timestamp, provider::Retake,
};

use crate::site::Store;

pub const SECRET: &str = "h0stile-s3cret";
pub const TOKEN: &str = "h0stile-t0ken";
pub const VERIFY_TOKEN: &str = "h0stile-verify";
/// Of every lane's receivers, in bytes: less than the window of a stream over HTTP/2.
pub const BODY_LIMIT: usize = 32 << 10;

/// The delivery that most probes send.
pub const BODY: &str =
    r#"{"event":"trial.expired","timestamp":"2024-01-15T10:30:00Z","data":{"userId":"pr1vate_1"}}"#;
/// A second one.
pub const OTHER: &str =
    r#"{"event":"trial.expired","timestamp":"2024-01-15T10:30:00Z","data":{"userId":"pr1vate_2"}}"#;
/// The one that is sent after a probe on the same connection. The handler answers it with 202.
pub const NEXT: &str =
    r#"{"event":"trial.expired","timestamp":"2024-01-15T10:30:00Z","data":{"userId":"pr1vate_3"}}"#;
/// One that is only sent within the body of another request. No handler may ever see it.
pub const SMUGGLED: &str =
    r#"{"event":"trial.expired","timestamp":"2024-01-15T10:30:00Z","data":{"userId":"pr1vate_4"}}"#;

/// The routes of one probe under one server:
/// - `/{key}/hmac`: Retake, which signs the body alone.
/// - `/{key}/token`: Raaft, which can be refused by its headers alone.
/// - `/{key}/meta` and `/{key}/dropbox`: their handshake is a `GET`.
/// - `/webhooks/{provider}/{key}`: a registry with the key as tenant.
#[derive(Debug)]
pub struct Lane {
    /// Also the name of its endpoint and of its tenant. No key starts with another one.
    pub key: String,
    pub read_timeout: Duration,
    seen: Mutex<Vec<Vec<u8>>>,
}

impl Lane {
    pub fn new(key: String, read_timeout: Duration) -> Self {
        Self { key, read_timeout, seen: Mutex::default() }
    }

    /// The handler: the status to answer with.
    pub fn handle(&self, body: &[u8]) -> u16 {
        self.lock().push(body.to_vec());
        if body == NEXT.as_bytes() { 202 } else { 200 }
    }

    /// The bodies that handlers saw, in their order.
    pub fn seen(&self) -> Vec<Vec<u8>> {
        self.lock().clone()
    }

    /// Whether a handler may ever see it.
    pub fn is_genuine(body: &[u8]) -> bool {
        let padded = |body: &[u8]| body.trim_ascii_end() == BODY.as_bytes();
        [BODY, OTHER, NEXT].iter().any(|known| known.as_bytes() == body) || body == gzipped() || padded(body)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.seen.lock().unwrap()
    }

    pub fn receiver<P: Provider>(&self, store: &Store, secret: &str) -> Receiver<P> {
        self.set_up(Receiver::builder(Secret::new(secret).unwrap()), store).build().unwrap()
    }

    pub fn asked<P: Provider>(&self, store: &Store) -> Receiver<P> {
        let builder = self.set_up(Receiver::builder(Secret::new(SECRET).unwrap()), store);
        builder.verify_token(Secret::new(VERIFY_TOKEN).unwrap()).build().unwrap()
    }

    fn set_up<P: Provider>(&self, builder: ReceiverBuilder<P>, store: &Store) -> ReceiverBuilder<P> {
        let builder = builder.store(store.clone()).endpoint(&*self.key);
        builder.body_limit(BODY_LIMIT).read_timeout(self.read_timeout)
    }

    /// Adds the secrets of its tenant.
    pub fn add_to(&self, secrets: FixedSecrets) -> FixedSecrets {
        let all = || Secrets::new([Secret::new(SECRET).unwrap()]).unwrap();
        let token = || Secret::new(VERIFY_TOKEN).unwrap();
        let secrets = secrets.with("meta", &*self.key, all().with_verify_token(token()));
        secrets.with("retake", &*self.key, all()).with("slack", &*self.key, all())
    }

    /// Fills in a template's placeholders. Other braces stay.
    pub fn fill(&self, template: &str) -> String {
        let mut parts = template.split('{');
        let mut filled = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let named = part.split_once('}').and_then(|(name, rest)| Some((self.value_of(name)?, rest)));
            match named {
                Some((value, rest)) => filled.extend([&value, rest]),
                None => filled.extend(["{", part]),
            }
        }
        filled
    }

    fn value_of(&self, placeholder: &str) -> Option<String> {
        Some(match placeholder {
            "key" => self.key.clone(),
            "body" => BODY.to_owned(),
            "len" => BODY.len().to_string(),
            "hex" => format!("{:x}", BODY.len()),
            "sig" => signature(BODY),
            "forged" => signature(OTHER),
            "token" => TOKEN.to_owned(),
            "verify" => VERIFY_TOKEN.to_owned(),
            "now" => Timestamp::from(SystemTime::now()).unix_seconds().to_string(),
            "other" => self.post(OTHER),
            "next" => self.post(NEXT),
            "smuggled" => self.post(SMUGGLED),
            "smuggled-len" => self.post(SMUGGLED).len().to_string(),
            "smuggled-hex" => format!("{:x}", self.post(SMUGGLED).len()),
            _ => return None,
        })
    }

    /// A whole genuine request.
    fn post(&self, body: &str) -> String {
        let (key, signature, length) = (&self.key, signature(body), body.len());
        format!(
            "POST /{key}/hmac HTTP/1.1\r\nhost: test\r\nx-webhook-signature: {signature}\r\ncontent-length: {length}\r\n\r\n{body}"
        )
    }
}

/// `BODY` in gzip's format: a header, one stored block, CRC-32 and length (RFC 1951, 1952).
pub fn gzipped() -> Vec<u8> {
    let length = u16::try_from(BODY.len()).unwrap();
    let mut bytes = b"\x1f\x8b\x08\0\0\0\0\0\0\xff\x01".to_vec();
    bytes.extend([length.to_le_bytes(), (!length).to_le_bytes()].concat());
    bytes.extend(BODY.as_bytes());
    bytes.extend(0xb303f08c_u32.to_le_bytes());
    bytes.extend(u32::from(length).to_le_bytes());
    bytes
}

/// Retake's signature of this body.
pub fn signature(body: impl AsRef<[u8]>) -> String {
    let signer = Signer::<Retake>::new(&Secret::new(SECRET).unwrap());
    let headers = signer.sign(body.as_ref(), Timestamp::from(SystemTime::now())).unwrap();
    headers.iter().find(|(name, _)| *name == "x-webhook-signature").unwrap().1.to_owned()
}
