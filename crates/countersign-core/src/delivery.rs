//! `Delivery<P>`: proof that a delivery is genuine, and what it says.

use std::{borrow::Cow, fmt, marker::PhantomData, sync::Arc};

use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::{
    dedupe::{Key, KeyRule},
    error::EventError,
    event, json,
    provider::{Described, Description, Handshake, Provider, Source},
    reply::Reply,
    scheme,
    text::ShortText,
    time::Timestamp,
};

/// A genuine delivery.
///
/// Only a [`Verifier`](crate::Verifier) makes one, so whoever holds it holds bytes that were verified.
pub struct Delivery<P: Provider> {
    described: Described,
    signed: Signed,
    /// Of the secret that signed it, where a reply may need it.
    reply_key: Option<Arc<scheme::Key>>,
    body: Bytes,
    provider: PhantomData<fn() -> P>,
}

/// What came beside the body, under the signature or unsigned. Text that is empty was not sent.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Beside<'r> {
    pub(crate) timestamp: Option<Timestamp>,
    /// As it was sent.
    pub(crate) timestamp_text: &'r [u8],
    pub(crate) body_only: bool,
    pub(crate) id: &'r [u8],
    /// What the header holds that is signed and not interpreted.
    pub(crate) header: &'r [u8],
    pub(crate) event_id: &'r [u8],
    pub(crate) kind: &'r [u8],
    pub(crate) kind_is_configured: bool,
    pub(crate) attempt: Option<u32>,
}

/// The same, beyond the request. It was looked at before: the texts are UTF-8.
#[derive(Clone, Debug)]
pub(crate) struct Signed {
    /// Not an `Option`, whose unused bytes would carry what was on the stack into the heap.
    timestamp: Timestamp,
    is_dated: bool,
    timestamp_text: ShortText,
    body_only: bool,
    id: ShortText,
    header: ShortText,
    event_id: ShortText,
    kind: ShortText,
    kind_is_configured: bool,
    attempt: Option<u32>,
}

impl From<Beside<'_>> for Signed {
    #[inline(always)]
    fn from(beside: Beside<'_>) -> Self {
        let Beside {
            timestamp,
            timestamp_text,
            body_only,
            id,
            event_id,
            header,
            kind,
            kind_is_configured,
            attempt,
        } = beside;
        Self {
            timestamp: timestamp.unwrap_or(Timestamp::from_unix_seconds(0)),
            is_dated: timestamp.is_some(),
            timestamp_text: ShortText::new(timestamp_text),
            body_only,
            id: ShortText::new(id),
            header: ShortText::new(header),
            event_id: ShortText::new(event_id),
            kind: ShortText::new(kind),
            kind_is_configured,
            attempt,
        }
    }
}

impl Signed {
    fn timestamp(&self) -> Option<Timestamp> {
        self.is_dated.then_some(self.timestamp)
    }

    pub(crate) fn beside(&self) -> Beside<'_> {
        let Self {
            timestamp: _,
            is_dated: _,
            timestamp_text,
            body_only,
            id,
            event_id,
            header,
            kind,
            kind_is_configured,
            attempt,
        } = self;
        Beside {
            timestamp: self.timestamp(),
            timestamp_text: timestamp_text.as_bytes(),
            body_only: *body_only,
            id: id.as_bytes(),
            header: header.as_bytes(),
            event_id: event_id.as_bytes(),
            kind: kind.as_bytes(),
            kind_is_configured: *kind_is_configured,
            attempt: *attempt,
        }
    }
}

impl<P: Provider> Delivery<P> {
    #[inline(always)]
    pub(crate) fn verified(
        described: Described,
        signed: Signed,
        reply_key: Option<Arc<scheme::Key>>,
        body: Bytes,
    ) -> Self {
        Self { described, signed, reply_key, body, provider: PhantomData }
    }

    /// The provider's name.
    pub fn provider(&self) -> &str {
        self.described.name()
    }

    /// The body, byte for byte as it was signed.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The provider's id of this delivery or its event, where it sends one. Signed where it stands in the body, or where
    /// the scheme signs its header.
    pub fn id(&self) -> Option<Cow<'_, str>> {
        self.text(&self.described.fields().id, self.signed.id.filled(), json::string_or_number)
    }

    /// The provider's id of the event, where it sends one beside the delivery's. Unsigned, unless it stands in the body.
    pub fn event_id(&self) -> Option<Cow<'_, str>> {
        self.text(&self.described.fields().event_id, self.signed.event_id.filled(), json::string_or_number)
    }

    /// The event's kind: as configured for the endpoint, or as the provider sends it. Signed only where it stands in the
    /// body.
    pub fn kind(&self) -> Option<Cow<'_, str>> {
        P::kind(self, self.field_kind())
    }

    /// Which attempt at this delivery it is, from 1, where the provider says so. Unsigned, unless it stands in the body.
    pub fn attempt(&self) -> Option<u32> {
        let in_body =
            || self.text(&self.described.fields().attempt, None, json::string_or_number)?.parse().ok();
        self.signed.attempt.or_else(in_body)
    }

    /// The signed timestamp, where the scheme has one.
    pub fn timestamp(&self) -> Option<Timestamp> {
        self.signed.timestamp()
    }

    /// Whether nothing signed says when it was sent: it came under the weaker form of a provider that also signs a timestamp, or
    /// its provider signs none.
    pub fn is_body_only(&self) -> bool {
        self.signed.body_only
    }

    /// The typed event. Parsed anew at each call.
    ///
    /// # Errors
    /// [`EventError`] when the payload does not fit its type.
    pub fn event(&self) -> Result<P::Event, EventError> {
        P::event(self)
    }

    /// The body as a type of your own, read as JSON. Parsed anew at each call.
    ///
    /// # Errors
    /// [`EventError`] with the JSON path of what does not fit.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, EventError> {
        event::parse(self.kind().as_deref().unwrap_or_default(), "", &self.body)
    }

    /// The delivery as one of this provider, where it is one: what a [`Registry`](crate::Registry) hands out is typed by that. A
    /// provider that merely has the name is another.
    ///
    /// ```
    /// use countersign_core::{Delivery, EventError, provider::{Custom, Retake, RevKeen}};
    ///
    /// fn handle(delivery: &Delivery<Custom>) -> Result<(), EventError> {
    ///     if let Some(delivery) = delivery.of::<Retake>() {
    ///         println!("{:?}", delivery.event()?);
    ///     } else if let Some(delivery) = delivery.of::<RevKeen>() {
    ///         println!("{:?}", delivery.event()?);
    ///     }
    ///     Ok(())
    /// }
    /// ```
    pub fn of<Q: Provider>(&self) -> Option<Delivery<Q>> {
        let delivery = self.described.is_of::<Q>().then(|| self.clone().retyped::<Q>())?;
        // Another type may have the same data, and not the same doubts.
        Q::check(&delivery).is_ok().then_some(delivery)
    }

    /// What to answer, where this is no event but a handshake: the provider asks whether the endpoint is yours (Slack, Zoom,
    /// Discord). Read anew from the body at each call.
    ///
    /// A [`Receiver`](crate::Receiver) answers by itself, before anything is claimed and any handler runs. Whoever verifies without
    /// one asks this first:
    ///
    /// ```
    /// use countersign_core::{
    ///     Description, Secret, Signer, Timestamp, Verifier,
    ///     provider::{BodyHandshake, Custom, Handshake, ReplyRule},
    ///     scheme::Scheme,
    /// };
    ///
    /// let question = BodyHandshake::new("type", "url_verification", ReplyRule::echo("challenge"));
    /// let acme = Description::new("acme", [Scheme::hmac_sha256("x-acme-signature")]).handshake(Handshake::Body(question));
    /// let (secret, now) = (Secret::new("a secret")?, Timestamp::from_unix_seconds(0));
    /// let body = r#"{"type":"url_verification","challenge":"3eZbrw1aBm2r"}"#;
    /// let headers = Signer::<Custom>::custom(acme.clone(), &secret)?.sign(body, now)?;
    ///
    /// let delivery = Verifier::<Custom>::custom(acme, secret)?.verify(&headers, body, now)?;
    /// match delivery.reply() {
    ///     Some(reply) => {
    ///         assert_eq!(reply.status(), 200);
    ///         assert_eq!(reply.headers()[0], ("content-type", "text/plain; charset=utf-8"));
    ///         assert_eq!(reply.body(), "3eZbrw1aBm2r");
    ///     }
    ///     None => println!("an event: {:?}", delivery.kind()),
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn reply(&self) -> Option<Reply> {
        self.described.handshakes.iter().find_map(|handshake| match handshake {
            Handshake::Body(body) => body.reply(&self.body, self.reply_key.as_deref()),
            Handshake::Query(_) => None,
        })
    }

    /// The keys under which this delivery is claimed: a hit on any one makes it a duplicate.
    ///
    /// `endpoint` keeps apart the endpoints (tenants) that share a store.
    pub fn keys(&self, endpoint: &str, rules: &[KeyRule]) -> Vec<Key> {
        Key::of_delivery(self, endpoint, rules)
    }

    /// The kind as it was configured, or else as the provider's field has it.
    pub(crate) fn field_kind(&self) -> Option<Cow<'_, str>> {
        self.text(&self.described.fields().kind, self.signed.kind.filled(), json::string)
    }

    pub(crate) fn description(&self) -> &Description {
        &self.described
    }

    /// For those who know that it is one of that provider.
    pub(crate) fn retyped<Q: Provider>(self) -> Delivery<Q> {
        Delivery::verified(self.described, self.signed, self.reply_key, self.body)
    }

    pub(crate) fn kind_is_configured(&self) -> bool {
        self.signed.kind_is_configured
    }

    pub(crate) fn timestamp_text(&self) -> &str {
        self.signed.timestamp_text.as_str()
    }

    /// What stands at a source, `sent` where that is a header; `read` takes it out of the body's JSON.
    fn text<'d>(
        &'d self,
        source: &Option<Source>,
        sent: Option<&'d str>,
        read: impl FnOnce(&'d [u8]) -> Option<Cow<'d, str>>,
    ) -> Option<Cow<'d, str>> {
        match (sent, source) {
            (Some(text), _) => Some(Cow::Borrowed(text)),
            (None, Some(Source::Body(path))) => json::field(&self.body, path).and_then(read),
            (None, _) => None,
        }
    }
}

impl<P: Provider> Clone for Delivery<P> {
    fn clone(&self) -> Self {
        let Self { described, signed, reply_key, body, .. } = self;
        Self::verified(described.clone(), signed.clone(), reply_key.clone(), body.clone())
    }
}

/// Shows which delivery it is, and nothing else of what it says: the provider, the id, the kind and the
/// body's length.
impl<P: Provider> fmt::Debug for Delivery<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("provider", &self.provider())
            .field("id", &self.id())
            .field("kind", &self.kind())
            .field("body_len", &self.body.len())
            .finish_non_exhaustive()
    }
}
