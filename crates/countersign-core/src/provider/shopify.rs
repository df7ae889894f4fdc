//! Shopify: orders, products, customers and all else of a shop.
//!
//! Signature: `X-Shopify-Hmac-Sha256: <base64>`, HMAC-SHA256 over the raw body, keyed by the app's client secret
//! (<https://shopify.dev/docs/apps/build/webhooks/subscribe/https>). There is no timestamp in the signature, so a captured delivery can be played
//! again once its dedupe key's retention (72 h) has ended.
//!
//! Shopify's newer [Events](https://shopify.dev/docs/apps/build/events/verify-deliveries) send the same headers without the `X-`
//! (`Shopify-Hmac-Sha256`, `Shopify-Topic`, `Shopify-Webhook-Id`). Both names are read; a request that has both, with different values,
//! is refused.
//!
//! All else that Shopify says of a delivery stands in headers that are not signed. The topic (`X-Shopify-Topic`) is the kind and
//! `X-Shopify-Webhook-Id` the id; `X-Shopify-Event-Id` is the event's. `X-Shopify-Shop-Domain`, `X-Shopify-API-Version` and
//! `X-Shopify-Triggered-At` are not read: take them from the request's headers, and believe the shop's domain no more than a header.
//!
//! Shopify sends one body under several topics (an order that is created and paid at once). So the dedupe key is made of topic and
//! signed body. The webhook's id would add nothing to it, and the event's id is shared by all that one act of a merchant set off.
//!
//! The topic in the key is not signed. **Whoever captures a delivery can have it handled once more under each other topic.** No key
//! prevents that, and nothing in the body names the topic. Serve each topic at an endpoint of its own and configure it
//! ([`ReceiverBuilder::kind`](crate::ReceiverBuilder::kind)): the receiver then takes the topic from no header, and nothing unsigned is left
//! in the key. **What is left is the path.** One client secret signs for all topics of an app, and for all its shops. Whoever captures a
//! delivery can have it handled once at each endpoint of the app, as that endpoint's topic. So serve only the topics that you need, and ask
//! Shopify's API what is so before something is done that cannot be undone.
//!
//! Shopify documents no largest body; its staff report more than a megabyte for orders with many lines. By default, 10 MiB are accepted.
//!
//! Anything but a 2xx within 5 s is tried again, eight times over four hours; after that, a subscription that the API made is
//! removed (<https://shopify.dev/docs/apps/build/webhooks/troubleshooting-webhooks>).

use crate::{
    dedupe::{KeyPart, KeyRule},
    delivery::Delivery,
    error::EventError,
    event::{Json, parse},
    provider::{Fields, Payload, Retries, Source, provider},
    scheme::{Encoding, Scheme},
};

provider! {
    /// The provider Shopify. See [the module](self).
    pub Shopify {
        type Event = Event<T>;
        const NAME: &'static str = "shopify";
        const SCHEMES: &'static [Scheme] =
            &[Scheme::hmac_sha256("x-shopify-hmac-sha256").alias("shopify-hmac-sha256").encoding(Encoding::Base64)];
        const FIELDS: Fields =
            Fields::NONE
            .id(Source::header("x-shopify-webhook-id"))
            .id_alias("shopify-webhook-id")
            .event_id(Source::header("x-shopify-event-id"))
            .kind(Source::header("x-shopify-topic"))
            .kind_alias("shopify-topic");
        const KEYS: &'static [KeyRule] = &[KeyRule::of_unsigned_kind(&[KeyPart::Kind, KeyPart::Body])];
        // The horizon of four hours would end the retention long before the day that a replay is made.
        const RETRIES: Retries = Retries::ON_ANY_FAILURE;
        const BODY_LIMIT: usize = 10 << 20;

        fn event(delivery: &Delivery<Self>) -> Result<Event<T>, EventError> {
            Event::of(delivery)
        }
    }
}

/// An event from Shopify: its topic, its ids, and the whole body as JSON text or as a type of yours.
///
/// ```
/// use countersign_core::{Secret, Signer, Timestamp, Verifier, provider::Shopify};
///
/// #[derive(Debug, serde::Deserialize)]
/// struct Order {
///     id: u64,
///     total_price: String,
/// }
///
/// let body = r#"{"id":820982911946154508,"total_price":"398.00"}"#;
/// let (secret, now) = (Secret::new("a secret")?, Timestamp::from_unix_seconds(0));
/// let headers = Signer::<Shopify>::new(&secret).kind("orders/create").sign(body, now)?;
///
/// let verifier = Verifier::<Shopify<Order>>::builder(&secret).kind("orders/create").build()?;
/// let event = verifier.verify(&headers, body, now)?.event()?;
/// assert_eq!(event.topic.as_deref(), Some("orders/create"));
/// assert_eq!((event.payload.id, &*event.payload.total_price), (820_982_911_946_154_508, "398.00"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Event<T = Json> {
    /// The topic, as configured for the endpoint or as `X-Shopify-Topic` has it: `orders/create`. Not signed in the header.
    pub topic: Option<String>,
    /// The id of this webhook, as `X-Shopify-Webhook-Id` has it: the same at every attempt. Not signed.
    pub webhook_id: Option<String>,
    /// The event's id, as `X-Shopify-Event-Id` has it: what one act of a merchant's set off has one id. Not signed.
    pub event_id: Option<String>,
    /// The whole body.
    pub payload: T,
}

impl<T: Payload> Event<T> {
    fn of(delivery: &Delivery<Shopify<T>>) -> Result<Self, EventError> {
        let topic = delivery.kind();
        let payload = parse(topic.as_deref().unwrap_or_default(), "", delivery.body())?;
        Ok(Self {
            topic: topic.map(Into::into),
            webhook_id: delivery.id().map(Into::into),
            event_id: delivery.event_id().map(Into::into),
            payload,
        })
    }
}
