//! The contenders on actix-web.

use std::{net::TcpListener, sync::atomic::Ordering::Relaxed};

use actix_web::{
    App, HttpMessage as _, HttpResponse, HttpServer,
    dev::{Payload, Service as _, ServiceRequest},
    rt,
    web::{self, Bytes, Data, ServiceConfig},
};
use countersign::{
    actix::{Verified, Webhook, post},
    provider::{Raaft, RetentBase},
};
use futures_util::StreamExt as _;
use serde_json::Value;
use webhook_verify::actix::{VerifiedBody, WebhookConfig};

use crate::{READ, handled, peers_provider, ready, receiver, token_receiver, verifier};

pub fn serve(listener: TcpListener, contender: &str) {
    match contender {
        "bare" => run(listener, |app| {
            app.route("/hook", web::post().to(bare));
        }),
        "verified" => {
            let verifier = Data::new(verifier());
            run(listener, move |app| {
                app.app_data(verifier.clone()).route("/hook", web::post().to(verified));
            });
        }
        "full" => {
            let receiver = receiver();
            run(listener, move |app| {
                app.route("/hook", post(receiver.clone(), full));
            });
        }
        "counted" => {
            let (receiver, by_tokens) = (receiver(), token_receiver());
            run(listener, move |app| {
                let scope = web::scope("").wrap_fn(|request, inner| inner.call(counting(request)));
                let scope = scope.route("/hook", post(receiver.clone(), full));
                app.service(scope.route("/token", post(by_tokens.clone(), by_token)));
            });
        }
        "webhook-verify" => {
            let (provider, secret) = peers_provider();
            let config = WebhookConfig::new(provider, secret);
            run(listener, move |app| {
                app.app_data(config.clone()).route("/hook", web::post().to(by_peer));
            });
        }
        other => panic!("{other}?"),
    }
}

fn run(listener: TcpListener, routes: impl Fn(&mut ServiceConfig) + Clone + Send + 'static) {
    let server = HttpServer::new(move || App::new().configure(routes.clone())).workers(1);
    ready(&listener);
    rt::System::new().block_on(server.listen(listener).unwrap().run()).unwrap();
}

fn parsed(body: &[u8]) -> HttpResponse {
    match serde_json::from_slice::<Value>(body) {
        Ok(value) => {
            handled(value);
            HttpResponse::Ok().finish()
        }
        Err(_) => HttpResponse::BadRequest().finish(),
    }
}

async fn bare(body: Bytes) -> HttpResponse {
    parsed(&body)
}

async fn by_peer(body: VerifiedBody) -> HttpResponse {
    parsed(&body)
}

async fn verified(Verified(delivery): Verified<RetentBase>) -> HttpResponse {
    match delivery.event() {
        Ok(event) => {
            handled(event);
            HttpResponse::Ok().finish()
        }
        Err(_) => HttpResponse::BadRequest().finish(),
    }
}

async fn full(webhook: Webhook<RetentBase>) -> HttpResponse {
    handled(webhook.event);
    HttpResponse::Ok().finish()
}

async fn by_token(webhook: Webhook<Raaft>) -> HttpResponse {
    handled(webhook.event);
    HttpResponse::Ok().finish()
}

/// Counts what the receiver asks for of a body.
fn counting(mut request: ServiceRequest) -> ServiceRequest {
    let counted = request.take_payload().inspect(|chunk| {
        READ.fetch_add(chunk.as_ref().map_or(0, Bytes::len), Relaxed);
    });
    request.set_payload(Payload::Stream { payload: Box::pin(counted) });
    request
}
