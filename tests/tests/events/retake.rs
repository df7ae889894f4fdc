//! Retake.

use countersign_core::{
    EventError,
    event::Text,
    provider::{
        Retake,
        retake::{Envelope, Event},
    },
};

use super::{date_time, decimal, delivery, event, misfit, only, text};

/// The page's example.
const DOCUMENTED: &str = r#"{"event":"intent.tracked","timestamp":"2024-01-15T10:30:00Z","data":{"intentId":"int_abc123","userId":"user_456","type":"cart","value":149.99,"currency":"USD","items":[{"id":"sku_123","name":"Premium Widget","price":149.99,"quantity":1}],"metadata":{"source":"checkout_page"}}}"#;

#[test]
fn the_documented_example_is_typed_in_full() {
    let delivery = delivery::<Retake>("", DOCUMENTED);
    assert_eq!(
        (delivery.kind().as_deref(), delivery.id(), delivery.timestamp()),
        (Some("intent.tracked"), None, None)
    );
    let Envelope { timestamp, event, data, extra, .. } = only!(delivery.event(), Event::IntentTracked);
    assert_eq!((timestamp, event.as_str()), (date_time("2024-01-15T10:30:00Z"), "intent.tracked"));
    assert_eq!(data.intent_id, "int_abc123");
    assert_eq!((data.user_id, data.kind), (id("user_456"), text("cart")));
    assert_eq!((data.value, data.currency), (decimal("149.99"), text("USD")));
    assert_eq!(data.items.len(), 1);
    let item = &data.items[0];
    assert_eq!((&item.id, &item.name), (&id("sku_123"), &text("Premium Widget")));
    assert_eq!((item.price, item.quantity), (decimal("149.99"), Some(1.into())));
    assert_eq!(data.metadata.unwrap().get(), r#"{"source":"checkout_page"}"#);
    assert!(extra.is_empty() && data.extra.is_empty() && item.extra.is_empty());
}

fn id(text: &str) -> Option<Text> {
    Some(text.into())
}

fn of(kind: &str, data: &str) -> Result<Event, EventError> {
    event::<Retake>("", &format!(r#"{{"event":"{kind}","timestamp":"2024-01-15T10:30:00Z","data":{data}}}"#))
}

#[test]
fn every_field_of_the_table_is_typed() {
    let at = "2024-01-15T10:30:00Z";
    let data = only!(
        of(
            "intent.converted",
            r#"{"intentId":"i","transactionId":"t","value":1.50,"recoveredAt":"2024-01-15T10:30:00Z"}"#
        ),
        Event::IntentConverted
    )
    .data;
    assert_eq!(
        (data.intent_id.as_str(), data.transaction_id, data.value, data.recovered_at),
        ("i", id("t"), decimal("1.5"), date_time(at))
    );
    let data = only!(
        of(
            "intent.expired",
            r#"{"intentId":"i","userId":"u","value":"2","expiredAt":"2024-01-15T10:30:00Z"}"#
        ),
        Event::IntentExpired
    )
    .data;
    assert_eq!(
        (data.intent_id.as_str(), data.user_id, data.value, data.expired_at),
        ("i", id("u"), decimal("2"), date_time(at))
    );
    let data = only!(
        of(
            "payment.recovered",
            r#"{"intentId":"i","userId":"u","value":0.1,"recoveredAt":"2024-01-15T10:30:00Z"}"#
        ),
        Event::PaymentRecovered
    )
    .data;
    assert_eq!(
        (data.intent_id.as_str(), data.user_id, data.value, data.recovered_at),
        ("i", id("u"), decimal("0.1"), date_time(at))
    );
    let data = only!(of("payment.failed", r#"{"userId":"u"}"#), Event::PaymentFailed).data;
    assert_eq!((data.user_id.as_str(), data.intent_id, data.value), ("u", None, None));
    let data = only!(
        of("trial.expired", r#"{"userId":"u","email":"e","expiredAt":"2024-01-15T10:30:00Z"}"#),
        Event::TrialExpired
    )
    .data;
    assert_eq!((data.user_id.as_str(), data.email, data.expired_at), ("u", text("e"), date_time(at)));
    let data = only!(
        of(
            "email.sent",
            r#"{"intentId":"i","email":"e","sentAt":"2024-01-15T10:30:00Z","templateId":"t","step":2}"#
        ),
        Event::EmailSent
    )
    .data;
    assert_eq!(
        (data.intent_id.as_str(), data.email, data.sent_at, data.template_id, data.step),
        ("i", text("e"), date_time(at), id("t"), id("2"))
    );
    let named = only!(of("email.sent", r#"{"intentId":"i","step":"first"}"#), Event::EmailSent).data;
    assert_eq!(named.step, id("first"));
    let data = only!(
        of("email.opened", r#"{"intentId":"i","openedAt":"2024-01-15T10:30:00Z"}"#),
        Event::EmailOpened
    )
    .data;
    assert_eq!((data.intent_id.as_str(), data.opened_at), ("i", date_time(at)));
    let data = only!(
        of("email.clicked", r#"{"intentId":"i","clickedAt":"2024-01-15T10:30:00Z","userAgent":"a"}"#),
        Event::EmailClicked
    )
    .data;
    assert_eq!((data.intent_id.as_str(), data.clicked_at, data.user_agent), ("i", date_time(at), text("a")));
    let data = only!(of("email.unsubscribed", r#"{"projectId":"p","email":"e","userId":"u","reason":"r","unsubscribedAt":"2024-01-15T10:30:00Z"}"#), Event::EmailUnsubscribed).data;
    assert_eq!(
        (data.project_id, data.email.as_str(), data.user_id, data.reason, data.unsubscribed_at),
        (id("p"), "e", id("u"), text("r"), date_time(at))
    );
}

#[test]
fn money_is_exact() {
    for value in ["0.1", "149.99", "12345678901234567.89", "0.30000000000000004", "-5.00", "1e3"] {
        for json in [value.to_owned(), format!("\"{value}\"")] {
            let event = of("intent.tracked", &format!(r#"{{"intentId":"i","value":{json}}}"#));
            let data = only!(event, Event::IntentTracked).data;
            assert_eq!(data.value, decimal(value), "{json}");
        }
    }
    let data =
        only!(of("intent.tracked", r#"{"intentId":"i","value":12345678901234567.89}"#), Event::IntentTracked)
            .data;
    assert_eq!(data.value.unwrap().to_string(), "12345678901234567.89");
    assert_eq!(data.value.unwrap().minor_units(2), Some(1_234_567_890_123_456_789));
}

#[test]
fn a_misfit_tells_its_path_and_not_its_value() {
    for (changed, path) in [
        (DOCUMENTED.replace(r#""price":149.99"#, r#""price":"s3cret""#), "data.items[0].price"),
        (DOCUMENTED.replace(r#""quantity":1"#, r#""quantity":1.5"#), "data.items[0].quantity"),
        (DOCUMENTED.replace("2024-01-15T10:30:00Z", "s3cret"), "timestamp"),
        (DOCUMENTED.replace("intentId", "intent"), "data"),
        (DOCUMENTED.replace(r#""data":{"#, r#""dat":{"#), "."),
        (r#"{"event":"intent.tracked","data":[]}"#.to_owned(), "data"),
    ] {
        assert_eq!(misfit::<Retake>("", &changed), path, "{changed}");
        assert!(!event::<Retake>("", &changed).unwrap_err().to_string().contains("s3cret"), "{changed}");
    }
}

#[test]
fn an_event_needs_nothing_but_the_id_of_what_it_is_about() {
    for (kind, id) in [
        ("intent.tracked", "intentId"),
        ("intent.converted", "intentId"),
        ("intent.expired", "intentId"),
        ("payment.recovered", "intentId"),
        ("payment.failed", "userId"),
        ("trial.expired", "userId"),
        ("email.sent", "intentId"),
        ("email.opened", "intentId"),
        ("email.clicked", "intentId"),
        ("email.unsubscribed", "email"),
    ] {
        let bare = format!(r#"{{"event":"{kind}","data":{{"{id}":"1"}}}}"#);
        assert!(event::<Retake>("", &bare).is_ok(), "{kind}");
        assert!(of(kind, "{}").is_err(), "{kind} is about nothing");
    }
}
