//! Providers by description, over real HTTP: under axum and under actix-web as the built-in ones.

#![allow(clippy::unwrap_used, reason = "a test tells what it found by panicking")]

use base64ct::{Base64, Encoding as _};
use countersign::{
    ConfigError, Description, MemoryStore, Receiver, Secret, Verifier, VerifyErrorKind,
    provider::{Custom, Payload},
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
dedupe = [["body"], ["id"]]
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
