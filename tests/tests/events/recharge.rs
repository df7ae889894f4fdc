//! Recharge. The payloads are made from the field lists of the API's versions 2021-11 and 2021-01.

use countersign_core::{
    Secret, Signer, Timestamp, Verifier,
    provider::{
        Recharge,
        recharge::{Event, IntervalUnit},
    },
};

use super::{date_time, decimal, delivery, event, misfit, only, text};

const SUBSCRIPTION: &str = r#"{"subscription":{"id":89477,"address_id":124364,"customer_id":23456,"cancellation_reason":null,"cancelled_at":null,"charge_interval_frequency":30,"created_at":"2024-01-15T10:30:00+00:00","expire_after_specific_number_of_charges":null,"external_product_id":{"ecommerce":"812345"},"external_variant_id":{"ecommerce":"894521"},"has_queued_charges":true,"is_prepaid":false,"is_skippable":true,"is_swappable":false,"max_retries_reached":false,"next_charge_scheduled_at":"2024-02-14","order_day_of_month":null,"order_day_of_week":2,"order_interval_frequency":30,"order_interval_unit":"day","plan_id":null,"presentment_currency":"USD","price":"149.99","product_title":"Shirt","properties":[{"name":"size","value":"M"},{"name":"gift","value":true}],"quantity":1,"sku":"TOM0001","sku_override":false,"status":"active","updated_at":"2024-01-15T10:30:00+00:00","variant_title":"Blue","analytics_data":{"utm":[]}}}"#;

/// Numbers as strings, strings as numbers, booleans as numbers, times without a zone.
const SUBSCRIPTION_2021_01: &str = r#"{"subscription":{"id":89477,"address_id":124364,"customer_id":23456,"charge_interval_frequency":"30","created_at":"2024-01-15T10:30:00","has_queued_charges":1,"max_retries_reached":0,"next_charge_scheduled_at":"2024-02-14T00:00:00","order_day_of_week":"2","order_interval_frequency":"30","order_interval_unit":"day","price":149.99,"product_title":"Shirt","properties":null,"quantity":"1","sku":10001,"shopify_product_id":812345,"status":"ACTIVE","updated_at":"2024-01-15T10:30:00"}}"#;

const CHARGE: &str = r#"{"charge":{"id":9,"address_id":1,"billing_address":{"address1":"3030 Nebraska Avenue","address2":null,"city":"Los Angeles","company":"Recharge","country_code":"US","province":"California","zip":90404,"phone":"3103843698","first_name":"Mike","last_name":"Flynn"},"charge_attempts":6,"client_details":{"browser_ip":null},"created_at":"2024-01-15T10:30:00","currency":"USD","customer":{"id":2,"email":"mike@example.com","external_customer_id":{"ecommerce":"5879340826793"},"hash":"18819267"},"discounts":[],"error":null,"error_type":"CLOSED_MAX_RETRIES_REACHED","external_order_id":{"ecommerce":"2716"},"external_transaction_id":{"payment_processor":"ch_1"},"line_items":[{"purchase_item_id":69,"unit_price":"43.00"}],"note":"","order_attributes":[],"orders_count":0,"payment_processor":"stripe","processed_at":null,"retry_date":"2024-01-22","scheduled_at":"2024-01-15","shipping_address":{"zip":"90404"},"shipping_lines":[{"price":"0.00"}],"status":"error","subtotal_price":"43.00","tags":"Subscription, First Order","tax_lines":[],"taxable":true,"total_discounts":"0.1","total_line_items_price":"43.00","total_price":"12345678901234567.89","total_refunds":null,"total_tax":"0.0","total_weight_grams":4536,"type":"recurring","updated_at":"2024-01-15T10:31:00"}}"#;

const ORDER: &str = r#"{"order":{"id":3,"address_id":1,"billing_address":null,"charge":{"id":9},"created_at":"2024-01-15T10:30:00","customer":{"id":2,"hash":18819267},"discounts":null,"external_order_id":{"ecommerce":"2716"},"external_order_number":{"ecommerce":1048},"is_prepaid":0,"line_items":[],"note":null,"processed_at":"2024-01-15T10:30:00","scheduled_at":"2024-01-15","shipping_address":{"city":"Los Angeles"},"shipping_lines":[],"status":"success","subtotal_price":43.00,"tags":["Subscription","Recurring Order"],"tax_lines":0,"total_price":"43.00","type":"recurring","updated_at":"2024-01-15T10:31:00"}}"#;

#[test]
fn a_subscription_is_typed_in_full() {
    let subscription =
        only!(event::<Recharge>("subscription/created", SUBSCRIPTION), Event::SubscriptionCreated);
    assert_eq!((subscription.id.get(), subscription.address_id.unwrap().get()), (89_477, 124_364));
    assert_eq!((subscription.customer_id.unwrap().get(), subscription.plan_id), (23_456, None));
    assert_eq!((&subscription.cancellation_reason, subscription.cancelled_at), (&None, None));
    assert_eq!(
        (&subscription.cancellation_reason_comments, subscription.expire_after_specific_number_of_charges),
        (&None, None)
    );
    assert_eq!(subscription.charge_interval_frequency.unwrap(), 30);
    assert_eq!(subscription.order_interval_frequency.unwrap(), 30);
    assert_eq!(subscription.order_interval_unit, Some(IntervalUnit::Day));
    assert_eq!((subscription.order_day_of_month, subscription.order_day_of_week.unwrap().get()), (None, 2));
    assert_eq!(subscription.created_at, date_time("2024-01-15T10:30:00Z"));
    assert_eq!(subscription.updated_at, date_time("2024-01-15T10:30:00Z"));
    assert_eq!(subscription.next_charge_scheduled_at, date_time("2024-02-14"));
    assert_eq!(subscription.external_product_id.unwrap().ecommerce.unwrap().as_str(), "812345");
    assert_eq!(subscription.external_variant_id.unwrap().ecommerce.unwrap().as_str(), "894521");
    assert!(subscription.has_queued_charges.unwrap().get() && !subscription.is_prepaid.unwrap().get());
    assert!(subscription.is_skippable.unwrap().get() && !subscription.is_swappable.unwrap().get());
    assert!(!subscription.max_retries_reached.unwrap().get() && !subscription.sku_override.unwrap().get());
    assert_eq!((subscription.presentment_currency, subscription.price), (text("USD"), decimal("149.99")));
    assert_eq!((subscription.product_title, subscription.variant_title), (text("Shirt"), text("Blue")));
    assert_eq!((subscription.quantity.unwrap().get(), subscription.sku.unwrap().as_str()), (1, "TOM0001"));
    assert_eq!(subscription.status, text("active"));
    let properties: Vec<_> = subscription
        .properties
        .iter()
        .map(|p| (p.name.as_deref().unwrap(), p.value.as_ref().unwrap().get()))
        .collect();
    assert_eq!(properties, [("size", "\"M\""), ("gift", "true")]);
    assert_eq!(subscription.extra.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["analytics_data"]);
}

#[test]
fn the_older_version_is_read_into_the_same_type() {
    let old =
        only!(event::<Recharge>("subscription/created", SUBSCRIPTION_2021_01), Event::SubscriptionCreated);
    assert_eq!(
        (old.charge_interval_frequency.unwrap().get(), old.order_interval_frequency.unwrap().get()),
        (30, 30)
    );
    assert_eq!((old.quantity.unwrap().get(), old.order_day_of_week.unwrap().get()), (1, 2));
    assert_eq!((old.price, old.sku.unwrap().as_str()), (decimal("149.99"), "10001"));
    assert!(old.has_queued_charges.unwrap().get() && !old.max_retries_reached.unwrap().get());
    let created_at = old.created_at.unwrap();
    assert_eq!((created_at.timestamp(), created_at.has_time()), (None, true));
    assert_eq!(created_at.timestamp_as_utc().to_string(), "2024-01-15T10:30:00Z");
    assert_eq!(old.extra.get("shopify_product_id").unwrap().get(), "812345");
    assert!(old.properties.is_empty());
}

#[test]
fn a_charge_is_typed_in_full() {
    let charge = only!(event::<Recharge>("charge/failed", CHARGE), Event::ChargeFailed);
    assert_eq!(
        (charge.id.get(), charge.address_id.unwrap().get(), charge.charge_attempts.unwrap().get()),
        (9, 1, 6)
    );
    let billing = charge.billing_address.unwrap();
    assert_eq!(
        (billing.address1.unwrap().as_str(), billing.address2, billing.city),
        ("3030 Nebraska Avenue", None, text("Los Angeles"))
    );
    assert_eq!(
        (billing.company.unwrap().as_str(), billing.country_code, billing.province),
        ("Recharge", text("US"), text("California"))
    );
    assert_eq!((billing.zip.unwrap().as_str(), billing.phone.unwrap().as_str()), ("90404", "3103843698"));
    assert_eq!((billing.first_name, billing.last_name), (text("Mike"), text("Flynn")));
    assert_eq!(charge.shipping_address.unwrap().zip.unwrap().as_str(), "90404");
    assert_eq!(charge.client_details.unwrap().get(), r#"{"browser_ip":null}"#);
    assert_eq!(
        (charge.created_at, charge.updated_at),
        (date_time("2024-01-15T10:30:00"), date_time("2024-01-15T10:31:00"))
    );
    assert_eq!(
        (charge.processed_at, charge.retry_date, charge.scheduled_at),
        (None, date_time("2024-01-22"), date_time("2024-01-15"))
    );
    let customer = charge.customer.unwrap();
    assert_eq!(
        (customer.id.unwrap().get(), customer.email, customer.hash.unwrap().as_str()),
        (2, text("mike@example.com"), "18819267")
    );
    assert_eq!(customer.external_customer_id.unwrap().ecommerce.unwrap().as_str(), "5879340826793");
    assert_eq!((charge.error, charge.error_type.unwrap().as_str()), (None, "CLOSED_MAX_RETRIES_REACHED"));
    assert_eq!(charge.external_order_id.unwrap().ecommerce.unwrap().as_str(), "2716");
    assert_eq!(charge.external_transaction_id.unwrap().payment_processor.unwrap().as_str(), "ch_1");
    assert_eq!(charge.line_items[0].get(), r#"{"purchase_item_id":69,"unit_price":"43.00"}"#);
    assert_eq!(
        (charge.discounts.len(), charge.order_attributes.len(), charge.shipping_lines.len()),
        (0, 0, 1)
    );
    assert_eq!(
        (
            charge.note.unwrap().as_str(),
            charge.orders_count.unwrap().get(),
            charge.payment_processor.unwrap().as_str()
        ),
        ("", 0, "stripe")
    );
    assert_eq!(
        (charge.status, charge.kind, charge.currency),
        (text("error"), text("recurring"), text("USD"))
    );
    assert_eq!(charge.tags.unwrap().iter().collect::<Vec<_>>(), ["Subscription", "First Order"]);
    assert_eq!((charge.tax_lines.unwrap().get(), charge.taxable.unwrap().get()), ("[]", true));
    assert_eq!((charge.subtotal_price, charge.total_line_items_price), (decimal("43"), decimal("43.00")));
    assert_eq!(
        (charge.total_discounts, charge.total_refunds, charge.total_tax),
        (decimal("0.1"), None, decimal("0"))
    );
    assert_eq!(charge.total_price.unwrap().to_string(), "12345678901234567.89");
    assert_eq!(charge.total_weight_grams, decimal("4536"));
    assert!(charge.extra.is_empty() && billing.extra.is_empty() && customer.extra.is_empty());
}

#[test]
fn an_order_is_typed_in_full() {
    let order = only!(event::<Recharge>("order/success", ORDER), Event::OrderSuccess);
    assert_eq!(
        (order.id.get(), order.address_id.unwrap().get(), order.is_prepaid.unwrap().get()),
        (3, 1, false)
    );
    assert_eq!((order.billing_address, order.charge.unwrap().get(), order.note), (None, r#"{"id":9}"#, None));
    assert_eq!(
        (order.created_at, order.updated_at),
        (date_time("2024-01-15T10:30:00"), date_time("2024-01-15T10:31:00"))
    );
    assert_eq!(
        (order.processed_at, order.scheduled_at),
        (date_time("2024-01-15T10:30:00"), date_time("2024-01-15"))
    );
    assert_eq!(order.customer.unwrap().hash.unwrap().as_str(), "18819267");
    assert_eq!(order.external_order_id.unwrap().ecommerce.unwrap().as_str(), "2716");
    assert_eq!(order.external_order_number.unwrap().ecommerce.unwrap().as_str(), "1048");
    assert_eq!((order.discounts.len(), order.line_items.len(), order.shipping_lines.len()), (0, 0, 0));
    assert_eq!(order.shipping_address.unwrap().city, text("Los Angeles"));
    assert_eq!((order.status, order.kind), (text("success"), text("recurring")));
    assert_eq!(order.tags.unwrap().iter().collect::<Vec<_>>(), ["Subscription", "Recurring Order"]);
    assert_eq!(
        (order.tax_lines.unwrap().get(), order.subtotal_price, order.total_price),
        ("0", decimal("43"), decimal("43"))
    );
    assert!(order.extra.is_empty());
}

#[test]
fn a_customer_and_an_address_are_typed_in_full() {
    let body = r#"{"customer":{"id":2,"created_at":"2024-01-15T10:30:00","email":"mike@example.com","external_customer_id":"587","first_charge_processed_at":"2024-01-15T10:30:00","first_name":"Mike","last_name":"Flynn","phone":"310","has_payment_method_in_dunning":false,"has_valid_payment_method":true,"hash":"188","subscriptions_active_count":1,"subscriptions_total_count":"4","tax_exempt":false,"updated_at":"2024-01-15T10:31:00"}}"#;
    let customer = only!(event::<Recharge>("customer/updated", body), Event::CustomerUpdated);
    assert_eq!(
        (customer.id.get(), customer.email, customer.hash.unwrap().as_str()),
        (2, text("mike@example.com"), "188")
    );
    assert_eq!(customer.external_customer_id.unwrap().ecommerce.unwrap().as_str(), "587");
    assert_eq!(
        (customer.first_name, customer.last_name, customer.phone.unwrap().as_str()),
        (text("Mike"), text("Flynn"), "310")
    );
    assert_eq!(
        (customer.created_at, customer.updated_at),
        (date_time("2024-01-15T10:30:00"), date_time("2024-01-15T10:31:00"))
    );
    assert_eq!(customer.first_charge_processed_at, date_time("2024-01-15T10:30:00"));
    assert_eq!(
        (
            customer.subscriptions_active_count.unwrap().get(),
            customer.subscriptions_total_count.unwrap().get()
        ),
        (1, 4)
    );
    assert!(
        !customer.has_payment_method_in_dunning.unwrap().get()
            && customer.has_valid_payment_method.unwrap().get()
    );
    assert!(!customer.tax_exempt.unwrap().get() && customer.extra.is_empty());

    let body = r#"{"address":{"id":1,"customer_id":2,"payment_method_id":5,"address1":"a","address2":"b","city":"c","company":"d","country_code":"US","province":"e","zip":"90404","phone":"310","first_name":"f","last_name":"g","discounts":[{"id":1}],"order_attributes":[],"created_at":"2024-01-15T10:30:00","updated_at":"2024-01-15T10:31:00"}}"#;
    let address = only!(event::<Recharge>("address/created", body), Event::AddressCreated);
    assert_eq!(
        (address.id.get(), address.customer_id.unwrap().get(), address.payment_method_id.unwrap().get()),
        (1, 2, 5)
    );
    assert_eq!(
        (address.address1.unwrap().as_str(), address.address2.unwrap().as_str(), address.city),
        ("a", "b", text("c"))
    );
    assert_eq!(
        (address.company.unwrap().as_str(), address.country_code, address.province),
        ("d", text("US"), text("e"))
    );
    assert_eq!((address.zip.unwrap().as_str(), address.phone.unwrap().as_str()), ("90404", "310"));
    assert_eq!((address.first_name, address.last_name), (text("f"), text("g")));
    assert_eq!((address.discounts.len(), address.order_attributes.len()), (1, 0));
    assert_eq!(
        (address.created_at, address.updated_at),
        (date_time("2024-01-15T10:30:00"), date_time("2024-01-15T10:31:00"))
    );
    assert!(address.extra.is_empty());
}

#[test]
fn a_deleted_resource_has_nothing_but_its_id() {
    for body in [r#"{"customer":{"id":2}}"#, r#"{"customer":{"id":"2"}}"#, r#"{"id":2}"#, r#"{"id":"2"}"#] {
        let customer = only!(event::<Recharge>("customer/deleted", body), Event::CustomerDeleted);
        assert_eq!((customer.id.get(), customer.email), (2, None), "{body}");
    }
}

#[test]
fn other_resources_are_kept_field_by_field() {
    let body = r#"{"checkout":{"token":"abc","created_at":"2024-01-15","total_price":1.10}}"#;
    let checkout = only!(event::<Recharge>("checkout/created", body), Event::CheckoutCreated);
    assert_eq!((checkout.id, checkout.created_at), (None, date_time("2024-01-15")));
    assert_eq!(checkout.extra.get("token").unwrap().get(), r#""abc""#);
    assert_eq!(checkout.extra.get("total_price").unwrap().get(), "1.10");
    let body = r#"{"store":{"id":1}}"#;
    assert_eq!(only!(event::<Recharge>("app/uninstalled", body), Event::AppUninstalled).get(), body);
    assert_eq!(
        only!(event::<Recharge>("store/updated", body), Event::StoreUpdated).id.unwrap().as_str(),
        "1"
    );
}

#[test]
fn without_a_topic_the_resource_is_the_kind() {
    let delivery = delivery::<Recharge>("", SUBSCRIPTION);
    assert_eq!(delivery.kind().as_deref(), Some("subscription"));
    assert_eq!(only!(delivery.event(), Event::Subscription).id, 89_477);
    for body in
        [r#"{"id":1}"#, r#"{"subscription":1}"#, r#"{"order":{"id":1},"charge":{"id":1}}"#, "[]", "{}"]
    {
        let delivery = super::delivery::<Recharge>("", body);
        assert_eq!(delivery.kind(), None, "{body}");
        let unknown = only!(delivery.event(), Event::Unknown);
        assert_eq!((unknown.kind.as_str(), unknown.raw.get()), ("", body));
    }
}

#[test]
fn a_configured_topic_is_the_kind() {
    let (secret, now) = (Secret::new("secret").unwrap(), Timestamp::from_unix_seconds(0));
    let verifier = Verifier::<Recharge>::builder(&secret).kind("subscription/activated").build().unwrap();
    let headers =
        Signer::<Recharge>::new(&secret).kind("subscription/created").sign(SUBSCRIPTION, now).unwrap();
    let delivery = verifier.verify(&headers, SUBSCRIPTION, now).unwrap();
    assert_eq!(delivery.kind().as_deref(), Some("subscription/activated"));
    assert!(matches!(delivery.event().unwrap(), Event::SubscriptionActivated(_)));
}

#[test]
fn a_misfit_tells_its_path() {
    for (topic, body, path) in [
        ("subscription/created", SUBSCRIPTION.replace("149.99", "dear"), "subscription.price"),
        (
            "subscription/created",
            SUBSCRIPTION.replace(r#""812345""#, "[]"),
            "subscription.external_product_id.ecommerce",
        ),
        (
            "subscription/created",
            SUBSCRIPTION.replace("2024-02-14", "2024-02-30"),
            "subscription.next_charge_scheduled_at",
        ),
        ("charge/failed", CHARGE.replace("90404,", "[],"), "charge.billing_address.zip"),
        ("order/created", r#"{"order":{}}"#.to_owned(), "order"),
        ("order/created", r#"{"status":"x"}"#.to_owned(), "."),
        ("", r#"{"order":{"id":1.5}}"#.to_owned(), "order.id"),
    ] {
        assert_eq!(misfit::<Recharge>(topic, &body), path, "{topic}");
    }
}
