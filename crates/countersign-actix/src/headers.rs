//! `ActixHeaders`: actix-web's header map for core's `Headers`.

use actix_web::http::header::HeaderMap;
use countersign_core::Headers;

/// A request's headers, for the standalone functions:
///
/// ```
/// use actix_web::HttpRequest;
/// use countersign_actix::ActixHeaders;
/// use countersign_core::{Delivery, Timestamp, Verifier, VerifyError, provider::Retake};
///
/// fn check(verifier: &Verifier<Retake>, request: &HttpRequest, body: &[u8], now: Timestamp) -> Result<(), VerifyError> {
///     let delivery: Delivery<Retake> = verifier.verify(&ActixHeaders(request.headers()), body, now)?;
///     # let _ = delivery;
///     Ok(())
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ActixHeaders<'h>(pub &'h HeaderMap);

impl Headers for ActixHeaders<'_> {
    fn pairs(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_bytes()))
    }
}
