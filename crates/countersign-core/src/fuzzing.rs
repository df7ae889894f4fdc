//! The bodies of the fuzz targets; not part of the public interface.
//!
//! `fuzz/` runs them under libFuzzer, the ordinary tests run them over seeds and mutations. Each asserts what must hold
//! for any input, and holds it for every provider of the registry.

#![expect(clippy::expect_used, clippy::panic, reason = "a fuzz target tells what it found by panicking")]

mod book;
mod delivery;
mod description;
mod event;
mod handshake;
mod readings;
mod request;
mod subject;
mod value;
mod wire;

pub use self::readings::BUILT_IN;
use self::{
    request::{Dice, Request},
    subject::Subject,
};
use crate::{
    provider,
    provider::{Description, Provider},
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
    ("description", description),
    ("handshake", handshake),
    ("readings", readings),
];

/// One provider's share of the targets.
struct Bodies {
    signature_header: Body,
    verify: fn(&Request<'_>),
    event: fn(&Request<'_>),
    dedupe_key: fn(&Request<'_>),
}

impl Bodies {
    const fn of<P: Provider>() -> Self {
        Self {
            signature_header: wire::signature_header::<P>,
            verify: |request| with_subject(request, delivery::verify::<P>),
            event: |request| with_subject(request, event::event::<P>),
            dedupe_key: |request| with_subject(request, event::dedupe_key::<P>),
        }
    }
}

/// Tries a provider of the registry on requests that are meant for it, and on a share of the others: a smaller one where a
/// verdict costs much.
fn with_subject<P: Provider>(request: &Request<'_>, body: impl Fn(&Subject<P>, &Request<'_>)) {
    let costly = P::SCHEMES.iter().any(|scheme| scheme.algorithm().takes_public_key());
    let mut dice = Dice::new(&[request.data, P::NAME.as_bytes()].concat());
    let share = match (request.is_meant_for(P::SCHEMES), costly) {
        (true, false) => 1,
        (true, true) | (false, false) => 8,
        (false, true) => 64,
    };
    if dice.below(share) == 0
        && let Some(subject) = Subject::registered()
    {
        body(&subject, request);
    }
}

macro_rules! bodies {
    ($($module:ident => $provider:ident),* $(,)?) => {
        const PROVIDERS: &[Bodies] = &[$(Bodies::of::<provider::$provider>()),*];
    };
}
crate::for_each_provider!(bodies);

/// A signature header's value, under the grammar of every scheme.
pub fn signature_header(data: &[u8]) {
    PROVIDERS.iter().for_each(|provider| (provider.signature_header)(data));
}

/// Three lines: a timestamp's text, now in seconds, a tolerance in seconds.
pub fn timestamp(data: &[u8]) {
    wire::timestamp(data);
    wire::time(data);
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

/// A description of a provider, in JSON or TOML.
pub fn description(data: &[u8]) {
    description::description(data);
}

/// Deliveries of a random description, and of a built-in provider: no signed content has two accepted readings.
pub fn readings(data: &[u8]) {
    assert_eq!(second_reading(None, data, true), None);
    let place = usize::from(data.first().copied().unwrap_or_default()).checked_rem(BUILT_IN.len());
    let description = place.and_then(|place| BUILT_IN.get(place)).copied();
    assert_eq!(second_reading(description, data, true), None);
}

/// A signed content that has two accepted readings, of this description or of a random one: `None`, unless the `rules` that keep
/// them out are dropped.
pub fn second_reading(description: Option<&Description>, data: &[u8], rules: bool) -> Option<String> {
    readings::second_reading(description, data, rules)
}

/// A query of a `GET`; and the body of a delivery that may ask.
pub fn handshake(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        handshake::query(text);
    }
    handshake::body(data);
}
