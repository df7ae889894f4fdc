//! Nothing that is printed holds a secret, an expected signature or a body: every public type is formatted and searched.

use std::fmt::Debug;

use countersign::{
    Admission, Answer, ConfigError, EventError, FixedSecrets, MemoryStore, Outcome, Provider, Receiver,
    Registry, Secret, Secrets, Settings, Signer, StoreError, Timestamp, TimestampFormat, Verifier,
    VerifyError, VerifyErrorKind,
    dedupe::Key,
    event::Json,
    for_each_provider,
    provider::{self, Raaft, Retake},
};
use countersign_tests::book::{self, Content, Keys};

const SECRET: &str = "s3cr3t-v4lue";
const URL: &str = "https://example.com/webhook";
const BODY: &str = r#"{"webhookTimestamp":1705689600000,"event":"trial.expired","type":"invoice.paid","outcome":"saved","data":{"userId":"pr1vate"}}"#;

/// What must not be found: the secret and the signatures that were expected, whole or in part, in any spelling.
struct Forbidden(Vec<String>);

impl Forbidden {
    fn new<P: Provider>(keys: &Keys, bodies: &[&str], now: Timestamp) -> Self {
        let secret = keys.signing.expose_secret();
        let mut words = vec![
            String::from_utf8(secret.to_vec()).unwrap(),
            hex::encode(secret),
            format!("{secret:?}"),
            "pr1vate".to_owned(),
        ];
        for (body, scheme) in
            bodies.iter().flat_map(|body| book::schemes(P::DESCRIPTION).into_iter().map(move |s| (body, s)))
        {
            let format = |stamp: &TimestampFormat| stamp.format(now);
            let timestamp = match scheme.format() {
                "unix-seconds" => format(&TimestampFormat::UnixSeconds),
                "unix-millis" => format(&TimestampFormat::UnixMillis),
                "rfc3339" => format(&TimestampFormat::Rfc3339),
                "imf-fixdate" => format(&TimestampFormat::ImfFixdate),
                _ => String::new(),
            };
            let content = Content { id: "id", timestamp: &timestamp, url: URL, body: body.as_bytes() };
            let signature = scheme.shown(secret, content);
            words.push(signature[..signature.len().min(16)].to_owned());
            if let Ok(bytes) = hex::decode(&signature) {
                words.push(format!("{:?}", &bytes[..4]));
            }
        }
        Self(words)
    }

    fn check(&self, shown: &impl Debug) {
        self.check_text(&format!("{shown:?} {shown:#?}"));
    }

    fn check_error(&self, error: &impl std::error::Error) {
        self.check_text(&format!("{error} {error:?} {error:#?}"));
    }

    fn check_text(&self, text: &str) {
        let lower = text.to_lowercase();
        for word in &self.0 {
            let word = word.trim_matches(['[', ']']);
            assert!(!lower.contains(&word.to_lowercase()), "{word:?} in {text}");
        }
    }
}

async fn check<P: Provider>() {
    let (keys, now) = (Keys::of_provider::<P>(SECRET), Timestamp::from_unix_seconds(1_705_689_600));
    let (secret, public) = (keys.signing.clone(), keys.verifying.clone());
    let forged = format!("{BODY} ");
    let forbidden = Forbidden::new::<P>(&keys, &[BODY, &forged], now);
    forbidden.check(&secret);
    forbidden.check(&Secrets::new([secret.clone(), secret.clone()]).unwrap());

    let signer = Signer::<P>::new(&secret).id("id").kind("order/created").attempt(1).public_url(URL);
    forbidden.check(&signer);
    let headers = signer.sign(BODY, now).unwrap();
    forbidden.check(&headers);

    forbidden.check(&Verifier::<P>::builder(&public));
    let verifier = Verifier::<P>::builder(&public).public_url(URL).build().unwrap();
    forbidden.check(&verifier);
    forbidden.check(&verifier.begin(&headers, now).unwrap());
    let delivery = verifier.verify(&headers, BODY, now).unwrap();
    forbidden.check(&delivery);
    forbidden.check(&delivery.keys("endpoint", P::KEYS));
    if let Err(error) = verifier.verify(&headers, &forged, now) {
        forbidden.check_error(&error);
        forbidden.check(&Answer::refused(&error));
    }
    for headers in [vec![], vec![("x-raaft-token", "wrong")], vec![("x-webhook-signature", SECRET)]] {
        forbidden.check_error(&verifier.begin(&headers, now).unwrap_err());
    }

    forbidden.check(&Receiver::<P>::builder(&public));
    let builder = Receiver::<P>::builder(&public).public_url(URL);
    let receiver = builder.store(MemoryStore::new(10)).build().unwrap();
    forbidden.check(&receiver);
    let admission = receiver.admit(delivery.clone(), tokio::time::sleep).await.unwrap();
    forbidden.check(&admission);
    let Admission::Process(admitted) = admission else { panic!("the first one is admitted") };
    forbidden.check(&admitted);
    if let Err(error) = admitted.webhook() {
        forbidden.check_error(&error);
        forbidden.check(&Answer::misfit(&error));
    }
    forbidden.check(&receiver.admit(delivery, tokio::time::sleep).await.unwrap());

    let secrets = FixedSecrets::new().with(P::NAME, "tenant", &public);
    forbidden.check(&secrets);
    let settings = Settings::new().public_url(URL);
    let builder =
        Registry::builder(secrets).with::<P>().settings(P::NAME, settings).store(MemoryStore::new(10));
    forbidden.check(&builder);
    let registry = builder.build().unwrap();
    let found = registry.find(P::NAME, "tenant", tokio::time::sleep).await.unwrap();
    forbidden.check(&registry);
    forbidden.check(&found);
    forbidden.check_error(&registry.find(P::NAME, SECRET, tokio::time::sleep).await.unwrap_err());
    forbidden.check_error(&registry.find(SECRET, "tenant", tokio::time::sleep).await.unwrap_err());
}

#[tokio::test]
async fn no_public_type_shows_a_secret() {
    macro_rules! each {
        ($($module:ident => $provider:ident),* $(,)?) => { $(check::<provider::$provider>().await;)* };
    }
    for_each_provider!(each);
}

#[test]
fn no_error_shows_a_secret_or_a_payload() {
    let forbidden = Forbidden(vec![SECRET.to_owned()]);
    forbidden.check_error(&Secret::new("").unwrap_err());
    forbidden.check_error(&Secrets::new([]).unwrap_err());
    let misfit = serde_json::from_str::<Json>(&format!(r#"{{"a":"{SECRET}"}}"#))
        .unwrap()
        .parse::<Vec<u8>>()
        .unwrap_err();
    forbidden.check_error(&misfit);
    let signer = Signer::<Raaft>::new(&Secret::new(format!("{SECRET}\n")).unwrap());
    forbidden.check_error(&signer.sign("", Timestamp::from_unix_seconds(0)).unwrap_err());
    forbidden.check(&Answer::store_failed(&StoreError::Fenced));
    forbidden.check(&Key::new("retake", "", [SECRET]));
}

#[test]
fn every_error_has_its_kind_and_says_what_to_change() {
    assert!(ConfigError::BlankSecret.to_string().contains("set it to"));
    let kinds = [
        (VerifyError::MissingHeader { name: "x".into() }, VerifyErrorKind::MissingHeader, 400),
        (VerifyError::RepeatedHeader { name: "x".into() }, VerifyErrorKind::RepeatedHeader, 400),
        (
            VerifyError::MalformedHeader { name: "x".into(), reason: "y" },
            VerifyErrorKind::MalformedHeader,
            400,
        ),
        (VerifyError::TimestampRequired { name: "x".into() }, VerifyErrorKind::TimestampRequired, 400),
        (VerifyError::BodyCutOff, VerifyErrorKind::BodyCutOff, 400),
        (VerifyError::WrongSignature, VerifyErrorKind::Signature, 401),
        (VerifyError::WrongToken, VerifyErrorKind::Signature, 401),
        (VerifyError::Stale { age_seconds: 2, tolerance_seconds: 1 }, VerifyErrorKind::Timestamp, 401),
        (VerifyError::Future { ahead_seconds: 2, tolerance_seconds: 1 }, VerifyErrorKind::Timestamp, 401),
        (VerifyError::ForbiddenBody { reason: "y" }, VerifyErrorKind::Forbidden, 401),
        (VerifyError::Contradiction { name: "x".into() }, VerifyErrorKind::Forbidden, 401),
        (VerifyError::MissingParameter { name: "x".into() }, VerifyErrorKind::Handshake, 403),
        (VerifyError::RepeatedParameter { name: "x".into() }, VerifyErrorKind::Handshake, 403),
        (VerifyError::MalformedParameter { name: "x".into(), reason: "y" }, VerifyErrorKind::Handshake, 403),
        (VerifyError::WrongVerifyToken, VerifyErrorKind::Handshake, 403),
        (VerifyError::NoVerifyToken { name: "x".into() }, VerifyErrorKind::Handshake, 403),
        (VerifyError::NoHandshake, VerifyErrorKind::Method, 405),
        (VerifyError::WrongEndpoint, VerifyErrorKind::WrongEndpoint, 500),
        (VerifyError::BodyTooSlow, VerifyErrorKind::BodyTooSlow, 408),
        (VerifyError::BodyTooLarge { limit: 1 }, VerifyErrorKind::BodyTooLarge, 413),
    ];
    for (error, kind, status) in kinds {
        assert_eq!(error.kind(), kind);
        let answer = Answer::refused(&error);
        assert_eq!((answer.outcome(), answer.status()), (Outcome::Refused(kind), status));
        assert_eq!(answer.reason(), Some(&*error.to_string()));
        assert!(!answer.problem().unwrap().contains(&error.to_string()));
    }
    let misfit = EventError::NotJson { reason: "eof".to_owned() };
    assert_eq!(
        (Answer::misfit(&misfit).status(), Answer::store_failed(&StoreError::Full { limit: 1 }).status()),
        (500, 503)
    );
    assert_eq!(Answer::of_response(202, None, Retake::RETRIES).problem(), None);
}
