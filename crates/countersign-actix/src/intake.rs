//! From a request's headers and payload to a delivery, by the system's clock and tokio's timer.

use std::pin::pin;

use actix_web::dev::{Payload, RequestHead};
use countersign_core::{
    Answer, Clock as _, Delivery, Found, Provider, Receiver, Timestamp, Verifier, VerifyError,
};
use countersign_runtime::SystemClock;
use futures_core::Stream;

use crate::headers::ActixHeaders;

/// By a verifier alone.
pub(crate) async fn take_in<P: Provider>(
    verifier: &Verifier<P>,
    head: &RequestHead,
    payload: Payload,
) -> Result<Delivery<P>, VerifyError> {
    verifier.check_method(head.method.as_str())?;
    let verification = verifier.begin(&ActixHeaders(&head.headers), now(verifier))?;
    let mut payload = pin!(payload);
    let deadline = tokio::time::sleep(verifier.limits().read_timeout);
    verification.read(|cx| payload.as_mut().poll_next(cx), deadline).await
}

/// By the receiver that was found for the request, which also says who goes on with it.
pub(crate) async fn receive<P: Provider>(
    found: &Found<P>,
    head: &RequestHead,
    payload: Payload,
) -> (Receiver<P>, Result<Delivery<P>, Answer>) {
    let verifier = found.receiver().verifier();
    let deadline = tokio::time::sleep(verifier.limits().read_timeout);
    let (headers, mut payload) = (ActixHeaders(&head.headers), pin!(payload));
    let next = |cx: &mut std::task::Context<'_>| payload.as_mut().poll_next(cx);
    found.take_in((head.method.as_str(), &headers), now(verifier), next, deadline).await
}

fn now<P: Provider>(verifier: &Verifier<P>) -> Timestamp {
    verifier.now().unwrap_or_else(|| SystemClock.now())
}
