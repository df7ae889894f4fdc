//! From an answer to a response.

use std::fmt;

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use countersign_core::{Answer, Reply};
use http::{HeaderName, HeaderValue, StatusCode, header};

/// A request that did not get through: answered with the class of the problem, as `application/problem+json`.
///
/// The reason is in [`answer`](Self::answer), and in the response's extensions.
#[derive(Clone, Debug)]
pub struct Rejection(Answer);

impl Rejection {
    pub(crate) fn new(answer: Answer) -> Self {
        Self(answer)
    }

    /// What became of the request, and why. The reason is for the log, not for the sender.
    pub fn answer(&self) -> &Answer {
        &self.0
    }
}

/// The outcome in one word.
impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.outcome().fmt(f)
    }
}

impl std::error::Error for Rejection {}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        respond(self.0)
    }
}

pub(crate) fn respond(answer: Answer) -> Response {
    let reply = answer.reply();
    let body = reply.map_or_else(Body::empty, |reply| Body::from(reply.body().clone()));
    let mut response = Response::new(answer.problem().map_or(body, Body::from));
    *response.status_mut() =
        StatusCode::from_u16(answer.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if answer.problem().is_some() {
        let problem = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, problem);
    }
    for (name, value) in reply.into_iter().flat_map(Reply::headers) {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if let Some(seconds) = answer.retry_after_seconds() {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response.extensions_mut().insert(answer);
    response
}
