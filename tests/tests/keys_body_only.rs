//! The dedupe keys of providers that sign no timestamp: which two deliveries are one.

#![allow(clippy::unwrap_used, reason = "a test tells what it found by panicking")]

use countersign_core::{
    Provider, Secret, Signer, Timestamp, Verifier,
    dedupe::Key,
    provider::{Chargebee, Dropbox, GitHub, GitLab, HubSpotV1, Intercom, Shopify, Square, Vercel, WhatsApp},
};

struct Sent<'s> {
    id: &'s str,
    kind: &'s str,
    body: &'s str,
}

const SENT: Sent<'_> = Sent { id: "1", kind: "a", body: "{}" };

fn keys<P: Provider>(sent: &Sent<'_>) -> Vec<Key> {
    let (secret, now) = (Secret::new("user:password").unwrap(), Timestamp::from_unix_seconds(1_705_314_600));
    let url = "https://example.com/webhook";
    let signer = Signer::<P>::new(&secret).id(sent.id).kind(sent.kind).public_url(url);
    let headers = signer.sign(sent.body, now).unwrap();
    let verifier = Verifier::<P>::builder(&secret).public_url(url).build().unwrap();
    verifier.verify(&headers, sent.body, now).unwrap().keys("", P::KEYS)
}

/// Whether any key of one is among the other's.
fn one<P: Provider>(first: &Sent<'_>, second: &Sent<'_>) -> bool {
    let second = keys::<P>(second);
    keys::<P>(first).iter().any(|key| second.contains(key))
}

#[test]
fn an_id_in_the_signed_body_is_the_key() {
    fn check<P: Provider>(id: &str) {
        let body = |id: &str, more: u8| format!(r#"{{"id":{id},"event_id":{id},"attempt":{more}}}"#);
        let (first, retried, other) = (body(id, 1), body(id, 2), body("\"another\"", 1));
        let sent = |body| Sent { body, ..SENT };
        assert!(one::<P>(&sent(&first), &sent(&retried)), "{}: a retry that counts itself", P::NAME);
        assert!(!one::<P>(&sent(&first), &sent(&other)), "{}: another event", P::NAME);
        let (nameless, another) = (body("null", 1), body("null", 2));
        assert!(one::<P>(&sent(&nameless), &sent(&nameless)), "{}: without an id, the body", P::NAME);
        assert!(!one::<P>(&sent(&nameless), &sent(&another)), "{}: without an id, another body", P::NAME);
    }
    check::<Chargebee>("\"ev_1\"");
    check::<Intercom>("\"notif_1\"");
    check::<Square>("\"1\"");
    check::<Vercel>("\"uev_1\"");
}

#[test]
fn github_is_known_by_its_body() {
    let replayed = Sent { id: "2", kind: "b", ..SENT };
    assert!(one::<GitHub>(&SENT, &replayed), "a replay under other unsigned headers");
    assert!(!one::<GitHub>(&SENT, &Sent { body: "[]", ..SENT }), "another delivery under the id of this one");
}

#[test]
fn shopify_is_known_by_topic_and_body() {
    assert!(one::<Shopify>(&SENT, &Sent { id: "2", ..SENT }), "a replay under another webhook id");
    assert!(!one::<Shopify>(&SENT, &Sent { kind: "b", ..SENT }), "one body under two topics");
    assert!(
        !one::<Shopify>(&SENT, &Sent { body: "[]", ..SENT }),
        "another delivery under the id of this one"
    );
}

#[test]
fn gitlab_is_known_by_its_idempotency_key() {
    assert!(one::<GitLab>(&SENT, &Sent { body: "[]", ..SENT }), "the same at every attempt");
    assert!(!one::<GitLab>(&SENT, &Sent { id: "2", ..SENT }), "a tag that is made again has the same body");
}

#[test]
fn a_batch_is_known_by_its_body() {
    let one_event = Sent { body: r#"[{"eventId":1,"subscriptionType":"a"}]"#, ..SENT };
    let two_events = Sent { body: r#"[{"eventId":1,"subscriptionType":"a"},{"eventId":2}]"#, ..SENT };
    assert!(one::<HubSpotV1>(&one_event, &one_event) && !one::<HubSpotV1>(&one_event, &two_events));
    assert!(one::<WhatsApp>(&one_event, &one_event) && !one::<WhatsApp>(&one_event, &two_events));
}

#[test]
fn a_notification_of_dropbox_is_never_a_duplicate() {
    let changed = Sent { body: r#"{"list_folder":{"accounts":["dbid:1"]}}"#, ..SENT };
    assert_eq!(keys::<Dropbox>(&changed), [], "the next change of the account has the same body");
}
