//! What must hold for what a genuine delivery says: its event, and its dedupe keys.

use serde_json::Value;

use super::{Request, subject::Subject};
use crate::{error::EventError, provider::Provider};

/// Stands in a payload where a customer's data would.
const MARKER: &str = "m4rked data of a customer";

pub(super) fn event<P: Provider>(subject: &Subject<P>, request: &Request<'_>) {
    let Some(event) = typed(subject, request, request.body) else { return };
    let again = typed(subject, request, request.body).expect("equal deliveries verify alike");
    assert_eq!(shown(&event), shown(&again));
    if let Some(padded) = typed(subject, request, &[b" \n", request.body, b"\t\r "].concat()) {
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
        if let Some(Err(error)) = typed(subject, request, marked.to_string().as_bytes()) {
            tells_no_data(request, &error);
        }
    }
}

fn typed<P: Provider>(
    subject: &Subject<P>,
    request: &Request<'_>,
    body: &[u8],
) -> Option<Result<P::Event, EventError>> {
    subject.delivered(request, body).map(|delivery| delivery.event())
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

pub(super) fn dedupe_key<P: Provider>(subject: &Subject<P>, request: &Request<'_>) {
    let (Some(delivery), rules, name) =
        (subject.delivered(request, request.body), &*subject.description.keys, subject.name())
    else {
        return;
    };
    let keys = delivery.keys("here", rules);
    assert_eq!(keys, delivery.keys("here", rules));
    if rules.is_empty() {
        assert!(keys.is_empty(), "a delivery of {name} has a key that nobody asked for");
        return;
    }
    assert!(!keys.is_empty(), "a delivery of {name} has no key");
    let elsewhere = delivery.keys("there", rules);
    assert!(keys.iter().all(|key| !elsewhere.contains(key)), "two endpoints of {name} share a key");
    // Whoever can show the secret can make whole deliveries: there, an id needs no signature.
    if subject.signs_id() || subject.schemes().iter().all(|scheme| scheme.algorithm.shows_secret()) {
        return;
    }
    let id = format!("{} again", delivery.id().unwrap_or_default());
    let kind = delivery.kind().unwrap_or_default().into_owned();
    let (signer, now) = (subject.signer.clone().id(id).kind(kind), subject.at(request.now));
    let Ok(headers) = signer.sign(delivery.body(), now) else { return };
    if let Ok(renamed) = subject.verifier.verify(&headers, delivery.body(), now) {
        let shared = renamed.keys("here", rules).iter().any(|key| keys.contains(key));
        assert!(shared, "another unsigned id gets a replay of {name} through");
    }
}
