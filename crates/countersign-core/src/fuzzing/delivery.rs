//! What must hold for a whole delivery: forged ones are refused, genuine ones are not, and no error tells a secret.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use super::{Request, SECRET, URL, secret};
use crate::{
    delivery::Delivery,
    error::{EventError, VerifyError},
    provider::{Provider, Source},
    scheme::{Algorithm, Encoding, Piece, Scheme, Stamp, TimestampSource, pieces},
    signer::{SignedHeaders, Signer},
    verifier::Verifier,
};

/// Stands in a payload where a customer's data would.
const MARKER: &str = "m4rked data of a customer";

pub(super) fn verify<P: Provider>(request: &Request<'_>) {
    let verifier = verifier::<P>();
    assert!(matches!(
        verifier.verify(&NO_HEADERS, request.body, request.now),
        Err(VerifyError::MissingHeader { .. })
    ));
    as_it_came(&verifier, request);
    for signer in [signer(), signer().weakest()] {
        genuine(&verifier, &signer, request);
    }
    tampered(&verifier, request);
    under_another_scheme(&verifier, request);
}

const NO_HEADERS: [(&str, &str); 0] = [];

fn verifier<P: Provider>() -> Verifier<P> {
    Verifier::builder(secret::<P>()).public_url(URL).build().expect("the defaults can be built")
}

fn signer<P: Provider>() -> Signer<P> {
    Signer::new(&secret::<P>()).public_url(URL)
}

/// One verdict, however it is asked for; and never yes without the secret's own work in the header.
fn as_it_came<P: Provider>(verifier: &Verifier<P>, request: &Request<'_>) {
    let Request { headers, now, body, .. } = request;
    let whole = verifier.verify(headers, *body, *now);
    match (verifier.begin(headers, *now), &whole) {
        (Err(early), Err(late)) => assert_eq!(early, *late),
        (Err(early), Ok(_)) => panic!("verified although its headers are refused: {early}"),
        (Ok(verification), _) => {
            tells_no_secret(request, &format!("{verification:?}"));
            assert!(whole.as_ref().err().is_none_or(is_of_the_body), "{whole:?} came late");
        }
    }
    tells_no_secret(request, &format!("{verifier:?} {whole:?}"));
    assert_eq!(in_chunks(verifier, request, headers), whole.as_ref().map(body_of).map_err(Clone::clone));
    if let Ok(delivery) = whole {
        let own_work = P::SCHEMES.iter().any(|scheme| holds_own_work(scheme, &delivery, headers));
        assert!(own_work, "a forgery verified");
    }
}

fn is_of_the_body(error: &VerifyError) -> bool {
    use VerifyError::{BodyTooLarge, Contradiction, ForbiddenBody, WrongSignature};
    matches!(error, WrongSignature | ForbiddenBody { .. } | Contradiction { .. } | BodyTooLarge { .. })
}

fn in_chunks<P: Provider, H: crate::Headers>(
    verifier: &Verifier<P>,
    request: &Request<'_>,
    headers: &H,
) -> Result<Vec<u8>, VerifyError> {
    let mut verification = verifier.begin(headers, request.now)?;
    for chunk in request.dice().chunks(request.body) {
        verification.update(chunk)?;
    }
    verification.finish().as_ref().map(body_of).map_err(Clone::clone)
}

fn body_of<P: Provider>(delivery: &Delivery<P>) -> Vec<u8> {
    delivery.body().to_vec()
}

/// Whether a header holds what only the holder of the secret could have put there.
fn holds_own_work<P: Provider>(scheme: &Scheme, delivery: &Delivery<P>, headers: &[(&str, &[u8])]) -> bool {
    let expected = signature(scheme, delivery.timestamp_text(), delivery.body());
    let mut values = headers
        .iter()
        .filter(|(name, _)| scheme.headers().any(|n| n.eq_ignore_ascii_case(name)))
        .map(|(_, value)| *value);
    match (expected, scheme.encoding) {
        (None, _) if scheme.algorithm == Algorithm::Basic => {
            let credential = Encoding::Base64.encode(format!("user:{SECRET}").as_bytes());
            values.any(|value| value.ends_with(credential.as_bytes()))
        }
        (None, _) => values.any(|value| value == SECRET.as_bytes()),
        (Some(hex), Encoding::Hex) => {
            values.any(|value| value.windows(hex.len()).any(|part| part.eq_ignore_ascii_case(hex.as_bytes())))
        }
        (Some(text), _) => values.any(|value| value.windows(text.len()).any(|part| part == text.as_bytes())),
    }
}

/// The signature by the book: over the signed content in one piece. `None` where the secret is shown.
fn signature(scheme: &Scheme, timestamp: &str, body: &[u8]) -> Option<String> {
    let content = content(scheme, timestamp, body);
    let digest = match scheme.algorithm {
        Algorithm::HmacSha1 => hmac::<Hmac<Sha1>>(&content),
        Algorithm::HmacSha256 => hmac::<Hmac<Sha256>>(&content),
        Algorithm::HmacSha512 => hmac::<Hmac<Sha512>>(&content),
        Algorithm::Sha256 => Sha256::digest(content).to_vec(),
        _ => return None,
    };
    Some(scheme.encoding.encode(&digest))
}

fn hmac<M: KeyInit + Mac>(content: &[u8]) -> Vec<u8> {
    let hmac = <M as KeyInit>::new_from_slice(SECRET.as_bytes()).expect("keys have any length");
    hmac.chain_update(content).finalize().into_bytes().to_vec()
}

fn content(scheme: &Scheme, timestamp: &str, body: &[u8]) -> Vec<u8> {
    let parts = pieces(scheme.template()).map(|piece| match piece {
        Piece::Timestamp => timestamp.as_bytes(),
        Piece::Literal(text) => text.as_bytes(),
        Piece::Body => body,
        Piece::Secret => SECRET.as_bytes(),
        Piece::Url => URL.as_bytes(),
        _ => b"",
    });
    parts.collect::<Vec<_>>().concat()
}

/// Every genuine delivery verifies, unless its body is what the scheme cannot vouch for.
fn genuine<P: Provider>(verifier: &Verifier<P>, signer: &Signer<P>, request: &Request<'_>) {
    let headers = signed(signer.clone(), request, request.body);
    let whole = verifier.verify(&headers, request.body, request.now);
    assert_eq!(in_chunks(verifier, request, &headers), whole.as_ref().map(body_of).map_err(Clone::clone));
    match whole {
        Ok(delivery) => {
            assert_eq!(delivery.body(), request.body);
            let seconds = delivery.timestamp().map(crate::Timestamp::unix_seconds);
            assert!(seconds.is_none_or(|seconds| seconds == request.now.unix_seconds()));
            tells_no_secret(request, &format!("{delivery:?} {headers:?} {signer:?}"));
        }
        Err(VerifyError::ForbiddenBody { .. } | VerifyError::Contradiction { .. }) => {}
        Err(error) => panic!("a genuine delivery of {} was refused: {error}", P::NAME),
    }
}

/// The headers that the provider would send, with the id, the kind and the attempt of the request where they can be sent.
fn signed<P: Provider>(signer: Signer<P>, request: &Request<'_>, body: &[u8]) -> SignedHeaders {
    let text = |source: &Option<Source>| match source {
        Some(Source::Header(name)) => request.text(name),
        _ => None,
    };
    let mut with_fields = signer.clone();
    if let Some(id) = text(&P::FIELDS.id) {
        with_fields = with_fields.id(id);
    }
    if let Some(kind) = text(&P::FIELDS.kind) {
        with_fields = with_fields.kind(kind);
    }
    if let Some(attempt) = text(&P::FIELDS.attempt).and_then(|attempt| attempt.parse().ok()) {
        with_fields = with_fields.attempt(attempt);
    }
    let plain = || signer.sign(body, request.now).expect("all that is sent is ASCII");
    with_fields.sign(body, request.now).unwrap_or_else(|_| plain())
}

/// Any bit that changes in what is signed, in the signature or in its timestamp makes it a forgery; so does a longer
/// or a shorter signature.
fn tampered<P: Provider>(verifier: &Verifier<P>, request: &Request<'_>) {
    let Some(scheme) = P::SCHEMES.first() else { return };
    let headers = signed(signer::<P>(), request, request.body);
    let mut dice = request.dice();
    let refused = |name: &str, value: Vec<u8>| {
        let changed = |n: &str, v: &str| if n == name { value.clone() } else { v.as_bytes().to_vec() };
        let headers: Vec<_> = headers.iter().map(|(n, v)| (n, changed(n, v))).collect();
        let verdict = verifier.verify(&headers, request.body, request.now);
        assert!(verdict.is_err(), "{name} of {} was changed and verified: {value:?}", P::NAME);
    };
    let names: Vec<&str> = match &scheme.timestamp {
        Some(Stamp { source: TimestampSource::Header(name), .. }) => vec![&scheme.header, name],
        _ => vec![&scheme.header],
    };
    for (name, value) in headers.iter().filter(|(name, _)| names.contains(name)) {
        for _ in 0..4 {
            let flipped = dice.flip(value.as_bytes());
            let other_case = flipped.eq_ignore_ascii_case(value.as_bytes());
            if !(other_case && scheme.encoding == Encoding::Hex && scheme.algorithm != Algorithm::Token) {
                refused(name, flipped);
            }
        }
        refused(name, format!("{value}0").into_bytes());
        refused(name, value.as_bytes().split_last().map(|(_, rest)| rest.to_vec()).unwrap_or_default());
        refused(name, Vec::new());
    }
    if !request.body.is_empty() && !scheme.algorithm.shows_secret() {
        let verdict = verifier.verify(&headers, dice.flip(request.body), request.now);
        assert_eq!(verdict.err(), Some(VerifyError::WrongSignature));
    }
}

/// A genuine signature over a timestamp and a body is none over a body that reads like both.
fn under_another_scheme<P: Provider>(verifier: &Verifier<P>, request: &Request<'_>) {
    for (scheme, format) in P::SCHEMES.iter().filter_map(|s| Some((s, s.timestamp.as_ref()?.format))) {
        let timestamp = format.format(request.now);
        let content = content(scheme, &timestamp, request.body);
        let Some(signature) = signature(scheme, &timestamp, request.body) else { continue };
        for weaker in P::SCHEMES.iter().filter(|s| !s.signs_timestamp() && s.signs_piece(Piece::Body)) {
            let value = weaker.grammar.write(None, &signature);
            let verdict = verifier.verify(&[(&*weaker.header, value)], &content, request.now);
            assert!(verdict.is_err(), "a timestamped signature of {} serves for a body", P::NAME);
        }
    }
}

fn tells_no_secret(request: &Request<'_>, text: &str) {
    let told_it = request.data.windows(SECRET.len()).any(|part| part == SECRET.as_bytes());
    assert!(told_it || !text.contains(SECRET), "the secret stands in {text}");
}

pub(super) fn event<P: Provider>(request: &Request<'_>) {
    let Some(event) = typed::<P>(request, request.body) else { return };
    let again = typed::<P>(request, request.body).expect("equal deliveries verify alike");
    assert_eq!(shown(&event), shown(&again));
    if let Some(padded) = typed::<P>(request, &[b" \n", request.body, b"\t\r "].concat()) {
        assert_eq!(shown(&event), shown(&padded), "white space around a payload changed its event");
    }
    let body = serde_json::from_slice::<Value>(request.body);
    if let Err(EventError::NotJson { reason }) = &event {
        assert!(body.is_err(), "JSON that is called none: {reason}");
    }
    let Ok(body) = body else { return };
    let (mut places, mut dice) = (Vec::new(), request.dice());
    collect(&body, String::new(), &mut places);
    for _ in 0..places.len().min(4) {
        let mut marked = body.clone();
        let place = places.get(dice.below(places.len())).and_then(|place| marked.pointer_mut(place));
        *place.expect("it was collected") = MARKER.into();
        if let Some(Err(error)) = typed::<P>(request, marked.to_string().as_bytes()) {
            tells_no_data(request, &error);
        }
    }
}

fn typed<P: Provider>(request: &Request<'_>, body: &[u8]) -> Option<Result<P::Event, EventError>> {
    delivered::<P>(request, body).map(|delivery| delivery.event())
}

/// The genuine delivery of this body, where there can be one.
fn delivered<P: Provider>(request: &Request<'_>, body: &[u8]) -> Option<Delivery<P>> {
    let headers = signed(signer::<P>(), request, body);
    verifier().verify(&headers, body, request.now).ok()
}

/// An event as it prints, or the class of its error: lines and columns move with white space.
fn shown<E: std::fmt::Debug>(event: &Result<E, EventError>) -> String {
    event.as_ref().map_or_else(|error| format!("{:?}", error.kind()), |event| format!("{event:?}"))
}

/// The JSON pointers (RFC 6901) to everything within a value.
fn collect(value: &Value, at: String, places: &mut Vec<String>) {
    let within = |name: &str| format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| collect(value, within(name), places)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(i, value)| collect(value, within(&i.to_string()), places));
        }
        _ => {}
    }
    places.push(at);
}

/// An error names the kind and the path, and nothing else of what a payload holds.
fn tells_no_data(request: &Request<'_>, error: &EventError) {
    let told_it = request.data.windows(MARKER.len()).any(|part| part == MARKER.as_bytes());
    let text = match error {
        EventError::Misfit { path, reason, .. } => format!("{path}: {reason}"),
        error => format!("{error} {error:?}"),
    };
    assert!(told_it || !text.contains(MARKER), "a payload's data stands in {text}");
}

pub(super) fn dedupe_key<P: Provider>(request: &Request<'_>) {
    let Some(delivery) = delivered::<P>(request, request.body) else { return };
    let keys = delivery.keys("here", P::KEYS);
    assert_eq!(keys, delivery.keys("here", P::KEYS));
    if P::KEYS.is_empty() {
        assert!(keys.is_empty(), "a delivery of {} has a key that nobody asked for", P::NAME);
        return;
    }
    assert!(!keys.is_empty(), "a delivery of {} has no key", P::NAME);
    let elsewhere = delivery.keys("there", P::KEYS);
    assert!(keys.iter().all(|key| !elsewhere.contains(key)), "two endpoints of {} share a key", P::NAME);
    let id = format!("{} again", delivery.id().unwrap_or_default());
    let kind = delivery.kind().unwrap_or_default().into_owned();
    let signer = signer::<P>().id(id).kind(kind);
    let Ok(headers) = signer.sign(request.body, request.now) else { return };
    let verifier = verifier::<P>();
    if let Ok(renamed) = verifier.verify(&headers, request.body, request.now) {
        let shared = renamed.keys("here", P::KEYS).iter().any(|key| keys.contains(key));
        assert!(shared, "another unsigned id gets a replay of {} through", P::NAME);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        dedupe::{KeyPart, KeyRule},
        event::Json,
        provider::{Fields, Retries},
        scheme::BodyRule,
        time::TimestampFormat,
    };

    macro_rules! sample {
        ($name:ident, $fields:expr, $keys:expr, $($scheme:expr),*) => {
            struct $name;

            impl Provider for $name {
                const NAME: &'static str = stringify!($name);
                const SCHEMES: &'static [Scheme] = &[$($scheme),*];
                const FIELDS: Fields = $fields;
                const KEYS: &'static [KeyRule] = $keys;
                const RETRIES: Retries = Retries::UNKNOWN;
                type Event = Json;

                fn event(delivery: &Delivery<Self>) -> Result<Json, EventError> {
                    crate::event::parse("any", "", delivery.body())
                }
            }
        };
    }

    const TIMESTAMPED: &str = "{timestamp}.{body}";
    const LIST: Scheme = Scheme::hmac_sha256("x-signature")
        .list(',', Some("t"), "v1")
        .timestamp(TimestampSource::Signature, TimestampFormat::UnixSeconds)
        .signs(TIMESTAMPED);

    sample!(Token, Fields::NONE, &[KeyRule::of(&[KeyPart::Body])], Scheme::token("x-token"));
    sample!(
        TwoForms,
        Fields::NONE.id(Source::body("id")).timestamp_repeated("x-timestamp"),
        &[KeyRule::of(&[KeyPart::Id]).or(&[KeyPart::Body])],
        LIST,
        Scheme::hmac_sha256("x-signature").prefix("sha256=").body(BodyRule::JsonStructure)
    );
    sample!(
        Legacy,
        Fields::NONE.kind(Source::header("x-topic")),
        &[KeyRule::of(&[KeyPart::Kind, KeyPart::Body])],
        LIST,
        Scheme::sha256("x-legacy").encoding(Encoding::Base64)
    );
    sample!(
        TimestampHeader,
        Fields::NONE
            .id(Source::header("x-id"))
            .kind(Source::header("x-kind"))
            .attempt(Source::header("x-attempt")),
        &[KeyRule::of(&[KeyPart::Timestamp, KeyPart::Body]), KeyRule::of(&[KeyPart::Id])],
        Scheme::hmac_sha256("x-signature")
            .timestamp(TimestampSource::header("x-timestamp"), TimestampFormat::UnixSeconds)
            .signs(TIMESTAMPED)
    );
    sample!(Keyless, Fields::NONE, &[KeyRule::of(&[KeyPart::Id])], LIST);

    const REQUEST: &[u8] = b"now: 1705689600\nx-id: evt_1\nx-kind: a\nx-signature: t=1705689600,v1=00\n\
        x-topic: order/created\nx-attempt: 2\n\n{\"id\":\"evt_1\",\"amount\":1.50,\"list\":[null,{\"~/\":true}]}";

    fn check<P: Provider>(data: &[u8]) {
        let request = Request::parse(data);
        verify::<P>(&request);
        event::<P>(&request);
        dedupe_key::<P>(&request);
    }

    #[test]
    fn every_shape_of_scheme_holds() {
        for len in 0..=REQUEST.len() {
            for check in [check::<Token>, check::<TwoForms>, check::<Legacy>, check::<TimestampHeader>] {
                check(REQUEST.get(..len).unwrap());
                check(&[REQUEST.get(len..).unwrap(), b"\n\n[1]"].concat());
                check(&[b"now: -9223372036854775808\n\n", REQUEST.get(len..).unwrap()].concat());
            }
        }
    }

    #[test]
    #[should_panic = "a delivery of Keyless has no key"]
    fn a_delivery_without_a_key_is_found() {
        dedupe_key::<Keyless>(&Request::parse(REQUEST));
    }
}
