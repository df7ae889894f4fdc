//! From a request's headers and payload to a delivery, by the system's clock and tokio's timer.

use std::pin::pin;

use actix_web::{dev::Payload, http::header::HeaderMap};
use countersign_core::{Clock as _, Delivery, Provider, Verifier, VerifyError};
use countersign_runtime::SystemClock;
use futures_core::Stream;

use crate::headers::ActixHeaders;

pub(crate) async fn take_in<P: Provider>(
    verifier: &Verifier<P>,
    headers: &HeaderMap,
    payload: Payload,
) -> Result<Delivery<P>, VerifyError> {
    let now = verifier.now().unwrap_or_else(|| SystemClock.now());
    let verification = verifier.begin(&ActixHeaders(headers), now)?;
    let mut payload = pin!(payload);
    let deadline = tokio::time::sleep(verifier.limits().read_timeout);
    verification.read(|cx| payload.as_mut().poll_next(cx), deadline).await
}
