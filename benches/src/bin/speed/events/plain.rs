//! What a user writes by hand: the same fields in the standard library's types, and nothing kept of those that have no name.

#![expect(dead_code, reason = "parsed, and never read")]

use serde::Deserialize;
use serde_json::Value;

/// Structs with a derived `Deserialize`.
macro_rules! plain {
    ($case:literal $( struct $name:ident { $( $field:ident: $type:ty, )* } )*) => {$(
        #[derive(Deserialize)]
        #[serde(rename_all = $case)]
        pub struct $name { $( $field: $type, )* }
    )*};
}

type Text = Option<String>;
type Int = Option<i64>;
type Flag = Option<bool>;

plain! { "camelCase"
    struct Retake { event: String, timestamp: Text, data: Intent, }
    struct Intent {
        intent_id: String, user_id: Text, r#type: Text, value: Option<f64>, currency: Text, items: Vec<Item>, metadata: Option<Value>,
    }
    struct Item { id: Text, name: Text, price: Option<f64>, quantity: Int, }

    struct Raaft {
        outcome: String, app_id: Text, created_at: Text, customer: Option<Customer>, feedback: Text, flow_id: Text, motivator: Text,
        path: Vec<Step>, response_accepted: Option<Response>, subscription: Option<RaaftSubscription>,
    }
    struct Customer { id: Text, email: Text, name: Text, photo: Text, }
    struct Step { step_id: Int, step_type: String, selected_choice: Option<Choice>, offer_name: Text, }
    struct Choice { choice_id: Int, text: Text, r#type: Text, is_selected: Flag, }
    struct Response { name: Text, plan: Option<Plan>, timing_of_change: Text, r#type: Text, }
    struct Plan {
        id: Text, name: Text, amount: Option<f64>, currency: Text, interval: Text, body_text: Text, button_text: Text,
    }
    struct RaaftSubscription {
        id: Text, created_at: Text, currency: Text, customer: Option<Customer>, plan: Option<Plan>,
    }

    struct RetentBase {
        environment: Text, event_id: Text, user_id: Text, reason_key: Text, outcome: Text, offer: Option<Offer>, reason_text: Text,
        context: Option<Context>, occurred_at: Text, effective_at: Text, metadata: Option<Value>,
    }
    struct Offer { r#type: Text, accepted: Flag, label: Text, }
    struct Context { plan: Text, mrr: Option<f64>, tenure_days: Int, }

    struct StandardWebhooks { r#type: Text, timestamp: Text, data: Value, }
}

plain! { "snake_case"
    struct Recharge { subscription: Option<Subscription>, charge: Option<Charge>, }
    struct Subscription {
        id: i64, address_id: Int, customer_id: Int, cancellation_reason: Text, cancellation_reason_comments: Text, cancelled_at: Text,
        charge_interval_frequency: Int, created_at: Text, expire_after_specific_number_of_charges: Int,
        external_product_id: Option<ExternalId>, external_variant_id: Option<ExternalId>, has_queued_charges: Flag, is_prepaid: Flag,
        is_skippable: Flag, is_swappable: Flag, max_retries_reached: Flag, next_charge_scheduled_at: Text, order_day_of_month: Int,
        order_day_of_week: Int, order_interval_frequency: Int, order_interval_unit: Text, plan_id: Int, presentment_currency: Text,
        price: Text, product_title: Text, properties: Vec<Property>, quantity: Int, sku: Text, sku_override: Flag, status: Text,
        updated_at: Text, variant_title: Text,
    }
    struct ExternalId { ecommerce: Text, payment_processor: Text, }
    struct Property { name: Text, value: Option<Value>, }
    struct Charge {
        id: i64, address_id: Int, billing_address: Option<Address>, charge_attempts: Int, client_details: Option<Value>,
        created_at: Text, currency: Text, customer: Option<ChargeCustomer>, discounts: Vec<Value>, error: Text, error_type: Text,
        external_order_id: Option<ExternalId>, external_transaction_id: Option<ExternalId>, line_items: Vec<Value>, note: Text,
        order_attributes: Vec<Value>, orders_count: Int, payment_processor: Text, processed_at: Text, retry_date: Text,
        scheduled_at: Text, shipping_address: Option<Address>, shipping_lines: Vec<Value>, status: Text, subtotal_price: Text,
        tags: Text, tax_lines: Option<Value>, taxable: Flag, total_discounts: Text, total_line_items_price: Text, total_price: Text,
        total_refunds: Text, total_tax: Text, total_weight_grams: Int, r#type: Text, updated_at: Text,
    }
    struct ChargeCustomer { id: Int, email: Text, external_customer_id: Option<ExternalId>, hash: Text, }
    struct Address {
        address1: Text, address2: Text, city: Text, company: Text, country_code: Text, province: Text, zip: Option<Value>,
        phone: Text, first_name: Text, last_name: Text,
    }

    struct RevKeen {
        id: Text, object: Text, r#type: String, created: Int, livemode: Flag, api_version: Text, account: Text, data: InvoiceData,
        request: Option<Value>,
    }
    struct InvoiceData { object: Invoice, previous_attributes: Option<Value>, }
    struct Invoice {
        id: String, customer_uuid: Text, invoice_number: Text, total_minor: Int, currency: Text, status: Text, due_date: Text,
        created_at: Text, updated_at: Text,
    }

    struct Stripe {
        id: String, object: Text, api_version: Text, created: Int, livemode: Flag, pending_webhooks: Int, request: Option<Request>,
        r#type: String, account: Text, context: Text, data: StripeData,
    }
    struct StripeData { object: Value, previous_attributes: Option<Value>, }
    struct Request { id: Text, idempotency_key: Text, }

    struct Slack {
        r#type: Text, event_id: String, event: Value, event_time: Int, team_id: Text, enterprise_id: Text, api_app_id: Text,
        token: Text, authorizations: Vec<Authorization>, is_ext_shared_channel: Flag, event_context: Text, context_team_id: Text,
        context_enterprise_id: Text,
    }
    struct Authorization {
        team_id: Text, enterprise_id: Text, user_id: Text, is_bot: Flag, is_enterprise_install: Flag,
    }

    struct GitHub {
        action: Text, sender: Option<Account>, repository: Option<Repository>, organization: Option<Account>,
        installation: Option<Installation>,
    }
    struct Account { id: Int, login: Text, r#type: Text, }
    struct Repository {
        id: Int, name: Text, full_name: Text, private: Flag, owner: Option<Account>, default_branch: Text,
    }
    struct Installation { id: Int, }
}
