//! `post`: a route and its receiver in one.

use actix_web::{FromRequest, Handler, Responder, Route, guard, web};
use countersign_core::{Provider, Receiver};

use crate::middleware::WebhookMiddleware;

/// A `POST` route whose handler sees genuine deliveries, each once.
///
/// Where the provider asks by a `GET` whether the endpoint is yours (Meta, Dropbox), the route takes that as well, and answers it
/// by itself.
///
/// The handler runs to its end, also when its sender hangs up: it then moves to a task of its own, where it no longer sees the
/// task-locals that middleware around the route sets. See [`WebhookMiddleware`](crate::WebhookMiddleware), and
/// [`spawn_handlers`](countersign_core::ReceiverBuilder::spawn_handlers) for a task from the start.
///
/// ```
/// use actix_web::web;
/// use countersign_actix::{Webhook, post};
/// use countersign_core::{Receiver, provider::{Retake, retake::Event}};
///
/// async fn on_retake(webhook: Webhook<Retake>) -> actix_web::Result<&'static str> {
///     match webhook.event {
///         Event::IntentConverted(converted) => println!("{:?}", converted.data.value),
///         _ => {}
///     }
///     Ok("")
/// }
///
/// fn routes(config: &mut web::ServiceConfig, receiver: Receiver<Retake>) {
///     config.route("/webhooks/retake", post(receiver, on_retake));
/// }
/// ```
pub fn post<P, F, Args>(receiver: Receiver<P>, handler: F) -> Route
where
    P: Provider,
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    let route = match receiver.verifier().is_handshake("GET") {
        true => web::route().guard(guard::Any(guard::Post()).or(guard::Get())),
        false => web::post(),
    };
    route.to(handler).wrap(WebhookMiddleware::new(receiver))
}
