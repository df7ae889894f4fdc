//! `Vector`: a known answer of `vectors/<provider>.json`.

use std::{collections::BTreeMap, error::Error, fs, path::PathBuf};

use base64ct::{Base64, Encoding as _};
use countersign_core::{
    ConfigError, ConfigErrorKind, Delivery, Provider, Secret, Secrets, Settings, Timestamp, Verifier,
    VerifyError, scheme::Scheme,
};
use serde::Deserialize;

/// A request, and what must become of it.
#[derive(Clone, Debug)]
pub struct Vector {
    /// What it shows, in words.
    pub name: String,
    /// Where the answer comes from.
    pub source: String,
    /// The secrets that are live.
    pub secrets: Vec<Vec<u8>>,
    /// The kind that is configured for the endpoint.
    pub kind: Option<String>,
    /// Whether a signed timestamp is required.
    pub require_timestamp: bool,
    /// The URL that the provider was given.
    pub public_url: Option<String>,
    /// The method that the provider uses, where it is not `POST`.
    pub method: Option<String>,
    /// Each header's name and value.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// When it arrives.
    pub now: Timestamp,
    /// `valid`, or the class of the error in snake case.
    pub expect: String,
}

impl Vector {
    /// Every vector of a file, by the file's name without its extension.
    ///
    /// # Errors
    /// When the file is missing or a row does not fit.
    pub fn load(file: &str) -> Result<Vec<Self>, Box<dyn Error>> {
        let path = Self::folder().join(file).with_extension("json");
        let text = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let rows: Vec<Row> = serde_json::from_slice(&text).map_err(|error| format!("{file}: {error}"))?;
        rows.into_iter().map(|row| row.vector().map_err(|error| format!("{file}: {error}").into())).collect()
    }

    /// Where the files are.
    pub fn folder() -> PathBuf {
        [env!("CARGO_MANIFEST_DIR"), "vectors"].iter().collect()
    }

    /// A verifier, set up as the vector says.
    ///
    /// # Errors
    /// [`ConfigError`] where the vector is about one.
    pub fn verifier<P: Provider>(&self) -> Result<Verifier<P>, ConfigError> {
        let secrets: Result<Vec<_>, _> = self.secrets.iter().map(|secret| Secret::new(&**secret)).collect();
        let mut builder = Verifier::builder(Secrets::new(secrets?)?);
        if let Some(kind) = &self.kind {
            builder = builder.kind(kind);
        }
        if self.require_timestamp {
            builder = builder.require_timestamp();
        }
        if let Some(url) = &self.public_url {
            builder = builder.public_url(url.clone());
        }
        if let Some(method) = &self.method {
            builder = builder.method(method.clone());
        }
        builder.build()
    }

    /// The settings of a registry's provider, as the vector says.
    pub fn settings(&self) -> Settings {
        let mut settings = Settings::new();
        if let Some(kind) = &self.kind {
            settings = settings.kind(kind.clone());
        }
        if self.require_timestamp {
            settings = settings.require_timestamp();
        }
        if let Some(url) = &self.public_url {
            settings = settings.public_url(url.clone());
        }
        if let Some(method) = &self.method {
            settings = settings.method(method.clone());
        }
        settings
    }

    /// Whether the request must be refused before a byte of its body is read.
    pub fn refused_by_headers<P: Provider>(&self) -> bool {
        let is_there = |name: &str| self.headers.iter().any(|(header, _)| header.eq_ignore_ascii_case(name));
        let has_secret = |scheme: &&Scheme| {
            let is_for =
                |prefix: &str| self.secrets.iter().any(|secret| secret.starts_with(prefix.as_bytes()));
            scheme.secret_prefix().is_none_or(is_for)
        };
        let mut schemes = P::SCHEMES.iter().filter(has_secret);
        let deciding = schemes.find(|scheme| is_there(scheme.header_name()));
        let token = deciding.is_some_and(|scheme| scheme.algorithm().shows_secret());
        let in_body = P::SCHEMES.iter().any(Scheme::reads_timestamp_from_body);
        match &*self.expect {
            "valid" | "forbidden" | "wrong_endpoint" => false,
            "signature" => token,
            "timestamp" => !in_body,
            _ => true,
        }
    }
}

/// The verdict in the words of [`Vector::expect`].
pub fn verdict<P: Provider>(result: &Result<Delivery<P>, VerifyError>) -> String {
    match result {
        Ok(_) => "valid".to_owned(),
        Err(error) => snake_case(&format!("{:?}", error.kind())),
    }
}

/// The verdict on a set-up that was refused, in the words of [`Vector::expect`].
pub fn verdict_on_setup(error: &ConfigError) -> String {
    match (error, error.kind()) {
        (ConfigError::BlankSecret, _) => "blank_secret".to_owned(),
        (_, ConfigErrorKind::Secret) => "secret".to_owned(),
        (_, kind) => snake_case(&format!("{kind:?}")),
    }
}

fn snake_case(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.extend(letter.to_lowercase());
    }
    text
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    source: String,
    secret: Option<String>,
    #[serde(default)]
    secrets: Vec<String>,
    secret_hex: Option<String>,
    kind: Option<String>,
    #[serde(default)]
    require_timestamp: bool,
    public_url: Option<String>,
    method: Option<String>,
    headers: HeadersOfRow,
    body: Option<String>,
    body_base64: Option<String>,
    now: i64,
    expect: String,
    #[serde(rename = "note")]
    _note: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum HeadersOfRow {
    Object(BTreeMap<String, String>),
    Pairs(Vec<(String, String)>),
}

impl Row {
    fn vector(self) -> Result<Vector, Box<dyn Error>> {
        let mut secrets: Vec<_> =
            self.secret.into_iter().chain(self.secrets).map(String::into_bytes).collect();
        secrets.extend(self.secret_hex.map(hex::decode).transpose()?);
        let body = match (self.body, self.body_base64) {
            (Some(text), None) => text.into_bytes(),
            (None, Some(text)) => {
                Base64::decode_vec(&text).map_err(|error| format!("{}: {error}", self.name))?
            }
            _ => return Err(format!("{}: needs body or body_base64", self.name).into()),
        };
        Ok(Vector {
            name: self.name,
            source: self.source,
            secrets,
            kind: self.kind,
            require_timestamp: self.require_timestamp,
            public_url: self.public_url,
            method: self.method,
            headers: match self.headers {
                HeadersOfRow::Object(headers) => headers.into_iter().collect(),
                HeadersOfRow::Pairs(headers) => headers,
            },
            body,
            now: Timestamp::from_unix_seconds(self.now),
            expect: self.expect,
        })
    }
}
