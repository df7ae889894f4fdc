//! `WebhookService`: verifies, claims, calls the inner service in a task of its own, settles.

use std::{fmt, pin::Pin, rc::Rc, time::Instant};

use actix_web::{
    Error, HttpMessage, HttpRequest,
    body::{EitherBody, MessageBody},
    dev::{Payload, Service, ServiceRequest, ServiceResponse, forward_ready},
    rt,
};
use countersign_core::{Admission, Answer, Delivery, Outcome, Provider, Receiver};
use tracing::Instrument;

use crate::{intake::take_in, respond::respond};

/// The service that [`WebhookMiddleware`](crate::WebhookMiddleware) makes.
pub struct WebhookService<P: Provider, S> {
    receiver: Receiver<P>,
    service: Rc<S>,
}

impl<P: Provider, S> WebhookService<P, S> {
    pub(crate) fn new(receiver: Receiver<P>, service: Rc<S>) -> Self {
        Self { receiver, service }
    }
}

impl<P, S, B> Service<ServiceRequest> for WebhookService<P, S>
where
    P: Provider,
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>>>>;

    forward_ready!(service);

    fn call(&self, mut request: ServiceRequest) -> Self::Future {
        let (receiver, service) = (self.receiver.clone(), Rc::clone(&self.service));
        Box::pin(async move {
            let started = Instant::now();
            let payload = request.take_payload();
            let delivery = match take_in(receiver.verifier(), request.headers(), payload).await {
                Ok(delivery) => delivery,
                Err(error) => {
                    let answer = Answer::refused(&error);
                    answer.log::<P>(receiver.endpoint(), None, started.elapsed());
                    return Ok(request.into_response(respond(answer)).map_into_right_body());
                }
            };
            request.set_payload(Payload::from(delivery.body().clone()));
            request.extensions_mut().insert(delivery.clone());
            let http_request = request.request().clone();
            let task = async move {
                let (answer, result) = process(&receiver, delivery.clone(), &*service, request).await;
                answer.log(receiver.endpoint(), Some(&delivery), started.elapsed());
                (answer, result)
            };
            match rt::spawn(task.in_current_span()).await {
                Ok((answer, result)) => finish(answer, http_request, result),
                // The runtime is shutting down. The lease ends, and the sender tries again.
                Err(_cancelled) => Err(actix_web::error::ErrorServiceUnavailable("")),
            }
        })
    }
}

/// Claims, calls, settles. There is no result when the inner service was not called, or panicked.
async fn process<P, S, B>(
    receiver: &Receiver<P>,
    delivery: Delivery<P>,
    service: &S,
    request: ServiceRequest,
) -> (Answer, Option<Result<ServiceResponse<B>, Error>>)
where
    P: Provider,
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    let admitted = match receiver.admit(delivery).await {
        Ok(Admission::Process(admitted)) => admitted,
        Ok(other) => return (Answer::not_admitted(&other), None),
        Err(error) => return (Answer::store_failed(&error), None),
    };
    let work = async { service.call(request).await };
    admitted.run(work, tokio::time::sleep, judge::<P, B>).await
}

fn judge<P: Provider, B>(result: &Result<ServiceResponse<B>, Error>) -> Answer {
    let (status, misfit) = match result {
        Ok(response) => (response.status(), response.response().extensions().get::<Answer>().cloned()),
        Err(error) => (error.as_response_error().status_code(), None),
    };
    match misfit.filter(|answer| answer.outcome() == Outcome::Misfit) {
        Some(answer) => answer,
        None if status.is_success() => Answer::processed(status.as_u16()),
        None => Answer::failed(status.as_u16(), P::RETRIES),
    }
}

/// The handler's own response or error where it stands, else the answer's.
fn finish<B: MessageBody>(
    answer: Answer,
    request: HttpRequest,
    result: Option<Result<ServiceResponse<B>, Error>>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    match result {
        Some(Ok(mut response)) if response.status().as_u16() == answer.status() => {
            response.response_mut().extensions_mut().insert(answer);
            Ok(response.map_into_left_body())
        }
        Some(Err(error)) if error.as_response_error().status_code().as_u16() == answer.status() => Err(error),
        _ => Ok(ServiceResponse::new(request, respond(answer)).map_into_right_body()),
    }
}

impl<P: Provider, S> fmt::Debug for WebhookService<P, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookService").field("receiver", &self.receiver).finish_non_exhaustive()
    }
}
