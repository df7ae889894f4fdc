//! Shopify.

use countersign_core::provider::{Shopify, shopify::Event};
use serde::Deserialize;

use super::{delivery, event, misfit, text};

/// The page's example of an order (<https://shopify.dev/docs/api/webhooks>), in part.
const DOCUMENTED: &str = r#"{"id":820982911946154508,"admin_graphql_api_id":"gid:\/\/shopify\/Order\/820982911946154508","email":"jon@example.com","created_at":"2021-12-31T19:00:00-05:00","currency":"USD","total_price":"398.00","test":true}"#;

#[derive(Debug, Deserialize)]
struct Order {
    id: u64,
    total_price: String,
}

#[test]
fn the_documented_example_is_typed() {
    let delivery = delivery::<Shopify>("orders/create", DOCUMENTED);
    assert_eq!((delivery.kind().as_deref(), delivery.timestamp()), (Some("orders/create"), None));
    let Event { topic, payload, .. } = delivery.event().unwrap();
    assert_eq!((topic, payload.get()), (text("orders/create"), DOCUMENTED));
}

#[test]
fn a_payload_is_read_as_a_type_of_ones_own() {
    let payload = event::<Shopify<Order>>("orders/create", DOCUMENTED).unwrap().payload;
    assert_eq!((payload.id, &*payload.total_price), (820_982_911_946_154_508, "398.00"));
    assert_eq!(misfit::<Shopify<Order>>("orders/create", r#"{"id":1,"total_price":398.00}"#), "total_price");
}

#[test]
fn a_delivery_without_a_topic_is_typed() {
    let Event { topic, webhook_id, event_id, .. } = event::<Shopify>("", DOCUMENTED).unwrap();
    assert_eq!((topic, webhook_id, event_id), (None, None, None));
}
