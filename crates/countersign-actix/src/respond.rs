//! From an answer to a response.

use std::fmt;

use actix_web::{
    HttpResponse, HttpResponseBuilder, ResponseError,
    http::{StatusCode, header},
};
use countersign_core::{Answer, Reply};

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

impl ResponseError for Rejection {
    fn status_code(&self) -> StatusCode {
        status(&self.0)
    }

    fn error_response(&self) -> HttpResponse {
        respond(self.0.clone())
    }
}

pub(crate) fn respond(answer: Answer) -> HttpResponse {
    let mut builder = HttpResponseBuilder::new(status(&answer));
    if let Some(seconds) = answer.retry_after_seconds() {
        builder.insert_header((header::RETRY_AFTER, seconds));
    }
    for header in answer.reply().into_iter().flat_map(Reply::headers) {
        builder.insert_header(header);
    }
    let mut response = match (answer.problem(), answer.reply()) {
        (Some(problem), _) => builder.content_type("application/problem+json").body(problem),
        (None, Some(reply)) if !reply.body().is_empty() => builder.body(reply.body().clone()),
        _ => builder.finish(),
    };
    response.extensions_mut().insert(answer);
    response
}

fn status(answer: &Answer) -> StatusCode {
    StatusCode::from_u16(answer.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
