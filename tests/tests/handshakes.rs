//! How providers ask whether an endpoint is yours: the documented requests, over real HTTP under axum and under actix-web.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test tells what it found by panicking")]

use std::{net::SocketAddr, time::Duration};

use countersign::{
    Clock, ConfigError, MemoryStore, Outcome, Provider, Receiver, ReceiverBuilder, Secret, Secrets, Signer,
    Timestamp, Verifier, VerifyErrorKind,
    provider::{Discord, Dropbox, Intercom, Meta, Retake, Slack, Twitch, Zoom},
};
use countersign_tests::{
    client::{Reply, Request},
    handler::{Behaviour, Handler},
    server::Framework,
    told::{Fault, Told},
};

const NOW: Timestamp = Timestamp::from_unix_seconds(1_705_314_600);

/// It is always the time of the requests.
struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        NOW
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
}

fn secret(text: &str) -> Secret {
    Secret::new(text).unwrap()
}

/// A receiver whose store panics when it is asked anything.
fn receiver<P: Provider>(secrets: impl Into<Secrets>) -> ReceiverBuilder<P> {
    let untouched = Told::new(MemoryStore::new(10), |_, _: &_| Fault::Panics);
    Receiver::builder(secrets).store(untouched).clock(Fixed)
}

/// The receiver under each framework.
async fn each<P: Provider, F>(
    receiver: impl Fn() -> ReceiverBuilder<P>,
    check: impl Fn(Framework, SocketAddr, Handler) -> F,
) where
    F: Future<Output = ()>,
{
    for framework in Framework::ALL {
        let handler = Handler::new(Behaviour::Answer(200));
        let address = framework.serve(receiver().build().unwrap(), handler.clone()).await;
        check(framework, address, handler).await;
    }
}

fn pairs(headers: &[(&str, &str)]) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn signed<P: Provider>(secret: &Secret, at: Timestamp, body: &str) -> Vec<(String, String)> {
    let headers = Signer::<P>::new(secret).sign(body, at).unwrap();
    pairs(&headers.iter().collect::<Vec<_>>())
}

/// Every way to put a receiver around a route.
const POSTED: [&str; 3] = ["/webhook", "/nested/layered/webhook", "/scoped/webhook"];
/// Those that a `GET` reaches.
const ASKED: [&str; 2] = ["/webhook", "/scoped/webhook"];

fn assert_reply(reply: &Reply, content_type: &str, body: &str) {
    assert_eq!((reply.status, &*reply.body), (200, body), "{reply:?}");
    assert_eq!(reply.header("content-type"), Some(content_type), "{reply:?}");
    assert_eq!(reply.header("x-content-type-options"), Some("nosniff"), "{reply:?}");
}

fn assert_problem(reply: &Reply, status: u16) {
    assert_eq!(reply.status, status, "{reply:?}");
    assert_eq!(reply.header("content-type"), Some("application/problem+json"), "{reply:?}");
    assert!(reply.body.starts_with(r#"{"type":"about:blank","title":""#), "{reply:?}");
}

/// What a framework itself answers on a route that has not the method.
fn no_such_method(framework: Framework) -> u16 {
    match framework {
        Framework::Axum => 405,
        Framework::Actix => 404,
    }
}

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";

// <https://docs.slack.dev/reference/events/url_verification>; signed with Python's hmac, under the secret of the page on
// verifying requests.
const SLACK_SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
const SLACK_BODY: &str = r#"{"token":"Jhj5dZrVaK7ZwHHjRyZWjbDl","challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P","type":"url_verification"}"#;
const SLACK_HEADERS: [(&str, &str); 2] = [
    ("X-Slack-Signature", "v0=94706e2aaef43190b32aa6f68f0661ecde19714d4c8f7664feda1675da128cc6"),
    ("X-Slack-Request-Timestamp", "1705314600"),
];

#[tokio::test(flavor = "multi_thread")]
async fn slack_gets_its_challenge_back() {
    each(
        || receiver::<Slack>(secret(SLACK_SECRET)),
        async |_, address, handler| {
            for path in POSTED {
                for _ in 0..2 {
                    let request = Request::post(path, &pairs(&SLACK_HEADERS), SLACK_BODY.as_bytes());
                    let challenge = "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P";
                    assert_reply(&request.send(address).await, TEXT, challenge);
                }
            }
            assert_eq!(handler.runs(), 0);
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_that_is_not_genuine_is_refused_and_never_answered() {
    each(
        || receiver::<Slack>(secret(SLACK_SECRET)),
        async |framework, address, handler| {
            let stale = Timestamp::from_unix_seconds(1_705_314_600 - 301);
            for (headers, status) in [
                (Vec::new(), 400),
                (signed::<Slack>(&secret("another"), NOW, SLACK_BODY), 401),
                (signed::<Slack>(&secret(SLACK_SECRET), NOW, "{}"), 401),
                (signed::<Slack>(&secret(SLACK_SECRET), stale, SLACK_BODY), 401),
            ] {
                for path in POSTED {
                    let reply = Request::post(path, &headers, SLACK_BODY.as_bytes()).send(address).await;
                    assert_problem(&reply, status);
                    assert!(!reply.body.contains("3eZbrw1aBm2r"), "{framework:?}");
                }
            }
            // What is asked by a POST is not asked by a GET.
            let get = Request::with_method("GET", "/webhook?challenge=3eZbrw1aBm2r", &[]).send(address).await;
            assert_eq!((get.status, &*get.body), (no_such_method(framework), ""));
            assert_eq!(handler.runs(), 0);
        },
    )
    .await;
}

// <https://developers.zoom.us/docs/api/webhooks/#validate-your-webhook-endpoint>, whose secret is not published; the digest is
// that of another project's tests, under their secret. Signed with Python's hmac.
const ZOOM_SECRET: &str = "secretValueTest";
const ZOOM_BODY: &str = r#"{"payload":{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"},"event_ts":1654503849680,"event":"endpoint.url_validation"}"#;
const ZOOM_HEADERS: [(&str, &str); 2] = [
    ("x-zm-signature", "v0=f4e18bf28a54ce0eea6baeb1b9ef434a6b831312e7639d609a8d2d3298a6893d"),
    ("x-zm-request-timestamp", "1705314600"),
];
const ZOOM_REPLY: &str = r#"{"plainToken":"qgg8vlvZRS6UYooatFL8Aw","encryptedToken":"70c1f2e2e6ca2d39297490d1f9142c7d701415ea8e6151f6562a08fa657a40ff"}"#;

#[tokio::test(flavor = "multi_thread")]
async fn zoom_gets_its_token_and_the_digest_under_the_secret_that_signed() {
    let one = || Secrets::from(secret(ZOOM_SECRET));
    let rotating =
        || Secrets::new([secret("the new secret"), secret(ZOOM_SECRET), secret(ZOOM_SECRET)]).unwrap();
    for secrets in [one, rotating] {
        each(
            || receiver::<Zoom>(secrets()),
            async |_, address, handler| {
                for path in POSTED {
                    let request = Request::post(path, &pairs(&ZOOM_HEADERS), ZOOM_BODY.as_bytes());
                    assert_reply(&request.send(address).await, JSON, ZOOM_REPLY);
                }
                let unsigned = Request::post("/webhook", &[], ZOOM_BODY.as_bytes()).send(address).await;
                assert_problem(&unsigned, 400);
                let forged = signed::<Zoom>(&secret("another"), NOW, ZOOM_BODY);
                assert_problem(
                    &Request::post("/webhook", &forged, ZOOM_BODY.as_bytes()).send(address).await,
                    401,
                );
                assert_eq!(handler.runs(), 0);
            },
        )
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_without_what_is_to_be_sent_back_is_a_delivery() {
    let payloads = [
        r#"{}"#,
        r#"{"plainToken":7}"#,
        r#"{"plainToken":null}"#,
        r#"{"plainToken":""}"#,
        r#"{"plainToken":"a b"}"#,
        r#"{"plainToken":"v0:1705314600:[]"}"#,
        r#"["qgg8vlvZRS6UYooatFL8Aw"]"#,
    ];
    let validations = payloads.map(|p| format!(r#"{{"event":"endpoint.url_validation","payload":{p}}}"#));
    let others = [
        r#"{"event":"meeting.ended","payload":{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"}}"#,
        r#"{"event":"x","payload":{"event":"endpoint.url_validation","plainToken":"qgg8vlvZRS6UYooatFL8Aw"}}"#,
    ];
    let bodies = [&validations[..], &others.map(str::to_owned)].concat();
    each(
        || receiver::<Zoom>(secret(ZOOM_SECRET)).store(MemoryStore::new(10)),
        async |framework, address, handler| {
            for body in &bodies {
                let headers = signed::<Zoom>(&secret(ZOOM_SECRET), NOW, body);
                let reply = Request::post("/webhook", &headers, body.as_bytes()).send(address).await;
                assert_eq!((reply.status, &*reply.body), (200, ""), "{framework:?}: {body}");
            }
            assert_eq!(handler.runs(), bodies.len(), "{framework:?}");
        },
    )
    .await;
    // Slack's has a type, which it does not fit.
    each(
        || receiver::<Slack>(secret(SLACK_SECRET)).store(MemoryStore::new(10)),
        async |_, address, handler| {
            let body = r#"{"type":"url_verification"}"#;
            let headers = signed::<Slack>(&secret(SLACK_SECRET), NOW, body);
            assert_problem(&Request::post("/webhook", &headers, body.as_bytes()).send(address).await, 500);
            assert_eq!(handler.runs(), 0);
        },
    )
    .await;
}

#[test]
fn no_reply_is_a_signature() {
    let content = r#"v0:1705314600:{\"event\":\"meeting.ended\"}"#;
    let body = format!(r#"{{"event":"endpoint.url_validation","payload":{{"plainToken":"{content}"}}}}"#);
    let verifier = Verifier::<Zoom>::new(secret(ZOOM_SECRET)).unwrap();
    let headers = signed::<Zoom>(&secret(ZOOM_SECRET), NOW, &body);
    assert_eq!(verifier.verify(&headers, &body, NOW).unwrap().reply(), None);
}

// <https://docs.discord.com/developers/interactions/overview> and <https://docs.discord.com/developers/events/webhook-events>,
// signed with Python's cryptography, under a key of the bytes from 0 to 31.
const DISCORD_KEY: &str = "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8";
const DISCORD_PRIVATE_KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const DISCORD_PING: &str = r#"{"app_permissions":"562949953601536","application_id":"1234560123453231555","id":"1309112315525992459","token":"unique_interaction_token","type":1,"user":{"id":"643945264868098049","username":"discord"},"version":1}"#;
const DISCORD_PING_SIGNATURE: &str = "beeee6bc9c7d5e6b3db4ab622fb033ba3140edc79acd41f008c9c822f90893c7d2106ccfe9e3922b8857455403ed6b904462a81993fb770ecf4d49efdc0b8308";
const DISCORD_PING_OF_EVENTS: &str = r#"{"version":1,"application_id":"1234560123453231555","type":0}"#;
const DISCORD_PING_OF_EVENTS_SIGNATURE: &str = "0dfa54cdd91ac1f2041395d021bd75f7cf58c9843b81f933e003f759ef5cdfbfa0232ca7c71ffb954a573877419b1e3abe7fe9935e88088b780a4aed16db6109";
const DISCORD_EVENT: &str = r#"{"version":1,"application_id":"1234560123453231555","type":1,"event":{"type":"APPLICATION_DEAUTHORIZED","timestamp":"2024-10-18T14:42:53.064834","data":{"user":{}}}}"#;

#[tokio::test(flavor = "multi_thread")]
async fn discord_gets_its_pong_and_its_events_reach_the_handler() {
    let ours = secret(DISCORD_PRIVATE_KEY);
    each(
        || receiver::<Discord>(secret(DISCORD_KEY)),
        async |framework, address, handler| {
            for (body, signature) in [
                (DISCORD_PING, DISCORD_PING_SIGNATURE),
                (DISCORD_PING_OF_EVENTS, DISCORD_PING_OF_EVENTS_SIGNATURE),
            ] {
                let theirs = [("X-Signature-Ed25519", signature), ("X-Signature-Timestamp", "1705314600")];
                for headers in [pairs(&theirs), signed::<Discord>(&ours, NOW, body)] {
                    for path in POSTED {
                        let reply = Request::post(path, &headers, body.as_bytes()).send(address).await;
                        match body {
                            DISCORD_PING => assert_reply(&reply, JSON, r#"{"type":1}"#),
                            _ => {
                                assert_eq!(
                                    (reply.status, &*reply.body),
                                    (204, ""),
                                    "{framework:?}: {reply:?}"
                                );
                                assert_eq!(reply.header("content-type"), Some(JSON), "{framework:?}");
                            }
                        }
                    }
                }
                // As Discord does, to see whether the signature is looked at.
                assert_problem(&Request::post("/webhook", &[], body.as_bytes()).send(address).await, 400);
                let wrong = signed::<Discord>(&ours, NOW, "{}");
                assert_problem(&Request::post("/webhook", &wrong, body.as_bytes()).send(address).await, 401);
            }
            assert_eq!(handler.runs(), 0, "{framework:?}");
        },
    )
    .await;
    each(
        || receiver::<Discord>(secret(DISCORD_KEY)).store(MemoryStore::new(10)),
        async |framework, address, handler| {
            let headers = signed::<Discord>(&ours, NOW, DISCORD_EVENT);
            let reply = Request::post("/webhook", &headers, DISCORD_EVENT.as_bytes()).send(address).await;
            assert_eq!((reply.status, handler.runs()), (204, 1), "{framework:?}: its type is 1 as well");
        },
    )
    .await;
}

// <https://developers.facebook.com/docs/graph-api/webhooks/getting-started>
const META_QUERY: &str = "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=meatyhamhock";

fn meta() -> ReceiverBuilder<Meta> {
    receiver::<Meta>(secret("the app's secret")).verify_token(secret("meatyhamhock"))
}

async fn get(address: SocketAddr, path: &str, query: &str) -> Reply {
    Request::with_method("GET", &format!("{path}?{query}"), &[]).send(address).await
}

#[tokio::test(flavor = "multi_thread")]
async fn meta_gets_its_challenge_back_for_the_verify_token() {
    each(meta, async |framework, address, handler| {
        for path in ASKED {
            assert_reply(&get(address, path, META_QUERY).await, TEXT, "1158201444");
            for query in [
                "",
                "hub.mode=subscribe&hub.challenge=1158201444",
                "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=",
                "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=meatyhamhoc",
                "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=meatyhamhock%00",
                "hub.mode=subscribe&hub.challenge=1&hub.verify_token=meatyhamhock&hub.verify_token=x",
                "hub.mode=subscribe&hub.challenge=1&hub.challenge=2&hub.verify_token=meatyhamhock",
                "hub.mode=unsubscribe&hub.challenge=1158201444&hub.verify_token=meatyhamhock",
                "hub.challenge=1158201444&hub.verify_token=meatyhamhock",
                "hub.mode=subscribe&hub.verify_token=meatyhamhock",
                "hub.mode=subscribe&hub.challenge=%3Cscript%3E&hub.verify_token=meatyhamhock",
                "hub.mode=subscribe&hub.challenge=%zz&hub.verify_token=meatyhamhock",
            ] {
                assert_problem(&get(address, path, query).await, 403);
            }
        }
        let head = Request::with_method("HEAD", &format!("/webhook?{META_QUERY}"), &[]).send(address).await;
        assert_eq!(head.status, no_such_method(framework), "{head:?}");
        assert_eq!(handler.runs(), 0, "{framework:?}");
    })
    .await;
    let unset = || receiver::<Meta>(secret("the app's secret"));
    each(unset, async |_, address, _| {
        assert_problem(&get(address, "/webhook", META_QUERY).await, 403);
        assert_problem(&get(address, "/webhook", "hub.mode=subscribe&hub.challenge=1").await, 403);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_route_that_takes_a_get_takes_deliveries_as_before() {
    each(
        || meta().store(MemoryStore::new(10)),
        async |framework, address, handler| {
            let body = r#"{"object":"user","entry":[]}"#;
            let headers = signed::<Meta>(&secret("the app's secret"), NOW, body);
            for _ in 0..2 {
                assert_eq!(
                    Request::post("/webhook", &headers, body.as_bytes()).send(address).await.status,
                    200
                );
            }
            // A query is no way around a signature.
            let unsigned = Request::post(&format!("/webhook?{META_QUERY}"), &[], body.as_bytes());
            assert_problem(&unsigned.send(address).await, 400);
            // Nor is a signature one around the token.
            let signed = Request::with_method("GET", "/webhook", &headers).send(address).await;
            assert_problem(&signed, 403);
            assert_eq!(handler.runs(), 1, "{framework:?}");
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_other_method_asks_and_a_body_does_not_help() {
    each(meta, async |framework, address, handler| {
        for path in ["/webhook", "/scoped/webhook"] {
            for method in ["HEAD", "OPTIONS", "PUT", "get"] {
                let asked = Request::with_method(method, &format!("{path}?{META_QUERY}"), &[]);
                let reply = asked.send(address).await;
                assert!((400..500).contains(&reply.status), "{framework:?}: {method} {path}: {reply:?}");
                assert!(!reply.body.contains("1158201444"), "{framework:?}: {method} {path}: {reply:?}");
            }
            let body = r#"{"object":"user","entry":[]}"#;
            let mut headers = signed::<Meta>(&secret("the app's secret"), NOW, body);
            headers.push(("content-length".to_owned(), body.len().to_string()));
            for (query, status) in [(META_QUERY, 200), ("hub.mode=subscribe", 403)] {
                let get = Request::with_method("GET", &format!("{path}?{query}"), &headers);
                assert_eq!(get.send(address).await.status, status, "{framework:?}: {path}?{query}");
            }
        }
        assert_eq!(handler.runs(), 0, "{framework:?}");
    })
    .await;
}

/// As Intercom does, to see whether there is an endpoint: <https://developers.intercom.com/docs/webhooks/setting-up-webhooks>.
#[tokio::test(flavor = "multi_thread")]
async fn a_route_of_ones_own_answers_a_head_beside_the_deliveries() {
    use countersign::{actix, axum::post};

    let receiver = Receiver::<Intercom>::builder(secret("the app's secret"));
    let receiver = receiver.store(MemoryStore::new(10)).build().unwrap();
    let head = Request::with_method("HEAD", "/webhook", &[]);
    let unsigned = Request::post("/webhook", &[], b"{}");

    let route = post(receiver.clone(), async || ()).head(async || ());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().route("/webhook", route)).await });
    assert_eq!((head.send(address).await.status, unsigned.send(address).await.status), (200, 400));

    let (sender, bound) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        use actix_web::{App, HttpResponse, HttpServer, rt, web};
        let app = move || {
            let webhook = web::resource("/webhook")
                .route(web::head().to(async || HttpResponse::Ok()))
                .route(actix::post(receiver.clone(), async || HttpResponse::Ok()));
            App::new().service(webhook)
        };
        rt::System::new().block_on(async move {
            let server = HttpServer::new(app).workers(1).disable_signals().bind("127.0.0.1:0").unwrap();
            sender.send(server.addrs()[0]).unwrap();
            server.run().await
        })
    });
    let address = bound.recv().unwrap();
    assert_eq!((head.send(address).await.status, unsigned.send(address).await.status), (200, 400));
}

// <https://www.dropbox.com/developers/reference/webhooks>
#[tokio::test(flavor = "multi_thread")]
async fn dropbox_gets_its_challenge_back_and_nothing_that_a_browser_could_run() {
    each(
        || receiver::<Dropbox>(secret("the app's secret")),
        async |framework, address, handler| {
            for path in ASKED {
                assert_reply(&get(address, path, "challenge=abc123").await, TEXT, "abc123");
                let long = "x".repeat(257);
                for challenge in
                    ["", "a%20b", "a+b", "%3Cb%3E", "%0d%0aset-cookie:a", "%C3%A9", "a&challenge=b", &long]
                {
                    assert_problem(&get(address, path, &format!("challenge={challenge}")).await, 403);
                }
                assert_problem(&get(address, path, "").await, 403);
            }
            assert_eq!(handler.runs(), 0, "{framework:?}");
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_without_a_handshake_has_no_get() {
    let retake = || Receiver::<Retake>::builder(secret("retake_secret")).store(MemoryStore::new(10));
    for framework in Framework::ALL {
        let address = framework.serve(retake().build().unwrap(), Handler::new(Behaviour::Answer(200))).await;
        let expected = no_such_method(framework);
        for method in ["GET", "HEAD"] {
            let reply = Request::with_method(method, "/webhook?challenge=abc123", &[]).send(address).await;
            assert_eq!((reply.status, &*reply.body), (expected, ""), "{framework:?}");
        }
    }
    let answer = retake().build().unwrap().handshake("challenge=abc123");
    assert_eq!((answer.outcome(), answer.status()), (Outcome::Refused(VerifyErrorKind::Method), 405));
    let unasked = retake().verify_token(secret("meatyhamhock")).build().unwrap_err();
    assert_eq!(unasked, ConfigError::NoVerifyToken { provider: "retake".to_owned() });
}

#[tokio::test]
async fn without_a_framework_the_answer_holds_the_reply() {
    let slack = receiver::<Slack>(secret(SLACK_SECRET)).build().unwrap();
    let handler = async |_| -> Result<(), &str> { panic!("a handshake is no event") };
    let answer = slack.handle(&SLACK_HEADERS[..], SLACK_BODY, NOW, tokio::time::sleep, handler).await;
    assert_eq!((answer.outcome(), answer.status(), answer.problem()), (Outcome::Handshake, 200, None));
    assert_eq!(answer.reply().unwrap().headers()[0], ("content-type", TEXT));
    assert!(!format!("{answer:?}").contains("3eZbrw1aBm2r"), "{answer:?}");

    let answer = meta().build().unwrap().handshake(META_QUERY);
    assert_eq!(
        (answer.outcome(), answer.reply().unwrap().body().as_ref()),
        (Outcome::Handshake, &b"1158201444"[..])
    );
    let unset = receiver::<Meta>(secret("the app's secret")).build().unwrap().handshake(META_QUERY);
    assert_eq!((unset.outcome(), unset.status()), (Outcome::Refused(VerifyErrorKind::Handshake), 403));
    assert!(unset.reason().unwrap().contains("add .verify_token(..)"), "{unset:?}");
    assert!(!format!("{unset:?}").contains("meatyhamhock"), "{unset:?}");
}

// <https://dev.twitch.tv/docs/eventsub/handling-webhook-events/#responding-to-a-challenge-request>, signed with Python's hmac.
const TWITCH_BODY: &str = r#"{"challenge":"pogchamp-kappa-360noscope-vohiyo","subscription":{"id":"f1c2a387-161a-49f9-a165-0f21d7a4e1c4","status":"webhook_callback_verification_pending","type":"channel.follow","version":"1","cost":1,"condition":{"broadcaster_user_id":"12826"},"transport":{"method":"webhook","callback":"https://example.com/webhooks/callback"},"created_at":"2019-11-16T10:11:12.634234626Z"}}"#;
const TWITCH_HEADERS: [(&str, &str); 4] = [
    ("Twitch-Eventsub-Message-Id", "ae2ff348-e102-16be-a3eb-6830c1bf38d2"),
    ("Twitch-Eventsub-Message-Timestamp", "2024-01-15T10:30:00Z"),
    (
        "Twitch-Eventsub-Message-Signature",
        "sha256=34a912d98a750ce363de23a97da8e1a3977963ab1ef3b30283256d5d3a46cd6a",
    ),
    ("Twitch-Eventsub-Message-Type", "webhook_callback_verification"),
];

#[tokio::test(flavor = "multi_thread")]
async fn twitch_gets_its_challenge_back() {
    each(
        || receiver::<Twitch>(secret("secretabcd")),
        async |_, address, handler| {
            for path in POSTED {
                let request = Request::post(path, &pairs(&TWITCH_HEADERS), TWITCH_BODY.as_bytes());
                assert_reply(&request.send(address).await, TEXT, "pogchamp-kappa-360noscope-vohiyo");
            }
            assert_eq!(handler.runs(), 0);
        },
    )
    .await;
}
