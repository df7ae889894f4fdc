//! The documented payloads of every provider, field by field; and what holds for the events of all of them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test tells what it found by panicking"
)]

mod every;
mod github;
mod raaft;
mod recharge;
mod retake;
mod retentbase;
mod revkeen;
mod shopify;
mod slack;
mod standard_webhooks;
mod stripe;

use countersign_core::{
    Delivery, EventError, Provider, Secret, Signer, Timestamp, Verifier,
    event::{DateTime, Decimal},
};

/// A genuine delivery of this body, with its kind in the header where the provider has one.
fn delivery<P: Provider>(kind: &str, body: &str) -> Delivery<P> {
    let (secret, now) = (Secret::new("secret").unwrap(), Timestamp::from_unix_seconds(1_705_314_600));
    let signer = match kind {
        "" => Signer::<P>::new(&secret),
        kind => Signer::<P>::new(&secret).kind(kind),
    };
    let headers = signer.sign(body, now).unwrap();
    Verifier::<P>::new(&secret).unwrap().verify(&headers, body, now).unwrap()
}

/// The event of this body.
fn event<P: Provider>(kind: &str, body: &str) -> Result<P::Event, EventError> {
    delivery::<P>(kind, body).event()
}

/// Where the payload of this body does not fit.
fn misfit<P: Provider>(kind: &str, body: &str) -> String {
    match event::<P>(kind, body).unwrap_err() {
        EventError::Misfit { path, .. } => path,
        other => panic!("{other}"),
    }
}

/// The payload of the one kind that was asked for.
macro_rules! only {
    ($event:expr, $variant:path) => {
        match $event.unwrap() {
            $variant(payload) => payload,
            other => panic!("{other:?}"),
        }
    };
}
use only;

fn decimal(text: &str) -> Option<Decimal> {
    Some(text.parse().unwrap())
}

fn date_time(text: &str) -> Option<DateTime> {
    Some(text.parse().unwrap())
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}
