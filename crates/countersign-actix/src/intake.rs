//! From a request's headers and payload to a delivery, by the system's clock and tokio's timer.

use std::{pin::pin, time::SystemTime};

use actix_web::{dev::Payload, http::header::HeaderMap};
use countersign_core::{Delivery, Provider, Verifier, VerifyError};
use futures_core::Stream;

use crate::headers::ActixHeaders;

pub(crate) async fn take_in<P: Provider>(
    verifier: &Verifier<P>,
    headers: &HeaderMap,
    payload: Payload,
) -> Result<Delivery<P>, VerifyError> {
    let now = verifier.now().unwrap_or_else(|| SystemTime::now().into());
    let verification = verifier.begin(&ActixHeaders(headers), now)?;
    let mut payload = pin!(payload);
    let deadline = tokio::time::sleep(verifier.limits().read_timeout);
    verification.read(|cx| payload.as_mut().poll_next(cx), deadline).await
}
