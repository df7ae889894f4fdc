//! RetentBase: cancellations and what became of them.
//!
//! Signature: `x-retentbase-signature-sha256: <hex>`, HMAC-SHA256 over `{x-retentbase-timestamp}.{raw body}`, good for
//! 300 s both ways. The kind, the ids and the number of the attempt stand in headers that are not signed.
//!
//! A delivery is therefore known by three keys, and each holds the signed body:
//!
//! - Timestamp and body: an exact replay is caught under whatever unsigned headers it comes.
//! - Delivery id and body: a delivery is known by its id, as the provider's page asks. Nobody who captured one delivery can occupy
//!   the id of a later one, since that one has another body.
//! - Kind, event id and body: a retry with a fresh timestamp and a fresh delivery id is caught.
//!
//! Kind and body without the event's id are no key. A customer can churn, be recovered and churn again, in equal bodies, and the third
//! event would be lost.
//!
//! **Nothing signed names the kind.** Whoever captures a delivery before it arrives can present it once as another kind, and the
//! delivery itself is then a duplicate. Where that matters, serve each kind at an endpoint of its own and configure it
//! ([`ReceiverBuilder::kind`](crate::ReceiverBuilder::kind)), with a secret of its own: the path is not signed either.

use crate::{
    dedupe::{KeyPart, KeyRule},
    delivery::Delivery,
    error::EventError,
    event::{DateTime, Decimal, Flag, Integer, Json, Text, Whole, choices, events, kind_of, model},
    provider::{Fields, Provider, Retries, Source},
    scheme::{Scheme, TimestampSource},
    time::{TimestampFormat, Tolerance},
};

/// The provider RetentBase. See [the module](self).
#[derive(Clone, Copy, Debug)]
pub enum RetentBase {}

impl Provider for RetentBase {
    const NAME: &'static str = "retentbase";
    const SCHEMES: &'static [Scheme] = &[Scheme::hmac_sha256("x-retentbase-signature-sha256")
        .timestamp(TimestampSource::header("x-retentbase-timestamp"), TimestampFormat::UnixSeconds)
        .tolerance(Tolerance::from_secs(300))
        .signs("{timestamp}.{body}")];
    const FIELDS: Fields = Fields::NONE
        .id(Source::header("x-retentbase-delivery-id"))
        .event_id(Source::header("x-retentbase-event-id"))
        .kind(Source::header("x-retentbase-event"))
        .attempt(Source::header("x-retentbase-attempt"));
    const KEYS: &'static [KeyRule] = &[
        KeyRule::of(&[KeyPart::Timestamp, KeyPart::Body]),
        KeyRule::of(&[KeyPart::Id, KeyPart::Body]),
        KeyRule::of(&[KeyPart::Kind, KeyPart::EventId, KeyPart::Body]),
    ];
    const RETRIES: Retries = Retries::ON_ANY_FAILURE;
    type Event = Event;

    fn event(delivery: &Delivery<Self>) -> Result<Event, EventError> {
        Event::read(&kind_of(delivery)?, &Whole(delivery.body()))
    }
}

events! {
    /// An event from RetentBase.
    pub enum Event {
        /// Somebody began to cancel.
        "cancellation.created" => CancellationCreated(Cancellation),
        /// What became of a cancellation is known, or has changed.
        "cancellation.outcome_updated" => CancellationOutcomeUpdated(Cancellation),
    }
}

model! {
    /// A cancellation, as the REST API describes it: the webhook's own schema is not published, so every field is
    /// optional.
    pub struct Cancellation {
        /// Where it happened.
        environment: Option<Environment>,
        /// The event's id. Two updates may share it.
        event_id as "eventId": Option<Text>,
        /// The user's id.
        user_id as "userId": Option<Text>,
        /// The key of the reason that was chosen.
        reason_key as "reasonKey": Option<Text>,
        /// What became of it. Absent while that is pending.
        outcome: Option<Outcome>,
        /// What was offered to keep the customer.
        offer: Option<Offer>,
        /// The reason in the customer's own words.
        reason_text as "reasonText": Option<String>,
        /// What is known about the customer.
        context: Option<Context>,
        /// When it happened.
        occurred_at as "occurredAt": Option<DateTime>,
        /// When the outcome takes effect, for `cancellation.outcome_updated`.
        effective_at as "effectiveAt": Option<DateTime>,
        /// What the integration added: a flat object of strings, numbers, booleans and nulls.
        metadata: Option<Json>,
    }

    /// What was offered to keep a customer.
    pub struct Offer {
        /// What kind of offer.
        kind as "type": Option<OfferKind>,
        /// Whether it was accepted.
        accepted: Option<Flag>,
        /// How it was worded.
        label: Option<String>,
    }

    /// What is known about a customer who cancels.
    pub struct Context {
        /// The plan.
        plan: Option<Text>,
        /// The monthly recurring revenue.
        mrr: Option<Decimal>,
        /// For how many days they have been a customer.
        tenure_days as "tenureDays": Option<Integer>,
    }
}

choices! {
    /// Where a cancellation happened.
    pub enum Environment {
        /// In earnest:
        "prod" => Prod,
        /// In a test:
        "sandbox" => Sandbox,
    }

    /// What became of a cancellation.
    pub enum Outcome {
        /// The customer left:
        "churned" => Churned,
        /// The customer stays:
        "recovered" => Recovered,
        /// The customer did not finish cancelling:
        "abandoned" => Abandoned,
    }

    /// What kind of offer was made.
    pub enum OfferKind {
        /// None:
        "none" => None,
        /// A lower price:
        "discount" => Discount,
        /// A pause:
        "pause" => Pause,
    }
}
