//! What must hold for descriptions of providers, whatever they say.

use super::{Request, delivery, event, subject::Subject};
use crate::provider::Description;

/// A request that has a field for whatever a description may look for.
const BODY: &str = r#"{"id":"evt_1","type":"a","event":{"id":"evt_2"},"list":[{"id":1}]}"#;

pub(super) fn description(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let json = serde_json::from_str::<Description>(text).map_err(|error| error.to_string());
    let toml = toml::from_str::<Description>(text).map_err(|error| error.to_string());
    for read in [json, toml] {
        match read {
            Ok(description) => holds(description, data),
            Err(told) => assert!(!told.is_empty(), "a refusal without a reason"),
        }
    }
}

/// What is accepted is written and read back, and keeps forgeries out.
fn holds(description: Description, data: &[u8]) {
    assert_eq!(description.check(), Ok(()), "accepted, and flawed");
    let json = serde_json::to_string(&description).expect("it can be written");
    assert_eq!(serde_json::from_str::<Description>(&json).ok().as_ref(), Some(&description), "{json}");
    let toml = toml::to_string(&description).expect("it can be written");
    assert_eq!(toml::from_str::<Description>(&toml).ok().as_ref(), Some(&description), "{toml}");
    let Some(subject) = Subject::described(description) else { return };
    let request = Request { data, ..Request::parse(b"") };
    let request = Request { body: BODY.as_bytes(), ..request };
    delivery::verify(&subject, &request);
    event::event(&subject, &request);
    event::dedupe_key(&subject, &request);
    let body = subject.dated(BODY.as_bytes(), request.now);
    let headers = subject.signed(&subject.signer, &request, &body);
    let verdict = subject.verifier.verify(&headers, &body, subject.at(request.now));
    match verdict.map(|_| ()) {
        Ok(()) => {}
        Err(error) => assert!(subject.may_refuse(&error), "a genuine delivery was refused: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = r#"
        name = "acme"
        id = { header = "X-Id" }
        [[scheme]]
        algorithm = "hmac-sha256"
        header = "X-Signature"
        timestamp = { source = { header = "X-Timestamp" }, format = "unix-seconds" }
        signs = "{id}.{timestamp}.{body}"
    "#;

    #[test]
    fn a_sound_description_is_tried() {
        assert!(toml::from_str::<Description>(SOUND).is_ok());
        (0..=SOUND.len()).for_each(|length| description(SOUND.get(..length).unwrap().as_bytes()));
    }

    #[test]
    fn a_flaw_is_told_by_its_field() {
        let flawed = SOUND.replace("{body}", "");
        let told = toml::from_str::<Description>(&flawed).unwrap_err().to_string();
        assert!(told.contains("scheme[0].signs: the signed content must hold the {body}"), "{told}");
    }
}
