//! From a request's headers and body to a delivery, by the system's clock and tokio's timer.

use std::{
    pin::{Pin, pin},
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use countersign_core::{
    Answer, Clock as _, Delivery, Found, Provider, Receiver, Timestamp, Verifier, VerifyError,
};
use countersign_runtime::SystemClock;
use http::request::Parts;
use http_body::Body;

/// By a verifier alone.
pub(crate) async fn take_in<P, B>(
    verifier: &Verifier<P>,
    parts: &Parts,
    body: B,
) -> Result<Delivery<P>, VerifyError>
where
    P: Provider,
    B: Body<Data = Bytes>,
{
    verifier.check_method(parts.method.as_str())?;
    let verification = verifier.begin(&parts.headers, now(verifier))?;
    let deadline = tokio::time::sleep(verifier.limits().read_timeout);
    verification.read(chunks(pin!(body)), deadline).await
}

/// By the receiver that was found for the request, which also says who goes on with it.
pub(crate) async fn receive<P, B>(
    found: &Found<P>,
    parts: &Parts,
    body: B,
) -> (Receiver<P>, Result<Delivery<P>, Answer>)
where
    P: Provider,
    B: Body<Data = Bytes>,
{
    let verifier = found.receiver().verifier();
    let deadline = tokio::time::sleep(verifier.limits().read_timeout);
    let head = (parts.method.as_str(), &parts.headers);
    found.take_in(head, now(verifier), chunks(pin!(body)), deadline).await
}

fn now<P: Provider>(verifier: &Verifier<P>) -> Timestamp {
    verifier.now().unwrap_or_else(|| SystemClock.now())
}

fn chunks<B: Body<Data = Bytes>>(
    mut body: Pin<&mut B>,
) -> impl FnMut(&mut Context<'_>) -> Poll<Option<Result<Bytes, B::Error>>> {
    move |cx| {
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
    }
}
