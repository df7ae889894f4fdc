//! Descriptions of providers, made by chance: of every algorithm, grammar, encoding, source, format, field and rule.

use countersign::{
    Description, Timestamp, TimestampFormat, Tolerance,
    dedupe::KeyRule,
    provider::{Retries, Source},
    scheme::{BodyRule, Encoding, Grammar, KeyEncoding, Scheme, TimestampSource},
};
use proptest::{prelude::*, sample::select};
use serde_json::{Value, json};

use crate::book::{self, Keys};

/// The URL that providers are given here.
pub const URL: &str = "https://hooks.example.com/acme?tenant=7";

/// A description that is accepted, and a delivery to try it on.
#[derive(Clone, Debug)]
pub struct Case {
    /// The description.
    pub description: Description,
    /// What its keys are made of.
    pub word: String,
    /// The id of the delivery.
    pub id: String,
    /// The kind of the delivery.
    pub kind: String,
    /// When it is sent.
    pub now: Timestamp,
    /// A JSON object, with a timestamp wherever a scheme looks for one.
    pub body: Vec<u8>,
}

/// Cases whose description is accepted.
pub fn case() -> BoxedStrategy<Case> {
    let rest =
        ("[!-~]{1,40}", "[A-Za-z]{1,60}", "[a-z.]{1,20}", 0_i64..4_000_000_000, 0_u32..1000, ".{0,60}");
    (accepted(), rest)
        .prop_map(|(description, (word, id, kind, seconds, millis, text))| {
            let now = Timestamp::from_unix(seconds, millis * 1_000_000).expect("below a second");
            let body = body(&description, now, &id, &kind, &text);
            Case { description, word, id, kind, now, body }
        })
        .boxed()
}

/// A description that is accepted, and for which there are keys.
pub fn accepted() -> BoxedStrategy<Description> {
    description()
        .prop_filter_map("refused", |description| {
            (description.check().is_ok() && Keys::of(&description, "any").is_some()).then_some(description)
        })
        .boxed()
}

/// The URL that this provider was given.
pub fn url(description: &Description) -> String {
    let written = serde_json::to_value(description).expect("a description can be written");
    written["public_url"].as_str().unwrap_or(URL).to_owned()
}

/// A body with a timestamp wherever a scheme looks for one.
pub fn body(description: &Description, now: Timestamp, id: &str, kind: &str, text: &str) -> Vec<u8> {
    let mut body =
        json!({"id": id, "event": {"id": id, "kind": kind, "try": 3}, "items": [{"id": id}], "text": text});
    for scheme in book::schemes(description) {
        if let Some(("body", path)) = scheme.timestamp() {
            let format = match scheme.format() {
                "unix-seconds" => TimestampFormat::UnixSeconds,
                "unix-millis" => TimestampFormat::UnixMillis,
                "rfc3339" => TimestampFormat::Rfc3339,
                _ => TimestampFormat::ImfFixdate,
            };
            let mut place = &mut body;
            for step in path.split('.') {
                place = &mut place[step];
            }
            let text = format.format(now);
            *place = text.parse::<i64>().map_or_else(|_| text.into(), Into::into);
        }
    }
    body.to_string().into_bytes()
}

/// Any description, most of them sound.
pub fn description() -> BoxedStrategy<Description> {
    let schemes = prop_oneof![
        6 => scheme(0).prop_map(|scheme| vec![scheme]),
        1 => (scheme(0), scheme(1)).prop_map(|(one, other)| vec![one, other]),
        1 => (scheme(0), scheme(1), scheme(2)).prop_map(|(one, other, third)| vec![one, other, third]),
    ];
    let source = |name: &'static str, path: &'static str| {
        prop::option::weighted(0.75, select(vec![Source::header(name), Source::body(path)]))
    };
    let ids = (source("x-id", "id"), source("x-event-id", "event.id"));
    let fields = (ids, source("x-kind", "event.kind"), source("x-attempt", "event.try"));
    let url = prop::option::of(select(vec![URL, "http://localhost:8080", "https://h/#é"]));
    (schemes, fields, prop::option::weighted(0.8, rules()), retries(), url)
        .prop_map(|(schemes, ((id, event_id), kind, attempt), rules, retries, url)| {
            let mut description = Description::new("acme", schemes).retries(retries);
            if let Some(source) = id {
                description = description.id(source);
            }
            if let Some(source) = event_id {
                description = description.event_id(source);
            }
            if let Some(source) = kind {
                description = description.kind(source);
            }
            if let Some(source) = attempt {
                description = description.attempt(source);
            }
            if let Some(rules) = rules {
                description = description.dedupe(rules);
            }
            match url {
                Some(url) => description.public_url(url),
                None => description,
            }
        })
        .boxed()
}

fn retries() -> BoxedStrategy<Retries> {
    let within = prop::option::of((0_u64..8_000_000).prop_map(std::time::Duration::from_secs));
    let on = select(vec![Retries::ON_ANY_FAILURE, Retries::ON_SERVER_ERRORS, Retries::UNKNOWN]);
    (on, within).prop_map(|(on, within)| within.map_or(on, |within| on.within(within))).boxed()
}

/// Keys of any parts, half of them with what takes their place.
fn rules() -> BoxedStrategy<Vec<KeyRule>> {
    let part =
        || select(vec!["body", "body", "timestamp", "kind", "id", "event-id", "id-field", "items-field"]);
    let parts = || {
        prop::collection::vec(part(), 0..4).prop_map(|parts| {
            let part = |part: &str| match part {
                "id-field" => json!({"field": "id"}),
                "items-field" => json!({"field": "items.*.id"}),
                part => json!(part),
            };
            parts.into_iter().map(part).collect::<Value>()
        })
    };
    let rule = (parts(), prop::option::of(parts())).prop_map(|(of, or)| match or {
        Some(or) => json!({"of": of, "or": or}),
        None => of,
    });
    // What is accepted where its parts are signed, and only there.
    let known = select(vec![
        json!([["body"]]),
        json!([["id"]]),
        json!([["body"], ["id"]]),
        json!([["body"], ["event-id", {"field": "id"}]]),
        json!([["timestamp", "body"]]),
        json!([["timestamp", "body"], ["id", "body"], ["kind", "event-id", "body"]]),
        json!([["kind", "body"]]),
        json!([{"of": ["id"], "or": ["body"]}]),
        json!([{"of": ["id", "body"], "or": ["body"]}]),
        json!([{"of": ["event-id"], "or": ["timestamp", "body"]}]),
        json!([{"of": [{"field": "items.*.id"}], "or": ["body"]}]),
    ]);
    let any = prop::collection::vec(rule, 0..4).prop_map(Value::from);
    prop_oneof![2 => known, 1 => any]
        .prop_map(|rules| serde_json::from_value(rules).expect("every part is known"))
        .boxed()
}

type Make = fn(&'static str) -> Scheme;

const ALGORITHMS: [Make; 8] = [
    Scheme::hmac_sha1,
    Scheme::hmac_sha256,
    Scheme::hmac_sha512,
    Scheme::sha256,
    Scheme::token,
    |_| Scheme::basic(),
    Scheme::ed25519,
    Scheme::ecdsa_p256,
];

/// A scheme at this place of a list.
fn scheme(place: usize) -> BoxedStrategy<Scheme> {
    let header = prop_oneof![
        8 => Just(["x-signature-0", "x-signature-1", "x-signature-2"][place]),
        1 => Just("x-signature-0"),
    ];
    let written = (
        prop::option::weighted(0.5, select(vec![Encoding::Hex, Encoding::Base64])),
        prop::option::weighted(
            0.5,
            select(vec![KeyEncoding::Utf8, KeyEncoding::Hex, KeyEncoding::Base64, KeyEncoding::Whsec]),
        ),
        select(vec![BodyRule::Any, BodyRule::Any, BodyRule::JsonStructure, BodyRule::JsonText]),
        prop::option::weighted(0.2, Just("x-alias")),
    );
    let tolerance = prop::option::weighted(0.3, 0_u64..700_000);
    (select(ALGORITHMS.to_vec()), header, written, grammar(), stamp(place), tolerance, template())
        .prop_map(|(make, header, (encoding, key, rule, alias), grammar, stamp, tolerance, pieces)| {
            let mut scheme = make(header);
            let (shows, sha256) = (scheme.algorithm().shows_secret(), scheme.template().contains("{secret}"));
            if let Some(alias) = alias {
                scheme = scheme.alias(alias);
            }
            // A token signs nothing: what it cannot have is left away, most of the time.
            if shows {
                return match grammar {
                    Grammar::Prefix(_) => scheme.grammar(grammar),
                    _ => scheme,
                };
            }
            scheme = scheme.grammar(grammar.clone());
            if let Some(encoding) = encoding {
                scheme = scheme.encoding(encoding);
            }
            if let Some(key) = key {
                scheme = scheme.key(key);
            }
            let in_list = match &grammar {
                Grammar::List { timestamp, .. } => timestamp.is_some(),
                grammar => *grammar == Grammar::Positional,
            };
            let stamp = stamp.map(|(source, format)| match in_list {
                true => (TimestampSource::Signature, format),
                false => (source, format),
            });
            let dated = matches!(&stamp, Some((source, _)) if !matches!(source, TimestampSource::Body(_)));
            if let Some((source, format)) = stamp {
                scheme = scheme.timestamp(source, format);
            }
            if let Some(tolerance) = tolerance {
                scheme = scheme.tolerance(Tolerance::from_secs(tolerance));
            }
            let pieces = pieces.into_iter().filter(|piece| match *piece {
                "{timestamp}" => dated,
                "{secret}" => sha256,
                _ => true,
            });
            let template: String = pieces.collect();
            scheme = scheme.body(if sha256 { BodyRule::JsonText } else { rule });
            // Descriptions are few, and live as long as the test.
            scheme.signs(Box::leak(template.into_boxed_str()))
        })
        .boxed()
}

fn grammar() -> BoxedStrategy<Grammar> {
    let prefix = select(vec!["sha256=", "v0=", "Bearer ", "v1a,"]).prop_map(|p| Grammar::Prefix(p.into()));
    let list = (select(vec![',', ';']), prop::option::of(Just("t")), select(vec!["v1", "h1", "t"]))
        .prop_map(|(separator, timestamp, key)| Scheme::hmac_sha256("x").list(separator, timestamp, key))
        .prop_map(|scheme| grammar_of(&scheme));
    let versioned = select(vec!["v1", "v1a"]).prop_map(|v| Grammar::Versioned(v.into()));
    prop_oneof![3 => Just(Grammar::Bare), 2 => prefix, 3 => list, 1 => versioned, 1 => Just(Grammar::Positional)]
.boxed()
}

/// A list is made by a scheme alone.
fn grammar_of(scheme: &Scheme) -> Grammar {
    let written = serde_json::to_value(scheme).expect("a scheme can be written");
    serde_json::from_value(written["grammar"].clone()).expect("what is written is read")
}

fn stamp(place: usize) -> BoxedStrategy<Option<(TimestampSource, TimestampFormat)>> {
    let source = select(vec![
        TimestampSource::header("x-timestamp"),
        TimestampSource::header("x-timestamp"),
        TimestampSource::Signature,
        // One place in a body holds one format.
        TimestampSource::body(["sent", "late", "a"][place]),
        TimestampSource::body(["meta.sent.at", "meta.late.at", "meta.a.at"][place]),
    ]);
    let format = select(vec![
        TimestampFormat::UnixSeconds,
        TimestampFormat::UnixMillis,
        TimestampFormat::Rfc3339,
        TimestampFormat::ImfFixdate,
    ]);
    prop::option::weighted(0.7, (source, format)).boxed()
}

/// The body, and around it what may be signed beside it, with text between them or none.
fn template() -> BoxedStrategy<Vec<&'static str>> {
    let piece = prop_oneof![
        6 => Just("{timestamp}"),
        2 => Just("{id}"),
        1 => Just("{url}"),
        1 => Just("{method}"),
        2 => Just("{secret}"),
        1 => Just("\n"),
        1 => Just("v0:"),
    ];
    let between = || select(vec![".", ":", ".", ":", "--", "", "0"]);
    let side = || prop::collection::vec((piece.clone(), between()), 0..4);
    (side(), prop::collection::vec((between(), piece.clone()), 0..3))
        .prop_map(|(before, behind)| {
            let before = before.into_iter().flat_map(|(piece, between)| [piece, between]);
            let behind = behind.into_iter().flat_map(|(between, piece)| [between, piece]);
            before.chain(["{body}"]).chain(behind).collect()
        })
        .boxed()
}
