//! The dedupe keys: which two deliveries are one, whatever stands in the headers that are not signed.

#![allow(clippy::unwrap_used, reason = "a test tells what it found by panicking")]

use countersign_core::{
    Provider, Secret, Signer, Timestamp, Verifier,
    dedupe::Key,
    provider::{
        HubSpot, Klaviyo, Linear, Paddle, Raaft, Recharge, Recurly, Retake, RetentBase, RevKeen, Slack,
        StandardWebhooks, Stripe, Svix, Zendesk, Zoom,
    },
};

struct Sent<'s> {
    id: &'s str,
    event_id: &'s str,
    kind: &'s str,
    body: &'s str,
    at: i64,
}

const SENT: Sent<'_> = Sent { id: "", event_id: "", kind: "", body: "{}", at: 1_705_314_600 };

const URL: &str = "https://example.com/webhook";

fn keys<P: Provider>(sent: &Sent<'_>) -> Vec<Key> {
    let (secret, at) = (Secret::new("secret").unwrap(), Timestamp::from_unix_seconds(sent.at));
    let signer =
        Signer::<P>::new(&secret).id(sent.id).event_id(sent.event_id).kind(sent.kind).public_url(URL);
    let headers = signer.sign(sent.body, at).unwrap();
    let verifier = Verifier::<P>::builder(&secret).public_url(URL).build().unwrap();
    let delivery = verifier.verify(&headers, sent.body, at).unwrap();
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
    let first = Sent {
        id: "dlv_1",
        event_id: "evt_1",
        kind: "cancellation.created",
        body: r#"{"eventId":"evt_1"}"#,
        ..SENT
    };
    assert_eq!(keys::<RetentBase>(&first).len(), 3);
    let replayed = Sent { id: "dlv_2", event_id: "evt_2", kind: "cancellation.outcome_updated", ..first };
    assert!(one::<RetentBase>(&first, &replayed), "an exact replay under other unsigned headers");
    let retried = Sent { id: "dlv_2", at: SENT.at + 60, ..first };
    assert!(one::<RetentBase>(&first, &retried), "a retry with a fresh timestamp and delivery id");
    let resent = Sent { event_id: "", at: SENT.at + 60, ..first };
    assert!(one::<RetentBase>(&first, &resent), "the same delivery id, as the page asks");
    let occupied = Sent { body: r#"{"eventId":"evt_2"}"#, ..first };
    assert!(!one::<RetentBase>(&first, &occupied), "another delivery under the ids of this one");
    let nameless = Sent { id: "", event_id: "", ..first };
    assert_eq!(keys::<RetentBase>(&nameless).len(), 1);
    assert!(one::<RetentBase>(&first, &nameless), "a replay without its ids");
    let updated = Sent { id: "dlv_3", kind: "cancellation.outcome_updated", at: SENT.at + 60, ..first };
    assert!(!one::<RetentBase>(&first, &updated), "two updates may share the event's id");
    let again = Sent { id: "dlv_3", event_id: "evt_2", at: SENT.at + 60, ..first };
    assert!(!one::<RetentBase>(&first, &again), "a customer who churns again, in an equal body");
}

#[test]
fn a_signed_id_alone_is_the_key() {
    let first = Sent { id: "msg_1", body: r#"{"a":1}"#, ..SENT };
    let retried = Sent { at: SENT.at + 60, ..first };
    let resent = Sent { body: r#"{"a":2}"#, ..first };
    let other = Sent { id: "msg_2", ..first };
    assert!(one::<StandardWebhooks>(&first, &retried) && one::<Svix>(&first, &retried));
    assert!(one::<StandardWebhooks>(&first, &resent) && one::<Svix>(&first, &resent));
    assert!(!one::<StandardWebhooks>(&first, &other) && !one::<Svix>(&first, &other));
}

#[test]
fn an_id_in_the_signed_body_is_the_key_and_without_one_the_body() {
    fn check<P: Provider>(first: &str, again: &str, other: &str, nameless: [&str; 2]) {
        let sent = |body| Sent { body, ..SENT };
        assert!(one::<P>(&sent(first), &Sent { at: SENT.at + 60, ..sent(again) }), "{}", P::NAME);
        assert!(!one::<P>(&sent(first), &sent(other)), "{}", P::NAME);
        assert!(one::<P>(&sent(nameless[0]), &sent(nameless[0])), "{}", P::NAME);
        assert!(!one::<P>(&sent(nameless[0]), &sent(nameless[1])), "{}", P::NAME);
    }

    let nameless = [r#"{"a":1}"#, r#"{"a":2}"#];
    check::<Stripe>(r#"{"id":"evt_1","a":1}"#, r#"{"id":"evt_1"}"#, r#"{"id":"evt_2","a":1}"#, nameless);
    let (first, other) = (r#"{"event_id":"evt_1","a":1}"#, r#"{"event_id":"evt_2","a":1}"#);
    check::<Paddle>(first, r#"{"a":1,"event_id":"evt_1"}"#, other, nameless);
    check::<Slack>(first, r#"{"a":1,"event_id":"evt_1"}"#, other, ["command=%2Fa", "command=%2Fb"]);
}

#[test]
fn slack_asks_for_the_options_of_a_menu_as_often_as_somebody_types() {
    let asked =
        Sent { body: "payload=%7B%22type%22%3A%22block_suggestion%22%2C%22value%22%3A%22a%22%7D", ..SENT };
    assert!(one::<Slack>(&asked, &asked), "an exact replay");
    assert!(!one::<Slack>(&asked, &Sent { at: SENT.at + 9, ..asked }), "the same was typed again");
}

#[test]
fn an_unsigned_id_is_a_key_with_the_body_beside_what_was_signed() {
    fn check<P: Provider>() {
        let first = Sent { id: "dlv_1", body: r#"{"a":1}"#, ..SENT };
        assert_eq!(keys::<P>(&first).len(), 2, "{}", P::NAME);
        assert!(one::<P>(&first, &Sent { id: "dlv_2", ..first }), "{}: a replay under another id", P::NAME);
        assert!(one::<P>(&first, &Sent { id: "", ..first }), "{}: a replay without its id", P::NAME);
        let retried = Sent { at: SENT.at + 30, ..first };
        assert!(one::<P>(&first, &retried), "{}: a retry that was signed anew", P::NAME);
        assert!(!one::<P>(&first, &Sent { id: "dlv_2", ..retried }), "{}: another delivery", P::NAME);
        let occupied = Sent { body: r#"{"a":2}"#, ..first };
        assert!(!one::<P>(&first, &occupied), "{}: another delivery under the id of this one", P::NAME);
    }

    check::<Recurly>();
    check::<Zendesk>();
}

#[test]
fn linear_is_known_by_what_the_signed_body_says_of_the_event() {
    const FIRST: &str = r#"{"action":"update","type":"Issue","createdAt":"2024-01-15T10:30:00.000Z","data":{"id":"i","title":"a"},"webhookId":"w","webhookTimestamp":1705314600000}"#;
    let check = |from: &str, to: &str, expected: bool| {
        let other = FIRST.replacen(from, to, 1);
        assert_ne!(other, FIRST, "{from}");
        let is_one = one::<Linear>(
            &Sent { id: "dlv_1", body: FIRST, ..SENT },
            &Sent { id: "dlv_1", body: &other, ..SENT },
        );
        assert_eq!(is_one, expected, "{from} => {to}");
    };
    check("1705314600000", "1705314630000", true);
    // All else is another event, under whatever id it comes.
    check("update", "create", false);
    check("Issue", "Project", false);
    check("00.000Z", "00.001Z", false);
    check(r#""title":"a""#, r#""title":"b""#, false);
    check(r#""w""#, r#""x""#, false);
    // Without all of these fields, the body is the key.
    let bare = r#"{"action":"revoked","type":"OAuthApp","createdAt":"2024-01-15T10:30:00.000Z","webhookId":"w","webhookTimestamp":1705314600000}"#;
    let retried = bare.replacen("600000", "630000", 1);
    let sent = |body| Sent { body, ..SENT };
    assert!(one::<Linear>(&sent(bare), &sent(bare)) && !one::<Linear>(&sent(bare), &sent(&retried)));
}

#[test]
fn hubspot_is_known_by_every_event_of_a_body() {
    const ONE: &str = r#"{"eventId":1,"subscriptionId":2,"portalId":3,"appId":4,"occurredAt":5,"subscriptionType":"contact.creation","attemptNumber":0,"objectId":6}"#;
    fn check(first: &str, second: &str, expected: bool) {
        let (first, second) = (Sent { body: first, ..SENT }, Sent { body: second, ..SENT });
        assert_eq!(one::<HubSpot>(&first, &second), expected, "{} => {}", first.body, second.body);
    }
    let retried = |text: &str| text.replace(r#""attemptNumber":0"#, r#""attemptNumber":1"#);
    let with = |from: &str, to: &str| {
        assert!(ONE.contains(from), "{from}");
        ONE.replacen(from, to, 1)
    };
    let batch = |events: &[&str]| format!("[{}]", events.join(","));
    let other = with(r#""eventId":1"#, r#""eventId":9"#);
    check(&batch(&[ONE]), &retried(&batch(&[ONE])), true);
    check(&batch(&[ONE, &other]), &retried(&batch(&[ONE, &other])), true);
    check(&batch(&[ONE]), &batch(&[ONE, &other]), false);
    check(&batch(&[ONE, &other]), &batch(&[&other, ONE]), false);
    check(&batch(&[ONE, ONE]), &batch(&[ONE]), false);
    for name in ["eventId", "subscriptionId", "portalId", "occurredAt", "objectId"] {
        let field = format!(r#""{name}":"#);
        check(&batch(&[ONE]), &batch(&[&with(&field, &format!("{field}7"))]), false);
        // A number is no text.
        let text = with(&field, &format!("{field}\"7\",\"_\":"));
        check(&batch(&[&with(&field, &format!("{field}7,\"_\":"))]), &batch(&[&text]), false);
        // An event that lacks one is known by the body.
        let nameless = with(&field, &format!(r#""no {name}":"#));
        check(&batch(&[&nameless]), &batch(&[&nameless]), true);
        check(&batch(&[&nameless]), &retried(&batch(&[&nameless])), false);
    }
    check(&batch(&[ONE]), &format!("{} []", batch(&[ONE])), false);
    check("[]", "[] ", false);
    check(ONE, &retried(ONE), false);
}

#[test]
fn what_is_no_id_of_the_delivery_is_no_key() {
    const META: &str = r#""meta":{"klaviyo_webhook_id":"webhook_1","timestamp":"2024-01-15T10:30:00+00:00"}"#;
    let of = |event: &str| format!(r#"{{"data":[{{"external_id":"{event}"}}],{META}}}"#);
    let (first, other) = (of("a"), of("b"));
    let (first, other) =
        (Sent { id: "webhook_1", body: &first, ..SENT }, Sent { id: "webhook_1", body: &other, ..SENT });
    assert!(one::<Klaviyo>(&first, &first) && !one::<Klaviyo>(&first, &other), "the webhook's id");
    let (first, other) = (
        Sent { body: r#"[{"eventId":1},{"eventId":2}]"#, ..SENT },
        Sent { body: r#"[{"eventId":1},{"eventId":3}]"#, ..SENT },
    );
    assert!(one::<HubSpot>(&first, &first) && !one::<HubSpot>(&first, &other), "the first event's id");
    let (first, other) = (
        Sent { body: r#"{"event":"meeting.started","payload":{"object":{"id":"1"}}}"#, ..SENT },
        Sent { body: r#"{"event":"meeting.ended","payload":{"object":{"id":"1"}}}"#, ..SENT },
    );
    assert!(one::<Zoom>(&first, &first) && !one::<Zoom>(&first, &other), "the meeting's id");
}
