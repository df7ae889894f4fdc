//! The main job on real input: a receiver for five providers, and what they, and others, send to it over HTTP.
//!
//! Prints a line a case and fails when a verdict is not the expected one.

use std::{
    fmt::Debug,
    process::ExitCode,
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

use axum::Router;
use countersign::{
    ConfigError, MemoryStore, Provider, Receiver, Secret, Signer, Timestamp,
    axum::{Webhook, post},
    provider::{Raaft, Recharge, Retake, RetentBase, RevKeen},
    scheme::Algorithm,
};
use http::HeaderMap;

type Error = Box<dyn std::error::Error>;

/// A provider's secret, the kind that it sends beside the body, and its documented payload.
struct Sample {
    secret: &'static str,
    kind: &'static str,
    payload: &'static str,
}

const RETAKE: Sample = Sample {
    secret: "retake_secret",
    kind: "intent.tracked",
    payload: include_str!("../../payloads/retake.json"),
};
const RECHARGE: Sample = Sample {
    secret: "shjk_test_client_secret_0123456789abcdef",
    kind: "subscription/created",
    payload: include_str!("../../payloads/recharge.json"),
};
const RAAFT: Sample =
    Sample { secret: "tok_123", kind: "saved", payload: include_str!("../../payloads/raaft.json") };
const REVKEEN: Sample = Sample {
    secret: "rk_wh_abc123",
    kind: "invoice.paid",
    payload: include_str!("../../payloads/revkeen.json"),
};
const RETENTBASE: Sample = Sample {
    secret: "rb_secret",
    kind: "cancellation.outcome_updated",
    payload: include_str!("../../payloads/retentbase.json"),
};

/// What the handlers saw, in its order.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<String>>>);

impl Seen {
    fn push(&self, event: &impl Debug) {
        let text = format!("{event:?}");
        let variant = text.split(['(', '{', ' ']).next().unwrap_or_default().to_owned();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(variant);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[tokio::main]
async fn main() -> Result<ExitCode, Error> {
    tracing_subscriber::fmt().with_env_filter(tracing_subscriber::EnvFilter::from_default_env()).init();
    let (store, seen) = (Arc::new(MemoryStore::new(1_000_000)), Seen::default());
    let app = Router::new()
        .merge(routes::<Retake>(&RETAKE, &store, &seen)?)
        .merge(routes::<Recharge>(&RECHARGE, &store, &seen)?)
        .merge(routes::<Raaft>(&RAAFT, &store, &seen)?)
        .merge(routes::<RevKeen>(&REVKEEN, &store, &seen)?)
        .merge(routes::<RetentBase>(&RETENTBASE, &store, &seen)?);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let mut run = Run { client: reqwest::Client::new(), url, seen, passed: 0, failed: 0 };
    println!("listening on {}\n", run.url);
    tokio::spawn(async move { axum::serve(listener, app).await });

    println!("{:<11} {:<17} {:<26} {:<26} the handler saw", "provider", "case", "expected", "answer");
    run.provider::<Retake>(&RETAKE).await?;
    run.provider::<Recharge>(&RECHARGE).await?;
    run.provider::<Raaft>(&RAAFT).await?;
    run.provider::<RevKeen>(&REVKEEN).await?;
    run.provider::<RetentBase>(&RETENTBASE).await?;
    println!("\n{} verdicts as expected, {} not", run.passed, run.failed);
    Ok(if run.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Two endpoints a provider: one for the single cases, one for the burst. Each has its own dedupe keys.
fn routes<P: Provider>(
    sample: &Sample,
    store: &Arc<MemoryStore>,
    seen: &Seen,
) -> Result<Router, ConfigError> {
    let mut router = Router::new();
    for endpoint in ["single", "burst"] {
        let receiver = Receiver::<P>::builder(Secret::new(sample.secret)?)
            .store(Arc::clone(store))
            .endpoint(endpoint)
            .build()?;
        let seen = seen.clone();
        let handler = async move |webhook: Webhook<P>| seen.push(&webhook.event);
        router = router.route(&format!("/{endpoint}/{}", P::NAME), post(receiver, handler));
    }
    Ok(router)
}

struct Run {
    client: reqwest::Client,
    url: String,
    seen: Seen,
    passed: usize,
    failed: usize,
}

impl Run {
    async fn provider<P: Provider>(&mut self, sample: &Sample) -> Result<(), Error> {
        let now = Timestamp::from(SystemTime::now());
        let secret = Secret::new(sample.secret)?;
        let signer = |secret: &Secret| {
            Signer::<P>::new(secret).id("dlv_1").event_id("evt_1").kind(sample.kind).attempt(1)
        };
        let genuine = signer(&secret).sign(sample.payload, now)?.into();
        let tampered = sample.payload.replacen(':', ": ", 1);
        let forged = signer(&Secret::new("somebody else's secret")?).sign(sample.payload, now)?.into();

        self.case::<P>("genuine", "200, once", 1, &genuine, sample.payload).await?;
        self.case::<P>("the same again", "200, not again", 0, &genuine, sample.payload).await?;
        match P::SCHEMES.iter().all(|scheme| scheme.algorithm() != Algorithm::Token) {
            true => self.case::<P>("tampered body", "401", 0, &genuine, &tampered).await?,
            // A shared token says who sent the body, not what was in it.
            false => {
                self.case::<P>("tampered body", "200: token signs no body", 1, &genuine, &tampered).await?
            }
        }
        self.case::<P>("forged signature", "401", 0, &forged, sample.payload).await?;
        self.case::<P>("missing header", "400", 0, &HeaderMap::new(), sample.payload).await?;
        if let Some(scheme) = P::SCHEMES.iter().find(|scheme| scheme.signs_timestamp()) {
            let then =
                now.saturating_sub(scheme.max_age().as_duration() + std::time::Duration::from_secs(60));
            let stale = signer(&secret).sign(sample.payload, then)?.into();
            self.case::<P>("stale timestamp", "401", 0, &stale, sample.payload).await?;
        }
        self.burst::<P>(&genuine, sample.payload).await
    }

    /// `expected` starts with the status.
    async fn case<P: Provider>(
        &mut self,
        case: &str,
        expected: &str,
        runs: usize,
        headers: &HeaderMap,
        body: &str,
    ) -> Result<(), Error> {
        let status = self.request::<P>("single", headers, body).send().await?.status().as_u16();
        let seen = self.seen.take();
        let as_expected = expected.starts_with(&status.to_string()) && seen.len() == runs;
        self.line::<P>(case, expected, &status.to_string(), &seen, as_expected);
        Ok(())
    }

    /// A hundred equal deliveries at once: one is handled, the others hear that it is done or in flight.
    async fn burst<P: Provider>(&mut self, headers: &HeaderMap, body: &str) -> Result<(), Error> {
        let sends: Vec<_> = (0..100)
            .map(|_| {
                let request = self.request::<P>("burst", headers, body);
                tokio::spawn(async move { Ok::<_, reqwest::Error>(request.send().await?.status().as_u16()) })
            })
            .collect();
        let (mut ok, mut in_flight, mut other) = (0, 0, 0);
        for send in sends {
            match send.await?? {
                200 => ok += 1,
                503 => in_flight += 1,
                _ => other += 1,
            }
        }
        let seen = self.seen.take();
        let answer = format!("{ok} x 200, {in_flight} x 503");
        let as_expected = other == 0 && ok >= 1 && seen.len() == 1;
        self.line::<P>("burst of 100", "200 or 503, once", &answer, &seen, as_expected);
        Ok(())
    }

    fn request<P: Provider>(
        &self,
        endpoint: &str,
        headers: &HeaderMap,
        body: &str,
    ) -> reqwest::RequestBuilder {
        let url = format!("{}/{endpoint}/{}", self.url, P::NAME);
        self.client.post(url).headers(headers.clone()).body(body.to_owned())
    }

    fn line<P: Provider>(
        &mut self,
        case: &str,
        expected: &str,
        answer: &str,
        seen: &[String],
        as_expected: bool,
    ) {
        let seen = if seen.is_empty() { "nothing".to_owned() } else { seen.join(", ") };
        let verdict = if as_expected { "" } else { "   <- NOT AS EXPECTED" };
        println!("{:<11} {case:<17} {expected:<26} {answer:<26} {seen}{verdict}", P::NAME);
        match as_expected {
            true => self.passed += 1,
            false => self.failed += 1,
        }
    }
}
