//! Stripe: payments, subscriptions, invoices and what belongs to them.
//!
//! Signature: `Stripe-Signature: t=<unix seconds>,v1=<hex>[,v1=<hex>..]`, HMAC-SHA256 over `{t}.{raw body}`, good for
//! 300 s, as in Stripe's own libraries, and here both ways (<https://docs.stripe.com/webhooks/signature>). The secret
//! (`whsec_..`) is used as it is, prefix included. There are two signatures while a secret is rolled; other versions
//! are ignored: `v0` is a test's.
//!
//! The dedupe key is the event's id, which is in the signed body and the same at every attempt. Stripe may make two
//! events of one change; those have two ids.
//!
//! Stripe tries for up to 3 days in live mode, and 3 times within a few hours in a sandbox, on anything but a 2xx
//! (<https://docs.stripe.com/webhooks#automatic-retries>). Events may arrive out of order. A snapshot event's
//! `data.object` has the form of the API version that the endpoint was made with, which `api_version` names.

use std::{fmt, time::Duration};

use serde::{Deserialize, Deserializer, de};

use crate::{
    dedupe::{KeyPart, KeyRule},
    delivery::Delivery,
    error::EventError,
    event::{DateTime, Flag, Integer, Json, model, parse},
    json,
    provider::{Fields, Retries, Source, provider},
    scheme::{Scheme, TimestampSource},
    time::{TimestampFormat, Tolerance},
};

provider! {
    /// The provider Stripe. See [the module](self).
    pub Stripe {
        type Event = Event<T>;
        const NAME: &'static str = "stripe";
        const SCHEMES: &'static [Scheme] = &[Scheme::hmac_sha256("stripe-signature")
            .list(',', Some("t"), "v1")
            .timestamp(TimestampSource::Signature, TimestampFormat::UnixSeconds)
            .tolerance(Tolerance::from_secs(300))
            .signs("{timestamp}.{body}")];
        const FIELDS: Fields = Fields::NONE.id(Source::body("id")).kind(Source::body("type"));
        const KEYS: &'static [KeyRule] = &[KeyRule::of(&[KeyPart::Id]).or(&[KeyPart::Body])];
        const RETRIES: Retries = Retries::ON_ANY_FAILURE.within(Duration::from_secs(3 * 24 * 60 * 60));

        fn event(delivery: &Delivery<Self>) -> Result<Event<T>, EventError> {
            let (kind, body) = (delivery.kind().unwrap_or_default(), delivery.body());
            let object = json::field(body, "object").and_then(json::string);
            match object.is_some_and(|object| object.starts_with("v2.")) {
                true => parse(&kind, "", body).map(Event::Thin),
                false => parse(&kind, "", body).map(Event::Snapshot),
            }
        }
    }
}

/// An event from Stripe, in one of its two styles: an endpoint gets the one that it was made for.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event<T = Json> {
    /// With the object as it was when the event happened: `"object": "event"`.
    Snapshot(Snapshot<T>),
    /// With a reference to the object, to be fetched: `"object": "v2.core.event"`.
    Thin(Thin),
}

impl<T> Event<T> {
    /// The event's id, the same at every attempt.
    pub fn id(&self) -> &str {
        match self {
            Self::Snapshot(event) => &event.id,
            Self::Thin(event) => &event.id,
        }
    }

    /// What happened, as in `invoice.paid`.
    pub fn kind(&self) -> &str {
        match self {
            Self::Snapshot(event) => &event.kind,
            Self::Thin(event) => &event.kind,
        }
    }
}

model! {
    /// An event with the object that it is about.
    pub struct Snapshot<T = Json> {
        /// The event's id, the same at every attempt.
        id: String,
        /// `event`.
        object: Option<String>,
        /// The version of the API that the object has the form of; null where none was fixed.
        api_version: Option<String>,
        /// When the event happened.
        created: Option<DateTime>,
        /// Whether it happened in earnest, not in a test.
        livemode: Option<Flag>,
        /// How many endpoints have not yet answered this event with a 2xx.
        pending_webhooks: Option<Integer>,
        /// The request that caused it; null where none did.
        request: Option<Request>,
        /// What happened, as in `invoice.paid`.
        kind as "type": String,
        /// The connected account that it happened in, where it is not one's own.
        account: Option<String>,
        /// The context that it happened in, where there are several.
        context: Option<String>,
        /// What it is about.
        data: Data<T>,
    }

    /// What a snapshot event is about.
    pub struct Data<T = Json> {
        /// The object, as it was after the event.
        object: T,
        /// What an update changed: the fields as they were before it.
        previous_attributes: Option<Json>,
    }

    /// An event without the object that it is about.
    pub struct Thin {
        /// The event's id, the same at every attempt.
        id: String,
        /// `v2.core.event`.
        object: Option<String>,
        /// What happened, as in `v1.billing.meter.error_report_triggered`.
        kind as "type": String,
        /// When it happened.
        created: Option<DateTime>,
        /// Whether it happened in earnest, not in a test.
        livemode: Option<Flag>,
        /// The context that it happened in, where there are several: an account, as a rule.
        context: Option<String>,
        /// What it is about, to be fetched; null where it is about nothing that has an id.
        related_object: Option<RelatedObject>,
        /// What caused it.
        reason: Option<Json>,
        /// What an event that was fetched says besides.
        data: Option<Json>,
    }

    /// Where the object of a thin event is.
    pub struct RelatedObject {
        /// The object's id.
        id: String,
        /// What it is, as in `billing.meter`.
        kind as "type": Option<String>,
        /// The path under which the API has it, as in `/v1/billing/meters/mtr_123`.
        url: Option<String>,
    }
}

/// The request that caused an event.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Request {
    /// The request's id; `None` where Stripe itself acted.
    pub id: Option<String>,
    /// The idempotency key that it was sent with.
    pub idempotency_key: Option<String>,
}

/// Versions of the API before 2017-05-25 have the request's id in place of the object.
impl<'de> Deserialize<'de> for Request {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct IdOrObject;

        impl<'de> de::Visitor<'de> for IdOrObject {
            type Value = Request;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a request, or its id")
            }

            fn visit_str<E: de::Error>(self, id: &str) -> Result<Request, E> {
                Ok(Request { id: Some(id.to_owned()), idempotency_key: None })
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Request, A::Error> {
                Object::deserialize(de::value::MapAccessDeserializer::new(map)).map(Into::into)
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, list: A) -> Result<Request, A::Error> {
                Object::deserialize(de::value::SeqAccessDeserializer::new(list)).map(Into::into)
            }
        }

        deserializer.deserialize_any(IdOrObject)
    }
}

#[derive(Deserialize)]
struct Object {
    id: Option<String>,
    idempotency_key: Option<String>,
}

impl From<Object> for Request {
    fn from(Object { id, idempotency_key }: Object) -> Self {
        Self { id, idempotency_key }
    }
}
