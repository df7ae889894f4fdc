//! `RegistryLayer` and `post_any`: one route for many providers and tenants.

use std::sync::Arc;

use axum::{
    handler::Handler,
    http::{StatusCode, header},
    routing::{self, MethodFilter, MethodRouter},
};
use countersign_core::{Registry, provider::Custom};
use http::request::Parts;
use tower_layer::Layer;

use crate::{
    service::WebhookService,
    source::{Selecting, Source},
};

/// A [`WebhookLayer`](crate::WebhookLayer) whose receiver is found by the names in the request.
///
/// They are the path's parameters `provider` and, where there are tenants, `tenant`, unless [`select`](Self::select) says where else
/// they are. A provider or tenant that is not known is a 404.
///
/// Handlers run as under [`WebhookLayer`](crate::WebhookLayer);
/// [`RegistryBuilder::spawn_handlers`](countersign_core::RegistryBuilder::spawn_handlers) gives each a task of its own.
///
/// ```
/// use axum::{Router, routing::post};
/// use countersign_axum::{RegistryLayer, Webhook};
/// use countersign_core::{Registry, provider::{Custom, Retake}};
///
/// async fn on_any(webhook: Webhook<Custom>) {
///     if let Some(delivery) = webhook.delivery.of::<Retake>() {
///         println!("{:?}", delivery.event());
///     }
/// }
///
/// fn routes(registry: Registry) -> Router {
///     // `acme.example.com` is the tenant `acme`.
///     let layer = RegistryLayer::new(registry).select(|request| {
///         let host = request.headers.get("host")?.to_str().ok()?;
///         Some(("retake".to_owned(), host.strip_suffix(".example.com")?.to_owned()))
///     });
///     Router::new().route("/retake", post(on_any)).route_layer(layer)
/// }
/// ```
#[derive(Clone, Debug)]
pub struct RegistryLayer(Selecting);

impl RegistryLayer {
    /// A layer around this registry, for a route with the parameters `provider` and, where there are tenants, `tenant`.
    pub fn new(registry: Registry) -> Self {
        Self(Selecting { registry, select: None })
    }

    /// Takes the names of the provider and of the tenant, empty where there is none, from elsewhere in the request; `None` is a 404.
    ///
    /// What the sender says there is not proven yet, and need not be: the tenant's secrets decide.
    #[must_use]
    pub fn select(
        mut self,
        select: impl Fn(&Parts) -> Option<(String, String)> + Send + Sync + 'static,
    ) -> Self {
        self.0.select = Some(Arc::new(select));
        self
    }
}

impl<S> Layer<S> for RegistryLayer {
    type Service = WebhookService<Custom, S>;

    fn layer(&self, inner: S) -> Self::Service {
        WebhookService::new(Source::Registry(Arc::new(self.0.clone())), inner)
    }
}

/// A `POST` route for many providers and tenants, as [`post`](crate::post) is for one: its path has the parameters `provider` and,
/// where there are tenants, `tenant`.
///
/// Where a provider asks by a `GET` whether the endpoint is yours (Meta, Dropbox), the route answers it by itself: a tenant's verify token
/// is looked up with its secrets, [`Secrets::with_verify_token`](countersign_core::Secrets::with_verify_token).
///
/// ```
/// use axum::Router;
/// use countersign_axum::{Rejection, Webhook, post_any};
/// use countersign_core::{Registry, provider::{Custom, Retake}};
///
/// async fn on_any(webhook: Webhook<Custom>) -> Result<(), Rejection> {
///     println!("{} sent {:?}", webhook.delivery.provider(), webhook.event.kind);
///     if let Some(webhook) = webhook.of::<Retake>() {
///         println!("{:?}", webhook?.event);
///     }
///     Ok(())
/// }
///
/// fn routes(registry: Registry) -> Router {
///     Router::new().route("/webhooks/{provider}/{tenant}", post_any(registry, on_any))
/// }
/// ```
pub fn post_any<H, T, S>(registry: Registry, handler: H) -> MethodRouter<S>
where
    H: Handler<T, S>,
    T: 'static,
    S: Clone + Send + Sync + 'static,
{
    routing::on(MethodFilter::POST.or(MethodFilter::GET), handler)
        .route_layer(RegistryLayer::new(registry))
        // Without this, axum takes a `HEAD` for a `GET`.
        .head(async || (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET,POST")]))
}
