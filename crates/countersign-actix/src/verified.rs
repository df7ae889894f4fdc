//! `Verified<P>`: the extractor of a genuine delivery.

use std::{fmt, pin::Pin, time::Instant};

use actix_web::{FromRequest, HttpRequest, dev::Payload, web::Data};
use countersign_core::{Answer, Delivery, Provider, Verifier};

use crate::{intake::take_in, respond::Rejection};

/// Extracts a genuine delivery, with the [`Verifier`] that was given to the app as `web::Data`. Takes the body.
///
/// Verifies and nothing more: a delivery that is sent twice is extracted twice, and a handshake is a delivery as any other, to be
/// answered by [`Delivery::reply`]. For dedupe, see [`post`](crate::post).
///
/// ```
/// use actix_web::{App, HttpResponse, web};
/// use countersign_actix::Verified;
/// use countersign_core::{Secret, Verifier, provider::Retake};
///
/// async fn hook(Verified(delivery): Verified<Retake>) -> HttpResponse {
///     println!("{:?}", delivery.kind());
///     HttpResponse::Ok().finish()
/// }
///
/// let verifier = Verifier::<Retake>::new(Secret::new("retake_secret")?)?;
/// let app = App::new().app_data(web::Data::new(verifier)).route("/webhooks/retake", web::post().to(hook));
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

impl<P: Provider> FromRequest for Verified<P> {
    type Error = Rejection;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Rejection>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let started = Instant::now();
            let Some(verifier) = request.app_data::<Data<Verifier<P>>>() else {
                let remedy = "Verified<_> needs its verifier: add .app_data(web::Data::new(verifier)), for the same provider";
                let answer = Answer::not_set_up(&remedy);
                answer.log::<P>(P::DESCRIPTION, "", None, None);
                return Err(Rejection::new(answer));
            };
            let verdict = take_in(verifier, request.head(), payload).await;
            let answer = verdict.as_ref().map_or_else(Answer::refused, |_| Answer::verified());
            answer.log(verifier.description(), "", verdict.as_ref().ok(), Some(started.elapsed()));
            verdict.map(Self).map_err(|_| Rejection::new(answer))
        })
    }
}
