//! What the adapters promise, over real HTTP: each test runs under axum and under actix-web.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use countersign::{
    MemoryStore, Receiver, ReceiverBuilder, Secret, Signer, Timestamp,
    provider::{Raaft, Retake},
};
use countersign_tests::{
    client::{Reply, Request, read_reply},
    handler::{Behaviour, Handler},
    server::Framework,
    told::{Call, Fault, Told},
};
use tokio::{io::AsyncWriteExt, time::sleep};

const BODY: &str =
    r#"{"event":"trial.expired","timestamp":"2024-01-15T10:30:00Z","data":{"userId":"user_456"}}"#;

fn secret() -> Secret {
    Secret::new("retake_secret").unwrap()
}

fn signed(body: &str) -> Vec<(String, String)> {
    let headers = Signer::<Retake>::new(&secret()).sign(body, Timestamp::from(SystemTime::now())).unwrap();
    headers.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn post(path: &str, body: &str) -> Request {
    Request::post(path, &signed(body), body.as_bytes())
}

fn builder() -> ReceiverBuilder<Retake> {
    Receiver::builder(secret()).store(MemoryStore::new(10_000))
}

/// A server under each framework, with this receiver and a handler that behaves so.
async fn each<F>(
    receiver: impl Fn() -> ReceiverBuilder<Retake>,
    behaviour: Behaviour,
    check: impl Fn(Framework, SocketAddr, Handler) -> F,
) where
    F: Future<Output = ()>,
{
    for framework in Framework::ALL {
        let handler = Handler::new(behaviour.clone());
        let address = framework.serve(receiver().build().unwrap(), handler.clone()).await;
        check(framework, address, handler).await;
    }
}

fn assert_problem(reply: &Reply, status: u16, title: &str) {
    assert_eq!(reply.status, status, "{reply:?}");
    assert_eq!(reply.header("content-type"), Some("application/problem+json"));
    assert_eq!(reply.body, format!(r#"{{"type":"about:blank","title":"{title}","status":{status}}}"#));
}

async fn until(condition: impl Fn() -> bool) {
    for _ in 0..500 {
        if condition() {
            return;
        }
        sleep(Duration::from_millis(10)).await;
    }
    panic!("waited in vain");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_is_handled_once_and_its_copies_are_answered_200() {
    each(builder, Behaviour::Answer(200), async |framework, address, handler| {
        for path in ["/webhook", "/nested/layered/webhook", "/scoped/webhook"] {
            for _ in 0..3 {
                assert_eq!(post(path, BODY).send(address).await.status, 200, "{framework:?} {path}");
            }
        }
        // The routes share the receiver, and so the dedupe keys.
        assert_eq!(handler.runs(), 1, "{framework:?}");
        assert!(handler.seen()[0].starts_with("TrialExpired("), "{:?}", handler.seen());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_opaque_problems_and_never_reach_the_handler() {
    each(builder, Behaviour::Answer(200), async |_, address, handler| {
        let without = Request::post("/webhook", &[], BODY.as_bytes()).send(address).await;
        assert_problem(&without, 400, "Bad Request");
        let forged = Request::post("/webhook", &signed("{}"), BODY.as_bytes()).send(address).await;
        assert_problem(&forged, 401, "Unauthorized");
        let mut twice = signed(BODY);
        twice.extend(signed("{}"));
        assert_problem(
            &Request::post("/webhook", &twice, BODY.as_bytes()).send(address).await,
            400,
            "Bad Request",
        );
        assert_eq!(handler.runs(), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_are_limited_in_size_whether_declared_or_not() {
    each(
        || builder().body_limit(100_000),
        Behaviour::Answer(200),
        async |_, address, handler| {
            let fits = format!("{BODY}{}", " ".repeat(100_000 - BODY.len()));
            assert_eq!(post("/webhook", &fits).send(address).await.status, 200);
            let large = format!("{fits} ");
            assert_problem(&post("/webhook", &large).send(address).await, 413, "Content Too Large");
            let chunked = Request::chunked("/webhook", &signed(&large), large.as_bytes(), 4096);
            assert_problem(&chunked.send(address).await, 413, "Content Too Large");
            // What the declared length decides, it decides before the body is there.
            let declared = Request::with_length("/webhook", &signed(BODY), b"", 100_001).start(address).await;
            assert_problem(&read_reply(declared).await, 413, "Content Too Large");
            assert_eq!(handler.runs(), 1);
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_token_is_refused_before_the_body_is_read() {
    for framework in Framework::ALL {
        let receiver =
            Receiver::<Raaft>::builder(Secret::new("tok_123").unwrap()).store(MemoryStore::new(10));
        let address = framework.serve(receiver.build().unwrap(), Handler::new(Behaviour::Answer(200))).await;
        for (headers, status, title) in [
            (vec![("x-raaft-token".to_owned(), "tok_124".to_owned())], 401, "Unauthorized"),
            (vec![], 400, "Bad Request"),
        ] {
            // The body never comes: the answer does.
            let stream = Request::with_length("/webhook", &headers, b"", 1000).start(address).await;
            assert_problem(&read_reply(stream).await, status, title);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_body_is_a_408_and_a_cut_off_one_a_400() {
    let receiver = || builder().read_timeout(Duration::from_millis(300));
    each(receiver, Behaviour::Answer(200), async |framework, address, handler| {
        let mut slow = post("/webhook", BODY).start(address).await;
        for byte in BODY.as_bytes().iter().take(20) {
            // The time-out is for the whole body: a trickle does not prolong it.
            let _ = slow.write_all(&[*byte]).await;
            sleep(Duration::from_millis(30)).await;
        }
        assert_problem(&read_reply(slow).await, 408, "Request Timeout");
        let reply = post("/webhook", BODY).send_cut_off(address, 10).await;
        // actix-web and hyper may drop a connection whose sender is gone: then there is nobody to answer.
        assert_problem(&reply, 400, "Bad Request");
        assert_eq!(handler.runs(), 0, "{framework:?}");
        assert_eq!(post("/webhook", BODY).send(address).await.status, 200, "{framework:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn chunks_of_any_size_give_the_same_verdict() {
    each(builder, Behaviour::Answer(200), async |framework, address, handler| {
        for size in [1, 2, 7, 64, 1000] {
            let body = BODY.replace("user_456", &format!("user_{size}"));
            let reply =
                Request::chunked("/webhook", &signed(&body), body.as_bytes(), size).send(address).await;
            assert_eq!(reply.status, 200, "{framework:?} {size}");
            let forged =
                Request::chunked("/webhook", &signed("{}"), body.as_bytes(), size).send(address).await;
            assert_eq!(forged.status, 401, "{framework:?} {size}");
        }
        assert_eq!(handler.runs(), 5);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn http_2_works_as_well() {
    each(builder, Behaviour::Answer(200), async |framework, address, handler| {
        let client = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
        for (headers, status) in [(signed(BODY), 200), (signed("{}"), 401), (signed(BODY), 200)] {
            let mut request = client.post(format!("http://{address}/webhook")).body(BODY);
            for (name, value) in headers {
                request = request.header(name, value);
            }
            let response = request.send().await.unwrap();
            assert_eq!(
                (response.version(), response.status().as_u16()),
                (http::Version::HTTP_2, status),
                "{framework:?}"
            );
        }
        assert_eq!(handler.runs(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_extractors_work_in_the_same_handler() {
    let receiver = || builder().body_limit(8 << 20);
    each(receiver, Behaviour::Answer(200), async |framework, address, _| {
        // Larger than what either framework lets a handler extract unless it is told to.
        let large = format!("{BODY}{}", " ".repeat(3 << 20));
        let reply = post("/extracted", &large).send(address).await;
        assert!(reply.status == 200 && reply.body.contains(&large.len().to_string()), "{framework:?}");
        let reply = post("/extracted?a=1&b=2", BODY).send(address).await;
        let body = reply.body.lines().find(|line| line.contains("word")).unwrap_or(&reply.body);
        assert_eq!(
            (reply.status, body),
            (200, &*format!("/extracted 2 word {}", BODY.len())),
            "{framework:?}"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_handler_is_tried_again_and_its_answer_is_one_that_the_provider_retries() {
    each(builder, Behaviour::Answer(200), async |framework, address, handler| {
        for (answered, sent) in [(500, 500), (503, 503), (429, 429), (404, 500), (400, 500), (302, 500)] {
            handler.behave(Behaviour::Answer(answered));
            assert_eq!(post("/webhook", BODY).send(address).await.status, sent, "{framework:?} {answered}");
        }
        handler.behave(Behaviour::Panic);
        assert_problem(&post("/webhook", BODY).send(address).await, 500, "Internal Server Error");
        handler.behave(Behaviour::Answer(204));
        assert_eq!(post("/webhook", BODY).send(address).await.status, 204, "{framework:?}");
        assert_eq!(handler.runs(), 8, "{framework:?}");
        assert_eq!(post("/webhook", BODY).send(address).await.status, 200, "{framework:?}");
        assert_eq!(handler.runs(), 8, "{framework:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_that_does_not_fit_is_a_500_and_stays_free() {
    each(builder, Behaviour::Answer(200), async |framework, address, handler| {
        for body in [
            r#"{"event":"trial.expired","data":{"userId":[5]}}"#,
            r#"{"event":"trial.expired"}"#,
            "{}",
            "not json",
        ] {
            for _ in 0..2 {
                assert_problem(&post("/webhook", body).send(address).await, 500, "Internal Server Error");
            }
        }
        assert_eq!(handler.runs(), 0, "{framework:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_in_flight_is_a_503_with_retry_after() {
    each(builder, Behaviour::Wait, async |framework, address, handler| {
        let first = tokio::spawn(async move { post("/webhook", BODY).send(address).await });
        until(|| handler.runs() == 1).await;
        let second = post("/webhook", BODY).send(address).await;
        assert_problem(&second, 503, "Service Unavailable");
        assert_eq!(second.header("retry-after"), Some("5"), "{framework:?}");
        handler.open_gate();
        assert_eq!(first.await.unwrap().status, 200);
        assert_eq!(post("/webhook", BODY).send(address).await.status, 200);
        assert_eq!(handler.runs(), 1, "{framework:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_runs_to_its_end_when_the_sender_hangs_up() {
    each(builder, Behaviour::Wait, async |framework, address, handler| {
        post("/webhook", BODY).send_and_hang_up(address, Duration::from_millis(100)).await;
        until(|| handler.runs() == 1).await;
        sleep(Duration::from_millis(100)).await;
        handler.open_gate();
        until(|| handler.finished() == 1).await;
        sleep(Duration::from_millis(50)).await;
        assert_eq!(post("/webhook", BODY).send(address).await.status, 200, "{framework:?}");
        assert_eq!(handler.runs(), 1, "{framework:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn draining_waits_for_handlers_whose_sender_has_hung_up() {
    for framework in Framework::ALL {
        for builder in [builder, || builder().spawn_handlers()] {
            let (receiver, handler) = (builder().build().unwrap(), Handler::new(Behaviour::Wait));
            let address = framework.serve(receiver.clone(), handler.clone()).await;
            post("/webhook", BODY).send_and_hang_up(address, Duration::from_millis(100)).await;
            until(|| handler.runs() == 1).await;
            assert_eq!(receiver.drain(Duration::from_millis(50), sleep).await, 1, "{framework:?}");
            handler.open_gate();
            assert_eq!(receiver.drain(Duration::from_secs(10), sleep).await, 0, "{framework:?}");
            assert_eq!(handler.finished(), 1, "{framework:?}");
            assert_eq!(post("/webhook", BODY).send(address).await.status, 200, "{framework:?}");
            assert_eq!(handler.runs(), 1, "{framework:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn draining_waits_for_a_commit_that_is_tried_on() {
    let failing = Arc::new(AtomicBool::new(true));
    let fails = Arc::clone(&failing);
    let told = move |call, _: &_| match call == Call::Commit && fails.load(Ordering::SeqCst) {
        true => Fault::Fails,
        false => Fault::None,
    };
    let receiver = Receiver::<Retake>::builder(secret()).store(Told::new(MemoryStore::new(10), told));
    let (receiver, handler) = (receiver.build().unwrap(), Handler::new(Behaviour::Answer(200)));
    let address = Framework::Axum.serve(receiver.clone(), handler.clone()).await;
    assert_eq!(post("/webhook", BODY).send(address).await.status, 200);
    assert_eq!(receiver.drain(Duration::from_millis(10), sleep).await, 1);
    failing.store(false, Ordering::SeqCst);
    assert_eq!(receiver.drain(Duration::from_secs(10), sleep).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_is_renewed_while_the_handler_works() {
    each(
        || builder().lease(Duration::from_millis(300)),
        Behaviour::Wait,
        async |framework, address, handler| {
            let first = tokio::spawn(async move { post("/webhook", BODY).send(address).await });
            until(|| handler.runs() == 1).await;
            sleep(Duration::from_millis(900)).await;
            assert_eq!(post("/webhook", BODY).send(address).await.status, 503, "{framework:?}");
            handler.open_gate();
            assert_eq!(first.await.unwrap().status, 200);
            assert_eq!(handler.runs(), 1, "{framework:?}");
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_of_equal_deliveries_is_handled_once() {
    each(builder, Behaviour::Answer(200), async |framework, address, handler| {
        let sends: Vec<_> = (0..100)
            .map(|_| tokio::spawn(async move { post("/webhook", BODY).send(address).await.status }))
            .collect();
        for send in sends {
            assert!([200, 503].contains(&send.await.unwrap()), "{framework:?}");
        }
        assert_eq!(handler.runs(), 1, "{framework:?}");
    })
    .await;
}

/// A store that has this fault in each call, or in each but claims.
fn faulty(fault: Fault, claims: bool) -> ReceiverBuilder<Retake> {
    let told = move |call, _: &_| if claims && call == Call::Claim { Fault::None } else { fault };
    Receiver::builder(secret())
        .store(Told::new(MemoryStore::new(10), told))
        .store_timeout(Duration::from_millis(200))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_fails_or_is_full_is_a_503_and_the_handler_does_not_run() {
    for fault in [Fault::Fails, Fault::Hangs, Fault::LosesAnswer] {
        let failing = move || faulty(fault, false);
        each(failing, Behaviour::Answer(200), async |_, address, handler| {
            assert_problem(&post("/webhook", BODY).send(address).await, 503, "Service Unavailable");
            assert_eq!(handler.runs(), 0);
        })
        .await;
    }
    let full = || Receiver::builder(secret()).store(MemoryStore::new(1));
    each(full, Behaviour::Answer(200), async |_, address, handler| {
        assert_eq!(post("/webhook", BODY).send(address).await.status, 200);
        let other = BODY.replace("456", "457");
        assert_problem(&post("/webhook", &other).send(address).await, 503, "Service Unavailable");
        assert_eq!(post("/webhook", BODY).send(address).await.status, 200);
        assert_eq!(handler.runs(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_fails_keeps_the_handlers_answer_since_its_effect_has_happened() {
    for fault in [Fault::Fails, Fault::Hangs] {
        let failing = move || faulty(fault, true);
        each(failing, Behaviour::Answer(200), async |_, address, handler| {
            assert_eq!(post("/webhook", BODY).send(address).await.status, 200);
            assert_eq!(post("/webhook", BODY).send(address).await.status, 503);
            assert_eq!(handler.runs(), 1);
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_panics_is_a_500_unless_the_handler_is_done() {
    let at_once = || faulty(Fault::Panics, false);
    each(at_once, Behaviour::Answer(200), async |_, address, handler| {
        assert_problem(&post("/webhook", BODY).send(address).await, 500, "Internal Server Error");
        assert_eq!(handler.runs(), 0);
    })
    .await;
    // What the handler has done is done, and said so.
    let later = || faulty(Fault::Panics, true);
    each(later, Behaviour::Answer(200), async |_, address, handler| {
        assert_eq!(post("/webhook", BODY).send(address).await.status, 200);
        assert_eq!(post("/webhook", BODY).send(address).await.status, 503);
        assert_eq!(handler.runs(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_receiver_around_the_first_is_a_500_and_not_a_wait_for_itself() {
    each(builder, Behaviour::Answer(200), async |_, address, handler| {
        assert_problem(&post("/doubled", BODY).send(address).await, 500, "Internal Server Error");
        assert_eq!(handler.runs(), 0);
        assert_eq!(post("/webhook", BODY).send(address).await.status, 200);
    })
    .await;
}

#[actix_web::test]
async fn the_middleware_goes_around_a_whole_app() {
    use actix_web::{App, HttpResponse, test, web};
    use countersign::actix::{Webhook, WebhookMiddleware};

    let receiver = builder().build().unwrap();
    let app = App::new().wrap(WebhookMiddleware::new(receiver)).route(
        "/{tenant}/webhook",
        web::post().to(async |_: Webhook<Retake>, tenant: web::Path<String>| {
            HttpResponse::Ok().body(tenant.into_inner())
        }),
    );
    let app = test::init_service(app).await;
    for body in ["acme", ""] {
        let mut request = test::TestRequest::post().uri("/acme/webhook").set_payload(BODY);
        for header in signed(BODY) {
            request = request.insert_header(header);
        }
        let response = test::call_service(&app, request.to_request()).await;
        assert_eq!(response.status(), 200);
        assert_eq!(test::read_body(response).await, body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_verifying_extractor_stands_alone() {
    each(builder, Behaviour::Answer(200), async |framework, address, handler| {
        assert_eq!(post("/verified", BODY).send(address).await.status, 200);
        let forged = Request::post("/verified", &signed("{}"), BODY.as_bytes()).send(address).await;
        assert_problem(&forged, 401, "Unauthorized");
        assert_problem(
            &Request::post("/verified", &[], BODY.as_bytes()).send(address).await,
            400,
            "Bad Request",
        );
        assert_eq!(handler.seen(), [r#"Some("trial.expired")"#], "{framework:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_without_its_receiver_is_a_500_and_never_a_pass() {
    each(builder, Behaviour::Answer(200), async |_, address, handler| {
        assert_problem(&post("/not-set-up", BODY).send(address).await, 500, "Internal Server Error");
        assert_eq!(handler.runs(), 0);
    })
    .await;
}
