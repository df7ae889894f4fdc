//! From a request's headers and body to a delivery, by the system's clock and tokio's timer.

use std::{
    pin::pin,
    task::{Poll, ready},
};

use bytes::Bytes;
use countersign_core::{Clock as _, Delivery, Provider, Verifier, VerifyError};
use countersign_runtime::SystemClock;
use http::request::Parts;
use http_body::Body;

pub(crate) async fn take_in<P, B>(
    verifier: &Verifier<P>,
    parts: &Parts,
    body: B,
) -> Result<Delivery<P>, VerifyError>
where
    P: Provider,
    B: Body<Data = Bytes>,
{
    let now = verifier.now().unwrap_or_else(|| SystemClock.now());
    verifier.check_method(parts.method.as_str())?;
    let verification = verifier.begin(&parts.headers, now)?;
    let mut body = pin!(body);
    let next = |cx: &mut std::task::Context<'_>| {
        loop {
            let frame = match ready!(body.as_mut().poll_frame(cx)) {
                Some(frame) => frame.map(|frame| frame.into_data().ok()).transpose(),
                None => return Poll::Ready(None),
            };
            // Trailers are no part of the body.
            if frame.is_some() {
                return Poll::Ready(frame);
            }
        }
    };
    verification.read(next, tokio::time::sleep(verifier.limits().read_timeout)).await
}
