//! The contenders on axum.

use std::{net::TcpListener, sync::atomic::Ordering::Relaxed};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::Request,
    http::StatusCode,
    middleware, routing,
};
use countersign::{
    axum::{Verified, Webhook, post},
    provider::{Raaft, RetentBase},
};
use futures_util::StreamExt as _;
use serde_json::Value;
use tower::{Layer as _, layer::layer_fn, util::MapRequest};
use webhook_verify::tower::{BoxError, VerifyLayer};

use crate::{READ, handled, peers_provider, ready, receiver, token_receiver, verifier};

pub fn serve(listener: TcpListener, contender: &str) {
    let app = Router::new();
    let app = match contender {
        "bare" => app.route("/hook", routing::post(bare)),
        "verified" => app.route("/hook", routing::post(verified).with_state(verifier())),
        "full" => app.route("/hook", post(receiver(), full)),
        "counted" => app
            .route("/hook", post(receiver(), full))
            .route("/token", post(token_receiver(), by_token))
            .layer(middleware::map_request(count)),
        "webhook-verify" => {
            let route = routing::post(bare).layer(layer_fn(|route| {
                let (provider, secret) = peers_provider();
                // With axum's own body, its service cannot be shared between threads, as a route has to be.
                let route = MapRequest::new(route, |request: Request<Bytes>| request.map(Body::from));
                VerifyLayer::<Bytes>::new(provider, secret).layer(route)
            }));
            app.route("/hook", route.handle_error(async |_: BoxError| StatusCode::BAD_REQUEST))
        }
        other => panic!("{other}?"),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        ready(&listener);
        axum::serve(tokio::net::TcpListener::from_std(listener).unwrap(), app).await.unwrap();
    });
}

async fn bare(body: Bytes) -> StatusCode {
    match serde_json::from_slice::<Value>(&body) {
        Ok(value) => {
            handled(value);
            StatusCode::OK
        }
        Err(_) => StatusCode::BAD_REQUEST,
    }
}

async fn verified(Verified(delivery): Verified<RetentBase>) -> StatusCode {
    match delivery.event() {
        Ok(event) => {
            handled(event);
            StatusCode::OK
        }
        Err(_) => StatusCode::BAD_REQUEST,
    }
}

async fn full(webhook: Webhook<RetentBase>) {
    handled(webhook.event);
}

async fn by_token(webhook: Webhook<Raaft>) {
    handled(webhook.event);
}

/// Counts what the receiver asks for of a body.
async fn count(request: Request) -> Request {
    request.map(|body| {
        Body::from_stream(body.into_data_stream().inspect(|chunk| {
            READ.fetch_add(chunk.as_ref().map_or(0, Bytes::len), Relaxed);
        }))
    })
}
