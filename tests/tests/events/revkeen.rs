//! RevKeen.

use countersign_core::provider::{
    RevKeen,
    revkeen::{Event, InvoiceStatus, SubscriptionStatus},
};

use super::{date_time, delivery, event, misfit, only, text};

const INVOICE: &str = r#"{"id":"evt_1","object":"event","type":"invoice.paid","created":1705314600,"livemode":true,"api_version":"2024-01-01","account":"acct_1","data":{"object":{"id":"inv_1","customer_uuid":"cus_1","invoice_number":"INV-7","total_minor":14999,"currency":"USD","status":"paid","due_date":"2024-02-01","created_at":"2024-01-15T10:30:00Z","updated_at":"2024-01-15T10:31:00Z","lines":[]},"previous_attributes":{"status":"open"}},"request":{"id":"req_1"}}"#;

/// As older pages show it: flat, in camel case, with the time in ISO 8601.
const FLAT: &str = r#"{"id":"evt_2","type":"invoice.paid","createdAt":"2024-01-15T10:30:00Z","data":{"object":"invoice","id":"inv_1","customerUuid":"cus_1","invoiceNumber":7,"totalMinor":"14999","currency":"USD","status":"paid","dueDate":"2024-02-01","createdAt":1705314600}}"#;

const SUBSCRIPTION: &str = r#"{"id":"evt_3","object":"event","type":"subscription.canceled","created":1705314600,"livemode":false,"data":{"object":{"id":"sub_1","merchant_id":"mer_1","customer_id":"cus_1","product_id":"pro_1","price_id":"pri_1","plan_id":null,"status":"canceled","quantity":2,"amount_minor":4999,"currency":"EUR","billing_interval":"month","current_period_start":"2024-01-01T00:00:00Z","current_period_end":"2024-02-01T00:00:00Z","trial_end":null,"canceled_at":"2024-01-15T10:30:00Z","created_at":"2023-01-01T00:00:00Z","updated_at":"2024-01-15T10:30:00Z"}}}"#;

#[test]
fn an_invoice_is_typed_in_full() {
    let delivery = delivery::<RevKeen>("", INVOICE);
    assert_eq!((delivery.id().as_deref(), delivery.kind().as_deref()), (Some("evt_1"), Some("invoice.paid")));
    let event = only!(delivery.event(), Event::InvoicePaid);
    assert_eq!((event.id, event.object, event.kind.as_str()), (text("evt_1"), text("event"), "invoice.paid"));
    assert_eq!((event.created, event.livemode.unwrap().get()), (date_time("2024-01-15T10:30:00Z"), true));
    assert_eq!(
        (event.api_version.unwrap().as_str(), event.account.unwrap().as_str()),
        ("2024-01-01", "acct_1")
    );
    assert_eq!(event.request.unwrap().get(), r#"{"id":"req_1"}"#);
    assert_eq!(event.data.previous_attributes.unwrap().get(), r#"{"status":"open"}"#);
    let invoice = event.data.object;
    assert_eq!((invoice.id.as_str(), invoice.customer_uuid.unwrap().as_str()), ("inv_1", "cus_1"));
    assert_eq!(
        (invoice.invoice_number.unwrap().as_str(), invoice.total_minor.unwrap().get()),
        ("INV-7", 14_999)
    );
    assert_eq!((invoice.currency, invoice.status), (text("USD"), Some(InvoiceStatus::Paid)));
    assert_eq!(
        (invoice.due_date, invoice.created_at),
        (date_time("2024-02-01"), date_time("2024-01-15T10:30:00Z"))
    );
    assert_eq!(invoice.updated_at, date_time("2024-01-15T10:31:00Z"));
    assert_eq!(invoice.extra.get("lines").unwrap().get(), "[]");
}

#[test]
fn a_flat_invoice_is_typed_as_well() {
    let event = only!(event::<RevKeen>("", FLAT), Event::InvoicePaid);
    assert_eq!(event.created, date_time("2024-01-15T10:30:00Z"));
    assert!(event.data.previous_attributes.is_none());
    let invoice = event.data.object;
    assert_eq!((invoice.id.as_str(), invoice.customer_uuid.unwrap().as_str()), ("inv_1", "cus_1"));
    assert_eq!((invoice.invoice_number.unwrap().as_str(), invoice.total_minor.unwrap().get()), ("7", 14_999));
    assert_eq!(
        (invoice.due_date, invoice.created_at),
        (date_time("2024-02-01"), date_time("2024-01-15T10:30:00Z"))
    );
}

#[test]
fn a_subscription_is_typed_in_full() {
    let subscription = only!(event::<RevKeen>("", SUBSCRIPTION), Event::SubscriptionCanceled).data.object;
    assert_eq!(subscription.id.as_str(), "sub_1");
    assert_eq!(subscription.merchant_id.unwrap().as_str(), "mer_1");
    assert_eq!(subscription.customer_id.unwrap().as_str(), "cus_1");
    assert_eq!(subscription.product_id.unwrap().as_str(), "pro_1");
    assert_eq!((subscription.price_id.unwrap().as_str(), subscription.plan_id), ("pri_1", None));
    assert_eq!(
        (subscription.status, subscription.currency),
        (Some(SubscriptionStatus::Canceled), text("EUR"))
    );
    assert_eq!((subscription.quantity.unwrap().get(), subscription.amount_minor.unwrap().get()), (2, 4_999));
    assert_eq!(subscription.billing_interval.unwrap().as_str(), "month");
    assert_eq!(subscription.current_period_start, date_time("2024-01-01T00:00:00Z"));
    assert_eq!(subscription.current_period_end, date_time("2024-02-01T00:00:00Z"));
    assert_eq!((subscription.trial_end, subscription.canceled_at), (None, date_time("2024-01-15T10:30:00Z")));
    assert_eq!(subscription.created_at, date_time("2023-01-01T00:00:00Z"));
    assert_eq!(subscription.updated_at, date_time("2024-01-15T10:30:00Z"));
    assert!(subscription.extra.is_empty());
}

#[test]
fn both_spellings_of_canceled_are_one() {
    let british = SUBSCRIPTION.replace("canceled", "cancelled");
    let subscription = only!(event::<RevKeen>("", &british), Event::SubscriptionCanceled).data.object;
    assert_eq!(subscription.status, Some(SubscriptionStatus::Canceled));
    assert_eq!(subscription.canceled_at, date_time("2024-01-15T10:30:00Z"));
    let order = r#"{"type":"order.cancelled","data":{"object":{}}}"#;
    assert_eq!(only!(event::<RevKeen>("", order), Event::OrderCanceled).data.object.get(), "{}");
}

#[test]
fn other_objects_are_kept_as_they_stand() {
    for (body, object) in [
        (r#"{"type":"payment.succeeded","data":{"object":{"amount_minor":1.0}}}"#, r#"{"amount_minor":1.0}"#),
        (r#"{"type":"payment.succeeded","data":{"amountMinor":100}}"#, r#"{"amountMinor":100}"#),
        (
            r#"{"type":"payment.succeeded","data":{"object":"payment","id":1}}"#,
            r#"{"object":"payment","id":1}"#,
        ),
    ] {
        assert_eq!(only!(event::<RevKeen>("", body), Event::PaymentSucceeded).data.object.get(), object);
    }
}

#[test]
fn a_misfit_tells_its_path() {
    for (body, path) in [
        (INVOICE.replace("14999", r#""a lot""#), "data.object.total_minor"),
        (INVOICE.replace(r#""id":"inv_1","#, ""), "data.object"),
        (FLAT.replace(r#""14999""#, "[]"), "data.totalMinor"),
        (INVOICE.replace("1705314600", "[]"), "created"),
        (r#"{"type":"invoice.paid"}"#.to_owned(), "."),
        (r#"{"type":"invoice.paid","data":[]}"#.to_owned(), "data"),
    ] {
        assert_eq!(misfit::<RevKeen>("", &body), path, "{body}");
    }
}
