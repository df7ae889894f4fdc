//! `Checked`: what the headers have settled, and what the body must settle yet.

use sha2::digest::Update;

use super::{IntoBody, Keyed, Shared};
use crate::{
    delivery::{Beside, Delivery, Signed},
    error::VerifyError,
    json,
    provider::Provider,
    scheme::{Hasher, Key, Part, Signatures, Stamp, TimestampSource},
    time::Timestamp,
};

/// A view of a delivery whose headers are good: its scheme, its signatures, and what stands beside the body.
#[derive(Clone, Copy)]
pub(super) struct Checked<'v, 'r> {
    pub(super) shared: &'v Shared,
    pub(super) keyed: &'v Keyed,
    pub(super) now: Timestamp,
    pub(super) signatures: &'r Signatures,
    pub(super) beside: Beside<'r>,
}

/// Which of the secrets has signed, by its place; the first, where each would do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signer(usize);

impl Checked<'_, '_> {
    /// Who signed a body that is there as a whole: with no hash for the secrets behind the one that did.
    pub(super) fn signer(&self, body: &[u8]) -> Result<Signer, VerifyError> {
        self.shared.limits.check(body.len())?;
        let plan = &self.keyed.plan;
        self.first(self.keyed.keys.iter().map(|key| {
            let has_signed = key.has_signed_all(self.signatures, |hash| {
                self.hash(&plan.before, key, hash);
                hash.update(body);
                self.hash(&plan.after, key, hash);
            });
            has_signed.into()
        }))
    }

    /// The first who signed, by what is said of each key in turn. Only a genuine signature ends the search, and its sender knows
    /// by whose key it is.
    pub(super) fn first(&self, mut is_by: impl Iterator<Item = bool>) -> Result<Signer, VerifyError> {
        match self.keyed.scheme.algorithm.shows_secret() {
            true => Ok(Signer(0)),
            false => is_by.position(|is_by| is_by).map(Signer).ok_or(VerifyError::WrongSignature),
        }
    }

    /// Starts a key's hash with what is signed before the body. `None` where nothing is signed, or no signature can be right.
    pub(super) fn hasher(&self, key: &Key) -> Option<Hasher> {
        let mut hasher = key.hasher(self.signatures)?;
        self.hash(&self.keyed.plan.before, key, &mut hasher);
        Some(hasher)
    }

    /// Whether this key has signed, by its hash up to the body's end.
    pub(super) fn is_by(&self, key: &Key, hasher: &mut Hasher) -> bool {
        self.hash(&self.keyed.plan.after, key, hasher);
        key.has_signed(hasher, self.signatures).into()
    }

    fn hash(&self, parts: &[Part], key: &Key, hash: &mut dyn Update) {
        for part in parts {
            match part {
                Part::Timestamp => hash.update(self.beside.timestamp_text),
                Part::Id => hash.update(self.beside.id),
                Part::Header => hash.update(self.beside.header),
                Part::Fixed(bytes) => hash.update(bytes),
                Part::Secret => key.hash_secret(hash),
            }
        }
    }

    /// The delivery, whose body is the one that was hashed: callers see to it.
    #[inline]
    pub(super) fn conclude<P: Provider>(
        self,
        signer: Signer,
        body: impl IntoBody,
    ) -> Result<Delivery<P>, VerifyError> {
        let Keyed { scheme, plan, reply_keys, .. } = self.keyed;
        let bytes = body.as_ref();
        if let Some(reason) = plan.objection(scheme.body, bytes) {
            return Err(VerifyError::ForbiddenBody { reason });
        }
        let (text, mut beside);
        beside = self.beside;
        if let Some(Stamp { source: TimestampSource::Body(path), format }) = &scheme.timestamp {
            text = json::field(bytes, path).and_then(json::string_or_number).unwrap_or_default();
            let timestamp = format.parse(text.as_bytes());
            let timestamp = timestamp.ok_or_else(|| VerifyError::NoTimestamp { path: path.clone() })?;
            scheme.max_age().check(timestamp, self.now)?;
            (beside.timestamp, beside.timestamp_text) = (Some(timestamp), text.as_bytes());
        }
        let signed = Signed::from(beside);
        let reply_key = reply_keys.get(signer.0).cloned();
        let delivery = Delivery::verified(self.shared.described.clone(), signed, reply_key, body.into_body());
        P::check(&delivery)?;
        Ok(delivery)
    }
}
