//! Raaft: what became of customers who set out to cancel.
//!
//! No signature: `x-raaft-token: <token>`, a secret that is shared. It is compared in constant time, and a request that
//! does not show it is refused before a byte of its body is read. Whoever sees one request knows the token: serve this
//! endpoint over TLS alone.
//!
//! There is neither an id nor a timestamp: the dedupe key is the digest of the body. Raaft's page calls 200 the success: another
//! 2xx may be tried again, and is then answered 200 without a second run.

use serde::{Deserialize, Deserializer};

use crate::{
    dedupe::{KeyPart, KeyRule},
    delivery::Delivery,
    error::EventError,
    event::{DateTime, Decimal, Flag, Integer, Json, Text, Whole, events, kind_of, model, nested},
    json,
    provider::{Fields, Provider, Retries, Source},
    scheme::Scheme,
};

/// The provider Raaft. See [the module](self).
#[derive(Clone, Copy, Debug)]
pub enum Raaft {}

impl Provider for Raaft {
    const NAME: &'static str = "raaft";
    const SCHEMES: &'static [Scheme] = &[Scheme::token("x-raaft-token")];
    const FIELDS: Fields = Fields::NONE.kind(Source::body("outcome"));
    const KEYS: &'static [KeyRule] = &[KeyRule::of(&[KeyPart::Body])];
    const RETRIES: Retries = Retries::UNKNOWN;
    type Event = Event;

    fn event(delivery: &Delivery<Self>) -> Result<Event, EventError> {
        Event::read(&kind_of(delivery)?, &Whole(delivery.body()))
    }
}

events! {
    /// An event from Raaft, by its outcome.
    pub enum Event {
        /// The customer took an offer and stays.
        "saved" => Saved(Cancellation),
        /// The customer left.
        "canceled" | "cancelled" => Canceled(Cancellation),
        /// The customer went away before the flow's end.
        "aborted" => Aborted(Cancellation),
        /// Something went wrong.
        "error" => Error(Cancellation),
    }
}

model! {
    /// A customer's way through a cancellation flow.
    pub struct Cancellation {
        /// The outcome, as it was sent.
        outcome: String,
        /// The app's id.
        app_id as "appId": Option<Text>,
        /// When it happened.
        created_at as "createdAt": Option<DateTime>,
        /// The customer. Its details come only when a payment provider is connected.
        customer: Option<Customer>,
        /// The customer's own words.
        feedback: Option<String>,
        /// The flow's id.
        flow_id as "flowId": Option<Text>,
        /// The reason that was chosen, as it is worded.
        motivator: Option<String>,
        /// The steps that were taken, in their order.
        path: Vec<Step>,
        /// What was taken up, where the outcome is `saved`.
        response_accepted as "responseAccepted": Option<Response>,
        /// The subscription. Comes only when a payment provider is connected.
        subscription: Option<Subscription>,
    }

    /// A customer.
    pub struct Customer {
        /// The payment provider's id of it.
        id: Option<Text>,
        /// The e-mail address.
        email: Option<String>,
        /// The name.
        name: Option<String>,
        /// The URL of a photo.
        photo: Option<String>,
    }

    /// What a customer took up.
    pub struct Response {
        /// Its name.
        name: Option<String>,
        /// The plan that was switched to.
        plan: Option<Plan>,
        /// When it takes effect, as in `period_end`.
        timing_of_change as "timingOfChange": Option<String>,
        /// What kind of response, as in `change-plans`.
        kind as "type": Option<String>,
    }

    /// A plan.
    pub struct Plan {
        /// The payment provider's id of it.
        id: Option<Text>,
        /// The name.
        name: Option<String>,
        /// The price of an interval, in [`currency`](Self::currency).
        amount: Option<Decimal>,
        /// The currency, as in `USD` (ISO 4217).
        currency: Option<String>,
        /// The interval, as in `month` or `months`.
        interval: Option<String>,
        /// The offer's text, in HTML as the app's own staff wrote it.
        body_text as "bodyText": Option<String>,
        /// The text of the offer's button, in HTML.
        button_text as "buttonText": Option<String>,
    }

    /// A subscription.
    pub struct Subscription {
        /// The payment provider's id of it.
        id: Option<Text>,
        /// Since when it has been there.
        created_at as "created_at" | "createdAt": Option<DateTime>,
        /// The currency, as in `USD` (ISO 4217).
        currency: Option<String>,
        /// Who pays for it.
        customer: Option<Customer>,
        /// What it is for.
        plan: Option<Plan>,
    }

    /// A step that tries to hold the customer by what would be lost.
    pub struct LossAversion {
        /// The step's id.
        step_id as "stepId": Option<Integer>,
        /// The step's type, as it was sent.
        step_type as "stepType": String,
    }

    /// A step that asks why.
    pub struct Survey {
        /// The step's id.
        step_id as "stepId": Option<Integer>,
        /// The step's type, as it was sent.
        step_type as "stepType": String,
        /// The answer that was chosen.
        selected_choice as "selectedChoice": Option<Choice>,
    }

    /// An answer of a survey.
    pub struct Choice {
        /// The answer's id.
        choice_id as "choiceId": Option<Integer>,
        /// The answer, as it is worded.
        text: Option<String>,
        /// What kind of answer, as in `product`.
        kind as "type": Option<String>,
        /// As it was sent; `false` even in the documented answer that was chosen.
        is_selected as "isSelected": Option<Flag>,
    }

    /// A step that makes an offer.
    pub struct Offer {
        /// The step's id.
        step_id as "stepId": Option<Integer>,
        /// The step's type, as it was sent.
        step_type as "stepType": String,
        /// The offer's name.
        offer_name as "offerName": Option<String>,
    }
}

/// A step of a cancellation flow, by its `stepType`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Step {
    /// It tried to hold the customer by what would be lost: `lossAversion`.
    LossAversion(LossAversion),
    /// It asked why: `survey`.
    Survey(Survey),
    /// It made an offer: `offer`.
    Offer(Offer),
    /// Any other.
    Other(Json),
}

impl<'de> Deserialize<'de> for Step {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Json::deserialize(deserializer)?;
        let step = raw.get().as_bytes();
        match json::member(step, "stepType").and_then(json::string).as_deref() {
            Some("lossAversion") => nested("", step).map(Self::LossAversion),
            Some("survey") => nested("", step).map(Self::Survey),
            Some("offer") => nested("", step).map(Self::Offer),
            _ => Ok(Self::Other(raw)),
        }
    }
}
