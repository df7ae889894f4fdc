//! Bodies that are held until they are judged: under a flood of forgeries they stay under the budget, and genuine ones get through.

use std::{
    convert::Infallible,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll, Waker},
    time::{Duration, Instant, SystemTime},
};

use bytes::Bytes;
use countersign::{
    ConfigError, Delivery, FixedSecrets, MemoryStore, Receiver, ReceiverBuilder, Registry, Secret, Settings,
    Signer, Timestamp, Verifier, VerifyError, provider::Retake,
};
use countersign_tests::{
    client::{Request, read_reply},
    handler::{Behaviour, Handler},
    server::Framework,
};
use tokio::{io::AsyncWriteExt, net::TcpStream, time::sleep};

const MIB: usize = 1 << 20;
const BODY: &str = r#"{"event":"trial.expired","data":{"userId":"user_456"}}"#;

fn secret() -> Secret {
    Secret::new("retake_secret").unwrap()
}

fn signed(body: &str) -> Vec<(String, String)> {
    let headers = Signer::<Retake>::new(&secret()).sign(body, Timestamp::from(SystemTime::now())).unwrap();
    headers.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// A genuine body of this length.
fn padded(user: usize, length: usize) -> String {
    let body = BODY.replace("456", &user.to_string());
    format!("{body}{}", " ".repeat(length - body.len()))
}

fn builder() -> ReceiverBuilder<Retake> {
    Receiver::builder(secret()).store(MemoryStore::new(1000))
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

/// A request whose body stops after so many of its bytes.
async fn stalled(address: SocketAddr, path: &str, declared: usize, sent: usize) -> TcpStream {
    let mut stream = Request::with_length(path, &signed("forged"), b"", declared).start(address).await;
    // The server may answer before it has read everything.
    let _ = stream.write_all(&vec![b'{'; sent]).await;
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_slow_forgeries_stays_under_the_budget_and_small_deliveries_get_through() {
    for framework in Framework::ALL {
        let receiver = builder().body_budget(2 * MIB).build().unwrap();
        let held = {
            let verifier = receiver.verifier().clone();
            move || verifier.bodies_held()
        };
        let handler = Handler::new(Behaviour::Answer(200));
        let address = framework.serve(receiver, handler.clone()).await;
        let mut flood = Vec::new();
        for n in 0..24 {
            let path = if n % 2 == 0 { "/webhook" } else { "/verified" };
            flood.push(stalled(address, path, MIB, 600_000).await);
            assert!(held() <= 2 * MIB, "{framework:?}: {}", held());
        }
        until(|| held() > MIB).await;
        // A few have room; the others are answered at once, and not after their time-out.
        let replies: Vec<_> = flood
            .into_iter()
            .map(|stream| tokio::spawn(tokio::time::timeout(Duration::from_secs(4), read_reply(stream))))
            .collect();
        let mut refused = 0;
        for reply in replies {
            if let Ok(reply) = reply.await.unwrap() {
                let told = (reply.status, reply.header("retry-after").map(str::to_owned));
                assert_eq!(told, (503, Some("5".to_owned())), "{framework:?}");
                refused += 1;
            }
        }
        assert!(refused >= 18, "{framework:?}: {refused}");

        // While others hold what large bodies may have.
        let mut flood = Vec::new();
        for _ in 0..8 {
            flood.push(stalled(address, "/webhook", MIB, 600_000).await);
        }
        until(|| held() > MIB).await;
        for n in 0..20 {
            let (body, began) = (padded(n, 300 + n * 1000), Instant::now());
            let reply = Request::post("/webhook", &signed(&body), body.as_bytes()).send(address).await;
            assert_eq!(reply.status, 200, "{framework:?} {n}");
            assert!(began.elapsed() < Duration::from_secs(2), "{framework:?} {n}");
            // In two pieces, so that the first one is held.
            let body = padded(100 + n, 300 + n * 1000);
            let mut stream =
                Request::with_length("/webhook", &signed(&body), b"", body.len()).start(address).await;
            stream.write_all(&body.as_bytes()[..100]).await.unwrap();
            sleep(Duration::from_millis(5)).await;
            stream.write_all(&body.as_bytes()[100..]).await.unwrap();
            assert_eq!(read_reply(stream).await.status, 200, "{framework:?} {n}");
            assert!(held() <= 2 * MIB, "{framework:?}: {}", held());
        }
        assert_eq!(handler.finished(), 40, "{framework:?}");

        // Senders that hang up give their part back, and then a large one gets through.
        drop(flood);
        until(|| held() == 0).await;
        let body = padded(1000, MIB);
        let chunked = Request::chunked("/webhook", &signed(&body), body.as_bytes(), 10_000);
        assert_eq!(chunked.send(address).await.status, 200, "{framework:?}");
        until(|| held() == 0).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_in_one_piece_gets_through_where_there_is_no_room_at_all() {
    for framework in Framework::ALL {
        let receiver = builder().body_limit(1000).body_budget(1000).build().unwrap();
        let verifier = receiver.verifier().clone();
        let address = framework.serve(receiver, Handler::new(Behaviour::Answer(200))).await;
        let stalled = stalled(address, "/webhook", 1000, 999).await;
        until(|| verifier.bodies_held() == 1000).await;
        let client = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
        for n in 0..20 {
            let body = padded(n, 300);
            let reply = Request::post("/webhook", &signed(&body), body.as_bytes()).send(address).await;
            assert_eq!(reply.status, 200, "{framework:?} {n}");
            let body = padded(100 + n, 300);
            let mut request = client.post(format!("http://{address}/webhook"));
            for (name, value) in signed(&body) {
                request = request.header(name, value);
            }
            let response = request.body(body).send().await.unwrap();
            assert_eq!(response.status().as_u16(), 200, "{framework:?} {n}, over HTTP/2");
        }
        assert_eq!(verifier.bodies_held(), 1000, "{framework:?}");
        drop(stalled);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_and_every_answer_gives_its_part_back() {
    for framework in Framework::ALL {
        let receiver = builder().read_timeout(Duration::from_millis(200)).build().unwrap();
        let verifier = receiver.verifier().clone();
        let address = framework.serve(receiver, Handler::new(Behaviour::Answer(200))).await;
        let large = padded(1, 300_000);
        for (status, headers) in [(200, signed(&large)), (401, signed("forged"))] {
            let chunked = Request::chunked("/webhook", &headers, large.as_bytes(), 5000);
            assert_eq!(chunked.send(address).await.status, status, "{framework:?}");
        }
        let too_large = padded(2, 2 * MIB);
        let chunked = Request::chunked("/webhook", &signed(&too_large), too_large.as_bytes(), 50_000);
        assert_eq!(chunked.send(address).await.status, 413, "{framework:?}");
        let slow = stalled(address, "/webhook", MIB, 5000).await;
        until(|| verifier.bodies_held() > 0).await;
        assert_eq!(read_reply(slow).await.status, 408, "{framework:?}");
        drop(stalled(address, "/webhook", MIB, 5000).await);
        until(|| verifier.bodies_held() == 0).await;
    }
}

/// What is left of a body, and how much of it arrives at once.
struct Arriving {
    left: usize,
    at_once: usize,
}

type Read<'v> = Pin<Box<dyn Future<Output = Result<Delivery<Retake>, VerifyError>> + 'v>>;

/// Reads a forged body that stops after so many bytes.
fn read(verifier: &Verifier<Retake>, size: usize, chunk: usize) -> Read<'_> {
    let headers: http::HeaderMap = Signer::<Retake>::new(&Secret::new("another").unwrap())
        .sign("forged", Timestamp::from_unix_seconds(0))
        .unwrap()
        .into();
    Box::pin(async move {
        let verification = verifier.begin(&headers, Timestamp::from_unix_seconds(0))?;
        let mut body = Arriving { left: size, at_once: chunk };
        let next = |cx: &mut Context<'_>| {
            let length = body.left.min(body.at_once);
            body.left -= length;
            if length == 0 {
                return Poll::Pending;
            }
            cx.waker().wake_by_ref();
            Poll::Ready(Some(Ok::<_, Infallible>(Bytes::from(vec![b'{'; length]))))
        };
        verification.read(next, std::future::pending()).await
    })
}

#[test]
fn what_is_allocated_stays_under_the_budget_however_bodies_arrive() {
    const BUDGET: usize = 8 * MIB;
    for chunk in [1400, 16_384, 400_000] {
        let verifier = Verifier::<Retake>::builder(secret()).body_budget(BUDGET).build().unwrap();
        let (mut refused, mut reads) = (0, Vec::with_capacity(400));
        let counted = allocation_counter::measure(|| {
            for n in 0..400 {
                let mut read = read(&verifier, 3000 + n * 2000, chunk);
                match read.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                    Poll::Pending => reads.push(read),
                    Poll::Ready(verdict) => {
                        assert_eq!(verdict.unwrap_err(), VerifyError::OverBudget { budget: BUDGET });
                        refused += 1;
                    }
                }
                assert!(verifier.bodies_held() <= BUDGET);
            }
        });
        // Beside the bodies: a future each, and the chunk that arrives.
        let beside = 400 * 8192 + chunk;
        assert!(counted.bytes_max as usize <= BUDGET + beside, "{chunk}: {}", counted.bytes_max);
        assert!(refused > 100 && verifier.bodies_held() > BUDGET / 2, "{chunk}: {refused}");
        drop(reads);
        assert_eq!(verifier.bodies_held(), 0);
    }
}

#[test]
fn a_budget_has_room_for_one_body_of_the_limit() {
    let built = |budget: usize, limit: usize| builder().body_limit(limit).body_budget(budget).build();
    assert!(built(2 * MIB, MIB).is_ok() && built(MIB, 64 << 10).is_ok() && built(1000, 1000).is_ok());
    for (budget, limit) in [(MIB, MIB), (0, 1), (999, 1000)] {
        let error = built(budget, limit).unwrap_err();
        assert!(matches!(error, ConfigError::OutOfRange { setting: "body_budget", .. }), "{error}");
    }
    // By default it is as large as it must be.
    assert!(builder().body_limit(500 * MIB).build().is_ok());
    let registry = |settings, budget| {
        let secrets = FixedSecrets::new().with("retake", "acme", secret());
        let registry = Registry::builder(secrets).with::<Retake>().settings("retake", settings);
        registry.store(MemoryStore::new(1)).body_budget(budget).build()
    };
    assert!(registry(Settings::new(), 2 * MIB).is_ok());
    let error = registry(Settings::new().body_limit(2 * MIB), 2 * MIB).unwrap_err();
    assert!(matches!(error, ConfigError::OutOfRange { setting: "body_budget", .. }), "{error}");
}

#[tokio::test]
async fn a_registrys_tenants_share_one_budget() {
    let secrets = FixedSecrets::new().with("retake", "acme", secret()).with("retake", "initech", secret());
    let registry =
        Registry::builder(secrets).with::<Retake>().store(MemoryStore::new(1)).body_budget(2 * MIB).build();
    let registry = registry.unwrap();
    let mut held = Vec::new();
    for tenant in ["acme", "initech"] {
        let found = registry.find("retake", tenant, sleep).await.unwrap();
        held.push(found);
    }
    let mut verifications = Vec::new();
    for found in &held {
        let headers: http::HeaderMap =
            Signer::<Retake>::new(&secret()).sign("x", Timestamp::from_unix_seconds(0)).unwrap().into();
        let mut verification =
            found.receiver().verifier().begin(&headers, Timestamp::from_unix_seconds(0)).unwrap();
        let taken = verification.update(Bytes::from(vec![0; MIB]));
        verifications.push((verification, taken));
    }
    let taken: Vec<_> = verifications.iter().map(|(_, taken)| taken.is_ok()).collect();
    assert_eq!((taken, registry.bodies_held()), (vec![true, false], MIB));
    drop(verifications);
    assert_eq!(registry.bodies_held(), 0);
}
