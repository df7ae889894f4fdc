//! One suite through all ways in: standalone, axum and actix-web, with a receiver that was set up and with one that a registry found,
//! give the same verdict, the same status, and the handler sees the same.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use countersign::{
    Answer, Clock, EventError, FixedSecrets, MemoryStore, Outcome, Provider, Receiver, Registry, Secret,
    Secrets, SystemClock, Timestamp, provider,
};
use countersign_tests::{
    client::Request,
    handler::{Behaviour, Handler},
    server::Framework,
    vector::{Vector, verdict},
};

/// It is always the vector's time.
#[derive(Clone, Copy)]
struct Fixed(Timestamp);

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        self.0
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
}

/// What a way in made of a request: its status, and all that the handler saw.
type Seen = (u16, Vec<String>);

fn receiver<P: Provider>(vector: &Vector) -> Option<Receiver<P>> {
    let secrets: Result<Vec<_>, _> = vector.secrets.iter().map(|secret| Secret::new(&**secret)).collect();
    let mut builder = Receiver::builder(Secrets::new(secrets.ok()?).ok()?)
        .store(Arc::new(MemoryStore::new(100)))
        .clock(Fixed(vector.now));
    if let Some(kind) = &vector.kind {
        builder = builder.kind(kind);
    }
    if vector.require_timestamp {
        builder = builder.require_timestamp();
    }
    if let Some(url) = &vector.public_url {
        builder = builder.public_url(url.clone());
    }
    builder.build().ok()
}

/// The request, and the request once more, without any framework.
async fn standalone<P: Provider>(vector: &Vector) -> Option<(Seen, Answer)> {
    let (receiver, handler) = (receiver::<P>(vector)?, Handler::new(Behaviour::Answer(200)));
    let send = || {
        receiver.handle(&vector.headers, &vector.body, vector.now, tokio::time::sleep, async |webhook| {
            handler.run(&webhook.event).await;
            Ok::<(), std::io::Error>(())
        })
    };
    let first = send().await;
    assert_eq!(send().await.status(), first.status(), "{}: the same again", vector.name);
    Some(((first.status(), handler.seen()), first))
}

async fn served<P: Provider>(framework: Framework, vector: &Vector) -> Option<Seen> {
    let (receiver, handler) = (receiver::<P>(vector)?, Handler::new(Behaviour::Answer(200)));
    let address = framework.serve(receiver, handler.clone()).await;
    let request = Request::post("/webhook", &vector.headers, &vector.body);
    let status = request.send(address).await.status;
    assert_eq!(request.send(address).await.status, status, "{framework:?}, {}: the same again", vector.name);
    let chunked = Request::chunked("/webhook", &vector.headers, &vector.body, 50);
    assert_eq!(chunked.send(address).await.status, status, "{framework:?}, {}: in chunks", vector.name);
    Some((status, handler.seen()))
}

/// A registry by this clock, with a tenant for each of these vectors, which share their settings.
fn registry<P: Provider>(vectors: &[&Vector], clock: impl Clock) -> Registry {
    let with = |secrets: FixedSecrets, (index, vector): (usize, &&Vector)| {
        let live = vector.secrets.iter().map(|secret| Secret::new(&**secret).unwrap());
        secrets.with(P::NAME, index.to_string(), Secrets::new(live).unwrap())
    };
    let secrets = vectors.iter().enumerate().fold(FixedSecrets::new(), with);
    let builder = Registry::builder(secrets).built_in().settings(P::NAME, vectors[0].settings());
    let floor = Duration::from_millis(10);
    builder.store(MemoryStore::new(10_000)).clock(clock).look_up_floor(floor).build().unwrap()
}

async fn found<P: Provider>(vector: &Vector) -> (Seen, Answer) {
    let handler = Handler::new(Behaviour::Answer(200));
    let found =
        registry::<P>(&[vector], Fixed(vector.now)).find(P::NAME, "0", tokio::time::sleep).await.unwrap();
    let answer = found
        .handle(&vector.headers, &vector.body, vector.now, tokio::time::sleep, async |webhook| {
            let delivery = webhook.delivery.of::<P>().expect("the delivery is one of its provider");
            handler.run(&delivery.event()?).await;
            Ok::<(), EventError>(())
        })
        .await;
    ((answer.status(), handler.seen()), answer)
}

/// It is the time of the vector that is sent.
#[derive(Clone)]
struct Moved(Arc<Mutex<Timestamp>>);

impl Clock for Moved {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    /// Goes on, since a wrong signature waits for the next look-up.
    fn elapsed(&self) -> Duration {
        SystemClock.elapsed()
    }
}

/// One server for all vectors that share their settings: what each makes of it, in their order.
async fn served_by_name<P: Provider>(framework: Framework, vectors: &[&Vector]) -> Vec<Seen> {
    let (clock, handler) =
        (Moved(Arc::new(Mutex::new(vectors[0].now))), Handler::new(Behaviour::Answer(200)));
    let registry = registry::<P>(vectors, clock.clone());
    let address = framework.serve_any::<P>(registry, handler.clone()).await;
    let mut served = Vec::new();
    for (index, vector) in vectors.iter().enumerate() {
        let name = &vector.name;
        *clock.0.lock().unwrap() = vector.now;
        let (path, before) = (format!("/webhooks/{}/{index}", P::NAME), handler.runs());
        let request = Request::post(&path, &vector.headers, &vector.body);
        let status = request.send(address).await.status;
        assert_eq!(request.send(address).await.status, status, "{framework:?}, {name}: the same again");
        let chunked = Request::chunked(&path, &vector.headers, &vector.body, 50);
        assert_eq!(chunked.send(address).await.status, status, "{framework:?}, {name}: in chunks");
        served.push((status, handler.seen().split_off(before)));
    }
    served
}

/// Whether a client can send it: by `POST`, in header lines without line ends; servers refuse very long ones by themselves.
fn can_be_sent(vector: &Vector) -> bool {
    let sendable =
        |value: &str| value.trim() == value && !value.contains(['\r', '\n', '\0']) && value.len() < 8000;
    vector.method.is_none() && vector.headers.iter().all(|(_, value)| sendable(value))
}

async fn check<P: Provider>() {
    let vectors = Vector::load(P::NAME).unwrap();
    let mut compared = 0;
    // By their settings: the vectors, and what was seen of each.
    let mut by_name_of: Vec<(Vec<&Vector>, Vec<Seen>)> = Vec::new();
    for vector in vectors.iter().filter(|vector| can_be_sent(vector)) {
        let Some((alone, answer)) = standalone::<P>(vector).await else { continue };
        let verified = vector.verifier::<P>().unwrap().verify(&vector.headers, &vector.body, vector.now);
        assert_eq!(verdict(&verified), vector.expect, "{}", vector.name);
        let outcome = verified.map_or_else(|error| Outcome::Refused(error.kind()), |_| answer.outcome());
        assert_eq!(answer.outcome(), outcome, "{}", vector.name);
        let (seen, by_name) = found::<P>(vector).await;
        assert_eq!(seen, alone, "{}: by name", vector.name);
        if let Outcome::Refused(_) = outcome {
            assert_eq!(by_name, answer, "{}: by name", vector.name);
        }
        for framework in Framework::ALL {
            let served = served::<P>(framework, vector).await.unwrap();
            assert_eq!(served, alone, "{framework:?}, {}", vector.name);
        }
        let group = by_name_of.iter_mut().find(|(vectors, _)| vectors[0].settings() == vector.settings());
        match group {
            Some((vectors, expected)) => {
                vectors.push(vector);
                expected.push(alone);
            }
            None => by_name_of.push((vec![vector], vec![alone])),
        }
        compared += 1;
    }
    for (vectors, expected) in by_name_of {
        for framework in Framework::ALL {
            let served = served_by_name::<P>(framework, &vectors).await;
            for ((vector, served), expected) in vectors.iter().zip(served).zip(&expected) {
                assert_eq!(served, *expected, "{framework:?}, {}: by name", vector.name);
            }
        }
    }
    assert!(compared > 20, "{}: {compared} of {} were compared", P::NAME, vectors.len());
}

macro_rules! each {
    ($($module:ident => $provider:ident,)*) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $module() {
            check::<provider::$provider>().await;
        }
    )*};
}
// One of each kind: a row of each starts servers of its own, and there are more providers than open files for that.
each! {
    chargebee => Chargebee,
    discord => Discord,
    github => GitHub,
    hubspot => HubSpot,
    linear => Linear,
    raaft => Raaft,
    recharge => Recharge,
    retake => Retake,
    retentbase => RetentBase,
    revkeen => RevKeen,
    square => Square,
    standard_webhooks => StandardWebhooks,
}
