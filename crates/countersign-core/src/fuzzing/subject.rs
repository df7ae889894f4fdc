//! `Subject`: a provider with the verifier and the signer that the targets try.

use std::fmt::Debug;

use serde_json::{Map, Value};

use super::{
    Request,
    book::{self, Keys},
};
use crate::{
    delivery::Delivery,
    error::VerifyError,
    event::Json,
    provider::{Custom, Description, Provider, Source},
    scheme::{Piece, Scheme, Stamp, TimestampSource, pieces},
    signer::{SignedHeaders, Signer},
    time::{Timestamp, TimestampFormat},
    verifier::{Verifier, VerifierBuilder},
};

const URL: &str = "https://fuzz.example/hook?a=b";
/// The id of a request that has none to be signed.
const ID: &str = "evt_1";

/// A provider, and both sides of it.
pub(super) struct Subject<P: Provider> {
    pub(super) description: Description,
    pub(super) keys: Keys,
    pub(super) verifier: Verifier<P>,
    pub(super) signer: Signer<P>,
    /// Those that use the secret.
    schemes: Vec<Scheme>,
    url: String,
}

impl<P: Provider> Subject<P> {
    /// A provider of the registry. `None` where its algorithm's feature is off.
    pub(super) fn registered() -> Option<Self> {
        let keys = Keys::of(P::DESCRIPTION)?;
        let (builder, signer) = (Verifier::builder(&keys.verifying), Signer::new(&keys.signing));
        Self::of(P::DESCRIPTION.clone(), keys, builder, signer)
    }

    fn of(
        description: Description,
        keys: Keys,
        builder: VerifierBuilder<P>,
        signer: Signer<P>,
    ) -> Option<Self> {
        let url = description.public_url.as_deref().unwrap_or(URL).to_owned();
        let verifier = builder.public_url(url.clone()).build().expect("the defaults can be built");
        let all = description.schemes();
        let schemes = all.iter().filter(|scheme| scheme.uses(&keys.signing, all)).cloned().collect();
        Some(Self { description, schemes, keys, verifier, signer: signer.public_url(url.clone()), url })
    }

    pub(super) fn name(&self) -> &str {
        self.description.name()
    }

    pub(super) fn schemes(&self) -> &[Scheme] {
        &self.schemes
    }

    /// The request's time, where each scheme can write it.
    pub(super) fn at(&self, now: Timestamp) -> Timestamp {
        let is_free = |scheme: &Scheme| {
            scheme.timestamp.as_ref().is_none_or(|stamp| stamp.format == TimestampFormat::UnixSeconds)
        };
        match self.schemes().iter().all(is_free) {
            true => now,
            // The years from 1 to 9999.
            false => Timestamp::from_unix_seconds(now.unix_seconds().clamp(-62_135_596_800, 253_402_300_799)),
        }
    }

    /// The body with its timestamp, where that stands in the body and the body is an object.
    pub(super) fn dated(&self, body: &[u8], now: Timestamp) -> Vec<u8> {
        let mut stamps = self.schemes().iter().filter_map(|scheme| match &scheme.timestamp {
            Some(Stamp { source: TimestampSource::Body(path), format }) => Some((path, format)),
            _ => None,
        });
        let (Some((path, format)), Ok(object)) =
            (stamps.next(), serde_json::from_slice::<Map<String, Value>>(body))
        else {
            return body.to_vec();
        };
        let mut value = Value::Object(object);
        set(&mut value, path, format.format(self.at(now)).into());
        value.to_string().into_bytes()
    }

    /// The headers that the provider would send, with the id, the kind and the attempt of the request where they can be sent.
    pub(super) fn signed(&self, signer: &Signer<P>, request: &Request<'_>, body: &[u8]) -> SignedHeaders {
        let (fields, now) = (self.description.fields(), self.at(request.now));
        let text = |source: &Option<Source>| match source {
            Some(Source::Header(name)) => request.text(name),
            _ => None,
        };
        let plain = if self.signs_id() { signer.clone().id(ID) } else { signer.clone() };
        let mut with_fields = plain.clone();
        if let Some(id) = text(&fields.id).filter(|id| !id.is_empty()) {
            with_fields = with_fields.id(id);
        }
        if let Some(kind) = text(&fields.kind) {
            with_fields = with_fields.kind(kind);
        }
        if let Some(attempt) = text(&fields.attempt).and_then(|attempt| attempt.parse().ok()) {
            with_fields = with_fields.attempt(attempt);
        }
        let fallback = || plain.sign(body, now).expect("all that is sent is ASCII");
        with_fields.sign(body, now).unwrap_or_else(|_| fallback())
    }

    /// The genuine delivery of this body, where there can be one.
    pub(super) fn delivered(&self, request: &Request<'_>, body: &[u8]) -> Option<Delivery<P>> {
        let body = self.dated(body, request.now);
        let headers = self.signed(&self.signer, request, &body);
        self.verifier.verify(&headers, body, self.at(request.now)).ok()
    }

    pub(super) fn signs_id(&self) -> bool {
        self.schemes().iter().any(Scheme::signs_id)
    }

    /// Whether a delivery may be refused although it is genuine: for its body, or for an id that could end elsewhere.
    pub(super) fn may_refuse(&self, error: &VerifyError) -> bool {
        match error {
            VerifyError::ForbiddenBody { .. } | VerifyError::Contradiction { .. } => true,
            VerifyError::NoTimestamp { .. } | VerifyError::Stale { .. } | VerifyError::Future { .. } => {
                self.schemes().iter().any(Scheme::reads_timestamp_from_body)
            }
            VerifyError::MalformedHeader { .. } => self.signs_id(),
            _ => false,
        }
    }

    /// The signed content, in one piece.
    pub(super) fn content(
        &self,
        scheme: &Scheme,
        (id, header): (&str, &str),
        timestamp: &str,
        body: &[u8],
    ) -> Vec<u8> {
        let key = self.keys.bytes(scheme);
        let parts = pieces(scheme.template()).map(|piece| match piece {
            Piece::Id => id.as_bytes(),
            Piece::Timestamp => timestamp.as_bytes(),
            Piece::Literal(text) => text.as_bytes(),
            Piece::Body => body,
            Piece::Secret => &key,
            Piece::Url => self.url.as_bytes(),
            Piece::Method => b"POST",
            Piece::Header(_) => header.as_bytes(),
            Piece::Unknown => b"",
        });
        parts.collect::<Vec<_>>().concat()
    }

    /// Nothing that is printed holds the secret, unless the input does.
    pub(super) fn tells_no_secret(&self, request: &Request<'_>, shown: &impl Debug) {
        let secret = self.keys.signing.expose_secret();
        let holds = |text: &[u8]| text.windows(secret.len()).any(|part| part == secret);
        let text = format!("{shown:?}");
        assert!(holds(request.data) || !holds(text.as_bytes()), "the secret stands in {text}");
    }

    /// What the header of a genuine delivery shows.
    pub(super) fn shown(&self, scheme: &Scheme, texts: (&str, &str), timestamp: &str, body: &[u8]) -> String {
        book::shown(scheme, &self.keys, &self.content(scheme, texts, timestamp, body))
    }
}

impl Subject<Custom<Json>> {
    /// A provider that is described. `None` where no one secret serves all its schemes, or a feature is off.
    pub(super) fn described(description: Description) -> Option<Self> {
        let keys = Keys::of(&description)?;
        let builder = Verifier::custom_builder(description.clone(), &keys.verifying);
        let signer = Signer::custom(description.clone(), &keys.signing).expect("it was checked");
        Self::of(description, keys, builder, signer)
    }
}

/// Sets what stands at the end of a path, with objects on the way where there is nothing.
fn set(value: &mut Value, path: &str, text: Value) {
    let Some((step, rest)) =
        path.split_once('.').map(|(step, rest)| (step, Some(rest))).or(Some((path, None)))
    else {
        return;
    };
    let place = match value {
        Value::Array(items) if step.parse::<usize>().is_ok_and(|index| index < items.len()) => {
            step.parse::<usize>().ok().and_then(|index| items.get_mut(index))
        }
        Value::Object(fields) => Some(fields.entry(step).or_insert(Value::Null)),
        other => {
            *other = Value::Object(Map::new());
            return set(other, path, text);
        }
    };
    match (place, rest) {
        (Some(place), Some(rest)) => set(place, rest, text),
        (Some(place), None) => *place = text,
        (None, _) => {}
    }
}
