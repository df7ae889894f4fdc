//! The bodies of the fuzz targets; not part of the public interface.
//!
//! `fuzz/` runs them under libFuzzer, the ordinary tests run them over seeds and mutations. Each asserts what must hold
//! for any input, and holds it for every provider that any request can be signed for with one secret.

#![expect(clippy::expect_used, clippy::panic, reason = "a fuzz target tells what it found by panicking")]

mod delivery;
mod handshake;
mod request;
mod value;
mod wire;

use self::request::{Dice, Request};
use crate::{
    provider,
    provider::Provider,
    scheme::{Algorithm, Encoding, KeyEncoding},
    secret::Secret,
};

/// What a target does with an input: nothing, or it panics.
pub type Body = fn(&[u8]);

/// Every target: its name and its body.
pub const TARGETS: &[(&str, Body)] = &[
    ("signature_header", signature_header),
    ("timestamp", timestamp),
    ("verify", verify),
    ("event", event),
    ("dedupe_key", dedupe_key),
    ("date_time", date_time),
    ("decimal", decimal),
    ("json", json),
    ("handshake", handshake),
];

/// What all deliveries are signed with here. An input that verifies without its help is a forgery.
const SECRET: &str = "s3cret of the fuzz targets";

/// What providers that sign it were given as the URL to call.
const URL: &str = "https://example.com/webhook";

/// One provider's share of the targets.
struct Bodies {
    signature_header: Body,
    timestamp: Body,
    verify: fn(&Request<'_>),
    event: fn(&Request<'_>),
    dedupe_key: fn(&Request<'_>),
}

impl Bodies {
    const fn of<P: Provider>() -> Self {
        Self {
            signature_header: wire::signature_header::<P>,
            timestamp: wire::timestamp::<P>,
            verify: delivery::verify::<P>,
            event: delivery::event::<P>,
            dedupe_key: delivery::dedupe_key::<P>,
        }
    }
}

macro_rules! bodies {
    ($($module:ident => $provider:ident),* $(,)?) => {
        const PROVIDERS: &[Bodies] = &[$(Bodies::of::<provider::$provider>()),*];
    };
}
// One of each kind. Others take keys of a form of their own, sign what a request lacks, or write times in a form that not
// every second has.
bodies! {
    adyen => Adyen,
    chargebee => Chargebee,
    raaft => Raaft,
    recharge => Recharge,
    retake => Retake,
    retentbase => RetentBase,
    revkeen => RevKeen,
    slack => Slack,
    square => Square,
    stripe => Stripe,
}

/// A signature header's value, under the grammar of every scheme.
pub fn signature_header(data: &[u8]) {
    PROVIDERS.iter().for_each(|provider| (provider.signature_header)(data));
}

/// Three lines: a timestamp's text, now in seconds, a tolerance in seconds.
pub fn timestamp(data: &[u8]) {
    wire::time(data);
    PROVIDERS.iter().for_each(|provider| (provider.timestamp)(data));
}

/// A request, forged and genuine.
pub fn verify(data: &[u8]) {
    let request = Request::parse(data);
    PROVIDERS.iter().for_each(|provider| (provider.verify)(&request));
}

/// A request, made genuine and typed.
pub fn event(data: &[u8]) {
    let request = Request::parse(data);
    PROVIDERS.iter().for_each(|provider| (provider.event)(&request));
}

/// A request, made genuine; and any text, cut into the parts of a key in two ways.
pub fn dedupe_key(data: &[u8]) {
    value::dedupe_key(data);
    let request = Request::parse(data);
    PROVIDERS.iter().for_each(|provider| (provider.dedupe_key)(&request));
}

/// A date and time as text, and as JSON.
pub fn date_time(data: &[u8]) {
    value::date_time(data);
}

/// Two lines, a decimal each.
pub fn decimal(data: &[u8]) {
    value::decimal(data);
}

/// A text that may be JSON.
pub fn json(data: &[u8]) {
    value::json(data);
}

/// A query of a `GET`; and the body of a delivery that may ask.
pub fn handshake(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        handshake::query(text);
    }
    handshake::body(data);
}

/// The secret, as a provider writes its own.
fn secret<P: Provider>() -> Secret {
    let scheme = P::SCHEMES.first();
    let written = match scheme.map(|scheme| (scheme.algorithm, scheme.key)) {
        Some((Algorithm::Basic, _)) => format!("user:{SECRET}"),
        Some((_, KeyEncoding::Hex)) => Encoding::Hex.encode(SECRET.as_bytes()),
        _ => SECRET.to_owned(),
    };
    Secret::new(written).expect("it is not blank")
}
