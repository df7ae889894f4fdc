//! From a request's headers and payload to a delivery, by the system's clock and tokio's timer.

use std::pin::pin;

use actix_web::dev::{Payload, RequestHead};
use countersign_core::{Clock as _, Delivery, Provider, Verifier, VerifyError};
use countersign_runtime::SystemClock;
use futures_core::Stream;

use crate::headers::ActixHeaders;

pub(crate) async fn take_in<P: Provider>(
    verifier: &Verifier<P>,
    head: &RequestHead,
    payload: Payload,
) -> Result<Delivery<P>, VerifyError> {
    let now = verifier.now().unwrap_or_else(|| SystemClock.now());
    verifier.check_method(head.method.as_str())?;
    let verification = verifier.begin(&ActixHeaders(&head.headers), now)?;
    let mut payload = pin!(payload);
    let deadline = tokio::time::sleep(verifier.limits().read_timeout);
    verification.read(|cx| payload.as_mut().poll_next(cx), deadline).await
}
