//! The fuzz targets' seeds, made from the vectors.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use base64ct::{Base64, Encoding as _};
use countersign::{Provider, for_each_provider, provider};
use serde_json::Value;

/// The seeds of each target, by its name.
pub type Seeds = BTreeMap<&'static str, BTreeSet<Vec<u8>>>;

/// Seeds that no vector has.
const EXTREMES: &[(&str, &[&str])] = &[
    (
        "timestamp",
        &[
            "0\n0\n0",
            "9223372036854775807\n-9223372036854775808\n300",
            "-9223372036854775808\n9223372036854775807\n-9223372036854775808",
            "1705689600\n1705689901\n300",
        ],
    ),
    (
        "decimal",
        &[
            "0.1\n0.10",
            "-0\n0e400",
            "0e-84\n0.00000000000000000000000000000000000010",
            "12345678901234567.89\n1e37",
            "170141183460469231731687303715884105727\n-1.5E-3",
        ],
    ),
    ("date_time", &["2024-02-29T23:59:60.999999999-05:30", "0000-01-01", "9999-12-31 23:59+2359", "-1"]),
    ("json", &["[[[]],{}]", "\"\\ud83e\\udd80\"", "-0.0e+00", "{\"a\":1,\"\\u0061\":2}"]),
    (
        "readings",
        &["0", "1", "the first byte chooses a provider, all of them a description and its deliveries"],
    ),
    ("signature_header", &["t=1,v1=00,v1=zz,v0=", "sha256="]),
    (
        "description",
        &[
            "name = \"acme\"\n[[scheme]]\nalgorithm = \"sha256\"\nheader = \"X-Sig\"\nsigns = \"{body}{secret}\"\nkey = \"hex\"\n",
            "name = \"acme\"\n[[scheme]]\nalgorithm = \"hmac-sha1\"\nheader = \"a\"\nsigns = \"{url}{body}\"\npublic_url = \"x\"\n",
            "{\"name\":\"acme\",\"scheme\":[]}",
        ],
    ),
    (
        "handshake",
        &[
            "challenge=abc123",
            "a=%41+b&challenge=%7e%2B&challenge=~%2b",
            "mode=subscribe&challenge=1158201444&token=meatyhamhock",
            r#"{"type":"ask","a":{"text":"qgg8vlvZRS6UYooatFL8Aw"}}"#,
            r#"{"a":{"text":"v0:1:\u007b\"\\"},"type":"ask"}"#,
            r#"{"type":"ask"}"#,
        ],
    ),
];

/// Every seed there is.
pub fn seeds() -> Seeds {
    let mut seeds = Seeds::new();
    for (name, texts) in EXTREMES {
        seeds.entry(name).or_default().extend(texts.iter().map(|text| text.as_bytes().to_vec()));
    }
    seeds.entry("description").or_default().extend(descriptions());
    // What an algorithm's own rows show is beyond the providers' grammars, and they are many.
    let of_a_provider =
        |path: &PathBuf| !["ecdsa_p256", "rfc8032"].iter().any(|name| path.ends_with(format!("{name}.json")));
    for path in files(&repository().join("tests/vectors"), "json").filter(of_a_provider) {
        let vectors: Vec<Value> = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        vectors.iter().for_each(|vector| add_vector(&mut seeds, vector));
    }
    seeds
}

/// Each provider's description, as JSON and as TOML.
fn descriptions() -> Vec<Vec<u8>> {
    fn written<P: Provider>() -> [Vec<u8>; 2] {
        let json = serde_json::to_vec(P::DESCRIPTION).expect("a description can be written");
        [json, toml::to_string(P::DESCRIPTION).expect("a description can be written").into_bytes()]
    }
    let mut all = Vec::new();
    macro_rules! each {
        ($($module:ident => $provider:ident),* $(,)?) => { $(all.extend(written::<provider::$provider>());)* };
    }
    for_each_provider!(each);
    all
}

/// One vector's seeds: its request as a whole, each header's value, and each value of its payload.
fn add_vector(seeds: &mut Seeds, vector: &Value) {
    let mut add = |name, seed: Vec<u8>| seeds.entry(name).or_default().insert(seed);
    let body = match (vector["body"].as_str(), vector["body_base64"].as_str()) {
        (Some(text), _) => text.as_bytes().to_vec(),
        (None, Some(base64)) => Base64::decode_vec(base64).unwrap(),
        (None, None) => Vec::new(),
    };
    let now = vector["now"].as_i64().unwrap_or_default();
    let mut request = format!("now: {now}\n");
    for (name, value) in headers(&vector["headers"]) {
        request += &format!("{name}: {value}\n");
        add("timestamp", format!("{value}\n{now}\n300").into_bytes());
        add("signature_header", value.into_bytes());
    }
    let request = [request.as_bytes(), b"\n", &body].concat();
    for name in ["verify", "event", "dedupe_key"] {
        add(name, request.clone());
    }
    let mut values = Vec::new();
    collect(&serde_json::from_slice(&body).unwrap_or_default(), &mut values);
    for value in values {
        add("date_time", value.clone().into_bytes());
        add("decimal", format!("{value}\n1.50").into_bytes());
    }
    add("json", body);
}

fn headers(headers: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match headers {
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
        Value::Array(pairs) => pairs.iter().map(|pair| (text(&pair[0]), text(&pair[1]))).collect(),
        _ => Vec::new(),
    }
}

/// The texts and numbers of a payload that may be dates or decimals.
fn collect(value: &Value, values: &mut Vec<String>) {
    match value {
        Value::Object(fields) => fields.values().for_each(|value| collect(value, values)),
        Value::Array(items) => items.iter().for_each(|value| collect(value, values)),
        Value::String(text) if text.starts_with(|c: char| c.is_ascii_digit()) => values.push(text.clone()),
        Value::Number(number) => values.push(number.to_string()),
        _ => {}
    }
}

/// The repository's root.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The files of a folder that have this extension.
pub fn files(folder: &Path, extension: &'static str) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries
        .map(|entry| entry.unwrap().path())
        .filter(move |path| path.extension().is_some_and(|e| e == extension))
}
