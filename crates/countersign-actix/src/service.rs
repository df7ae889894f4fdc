//! `WebhookService`: verifies, claims, calls the inner service, settles.

use std::{fmt, pin::Pin, rc::Rc, time::Instant};

use actix_web::{
    Error, HttpMessage,
    body::{BodySize, EitherBody, MessageBody},
    dev::{Payload, Service, ServiceRequest, ServiceResponse, forward_ready},
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
};
use countersign_core::{Answer, Delivery, Provider, Receiver, Run};
use countersign_runtime::{Lasting, Lasts, TokioRuntime};
use tokio::sync::oneshot;
use tracing::Instrument;

use crate::{
    intake::receive,
    respond::{Rejection, respond},
    source::Source,
    task,
};

/// The service that [`WebhookMiddleware`](crate::WebhookMiddleware) makes.
pub struct WebhookService<P: Provider, S> {
    source: Source<P>,
    service: Rc<S>,
}

impl<P: Provider, S> WebhookService<P, S> {
    pub(crate) fn new(source: Source<P>, service: Rc<S>) -> Self {
        Self { source, service }
    }
}

/// What comes of a request: the answer, and what to send.
type Processed<B> = (Answer, Result<ServiceResponse<EitherBody<B>>, Error>);

impl<P, S, B> Service<ServiceRequest> for WebhookService<P, S>
where
    P: Provider,
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = Lasting<Pin<Box<dyn Future<Output = Result<Self::Response, Error>>>>>;

    forward_ready!(service);

    fn call(&self, mut request: ServiceRequest) -> Self::Future {
        let (source, service) = (self.source.clone(), Rc::clone(&self.service));
        let lasts = Lasts::default();
        let lasts_then = lasts.clone();
        let answer = async move {
            let started = Instant::now();
            let log = move |receiver: &Receiver<P>, delivery: Option<&Delivery<P>>, answer: &Answer| {
                receiver.log(answer, delivery, Some(started.elapsed()));
            };
            let found = match source.find(&request).await {
                Ok(found) => found,
                Err(response) => return Ok(request.into_response(response).map_into_right_body()),
            };
            if request.extensions().get::<Delivery<P>>().is_some() {
                let answer =
                    Answer::not_set_up(&"the route has a receiver already: remove the second one around it");
                log(found.receiver(), None, &answer);
                return Ok(answered(request, answer));
            }
            if found.receiver().verifier().is_handshake(request.method().as_str()) {
                let (receiver, answer) = found.handshake(request.query_string()).await;
                log(&receiver, None, &answer);
                return Ok(answered(request, answer));
            }
            let payload = request.take_payload();
            let (receiver, verdict) = receive(&found, request.head(), payload).await;
            let delivery = match verdict {
                Ok(delivery) => delivery,
                Err(answer) => {
                    log(&receiver, None, &answer);
                    return Ok(answered(request, answer));
                }
            };
            request.set_payload(Payload::from(delivery.body().clone()));
            request.extensions_mut().insert(delivery.clone());
            let is_spawned = receiver.spawns_handlers();
            // Counted from here on, not from when its task begins.
            let run = receiver.begin(delivery.clone());
            let settle = move || async move {
                let success = receiver.success(&delivery);
                let (answer, result) = process(&receiver, run, success, &*service, request).await;
                log(&receiver, Some(&delivery), &answer);
                result
            };
            // The handler runs to its end either way, whether the sender waits or not.
            if !is_spawned {
                lasts.from_now_on();
                return settle().await;
            }
            let (sender, settled) = oneshot::channel();
            let task = async move { drop(sender.send(settle().await)) };
            // Where no task can run, the handler runs here.
            if let Err(task) = task::spawn(Box::pin(task.in_current_span())) {
                lasts.from_now_on();
                task.await;
            }
            settled.await.unwrap_or_else(|_shut_down| Err(Rejection::new(Answer::panicked()).into()))
        };
        Lasting::new(Box::pin(answer.in_current_span()), lasts_then, |future| {
            // Where no task can run, the handler ends here.
            drop(task::spawn(Box::pin(async { drop(future.await) })));
        })
    }
}

/// Claims, calls, settles.
async fn process<P, S, B>(
    receiver: &Receiver<P>,
    run: Run<P>,
    success: u16,
    service: &S,
    request: ServiceRequest,
) -> Processed<B>
where
    P: Provider,
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    // Given back when it is not to be handled.
    let mut request = Some(request);
    // Errors are the user's own code: they are judged where a panic is caught.
    let work = async {
        let result = service.call(request.take()?).await;
        Some((judge(receiver, success, &result), result))
    };
    let judged = |result: &Option<(Answer, _)>| match result {
        Some((answer, _)) => answer.clone(),
        None => Answer::panicked(),
    };
    let (answer, result) = run.process(TokioRuntime, work, judged).await;
    let result = match request {
        Some(request) => Ok(answered(request, answer.clone())),
        None => finish(answer.clone(), result.flatten()),
    };
    (answer, result)
}

/// A 200 that says nothing becomes `success`, the status that the provider wants for it.
fn judge<P: Provider, B: MessageBody>(
    receiver: &Receiver<P>,
    success: u16,
    result: &Result<ServiceResponse<B>, Error>,
) -> Answer {
    match result {
        Ok(response) => {
            let is_empty = matches!(response.response().body().size(), BodySize::None | BodySize::Sized(0));
            let says_nothing = response.status() == StatusCode::OK && is_empty;
            let status = if says_nothing { success } else { response.status().as_u16() };
            let extensions = response.response().extensions();
            receiver.judge(status, extensions.get())
        }
        Err(error) => receiver.judge(error.as_response_error().status_code().as_u16(), None),
    }
}

/// The handler's own response or error where it stands, else the answer's.
fn finish<B: MessageBody>(
    answer: Answer,
    result: Option<(Answer, Result<ServiceResponse<B>, Error>)>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    match result {
        Some((_, Ok(mut response))) if response.status().as_u16() == answer.status() => {
            let headers = response.headers_mut();
            if let Some(seconds) = answer.retry_after_seconds()
                && !headers.contains_key(header::RETRY_AFTER)
            {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
            response.response_mut().extensions_mut().insert(answer);
            Ok(response.map_into_left_body())
        }
        Some((_, Ok(response))) => {
            let (request, _) = response.into_parts();
            Ok(ServiceResponse::new(request, respond(answer)).map_into_right_body())
        }
        Some((_, Err(error)))
            if answer.retry_after_seconds().is_none()
                && error.as_response_error().status_code().as_u16() == answer.status() =>
        {
            Err(error)
        }
        Some((_, Err(_))) | None => Err(Rejection::new(answer).into()),
    }
}

fn answered<B: MessageBody>(request: ServiceRequest, answer: Answer) -> ServiceResponse<EitherBody<B>> {
    request.into_response(respond(answer)).map_into_right_body()
}

impl<P: Provider, S> fmt::Debug for WebhookService<P, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookService").field("receiver", &self.source).finish_non_exhaustive()
    }
}
