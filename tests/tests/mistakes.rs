//! The mistakes that other libraries have made, one by one: none of them is made here.

use std::time::Duration;

use bytes::Bytes;
use countersign::{
    ConfigError, MemoryStore, Outcome, Receiver, Secret, Secrets, Signer, Timestamp, Verifier, VerifyError,
    VerifyErrorKind,
    provider::{Raaft, Recharge, Retake, RetentBase, RevKeen},
};

const NOW: Timestamp = Timestamp::from_unix_seconds(1_705_689_600);
const BODY: &str = r#"{"event":"trial.expired","data":{"userId":"user_456"}}"#;

fn secret() -> Secret {
    Secret::new("retake_secret").unwrap()
}

fn verifier() -> Verifier<Retake> {
    Verifier::new(secret()).unwrap()
}

/// The value that Retake would send for a body.
fn signature(body: &str) -> String {
    let headers = Signer::<Retake>::new(&secret()).sign(body, NOW).unwrap();
    headers.iter().map(|(_, value)| value.to_owned()).collect()
}

fn kind(value: &str, body: &str) -> Option<VerifyErrorKind> {
    verifier().verify(&[("x-webhook-signature", value)], body, NOW).err().map(|error| error.kind())
}

#[test]
fn an_empty_secret_is_refused_at_set_up() {
    assert_eq!(Secret::new("").unwrap_err(), ConfigError::BlankSecret);
    assert!(matches!(Secrets::new([]).unwrap_err(), ConfigError::SecretCount { count: 0, .. }));
}

#[test]
fn a_blank_secret_is_refused_at_set_up() {
    for blank in [" ", "\n", "\t \r\n", "\u{a0}", "\0\0\0\0"] {
        assert_eq!(Secret::new(blank).unwrap_err(), ConfigError::BlankSecret, "{blank:?}");
    }
}

#[test]
fn an_absent_header_never_skips_the_check() {
    let none: [(&str, &str); 0] = [];
    let missing = VerifyError::MissingHeader { name: "x-webhook-signature".into() };
    assert_eq!(verifier().verify(&none, BODY, NOW).unwrap_err(), missing);
    assert_eq!(verifier().begin(&none, NOW).unwrap_err(), missing);
    assert!(Verifier::<Raaft>::new(secret()).unwrap().begin(&none, NOW).is_err());
    assert!(Verifier::<Recharge>::new(secret()).unwrap().begin(&none, NOW).is_err());
    assert!(Verifier::<RevKeen>::new(secret()).unwrap().begin(&none, NOW).is_err());
    assert!(Verifier::<RetentBase>::new(secret()).unwrap().begin(&none, NOW).is_err());
    assert_eq!(kind("", BODY), Some(VerifyErrorKind::MalformedHeader));
}

#[test]
fn a_prefix_of_the_signature_is_not_enough() {
    let whole = signature(BODY);
    assert_eq!(kind(&whole, BODY), None);
    for length in 0..whole.len() {
        assert_eq!(kind(&whole[..length], BODY), Some(VerifyErrorKind::MalformedHeader), "{length}");
    }
    let token = Verifier::<Raaft>::new(Secret::new("tok_123").unwrap()).unwrap();
    for shown in ["", "t", "tok_12", "tok_1234", "tok_123\0", "tok_123,tok_123"] {
        let wrong = token.begin(&[("x-raaft-token", shown)], NOW).unwrap_err();
        assert_eq!(wrong, VerifyError::WrongToken, "{shown:?}");
    }
}

#[test]
fn multi_byte_characters_in_a_hex_signature_are_refused() {
    for text in ["é".repeat(32), format!("{}é", "a".repeat(62)), "🦀".repeat(16), "\u{ff10}".repeat(64)] {
        assert_eq!(kind(&format!("sha256={text}"), BODY), Some(VerifyErrorKind::MalformedHeader), "{text}");
    }
    let bytes = [("x-webhook-signature", [b"sha256=".as_slice(), &[0xff; 64]].concat())];
    assert_eq!(verifier().verify(&bytes, BODY, NOW).unwrap_err().kind(), VerifyErrorKind::MalformedHeader);
}

#[test]
fn a_timestamp_at_the_end_of_its_range_overflows_nothing() {
    let (verifier, signature) = (Verifier::<RetentBase>::new(secret()).unwrap(), "ab".repeat(32));
    for (timestamp, expected) in [
        (i64::MAX.to_string(), VerifyErrorKind::Timestamp),
        (i64::MIN.to_string(), VerifyErrorKind::Timestamp),
        (u64::MAX.to_string(), VerifyErrorKind::MalformedHeader),
        (format!("{}0", i64::MAX), VerifyErrorKind::MalformedHeader),
        ("9".repeat(5000), VerifyErrorKind::MalformedHeader),
    ] {
        let headers = [("x-retentbase-timestamp", &timestamp), ("x-retentbase-signature-sha256", &signature)];
        for now in [i64::MIN, -1, 0, 1_705_689_600, i64::MAX - 1, i64::MAX] {
            let now = Timestamp::from_unix_seconds(now);
            match verifier.begin(&headers, now) {
                Err(error) => assert_eq!(error.kind(), expected, "{timestamp} at {now}"),
                Ok(_) => assert!(now.unix_seconds().abs_diff(timestamp.parse().unwrap()) <= 300),
            }
        }
    }
}

#[test]
fn a_list_of_ten_thousand_signatures_is_read_up_to_a_bound() {
    let verifier = Verifier::<RevKeen>::new(secret()).unwrap();
    let signed = Signer::<RevKeen>::new(&secret()).sign(BODY, NOW).unwrap();
    let (_, genuine) = signed.iter().find(|(name, _)| *name == "x-revkeen-signature").unwrap();
    let (timestamp, signature) = genuine.split_once(',').unwrap();
    let noise = format!(",v1={}", "ab".repeat(32)).repeat(10_000);
    let verify = |value: String| verifier.verify(&[("x-revkeen-signature", value)], BODY, NOW).is_ok();
    assert!(verify(format!("{timestamp},v1=zz,v2=x,{signature}{noise}")));
    assert!(!verify(format!("{timestamp}{noise},{signature}")));
}

#[test]
fn the_body_is_never_serialised_anew() {
    let spaced = r#"{ "event": "trial.expired", "data": {"userId":"user_456", "n": 1.0, "u": "\u00e9"} }"#;
    let anew = serde_json::from_str::<serde_json::Value>(spaced).unwrap().to_string();
    assert_eq!(kind(&signature(spaced), spaced), None);
    assert_eq!(kind(&signature(spaced), &anew), Some(VerifyErrorKind::Signature));
    // Bytes that are no text are verified as they are.
    let bytes = Bytes::from_static(b"{\"event\":\"\xff\xfe\"}");
    let headers = Signer::<Retake>::new(&secret()).sign(&bytes, NOW).unwrap();
    assert_eq!(verifier().verify(&headers, &bytes, NOW).unwrap().body(), &bytes);
}

#[tokio::test]
async fn the_same_delivery_under_another_delivery_id_is_a_duplicate() {
    let receiver = Receiver::<RetentBase>::builder(secret()).store(MemoryStore::new(100)).build().unwrap();
    let send = async |id: &str, at: Timestamp| {
        let signer =
            Signer::<RetentBase>::new(&secret()).id(id).event_id("evt_1").kind("cancellation.created");
        let headers = signer.sign("{}", at).unwrap();
        let answer = receiver
            .handle(&headers, "{}", NOW, tokio::time::sleep, async |_| Ok::<(), std::io::Error>(()))
            .await;
        answer.outcome()
    };
    assert_eq!(send("dlv_1", NOW).await, Outcome::Processed);
    assert_eq!(send("dlv_1", NOW).await, Outcome::Duplicate);
    // An exact replay under another id, and a retry with both anew.
    assert_eq!(send("dlv_2", NOW).await, Outcome::Duplicate);
    assert_eq!(send("dlv_3", NOW.saturating_add(Duration::from_secs(60))).await, Outcome::Duplicate);
}

#[test]
fn the_body_is_parsed_only_once_it_is_verified() {
    // What would be an error of parsing is an error of verifying: deep nesting, no JSON, the wrong type.
    for body in ["[".repeat(100_000), "not json".to_owned(), r#"{"event":5}"#.to_owned(), String::new()] {
        assert_eq!(kind(&signature(BODY), &body), Some(VerifyErrorKind::Signature));
    }
    // And when it is genuine, an error of its own, after the delivery.
    let deep = "[".repeat(100_000);
    let headers = Signer::<Retake>::new(&secret()).sign(&deep, NOW).unwrap();
    assert!(verifier().verify(&headers, &deep, NOW).unwrap().event().is_err());
}

#[test]
fn the_secret_is_not_shown_by_debug() {
    let shown = format!("{:?} {:?} {:?}", secret(), verifier(), Signer::<Retake>::new(&secret()));
    assert!(!shown.contains("retake_secret"), "{shown}");
}

#[test]
fn an_algorithm_named_by_the_request_is_refused() {
    let digest = signature(BODY).replace("sha256=", "");
    for prefix in ["sha1=", "sha512=", "none=", "SHA256=", "sha256", "", "md5=", "sha256= "] {
        assert_eq!(
            kind(&format!("{prefix}{digest}"), BODY),
            Some(VerifyErrorKind::MalformedHeader),
            "{prefix}"
        );
    }
}

#[test]
fn a_future_timestamp_is_refused_as_a_stale_one_is() {
    let verifier = Verifier::<RetentBase>::new(secret()).unwrap();
    let ahead = NOW.saturating_add(Duration::from_secs(301));
    let headers = Signer::<RetentBase>::new(&secret()).sign("{}", ahead).unwrap();
    assert!(matches!(verifier.begin(&headers, NOW).unwrap_err(), VerifyError::Future { .. }));
}
