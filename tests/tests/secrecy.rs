//! Nothing that is printed holds a secret, an expected signature or a body: every public type is formatted and searched.

use std::fmt::Debug;

use countersign::{
    Admission, Answer, ConfigError, Description, EventError, FixedSecrets, MemoryStore, Outcome,
    PostgresStore, Provider, Receiver, RedisStore, Registry, Secret, Secrets, Settings, Signer, StoreError,
    TenantSecrets, Timestamp, TimestampFormat, Verifier, VerifyError, VerifyErrorKind, actix, axum,
    dedupe::Key,
    event::Json,
    for_each_provider,
    provider::{self, Custom, Raaft, Retake, Slack},
};
use countersign_tests::book::{self, Content, Keys};

const SECRET: &str = "s3cr3t-v4lue";
const URL: &str = "https://example.com/webhook";
const BODY: &str = r#"{"webhookTimestamp":1705689600000,"meta":{"timestamp":"2024-01-19T18:40:00Z","klaviyo_webhook_id":"id"},"event":"trial.expired","type":"invoice.paid","outcome":"saved","data":{"userId":"pr1vate"}}"#;

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
                _ if scheme.template().contains("{header:") => format(&TimestampFormat::ImfFixdate),
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
    let headers: Vec<_> = headers.iter().chain([("x-note", "pr1vate"), ("cookie", "pr1vate")]).collect();

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
    match admitted.webhook() {
        Ok(webhook) => forbidden.check(&webhook),
        Err(error) => {
            forbidden.check_error(&error);
            forbidden.check(&Answer::misfit(&error));
        }
    }
    forbidden.check(&axum::Verified(delivery.clone()));
    forbidden.check(&actix::Verified(delivery.clone()));
    if let Ok(webhook) = axum::Webhook::try_from(delivery.clone()) {
        forbidden.check(&webhook);
    }
    if let Ok(webhook) = actix::Webhook::try_from(delivery.clone()) {
        forbidden.check(&webhook);
    }
    forbidden.check(&axum::WebhookLayer::new(receiver.clone()));
    forbidden.check(&actix::WebhookMiddleware::new(receiver.clone()));
    forbidden.check(&receiver.admit(delivery, tokio::time::sleep).await.unwrap());

    let secrets = FixedSecrets::new().with(P::NAME, "tenant", &public);
    forbidden.check(&secrets);
    forbidden.check(&TenantSecrets::new("tenant", &public));
    let settings = Settings::new().public_url(URL);
    let builder =
        Registry::builder(secrets).with::<P>().settings(P::NAME, settings).store(MemoryStore::new(10));
    forbidden.check(&builder);
    let registry = builder.build().unwrap();
    let found = registry.find(P::NAME, "tenant", tokio::time::sleep).await.unwrap();
    forbidden.check(&registry);
    forbidden.check(&found);
    forbidden.check(&axum::RegistryLayer::new(registry.clone()));
    forbidden.check(&actix::RegistryMiddleware::new(registry.clone()));
    forbidden.check_error(&registry.find(P::NAME, SECRET, tokio::time::sleep).await.unwrap_err());
    forbidden.check_error(&registry.find(SECRET, "tenant", tokio::time::sleep).await.unwrap_err());
}

/// Every public type that can hold a payload, a secret or a token, over a delivery that is full of them.
/// Typed events and what they are made of (`Json`, `Extra`, `Generic`, `Unknown` and the like) are the
/// exception: they are there to be read.
#[tokio::test]
async fn no_public_type_shows_a_secret_or_a_payload() {
    macro_rules! each {
        ($($module:ident => $provider:ident),* $(,)?) => { $(check::<provider::$provider>().await;)* };
    }
    for_each_provider!(each);
}

#[test]
fn no_rejection_reply_or_answer_shows_a_payload() {
    let forbidden = Forbidden(vec![SECRET.to_owned(), "pr1vate".to_owned(), "ch4llenge".to_owned()]);
    let (secret, now) = (Secret::new(SECRET).unwrap(), Timestamp::from_unix_seconds(0));
    let delivery = |description: &Description, body: &str| {
        let headers =
            Signer::<Custom>::custom(description.clone(), &secret).unwrap().sign(body, now).unwrap();
        Verifier::<Custom>::custom(description.clone(), &secret).unwrap().verify(&headers, body, now).unwrap()
    };
    let misfit = r#"{"event":"trial.expired","data":{"userId":{"pr1vate":"pr1vate"},"pr1vate":"pr1vate"}}"#;
    let misfit = delivery(Verifier::<Retake>::new(&secret).unwrap().description(), misfit);
    let rejection = axum::Webhook::try_from(misfit.clone()).unwrap().of::<Retake>().unwrap().unwrap_err();
    forbidden.check_error(&rejection);
    forbidden.check(rejection.answer());
    let rejection = actix::Webhook::try_from(misfit).unwrap().of::<Retake>().unwrap().unwrap_err();
    forbidden.check_error(&rejection);
    forbidden.check(rejection.answer());

    let question = r#"{"type":"url_verification","token":"pr1vate","challenge":"ch4llenge"}"#;
    let question = delivery(Verifier::<Slack>::new(&secret).unwrap().description(), question);
    let reply = question.reply().unwrap();
    assert_eq!(reply.body(), "ch4llenge");
    forbidden.check(&question);
    forbidden.check(&reply);
    forbidden.check(&Answer::handshake(Ok(reply)));
}

#[tokio::test]
async fn no_store_shows_what_it_connects_with() {
    let forbidden = Forbidden(vec![SECRET.to_owned()]);
    let builder = RedisStore::builder(format!("redis://user:{SECRET}@127.0.0.1:1"))
        .client_certificate(SECRET, SECRET)
        .root_certificates(SECRET);
    forbidden.check(&builder);
    forbidden.check_error(&builder.connect().await.unwrap_err());
    for url in [format!("postgres://user:{SECRET}@127.0.0.1:1/db"), format!("postgres://user:{SECRET}@[")] {
        let builder = PostgresStore::builder(&url);
        forbidden.check(&builder);
        forbidden.check_error(&builder.connect().await.unwrap_err());
    }
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
