//! Standard Webhooks.

use countersign_core::{
    Delivery, EventError, Secret, Signer, Timestamp, Verifier,
    event::Json,
    provider::{StandardWebhooks, Svix, standard_webhooks::Event},
};
use serde::Deserialize;

use super::{date_time, text};

/// The specification's example of a full payload.
const FULL: &str = r#"{"type":"contact.created","timestamp":"2022-11-03T20:26:10.344522Z","data":{"id":"1f81eb52-5198-4599-803e-771906343485","type":"contact","fullName":"John Smith","address":"800 W NASA Pkwy, Webster, TX 77598, USA","phoneNumber":"(281) 332-2575","birthday":"1980-04-19","occupation":"Engineer, ACME"}}"#;

/// The specification's second form: the data's fields beside the envelope's.
const SQUASHED: &str = r#"{"type":"contact.created","timestamp":"2022-11-03T20:26:10.344522Z","id":"1f81eb52-5198-4599-803e-771906343485","fullName":"John Smith"}"#;

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Contact {
    id: String,
    #[serde(rename = "fullName")]
    full_name: String,
}

fn delivery<T: countersign_core::provider::Payload>(body: &str) -> Delivery<StandardWebhooks<T>> {
    let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    let now = Timestamp::from_unix_seconds(1_705_314_600);
    let headers = Signer::<StandardWebhooks>::new(&secret).id("msg_1").sign(body, now).unwrap();
    Verifier::<StandardWebhooks<T>>::new(&secret).unwrap().verify(&headers, body, now).unwrap()
}

fn event(body: &str) -> Event {
    delivery::<Json>(body).event().unwrap()
}

#[test]
fn an_envelope_is_typed_in_full() {
    let Event { id, kind, timestamp, data, .. } = delivery::<Contact>(FULL).event().unwrap();
    assert_eq!((id.as_str(), kind), ("msg_1", text("contact.created")));
    assert_eq!(timestamp, date_time("2022-11-03T20:26:10.344522Z"));
    assert_eq!(
        (data.id.as_str(), data.full_name.as_str()),
        ("1f81eb52-5198-4599-803e-771906343485", "John Smith")
    );
}

#[test]
fn data_beside_the_envelope_is_the_payload_as_a_whole() {
    let event = delivery::<Contact>(SQUASHED).event().unwrap();
    assert_eq!((event.kind, event.data.full_name.as_str()), (text("contact.created"), "John Smith"));
    assert_eq!(event.timestamp, date_time("2022-11-03T20:26:10.344522Z"));
}

#[test]
fn what_the_specification_only_recommends_may_be_missing() {
    for body in [
        r#"{"test": 2432232314}"#,
        r#"{"data":{"id":1},"event":"x"}"#,
        "[1,2]",
        "\"text\"",
        "7",
        r#"{"type":7,"timestamp":"yesterday"}"#,
    ] {
        let event = event(body);
        assert_eq!((event.id.as_str(), event.kind, event.timestamp), ("msg_1", None, None), "{body}");
        assert_eq!(event.data.get(), body);
    }
    assert_eq!(event(r#"{"type":"ping","data":null}"#).data.get(), "null");
}

#[test]
fn a_timestamp_in_another_form_loses_no_delivery() {
    for (timestamp, expected) in
        [("1667507170", date_time("2022-11-03T20:26:10Z")), ("\"soon\"", None), ("{}", None), ("null", None)]
    {
        let event = event(&format!(r#"{{"type":"a","timestamp":{timestamp},"data":1}}"#));
        assert_eq!((event.timestamp, event.data.get()), (expected, "1"), "{timestamp}");
    }
}

#[test]
fn a_misfit_is_told_with_its_path() {
    let path = |body| match delivery::<Contact>(body).event().unwrap_err() {
        EventError::Misfit { path, kind, .. } => (kind, path),
        other => panic!("{other}"),
    };
    assert_eq!(path(r#"{"type":"a","data":{"id":1}}"#), ("a".to_owned(), "data.id".to_owned()));
    assert_eq!(path(r#"{"type":"a","id":1}"#), ("a".to_owned(), "id".to_owned()));
    assert!(matches!(delivery::<Json>("not JSON").event(), Err(EventError::NotJson { .. })));
}

#[test]
fn what_svix_sends_is_its_senders_own() {
    let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    let now = Timestamp::from_unix_seconds(1_705_314_600);
    let body = r#"{"id":"in_1","fullName":"John Smith"}"#;
    let headers = Signer::<Svix>::new(&secret).id("msg_1").sign(body, now).unwrap();
    let delivery = Verifier::<Svix<Contact>>::new(&secret).unwrap().verify(&headers, body, now).unwrap();
    let event = delivery.event().unwrap();
    assert_eq!(
        (delivery.id().as_deref(), event.kind, event.payload.id.as_str()),
        (Some("msg_1"), None, "in_1")
    );
}
