//! A payload that does not fit its type is told by its path and by what was expected, never by its data.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::{self, Debug},
    io,
};

use countersign::{
    Answer, EventError, MemoryStore, Provider, Receiver, Signer, Timestamp,
    event::{DateTime, Decimal, Flag, Integer, Json, Text},
    for_each_provider,
    provider::{self, Custom},
    scheme::Scheme,
};
use countersign_tests::{book::Keys, log::Log, vector::Vector};
use serde::{Deserialize, Deserializer, de};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

/// Stand in payloads where customers' data would: in names, in text, and in numbers.
const WORD: &str = "m4rk";
const NUMBER: u64 = 918_273_645_546;
const URL: &str = "https://example.com/webhook";

/// What one provider's deliveries are sent and received with.
struct Subject<P: Provider> {
    signer: Signer<P>,
    receiver: Receiver<P>,
    runtime: Runtime,
    log: Log,
    misfits: usize,
}

impl<P: Provider> Subject<P> {
    fn built_in() -> Self {
        let keys = Keys::of_provider::<P>("secret");
        let receiver =
            Receiver::<P>::builder(&keys.verifying).public_url(URL).store(MemoryStore::new(100_000));
        let signer = Signer::<P>::new(&keys.signing).public_url(URL).id("id");
        Self {
            signer,
            receiver: receiver.build().unwrap(),
            runtime: runtime(),
            log: Log::default(),
            misfits: 0,
        }
    }

    /// Sends a body, and searches every error, answer and log line for its data.
    fn send(&mut self, kind: Option<&str>, body: &Value, now: Timestamp) {
        let body = body.to_string();
        let signer = kind.map_or(self.signer.clone(), |kind| self.signer.clone().kind(kind));
        let headers = signer.sign(&*body, now).unwrap();
        // What names the delivery is told on purpose.
        let mut named = Vec::new();
        match self.receiver.verifier().verify(&headers, &*body, now) {
            Err(error) => check(&named, &body, &error),
            Ok(delivery) => {
                named.extend(delivery.id().map(Into::into));
                named.extend(delivery.kind().map(Into::into));
                check(&named, &body, &Shown(&delivery));
                if let Err(error) = delivery.event() {
                    self.misfits += usize::from(matches!(error, EventError::Misfit { .. }));
                    check(&named, &body, &error);
                    let answer = Answer::misfit(&error);
                    check_text(
                        &named,
                        &body,
                        &format!("{answer:?} {:?} {:?}", answer.reason(), answer.problem()),
                    );
                }
            }
        }
        let writer = self.log.clone();
        let subscriber =
            tracing_subscriber::fmt().with_writer(move || writer.clone()).with_ansi(false).finish();
        let answer = tracing::subscriber::with_default(subscriber, || {
            let handler = async |_| Ok::<(), io::Error>(());
            self.runtime.block_on(self.receiver.handle(
                &headers,
                body.clone(),
                now,
                tokio::time::sleep,
                handler,
            ))
        });
        let line = self.log.take();
        assert!(line.contains("outcome="), "{line}");
        check_text(&named, &body, &format!("{line} {answer:?}"));
    }

    /// Sends a body with something else at each place, and with a field of another name in each object.
    fn send_each(&mut self, kind: Option<&str>, body: &Value, now: Timestamp) {
        let mut places = Vec::new();
        collect(body, String::new(), &mut places);
        let others = [
            json!(WORD),
            json!(NUMBER),
            json!({ WORD: WORD }),
            json!([WORD, NUMBER]),
            json!(format!("{WORD}`, expected {WORD}, expected one of `{WORD}`")),
            json!({ format!("expected {WORD}"): WORD }),
            Value::Null,
        ];
        for place in &places {
            for other in &others {
                let mut changed = body.clone();
                *changed.pointer_mut(place).unwrap() = other.clone();
                self.send(kind, &changed, now);
                let mut added = body.clone();
                if let Some(fields) = added.pointer_mut(place).unwrap().as_object_mut() {
                    fields.insert(format!("{WORD}@example.com"), other.clone());
                    fields.insert(NUMBER.to_string(), other.clone());
                    self.send(kind, &added, now);
                }
            }
        }
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().build().unwrap()
}

/// Something without a text.
struct Shown<'s, T>(&'s T);

impl<T: Debug> Debug for Shown<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T> fmt::Display for Shown<'_, T> {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

fn check(named: &[String], body: &str, shown: &(impl Debug + fmt::Display)) {
    check_text(named, body, &format!("{shown} {shown:?} {shown:#?}"));
}

fn check_text(named: &[String], body: &str, text: &str) {
    let mut rest = text.to_owned();
    for name in named {
        rest = rest.replace(&format!("{name:?}"), "").replace(name, "");
    }
    for data in [WORD, &NUMBER.to_string(), "example.com"] {
        assert!(!rest.contains(data), "{data} in {text}\nof {body}");
    }
}

/// The JSON pointers (RFC 6901) to everything within a value.
fn collect(value: &Value, at: String, places: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                collect(value, format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), places);
            }
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(i, item)| collect(item, format!("{at}/{i}"), places));
        }
        _ => {}
    }
    places.push(at);
}

fn built_in<P: Provider>(name: &str) {
    let (mut subject, mut seen) = (Subject::<P>::built_in(), BTreeSet::new());
    for vector in Vector::load(name).unwrap().iter().filter(|vector| vector.expect == "valid") {
        let Ok(body) = serde_json::from_slice::<Value>(&vector.body) else { continue };
        let delivery =
            vector.verifier::<P>().unwrap().verify(&vector.headers, &*vector.body, vector.now).unwrap();
        if seen.insert((delivery.kind().map(String::from), vector.body.clone())) {
            subject.send_each(delivery.kind().as_deref(), &body, vector.now);
        }
    }
}

macro_rules! each {
    ($($module:ident => $provider:ident,)*) => {$(
        #[test]
        fn $module() {
            built_in::<provider::$provider>(stringify!($module));
        }
    )*};
}

mod no_misfit_of_a_built_in_provider_tells_data {
    use super::*;

    for_each_provider!(each);
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "it is there to be read")]
struct Own {
    text: String,
    number: u8,
    maybe: Option<i64>,
    items: Vec<Item>,
    by_name: BTreeMap<String, Item>,
    by_number: BTreeMap<u64, i8>,
    by_word: BTreeMap<Word, bool>,
    shapes: Vec<Shape>,
    tagged: Tagged,
    adjacent: Adjacent,
    untagged: Untagged,
    strict: Strict,
    pair: (u8, String),
    wrapped: Wrapped,
    quoting: Quoting,
    json: Json,
    decimal: Decimal,
    date: DateTime,
    flag: Flag,
    integer: Integer,
    id_text: Text,
    letter: char,
    ratio: f64,
    nothing: (),
    flat: Flat,
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "it is there to be read")]
struct Item {
    price: u32,
}

#[derive(Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "snake_case")]
enum Word {
    Monthly,
    Yearly,
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "it is there to be read")]
enum Shape {
    Dot,
    Circle(u8),
    Line(u8, u8),
    Box { width: u8 },
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type")]
#[expect(dead_code, reason = "it is there to be read")]
enum Tagged {
    One { width: u8 },
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", content = "content")]
#[expect(dead_code, reason = "it is there to be read")]
enum Adjacent {
    One(u8),
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
#[expect(dead_code, reason = "it is there to be read")]
enum Untagged {
    Number(u8),
    Item(Item),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it is there to be read")]
struct Strict {
    width: u8,
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "it is there to be read")]
struct Wrapped(u8);

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "it is there to be read")]
struct Flat {
    width: u8,
    #[serde(flatten)]
    more: BTreeMap<String, u8>,
}

/// A type whose errors quote what it found, as many do.
#[derive(Debug)]
struct Quoting;

impl<'de> Deserialize<'de> for Quoting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(text) if text == "fine" => Ok(Self),
            Value::Number(number) => Err(de::Error::custom(format!("missing field `{number}`"))),
            Value::Object(fields) => Err(de::Error::custom(format!("expected no fields: {fields:?}"))),
            other => Err(de::Error::custom(format!("at {other}: {other}, expected {other}"))),
        }
    }
}

fn own() -> Value {
    json!({
        "text": "t", "number": 1, "maybe": 2, "items": [{ "price": 1 }, { "price": 2 }],
        "by_name": { "a": { "price": 1 } }, "by_number": { "1": 1 }, "by_word": { "monthly": true },
        "shapes": ["Dot", { "Circle": 1 }, { "Line": [1, 2] }, { "Box": { "width": 1 } }],
        "tagged": { "type": "One", "width": 1 }, "adjacent": { "type": "One", "content": 1 },
        "untagged": { "price": 1 }, "strict": { "width": 1 }, "pair": [1, "two"], "wrapped": 1,
        "quoting": "fine", "json": {}, "decimal": "1.10", "date": "2024-01-15T10:30:00Z", "flag": 1,
        "integer": "1", "id_text": 7, "letter": "x", "ratio": 0.5, "nothing": null,
        "flat": { "width": 1, "b": 1 },
    })
}

fn subject_of_own() -> Subject<Custom<Own>> {
    let (scheme, secret) = (Scheme::hmac_sha256("x-signature"), countersign::Secret::new("secret").unwrap());
    let receiver =
        Receiver::custom(scheme.clone(), &secret).store(MemoryStore::new(100_000)).build().unwrap();
    let signer = Signer::custom(scheme, &secret).unwrap();
    Subject { signer, receiver, runtime: runtime(), log: Log::default(), misfits: 0 }
}

#[test]
fn no_misfit_of_a_type_of_ones_own_tells_data() {
    let mut subject = subject_of_own();
    subject.send_each(None, &own(), Timestamp::from_unix_seconds(0));
    assert!(subject.misfits > 300, "{}", subject.misfits);
}

#[test]
fn a_misfit_is_told_by_the_names_that_the_type_has() {
    let subject = subject_of_own();
    let check = |place: &str, value: Value, path: &str, reason: &str| {
        let mut body = own();
        match place.rsplit_once('/').unwrap() {
            ("", name) => body[name] = value,
            (parent, name) => match body.pointer_mut(parent).unwrap() {
                Value::Array(items) => items[name.parse::<usize>().unwrap()] = value,
                fields => fields[name] = value,
            },
        }
        let (body, now) = (body.to_string(), Timestamp::from_unix_seconds(0));
        let headers = subject.signer.sign(&*body, now).unwrap();
        let delivery = subject.receiver.verifier().verify(&headers, &*body, now).unwrap();
        let expected = EventError::Misfit { kind: String::new(), path: path.into(), reason: reason.into() };
        assert_eq!(delivery.event().unwrap_err(), expected, "{place}");
    };
    check("/number", json!(256), "number", "expected u8");
    check("/text", json!(WORD.len()), "text", "expected a string");
    check("/items/1/price", json!(WORD), "items[1].price", "expected u32");
    check("/by_name/bob@example.com", json!({ "price": WORD }), "by_name.*.price", "expected u32");
    check("/by_name/bob@example.com", json!({}), "by_name.*", "missing field `price`");
    check("/by_number/4915112345", json!(WORD), "by_number.*", "expected i8");
    check("/by_word/yearly", json!(WORD), "by_word.*", "expected a boolean");
    check("/by_word/bob", json!(true), "by_word", "expected `monthly` or `yearly`");
    check("/shapes/1", json!({ "Circle": WORD }), "shapes[1].Circle", "expected u8");
    check("/shapes/1", json!({ "Box": { "width": WORD } }), "shapes[1].Box.width", "expected u8");
    check("/shapes/1", json!({ "Line": [1, WORD] }), "shapes[1].Line[1]", "expected u8");
    check("/shapes/1", json!("Dash"), "shapes[1]", "expected `Dot` or `Circle` or `Line` or `Box`");
    check("/strict/bob", json!(1), "strict", "unknown field, expected `width`");
    check("/pair/0", json!(WORD), "pair[0]", "expected u8");
    check("/quoting", json!(WORD), "quoting", "invalid value");
    check("/decimal", json!(WORD), "decimal", "expected a decimal number of at most 38 digits");
    // Beside `flatten`, serde reads a struct as a map of any keys.
    check("/flat/bob", json!(WORD), "flat", "expected u8");
    check("/flat/width", json!(WORD), "flat.*", "expected u8");
}
