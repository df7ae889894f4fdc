//! `Found<P>`: the receiver of one request, which may be sought once more.

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;

use super::LookUpError;
use crate::{
    dedupe::BoxFuture,
    delivery::Delivery,
    error::VerifyError,
    headers::Headers,
    provider::{Custom, Provider},
    receiver::{Answer, Receiver, Runtime, Webhook},
    time::Timestamp,
    verifier::IntoBody,
};

/// How many receivers are asked at most: more only where a source says something else at each look-up.
const MAX_RECEIVERS: usize = 8;

/// The receiver of one request: one that was set up in code, or that a [`Registry`](crate::Registry) found.
///
/// Where a signature is wrong under secrets that the registry looked up before the request arrived, they are
/// looked up again. Where they have been changed, the same delivery is verified by the new ones: so the first
/// delivery after a rotation is not refused. Where the last look-up is too recent, the delivery waits for the
/// next one: see [`look_up_floor`](crate::RegistryBuilder::look_up_floor).
///
/// A request arrives when it is searched for by [`Registry::find`](crate::Registry::find), so find a receiver
/// for each request.
pub struct Found<P: Provider = Custom> {
    receiver: Receiver<P>,
    again: Option<Arc<dyn Again<P>>>,
}

/// What can look for a receiver once more.
pub(super) trait Again<P: Provider>: Send + Sync {
    /// The receiver there is now, in place of one that found a signature to be wrong.
    fn again<'a>(&'a self, wrong: &'a Receiver<P>) -> BoxFuture<'a, Result<Receiver<P>, LookUpError>>;
}

impl<P: Provider> Found<P> {
    pub(super) fn new(receiver: Receiver<P>, again: Arc<dyn Again<P>>) -> Self {
        Self { receiver, again: Some(again) }
    }

    /// The receiver as it was found.
    pub fn receiver(&self) -> &Receiver<P> {
        &self.receiver
    }

    /// Handles one request from end to end, as [`Receiver::handle`] does.
    pub async fn handle<H, B, F, R, E>(
        &self,
        headers: &H,
        body: B,
        now: Timestamp,
        runtime: impl Runtime,
        handler: F,
    ) -> Answer
    where
        H: Headers + ?Sized,
        B: IntoBody,
        F: FnOnce(Webhook<P>) -> R,
        R: Future<Output = Result<(), E>>,
        E: fmt::Display,
    {
        let (began, body) = (runtime.elapsed(), body.into_body());
        let (receiver, verdict) = self.verify(headers, &body, now).await;
        receiver.handle_verified(verdict, runtime, began, handler).await
    }

    /// Reads a body as it arrives and verifies it; the receiver that did so is the one that goes on with the delivery.
    ///
    /// What the adapters run; `next` and `deadline` are as for [`Verification::read`](crate::Verification::read).
    pub async fn take_in<H, E>(
        &self,
        (method, headers): (&str, &H),
        now: Timestamp,
        next: impl FnMut(&mut Context<'_>) -> Poll<Option<Result<Bytes, E>>>,
        deadline: impl Future<Output = ()>,
    ) -> (Receiver<P>, Result<Delivery<P>, Answer>)
    where
        H: Headers + ?Sized,
    {
        let begin = |receiver: &Receiver<P>| receiver.verifier().check_method(method);
        let begun = begin(&self.receiver).and_then(|()| self.receiver.verifier().begin(headers, now));
        match begun {
            Ok(verification) => match verification.read_and_keep(next, deadline).await {
                Ok(delivery) => (self.receiver.clone(), Ok(delivery)),
                Err((error, _)) if self.again.is_none() => {
                    (self.receiver.clone(), Err(Answer::refused(&error)))
                }
                // Drawn on the budget while it is kept for another look.
                Err((error, mut collected)) => match collected.hold() {
                    Ok(()) => {
                        let kept = collected.into_kept();
                        let verify =
                            |receiver: &Receiver<P>| receiver.verifier().verify(headers, &kept.body, now);
                        self.ask_again(error, verify).await
                    }
                    Err(error) => (self.receiver.clone(), Err(Answer::refused(&error))),
                },
            },
            // A token is told by the headers alone.
            Err(error) => {
                let begins = |receiver: &Receiver<P>| {
                    begin(receiver).and_then(|()| receiver.verifier().begin(headers, now).map(drop))
                };
                let (receiver, begun) = self.ask_again(error, begins).await;
                if let Err(answer) = begun {
                    return (receiver, Err(answer));
                }
                let verdict = match receiver.verifier().begin(headers, now) {
                    // Rare, and as large as all the rest: not to be room in every request's future.
                    Ok(verification) => Box::pin(verification.read(next, deadline)).await,
                    Err(error) => Err(error),
                };
                (receiver, verdict.map_err(|error| Answer::refused(&error)))
            }
        }
    }

    /// Answers a `GET` by which the provider asks whether the endpoint is yours, as [`Receiver::handshake`] does. What the adapters run.
    pub async fn handshake(&self, query: &str) -> (Receiver<P>, Answer) {
        let ask = |receiver: &Receiver<P>| receiver.verifier().handshake(query);
        match ask(&self.receiver) {
            Ok(reply) => (self.receiver.clone(), Answer::handshake(Ok(reply))),
            Err(error) => {
                let (receiver, verdict) = self.ask_again(error, ask).await;
                (receiver, verdict.map_or_else(|answer| answer, |reply| Answer::handshake(Ok(reply))))
            }
        }
    }

    async fn verify<H>(
        &self,
        headers: &H,
        body: &Bytes,
        now: Timestamp,
    ) -> (Receiver<P>, Result<Delivery<P>, Answer>)
    where
        H: Headers + ?Sized,
    {
        let verify = |receiver: &Receiver<P>| receiver.verifier().verify(headers, body, now);
        match verify(&self.receiver) {
            Ok(delivery) => (self.receiver.clone(), Ok(delivery)),
            Err(error) => self.ask_again(error, verify).await,
        }
    }

    /// Asks the receiver that there is by now, where that is another one; and so on, until its secrets are up
    /// to date.
    async fn ask_again<T>(
        &self,
        mut error: VerifyError,
        ask: impl Fn(&Receiver<P>) -> Result<T, VerifyError>,
    ) -> (Receiver<P>, Result<T, Answer>) {
        let mut receiver = self.receiver.clone();
        for _ in 0..MAX_RECEIVERS {
            match self.another(&receiver, &error).await {
                Ok(Some(another)) => receiver = another,
                Ok(None) => return (receiver, Err(Answer::refused(&error))),
                Err(error) => return (receiver, Err(Answer::no_receiver(&error))),
            }
            match ask(&receiver) {
                Ok(asked) => return (receiver, Ok(asked)),
                Err(other) => error = other,
            }
        }
        (receiver, Err(Answer::refused(&error)))
    }

    /// Another receiver than this one, which refused a request for this reason, where there is one by now.
    async fn another(
        &self,
        wrong: &Receiver<P>,
        error: &VerifyError,
    ) -> Result<Option<Receiver<P>>, LookUpError> {
        let may_be_rotated = match error {
            VerifyError::WrongSignature
            | VerifyError::WrongToken
            | VerifyError::WrongVerifyToken
            | VerifyError::NoVerifyToken { .. } => true,
            // It may be good under a scheme whose secret is configured by now. Where each has one, what is malformed is so under any.
            VerifyError::MissingHeader { .. } | VerifyError::MalformedHeader { .. } => {
                wrong.verifier().lacks_schemes()
            }
            _ => false,
        };
        match &self.again {
            Some(again) if may_be_rotated => {
                let receiver = again.again(wrong).await?;
                Ok(Some(receiver).filter(|receiver| !receiver.is(wrong)))
            }
            _ => Ok(None),
        }
    }
}

/// One that was set up in code. It is sought no further.
impl<P: Provider> From<Receiver<P>> for Found<P> {
    fn from(receiver: Receiver<P>) -> Self {
        Self { receiver, again: None }
    }
}

impl<P: Provider> Clone for Found<P> {
    fn clone(&self) -> Self {
        Self { receiver: self.receiver.clone(), again: self.again.clone() }
    }
}

impl<P: Provider> fmt::Debug for Found<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Found").field(&self.receiver).finish()
    }
}
