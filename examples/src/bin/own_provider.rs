//! A provider of your own in one file: its scheme as data, its events as serde types.

use std::time::{Duration, SystemTime};

use countersign::{
    Delivery, EventError, MemoryStore, Provider, Receiver, Secret, Signer, Timestamp, TimestampFormat,
    Tolerance,
    dedupe::{KeyPart, KeyRule},
    event::Json,
    provider::{Fields, Retries, Source},
    scheme::{Encoding, Scheme, TimestampSource},
};
use serde::Deserialize;

enum Acme {}

#[derive(Debug, Deserialize)]
struct OrderPaid {
    order: u64,
}

#[derive(Debug)]
enum Event {
    OrderPaid(OrderPaid),
    Unknown(Json),
}

impl Provider for Acme {
    const NAME: &'static str = "acme";
    const SCHEMES: &'static [Scheme] = &[Scheme::hmac_sha256("x-acme-signature")
        .encoding(Encoding::Base64)
        .timestamp(TimestampSource::header("x-acme-timestamp"), TimestampFormat::UnixSeconds)
        .tolerance(Tolerance::from_secs(300))
        .signs("{timestamp}:{body}")];
    const FIELDS: Fields = Fields::NONE.id(Source::body("id")).kind(Source::body("type"));
    const KEYS: &'static [KeyRule] = &[KeyRule::of(&[KeyPart::Id]).or(&[KeyPart::Body])];
    const RETRIES: Retries = Retries::ON_ANY_FAILURE.within(Duration::from_secs(24 * 60 * 60));
    type Event = Event;

    fn event(delivery: &Delivery<Self>) -> Result<Event, EventError> {
        Ok(match delivery.kind().as_deref() {
            Some("order.paid") => Event::OrderPaid(delivery.json()?),
            _ => Event::Unknown(delivery.json()?),
        })
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (secret, now) = (Secret::new("acme's secret")?, Timestamp::from(SystemTime::now()));
    let receiver = Receiver::<Acme>::builder(&secret).store(MemoryStore::new(1000)).build()?;
    for body in [
        r#"{"id":"e1","type":"order.paid","order":7}"#,
        r#"{"id":"e1","type":"order.paid","order":7}"#,
        r#"{"id":"e2","type":"order.shipped"}"#,
    ] {
        let headers = Signer::<Acme>::new(&secret).sign(body, now)?;
        let handler = async |webhook: countersign::Webhook<Acme>| {
            match webhook.event {
                Event::OrderPaid(paid) => println!("order {} is paid", paid.order),
                Event::Unknown(raw) => println!("not of interest: {}", raw.get()),
            }
            Ok::<(), std::convert::Infallible>(())
        };
        let answer = receiver.handle(&headers, body, now, tokio::time::sleep, handler).await;
        println!("{}: {}", answer.status(), answer.outcome().as_str());
    }
    Ok(())
}
