//! Signed content has one reading: no signature of one delivery is valid for another id, time or body, under any scheme.

#![allow(clippy::unwrap_used, reason = "a test tells what it found by panicking")]

use std::{
    env,
    time::{Duration, Instant},
};

use countersign::{
    Description, TimestampFormat, Tolerance,
    provider::{BodyHandshake, Handshake, ReplyRule, Source},
    scheme::{BodyRule, Scheme, TimestampSource},
};
use countersign_core::fuzzing::{BUILT_IN, second_reading};

/// How long the search goes on, in seconds: `COUNTERSIGN_SEARCH_SECONDS`, or 20 in each of its three parts.
fn seconds() -> u64 {
    env::var("COUNTERSIGN_SEARCH_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(20)
}

/// Asks for a second reading with one number after the other, until time is over.
#[track_caller]
fn search(mut ask: impl FnMut(&[u8]) -> Option<String>) {
    let began = Instant::now();
    for number in 0_u64.. {
        if let Some(found) = ask(&number.to_le_bytes()) {
            panic!("{number}: {found}");
        }
        if began.elapsed() > Duration::from_secs(seconds()) {
            break;
        }
    }
}

#[test]
fn no_built_in_provider_has_a_second_reading() {
    let mut providers = BUILT_IN.iter().cycle();
    search(|data| second_reading(providers.next().copied(), data, true));
}

#[test]
fn no_accepted_description_has_a_second_reading() {
    search(|data| second_reading(None, data, true));
}

/// Those near to what the rules refuse: one setting changed.
#[test]
fn no_accepted_neighbour_of_a_known_hole_has_a_second_reading() {
    let rules = [BodyRule::Any, BodyRule::JsonStructure, BodyRule::JsonText];
    let mut accepted = Vec::new();
    for (_, schemes) in holes() {
        for place in 0..schemes.len() {
            for rule in rules {
                for template in ["{body}", "{url}{body}", "v1:{body}"] {
                    let mut near = schemes.clone();
                    near[place] = near[place].clone().body(rule);
                    accepted.push(described(near.clone()));
                    if !near[place].signs_timestamp() {
                        near[place] = near[place].clone().signs(template);
                        accepted.push(described(near));
                    }
                }
            }
        }
    }
    accepted.retain(|description| description.check().is_ok());
    assert!(accepted.len() > 20, "{}", accepted.len());
    let mut near = accepted.iter().cycle();
    search(|data| second_reading(near.next(), data, true));
}

/// The search is worth something: without the rules it finds each hole that there was.
#[test]
fn without_the_rules_every_known_hole_is_found() {
    for (name, schemes) in holes() {
        let description = described(schemes);
        assert!(description.check().is_err(), "{name} is accepted");
        let found = |number: u64| second_reading(Some(&description), &number.to_le_bytes(), false);
        assert!((0..20_000).find_map(found).is_some(), "{name} is not found");
    }
    let found = (0_u64..20_000).filter(|number| second_reading(None, &number.to_le_bytes(), false).is_some());
    assert!(found.count() > 20, "random descriptions hold few holes");
}

fn described(schemes: Vec<Scheme>) -> Description {
    let digest = ReplyRule::hmac_sha256("token", "digest");
    let description = Description::new("acme", schemes.clone()).id(Source::header("x-id"));
    match schemes.as_slice() {
        [only] if only.template() == "{body}" => {
            description.handshake(Handshake::Body(BodyHandshake::new("type", "verify", digest)))
        }
        _ => description,
    }
}

/// Schemes under which a signature was valid for two deliveries, before a rule kept them out.
fn holes() -> Vec<(&'static str, Vec<Scheme>)> {
    let dated = |template, format| {
        Scheme::hmac_sha256("x-sig-a").timestamp(TimestampSource::header("x-time"), format).signs(template)
    };
    let seconds = |template| dated(template, TimestampFormat::UnixSeconds);
    let other = |template| Scheme::hmac_sha256("x-sig-b").signs(template);
    let json = |template| other(template).body(BodyRule::JsonStructure);
    let week = |scheme: Scheme| scheme.tolerance(Tolerance::from_secs(604_800));
    vec![
        ("an id for a timestamp", vec![seconds("{timestamp}.{body}"), json("{id}.{body}")]),
        ("an id for a timestamp that touches", vec![seconds("{timestamp}{body}"), json("{id}{body}")]),
        ("an id for a timestamp behind", vec![seconds("{body}.{timestamp}"), json("{body}.{id}")]),
        ("a body that holds an id and a time", vec![seconds("{id}.{timestamp}.{body}"), other("{body}")]),
        ("a time within the body", vec![dated("{id}{timestamp}{body}", TimestampFormat::Rfc3339)]),
        (
            "a time within a string of the body",
            vec![dated("{id}{timestamp}{body}", TimestampFormat::Rfc3339).body(BodyRule::JsonStructure)],
        ),
        ("a digest for whoever asks", vec![other("{body}")]),
        (
            "a longer tolerance for the same content",
            vec![
                seconds("{timestamp}.{body}"),
                week(
                    other("{timestamp}.{body}")
                        .timestamp(TimestampSource::header("x-time"), TimestampFormat::UnixSeconds),
                ),
            ],
        ),
        (
            "seconds for milliseconds",
            vec![
                seconds("{timestamp}.{body}"),
                other("{timestamp}.{body}")
                    .timestamp(TimestampSource::header("x-time"), TimestampFormat::UnixMillis),
            ],
        ),
    ]
}
