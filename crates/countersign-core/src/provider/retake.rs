//! Retake: intents, recovered payments, trials and the e-mails about them.
//!
//! Signature: `X-Webhook-Signature: sha256=<hex>`, HMAC-SHA256 over the raw body. There is no timestamp, so a captured
//! delivery can be played again once its dedupe key's retention (72 h) has ended: make handlers idempotent where that
//! matters.
//!
//! Retake's page offers the intent's id as idempotency key, but one intent has many events, and some events have no
//! intent: the dedupe key is the digest of the signed body.
//!
//! Retake makes three attempts, with exponential back-off, and then drops the delivery. Its page calls 200 the success: another 2xx may be
//! tried again, and is then answered 200 without a second run.
//!
//! The page calls the secret optional. Here it is not: a delivery without a signature is always refused. It names no types
//! and no field that is always there. So nothing is required but the id of what an event is about: a missing field must not cost one
//! of three attempts.

use crate::{
    dedupe::{KeyPart, KeyRule},
    delivery::Delivery,
    error::EventError,
    event::{DateTime, Decimal, Integer, Json, Text, Whole, events, kind_of, model},
    provider::{Fields, Provider, Retries, Source},
    scheme::Scheme,
};

/// The provider Retake. See [the module](self).
#[derive(Clone, Copy, Debug)]
pub enum Retake {}

impl Provider for Retake {
    const NAME: &'static str = "retake";
    const SCHEMES: &'static [Scheme] = &[Scheme::hmac_sha256("x-webhook-signature").prefix("sha256=")];
    const FIELDS: Fields = Fields::NONE.kind(Source::body("event"));
    const KEYS: &'static [KeyRule] = &[KeyRule::of(&[KeyPart::Body])];
    const RETRIES: Retries = Retries::UNKNOWN;
    type Event = Event;

    fn event(delivery: &Delivery<Self>) -> Result<Event, EventError> {
        Event::read(&kind_of(delivery)?, &Whole(delivery.body()))
    }
}

events! {
    /// An event from Retake.
    pub enum Event {
        /// A shopper showed an intent to buy.
        "intent.tracked" => IntentTracked(Envelope<IntentTracked>),
        /// An intent became a purchase.
        "intent.converted" => IntentConverted(Envelope<IntentConverted>),
        /// An intent was not followed within its time, seven days by default.
        "intent.expired" => IntentExpired(Envelope<IntentExpired>),
        /// A failed payment was recovered.
        "payment.recovered" => PaymentRecovered(Envelope<PaymentRecovered>),
        /// A payment failed. In the page's sample handler, not in its table.
        "payment.failed" => PaymentFailed(Envelope<PaymentFailed>),
        /// A trial ended.
        "trial.expired" => TrialExpired(Envelope<TrialExpired>),
        /// An e-mail was sent.
        "email.sent" => EmailSent(Envelope<EmailSent>),
        /// An e-mail was opened.
        "email.opened" => EmailOpened(Envelope<EmailOpened>),
        /// A link in an e-mail was followed.
        "email.clicked" => EmailClicked(Envelope<EmailClicked>),
        /// Somebody wants no more e-mails.
        "email.unsubscribed" => EmailUnsubscribed(Envelope<EmailUnsubscribed>),
    }
}

model! {
    /// What every event comes in.
    pub struct Envelope<T> {
        /// When the event happened.
        timestamp: Option<DateTime>,
        /// The kind, as it was sent.
        event: String,
        /// What the event is about.
        data: T,
    }

    /// The data of `intent.tracked`.
    pub struct IntentTracked {
        /// The intent's id.
        intent_id as "intentId": Text,
        /// The user's id.
        user_id as "userId": Option<Text>,
        /// What kind of intent it is, as in `cart`.
        kind as "type": Option<String>,
        /// What the intent is worth, in [`currency`](Self::currency).
        value: Option<Decimal>,
        /// The currency, as in `USD` (ISO 4217).
        currency: Option<String>,
        /// What the intent is about.
        items: Vec<Item>,
        /// What the integration added.
        metadata: Option<Json>,
    }

    /// An item of an intent.
    pub struct Item {
        /// The shop's id of it.
        id: Option<Text>,
        /// Its name.
        name: Option<String>,
        /// The price of one.
        price: Option<Decimal>,
        /// How many.
        quantity: Option<Integer>,
    }

    /// The data of `intent.converted`.
    pub struct IntentConverted {
        /// The intent's id.
        intent_id as "intentId": Text,
        /// The purchase's id.
        transaction_id as "transactionId": Option<Text>,
        /// What the purchase is worth.
        value: Option<Decimal>,
        /// When it was made.
        recovered_at as "recoveredAt": Option<DateTime>,
    }

    /// The data of `intent.expired`.
    pub struct IntentExpired {
        /// The intent's id.
        intent_id as "intentId": Text,
        /// The user's id.
        user_id as "userId": Option<Text>,
        /// What the intent was worth.
        value: Option<Decimal>,
        /// When it expired.
        expired_at as "expiredAt": Option<DateTime>,
    }

    /// The data of `payment.recovered`.
    pub struct PaymentRecovered {
        /// The intent's id.
        intent_id as "intentId": Text,
        /// The user's id.
        user_id as "userId": Option<Text>,
        /// The payment's amount.
        value: Option<Decimal>,
        /// When it was recovered.
        recovered_at as "recoveredAt": Option<DateTime>,
    }

    /// The data of `payment.failed`: every field but the user's id is optional.
    pub struct PaymentFailed {
        /// The user's id.
        user_id as "userId": Text,
        /// The intent's id.
        intent_id as "intentId": Option<Text>,
        /// The payment's amount.
        value: Option<Decimal>,
    }

    /// The data of `trial.expired`.
    pub struct TrialExpired {
        /// The user's id.
        user_id as "userId": Text,
        /// The user's e-mail address.
        email: Option<String>,
        /// When the trial ended.
        expired_at as "expiredAt": Option<DateTime>,
    }

    /// The data of `email.sent`.
    pub struct EmailSent {
        /// The intent's id.
        intent_id as "intentId": Text,
        /// The address it went to.
        email: Option<String>,
        /// When it was sent.
        sent_at as "sentAt": Option<DateTime>,
        /// The template's id.
        template_id as "templateId": Option<Text>,
        /// Which step of the sequence it is: a number or a name.
        step: Option<Text>,
    }

    /// The data of `email.opened`.
    pub struct EmailOpened {
        /// The intent's id.
        intent_id as "intentId": Text,
        /// When it was opened.
        opened_at as "openedAt": Option<DateTime>,
    }

    /// The data of `email.clicked`.
    pub struct EmailClicked {
        /// The intent's id.
        intent_id as "intentId": Text,
        /// When the link was followed.
        clicked_at as "clickedAt": Option<DateTime>,
        /// With what browser.
        user_agent as "userAgent": Option<String>,
    }

    /// The data of `email.unsubscribed`.
    pub struct EmailUnsubscribed {
        /// The project's id.
        project_id as "projectId": Option<Text>,
        /// The address that wants no more e-mails.
        email: String,
        /// The user's id.
        user_id as "userId": Option<Text>,
        /// Why.
        reason: Option<String>,
        /// Since when.
        unsubscribed_at as "unsubscribedAt": Option<DateTime>,
    }
}
