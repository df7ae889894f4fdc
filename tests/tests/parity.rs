//! One suite through all ways in: standalone, axum and actix-web, with a receiver that was set up and with one that a registry found,
//! give the same verdict, the same status, and the handler sees the same.

use std::{sync::Arc, time::Duration};

use countersign::{
    Answer, Clock, EventError, FixedSecrets, MemoryStore, Outcome, Provider, Receiver, Registry, Secret,
    Secrets, Settings, Timestamp, for_each_provider,
    provider::{Raaft, Recharge, Retake, RetentBase, RevKeen},
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

/// As [`receiver`], found by name.
fn registry<P: Provider>(vector: &Vector) -> Registry {
    let secrets: Vec<_> = vector.secrets.iter().map(|secret| Secret::new(&**secret).unwrap()).collect();
    let mut settings = Settings::new();
    if let Some(kind) = &vector.kind {
        settings = settings.kind(kind.clone());
    }
    if vector.require_timestamp {
        settings = settings.require_timestamp();
    }
    if let Some(url) = &vector.public_url {
        settings = settings.public_url(url.clone());
    }
    if let Some(method) = &vector.method {
        settings = settings.method(method.clone());
    }
    let secrets = FixedSecrets::new().with(P::NAME, "tenant", Secrets::new(secrets).unwrap());
    let builder = Registry::builder(secrets).built_in().settings(P::NAME, settings);
    builder.store(MemoryStore::new(100)).clock(Fixed(vector.now)).build().unwrap()
}

async fn found<P: Provider>(vector: &Vector) -> (Seen, Answer) {
    let handler = Handler::new(Behaviour::Answer(200));
    let found = registry::<P>(vector).find(P::NAME, "tenant", tokio::time::sleep).await.unwrap();
    let answer = found
        .handle(&vector.headers, &vector.body, vector.now, tokio::time::sleep, async |webhook| {
            let delivery = webhook.delivery.of::<P>().expect("the delivery is one of its provider");
            handler.run(&delivery.event()?).await;
            Ok::<(), EventError>(())
        })
        .await;
    ((answer.status(), handler.seen()), answer)
}

async fn served_by_name<P: Provider>(framework: Framework, vector: &Vector) -> Seen {
    let handler = Handler::new(Behaviour::Answer(200));
    let address = framework.serve_any::<P>(registry::<P>(vector), handler.clone()).await;
    let path = format!("/webhooks/{}/tenant", P::NAME);
    let request = Request::post(&path, &vector.headers, &vector.body);
    let status = request.send(address).await.status;
    assert_eq!(request.send(address).await.status, status, "{framework:?}, {}: the same again", vector.name);
    (status, handler.seen())
}

/// Whether a client can send it: header lines have no line ends in them, and servers refuse very long ones by themselves.
fn can_be_sent(vector: &Vector) -> bool {
    let sendable =
        |value: &str| value.trim() == value && !value.contains(['\r', '\n', '\0']) && value.len() < 8000;
    vector.headers.iter().all(|(_, value)| sendable(value))
}

async fn check<P: Provider>() {
    let vectors = Vector::load(P::NAME).unwrap();
    let mut compared = 0;
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
            let served = served_by_name::<P>(framework, vector).await;
            assert_eq!(served, alone, "{framework:?}, {}: by name", vector.name);
        }
        compared += 1;
    }
    assert!(compared > 20, "{}: {compared} of {} were compared", P::NAME, vectors.len());
}

macro_rules! each {
    ($($module:ident => $provider:ident,)*) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $module() {
            check::<$provider>().await;
        }
    )*};
}
for_each_provider!(each);
