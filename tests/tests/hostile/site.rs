//! `Site`: a server under each framework, with the routes of all lanes.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, mpsc},
    time::Duration,
};

use countersign::{
    Delivery, FixedSecrets, MemoryStore, Provider, Receiver, Registry, Settings,
    provider::{Custom, Dropbox, Meta, Raaft, Retake},
};
use countersign_tests::server::Framework;

use crate::lane::{BODY_LIMIT, Lane, SECRET, TOKEN};

pub type Store = Arc<MemoryStore>;

/// A framework's server.
#[derive(Clone, Debug)]
pub struct Site {
    pub framework: Framework,
    pub address: SocketAddr,
    pub lanes: Vec<Arc<Lane>>,
}

impl Site {
    /// Serves these lanes, on a free port of the loopback.
    pub async fn serve(framework: Framework, lanes: Vec<Lane>) -> Self {
        let lanes: Vec<_> = lanes.into_iter().map(Arc::new).collect();
        let store = Arc::new(MemoryStore::new(100_000));
        let secrets = lanes.iter().fold(FixedSecrets::new(), |secrets, lane| lane.add_to(secrets));
        let settings = || Settings::new().body_limit(BODY_LIMIT);
        let registry = Registry::builder(secrets)
            .built_in()
            .settings("meta", settings())
            .settings("retake", settings())
            .settings("slack", settings())
            .store(Arc::clone(&store))
            .build()
            .unwrap();
        let address = match framework {
            Framework::Axum => axum_server(lanes.clone(), store, registry).await,
            Framework::Actix => actix_server(lanes.clone(), store, registry),
        };
        Self { framework, address, lanes }
    }
}

async fn axum_server(lanes: Vec<Arc<Lane>>, store: Store, registry: Registry) -> SocketAddr {
    use axum::{Extension, Router, extract::Path, http::StatusCode, routing::MethodRouter};
    use countersign::axum::{post, post_any};

    fn status(code: u16) -> StatusCode {
        StatusCode::from_u16(code).unwrap()
    }

    fn route<P: Provider>(lane: &Arc<Lane>, receiver: Receiver<P>) -> MethodRouter {
        let lane = Arc::clone(lane);
        post(receiver, async move |Extension(delivery): Extension<Delivery<P>>| {
            status(lane.handle(delivery.body()))
        })
    }

    let mut app = Router::new();
    for lane in &lanes {
        let path = |name| format!("/{}/{name}", lane.key);
        app = app
            .route(&path("hmac"), route(lane, lane.receiver::<Retake>(&store, SECRET)))
            .route(&path("token"), route(lane, lane.receiver::<Raaft>(&store, TOKEN)))
            .route(&path("dropbox"), route(lane, lane.receiver::<Dropbox>(&store, SECRET)))
            .route(&path("meta"), route(lane, lane.asked::<Meta>(&store)));
    }
    let by_key = by_key(lanes);
    let on_any = async move |Path((_, tenant)): Path<(String, String)>,
                             Extension(delivery): Extension<Delivery<Custom>>| {
        status(by_key[&tenant].handle(delivery.body()))
    };
    let app = app.route("/webhooks/{provider}/{tenant}", post_any(registry, on_any));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

fn actix_server(lanes: Vec<Arc<Lane>>, store: Store, registry: Registry) -> SocketAddr {
    use actix_web::{App, HttpResponse, HttpServer, Route, http::StatusCode, rt, web::Path, web::ReqData};
    use countersign::actix::{post, post_any};

    fn respond(code: u16) -> HttpResponse {
        HttpResponse::new(StatusCode::from_u16(code).unwrap())
    }

    fn route<P: Provider>(lane: &Arc<Lane>, receiver: Receiver<P>) -> Route {
        let lane = Arc::clone(lane);
        post(receiver, move |delivery: ReqData<Delivery<P>>| {
            let response = respond(lane.handle(delivery.body()));
            async move { response }
        })
    }

    let lanes_by_key = Arc::new(by_key(lanes.clone()));
    let app = move || {
        let mut app = App::new();
        for lane in &lanes {
            let path = |name| format!("/{}/{name}", lane.key);
            app = app
                .route(&path("hmac"), route(lane, lane.receiver::<Retake>(&store, SECRET)))
                .route(&path("token"), route(lane, lane.receiver::<Raaft>(&store, TOKEN)))
                .route(&path("dropbox"), route(lane, lane.receiver::<Dropbox>(&store, SECRET)))
                .route(&path("meta"), route(lane, lane.asked::<Meta>(&store)));
        }
        let by_key = Arc::clone(&lanes_by_key);
        let on_any = move |names: Path<(String, String)>, delivery: ReqData<Delivery<Custom>>| {
            let response = respond(by_key[&names.1].handle(delivery.body()));
            async move { response }
        };
        app.route("/webhooks/{provider}/{tenant}", post_any(registry.clone(), on_any))
    };
    let (sender, bound) = mpsc::channel();
    std::thread::spawn(move || {
        rt::System::new().block_on(async move {
            // On a busy machine, the default of 5 s would end connections between two requests.
            let server = HttpServer::new(app).workers(2).keep_alive(Duration::from_secs(120));
            let server = server.disable_signals().bind_auto_h2c("127.0.0.1:0").unwrap();
            sender.send(server.addrs()[0]).unwrap();
            server.run().await
        })
    });
    bound.recv().unwrap()
}

fn by_key(lanes: Vec<Arc<Lane>>) -> HashMap<String, Arc<Lane>> {
    lanes.into_iter().map(|lane| (lane.key.clone(), lane)).collect()
}
