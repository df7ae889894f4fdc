//! `Webhook<P>`: the extractor of an admitted delivery with its typed event.

use std::{
    fmt,
    future::{Ready, ready},
};

use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload};
use countersign_core::{Answer, Delivery, EventError, Provider};

use crate::respond::Rejection;

/// Extracts the delivery that [`WebhookMiddleware`](crate::WebhookMiddleware) or [`post`](crate::post) admitted, with its
/// typed event.
///
/// Leaves the body alone, so that extractors of the body can stand beside it. A payload that does not fit its type is a 500
/// with its JSON path in the log: the delivery is released, and tried again. To handle it yourself, extract
/// `Result<Webhook<P>, Rejection>`, or the [`Delivery`] by actix-web's `ReqData`.
///
/// Without the middleware around the route, the answer is a 500, and the log says what to add.
#[non_exhaustive]
pub struct Webhook<P: Provider> {
    /// The verified delivery.
    pub delivery: Delivery<P>,
    /// What it says.
    pub event: P::Event,
}

impl<P: Provider> FromRequest for Webhook<P> {
    type Error = Rejection;
    type Future = Ready<Result<Self, Rejection>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let Some(delivery) = request.extensions().get::<Delivery<P>>().cloned() else {
            let remedy = "Webhook<_> needs its receiver around the route: use countersign::actix::post(receiver, handler), \
                or add .wrap(WebhookMiddleware::new(receiver)), for the same provider";
            let answer = Answer::not_set_up(&remedy);
            answer.log::<P>(P::DESCRIPTION, "", None, None);
            return ready(Err(Rejection::new(answer)));
        };
        ready(Self::try_from(delivery).map_err(|error| Rejection::new(Answer::misfit(&error))))
    }
}

impl<P: Provider> Webhook<P> {
    /// The webhook with the typed event of this provider, where it is one of it: see [`Delivery::of`]. For handlers of a registry's
    /// deliveries.
    ///
    /// # Errors
    /// [`Rejection`], where the payload does not fit its type: an error that a handler can return.
    pub fn of<Q: Provider>(&self) -> Option<Result<Webhook<Q>, Rejection>> {
        let delivery = self.delivery.of::<Q>()?;
        Some(Webhook::try_from(delivery).map_err(|error| Rejection::new(Answer::misfit(&error))))
    }
}

/// For tests of a handler alone: a delivery comes from a [`Verifier`](countersign_core::Verifier), of what a
/// [`Signer`](countersign_core::Signer) signed.
impl<P: Provider> TryFrom<Delivery<P>> for Webhook<P> {
    type Error = EventError;

    fn try_from(delivery: Delivery<P>) -> Result<Self, EventError> {
        Ok(Self { event: delivery.event()?, delivery })
    }
}

impl<P: Provider<Event: Clone>> Clone for Webhook<P> {
    fn clone(&self) -> Self {
        Self { delivery: self.delivery.clone(), event: self.event.clone() }
    }
}

/// Shows the delivery as its own `Debug` does, and nothing of the event, which is payload data.
impl<P: Provider> fmt::Debug for Webhook<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook").field("delivery", &self.delivery).finish_non_exhaustive()
    }
}
