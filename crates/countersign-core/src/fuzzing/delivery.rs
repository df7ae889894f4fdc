//! What must hold for a whole delivery: forged ones are refused, genuine ones are not, and no error tells a secret.

use super::{Request, subject::Subject};
use crate::{
    delivery::Delivery,
    error::VerifyError,
    provider::{Provider, Source},
    scheme::{Algorithm, Encoding, Piece, Scheme, Stamp, TimestampSource},
    signer::Signer,
    verifier::Verifier,
};

const NO_HEADERS: [(&str, &str); 0] = [];

pub(super) fn verify<P: Provider>(subject: &Subject<P>, request: &Request<'_>) {
    let missing = subject.verifier.verify(&NO_HEADERS, request.body, request.now);
    assert!(matches!(missing, Err(VerifyError::MissingHeader { .. })));
    as_it_came(subject, request);
    for signer in [subject.signer.clone(), subject.signer.clone().weakest()] {
        genuine(subject, &signer, request);
    }
    tampered(subject, request);
    under_another_scheme(subject, request);
}

/// One verdict, however it is asked for; and never yes without the secret's own work in the header.
fn as_it_came<P: Provider>(subject: &Subject<P>, request: &Request<'_>) {
    let (Request { headers, now, body, .. }, verifier) = (request, &subject.verifier);
    let whole = verifier.verify(headers, *body, *now);
    match (verifier.begin(headers, *now), &whole) {
        (Err(early), Err(late)) => assert_eq!(early, *late),
        (Err(early), Ok(_)) => panic!("verified although its headers are refused: {early}"),
        (Ok(verification), _) => {
            subject.tells_no_secret(request, &verification);
            let is_of_the_body = |error| is_of_the_body(subject.schemes(), error);
            assert!(whole.as_ref().err().is_none_or(is_of_the_body), "{whole:?} came late");
        }
    }
    subject.tells_no_secret(request, &(verifier, &whole));
    let chunked = in_chunks(verifier, request, headers, body, *now);
    assert_eq!(chunked, whole.as_ref().map(body_of).map_err(Clone::clone));
    if let Ok(delivery) = whole {
        let own_work = subject.schemes().iter().any(|s| holds_own_work(subject, s, &delivery, headers));
        assert!(own_work, "a forgery verified");
    }
}

fn is_of_the_body(schemes: &[Scheme], error: &VerifyError) -> bool {
    use VerifyError::{
        BodyTooLarge, Contradiction, ForbiddenBody, Future, NoTimestamp, Stale, WrongSignature,
    };
    match error {
        WrongSignature | ForbiddenBody { .. } | Contradiction { .. } | BodyTooLarge { .. } => true,
        NoTimestamp { .. } | Stale { .. } | Future { .. } => {
            schemes.iter().any(Scheme::reads_timestamp_from_body)
        }
        _ => false,
    }
}

fn in_chunks<P: Provider, H: crate::Headers>(
    verifier: &Verifier<P>,
    request: &Request<'_>,
    headers: &H,
    body: &[u8],
    now: crate::Timestamp,
) -> Result<Vec<u8>, VerifyError> {
    let mut verification = verifier.begin(headers, now)?;
    for chunk in request.dice().chunks(body) {
        verification.update(chunk)?;
    }
    verification.finish().as_ref().map(body_of).map_err(Clone::clone)
}

fn body_of<P: Provider>(delivery: &Delivery<P>) -> Vec<u8> {
    delivery.body().to_vec()
}

/// Whether a header holds what only the holder of the secret could have put there.
fn holds_own_work<P: Provider>(
    subject: &Subject<P>,
    scheme: &Scheme,
    delivery: &Delivery<P>,
    headers: &[(&str, &[u8])],
) -> bool {
    let id = delivery.id().unwrap_or_default();
    let signed = |name: &str| headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
    let header = scheme.signed_header().and_then(signed).and_then(|(_, text)| std::str::from_utf8(text).ok());
    let texts = (&*id, header.unwrap_or_default());
    let shown = subject.shown(scheme, texts, delivery.timestamp_text(), delivery.body());
    let is_shown = |part: &[u8]| match is_hex(scheme) {
        true => part.eq_ignore_ascii_case(shown.as_bytes()),
        false => part == shown.as_bytes(),
    };
    headers
        .iter()
        .filter(|(name, _)| scheme.headers().any(|n| n.eq_ignore_ascii_case(name)))
        .any(|(_, value)| value.windows(shown.len()).any(is_shown))
}

/// Whether letters of the signature may be in either case.
fn is_hex(scheme: &Scheme) -> bool {
    scheme.encoding == Encoding::Hex && !scheme.algorithm.shows_secret()
}

/// Every genuine delivery verifies, unless its body is what the scheme cannot vouch for.
fn genuine<P: Provider>(subject: &Subject<P>, signer: &Signer<P>, request: &Request<'_>) {
    let (verifier, now) = (&subject.verifier, subject.at(request.now));
    let mut bodies = vec![request.body.to_vec(), subject.dated(request.body, now)];
    bodies.dedup();
    for body in bodies {
        let headers = subject.signed(signer, request, &body);
        let whole = verifier.verify(&headers, &body, now);
        let chunked = in_chunks(verifier, request, &headers, &body, now);
        assert_eq!(chunked, whole.as_ref().map(body_of).map_err(Clone::clone));
        match whole {
            Ok(delivery) => {
                assert_eq!(delivery.body(), &body);
                let is_dated = !subject.schemes().iter().any(Scheme::reads_timestamp_from_body);
                let seconds = delivery.timestamp().map(crate::Timestamp::unix_seconds);
                assert!(!is_dated || seconds.is_none_or(|seconds| seconds == now.unix_seconds()));
                subject.tells_no_secret(request, &(delivery, headers, signer));
            }
            Err(error) if subject.may_refuse(&error) => {}
            Err(error) => panic!("a genuine delivery of {} was refused: {error}", subject.name()),
        }
    }
}

/// Any bit that changes in what is signed, in the signature or in its timestamp makes it a forgery; so does a longer
/// or a shorter signature.
fn tampered<P: Provider>(subject: &Subject<P>, request: &Request<'_>) {
    let Some(scheme) = subject.schemes().first() else { return };
    let (now, body) = (subject.at(request.now), subject.dated(request.body, request.now));
    let headers = subject.signed(&subject.signer, request, &body);
    let mut dice = request.dice();
    let refused = |name: &str, value: Vec<u8>| {
        let changed = |n: &str, v: &str| if n == name { value.clone() } else { v.as_bytes().to_vec() };
        let headers: Vec<_> = headers.iter().map(|(n, v)| (n, changed(n, v))).collect();
        let verdict = subject.verifier.verify(&headers, &body, now);
        assert!(verdict.is_err(), "{name} of {} was changed and verified: {value:?}", subject.name());
    };
    let names = signed_names(scheme, &subject.description.fields().id);
    for (name, value) in headers.iter().filter(|(name, _)| names.contains(name)) {
        for _ in 0..4 {
            let flipped = dice.flip(value.as_bytes());
            // The name `Basic` is in any case as well, and nothing else of that header.
            let kept = if scheme.algorithm == Algorithm::Basic { flipped.get(6..) } else { Some(&[][..]) };
            let is_kept = value.as_bytes().ends_with(kept.unwrap_or_default());
            let other_case = flipped.eq_ignore_ascii_case(value.as_bytes());
            if !(other_case && is_kept && (is_hex(scheme) || scheme.algorithm == Algorithm::Basic)) {
                refused(name, flipped);
            }
        }
        refused(name, format!("{value}0").into_bytes());
        refused(name, value.as_bytes().split_last().map(|(_, rest)| rest.to_vec()).unwrap_or_default());
        refused(name, Vec::new());
    }
    if !body.is_empty() && !scheme.algorithm.shows_secret() {
        let verdict = subject.verifier.verify(&headers, dice.flip(&body), now);
        let refused = verdict.as_ref().err();
        let is_named = |error: &VerifyError| matches!(error, VerifyError::MalformedHeader { .. });
        let is_right = refused == Some(&VerifyError::WrongSignature);
        assert!(is_right || refused.is_some_and(is_named) && subject.signs_id(), "{verdict:?}");
    }
}

/// The headers that the scheme signs, or that hold its signature.
fn signed_names<'s>(scheme: &'s Scheme, id: &'s Option<Source>) -> Vec<&'s str> {
    let mut names = vec![&*scheme.header];
    if let Some(Stamp { source: TimestampSource::Header(name), .. }) = &scheme.timestamp {
        names.push(name);
    }
    match (&scheme.id_header, id) {
        (Some(name), _) | (None, Some(Source::Header(name))) if scheme.signs_id() => names.push(name),
        _ => {}
    }
    names
}

/// A genuine signature over a timestamp and a body is none over a body that reads like both.
fn under_another_scheme<P: Provider>(subject: &Subject<P>, request: &Request<'_>) {
    let now = subject.at(request.now);
    for scheme in subject.schemes().iter().filter(|scheme| !scheme.algorithm.shows_secret()) {
        let timestamp = scheme.timestamp.as_ref().map(|stamp| stamp.format.format(now)).unwrap_or_default();
        let content = subject.content(scheme, ("evt_1", "a"), &timestamp, request.body);
        let signature = subject.shown(scheme, ("evt_1", "a"), &timestamp, request.body);
        let others = subject.schemes().iter().filter(|other| other.template() != scheme.template());
        for other in others.filter(|other| !other.signs_timestamp() && other.signs_piece(Piece::Body)) {
            let value = other.grammar.write(None, &signature);
            let verdict = subject.verifier.verify(&[(&*other.header, value)], &content, now);
            assert!(verdict.is_err(), "a signature of one scheme of {} serves for another", subject.name());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        dedupe::{KeyPart, KeyRule},
        error::EventError,
        event::Json,
        fuzzing::event::{dedupe_key, event},
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
        &[KeyRule::of_unsigned_kind(&[KeyPart::Kind, KeyPart::Body])],
        LIST,
        Scheme::sha256("x-legacy").encoding(Encoding::Base64)
    );
    sample!(
        TimestampHeader,
        Fields::NONE
            .id(Source::header("x-id"))
            .kind(Source::header("x-kind"))
            .attempt(Source::header("x-attempt")),
        &[KeyRule::of(&[KeyPart::Timestamp, KeyPart::Body]), KeyRule::of(&[KeyPart::Id, KeyPart::Body])],
        Scheme::hmac_sha256("x-signature")
            .timestamp(TimestampSource::header("x-timestamp"), TimestampFormat::UnixSeconds)
            .signs(TIMESTAMPED)
    );
    const REQUEST: &[u8] = b"now: 1705689600\nx-id: evt_1\nx-kind: a\nx-signature: t=1705689600,v1=00\n\
        x-topic: order/created\nx-attempt: 2\n\n{\"id\":\"evt_1\",\"amount\":1.50,\"list\":[null,{\"~/\":true}]}";

    fn check<P: Provider>(data: &[u8]) {
        let (request, subject) = (Request::parse(data), Subject::<P>::registered().unwrap());
        verify(&subject, &request);
        event(&subject, &request);
        dedupe_key(&subject, &request);
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
}
