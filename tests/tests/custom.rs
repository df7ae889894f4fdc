//! Providers by description, over real HTTP: under axum and under actix-web as the built-in ones.

#![allow(clippy::unwrap_used, reason = "a test tells what it found by panicking")]

use base64ct::{Base64, Encoding as _};
use countersign::{
    ConfigError, Description, MemoryStore, Provider, Receiver, Secret, Verifier, VerifyErrorKind,
    dedupe::{KeyPart, KeyRule},
    provider::{Custom, Discord, Dropbox, Meta, Payload, Slack, Source, WhatsApp, Zoom},
    scheme::Scheme,
};
use countersign_tests::{
    client::Request,
    handler::{Behaviour, Handler},
    server::Framework,
};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

const URL: &str = "https://example.com/webhooks/acme?tenant=7";
const BODY: &str = r#"{"event":{"type":"order.paid"},"amount":7}"#;

/// The method, the URL, the body and a timestamp in milliseconds are signed, as HubSpot does it.
const ACME: &str = r#"
name = "acme"
id = { header = "X-Acme-Id" }
kind = { body = "event.type" }
public_url = "https://example.com/webhooks/acme?tenant=7"
dedupe = [["body"], [{ field = "event.id" }]]
retries = { on = "any-failure", within = 86400 }

[[scheme]]
algorithm = "hmac-sha256"
header = "X-Acme-Signature"
encoding = "base64"
timestamp = { source = { header = "X-Acme-Time" }, format = "unix-millis" }
tolerance = 60
signs = "{method}{url}{body}{timestamp}"
"#;

#[derive(Debug, serde::Deserialize)]
struct Order {
    amount: u32,
}

fn acme() -> Description {
    toml::from_str(ACME).unwrap()
}

fn secret() -> Secret {
    Secret::new("acme's secret").unwrap()
}

/// By the book, and not by `Signer`.
fn signed(url: &str, body: &str) -> Vec<(String, String)> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    let mac = Hmac::<Sha256>::new_from_slice(b"acme's secret").unwrap();
    let digest = mac.chain_update(format!("POST{url}{body}{now}")).finalize().into_bytes();
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    vec![
        pair("X-Acme-Signature", &Base64::encode_string(&digest)),
        pair("X-Acme-Time", &now.to_string()),
        pair("X-Acme-Id", "evt_1"),
    ]
}

fn receiver<T: Payload>() -> Receiver<Custom<T>> {
    Receiver::custom(acme(), secret()).store(MemoryStore::new(100)).build().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_described_provider_is_served_as_the_built_in_ones() {
    let (delivery, order) = {
        let verifier = Verifier::<Custom<Order>>::custom(acme(), secret()).unwrap();
        let now = std::time::SystemTime::now().into();
        let delivery = verifier.verify(&signed(URL, BODY), BODY, now).unwrap();
        let order = delivery.event().unwrap();
        (delivery, order)
    };
    assert_eq!((delivery.provider(), delivery.id().as_deref()), ("acme", Some("evt_1")));
    assert_eq!((order.kind.as_deref(), order.payload.amount), (Some("order.paid"), 7));
    for framework in Framework::ALL {
        let handler = Handler::new(Behaviour::Answer(200));
        let address = framework.serve(receiver::<Order>(), handler.clone()).await;
        for path in ["/webhook", "/nested/layered/webhook", "/scoped/webhook"] {
            let request = Request::post(path, &signed(URL, BODY), BODY.as_bytes());
            assert_eq!(request.send(address).await.status, 200, "{framework:?} {path}");
        }
        let seen = r#"Generic { kind: Some("order.paid"), payload: Order { amount: 7 } }"#;
        assert_eq!(handler.seen(), [seen], "{framework:?}");
        let tampered = Request::post("/webhook", &signed(URL, BODY), BODY.replace('7', "8").as_bytes());
        assert_eq!(tampered.send(address).await.status, 401, "{framework:?}");
        // Its own status where the provider tries again on any failure.
        handler.behave(Behaviour::Answer(404));
        let other = BODY.replace('7', "9");
        let mut headers = signed(URL, &other);
        headers.pop();
        let failing = Request::post("/webhook", &headers, other.as_bytes());
        assert_eq!(failing.send(address).await.status, 404, "{framework:?}");
        let misfit = r#"{"event":{"type":"order.paid"},"amount":"7"}"#;
        headers = signed(URL, misfit);
        headers.pop();
        assert_eq!(Request::post("/webhook", &headers, misfit.as_bytes()).send(address).await.status, 500);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_signed_url_is_the_configured_one_whatever_the_request_says() {
    let theirs = "https://evil.example/webhooks/acme?tenant=7";
    for framework in Framework::ALL {
        let handler = Handler::new(Behaviour::Answer(200));
        let address = framework.serve(receiver::<Order>(), handler.clone()).await;
        let said = [
            ("X-Forwarded-Host", "evil.example"),
            ("X-Forwarded-Proto", "https"),
            ("X-Forwarded-Prefix", "/"),
            ("Forwarded", "host=evil.example;proto=https"),
            ("X-Original-URL", theirs),
            ("X-Rewrite-URL", theirs),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let with = |url| [signed(url, BODY), said.to_vec()].concat();
        let forged = Request::post("/webhook", &with(theirs), BODY.as_bytes());
        assert_eq!(forged.send(address).await.status, 401, "{framework:?}");
        let genuine = Request::post("/webhook", &with(URL), BODY.as_bytes());
        assert_eq!(genuine.send(address).await.status, 200, "{framework:?}");
        assert_eq!(handler.runs(), 1, "{framework:?}");
    }
}

#[test]
fn another_method_than_the_signed_one_is_refused() {
    let verifier = Verifier::<Custom>::custom(acme(), secret()).unwrap();
    assert!(verifier.check_method("POST").is_ok());
    for method in ["PUT", "GET", "post", ""] {
        let error = verifier.check_method(method).unwrap_err();
        assert_eq!(error.kind(), VerifyErrorKind::Method, "{method}");
    }
    let put = Verifier::<Custom>::custom_builder(acme(), secret()).method("PUT").build().unwrap();
    assert!(put.check_method("PUT").is_ok() && put.check_method("POST").is_err());
}

#[test]
fn rules_that_were_given_stay_whatever_is_said_of_the_id_and_in_whatever_order() {
    let check = |acme: Description, rules: &str| {
        assert_eq!(serde_json::to_value(&acme).unwrap()["dedupe"].to_string(), rules, "{acme:?}");
    };
    let (fresh, object) =
        (|| Description::new("acme", [Scheme::hmac_sha256("x-acme-signature")]), || Source::body("data.id"));
    let by_body = || [KeyRule::of(&[KeyPart::Body])];
    check(fresh().id(object()), r#"[{"of":["id"],"or":["body"]}]"#);
    check(fresh().id(object()).dedupe(by_body()), r#"[["body"]]"#);
    check(fresh().dedupe(by_body()).id(object()), r#"[["body"]]"#);
}

#[test]
fn without_the_url_there_is_no_verifier() {
    let text = ACME.replace("public_url", "#");
    let nowhere: Description = toml::from_str(&text).unwrap();
    let error = Verifier::<Custom>::custom(nowhere.clone(), secret()).unwrap_err();
    assert!(matches!(&error, ConfigError::NoPublicUrl { provider } if provider == "acme"), "{error}");
    assert!(Verifier::<Custom>::custom_builder(nowhere, secret()).public_url(URL).build().is_ok());
    for url in
        ["", "example.com/x", "ftp://example.com", "https://", "https://example.com/a b", "https://é.example"]
    {
        let builder = Verifier::<Custom>::custom_builder(acme(), secret());
        assert!(builder.public_url(url).build().is_err(), "{url}");
    }
}

const SLACK: &str = r#"
name = "slack"
[[scheme]]
algorithm = "hmac-sha256"
header = "X-Slack-Signature"
grammar = { prefix = "v0=" }
timestamp = { source = { header = "X-Slack-Request-Timestamp" }, format = "unix-seconds" }
signs = "v0:{timestamp}:{body}"
[[handshake]]
body = { field = "type", value = "url_verification", reply = { echo = "challenge" } }
"#;

const ZOOM: &str = r#"
name = "zoom"
[[scheme]]
algorithm = "hmac-sha256"
header = "x-zm-signature"
grammar = { prefix = "v0=" }
timestamp = { source = { header = "x-zm-request-timestamp" }, format = "unix-seconds" }
signs = "v0:{timestamp}:{body}"
[[handshake]]
body = { field = "event", value = "endpoint.url_validation", reply = { hmac-sha256 = { token = "payload.plainToken", name = "encryptedToken" } } }
"#;

const DISCORD: &str = r#"
name = "discord"
[[scheme]]
algorithm = "ed25519"
header = "X-Signature-Ed25519"
key = "hex"
timestamp = { source = { header = "X-Signature-Timestamp" }, format = "unix-seconds" }
signs = "{timestamp}{body}"
[[handshake]]
body = { field = "type", value = "1", without = "event", reply = { json = '{"type":1}' } }
[[handshake]]
body = { field = "type", value = "0", without = "event", reply = "no-content" }
"#;

const META: &str = r#"
name = "meta"
[[scheme]]
algorithm = "hmac-sha256"
header = "X-Hub-Signature-256"
grammar = { prefix = "sha256=" }
[[handshake]]
query = { echo = "hub.challenge", mode = { name = "hub.mode", value = "subscribe" }, token = "hub.verify_token" }
"#;

const DROPBOX: &str = r#"
name = "dropbox"
[[scheme]]
algorithm = "hmac-sha256"
header = "X-Dropbox-Signature"
[[handshake]]
query = { echo = "challenge" }
"#;

/// A description that says nothing but how the provider signs and asks.
fn check_handshakes<P: Provider>(text: &str) {
    let described: Description = toml::from_str(text).unwrap();
    // A public key, since one of them needs one.
    let secret = Secret::new("03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8").unwrap();
    let built_in = Verifier::<P>::new(secret).unwrap();
    assert_eq!(described.handshakes(), built_in.description().handshakes(), "{}", P::NAME);
    let written = toml::to_string(&described).unwrap();
    assert_eq!(toml::from_str::<Description>(&written).unwrap(), described, "{written}");
}

#[test]
fn a_description_has_the_handshakes_of_the_provider_that_is_built_in() {
    check_handshakes::<Slack>(SLACK);
    check_handshakes::<Zoom>(ZOOM);
    check_handshakes::<Discord>(DISCORD);
    check_handshakes::<Meta>(META);
    check_handshakes::<WhatsApp>(META);
    check_handshakes::<Dropbox>(DROPBOX);
}

#[test]
fn a_description_whose_handshake_is_unsafe_is_refused() {
    for (text, from, to, problem) in [
        (
            ZOOM,
            "\"hmac-sha256\"\nheader",
            "\"hmac-sha512\"\nheader",
            "handshake[0].body.reply: each scheme must be",
        ),
        (META, "token = \"hub.verify_token\"", "token = \"hub.mode\"", "handshake[0].query.token"),
        (META, "echo =", "echoed = 1, echo =", "unknown field"),
        (
            DISCORD,
            r#"'{"type":1}'"#,
            r#"'{"type"}'"#,
            "handshake[0].body.reply: a fixed reply is a JSON object",
        ),
        (DISCORD, "without", "with", "unknown field"),
    ] {
        let error = toml::from_str::<Description>(&text.replace(from, to)).unwrap_err().to_string();
        assert!(error.contains(problem), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_says_when_to_try_again_where_the_provider_needs_that() {
    let text = ACME.replace(r#"{ on = "any-failure", within = 86400 }"#, r#"{ on = "unavailable" }"#);
    let patient: Description = toml::from_str(&text).unwrap();
    for framework in Framework::ALL {
        for (behaviour, body, status) in [
            (Behaviour::Answer(500), BODY, 503),
            (Behaviour::Answer(404), BODY, 503),
            (Behaviour::Answer(429), BODY, 429),
            (Behaviour::Answer(503), BODY, 503),
            (Behaviour::Panic, BODY, 503),
            (Behaviour::Answer(200), r#"{"amount":"7"}"#, 503),
        ] {
            let store = MemoryStore::new(100);
            let receiver = Receiver::<Custom<Order>>::custom(patient.clone(), secret()).store(store).build();
            let address = framework.serve(receiver.unwrap(), Handler::new(behaviour.clone())).await;
            for path in ["/webhook", "/scoped/webhook"] {
                let reply = Request::post(path, &signed(URL, body), body.as_bytes()).send(address).await;
                let told = (reply.status, reply.header("retry-after").is_some());
                assert_eq!(told, (status, true), "{framework:?} {path} {behaviour:?}");
            }
        }
    }
}
