//! `post`: a route and its receiver in one.

use axum::{
    handler::Handler,
    http::{StatusCode, header},
    routing::{self, MethodFilter, MethodRouter},
};
use countersign_core::{Provider, Receiver};

use crate::layer::WebhookLayer;

/// A `POST` route whose handler sees genuine deliveries, each once.
///
/// Where the provider asks by a `GET` whether the endpoint is yours (Meta, Dropbox), the route takes that as well, and answers it
/// by itself.
///
/// The handler's status decides: a 2xx commits, anything else releases, for the next try. Mind that axum answers
/// `Err(String)` with a 200, as it does every text: an error needs a status of its own, as `StatusCode`,
/// `(StatusCode, String)` or a type that implements `IntoResponse` have it.
///
/// The handler runs to its end, also when its sender hangs up: it then moves to a task of its own, where it no longer sees the
/// task-locals that layers around the route set. See [`WebhookLayer`](crate::WebhookLayer), and
/// [`spawn_handlers`](countersign_core::ReceiverBuilder::spawn_handlers) for a task from the start.
///
/// ```
/// use axum::{Router, http::StatusCode};
/// use countersign_axum::{Webhook, post};
/// use countersign_core::{Receiver, provider::{Retake, retake::Event}};
///
/// async fn on_retake(webhook: Webhook<Retake>) -> Result<(), StatusCode> {
///     match webhook.event {
///         Event::IntentConverted(converted) => println!("{:?}", converted.data.value),
///         _ => {}
///     }
///     Ok(())
/// }
///
/// fn routes(receiver: Receiver<Retake>) -> Router {
///     Router::new().route("/webhooks/retake", post(receiver, on_retake))
/// }
/// ```
pub fn post<P, H, T, S>(receiver: Receiver<P>, handler: H) -> MethodRouter<S>
where
    P: Provider,
    H: Handler<T, S>,
    T: 'static,
    S: Clone + Send + Sync + 'static,
{
    if !receiver.verifier().is_handshake("GET") {
        return routing::post(handler).route_layer(WebhookLayer::new(receiver));
    }
    routing::on(MethodFilter::POST.or(MethodFilter::GET), handler)
        .route_layer(WebhookLayer::new(receiver))
        // Without this, axum takes a `HEAD` for a `GET`.
        .head(async || (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET,POST")]))
}
