//! What Recharge's events are about, as its REST API shows it (version 2021-11, with 2021-01 in mind).
//!
//! Amounts are in the charge's or the shop's currency. Times have no zone in 2021-01, and may be dates.

use super::field::{ExternalId, Tags};
use crate::event::{DateTime, Decimal, Flag, Integer, Json, Text, choices, model};

model! {
    /// A subscription. A deleted one has nothing but its id.
    pub struct Subscription {
        /// The subscription's id.
        id: Integer,
        /// The id of the address it is sent to.
        address_id: Option<Integer>,
        /// The customer's id.
        customer_id: Option<Integer>,
        /// Why it was cancelled.
        cancellation_reason: Option<String>,
        /// What was said besides when it was cancelled.
        cancellation_reason_comments: Option<String>,
        /// When it was cancelled.
        cancelled_at: Option<DateTime>,
        /// How many [`order_interval_unit`](Self::order_interval_unit)s lie between two charges.
        charge_interval_frequency: Option<Integer>,
        /// When it was made.
        created_at: Option<DateTime>,
        /// After how many charges it ends.
        expire_after_specific_number_of_charges: Option<Integer>,
        /// The shop's id of the product.
        external_product_id: Option<ExternalId>,
        /// The shop's id of the variant.
        external_variant_id: Option<ExternalId>,
        /// Whether charges are waiting.
        has_queued_charges: Option<Flag>,
        /// Whether several deliveries are paid at once.
        is_prepaid: Option<Flag>,
        /// Whether the customer may skip a delivery.
        is_skippable: Option<Flag>,
        /// Whether the customer may take another product instead.
        is_swappable: Option<Flag>,
        /// Whether its charge failed for the last time.
        max_retries_reached: Option<Flag>,
        /// When the next charge is due.
        next_charge_scheduled_at: Option<DateTime>,
        /// On which day of the month orders are made.
        order_day_of_month: Option<Integer>,
        /// On which day of the week orders are made.
        order_day_of_week: Option<Integer>,
        /// How many [`order_interval_unit`](Self::order_interval_unit)s lie between two orders.
        order_interval_frequency: Option<Integer>,
        /// What intervals are counted in.
        order_interval_unit: Option<IntervalUnit>,
        /// The plan's id.
        plan_id: Option<Integer>,
        /// The currency that the customer sees (ISO 4217).
        presentment_currency: Option<String>,
        /// The price of one.
        price: Option<Decimal>,
        /// The product's name.
        product_title: Option<String>,
        /// What the shop added.
        properties: Vec<Property>,
        /// How many.
        quantity: Option<Integer>,
        /// The shop's stock keeping unit.
        sku: Option<Text>,
        /// Whether the stock keeping unit differs from the product's.
        sku_override: Option<Flag>,
        /// Where it stands, as in `active`.
        status: Option<String>,
        /// When it was last changed.
        updated_at: Option<DateTime>,
        /// The variant's name.
        variant_title: Option<String>,
    }

    /// A charge.
    pub struct Charge {
        /// The charge's id.
        id: Integer,
        /// The id of the address it is for.
        address_id: Option<Integer>,
        /// Where the bill goes.
        billing_address: Option<PostalAddress>,
        /// How often it was tried.
        charge_attempts: Option<Integer>,
        /// With what the customer placed it.
        client_details: Option<Json>,
        /// When it was made.
        created_at: Option<DateTime>,
        /// The currency, as in `USD` (ISO 4217).
        currency: Option<String>,
        /// Who pays.
        customer: Option<ChargeCustomer>,
        /// The discounts on it.
        discounts: Vec<Json>,
        /// Why it failed.
        error: Option<Text>,
        /// What kind of failure it was.
        error_type: Option<Text>,
        /// The shop's id of the order.
        external_order_id: Option<ExternalId>,
        /// The payment processor's id of the payment.
        external_transaction_id: Option<ExternalId>,
        /// What it is for.
        line_items: Vec<Json>,
        /// A note.
        note: Option<Text>,
        /// What the shop added.
        order_attributes: Vec<Json>,
        /// How many orders it pays for.
        orders_count: Option<Integer>,
        /// Who processes the payment.
        payment_processor: Option<Text>,
        /// When it was processed.
        processed_at: Option<DateTime>,
        /// When it is tried again.
        retry_date: Option<DateTime>,
        /// When it is due.
        scheduled_at: Option<DateTime>,
        /// Where the goods go.
        shipping_address: Option<PostalAddress>,
        /// How they are sent.
        shipping_lines: Vec<Json>,
        /// Where it stands, as in `queued`.
        status: Option<String>,
        /// The price before shipping and taxes.
        subtotal_price: Option<Decimal>,
        /// The tags.
        tags: Option<Tags>,
        /// The taxes on it: a list, or a number in 2021-01.
        tax_lines: Option<Json>,
        /// Whether it is taxed.
        taxable: Option<Flag>,
        /// All discounts.
        total_discounts: Option<Decimal>,
        /// The price of all items.
        total_line_items_price: Option<Decimal>,
        /// The price of all.
        total_price: Option<Decimal>,
        /// What was paid back.
        total_refunds: Option<Decimal>,
        /// All taxes.
        total_tax: Option<Decimal>,
        /// The weight of all items, in grams.
        total_weight_grams: Option<Decimal>,
        /// What kind of charge, as in `checkout` or `recurring`.
        kind as "type": Option<String>,
        /// When it was last changed.
        updated_at: Option<DateTime>,
    }

    /// Who pays a charge or placed an order.
    pub struct ChargeCustomer {
        /// The customer's id.
        id: Option<Integer>,
        /// The e-mail address.
        email: Option<String>,
        /// The shop's id of the customer.
        external_customer_id: Option<ExternalId>,
        /// The hash that stands for the customer in links.
        hash: Option<Text>,
    }

    /// An order.
    pub struct Order {
        /// The order's id.
        id: Integer,
        /// The id of the address it is sent to.
        address_id: Option<Integer>,
        /// Where the bill goes.
        billing_address: Option<PostalAddress>,
        /// The charge that paid it.
        charge: Option<Json>,
        /// When it was made.
        created_at: Option<DateTime>,
        /// Who placed it.
        customer: Option<ChargeCustomer>,
        /// The discounts on it.
        discounts: Vec<Json>,
        /// The shop's id of the order.
        external_order_id: Option<ExternalId>,
        /// The shop's number of the order.
        external_order_number: Option<ExternalId>,
        /// Whether it was paid before.
        is_prepaid: Option<Flag>,
        /// What it holds.
        line_items: Vec<Json>,
        /// A note.
        note: Option<Text>,
        /// When it was processed.
        processed_at: Option<DateTime>,
        /// When it is due.
        scheduled_at: Option<DateTime>,
        /// Where the goods go.
        shipping_address: Option<PostalAddress>,
        /// How they are sent.
        shipping_lines: Vec<Json>,
        /// Where it stands, as in `success`.
        status: Option<String>,
        /// The price before shipping and taxes.
        subtotal_price: Option<Decimal>,
        /// The tags.
        tags: Option<Tags>,
        /// The taxes on it: a list, or a number in 2021-01.
        tax_lines: Option<Json>,
        /// The price of all.
        total_price: Option<Decimal>,
        /// What kind of order, as in `checkout` or `recurring`.
        kind as "type": Option<String>,
        /// When it was last changed.
        updated_at: Option<DateTime>,
    }

    /// A customer.
    pub struct Customer {
        /// The customer's id.
        id: Integer,
        /// When it was made.
        created_at: Option<DateTime>,
        /// The e-mail address.
        email: Option<String>,
        /// The shop's id of the customer.
        external_customer_id: Option<ExternalId>,
        /// When the first charge was processed.
        first_charge_processed_at: Option<DateTime>,
        /// The first name.
        first_name: Option<String>,
        /// The last name.
        last_name: Option<String>,
        /// The telephone number.
        phone: Option<Text>,
        /// Whether a payment is being asked for again.
        has_payment_method_in_dunning: Option<Flag>,
        /// Whether there is a means of payment that works.
        has_valid_payment_method: Option<Flag>,
        /// The hash that stands for the customer in links.
        hash: Option<Text>,
        /// How many subscriptions are active.
        subscriptions_active_count: Option<Integer>,
        /// How many subscriptions there are and were.
        subscriptions_total_count: Option<Integer>,
        /// Whether the customer pays no taxes.
        tax_exempt: Option<Flag>,
        /// When it was last changed.
        updated_at: Option<DateTime>,
    }

    /// An address.
    pub struct Address {
        /// The address's id.
        id: Integer,
        /// The customer's id.
        customer_id: Option<Integer>,
        /// The id of the means of payment.
        payment_method_id: Option<Integer>,
        /// The street and number.
        address1: Option<Text>,
        /// The second line.
        address2: Option<Text>,
        /// The city.
        city: Option<String>,
        /// The company.
        company: Option<Text>,
        /// The country, as in `US` (ISO 3166-1).
        country_code: Option<String>,
        /// The province or state.
        province: Option<String>,
        /// The postal code.
        zip: Option<Text>,
        /// The telephone number.
        phone: Option<Text>,
        /// The first name.
        first_name: Option<String>,
        /// The last name.
        last_name: Option<String>,
        /// The discounts that apply to it.
        discounts: Vec<Json>,
        /// What the shop added.
        order_attributes: Vec<Json>,
        /// When it was made.
        created_at: Option<DateTime>,
        /// When it was last changed.
        updated_at: Option<DateTime>,
    }

    /// An address as it stands in a charge or an order.
    pub struct PostalAddress {
        /// The street and number.
        address1: Option<Text>,
        /// The second line.
        address2: Option<Text>,
        /// The city.
        city: Option<String>,
        /// The company.
        company: Option<Text>,
        /// The country, as in `US` (ISO 3166-1).
        country_code: Option<String>,
        /// The province or state.
        province: Option<String>,
        /// The postal code.
        zip: Option<Text>,
        /// The telephone number.
        phone: Option<Text>,
        /// The first name.
        first_name: Option<String>,
        /// The last name.
        last_name: Option<String>,
    }

    /// Something that the shop added.
    pub struct Property {
        /// Its name.
        name: Option<Text>,
        /// Its value.
        value: Option<Json>,
    }

    /// A resource of a kind that Recharge documents as its REST API's, with everything but these in [`extra`](Self::extra).
    pub struct Record {
        /// The resource's id. A checkout has a token instead.
        id: Option<Text>,
        /// When it was made.
        created_at: Option<DateTime>,
        /// When it was last changed.
        updated_at: Option<DateTime>,
    }
}

choices! {
    /// What intervals are counted in.
    pub enum IntervalUnit {
        /// Days:
        "day" => Day,
        /// Weeks:
        "week" => Week,
        /// Months:
        "month" => Month,
    }
}
