//! `Vault`: a secret source that is changed, counted and broken by hand; and a registry of it under each framework.

use std::{
    collections::HashMap,
    future::pending,
    net::SocketAddr,
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

use countersign::{
    Provider, Registry, Secret, SecretError, SecretSource, Secrets, TenantSecrets, dedupe::BoxFuture,
    provider::Custom,
};
use http::StatusCode;

use crate::{handler::Handler, server::Framework};

/// How a vault answers.
#[derive(Clone, Copy, Debug)]
pub enum Mood {
    Answers,
    AnswersAfter(Duration),
    Fails,
    Hangs,
}

/// Secrets by provider and tenant; names are compared without regard to ASCII case and blanks at their ends.
/// Clones are the same vault.
#[derive(Clone)]
pub struct Vault(Arc<Mutex<Inside>>);

struct Inside {
    secrets: HashMap<(String, String), String>,
    tokens: HashMap<(String, String), String>,
    mood: Mood,
    asked: usize,
}

impl Vault {
    pub fn new<'s>(secrets: impl IntoIterator<Item = (&'s str, &'s str, &'s str)>) -> Self {
        let inside =
            Inside { secrets: HashMap::new(), tokens: HashMap::new(), mood: Mood::Answers, asked: 0 };
        let vault = Self(Arc::new(Mutex::new(inside)));
        secrets.into_iter().for_each(|(provider, tenant, secret)| vault.set(provider, tenant, secret));
        vault
    }

    /// Puts a secret in place of the one before.
    pub fn set(&self, provider: &str, tenant: &str, secret: &str) {
        let key = (provider.to_owned(), tenant.to_owned());
        self.0.lock().unwrap().secrets.insert(key, secret.to_owned());
    }

    /// Puts a verify token beside the secrets of a tenant.
    pub fn set_verify_token(&self, provider: &str, tenant: &str, token: &str) {
        let key = (provider.to_owned(), tenant.to_owned());
        self.0.lock().unwrap().tokens.insert(key, token.to_owned());
    }

    pub fn remove(&self, provider: &str, tenant: &str) {
        self.0.lock().unwrap().secrets.remove(&(provider.to_owned(), tenant.to_owned()));
    }

    pub fn be(&self, mood: Mood) {
        self.0.lock().unwrap().mood = mood;
    }

    /// How often it was asked.
    pub fn asked(&self) -> usize {
        self.0.lock().unwrap().asked
    }
}

impl SecretSource for Vault {
    fn look_up<'s>(
        &'s self,
        provider: &'s str,
        tenant: &'s str,
    ) -> BoxFuture<'s, Result<Option<TenantSecrets>, SecretError>> {
        let (found, token, mood) = {
            let mut inside = self.0.lock().unwrap();
            inside.asked += 1;
            let is_meant =
                |key: &&(String, String)| key.0 == provider && key.1.eq_ignore_ascii_case(tenant.trim());
            let found =
                inside.secrets.keys().find(is_meant).map(|key| (key.1.clone(), inside.secrets[key].clone()));
            let token = inside.tokens.keys().find(is_meant).map(|key| inside.tokens[key].clone());
            (found, token, inside.mood)
        };
        Box::pin(async move {
            match mood {
                Mood::Answers => {}
                Mood::AnswersAfter(pause) => tokio::time::sleep(pause).await,
                Mood::Fails => return Err(SecretError::unavailable("connection refused")),
                Mood::Hangs => pending().await,
            }
            let Some((tenant, secret)) = found else { return Ok(None) };
            let secrets = Secrets::from(Secret::new(secret)?);
            Ok(Some(TenantSecrets::new(
                tenant,
                match token {
                    Some(token) => secrets.with_verify_token(Secret::new(token)?),
                    None => secrets,
                },
            )))
        })
    }
}

impl Framework {
    /// Serves a registry at these routes; the handler sees the typed event of `P` where a delivery is one of it, else the generic one:
    /// - `/webhooks/{provider}/{tenant}` and, for the tenant without a name, `/webhooks/{provider}`;
    /// - `/nested/{tenant}/{provider}`: as layer or middleware, nested;
    /// - `/selected`: by the headers `x-provider` and `x-tenant`;
    /// - `/unnamed`: a path that names no provider.
    pub async fn serve_any<P: Provider>(self, registry: Registry, handler: Handler) -> SocketAddr {
        match self {
            Self::Axum => axum_server::<P>(registry, handler).await,
            Self::Actix => actix_server::<P>(registry, handler),
        }
    }
}

async fn axum_server<P: Provider>(registry: Registry, handler: Handler) -> SocketAddr {
    use axum::{Router, routing};
    use countersign::axum::{RegistryLayer, Rejection, Webhook, post_any};

    let on_any = async move |webhook: Webhook<Custom>| -> Result<StatusCode, Rejection> {
        let status = match webhook.of::<P>() {
            Some(webhook) => handler.run(&webhook?.event).await,
            None => handler.run(&webhook.event).await,
        };
        Ok(StatusCode::from_u16(status).unwrap())
    };
    let header = |request: &http::request::Parts, name| {
        Some(request.headers.get::<&str>(name)?.to_str().ok()?.to_owned())
    };
    let by_headers = RegistryLayer::new(registry.clone())
        .select(move |request| Some((header(request, "x-provider")?, header(request, "x-tenant")?)));
    let nested = Router::new()
        .route("/{provider}", routing::post(on_any.clone()))
        .route_layer(RegistryLayer::new(registry.clone()));
    let app = Router::new()
        .route("/webhooks/{provider}/{tenant}", post_any(registry.clone(), on_any.clone()))
        .route("/webhooks/{provider}", post_any(registry.clone(), on_any.clone()))
        .nest("/nested/{tenant}", nested)
        .route("/selected", routing::post(on_any.clone()).route_layer(by_headers))
        .route("/unnamed", post_any(registry, on_any));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

fn actix_server<P: Provider>(registry: Registry, handler: Handler) -> SocketAddr {
    use actix_web::{App, HttpResponse, HttpServer, dev::ServiceRequest, rt, web};
    use countersign::actix::{RegistryMiddleware, Rejection, Webhook, post_any};

    let app = move || {
        let handler = handler.clone();
        let on_any = move |webhook: Webhook<Custom>| {
            let handler = handler.clone();
            async move {
                let status = match webhook.of::<P>() {
                    Some(webhook) => handler.run(&webhook?.event).await,
                    None => handler.run(&webhook.event).await,
                };
                let status = actix_web::http::StatusCode::from_u16(status).unwrap();
                Ok::<_, Rejection>(HttpResponse::build(status).finish())
            }
        };
        let header = |request: &ServiceRequest, name: &str| {
            Some(request.headers().get(name)?.to_str().ok()?.to_owned())
        };
        let by_headers = RegistryMiddleware::new(registry.clone())
            .select(move |request| Some((header(request, "x-provider")?, header(request, "x-tenant")?)));
        let nested = web::resource("/{provider}")
            .wrap(RegistryMiddleware::new(registry.clone()))
            .route(web::post().to(on_any.clone()));
        App::new()
            .route("/webhooks/{provider}/{tenant}", post_any(registry.clone(), on_any.clone()))
            .route("/webhooks/{provider}", post_any(registry.clone(), on_any.clone()))
            .service(web::scope("/nested/{tenant}").service(nested))
            .service(web::resource("/selected").wrap(by_headers).route(web::post().to(on_any.clone())))
            .route("/unnamed", post_any(registry.clone(), on_any))
    };
    let (sender, bound) = mpsc::channel();
    std::thread::spawn(move || {
        rt::System::new().block_on(async move {
            let server = HttpServer::new(app).workers(1).disable_signals().bind("127.0.0.1:0").unwrap();
            sender.send(server.addrs()[0]).unwrap();
            server.run().await
        })
    });
    bound.recv().unwrap()
}
