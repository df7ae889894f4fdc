//! Descriptions that cannot be safe or cannot work are refused, when they are read and when a verifier is built, with the field and what
//! to change.

#![allow(clippy::unwrap_used, reason = "a test tells what it found by panicking")]

use countersign::{
    ConfigError, Description, Secret, Signer, Timestamp, TimestampFormat, Tolerance, Verifier, VerifyError,
    dedupe::{KeyPart, KeyRule},
    provider::{Custom, Source},
    scheme::{BodyRule, Encoding, Scheme, TimestampSource},
};

const URL: &str = "https://hooks.example.com/acme";

fn secret() -> Secret {
    Secret::new("a secret").unwrap()
}

fn bare() -> Scheme {
    Scheme::hmac_sha256("x-acme-signature")
}

fn stamped() -> Scheme {
    bare().timestamp(TimestampSource::header("x-acme-timestamp"), TimestampFormat::UnixSeconds)
}

fn acme(scheme: Scheme) -> Description {
    Description::new("acme", [scheme])
}

/// Refused in code, and as what that code writes.
#[track_caller]
fn check(description: Description, field: &str, change: &str) {
    let told = |error: ConfigError| match error {
        ConfigError::Description { provider, field, problem } => (provider, field, problem),
        other => panic!("{other}"),
    };
    let (provider, at, problem) = told(description.check().unwrap_err());
    assert_eq!((provider.as_str(), at.as_str()), (description.name(), field), "{problem}");
    assert!(problem.contains(change), "{problem}");
    let built = told(Verifier::<Custom>::custom(description.clone(), secret()).unwrap_err());
    assert_eq!(built, (provider.clone(), at.clone(), problem));
    let signer = told(Signer::<Custom>::custom(description.clone(), &secret()).unwrap_err());
    assert_eq!(signer, (provider, at, problem));
    let (json, toml) = (serde_json::to_string(&description).unwrap(), toml::to_string(&description).unwrap());
    for read in [
        serde_json::from_str::<Description>(&json).map_err(|error| error.to_string()),
        toml::from_str::<Description>(&toml).map_err(|error| error.to_string()),
    ] {
        let told = read.unwrap_err();
        assert!(told.contains(&format!("{field}: {problem}")), "{told}");
    }
}

#[test]
fn what_is_signed_must_hold_the_body_and_what_has_a_source() {
    check(acme(stamped().signs("{timestamp}")), "scheme[0].signs", "must hold the {body}, once");
    check(acme(bare().signs("v0")), "scheme[0].signs", "must hold the {body}, once");
    check(acme(bare().signs("{body}.{body}")), "scheme[0].signs", "must hold the {body}, once");
    check(
        acme(bare().signs("{timestamp}.{body}")),
        "scheme[0].signs",
        "`{timestamp}` has no source: add timestamp",
    );
    check(acme(bare().signs("{id}.{body}")), "scheme[0].signs", "`{id}` has no source: say which header");
    check(
        acme(bare().signs("{id}.{body}")).id(Source::body("id")),
        "scheme[0].signs",
        "`{id}` has no source",
    );
    check(acme(bare().signs("{boddy}")), "scheme[0].signs", "a template is of {id}, {timestamp}, {body}");
    check(acme(stamped()), "scheme[0].signs", "put `{timestamp}` where the provider signs it");
}

#[test]
fn the_secret_is_signed_where_there_is_no_other_key_and_nowhere_else() {
    for scheme in [
        bare(),
        Scheme::hmac_sha1("x"),
        Scheme::hmac_sha512("x"),
        Scheme::ed25519("x"),
        Scheme::ecdsa_p256("x"),
    ] {
        check(acme(scheme.signs("{secret}{body}")), "scheme[0].signs", "take `{secret}` out");
    }
    let sha256 = Scheme::sha256("x-acme-signature");
    check(acme(sha256.clone().signs("{body}")), "scheme[0].signs", "without the `{secret}`: put it in");
    check(acme(sha256.body(BodyRule::Any)), "scheme[0].body", "the body must be \"json-text\"");
}

#[test]
fn a_tolerance_is_neither_zero_nor_absurd_nor_without_a_timestamp() {
    let tolerant =
        |seconds| acme(stamped().signs("{timestamp}.{body}").tolerance(Tolerance::from_secs(seconds)));
    check(tolerant(0), "scheme[0].tolerance", "providers recommend 300");
    check(tolerant(604_801), "scheme[0].tolerance", "more than seven days (604800 s)");
    assert_eq!(tolerant(604_800).check(), Ok(()));
    let nothing = acme(bare().tolerance(Tolerance::from_secs(300)));
    check(nothing, "scheme[0].tolerance", "add timestamp, or leave tolerance away");
}

#[test]
fn a_dedupe_key_holds_what_is_signed_and_every_delivery_has_one() {
    let by = |rules: &[KeyRule]| acme(bare()).id(Source::header("x-acme-id")).dedupe(rules);
    let of_kind = |rules: &[KeyRule]| by(rules).kind(Source::header("x-acme-kind"));
    let in_body = |rules: &[KeyRule]| acme(bare()).id(Source::body("id")).dedupe(rules);
    const ID: KeyRule = KeyRule::of(&[KeyPart::Id]);
    const BODY: KeyRule = KeyRule::of(&[KeyPart::Body]);
    const KIND: KeyRule = KeyRule::of(&[KeyPart::Kind, KeyPart::Body]);
    const ID_AND_BODY: KeyRule = KeyRule::of(&[KeyPart::Id, KeyPart::Body]);
    check(by(&[ID]), "dedupe", "anything unsigned also needs the body");
    check(by(&[BODY, ID]), "dedupe", "anything unsigned also needs the body");
    check(by(&[]), "dedupe", "must be of signed content alone");
    check(by(&[ID_AND_BODY]), "dedupe", "must be of signed content alone");
    // Each got a copy through as often as the header was changed.
    check(by(&[ID_AND_BODY.or(&[KeyPart::Body])]), "dedupe", "must be of signed content alone");
    check(of_kind(&[KIND]), "dedupe", "must be of signed content alone");
    check(by(&[BODY, KeyRule::of(&[KeyPart::Kind])]), "dedupe", "each key needs the body, an id or a field");
    check(by(&[KeyRule::of(&[])]), "dedupe", "each key needs the body, an id or a field");
    check(acme(bare()).dedupe([BODY, ID]), "dedupe", "add id, and say where it stands");
    check(by(&[BODY, KeyRule::of(&[KeyPart::EventId, KeyPart::Body])]), "dedupe", "add event_id");
    check(by(&[KeyRule::of(&[KeyPart::Timestamp, KeyPart::Body])]), "dedupe", "which no scheme signs");
    check(in_body(&[ID]), "dedupe", "what takes the place of a missing id");
    check(by(&[BODY, ID_AND_BODY]), "dedupe", "leave it away");
    check(by(&vec![BODY; 9]), "dedupe", "8 keys at most");
    for sound in [by(&[BODY]), in_body(&[ID, BODY]), in_body(&[ID.or(&[KeyPart::Body])])] {
        assert_eq!(sound.check(), Ok(()));
    }
    let signed = acme(stamped().signs("{id}.{timestamp}.{body}")).id(Source::header("x-acme-id"));
    assert_eq!(signed.dedupe([ID]).check(), Ok(()));
}

#[test]
fn a_key_of_fields_is_written_as_it_is_read() {
    let text = SOUND.replacen(
        r#"["timestamp","body"],{"of":["id","body"],"or":["event-id","body"]}"#,
        r#"{"of":[{"field":"*.data.id"},"event-id"],"or":["body"]},["timestamp",{"field":"sent"}]"#,
        1,
    );
    let text =
        text.replacen(r#""event_id":{"header":"X-Acme-Event"}"#, r#""event_id":{"body":"event.id"}"#, 1);
    let read: Description = serde_json::from_str(&text).unwrap();
    let again = serde_json::from_str(&serde_json::to_string(&read).unwrap()).unwrap();
    assert_eq!(read, again);
    let toml = toml::from_str(&toml::to_string(&read).unwrap()).unwrap();
    assert_eq!(read, toml);
}

#[test]
fn what_dedupe_says_stays_whatever_is_said_after_it() {
    let rule = [KeyRule::of(&[KeyPart::Body])];
    let before = acme(bare()).dedupe(rule.clone()).id(Source::body("id"));
    assert_eq!(before, acme(bare()).id(Source::body("id")).dedupe(rule));
    assert_eq!(acme(bare()).id(Source::body("id")).id(Source::header("x-acme-id")).check(), Ok(()));
}

#[test]
fn names_and_all_else_are_told_by_their_field() {
    check(Description::new("", [bare()]), "name", "1 to 64 letters in lower case");
    check(Description::new("Acme", [bare()]), "name", "1 to 64 letters in lower case");
    check(Description::new("acme", []), "scheme", "a provider needs a scheme");
    check(acme(bare()).kind(Source::body("a..b")), "kind", "a path is of object keys");
    check(acme(bare()).event_id(Source::body("a..b")), "event_id", "a path is of object keys");
    check(acme(bare()).event_id(Source::header("x-acme-signature")), "event_id", "holds the signature");
    check(acme(bare()).attempt(Source::body("")), "attempt", "a path is of object keys");
    check(acme(bare()).public_url("hooks.example.com"), "public_url", "https:// and behind it");
    check(acme(bare().prefix("")), "scheme[0].grammar", "leave the grammar away, or name the prefix");
    check(acme(Scheme::token("x").encoding(Encoding::Base64)), "scheme[0].algorithm", "leave key, encoding");
    let pair = [stamped().signs("{timestamp}.{body}"), Scheme::hmac_sha256("x-acme-legacy")];
    check(Description::new("acme", pair), "scheme[1].body", "\"json-structure\"");
    let mixed = [Scheme::ed25519("x-acme-ed25519"), bare()];
    check(Description::new("acme", mixed), "scheme[1].algorithm", "make a description of each");
}

const SOUND: &str = r#"{"name":"acme","id":{"header":"X-Acme-Id"},"retries":{"on":"any-failure","within":60},
    "dedupe":[["timestamp","body"],{"of":["id","body"],"or":["event-id","body"]}],"event_id":{"header":"X-Acme-Event"},"scheme":[{"algorithm":"hmac-sha256","header":"X-Acme-Signature",
    "grammar":{"list":{"separator":",","timestamp":"t","signature":"v1"}},
    "timestamp":{"source":"signature","format":"unix-seconds"},"tolerance":300,"signs":"{timestamp}.{body}"}]}"#;

#[track_caller]
fn check_text(from: &str, to: &str, told: &str) {
    assert!(SOUND.contains(from), "{from}");
    let text = SOUND.replacen(from, to, 1);
    let json = serde_json::from_str::<Description>(&text).unwrap_err().to_string();
    assert!(json.contains(told), "{json}");
    // The same as TOML, where that can say it.
    let Ok(value) = serde_json::from_str::<toml::Table>(&text) else { return };
    let toml = toml::from_str::<Description>(&toml::to_string(&value).unwrap()).unwrap_err();
    let message = toml.message();
    // toml has words of its own for a list's keys.
    assert!(message.contains(told) || message.starts_with("unexpected keys in table: secret"), "{toml}");
}

#[test]
fn an_unknown_field_is_refused_at_every_level() {
    assert!(serde_json::from_str::<Description>(SOUND).is_ok());
    for (level, unknown) in [
        (r#"{"name""#, r#"{"secret":"hidden","name""#),
        (r#"{"algorithm""#, r#"{"secret":"hidden","algorithm""#),
        (r#"{"separator""#, r#"{"secret":"hidden","separator""#),
        (r#"{"source""#, r#"{"secret":"hidden","source""#),
        (r#"{"on""#, r#"{"secret":"hidden","on""#),
    ] {
        check_text(level, unknown, "unknown field `secret`, expected");
    }
    check_text(r#"{"of""#, r#"{"secret":"hidden","of""#, "a list of `body`, `timestamp`, `kind`, `id`");
    check_text(
        r#""id":{"header""#,
        r#""id":{"cookie""#,
        "unknown variant `cookie`, expected `header` or `body`",
    );
}

#[test]
fn wrong_types_and_names_are_refused_and_repeated_fields_are() {
    for (from, to, told) in [
        (r#""name":"acme""#, r#""name":"acme","name":"other""#, "duplicate field `name`"),
        (r#""tolerance":300"#, r#""tolerance":300,"tolerance":301"#, "duplicate field `tolerance`"),
        (r#""tolerance":300"#, r#""tolerance":-1"#, "invalid value: integer `-1`"),
        (r#""tolerance":300"#, r#""tolerance":"300""#, "invalid type: string \"300\""),
        (r#""tolerance":300"#, r#""tolerance":1.5"#, "invalid type: floating point"),
        ("hmac-sha256", "md5", "unknown variant `md5`, expected one of `hmac-sha1`"),
        ("unix-seconds", "unix", "unknown variant `unix`, expected one of `unix-seconds`"),
        (r#""separator":",""#, r#""separator":", ""#, "expected a character"),
        (r#"["timestamp","body"],"#, r#"["boddy"],"#, "a list of `body`, `timestamp`, `kind`, `id`"),
        (r#""scheme":[{"#, r#""scheme":["{"#, "EOF"),
        (r#""name":"acme","#, "", "missing field `name`"),
        (r#""algorithm":"hmac-sha256","#, "", "missing field `algorithm`"),
    ] {
        match told {
            "EOF" => assert!(serde_json::from_str::<Description>(&SOUND.replacen(from, to, 1)).is_err()),
            told => check_text(from, to, told),
        }
    }
}

/// A list in the place of a table would be taken by position, which changes when a field is added.
#[test]
fn a_table_is_no_list() {
    for (from, to) in [
        (r#"{"source":"signature","format":"unix-seconds"}"#, r#"["signature","unix-seconds"]"#),
        (r#"{"on":"any-failure","within":60}"#, r#"["any-failure",60]"#),
        (r#"{"of":["id","body"],"or":["event-id","body"]}"#, r#"[["id"],["body"]]"#),
    ] {
        let text = SOUND.replacen(from, to, 1);
        assert!(text != SOUND && serde_json::from_str::<Description>(&text).is_err(), "{to}");
    }
    let text = r#"{"name":"acme","scheme":[["hmac-sha256","x-acme-signature"]]}"#;
    assert!(serde_json::from_str::<Description>(text).is_err());
    assert!(serde_json::from_str::<Description>(r#"["acme"]"#).is_err());
}

#[test]
fn a_secret_in_the_wrong_place_is_not_repeated() {
    let text = SOUND.replacen(r#""tolerance":300"#, r#""key":"whsec_aGlkZGVu""#, 1);
    let told = serde_json::from_str::<Description>(&text).unwrap_err().to_string();
    assert!(
        told.contains("the secret itself has no place in a description") && !told.contains("whsec_a"),
        "{told}"
    );
    for key in ["utf8", "hex", "base64", "whsec"] {
        let text = SOUND.replacen(r#""tolerance":300"#, &format!(r#""key":"{key}""#), 1);
        assert!(serde_json::from_str::<Description>(&text).is_ok(), "{key}");
    }
}

#[test]
fn a_public_url_is_configured_and_never_taken_from_the_request() {
    let scheme = bare().signs("{url}{body}");
    let none = Verifier::<Custom>::custom(scheme.clone(), secret()).unwrap_err();
    assert_eq!(none, ConfigError::NoPublicUrl { provider: "custom".to_owned() });
    assert!(
        none.to_string().contains("add public_url(..) with the URL that the provider was given"),
        "{none}"
    );
    assert_eq!(
        Signer::<Custom>::custom(scheme.clone(), &secret()).unwrap().sign("{}", NOW).unwrap_err(),
        none
    );

    let verifier = Verifier::<Custom>::custom(acme(scheme.clone()).public_url(URL), secret()).unwrap();
    let signed_for = |url: &str| {
        let signer = Signer::<Custom>::custom(scheme.clone(), &secret()).unwrap().public_url(url);
        let headers = signer.sign("{}", NOW).unwrap();
        headers.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect::<Vec<_>>()
    };
    let told = [
        ("Host", "evil.example"),
        ("X-Forwarded-Host", "evil.example"),
        ("X-Forwarded-Proto", "http"),
        ("X-Forwarded-Port", "8080"),
        ("X-Forwarded-Prefix", "/acme"),
        ("X-Original-Url", "/acme"),
        ("Forwarded", "host=evil.example;proto=https"),
    ];
    let beside = |mut headers: Vec<(String, String)>| {
        headers.extend(told.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        headers
    };
    let genuine = beside(signed_for(URL));
    assert!(verifier.verify(&genuine, "{}", NOW).is_ok(), "whatever the request says of its host");
    for url in [
        "https://evil.example/acme",
        "http://evil.example:8080/acme",
        "https://hooks.example.com/",
        "https://hooks.example.com/acme/",
    ] {
        let forged = verifier.verify(&beside(signed_for(url)), "{}", NOW);
        assert_eq!(forged.unwrap_err(), VerifyError::WrongSignature, "{url}");
    }
}

const NOW: Timestamp = Timestamp::from_unix_seconds(1_705_689_600);

fn delivered(scheme: Scheme, sent: (&str, &str), taken: (&str, &str)) -> Result<(), VerifyError> {
    let description = acme(scheme).id(Source::header("x-acme-id"));
    let signer = Signer::<Custom>::custom(description.clone(), &secret()).unwrap();
    let headers = signer.id(sent.0).sign(sent.1, NOW).unwrap();
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| (name, if name == "x-acme-id" { taken.0 } else { value }))
        .collect();
    Verifier::<Custom>::custom(description, secret()).unwrap().verify(&headers, taken.1, NOW).map(|_| ())
}

#[test]
fn a_signed_id_ends_where_it_ends() {
    let id_first = || stamped().signs("{id}.{timestamp}.{body}");
    assert_eq!(delivered(id_first(), ("evt_1", "{}"), ("evt_1", "{}")), Ok(()));
    // Without this, the signature of evt_1 over the first body is one of another id over the second.
    let body = "1705689600.{}";
    let stamp = "evt_1.1705689600";
    let moved = delivered(id_first(), ("evt_1", body), (stamp, "{}"));
    assert!(matches!(moved, Err(VerifyError::MalformedHeader { .. })), "{moved:?}");
    check(
        acme(bare().signs("{body}--{id}")).id(Source::header("x-acme-id")),
        "scheme[0].signs",
        "put text between them that no part holds",
    );
    let at_the_end = || bare().signs("{body}::{id}");
    assert_eq!(delivered(at_the_end(), ("a", "{}"), ("a", "{}")), Ok(()));
    for ambiguous in [":a", "a:", "a:b"] {
        assert!(delivered(at_the_end(), (ambiguous, "{}"), (ambiguous, "{}")).is_err(), "{ambiguous}");
    }
    for strange in ["a b", "{a", "[", &"a".repeat(257)] {
        let told = delivered(id_first(), (strange, "{}"), (strange, "{}")).unwrap_err().to_string();
        assert!(told.contains("1 to 256 visible ASCII characters"), "{strange}: {told}");
    }
    let touching = || bare().signs("{id}{body}").body(BodyRule::JsonText);
    assert_eq!(delivered(touching(), ("a", "{}"), ("a", "{}")), Ok(()));
    assert!(delivered(touching(), ("a", "12"), ("a1", "2")).is_err());
    for (id, body) in [("a", " {}"), ("a ", "{}")] {
        assert!(delivered(touching(), ("a", " {}"), (id, body)).is_err(), "{id:?} {body:?}");
    }
}
