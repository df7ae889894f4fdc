//! `Verified<P>`: the extractor of a genuine delivery.

use std::{fmt, time::Instant};

use axum::extract::{FromRef, FromRequest, Request};
use countersign_core::{Answer, Delivery, Provider, Verifier};

use crate::{intake::take_in, respond::Rejection};

/// Extracts a genuine delivery, with the [`Verifier`] that the router's state holds. Takes the body, so it stands last.
///
/// Verifies and nothing more: a delivery that is sent twice is extracted twice, and a handshake is a delivery as any other, to be
/// answered by [`Delivery::reply`]. For dedupe, see [`post`](crate::post).
///
/// ```
/// use axum::{Router, http::StatusCode, routing::post};
/// use countersign_axum::Verified;
/// use countersign_core::{Secret, Verifier, provider::Retake};
///
/// async fn hook(Verified(delivery): Verified<Retake>) -> StatusCode {
///     println!("{:?}", delivery.kind());
///     StatusCode::OK
/// }
///
/// let verifier = Verifier::<Retake>::new(Secret::new("retake_secret")?)?;
/// let app: Router = Router::new().route("/webhooks/retake", post(hook)).with_state(verifier);
/// # Ok::<(), countersign_core::ConfigError>(())
/// ```
pub struct Verified<P: Provider>(pub Delivery<P>);

impl<P: Provider> Clone for Verified<P> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<P: Provider> fmt::Debug for Verified<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Verified").field(&self.0).finish()
    }
}

impl<P, S> FromRequest<S> for Verified<P>
where
    P: Provider,
    S: Send + Sync,
    Verifier<P>: FromRef<S>,
{
    type Rejection = Rejection;

    async fn from_request(request: Request, state: &S) -> Result<Self, Rejection> {
        let started = Instant::now();
        let (parts, body) = request.into_parts();
        let verifier = Verifier::from_ref(state);
        let verdict = take_in(&verifier, &parts, body).await;
        let answer = verdict.as_ref().map_or_else(Answer::refused, |_| Answer::verified());
        answer.log(verifier.description(), "", verdict.as_ref().ok(), Some(started.elapsed()));
        verdict.map(Self).map_err(|_| Rejection::new(answer))
    }
}
