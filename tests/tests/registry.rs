//! What a registry promises, over real HTTP: each test runs under axum and under actix-web.

use std::{
    net::SocketAddr,
    time::{Duration, Instant, SystemTime},
};

use countersign::{
    Description, MemoryStore, Provider, Registry, RegistryBuilder, Secret, SignedHeaders, Signer, Timestamp,
    TokioRuntime, Verifier,
    provider::{Custom, Raaft, Recharge, Retake, RevKeen, Slack},
    scheme::Scheme,
};
use countersign_tests::{
    client::{Reply, Request},
    handler::{Behaviour, Handler},
    server::Framework,
    vault::{Mood, Vault},
};
use tokio::time::{sleep, timeout};

const BODY: &str =
    r#"{"event":"trial.expired","timestamp":"2024-01-15T10:30:00Z","data":{"userId":"user_456"}}"#;
const MS: Duration = Duration::from_millis(1);

fn pairs(headers: &SignedHeaders) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn signed<P: Provider>(secret: &str, body: &str) -> Vec<(String, String)> {
    let signer = Signer::<P>::new(&Secret::new(secret).unwrap());
    pairs(&signer.sign(body, Timestamp::from(SystemTime::now())).unwrap())
}

/// A server under one framework, with what stands behind it.
struct Served {
    framework: Framework,
    address: SocketAddr,
    vault: Vault,
    handler: Handler,
}

impl Served {
    /// The answer to a delivery of Retake to this tenant, signed with this secret.
    async fn send(&self, tenant: &str, secret: &str, body: &str) -> u16 {
        let path = format!("/webhooks/retake/{tenant}");
        Request::post(&path, &signed::<Retake>(secret, body), body.as_bytes()).send(self.address).await.status
    }

    /// The same with a body of which there was no copy before.
    async fn send_new(&self, tenant: &str, secret: &str) -> u16 {
        let number = self.handler.runs();
        self.send(tenant, secret, &BODY.replace("456", &format!("{number}x"))).await
    }
}

/// A server under each framework: two tenants of Retake, one of Recharge, RevKeen and Raaft.
async fn each<F>(settle: impl Fn(RegistryBuilder) -> RegistryBuilder, check: impl Fn(Served) -> F)
where
    F: Future<Output = ()>,
{
    for framework in Framework::ALL {
        let vault = Vault::new([
            ("retake", "acme", "acme's"),
            ("retake", "initech", "initech's"),
            ("retake", "two words/ä", "words'"),
            ("retake", "", "nobody's"),
            ("recharge", "acme", "acme's"),
            ("revkeen", "acme", "acme's"),
            ("raaft", "acme", "acme's"),
            ("meta", "acme", "acme's"),
            ("slack", "acme", "acme's"),
        ]);
        let registry = settle(Registry::builder(vault.clone()).built_in().store(MemoryStore::new(10_000)));
        let handler = Handler::new(Behaviour::Answer(200));
        let address = framework.serve_any::<Retake>(registry.build().unwrap(), handler.clone()).await;
        check(Served { framework, address, vault, handler }).await;
    }
}

/// Look-ups may be as close as that, so that tests need not wait long.
fn close(builder: RegistryBuilder) -> RegistryBuilder {
    builder.look_up_floor(50 * MS)
}

fn assert_problem(reply: &Reply, status: u16, title: &str) {
    assert_eq!(reply.status, status, "{reply:?}");
    assert_eq!(reply.header("content-type"), Some("application/problem+json"));
    assert_eq!(reply.body, format!(r#"{{"type":"about:blank","title":"{title}","status":{status}}}"#));
}

#[tokio::test(flavor = "multi_thread")]
async fn tenants_have_secrets_and_dedupe_keys_of_their_own() {
    each(close, async |s| {
        for _ in 0..3 {
            assert_eq!(s.send("acme", "acme's", BODY).await, 200, "{:?}", s.framework);
            assert_eq!(s.send("initech", "initech's", BODY).await, 200, "{:?}", s.framework);
        }
        assert_eq!(s.handler.runs(), 2, "{:?}", s.framework);
        for spelling in ["ACME", "Acme", "acme%20", "%20acme", "aCMe%09"] {
            assert_eq!(s.send(spelling, "acme's", BODY).await, 404, "{:?} {spelling}", s.framework);
        }
        assert_eq!((s.handler.runs(), s.vault.asked()), (2, 7), "{:?}", s.framework);
        assert!(s.handler.seen()[0].starts_with("TrialExpired("), "{:?}", s.handler.seen());
        assert_eq!(s.send("acme", "initech's", BODY).await, 401);
        assert_eq!(s.send("initech", "acme's", BODY).await, 401);
        assert_eq!(s.handler.runs(), 2, "{:?}", s.framework);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_come_from_the_path_or_from_wherever_they_are_said_to() {
    each(close, async |s| {
        let post = async |path: &str, secret: &str, more: &[(&str, &str)]| {
            let mut headers = signed::<Retake>(secret, BODY);
            headers.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
            Request::post(path, &headers, BODY.as_bytes()).send(s.address).await
        };
        for (path, secret) in [
            ("/webhooks/retake/acme", "acme's"),
            ("/nested/acme/retake", "acme's"),
            ("/webhooks/retake/%61c%6De", "acme's"),
            ("/webhooks/retake/two%20words%2F%C3%A4", "words'"),
            ("/webhooks/retake", "nobody's"),
        ] {
            assert_eq!(post(path, secret, &[]).await.status, 200, "{:?} {path}", s.framework);
            assert_eq!(post(path, "forged", &[]).await.status, 401, "{:?} {path}", s.framework);
        }
        assert_eq!(s.handler.runs(), 3, "{:?}", s.framework);
        for path in [
            "/webhooks/retake/nobody",
            "/webhooks/nobody/acme",
            "/webhooks/Retake/acme",
            "/webhooks/custom/acme",
            "/webhooks/revkeen",
            "/selected",
            // Other spellings of a name.
            "/webhooks/retake/ACME",
            "/webhooks/retake/acme%20",
            "/webhooks/retake/%09acme",
            "/nested/Acme/retake",
            "/webhooks/retake/%20",
            // No UTF-8: a lone byte, one that is cut off, an overlong one, half a surrogate pair.
            "/webhooks/retake/%ff",
            "/webhooks/retake/acme%c3",
            "/webhooks/retake/%c3acme",
            "/webhooks/retake/%c0%af",
            "/webhooks/retake/%ed%a0%80",
            "/webhooks/retake/%c3%2f%a4",
            "/nested/%ff/retake",
            "/webhooks/%ff/acme",
            // What stands for such bytes, and what no table can hold.
            "/webhooks/retake/%ef%bf%bd",
            "/webhooks/retake/%00",
            "/webhooks/retake/acme%00",
            // Slashes that are part of the name, names that are decoded once, and what is no escape.
            "/webhooks/retake/acme%2f",
            "/webhooks/retake/%2facme",
            "/webhooks/retake%2facme",
            "/webhooks/retake/%2561cme",
            "/webhooks/retake/%25",
            "/webhooks/retake/%zz",
            "/webhooks/retake/acme+",
        ] {
            let reply = post(path, "acme's", &[]).await;
            assert_eq!(reply.status, 404, "{:?} {path}", s.framework);
            assert_problem(&reply, 404, "Not Found");
        }
        // No route: it is the framework that answers.
        for path in [
            "/webhooks/retake/acme/",
            "/webhooks/retake//acme",
            "/webhooks//retake/acme",
            "/webhooks//acme",
            "/webhooks/",
            "/nested//retake",
            "/webhooks/retake/acme/more",
        ] {
            assert_eq!(post(path, "acme's", &[]).await.status, 404, "{:?} {path}", s.framework);
        }
        let selected = [("x-provider", "retake"), ("x-tenant", "acme")];
        assert_eq!(post("/selected", "acme's", &selected).await.status, 200, "{:?}", s.framework);
        assert_eq!(post("/selected", "forged", &selected).await.status, 401, "{:?}", s.framework);
        assert_problem(&post("/unnamed", "acme's", &[]).await, 500, "Internal Server Error");
        assert_eq!(s.handler.runs(), 3, "{:?}", s.framework);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_is_picked_up_by_the_first_delivery_that_is_signed_with_the_new_secret() {
    each(close, async |s| {
        assert_eq!(s.send("acme", "acme's", BODY).await, 200);
        s.vault.set("retake", "acme", "rotated");
        // What is known serves on, so that what was sent before the rotation is no loss.
        assert_eq!(s.send_new("acme", "acme's").await, 200, "{:?}", s.framework);
        sleep(60 * MS).await;
        assert_eq!(s.send_new("acme", "rotated").await, 200, "{:?}", s.framework);
        assert_eq!(s.send_new("acme", "acme's").await, 401, "{:?}", s.framework);
        assert_eq!((s.handler.runs(), s.vault.asked()), (3, 3), "{:?}", s.framework);
        // In chunks: the body was read before its signature was found to be wrong.
        s.vault.set("retake", "acme", "again");
        let large = format!("{BODY}{}", " ".repeat(200_000));
        let headers = signed::<Retake>("again", &large);
        let chunked = Request::chunked("/webhooks/retake/acme", &headers, large.as_bytes(), 1000);
        assert_eq!(chunked.send(s.address).await.status, 200, "{:?}", s.framework);
        assert_eq!(s.handler.runs(), 4, "{:?}", s.framework);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_right_after_a_look_up_costs_no_delivery() {
    each(
        |builder| builder,
        async |s| {
            assert_eq!(s.send("acme", "acme's", BODY).await, 200);
            s.vault.set("retake", "acme", "rotated");
            sleep(100 * MS).await;
            let began = Instant::now();
            assert_eq!(s.send_new("acme", "rotated").await, 200, "{:?}", s.framework);
            assert!((500 * MS..2000 * MS).contains(&began.elapsed()), "{:?}", began.elapsed());
            s.vault.be(Mood::Fails);
            assert_eq!(s.send_new("acme", "forged").await, 503, "{:?}", s.framework);
            assert_eq!((s.handler.runs(), s.vault.asked()), (2, 3), "{:?}", s.framework);
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_token_is_picked_up_as_well() {
    each(close, async |s| {
        let body = r#"{"outcome":"saved"}"#;
        let show = async |token: &str, body: &str| {
            let headers = [("x-raaft-token".to_owned(), token.to_owned())];
            Request::post("/webhooks/raaft/acme", &headers, body.as_bytes()).send(s.address).await.status
        };
        assert_eq!(show("acme's", body).await, 200, "{:?}", s.framework);
        s.vault.set("raaft", "acme", "rotated");
        assert_eq!(show("rotated", r#"{"outcome":"aborted"}"#).await, 200, "{:?}", s.framework);
        assert_eq!(show("acme's", body).await, 401, "{:?}", s.framework);
        assert_eq!((s.handler.runs(), s.vault.asked()), (2, 3), "{:?}", s.framework);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_secret_or_tenant_is_refused_after_the_refresh() {
    let refreshed = |builder| close(builder).refresh(200 * MS);
    each(refreshed, async |s| {
        assert_eq!(s.send_new("acme", "acme's").await, 200);
        assert_eq!(s.send_new("initech", "initech's").await, 200);
        s.vault.set("retake", "acme", "rotated");
        s.vault.remove("retake", "initech");
        sleep(210 * MS).await;
        assert_eq!(s.send_new("acme", "acme's").await, 401, "{:?}", s.framework);
        assert_eq!(s.send_new("initech", "initech's").await, 404, "{:?}", s.framework);
        assert_eq!(s.send_new("acme", "rotated").await, 200, "{:?}", s.framework);
        assert_eq!(s.handler.runs(), 3, "{:?}", s.framework);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_fails_or_hangs_is_a_503_in_time_and_what_it_said_before_serves_on() {
    let impatient = |builder| close(builder).refresh(100 * MS).keep(2000 * MS).look_up_timeout(100 * MS);
    for mood in [Mood::Fails, Mood::Hangs] {
        each(impatient, async |s| {
            assert_eq!(s.send_new("acme", "acme's").await, 200);
            let known = Instant::now();
            s.vault.be(mood);
            let began = Instant::now();
            let reply = Request::post(
                "/webhooks/retake/initech",
                &signed::<Retake>("initech's", BODY),
                BODY.as_bytes(),
            );
            assert_problem(&reply.send(s.address).await, 503, "Service Unavailable");
            assert!(began.elapsed() < 1000 * MS, "{:?} {mood:?}: {:?}", s.framework, began.elapsed());
            sleep(110 * MS).await;
            assert_eq!(s.send_new("acme", "acme's").await, 200, "{:?} {mood:?}", s.framework);
            // It may be signed with a secret that nobody can look up now: it is to come again.
            assert_eq!(s.send_new("acme", "forged").await, 503, "{:?} {mood:?}", s.framework);
            sleep((2100 * MS).saturating_sub(known.elapsed())).await;
            assert_eq!(s.send_new("acme", "acme's").await, 503, "{:?} {mood:?}", s.framework);
            s.vault.be(Mood::Answers);
            sleep(60 * MS).await;
            assert_eq!(s.send_new("acme", "acme's").await, 200, "{:?} {mood:?}", s.framework);
            assert_eq!(s.send_new("acme", "forged").await, 401, "{:?} {mood:?}", s.framework);
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_requests_are_one_look_up_and_a_flood_of_forgeries_is_one_a_floor() {
    each(
        |builder| builder,
        async |s| {
            s.vault.be(Mood::AnswersAfter(200 * MS));
            let all = async |secret: &'static str, status: u16| {
                let sends: Vec<_> = (0..50)
                    .map(|number| {
                        let (body, address) = (BODY.replace("456", &number.to_string()), s.address);
                        let request = Request::post(
                            "/webhooks/retake/acme",
                            &signed::<Retake>(secret, &body),
                            body.as_bytes(),
                        );
                        tokio::spawn(async move { request.send(address).await.status })
                    })
                    .collect();
                for send in sends {
                    assert_eq!(send.await.unwrap(), status, "{:?}", s.framework);
                }
            };
            all("acme's", 200).await;
            assert_eq!((s.handler.runs(), s.vault.asked()), (50, 1), "{:?}", s.framework);
            sleep(1100 * MS).await;
            let began = Instant::now();
            for _ in 0..3 {
                all("forged", 401).await;
            }
            // By the clock: one at first, and one for each second since.
            let most = 2 + began.elapsed().as_secs() as usize;
            assert!((2..=1 + most).contains(&s.vault.asked()), "{:?}: {}", s.framework, s.vault.asked());
            assert_eq!(s.handler.runs(), 50, "{:?}", s.framework);
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_are_dropped_at_any_moment_leave_nobody_waiting() {
    let pause = |number: usize| Duration::from_micros(100 * (number as u64 % 23));
    for round in 0..200 {
        let vault = Vault::new([("retake", "acme", "acme's")]);
        vault.be(Mood::AnswersAfter(MS));
        let registry = Registry::builder(vault).with::<Retake>().store(MemoryStore::new(1)).build().unwrap();
        let find = |number: usize| {
            let registry = registry.clone();
            let (found, dropped) = (pause(round + number), pause(round * number));
            tokio::spawn(async move {
                sleep(found).await;
                let find = registry.find("retake", "acme", TokioRuntime);
                match number % 2 {
                    0 => timeout(dropped, find).await.is_ok(),
                    // Well before the time-out of the look-up, after which everybody is answered.
                    _ => timeout(1000 * MS, find).await.unwrap().is_ok(),
                }
            })
        };
        let finds: Vec<_> = (0..32).map(find).collect();
        for (number, find) in finds.into_iter().enumerate() {
            let is_found = find.await.unwrap();
            assert!(is_found || number % 2 == 0, "{round}: {number}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_cannot_be_used_is_a_500_until_it_is_mended() {
    each(close, async |s| {
        s.vault.set("retake", "acme", "  ");
        assert_eq!(s.send_new("acme", "acme's").await, 500, "{:?}", s.framework);
        s.vault.set("retake", "acme", "acme's");
        sleep(60 * MS).await;
        assert_eq!(s.send_new("acme", "acme's").await, 200, "{:?}", s.framework);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_built_in_provider_checks_what_it_checks_by_its_type() {
    each(
        |builder| builder,
        async |s| {
            let body = r#"{"subscription":{"id":1}}"#;
            let send = async |topic: Option<&str>| {
                let signer = Signer::<Recharge>::new(&Secret::new("acme's").unwrap());
                let signer = topic.map_or(signer.clone(), |topic| signer.kind(topic));
                let headers = pairs(&signer.sign(body, Timestamp::from(SystemTime::now())).unwrap());
                Request::post("/webhooks/recharge/acme", &headers, body.as_bytes()).send(s.address).await
            };
            assert_problem(&send(Some("order/created")).await, 401, "Unauthorized");
            assert_eq!(send(Some("subscription/created")).await.status, 200, "{:?}", s.framework);
            // The resource alone is the kind where no header names it: another key, so it is handled as well.
            assert_eq!(send(None).await.status, 200, "{:?}", s.framework);
            let kinds: Vec<_> = s.handler.seen().iter().map(|seen| seen.contains("subscription")).collect();
            assert_eq!(kinds, [true, true], "{:?}: {:?}", s.framework, s.handler.seen());
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_judged_by_what_the_requests_own_provider_retries_on() {
    each(
        |builder| builder,
        async |s| {
            s.handler.behave(Behaviour::Answer(404));
            assert_eq!(s.send_new("acme", "acme's").await, 500, "{:?}", s.framework);
            let body = r#"{"id":"evt_1","type":"invoice.paid","data":{"object":{}}}"#;
            let headers = signed::<RevKeen>("acme's", body);
            let request = Request::post("/webhooks/revkeen/acme", &headers, body.as_bytes());
            assert_eq!(request.send(s.address).await.status, 404, "{:?}", s.framework);
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn handshakes_are_answered_for_the_tenant_that_is_asked() {
    each(close, async |s| {
        let ask = async |path: &str, token: &str| {
            let query = format!("hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token={token}");
            Request::with_method("GET", &format!("{path}?{query}"), &[]).send(s.address).await
        };
        assert_eq!(ask("/webhooks/meta/acme", "meaty").await.status, 403, "{:?}", s.framework);
        // Entered at the secret source after the tenant was seen first.
        s.vault.set_verify_token("meta", "acme", "meaty");
        let reply = ask("/webhooks/meta/acme", "meaty").await;
        assert_eq!((reply.status, reply.body.contains("1158201444")), (200, true), "{:?}", s.framework);
        assert_eq!(ask("/webhooks/meta/acme", "guess").await.status, 403, "{:?}", s.framework);
        assert_eq!(ask("/webhooks/meta/nobody", "meaty").await.status, 404, "{:?}", s.framework);
        assert_eq!(ask("/webhooks/retake/acme", "meaty").await.status, 400, "{:?}", s.framework);
        let body = r#"{"type":"url_verification","challenge":"3eZbrw1aBm2r"}"#;
        let headers = signed::<Slack>("acme's", body);
        let reply = Request::post("/webhooks/slack/acme", &headers, body.as_bytes()).send(s.address).await;
        assert_eq!((reply.status, reply.body.contains("3eZbrw1aBm2r")), (200, true), "{:?}", s.framework);
        assert_eq!(s.handler.runs(), 0, "{:?}", s.framework);
    })
    .await;
}

#[test]
fn a_delivery_is_typed_by_its_provider_and_not_by_a_name() {
    let (secret, now) = (Secret::new("a secret").unwrap(), Timestamp::from_unix_seconds(0));
    let headers = Signer::<Retake>::new(&secret).sign(BODY, now).unwrap();
    let typed = Verifier::<Retake>::new(&secret).unwrap();
    let described = |description: Description| {
        Verifier::<Custom>::custom(description, &secret).unwrap().verify(&headers, BODY, now).unwrap()
    };
    let delivery = typed.verify(&headers, BODY, now).unwrap();
    assert!(delivery.of::<Raaft>().is_none());
    assert!(delivery.of::<Retake>().unwrap().event().is_ok());
    // By its name and by all that it says of itself, and yet another.
    let copy: Description = {
        let text = serde_json::to_string(typed.description()).unwrap();
        serde_json::from_str(&text).unwrap()
    };
    assert!(described(copy).of::<Retake>().is_none());
    let namesake = Description::new("retake", [Scheme::hmac_sha256("x-webhook-signature").prefix("sha256=")]);
    assert!(described(namesake).of::<Retake>().is_none());
    assert!(described(typed.description().clone()).of::<Retake>().is_some());
}
