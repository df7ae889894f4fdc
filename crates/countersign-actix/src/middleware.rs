//! `WebhookMiddleware`: a receiver around any resource or scope.

use std::{
    fmt,
    future::{Ready, ready},
    rc::Rc,
};

use actix_web::{
    Error,
    body::{EitherBody, MessageBody},
    dev::{Service, ServiceRequest, ServiceResponse, Transform},
};
use countersign_core::{Provider, Receiver};

use crate::{service::WebhookService, source::Source};

/// Middleware that lets through genuine deliveries, each once.
///
/// Requests that are not genuine are refused before the inner service is called. The inner service is called under a lease on
/// the delivery; its 2xx commits, anything else releases.
///
/// A handler that was called runs to its end, in a task of its own once the sender has hung up. A worker that stops does not wait for
/// such handlers: [`drain`](Receiver::drain) does, before the server is stopped.
///
/// A handler that moved to a task of its own no longer sees the task-locals that middleware around this one sets
/// (`tokio::task_local!`): reading one with `with` then panics, and the delivery is released.
/// [`spawn_handlers`](countersign_core::ReceiverBuilder::spawn_handlers) runs every handler in a task of its own from the start.
///
/// Every request that reaches it is taken for a delivery, whatever its method: wrap nothing but the webhook's route. Where the
/// provider asks by a `GET` whether the endpoint is yours (Meta, Dropbox), each `GET` is answered here, and never reaches the
/// handler. A handler
/// that extracts the body as `web::Bytes` has actix-web's own limit on that, 256 KiB unless a `PayloadConfig` says otherwise;
/// `webhook.delivery.body()` has no other limit than the receiver's.
///
/// ```
/// use actix_web::{Resource, web};
/// use countersign_actix::{Webhook, WebhookMiddleware};
/// use countersign_core::{Receiver, provider::Retake};
///
/// async fn on_retake(webhook: Webhook<Retake>) -> &'static str {
///     println!("{:?}", webhook.event);
///     "ok"
/// }
///
/// fn routes(config: &mut web::ServiceConfig, receiver: Receiver<Retake>) {
///     let resource = web::resource("/retake").wrap(WebhookMiddleware::new(receiver)).route(web::post().to(on_retake));
///     config.service(resource);
/// }
/// ```
pub struct WebhookMiddleware<P: Provider>(Receiver<P>);

impl<P: Provider> WebhookMiddleware<P> {
    /// Middleware around this receiver.
    pub fn new(receiver: Receiver<P>) -> Self {
        Self(receiver)
    }
}

impl<P: Provider> fmt::Debug for WebhookMiddleware<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WebhookMiddleware").field(&self.0).finish()
    }
}

impl<P: Provider> Clone for WebhookMiddleware<P> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<P, S, B> Transform<S, ServiceRequest> for WebhookMiddleware<P>
where
    P: Provider,
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = WebhookService<P, S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(WebhookService::new(Source::Receiver(self.0.clone()), Rc::new(service))))
    }
}
