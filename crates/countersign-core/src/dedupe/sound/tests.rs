//! Which dedupe keys are refused, and why.

use super::*;
use crate::{scheme::BodyRule, time::TimestampFormat};

/// All stand in headers.
const HEADERS: Fields = Fields::NONE
    .id(Source::header("x-id"))
    .event_id(Source::header("x-event-id"))
    .kind(Source::header("x-kind"));
/// All stand in the body.
const FIELDS: Fields =
    Fields::NONE.id(Source::body("id")).event_id(Source::body("event.id")).kind(Source::body("type"));

const fn stamped(header: &'static str, timestamp: &'static str) -> Scheme {
    Scheme::hmac_sha256(header)
        .timestamp(TimestampSource::header(timestamp), TimestampFormat::UnixSeconds)
        .signs("{timestamp}.{body}")
}

const PLAIN: &[Scheme] = &[Scheme::hmac_sha256("x-sig")];
const STAMPED: &[Scheme] = &[stamped("x-sig", "x-time")];
const NAMED: Scheme = stamped("x-sig", "x-time").signs("{id}.{timestamp}.{body}");
const WITH_ID: &[Scheme] = &[NAMED];

fn rules(text: &str) -> Vec<KeyRule> {
    serde_json::from_str(text).unwrap()
}

#[track_caller]
fn check(schemes: &[Scheme], fields: &Fields, text: &str, expected: Option<&str>) {
    assert_eq!(KeyRule::flaw_of_all(&rules(text), &Known::of(schemes, fields)), expected, "{text}");
}

const OBJECT: &str = r#"{"field":"data.id"}"#;

#[test]
fn whatever_is_unsigned_stands_beside_the_body() {
    let beside_a_field = [format!(r#"["id",{OBJECT}]"#), format!(r#"["kind",{OBJECT}]"#)];
    let alone = [r#"["id"]"#, r#"["event-id"]"#, r#"["id","kind"]"#, r#"["id","timestamp"]"#];
    for key in alone.into_iter().chain(beside_a_field.iter().map(|key| &**key)) {
        check(STAMPED, &HEADERS, &format!(r#"[["body"],{key}]"#), Some(OCCUPIED));
        check(STAMPED, &HEADERS, &format!(r#"[{key},["body"]]"#), Some(OCCUPIED));
        check(STAMPED, &HEADERS, &format!(r#"[["body"],{{"of":["id","body"],"or":{key}}}]"#), Some(OCCUPIED));
        check(STAMPED, &HEADERS, &format!(r#"[["body"],{{"of":{key},"or":["body"]}}]"#), Some(OCCUPIED));
    }
    // The same parts in the body are signed.
    check(STAMPED, &FIELDS, r#"[["timestamp","body"],["id"]]"#, None);
    check(PLAIN, &FIELDS, &format!(r#"[{{"of":["event-id",{OBJECT}],"or":["body"]}}]"#), None);
    check(WITH_ID, &HEADERS, r#"[["id"]]"#, None);
}

#[test]
fn one_key_is_signed_and_every_delivery_has_it() {
    for text in [
        "[]",
        r#"[["kind","body"]]"#,
        r#"[["id","body"]]"#,
        r#"[["id","body"],["kind","body"]]"#,
        // Whoever takes the header away has another key.
        r#"[{"of":["id","body"],"or":["body"]}]"#,
        r#"[{"of":["event-id","body"],"or":["timestamp","body"]}]"#,
        r#"[[{"field":"a"}]]"#,
        r#"[{"of":[{"field":"a"}],"or":["kind","body"]}]"#,
        r#"[{"of":[{"field":"a"}],"or":[{"field":"b"},"body"]}]"#,
    ] {
        check(STAMPED, &HEADERS, text, Some(REPEATED));
    }
    check(PLAIN, &FIELDS, r#"[["id"]]"#, Some(REPEATED));
    check(PLAIN, &FIELDS, r#"[{"of":["id"],"or":[{"field":"a"}]}]"#, Some(REPEATED));
    for text in [
        r#"[{"of":[{"field":"a"}],"or":["body"]}]"#,
        r#"[{"of":[{"field":"*.a"},"timestamp"],"or":["timestamp","body"]}]"#,
        r#"[["timestamp","body"]]"#,
    ] {
        check(STAMPED, &HEADERS, text, None);
    }
}

#[test]
fn a_key_that_says_no_more_than_another_is_left_away() {
    for text in [
        r#"[["body"],["body"]]"#,
        r#"[["body"],["id","body"]]"#,
        r#"[["kind","body"],["body"]]"#,
        r#"[["timestamp","body"],["body","id","timestamp"]]"#,
        r#"[["body"],{"of":[{"field":"a"}],"or":["body"]}]"#,
        r#"[{"of":[{"field":"a"}],"or":["body"]},["body"]]"#,
        r#"[["body"],{"of":["id","body"],"or":["kind","body"]}]"#,
        r#"[{"of":[{"field":"a"}],"or":["body"]},{"of":[{"field":"a"},{"field":"b"}],"or":["body"]}]"#,
        r#"[["body"],[{"field":"a"},"body"]]"#,
    ] {
        check(STAMPED, &HEADERS, text, Some(IMPLIED));
    }
    // Whoever has the body has what stands in it.
    check(PLAIN, &FIELDS, r#"[{"of":["id"],"or":["body"]},["body"]]"#, Some(IMPLIED));
    check(PLAIN, &FIELDS, r#"[["kind","body"],["body"]]"#, Some(IMPLIED));
    for text in [
        r#"[["timestamp","body"],["id","body"],["kind","event-id","body"]]"#,
        r#"[["body"],[{"field":"a"}]]"#,
        r#"[["timestamp","body"],[{"field":"a"}]]"#,
        r#"[["timestamp","body"],{"of":["id","body"],"or":["kind","body"]}]"#,
    ] {
        check(STAMPED, &HEADERS, text, None);
    }
    check(WITH_ID, &HEADERS, r#"[["id"],["body"]]"#, None);
    check(WITH_ID, &HEADERS, r#"[["id"],["id","timestamp"]]"#, Some(IMPLIED));
}

#[test]
fn keys_tell_deliveries_apart_and_have_a_source() {
    for key in ["[]", r#"["kind"]"#, r#"["timestamp"]"#, r#"["kind","timestamp"]"#] {
        check(STAMPED, &HEADERS, &format!(r#"[["body"],{key}]"#), Some(MERGES));
        check(STAMPED, &HEADERS, &format!(r#"[{{"of":[{OBJECT}],"or":{key}}}]"#), Some(MERGES));
    }
    check(PLAIN, &Fields::NONE, r#"[["body"],["id","body"]]"#, Some(NO_ID));
    check(PLAIN, &Fields::NONE, r#"[["body"],["event-id","body"]]"#, Some(NO_EVENT_ID));
    check(PLAIN, &Fields::NONE, r#"[["timestamp","body"]]"#, Some(NO_TIMESTAMP));
    for path in ["", ".", "a.", "a..b"] {
        check(PLAIN, &Fields::NONE, &format!(r#"[[{{"field":"{path}"}}],["body"]]"#), Some(PATH));
    }
    check(PLAIN, &Fields::NONE, &format!("[{}]", [r#"["body"]"#; 9].join(",")), Some(TOO_MANY));
}

#[test]
fn a_part_is_signed_where_every_scheme_that_can_decide_signs_it() {
    const STAMP: &str = r#"[["timestamp","body"]]"#;
    const ID: &str = r#"[{"of":["id"],"or":["body"]}]"#;
    // Whoever leaves the first signature away leaves the timestamp away.
    const UNDATED: Scheme = Scheme::hmac_sha256("x-old").body(BodyRule::JsonStructure);
    const WEAKER: &[Scheme] = &[stamped("x-sig", "x-time"), UNDATED];
    check(WEAKER, &HEADERS, STAMP, Some(REPEATED));
    let required = Known::at_endpoint(WEAKER, &HEADERS, false, true);
    assert_eq!(KeyRule::flaw_of_all(&rules(STAMP), &required), None);
    // One and the same timestamp, and two.
    check(&[stamped("x-sig", "x-time"), stamped("x-old", "x-time")], &HEADERS, STAMP, None);
    check(&[stamped("x-sig", "x-time"), stamped("x-old", "x-old-time")], &HEADERS, STAMP, Some(REPEATED));
    check(&[NAMED, stamped("x-old", "x-time")], &HEADERS, ID, Some(OCCUPIED));
    // One takes the id from the header that it signs, the other from the body.
    check(&[NAMED.id_header("x-id"), UNDATED], &FIELDS, ID, Some(OCCUPIED));
    check(&[NAMED.id_header("x-id")], &FIELDS, ID, None);
}

#[test]
fn where_every_scheme_shows_the_secret_headers_are_as_good_as_signed() {
    const TOKEN: Scheme = Scheme::token("x-token");
    check(&[TOKEN], &HEADERS, r#"[{"of":["id"],"or":["body"]}]"#, None);
    check(&[TOKEN], &HEADERS, r#"[["kind","body"]]"#, None);
    check(&[TOKEN], &HEADERS, r#"[["id"]]"#, Some(REPEATED));
    check(&[NAMED, TOKEN], &HEADERS, r#"[{"of":["id"],"or":["body"]}]"#, None);
    check(&[NAMED, TOKEN], &HEADERS, r#"[["id"]]"#, Some(REPEATED));
    check(&[NAMED, TOKEN], &HEADERS, r#"[["event-id"],["body"]]"#, Some(OCCUPIED));
}

#[test]
fn a_kind_is_signed_where_it_is_configured() {
    let configured = Known::at_endpoint(PLAIN, &HEADERS, true, false);
    assert_eq!(KeyRule::flaw_of_all(&rules(r#"[["kind","body"]]"#), &configured), None);
    let known = Known::of(PLAIN, &HEADERS);
    let of_kind = [KeyRule::of_unsigned_kind(&[KeyPart::Kind, KeyPart::Body])];
    assert_eq!(KeyRule::flaw_of_all(&of_kind, &known), None);
    let of_id = [KeyRule::of_unsigned_kind(&[KeyPart::Kind, KeyPart::Id, KeyPart::Body])];
    assert_eq!(KeyRule::flaw_of_all(&of_id, &known), Some(REPEATED));
}
