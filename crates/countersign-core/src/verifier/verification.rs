//! `Verification<P>`: hashing a body as it arrives, and the verdict at its end.

use std::{
    fmt,
    future::poll_fn,
    marker::PhantomData,
    pin::pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use subtle::{Choice, ConditionallySelectable as _};

use super::{IntoBody, Keyed, Shared, Verifier, body::Collected};
use crate::{
    delivery::{Delivery, Signed},
    error::VerifyError,
    json,
    provider::Provider,
    scheme::{BodyRule, Hasher, Key, Part, Signatures, Stamp, TimestampSource},
    secret::MAX_SECRETS,
    text::ShortText,
    time::Timestamp,
};

/// A delivery whose headers are good, while its body arrives.
///
/// Keeps the chunks, so that the body that comes out is the one that was hashed.
pub struct Verification<'v, P: Provider> {
    shared: &'v Shared,
    keyed: &'v Keyed,
    now: Timestamp,
    pub(super) signed: Signed,
    pub(super) signatures: Signatures,
    hashers: [Option<Hasher>; MAX_SECRETS],
    received: usize,
    body: Collected,
    verifier: PhantomData<&'v Verifier<P>>,
}

impl<'v, P: Provider> Verification<'v, P> {
    pub(super) fn new(shared: &'v Shared, keyed: &'v Keyed, now: Timestamp) -> Self {
        Self {
            shared,
            keyed,
            now,
            signed: Signed { body_only: !keyed.scheme.signs_timestamp(), ..Signed::default() },
            signatures: Signatures::default(),
            hashers: std::array::from_fn(|_| None),
            received: 0,
            body: Collected::default(),
            verifier: PhantomData,
        }
    }

    /// Starts a hash for each key, with what is signed before the body.
    pub(super) fn start(&mut self) {
        for (place, key) in self.hashers.iter_mut().zip(&self.keyed.keys) {
            *place = key.hasher(&self.signatures);
        }
        self.hash_parts(&self.keyed.plan.before);
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
        self,
        next: impl FnMut(&mut Context<'_>) -> Poll<Option<Result<Bytes, E>>>,
        deadline: impl Future<Output = ()>,
    ) -> Result<Delivery<P>, VerifyError> {
        self.read_and_keep(next, deadline).await.map_err(|(error, _)| error)
    }

    /// As [`read`](Self::read). A body that is there as a whole, and was not found genuine, is kept beside the error, to be verified
    /// by other secrets; it must not get out.
    pub(crate) async fn read_and_keep<E>(
        mut self,
        mut next: impl FnMut(&mut Context<'_>) -> Poll<Option<Result<Bytes, E>>>,
        deadline: impl Future<Output = ()>,
    ) -> Result<Delivery<P>, (VerifyError, Bytes)> {
        let mut deadline = pin!(deadline);
        let read = poll_fn(|cx| {
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
        });
        if let Err(error) = read.await {
            return Err((error, Bytes::new()));
        }
        let body = std::mem::take(&mut self.body).into_bytes();
        self.conclude(&body).map_err(|error| (error, body))
    }

    pub(super) fn hash(&mut self, chunk: &[u8]) -> Result<(), VerifyError> {
        self.received = self.received.saturating_add(chunk.len());
        let limit = self.shared.limits.body;
        if self.received > limit {
            return Err(VerifyError::BodyTooLarge { limit });
        }
        self.hashers.iter_mut().flatten().for_each(|hasher| hasher.update(chunk));
        Ok(())
    }

    fn hash_parts(&mut self, parts: &[Part]) {
        for part in parts {
            let fixed = match part {
                Part::Timestamp => self.signed.timestamp_text().as_bytes(),
                Part::Id => self.signed.id.as_ref().map_or("", ShortText::as_str).as_bytes(),
                Part::Fixed(bytes) => bytes,
                Part::Secret => {
                    for (hasher, key) in self.hashers.iter_mut().zip(&self.keyed.keys) {
                        if let Some(hasher) = hasher {
                            hasher.update(key.hashed_secret());
                        }
                    }
                    continue;
                }
            };
            self.hashers.iter_mut().flatten().for_each(|hasher| hasher.update(fixed));
        }
    }

    /// The body is the one that was hashed: private, and called by the two that see to it.
    pub(super) fn conclude(&mut self, body: impl IntoBody) -> Result<Delivery<P>, VerifyError> {
        let Keyed { scheme, plan, keys, reply_keys } = self.keyed;
        self.hash_parts(&plan.after);
        let mut signer = 0;
        if !scheme.algorithm.shows_secret() {
            let has_signed = |(key, hasher): (&Key, &mut Option<Hasher>)| {
                hasher.take().map_or(Choice::from(0), |hasher| key.has_signed(hasher, &self.signatures))
            };
            let verdicts = keys.iter().zip(&mut self.hashers).map(has_signed);
            let genuine = (0_u8..).zip(verdicts).fold(Choice::from(0), |genuine, (index, verdict)| {
                signer.conditional_assign(&index, verdict & !genuine);
                genuine | verdict
            });
            bool::from(genuine).then_some(()).ok_or(VerifyError::WrongSignature)?;
        }
        let bytes = body.as_ref();
        let forbidden = match scheme.body {
            BodyRule::JsonStructure if !json::starts_structure(bytes) => {
                Some("neither an object nor an array")
            }
            BodyRule::JsonText if !json::is_text(bytes) => Some("not one complete JSON text"),
            rule => plan.ambiguity(rule, bytes),
        };
        if let Some(reason) = forbidden {
            return Err(VerifyError::ForbiddenBody { reason });
        }
        if let Some(Stamp { source: TimestampSource::Body(path), format }) = &scheme.timestamp {
            let text = json::field(bytes, path).and_then(json::string_or_number);
            let read = text
                .and_then(|text| Some((format.parse(text.as_bytes())?, ShortText::new(text.as_bytes())?)));
            let (timestamp, text) = read.ok_or_else(|| VerifyError::NoTimestamp { path: path.clone() })?;
            scheme.max_age().check(timestamp, self.now)?;
            self.signed.timestamp = Some((timestamp, text));
        }
        let signed = std::mem::take(&mut self.signed);
        let reply_key = reply_keys.get(usize::from(signer)).cloned();
        let delivery = Delivery::verified(self.shared.described.clone(), signed, reply_key, body.into_body());
        P::check(&delivery)?;
        Ok(delivery)
    }
}

impl<P: Provider> fmt::Debug for Verification<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verification")
            .field("provider", &self.shared.described.name())
            .field("received", &self.received)
            .finish_non_exhaustive()
    }
}
