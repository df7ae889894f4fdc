//! `Endpoint`: a receiver under axum whose handlers have effects that can be counted.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use axum::{Router, http::StatusCode, middleware, response::Response};
use countersign::{
    Answer, Provider, Receiver, Secret, SignedHeaders, Signer, Timestamp,
    axum::{Webhook, post},
    dedupe::Store,
    provider::{Retake, RetentBase, retake, retentbase},
};
use tokio::{net::TcpListener, time::sleep};

use super::{Effects, Random};

/// The header that tells the sender what became of its request, which it could not tell from a 200.
pub(super) const OUTCOME: &str = "x-outcome";

/// Everything that a receiver needs.
#[derive(Debug)]
pub struct Endpoint {
    /// What its handlers do.
    pub effects: Effects,
    /// For how long it claims.
    pub lease: Duration,
    /// How long a handler works after its effect, and at most before it.
    pub work: Duration,
    /// One in so many runs fails, before its effect.
    pub failing: usize,
}

/// A provider as the sender knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One dedupe key.
    Retake,
    /// Three dedupe keys, a signed timestamp, and ids that are not signed.
    RetentBase,
}

fn secret() -> Secret {
    Secret::new("a secret of tests").unwrap()
}

impl Kind {
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Retake => "/retake",
            Self::RetentBase => "/retentbase",
        }
    }

    /// The delivery of this name: its body, and its headers when it is signed now under this id.
    pub(super) fn sign(self, name: &str, id: &str, now: Timestamp) -> (String, SignedHeaders) {
        match self {
            Self::Retake => {
                let body = format!(r#"{{"event":"intent.tracked","data":{{"intentId":"{name}"}}}}"#);
                let headers = Signer::<Retake>::new(&secret()).sign(&body, now);
                (body, headers.unwrap())
            }
            Self::RetentBase => {
                let body = format!(r#"{{"eventId":"{name}"}}"#);
                let signer = Signer::<RetentBase>::new(&secret()).id(id).event_id(name);
                let headers = signer.kind("cancellation.created").sign(&body, now);
                (body, headers.unwrap())
            }
        }
    }
}

impl Endpoint {
    /// One whose handlers are quick and fail at times, over the effects in this file.
    pub fn new(effects: &Path, lease: Duration) -> Self {
        Self { effects: Effects::at(effects), lease, work: Duration::from_millis(2), failing: 16 }
    }

    /// Serves both providers from this address, over one store.
    pub async fn serve(self, address: SocketAddr, store: Arc<dyn Store>) -> SocketAddr {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = self.routes(store);
        tokio::spawn(async move { axum::serve(listener, app).await });
        address
    }

    fn routes(self, store: Arc<dyn Store>) -> Router {
        let (lease, this) = (self.lease, Arc::new(self));
        let on_retake = {
            let this = Arc::clone(&this);
            async move |webhook: Webhook<Retake>| match webhook.event {
                retake::Event::IntentTracked(tracked) => this.handle(&tracked.data.intent_id).await,
                other => unreachable!("{other:?} was never sent"),
            }
        };
        let on_retentbase = async move |webhook: Webhook<RetentBase>| match webhook.event {
            retentbase::Event::CancellationCreated(created) => {
                this.handle(created.event_id.as_deref().unwrap_or_default()).await
            }
            other => unreachable!("{other:?} was never sent"),
        };
        Router::new()
            .route(Kind::Retake.path(), post(receiver::<Retake>(&store, lease), on_retake))
            .route(Kind::RetentBase.path(), post(receiver::<RetentBase>(&store, lease), on_retentbase))
            .layer(middleware::map_response(tell_outcome))
    }

    async fn handle(&self, delivery: &str) -> StatusCode {
        let mut random = Random::new();
        sleep(random.up_to(self.work)).await;
        if random.one_in(self.failing) {
            return StatusCode::SERVICE_UNAVAILABLE;
        }
        self.effects.happen(delivery);
        sleep(self.work).await;
        StatusCode::OK
    }
}

fn receiver<P: Provider>(store: &Arc<dyn Store>, lease: Duration) -> Receiver<P> {
    Receiver::builder(secret()).store(Arc::clone(store)).lease(lease).build().unwrap()
}

async fn tell_outcome(mut response: Response) -> Response {
    if let Some(answer) = response.extensions().get::<Answer>() {
        let outcome = answer.outcome().as_str().parse().unwrap();
        response.headers_mut().insert(OUTCOME, outcome);
    }
    response
}
