//! `WebhookLayer`: a receiver around any route.

use std::fmt;

use countersign_core::{Provider, Receiver};
use tower_layer::Layer;

use crate::{service::WebhookService, source::Source};

/// A tower layer that lets through genuine deliveries, each once.
///
/// Requests that are not genuine are refused before the inner service is called. The inner service is called under a lease on
/// the delivery; its 2xx commits, anything else releases.
///
/// A handler that was called runs to its end, in a task of its own once the sender has hung up: a layer around this one that
/// limits concurrency counts senders, one inside it counts handlers. At a shutdown, the server does not wait for handlers whose sender has
/// hung up: [`drain`](Receiver::drain) does.
///
/// A handler that moved to a task of its own no longer sees the task-locals that layers around this one set
/// (`tokio::task_local!`): reading one with `with` then panics, and the delivery is released.
/// [`spawn_handlers`](countersign_core::ReceiverBuilder::spawn_handlers) runs every handler in a task of its own from the start.
///
/// Where the provider asks by a `GET` whether the endpoint is yours (Meta, Dropbox), the layer answers each `GET` that reaches it, and
/// the handler is never called for one: route it as well, as in `post(on_meta).get(on_meta)`.
///
/// Use it with [`route_layer`](axum::Router::route_layer), so that only requests that match the route are verified:
///
/// ```
/// use axum::{Router, routing::post};
/// use countersign_axum::{Webhook, WebhookLayer};
/// use countersign_core::{Receiver, provider::Retake};
///
/// async fn on_retake(webhook: Webhook<Retake>) {
///     println!("{:?}", webhook.event);
/// }
///
/// fn routes(receiver: Receiver<Retake>) -> Router {
///     Router::new().route("/retake", post(on_retake)).route_layer(WebhookLayer::new(receiver))
/// }
/// ```
pub struct WebhookLayer<P: Provider>(Receiver<P>);

impl<P: Provider> WebhookLayer<P> {
    /// A layer around this receiver.
    pub fn new(receiver: Receiver<P>) -> Self {
        Self(receiver)
    }
}

impl<P: Provider> fmt::Debug for WebhookLayer<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WebhookLayer").field(&self.0).finish()
    }
}

impl<P: Provider> Clone for WebhookLayer<P> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<P: Provider, S> Layer<S> for WebhookLayer<P> {
    type Service = WebhookService<P, S>;

    fn layer(&self, inner: S) -> Self::Service {
        WebhookService::new(Source::Receiver(self.0.clone()), inner)
    }
}
