//! The fuzz targets in ordinary tests: over seeds made from the vectors, and over mutations of these.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may panic, in its helpers as well"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    panic::catch_unwind,
    path::{Path, PathBuf},
};

use base64ct::{Base64, Encoding as _};
use countersign_core::fuzzing::{Body, TARGETS};
use serde_json::Value;

/// How many inputs each target gets that chance made.
const MUTATIONS: u64 = 2_000;

/// At how many places, shared among a target's seeds, a seed is cut off and has a bit changed.
const NEAR: usize = 500;

/// The longest seed that is changed, in bytes. Longer ones are run as they are.
const LONGEST: usize = 4096;

/// What mutations put in: pieces of the grammars, and numbers at the ends of their ranges.
const PIECES: &[&str] = &[
    ",",
    "=",
    ":",
    ".",
    "-",
    "\n",
    "\n\n",
    " ",
    "\"",
    "\\",
    "\\u0000",
    "\\ud800",
    "{",
    "}",
    "[",
    "]",
    "null",
    "t=",
    "v1=",
    "sha256=",
    "now: ",
    "00",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551616",
    "1e400",
    "0.1",
    "T00:00:00Z",
    "+14:00",
    "\u{0}",
    "é",
    "🦀",
];

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
            "12345678901234567.89\n1e37",
            "170141183460469231731687303715884105727\n-1.5E-3",
        ],
    ),
    ("date_time", &["2024-02-29T23:59:60.999999999-05:30", "0000-01-01", "9999-12-31 23:59+2359", "-1"]),
    ("json", &["[[[]],{}]", "\"\\ud83e\\udd80\"", "-0.0e+00", "{\"a\":1,\"\\u0061\":2}"]),
    ("signature_header", &["t=1,v1=00,v1=zz,v0=", "sha256="]),
];

type Seeds = BTreeMap<&'static str, BTreeSet<Vec<u8>>>;

#[test]
fn every_property_holds_on_the_seeds_and_near_them() {
    let seeds = seeds();
    for (name, body) in TARGETS {
        let seeds = &seeds[name];
        seeds.iter().for_each(|seed| check(name, *body, seed));
        check(name, *body, b"");
        let short: Vec<_> = seeds.iter().map(Vec::as_slice).filter(|seed| seed.len() <= LONGEST).collect();
        assert!(!short.is_empty(), "{name} has no seeds to change");
        let places = (NEAR / short.len()).max(2);
        for seed in &short {
            for place in (0..seed.len()).step_by(seed.len() / places + 1) {
                check(name, *body, &seed[..place]);
                let mut flipped = seed.to_vec();
                flipped[place] ^= 1 << (place % 8);
                check(name, *body, &flipped);
            }
        }
        let mut chance = Chance(0x2545_f491_4f6c_dd1d);
        (0..MUTATIONS).for_each(|_| check(name, *body, &chance.mutation(&short)));
    }
}

#[test]
fn every_target_has_its_line_in_the_fuzz_package() {
    let fuzz = repository().join("fuzz");
    let manifest = fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
    let files: BTreeSet<_> = files(&fuzz.join("fuzz_targets"), "rs").map(|path| stem(&path)).collect();
    assert_eq!(files, TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect());
    for name in files {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "fuzz/Cargo.toml lacks {name}");
        let target = fs::read_to_string(fuzz.join(format!("fuzz_targets/{name}.rs"))).unwrap();
        assert!(target.contains(&format!("countersign_core::fuzzing::{name}(")), "{name} runs another body");
    }
}

/// Not a test of anything: `cargo xtask fuzz-seeds` runs it.
#[test]
#[ignore = "writes fuzz/corpus, for cargo xtask fuzz-seeds"]
fn write_the_corpus() {
    for (name, seeds) in seeds() {
        let folder = repository().join("fuzz/corpus").join(name);
        fs::create_dir_all(&folder).unwrap();
        for (i, seed) in seeds.iter().enumerate() {
            fs::write(folder.join(format!("seed-{i:04}")), seed).unwrap();
        }
        println!("{}: {} seeds", folder.display(), seeds.len());
    }
}

fn check(name: &str, body: Body, input: &[u8]) {
    if catch_unwind(|| body(input)).is_err() {
        panic!("the fuzz target {name} fails on b\"{}\"", input.escape_ascii());
    }
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn files(folder: &Path, extension: &'static str) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries
        .map(|entry| entry.unwrap().path())
        .filter(move |path| path.extension().is_some_and(|e| e == extension))
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap().to_str().unwrap().to_owned()
}

fn seeds() -> Seeds {
    let mut seeds = Seeds::new();
    for (name, texts) in EXTREMES {
        seeds.entry(name).or_default().extend(texts.iter().map(|text| text.as_bytes().to_vec()));
    }
    for path in files(&repository().join("tests/vectors"), "json") {
        let vectors: Vec<Value> = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        vectors.iter().for_each(|vector| add_vector(&mut seeds, vector));
    }
    seeds
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

/// Xorshift: equal runs make equal inputs.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap() % bound.max(1)
    }

    /// A seed after one to four changes.
    fn mutation(&mut self, seeds: &[&[u8]]) -> Vec<u8> {
        let mut input = seeds[self.below(seeds.len())].to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(input.len() + 1);
            let end = at + self.below((input.len() - at).min(24) + 1);
            match self.below(6) {
                0 => input.truncate(at),
                1 => drop(input.drain(at..end)),
                2 => input = [&input[..at], &input[at..end], &input[at..]].concat(),
                3 => {
                    let piece = PIECES[self.below(PIECES.len())];
                    input = [&input[..at], piece.as_bytes(), &input[at..]].concat();
                }
                4 => {
                    let other = seeds[self.below(seeds.len())];
                    input = [&input[..at], &other[self.below(other.len() + 1)..]].concat();
                }
                _ => {
                    let byte = u8::try_from(self.below(256)).unwrap();
                    input.iter_mut().skip(at).take(1).for_each(|place| *place = byte);
                }
            }
        }
        input
    }
}
