//! `Verification<P>`: hashing a body as it arrives, and the verdict at its end.

use std::{
    fmt,
    future::poll_fn,
    marker::PhantomData,
    pin::pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use sha2::digest::Update as _;

use super::{Keyed, Shared, Verifier, body::Collected, checked::Checked};
use crate::{
    delivery::{Delivery, Signed},
    error::VerifyError,
    provider::Provider,
    scheme::{Hasher, Signatures},
    time::Timestamp,
};

/// A delivery whose headers are good, while its body arrives.
///
/// Keeps the chunks, so that the body that comes out is the one that was hashed.
pub struct Verification<'v, P: Provider> {
    shared: &'v Shared,
    keyed: &'v Keyed,
    now: Timestamp,
    signatures: Signatures,
    signed: Signed,
    /// One for each key, or none while the body is a single chunk: that is hashed at the end, without an allocation.
    hashers: Vec<Option<Hasher>>,
    received: usize,
    body: Collected<'v>,
    /// Why a chunk was refused: what was hashed may then not be what is kept.
    refused: Option<VerifyError>,
    verifier: PhantomData<&'v Verifier<P>>,
}

impl<'v, P: Provider> Verification<'v, P> {
    pub(super) fn new(
        Checked { shared, keyed, now, signatures, beside }: Checked<'v, '_>,
        declared: Option<usize>,
    ) -> Self {
        Self {
            shared,
            keyed,
            now,
            signatures: signatures.clone(),
            signed: beside.into(),
            hashers: Vec::new(),
            received: 0,
            body: Collected::new(&shared.budget, declared.unwrap_or(shared.limits.body)),
            refused: None,
            verifier: PhantomData,
        }
    }

    /// Takes the next chunk of the body and hashes it. The first chunk is hashed when a second one comes, or at the end.
    ///
    /// # Errors
    /// [`VerifyError::BodyTooLarge`] when the body grows beyond the limit; [`VerifyError::OverBudget`] when the bodies that are held leave
    /// no room for it. Then [`finish`](Self::finish) answers the same, whatever else is given.
    pub fn update(&mut self, chunk: Bytes) -> Result<(), VerifyError> {
        if let Some(refused) = &self.refused {
            return Err(refused.clone());
        }
        let taken = self.take(chunk).and_then(|()| self.body.count());
        self.refused = taken.clone().err();
        taken
    }

    /// As [`update`](Self::update), for a chunk behind which more may have arrived already.
    fn take(&mut self, chunk: Bytes) -> Result<(), VerifyError> {
        let is_first = self.received == 0;
        self.received = self.received.saturating_add(chunk.len());
        self.shared.limits.check(self.received)?;
        if !is_first {
            if self.hashers.is_empty() {
                self.hashers = self.begin_hashing();
            }
            self.hashers.iter_mut().flatten().for_each(|hasher| hasher.update(&chunk));
        }
        self.body.push(chunk)
    }

    /// Starts a hash for each key, over the signed content up to the end of what has arrived.
    fn begin_hashing(&self) -> Vec<Option<Hasher>> {
        let Self { shared, keyed, now, signatures, signed, .. } = self;
        let checked = Checked { shared, keyed, now: *now, signatures, beside: signed.beside() };
        let begun = |key| {
            let mut hasher = checked.hasher(key)?;
            self.body.chunks().for_each(|chunk| hasher.update(chunk));
            Some(hasher)
        };
        keyed.keys.iter().map(begun).collect()
    }

    /// Compares the signatures, now that the body is complete.
    ///
    /// # Errors
    /// [`VerifyError::WrongSignature`]; [`VerifyError::ForbiddenBody`] and [`VerifyError::Contradiction`] when the
    /// signature matches and still proves too little; and as [`update`](Self::update), where that refused a chunk.
    pub fn finish(mut self) -> Result<Delivery<P>, VerifyError> {
        self.conclude()
    }

    /// Reads a body to its end, hashing as it arrives, and finishes.
    ///
    /// `next` polls for the next chunk; `deadline` ends when the body must have arrived. For the adapters: it works with any
    /// kind of stream and any runtime's timer.
    ///
    /// A body that arrives in one piece is judged at once, and needs no room in the budget. Any other draws on it until it is judged, or
    /// until this is dropped.
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
    /// by other secrets; it must not get out. Whoever keeps it longer [holds](Collected::hold) it.
    pub(crate) async fn read_and_keep<E>(
        mut self,
        mut next: impl FnMut(&mut Context<'_>) -> Poll<Option<Result<Bytes, E>>>,
        deadline: impl Future<Output = ()>,
    ) -> Result<Delivery<P>, (VerifyError, Collected<'v>)> {
        let mut deadline = pin!(deadline);
        let read = poll_fn(|cx| {
            loop {
                match next(cx) {
                    Poll::Ready(None) => return Poll::Ready(Ok(())),
                    Poll::Ready(Some(Err(_))) => return Poll::Ready(Err(VerifyError::BodyCutOff)),
                    // A body that keeps growing meets its limit. One that does not is as good as pending.
                    Poll::Ready(Some(Ok(chunk))) if !chunk.is_empty() => match self.take(chunk) {
                        Ok(()) => continue,
                        refused => return Poll::Ready(refused),
                    },
                    Poll::Ready(Some(Ok(_empty))) => cx.waker().wake_by_ref(),
                    Poll::Pending => {}
                }
                if let Err(error) = self.body.hold() {
                    return Poll::Ready(Err(error));
                }
                return deadline.as_mut().poll(cx).map(|()| Err(VerifyError::BodyTooSlow));
            }
        });
        match read.await {
            Ok(()) => self.conclude(),
            Err(error) => {
                drop(self.body.take());
                Err(error)
            }
        }
        .map_err(|error| (error, self.body))
    }

    /// The verdict. Leaves the body where no secret has signed it.
    fn conclude(&mut self) -> Result<Delivery<P>, VerifyError> {
        if let Some(refused) = self.refused.take() {
            return Err(refused);
        }
        let Self { shared, keyed, now, signatures, signed, hashers, body, .. } = self;
        let checked = Checked { shared, keyed, now: *now, signatures, beside: signed.beside() };
        let is_by = |(key, hasher): (_, &mut Option<_>)| {
            hasher.as_mut().is_some_and(|hasher| checked.is_by(key, hasher))
        };
        let signer = match hashers.is_empty() {
            true => checked.signer(body.only_chunk())?,
            false => checked.first(keyed.keys.iter().zip(hashers).map(is_by))?,
        };
        checked.conclude(signer, body.take().into_bytes())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Secret, Signer, provider::Retake};

    const BODY: &[u8] = br#"{"event":"intent.expired","data":{"intentId":"int_abc123"}}"#;

    fn verifier(secret: &Secret) -> Verifier<Retake> {
        Verifier::builder(secret).body_limit(100).body_budget(120).build().unwrap()
    }

    /// Gives these chunks and does not look at the answers, as a caller might.
    fn check(chunks: &[&'static [u8]], held: usize, expected: &VerifyError) {
        let (secret, now) = (Secret::new("retake_secret").unwrap(), Timestamp::from_unix_seconds(0));
        let (verifier, headers) =
            (verifier(&secret), Signer::<Retake>::new(&secret).sign(BODY, now).unwrap());
        let mut other = verifier.begin(&headers, now).unwrap();
        other.update(Bytes::from(vec![b' '; held])).unwrap();
        let mut verification = verifier.begin(&headers, now).unwrap();
        for chunk in chunks {
            let _refused = verification.update(Bytes::from_static(chunk));
        }
        assert_eq!(verification.finish().map(|delivery| delivery.body().clone()).as_ref(), Err(expected));
    }

    #[test]
    fn a_chunk_that_was_refused_is_never_passed_over() {
        let (front, back) = BODY.split_at(10);
        // What was hashed had no room to be kept.
        check(&[front, back], 100, &VerifyError::OverBudget { budget: 120 });
        // The genuine body, and more than is taken behind it.
        check(&[BODY, &[b' '; 100]], 0, &VerifyError::BodyTooLarge { limit: 100 });
        check(&[&[b' '; 101], BODY], 0, &VerifyError::BodyTooLarge { limit: 100 });
    }
}
