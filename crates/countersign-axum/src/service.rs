//! `WebhookService`: verifies, claims, calls the inner service, settles.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
    time::Instant,
};

use axum::{
    body::Body,
    extract::DefaultBodyLimit,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use countersign_core::{Answer, Delivery, Provider, Receiver};
use countersign_runtime::{Lasting, Lasts, TokioRuntime};
use http::{Request, StatusCode, header};
use http_body::Body as _;
use tokio::runtime::Handle;
use tower_service::Service;
use tracing::Instrument;

use crate::{intake::receive, respond::respond, source::Source};

/// The service that [`WebhookLayer`](crate::WebhookLayer) makes.
pub struct WebhookService<P: Provider, S> {
    source: Source<P>,
    inner: S,
}

impl<P: Provider, S> WebhookService<P, S> {
    pub(crate) fn new(source: Source<P>, inner: S) -> Self {
        Self { source, inner }
    }
}

impl<P, S, B> Service<Request<B>> for WebhookService<P, S>
where
    P: Provider,
    S: Service<Request<Body>> + Clone + Send + 'static,
    S::Response: IntoResponse,
    S::Future: Send,
    S::Error: Send,
    B: http_body::Body<Data = Bytes> + Send + 'static,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Lasting<Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The clone may not be ready; the service that was polled is.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let source = self.source.clone();
        let lasts = Lasts::default();
        let lasts_then = lasts.clone();
        let answer = async move {
            let started = Instant::now();
            let log = move |receiver: &Receiver<P>, delivery: Option<&Delivery<P>>, answer: &Answer| {
                receiver.log(answer, delivery, Some(started.elapsed()));
            };
            let (mut parts, body) = request.into_parts();
            let found = match source.find(&mut parts).await {
                Ok(found) => found,
                Err(response) => return Ok(response),
            };
            if parts.extensions.get::<Delivery<P>>().is_some() {
                let answer =
                    Answer::not_set_up(&"the route has a receiver already: remove the second one around it");
                log(found.receiver(), None, &answer);
                return Ok(respond(answer));
            }
            if found.receiver().verifier().is_handshake(parts.method.as_str()) {
                let (receiver, answer) = found.handshake(parts.uri.query().unwrap_or_default()).await;
                log(&receiver, None, &answer);
                return Ok(respond(answer));
            }
            let (receiver, verdict) = receive(&found, &parts, body).await;
            let delivery = match verdict {
                Ok(delivery) => delivery,
                Err(answer) => {
                    log(&receiver, None, &answer);
                    return Ok(respond(answer));
                }
            };
            let mut request = Request::from_parts(parts, Body::from(delivery.body().clone()));
            request.extensions_mut().insert(delivery.clone());
            // The receiver's limit was kept, and is the one that counts.
            DefaultBodyLimit::disable().apply(&mut request);
            let (is_spawned, success) = (receiver.spawns_handlers(), receiver.success(&delivery));
            // Counted from here on, not from when its task begins.
            let run = receiver.begin(delivery.clone());
            let settle = move || async move {
                let work = async { inner.call(request).await.map(IntoResponse::into_response) };
                let (answer, result) =
                    run.process(TokioRuntime, work, |result| judge(&receiver, success, result)).await;
                log(&receiver, Some(&delivery), &answer);
                result.transpose().map(|response| finish(answer, response))
            };
            // The handler runs to its end either way, whether the sender waits or not.
            match Handle::try_current() {
                Ok(runtime) if is_spawned => {
                    let settled = runtime.spawn(Box::pin(settle()).in_current_span()).await;
                    settled.unwrap_or_else(|_shut_down| Ok(respond(Answer::panicked())))
                }
                _ => {
                    lasts.from_now_on();
                    settle().await
                }
            }
        };
        Lasting::new(Box::pin(answer.in_current_span()), lasts_then, spawn)
    }
}

/// Outside of a runtime there is nothing that it could go on in.
fn spawn<T: Send + 'static>(future: Pin<Box<dyn Future<Output = T> + Send>>) {
    if let Ok(runtime) = Handle::try_current() {
        runtime.spawn(future);
    }
}

/// A 200 that says nothing becomes `success`, the status that the provider wants for it.
fn judge<P: Provider, E>(receiver: &Receiver<P>, success: u16, result: &Result<Response, E>) -> Answer {
    match result {
        Ok(response) => {
            let says_nothing = response.status() == StatusCode::OK && response.body().is_end_stream();
            let status = if says_nothing { success } else { response.status().as_u16() };
            receiver.judge(status, response.extensions().get())
        }
        Err(_) => receiver.judge(500, None),
    }
}

/// The handler's own response where it stands, else the answer's.
fn finish(answer: Answer, response: Option<Response>) -> Response {
    match response {
        Some(mut response) if response.status() == answer.status() => {
            if let Some(seconds) = answer.retry_after_seconds() {
                response.headers_mut().entry(header::RETRY_AFTER).or_insert(seconds.into());
            }
            response.extensions_mut().insert(answer);
            response
        }
        _ => respond(answer),
    }
}

impl<P: Provider, S: Clone> Clone for WebhookService<P, S> {
    fn clone(&self) -> Self {
        Self { source: self.source.clone(), inner: self.inner.clone() }
    }
}

impl<P: Provider, S: fmt::Debug> fmt::Debug for WebhookService<P, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookService").field("receiver", &self.source).field("inner", &self.inner).finish()
    }
}
