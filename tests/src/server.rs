//! The same routes under each framework, on a free port of the loopback.

use std::{net::SocketAddr, sync::mpsc};

use countersign::{Answer, Provider, Receiver};
use http::StatusCode;

use crate::handler::Handler;

/// A framework that has an adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framework {
    Axum,
    Actix,
}

impl Framework {
    pub const ALL: [Self; 2] = [Self::Axum, Self::Actix];

    /// Serves these routes:
    /// - `/webhook`: the receiver around the handler;
    /// - `/nested/layered/webhook`: the same as layer or middleware, nested, with other layers around it;
    /// - `/scoped/webhook`: the same around a whole scope;
    /// - `/doubled`: with a second receiver around the first;
    /// - `/extracted`: beside the webhook, other extractors and the body, whose length is the answer's body;
    /// - `/verified`: the verifier's extractor alone;
    /// - `/not-set-up`: the webhook's extractor without its receiver.
    pub async fn serve<P: Provider>(self, receiver: Receiver<P>, handler: Handler) -> SocketAddr {
        match self {
            Self::Axum => axum_server(receiver, handler).await,
            Self::Actix => actix_server(receiver, handler),
        }
    }
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap()
}

async fn axum_server<P: Provider>(receiver: Receiver<P>, handler: Handler) -> SocketAddr {
    use axum::{
        Extension, Router, body::Bytes, extract::Query, http::Uri, middleware, response::Response, routing,
    };
    use countersign::axum::{Verified, Webhook, WebhookLayer, post};

    /// The reason must be in the response's extensions of whatever the adapter answered itself.
    async fn see_answer(response: Response) -> Response {
        let answer = response.extensions().get::<Answer>().expect("every response has its answer");
        assert_eq!(answer.status(), response.status().as_u16());
        response
    }

    let verifier = receiver.verifier().clone();
    let on_webhook = {
        let handler = handler.clone();
        async move |webhook: Webhook<P>| status(handler.run(&webhook.event).await)
    };
    let extracted = async |uri: Uri,
                           Query(query): Query<Vec<(String, String)>>,
                           Extension(word): Extension<&'static str>,
                           webhook: Webhook<P>,
                           body: Bytes| {
        assert_eq!(webhook.delivery.body(), &body);
        format!("{} {} {word} {}", uri.path(), query.len(), body.len())
    };
    let nested = Router::new()
        .route("/webhook", routing::post(on_webhook.clone()))
        .route_layer(WebhookLayer::new(receiver.clone()))
        .layer(middleware::map_response(see_answer));
    let verified = async move |Verified(delivery): Verified<P>| {
        handler.run(&delivery.kind()).await;
    };
    let app = Router::new()
        .route("/webhook", post(receiver.clone(), on_webhook.clone()))
        .nest("/nested/layered", nested)
        .nest(
            "/scoped",
            Router::new()
                .route("/webhook", routing::post(on_webhook.clone()))
                .layer(WebhookLayer::new(receiver.clone())),
        )
        .route(
            "/doubled",
            post(receiver.clone(), on_webhook.clone()).route_layer(WebhookLayer::new(receiver.clone())),
        )
        .route("/extracted", post(receiver, extracted).layer(Extension("word")))
        .route("/verified", routing::post(verified))
        .route("/not-set-up", routing::post(async |_: Webhook<P>| ()))
        .with_state(verifier);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

fn actix_server<P: Provider>(receiver: Receiver<P>, handler: Handler) -> SocketAddr {
    use actix_web::{App, HttpRequest, HttpResponse, HttpServer, middleware, rt, web};
    use countersign::actix::{Verified, Webhook, WebhookMiddleware, post};

    let app = move || {
        let on_webhook = {
            let handler = handler.clone();
            move |webhook: Webhook<P>| {
                let handler = handler.clone();
                async move {
                    let status = handler.run(&webhook.event).await;
                    HttpResponse::build(actix_web::http::StatusCode::from_u16(status).unwrap()).finish()
                }
            }
        };
        let extracted = async |request: HttpRequest, webhook: Webhook<P>, body: web::Bytes| {
            assert_eq!(webhook.delivery.body(), &body);
            let word = request.app_data::<&'static str>().unwrap();
            let queries = request.query_string().split('&').filter(|query| !query.is_empty()).count();
            format!("{} {queries} {word} {}", request.path(), body.len())
        };
        let verified = {
            let handler = handler.clone();
            move |Verified(delivery): Verified<P>| {
                let handler = handler.clone();
                async move {
                    handler.run(&delivery.kind()).await;
                    HttpResponse::Ok().finish()
                }
            }
        };
        let nested = web::resource("/webhook")
            .wrap(WebhookMiddleware::new(receiver.clone()))
            .wrap(middleware::Compress::default())
            .wrap(middleware::from_fn(async |request, next: middleware::Next<_>| {
                let response = next.call(request).await?;
                let answered = response.response().extensions().get::<Answer>().map(Answer::status);
                assert_eq!(answered, Some(response.status().as_u16()), "every response has its answer");
                Ok(response)
            }))
            .route(web::post().to(on_webhook.clone()));
        App::new()
            .app_data(web::PayloadConfig::new(16 << 20))
            .app_data(web::Data::new(receiver.verifier().clone()))
            .app_data("word")
            .route("/webhook", post(receiver.clone(), on_webhook.clone()))
            .service(web::scope("/nested").service(web::scope("/layered").service(nested)))
            .service(
                web::scope("/scoped")
                    .wrap(WebhookMiddleware::new(receiver.clone()))
                    .route("/webhook", web::post().to(on_webhook.clone())),
            )
            .route(
                "/doubled",
                post(receiver.clone(), on_webhook.clone()).wrap(WebhookMiddleware::new(receiver.clone())),
            )
            .route("/extracted", post(receiver.clone(), extracted))
            .route("/verified", web::post().to(verified))
            .route("/not-set-up", web::post().to(async |_: Webhook<P>| HttpResponse::Ok()))
    };
    let (sender, bound) = mpsc::channel();
    std::thread::spawn(move || {
        rt::System::new().block_on(async move {
            let server =
                HttpServer::new(app).workers(1).disable_signals().bind_auto_h2c("127.0.0.1:0").unwrap();
            sender.send(server.addrs()[0]).unwrap();
            server.run().await
        })
    });
    bound.recv().unwrap()
}
