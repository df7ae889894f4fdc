//! `RegistryMiddleware` and `post_any`: one route for many providers and tenants.

use std::{
    future::{Ready, ready},
    rc::Rc,
    sync::Arc,
};

use actix_web::{
    Error, FromRequest, Handler, Responder, Route,
    body::{EitherBody, MessageBody},
    dev::{Service, ServiceRequest, ServiceResponse, Transform},
    guard, web,
};
use countersign_core::{Registry, provider::Custom};

use crate::{
    service::WebhookService,
    source::{Selecting, Source},
};

/// A [`WebhookMiddleware`](crate::WebhookMiddleware) whose receiver is found by the names in the request.
///
/// They are the path's parameters `provider` and, where there are tenants, `tenant`, unless [`select`](Self::select) says where else
/// they are: so it goes around a route or a resource, where the path is known. A provider or tenant that is not known is a 404.
///
/// Handlers run as under [`WebhookMiddleware`](crate::WebhookMiddleware);
/// [`RegistryBuilder::spawn_handlers`](countersign_core::RegistryBuilder::spawn_handlers) gives each a task of its own.
///
/// ```
/// use actix_web::{HttpResponse, web};
/// use countersign_actix::{RegistryMiddleware, Webhook};
/// use countersign_core::{Registry, provider::{Custom, Retake}};
///
/// async fn on_any(webhook: Webhook<Custom>) -> HttpResponse {
///     if let Some(delivery) = webhook.delivery.of::<Retake>() {
///         println!("{:?}", delivery.event());
///     }
///     HttpResponse::Ok().finish()
/// }
///
/// fn routes(config: &mut web::ServiceConfig, registry: Registry) {
///     // `acme.example.com` is the tenant `acme`.
///     let middleware = RegistryMiddleware::new(registry).select(|request| {
///         let host = request.headers().get("host")?.to_str().ok()?;
///         Some(("retake".to_owned(), host.strip_suffix(".example.com")?.to_owned()))
///     });
///     config.service(web::resource("/retake").wrap(middleware).route(web::post().to(on_any)));
/// }
/// ```
#[derive(Clone, Debug)]
pub struct RegistryMiddleware(Selecting);

impl RegistryMiddleware {
    /// Middleware around this registry, for a route with the parameters `provider` and, where there are tenants, `tenant`.
    pub fn new(registry: Registry) -> Self {
        Self(Selecting { registry, select: None })
    }

    /// Takes the names of the provider and of the tenant, empty where there is none, from elsewhere in the request; `None` is a 404.
    ///
    /// What the sender says there is not proven yet, and need not be: the tenant's secrets decide.
    #[must_use]
    pub fn select(
        mut self,
        select: impl Fn(&ServiceRequest) -> Option<(String, String)> + Send + Sync + 'static,
    ) -> Self {
        self.0.select = Some(Arc::new(select));
        self
    }
}

impl<S, B> Transform<S, ServiceRequest> for RegistryMiddleware
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = WebhookService<Custom, S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        let source = Source::Registry(Arc::new(self.0.clone()));
        ready(Ok(WebhookService::new(source, Rc::new(service))))
    }
}

/// A `POST` route for many providers and tenants, as [`post`](crate::post) is for one: its path has the parameters `provider` and,
/// where there are tenants, `tenant`.
///
/// Where a provider asks by a `GET` whether the endpoint is yours (Meta, Dropbox), the route answers it by itself: a tenant's verify token
/// is looked up with its secrets, [`Secrets::with_verify_token`](countersign_core::Secrets::with_verify_token).
///
/// ```
/// use actix_web::{HttpResponse, web};
/// use countersign_actix::{Rejection, Webhook, post_any};
/// use countersign_core::{Registry, provider::{Custom, Retake}};
///
/// async fn on_any(webhook: Webhook<Custom>) -> Result<HttpResponse, Rejection> {
///     println!("{} sent {:?}", webhook.delivery.provider(), webhook.event.kind);
///     if let Some(webhook) = webhook.of::<Retake>() {
///         println!("{:?}", webhook?.event);
///     }
///     Ok(HttpResponse::Ok().finish())
/// }
///
/// fn routes(config: &mut web::ServiceConfig, registry: Registry) {
///     config.route("/webhooks/{provider}/{tenant}", post_any(registry, on_any));
/// }
/// ```
pub fn post_any<F, Args>(registry: Registry, handler: F) -> Route
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    let methods = guard::Any(guard::Post()).or(guard::Get());
    web::route().guard(methods).to(handler).wrap(RegistryMiddleware::new(registry))
}
