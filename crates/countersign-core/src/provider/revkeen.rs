//! RevKeen: payments, invoices, subscriptions and what belongs to them.
//!
//! RevKeen's pages document two forms of `x-revkeen-signature`, told apart by their grammar: `t=<unix seconds>,v1=<hex>`,
//! HMAC-SHA256 over `{t}.{raw body}`, good for 300 s both ways (the developer pages and every SDK), and
//! `sha256=<hex>`, HMAC-SHA256 over the raw body alone (the dashboard). Both are taken; a receiver can require the first.
//! The SDKs also read `x-rk-signature`. The secret (`rk_wh_..`) is used as it is, prefix included.
//!
//! A signature over `{t}.{body}` is also one over a body of that text, so under the second form a body must begin with `{`
//! or `[`, which no timestamp does.
//!
//! The dedupe key is the event's id, which is in the signed body and the same at every attempt; without one, the digest
//! of the body. `X-Revkeen-Event-Id` and the other headers are not signed and not read.

use std::time::Duration;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::{
    dedupe::{KeyPart, KeyRule},
    delivery::Delivery,
    error::EventError,
    event::{DateTime, Flag, Integer, Json, Text, Whole, choices, events, fields, kind_of, model, nested},
    provider::{Fields, Provider, Retries, Source},
    scheme::{BodyRule, Scheme, TimestampSource},
    time::{TimestampFormat, Tolerance},
};

/// The provider RevKeen. See [the module](self).
#[derive(Clone, Copy, Debug)]
pub enum RevKeen {}

impl Provider for RevKeen {
    const NAME: &'static str = "revkeen";
    const SCHEMES: &'static [Scheme] = &[
        Scheme::hmac_sha256("x-revkeen-signature")
            .alias("x-rk-signature")
            .list(',', Some("t"), "v1")
            .timestamp(TimestampSource::Signature, TimestampFormat::UnixSeconds)
            .tolerance(Tolerance::from_secs(300))
            .signs("{timestamp}.{body}"),
        Scheme::hmac_sha256("x-revkeen-signature")
            .alias("x-rk-signature")
            .prefix("sha256=")
            .body(BodyRule::JsonStructure),
    ];
    const FIELDS: Fields = Fields::NONE
        .id(Source::body("id"))
        .kind(Source::body("type"))
        .timestamp_repeated("x-revkeen-timestamp")
        .id_repeated("x-revkeen-event-id");
    const KEYS: &'static [KeyRule] = &[KeyRule::of(&[KeyPart::Id]).or(&[KeyPart::Body])];
    /// The longer of two published schedules: 0, 5 min, 30 min, 2 h, 8 h and 24 h, each after the one before.
    const RETRIES: Retries = Retries::ON_ANY_FAILURE.within(Duration::from_secs((34 * 60 + 35) * 60));
    type Event = Event;

    fn event(delivery: &Delivery<Self>) -> Result<Event, EventError> {
        Event::read(&kind_of(delivery)?, &Whole(delivery.body()))
    }
}

events! {
    /// An event from RevKeen.
    pub enum Event {
        /// A payment was made.
        "payment.succeeded" => PaymentSucceeded(Envelope<Json>),
        /// A payment failed.
        "payment.failed" => PaymentFailed(Envelope<Json>),
        /// A payment was paid back.
        "payment.refunded" => PaymentRefunded(Envelope<Json>),
        /// A payment was disputed.
        "payment.disputed" => PaymentDisputed(Envelope<Json>),
        /// An authorised payment was captured.
        "payment.captured" => PaymentCaptured(Envelope<Json>),
        /// An authorised payment was given up.
        "payment.voided" => PaymentVoided(Envelope<Json>),
        /// An invoice was made.
        "invoice.created" => InvoiceCreated(Envelope<Invoice>),
        /// An invoice was paid.
        "invoice.paid" => InvoicePaid(Envelope<Invoice>),
        /// An invoice's payment failed.
        "invoice.payment_failed" => InvoicePaymentFailed(Envelope<Invoice>),
        /// An invoice was changed.
        "invoice.updated" => InvoiceUpdated(Envelope<Invoice>),
        /// An invoice can no longer be changed.
        "invoice.finalized" => InvoiceFinalized(Envelope<Invoice>),
        /// An invoice was sent.
        "invoice.sent" => InvoiceSent(Envelope<Invoice>),
        /// An invoice was made void.
        "invoice.voided" => InvoiceVoided(Envelope<Invoice>),
        /// An invoice was not paid in time.
        "invoice.overdue" => InvoiceOverdue(Envelope<Invoice>),
        /// An invoice was given up.
        "invoice.uncollectible" => InvoiceUncollectible(Envelope<Invoice>),
        /// A subscription was made.
        "subscription.created" => SubscriptionCreated(Envelope<Subscription>),
        /// A subscription entered its next period.
        "subscription.renewed" => SubscriptionRenewed(Envelope<Subscription>),
        /// A subscription was ended.
        "subscription.canceled" | "subscription.cancelled" => SubscriptionCanceled(Envelope<Subscription>),
        /// A subscription was changed.
        "subscription.updated" => SubscriptionUpdated(Envelope<Subscription>),
        /// A subscription was paused.
        "subscription.paused" => SubscriptionPaused(Envelope<Subscription>),
        /// A paused subscription goes on.
        "subscription.resumed" => SubscriptionResumed(Envelope<Subscription>),
        /// A trial will end soon.
        "subscription.trial_ending" => SubscriptionTrialEnding(Envelope<Subscription>),
        /// A trial ended.
        "subscription.trial_ended" => SubscriptionTrialEnded(Envelope<Subscription>),
        /// A subscription's payment is late.
        "subscription.past_due" => SubscriptionPastDue(Envelope<Subscription>),
        /// A subscription became active.
        "subscription.activated" => SubscriptionActivated(Envelope<Subscription>),
        /// A customer was made.
        "customer.created" => CustomerCreated(Envelope<Json>),
        /// A customer was changed.
        "customer.updated" => CustomerUpdated(Envelope<Json>),
        /// A customer was deleted.
        "customer.deleted" => CustomerDeleted(Envelope<Json>),
        /// A customer has a new means of payment.
        "customer.payment_method.attached" => CustomerPaymentMethodAttached(Envelope<Json>),
        /// A customer has a means of payment less.
        "customer.payment_method.detached" => CustomerPaymentMethodDetached(Envelope<Json>),
        /// A checkout was completed.
        "checkout.completed" => CheckoutCompleted(Envelope<Json>),
        /// A checkout was left unfinished.
        "checkout.abandoned" => CheckoutAbandoned(Envelope<Json>),
        /// A checkout session was completed.
        "checkout.session.completed" => CheckoutSessionCompleted(Envelope<Json>),
        /// A checkout session ran out of time.
        "checkout.session.expired" => CheckoutSessionExpired(Envelope<Json>),
        /// A checkout session's delayed payment was made.
        "checkout.session.async_payment_succeeded" => CheckoutSessionAsyncPaymentSucceeded(Envelope<Json>),
        /// A checkout session's delayed payment failed.
        "checkout.session.async_payment_failed" => CheckoutSessionAsyncPaymentFailed(Envelope<Json>),
        /// A payer's bank asks for the money back.
        "chargeback.opened" => ChargebackOpened(Envelope<Json>),
        /// A chargeback was decided for the merchant.
        "chargeback.won" => ChargebackWon(Envelope<Json>),
        /// A chargeback was decided for the payer.
        "chargeback.lost" => ChargebackLost(Envelope<Json>),
        /// An authorised charge was captured.
        "charge.captured" => ChargeCaptured(Envelope<Json>),
        /// A charge was disputed.
        "charge.dispute.created" => ChargeDisputeCreated(Envelope<Json>),
        /// A dispute was changed.
        "charge.dispute.updated" => ChargeDisputeUpdated(Envelope<Json>),
        /// A refund was made.
        "refund.created" => RefundCreated(Envelope<Json>),
        /// A refund reached the payer.
        "refund.succeeded" => RefundSucceeded(Envelope<Json>),
        /// A refund failed.
        "refund.failed" => RefundFailed(Envelope<Json>),
        /// A credit note was made.
        "credit_note.created" => CreditNoteCreated(Envelope<Json>),
        /// A credit note was issued.
        "credit_note.issued" => CreditNoteIssued(Envelope<Json>),
        /// A credit note was made void.
        "credit_note.voided" => CreditNoteVoided(Envelope<Json>),
        /// An order was made.
        "order.created" => OrderCreated(Envelope<Json>),
        /// An order was changed.
        "order.updated" => OrderUpdated(Envelope<Json>),
        /// An order was paid.
        "order.paid" => OrderPaid(Envelope<Json>),
        /// An order was ended.
        "order.canceled" | "order.cancelled" => OrderCanceled(Envelope<Json>),
        /// An order was fulfilled.
        "order.fulfilled" => OrderFulfilled(Envelope<Json>),
    }
}

model! {
    /// What every event comes in.
    pub struct Envelope<T> {
        /// The event's id, the same at every attempt.
        id: Option<String>,
        /// `event`.
        object: Option<String>,
        /// The kind, as it was sent.
        kind as "type": String,
        /// When the event happened: in unix seconds, or in ISO 8601 on older pages.
        created as "created" | "createdAt" | "created_at": Option<DateTime>,
        /// Whether it happened in earnest, not in a test.
        livemode as "livemode" | "liveMode": Option<Flag>,
        /// The version of the API that wrote it.
        api_version as "api_version" | "apiVersion": Option<Text>,
        /// The account that it happened in, where there are several.
        account: Option<Text>,
        /// What it is about.
        data: Data<T>,
        /// The request that caused it.
        request: Option<Json>,
    }

    /// An invoice.
    pub struct Invoice {
        /// The invoice's id.
        id as "id" | "invoiceId" | "invoice_id": Text,
        /// The customer's id.
        customer_uuid as "customer_uuid" | "customerUuid": Option<Text>,
        /// The number that is printed on it.
        invoice_number as "invoice_number" | "invoiceNumber": Option<Text>,
        /// The total, in the currency's minor unit.
        total_minor as "total_minor" | "totalMinor": Option<Integer>,
        /// The currency, as in `USD` (ISO 4217).
        currency: Option<String>,
        /// Where it stands.
        status: Option<InvoiceStatus>,
        /// When it is due.
        due_date as "due_date" | "dueDate": Option<DateTime>,
        /// When it was made.
        created_at as "created_at" | "createdAt": Option<DateTime>,
        /// When it was last changed.
        updated_at as "updated_at" | "updatedAt": Option<DateTime>,
    }

    /// A subscription.
    pub struct Subscription {
        /// The subscription's id.
        id as "id" | "subscriptionId" | "subscription_id": Text,
        /// The merchant's id.
        merchant_id as "merchant_id" | "merchantId": Option<Text>,
        /// The customer's id.
        customer_id as "customer_id" | "customerId": Option<Text>,
        /// The product's id.
        product_id as "product_id" | "productId": Option<Text>,
        /// The price's id.
        price_id as "price_id" | "priceId": Option<Text>,
        /// The plan's id.
        plan_id as "plan_id" | "planId": Option<Text>,
        /// Where it stands.
        status: Option<SubscriptionStatus>,
        /// How many.
        quantity: Option<Integer>,
        /// The price of a period, in the currency's minor unit.
        amount_minor as "amount_minor" | "amountMinor": Option<Integer>,
        /// The currency, as in `USD` (ISO 4217).
        currency: Option<String>,
        /// How long a period is.
        billing_interval as "billing_interval" | "billingInterval": Option<Text>,
        /// When the current period began.
        current_period_start as "current_period_start" | "currentPeriodStart": Option<DateTime>,
        /// When the current period ends.
        current_period_end as "current_period_end" | "currentPeriodEnd": Option<DateTime>,
        /// When the trial ends or ended.
        trial_end as "trial_end" | "trialEnd": Option<DateTime>,
        /// When it was ended.
        canceled_at as "canceled_at" | "canceledAt" | "cancelled_at" | "cancelledAt": Option<DateTime>,
        /// When it was made.
        created_at as "created_at" | "createdAt": Option<DateTime>,
        /// When it was last changed.
        updated_at as "updated_at" | "updatedAt": Option<DateTime>,
    }
}

choices! {
    /// Where an invoice stands.
    pub enum InvoiceStatus {
        /// It can be changed:
        "draft" => Draft,
        /// It is to be paid:
        "open" => Open,
        /// It can no longer be changed:
        "finalized" => Finalized,
        /// It is paid:
        "paid" => Paid,
        /// It was made void:
        "void" => Void,
        /// It was given up:
        "uncollectible" => Uncollectible,
    }

    /// Where a subscription stands. RevKeen publishes no list; these are the states that its kinds name.
    pub enum SubscriptionStatus {
        /// It runs:
        "active" => Active,
        /// Its payment is late:
        "past_due" => PastDue,
        /// It is paused:
        "paused" => Paused,
        /// It was ended:
        "canceled" | "cancelled" => Canceled,
    }
}

/// What an event is about: `data.object`, or the whole of `data` as older pages show it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Data<T> {
    /// The object, as it is after the event.
    pub object: T,
    /// What an update changed: the fields as they were before it.
    pub previous_attributes: Option<Json>,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Data<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let data = <&RawValue>::deserialize(deserializer)?;
        let names = ["object", "previous_attributes", "previousAttributes"];
        let [object, previous, camel_case] = fields(names, data).map(|field| field.map(RawValue::get));
        // A flat object may say what it is in a field of the same name, as in `"object": "invoice"`.
        let Some(object) = object.filter(|object| object.starts_with(['{', '['])) else {
            return Ok(Self { object: nested("", data.get().as_bytes())?, previous_attributes: None });
        };
        let previous = previous.or(camel_case);
        Ok(Self {
            object: nested("object", object.as_bytes())?,
            previous_attributes: previous
                .map_or(Ok(None), |raw| nested("previous_attributes", raw.as_bytes()))?,
        })
    }
}
