//! `post`: a route and its receiver in one.

use axum::{
    handler::Handler,
    routing::{self, MethodRouter},
};
use countersign_core::{Provider, Receiver};

use crate::layer::WebhookLayer;

/// A `POST` route whose handler sees genuine deliveries, each once.
///
/// ```
/// use axum::Router;
/// use countersign_axum::{Webhook, post};
/// use countersign_core::{Receiver, provider::{Retake, retake::Event}};
///
/// async fn on_retake(webhook: Webhook<Retake>) -> Result<(), String> {
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
    routing::post(handler).route_layer(WebhookLayer::new(receiver))
}
