//! `Verification<P>`: hashing a body as it arrives, and the verdict at its end.

use std::{
    fmt,
    future::poll_fn,
    marker::PhantomData,
    pin::pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use subtle::Choice;

use super::{IntoBody, Verifier, body::Collected};
use crate::{
    delivery::{Delivery, Signed},
    error::VerifyError,
    json,
    provider::Provider,
    scheme::{Algorithm, BodyRule, Hasher, Key, Part, Scheme, Signatures},
    secret::MAX_SECRETS,
};

/// A delivery whose headers are good, while its body arrives.
///
/// Keeps the chunks, so that the body that comes out is the one that was hashed.
pub struct Verification<'v, P: Provider> {
    scheme: &'static Scheme,
    limit: usize,
    pub(super) signed: Signed,
    pub(super) signatures: Signatures,
    hashers: [Option<Hasher>; MAX_SECRETS],
    received: usize,
    body: Collected,
    provider: PhantomData<fn() -> P>,
    verifier: PhantomData<&'v Verifier<P>>,
}

impl<P: Provider> Verification<'_, P> {
    pub(super) fn new(scheme: &'static Scheme, limit: usize) -> Self {
        Self {
            scheme,
            limit,
            signed: Signed { body_only: !scheme.signs_timestamp(), ..Signed::default() },
            signatures: Signatures::default(),
            hashers: std::array::from_fn(|_| None),
            received: 0,
            body: Collected::default(),
            provider: PhantomData,
            verifier: PhantomData,
        }
    }

    /// Starts a hash for each key, with what is signed before the body.
    pub(super) fn start(&mut self, keys: &[Key]) {
        for (place, key) in self.hashers.iter_mut().zip(keys) {
            *place = key.hasher();
        }
        self.hash_parts(self.scheme.around_body().0);
    }

    /// Takes the next chunk of the body, hashing it at once.
    ///
    /// # Errors
    /// [`VerifyError::BodyTooLarge`] when the body grows beyond the limit.
    pub fn update(&mut self, chunk: Bytes) -> Result<(), VerifyError> {
        self.hash(&chunk)?;
        self.body.push(chunk);
        Ok(())
    }

    /// Compares the signatures, now that the body is complete.
    ///
    /// # Errors
    /// [`VerifyError::WrongSignature`]; [`VerifyError::ForbiddenBody`] and [`VerifyError::Contradiction`] when the
    /// signature matches and still proves too little.
    pub fn finish(mut self) -> Result<Delivery<P>, VerifyError> {
        let body = std::mem::take(&mut self.body);
        self.conclude(body.into_bytes())
    }

    /// Reads a body to its end, hashing as it arrives, and finishes.
    ///
    /// `next` polls for the next chunk; `deadline` ends when the body must have arrived. For the adapters: it works with any
    /// kind of stream and any runtime's timer.
    ///
    /// # Errors
    /// As [`update`](Self::update) and [`finish`](Self::finish); [`VerifyError::BodyTooSlow`] at the deadline;
    /// [`VerifyError::BodyCutOff`] when the stream fails.
    pub async fn read<E>(
        mut self,
        mut next: impl FnMut(&mut Context<'_>) -> Poll<Option<Result<Bytes, E>>>,
        deadline: impl Future<Output = ()>,
    ) -> Result<Delivery<P>, VerifyError> {
        let mut deadline = pin!(deadline);
        poll_fn(|cx| {
            loop {
                match next(cx) {
                    Poll::Ready(None) => return Poll::Ready(Ok(())),
                    Poll::Ready(Some(Err(_))) => return Poll::Ready(Err(VerifyError::BodyCutOff)),
                    // A body that keeps growing meets its limit. One that does not is as good as pending.
                    Poll::Ready(Some(Ok(chunk))) if !chunk.is_empty() => match self.update(chunk) {
                        Ok(()) => continue,
                        refused => return Poll::Ready(refused),
                    },
                    Poll::Ready(Some(Ok(_empty))) => cx.waker().wake_by_ref(),
                    Poll::Pending => {}
                }
                return deadline.as_mut().poll(cx).map(|()| Err(VerifyError::BodyTooSlow));
            }
        })
        .await?;
        self.finish()
    }

    pub(super) fn hash(&mut self, chunk: &[u8]) -> Result<(), VerifyError> {
        self.received = self.received.saturating_add(chunk.len());
        if self.received > self.limit {
            return Err(VerifyError::BodyTooLarge { limit: self.limit });
        }
        self.hashers.iter_mut().flatten().for_each(|hasher| hasher.update(chunk));
        Ok(())
    }

    fn hash_parts(&mut self, parts: &[Part]) {
        for part in parts {
            let bytes = match part {
                Part::Timestamp => self.signed.timestamp_text().as_bytes(),
                Part::Literal(text) => text.as_bytes(),
                Part::Body => &[],
            };
            self.hashers.iter_mut().flatten().for_each(|hasher| hasher.update(bytes));
        }
    }

    /// The body is the one that was hashed: private, and called by the two that see to it.
    pub(super) fn conclude(&mut self, body: impl IntoBody) -> Result<Delivery<P>, VerifyError> {
        self.hash_parts(self.scheme.around_body().1);
        if self.scheme.algorithm != Algorithm::Token {
            let digests = self.hashers.iter_mut().filter_map(Option::take).map(Hasher::finalize);
            let genuine =
                digests.fold(Choice::from(0), |genuine, digest| genuine | self.signatures.contain(&digest));
            bool::from(genuine).then_some(()).ok_or(VerifyError::WrongSignature)?;
        }
        let forbidden = match self.scheme.body {
            BodyRule::JsonStructure if !json::starts_structure(body.as_ref()) => {
                "neither an object nor an array"
            }
            BodyRule::JsonText if !json::is_text(body.as_ref()) => "not one complete JSON text",
            _ => "",
        };
        if !forbidden.is_empty() {
            return Err(VerifyError::ForbiddenBody { reason: forbidden });
        }
        let delivery = Delivery::verified(std::mem::take(&mut self.signed), body.into_body());
        P::check(&delivery)?;
        Ok(delivery)
    }
}

impl<P: Provider> fmt::Debug for Verification<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verification")
            .field("provider", &P::NAME)
            .field("received", &self.received)
            .finish_non_exhaustive()
    }
}
