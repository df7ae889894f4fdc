//! Stripe.

use countersign_core::provider::{
    Stripe,
    stripe::{Event, Snapshot, Thin},
};

use super::{date_time, delivery, event, misfit, text};

/// The example of Stripe's reference.
const SNAPSHOT: &str = r#"{"id":"evt_1NG8Du2eZvKYlo2CUI79vXWy","object":"event","api_version":"2019-02-19","created":1686089970,"data":{"object":{"id":"seti_1NG8Du2eZvKYlo2C9XMqbR0x","object":"setup_intent","status":"requires_confirmation"}},"livemode":false,"pending_webhooks":0,"request":{"id":null,"idempotency_key":null},"type":"setup_intent.created"}"#;

/// As a connected account's update looks.
const UPDATE: &str = r#"{"id":"evt_1","object":"event","account":"acct_1","api_version":null,"created":1686089970,"data":{"object":{"id":"cus_1"},"previous_attributes":{"name":"Jane"}},"livemode":true,"pending_webhooks":2,"request":{"id":"req_1","idempotency_key":"key_1"},"type":"customer.updated","added_later":1}"#;

/// The payload of Stripe's own libraries' tests.
const THIN: &str = r#"{"id":"evt_234","object":"v2.core.event","type":"v1.billing.meter.error_report_triggered","livemode":true,"created":"2022-02-15T00:27:45.330Z","context":"acct_123","related_object":{"id":"mtr_123","type":"billing.meter","url":"/v1/billing/meters/mtr_123"},"reason":{"id":"foo","idempotency_key":"bar"}}"#;

fn snapshot(body: &str) -> Snapshot {
    match event::<Stripe>("", body).unwrap() {
        Event::Snapshot(event) => event,
        other => panic!("{other:?}"),
    }
}

fn thin(body: &str) -> Thin {
    match event::<Stripe>("", body).unwrap() {
        Event::Thin(event) => event,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_snapshot_event_is_typed_in_full() {
    let delivery = delivery::<Stripe>("", SNAPSHOT);
    assert_eq!(delivery.id().as_deref(), Some("evt_1NG8Du2eZvKYlo2CUI79vXWy"));
    assert_eq!(delivery.kind().as_deref(), Some("setup_intent.created"));
    let event = delivery.event().unwrap();
    assert_eq!((event.id(), event.kind()), ("evt_1NG8Du2eZvKYlo2CUI79vXWy", "setup_intent.created"));
    let event = snapshot(SNAPSHOT);
    assert_eq!((event.object, event.api_version), (text("event"), text("2019-02-19")));
    assert_eq!(event.created, date_time("2023-06-06T22:19:30Z"));
    assert_eq!((event.livemode.unwrap().get(), event.pending_webhooks.unwrap().get()), (false, 0));
    let request = event.request.unwrap();
    assert_eq!((request.id, request.idempotency_key, event.account), (None, None, None));
    assert!(event.data.object.get().starts_with(r#"{"id":"seti_"#));
    assert!(event.data.previous_attributes.is_none() && event.extra.is_empty());
}

#[test]
fn an_update_tells_what_was_before() {
    let event = snapshot(UPDATE);
    assert_eq!((event.account, event.api_version), (text("acct_1"), None));
    assert_eq!(event.request.unwrap().idempotency_key, text("key_1"));
    assert_eq!(event.data.previous_attributes.unwrap().get(), r#"{"name":"Jane"}"#);
    assert_eq!(event.extra.get("added_later").unwrap().get(), "1");
}

#[test]
fn a_request_was_once_an_id_alone() {
    for (request, id) in [("\"req_1\"", text("req_1")), ("null", None), (r#"{"id":"req_1"}"#, text("req_1"))]
    {
        let body = format!(r#"{{"id":"evt_1","type":"a","request":{request},"data":{{"object":{{}}}}}}"#);
        assert_eq!(snapshot(&body).request.and_then(|request| request.id), id, "{request}");
    }
}

#[test]
fn an_object_is_read_as_a_type_of_ones_own() {
    #[derive(Debug, serde::Deserialize)]
    struct Customer {
        id: String,
    }

    match event::<Stripe<Customer>>("", UPDATE).unwrap() {
        Event::Snapshot(event) => assert_eq!(event.data.object.id, "cus_1"),
        other => panic!("{other:?}"),
    }
    assert_eq!(misfit::<Stripe<Customer>>("", &UPDATE.replace("\"cus_1\"", "7")), "data.object.id");
}

#[test]
fn a_thin_event_is_typed_in_full() {
    let delivery = delivery::<Stripe>("", THIN);
    assert_eq!((delivery.id().as_deref(), delivery.event().unwrap().id()), (Some("evt_234"), "evt_234"));
    let event = thin(THIN);
    assert_eq!(
        (event.kind.as_str(), event.object),
        ("v1.billing.meter.error_report_triggered", text("v2.core.event"))
    );
    assert_eq!((event.created, event.context), (date_time("2022-02-15T00:27:45.330Z"), text("acct_123")));
    let related = event.related_object.unwrap();
    assert_eq!((related.id.as_str(), related.kind), ("mtr_123", text("billing.meter")));
    assert_eq!(related.url, text("/v1/billing/meters/mtr_123"));
    assert_eq!((event.livemode.unwrap().get(), event.data), (true, None));
    assert_eq!(event.reason.unwrap().get(), r#"{"id":"foo","idempotency_key":"bar"}"#);
}

#[test]
fn a_thin_event_may_be_about_nothing() {
    let body = r#"{"id":"evt_456","object":"v2.core.event","type":"v1.billing.meter.no_meter_found","livemode":false,"created":"2022-02-15T00:27:45.330Z","context":null,"related_object":null}"#;
    let event = thin(body);
    assert_eq!((event.related_object, event.context), (None, None));
}

#[test]
fn what_an_event_is_about_is_required() {
    assert_eq!(misfit::<Stripe>("", r#"{"id":"evt_1","object":"event","type":"a"}"#), ".");
    assert_eq!(misfit::<Stripe>("", r#"{"id":"evt_1","object":"event","type":"a","data":{}}"#), "data");
}
