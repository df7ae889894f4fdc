//! The dedupe keys: which two deliveries are one, whatever stands in the headers that are not signed.

#![allow(clippy::unwrap_used, reason = "a test tells what it found by panicking")]

use countersign_core::{
    Provider, Secret, Signer, Timestamp, Verifier,
    dedupe::Key,
    provider::{Raaft, Recharge, Retake, RetentBase, RevKeen},
};

struct Sent<'s> {
    id: &'s str,
    kind: &'s str,
    body: &'s str,
    at: i64,
}

const SENT: Sent<'_> = Sent { id: "", kind: "", body: "{}", at: 1_705_314_600 };

fn keys<P: Provider>(sent: &Sent<'_>) -> Vec<Key> {
    let (secret, at) = (Secret::new("secret").unwrap(), Timestamp::from_unix_seconds(sent.at));
    let headers = Signer::<P>::new(&secret).id(sent.id).kind(sent.kind).sign(sent.body, at).unwrap();
    let delivery = Verifier::<P>::new(&secret).unwrap().verify(&headers, sent.body, at).unwrap();
    delivery.keys("", P::KEYS)
}

/// Whether any key of one is among the other's.
fn one<P: Provider>(first: &Sent<'_>, second: &Sent<'_>) -> bool {
    let second = keys::<P>(second);
    keys::<P>(first).iter().any(|key| second.contains(key))
}

#[test]
fn retake_and_raaft_are_known_by_the_body() {
    let (tracked, opened) = (
        Sent { body: r#"{"event":"intent.tracked","data":{"intentId":"i"}}"#, ..SENT },
        Sent { body: r#"{"event":"email.opened","data":{"intentId":"i"}}"#, ..SENT },
    );
    assert!(one::<Retake>(&tracked, &tracked) && one::<Raaft>(&tracked, &tracked));
    assert!(!one::<Retake>(&tracked, &opened) && !one::<Raaft>(&tracked, &opened));
}

#[test]
fn recharge_is_known_by_topic_and_body() {
    let created = Sent { kind: "subscription/created", body: r#"{"subscription":{"id":1}}"#, ..SENT };
    assert!(one::<Recharge>(&created, &Sent { at: SENT.at + 60, ..created }));
    assert!(!one::<Recharge>(&created, &Sent { kind: "subscription/activated", ..created }));
    assert!(!one::<Recharge>(&created, &Sent { body: r#"{"subscription":{"id":2}}"#, ..created }));
}

#[test]
fn revkeen_is_known_by_the_id_in_the_body_and_without_one_by_the_body() {
    let first = Sent { body: r#"{"id":"evt_1","type":"a"}"#, ..SENT };
    assert!(one::<RevKeen>(
        &first,
        &Sent { body: r#"{"type":"a","id":"evt_1"}"#, at: SENT.at + 60, ..first }
    ));
    assert!(!one::<RevKeen>(&first, &Sent { body: r#"{"id":"evt_2","type":"a"}"#, ..first }));
    let nameless = Sent { body: r#"{"type":"a"}"#, ..SENT };
    assert!(one::<RevKeen>(&nameless, &nameless));
    assert!(!one::<RevKeen>(&nameless, &Sent { body: r#"{"type":"b"}"#, ..SENT }));
}

#[test]
fn retentbase_is_known_by_what_was_signed_under_whatever_unsigned_headers() {
    let first = Sent { id: "dlv_1", kind: "cancellation.created", body: r#"{"eventId":"evt_1"}"#, ..SENT };
    assert_eq!(keys::<RetentBase>(&first).len(), 3);
    let replayed = Sent { id: "dlv_2", kind: "cancellation.outcome_updated", ..first };
    assert!(one::<RetentBase>(&first, &replayed), "an exact replay under other unsigned headers");
    let retried = Sent { id: "dlv_2", at: SENT.at + 60, ..first };
    assert!(one::<RetentBase>(&first, &retried), "a retry with a fresh timestamp and delivery id");
    let resent = Sent { body: r#"{ "eventId":"evt_1"}"#, at: SENT.at + 60, ..first };
    assert!(one::<RetentBase>(&first, &resent), "the same delivery id, as the page asks");
    let nameless = Sent { id: "", ..first };
    assert_eq!(keys::<RetentBase>(&nameless).len(), 2);
    assert!(one::<RetentBase>(&first, &nameless), "a replay without its delivery id");
    let updated = Sent { id: "dlv_3", kind: "cancellation.outcome_updated", at: SENT.at + 60, ..first };
    assert!(!one::<RetentBase>(&first, &updated), "two updates may share the event's id");
}
