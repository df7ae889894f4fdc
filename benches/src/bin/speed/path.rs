//! The whole way of a delivery in memory, without a socket: verify, claim, parse, commit.

use std::{
    cell::Cell,
    convert::Infallible,
    hint::black_box,
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::Bytes;
use countersign::{
    Admission, Clock as _, Delivery, MemoryStore, Provider, Receiver, Secret, Signer, SystemClock,
    TokioRuntime,
    provider::{Retake, RetentBase},
};
use countersign_benches::{
    table::Report,
    timing::{Contender, Effort, prepared, side_by_side},
};
use http::HeaderMap;
use serde_json::Value;
use webhook_verify::{CustomScheme, Encoding, HashAlg};

use crate::{
    beside, cell,
    request::{self, SECRET},
};

const LENGTH: usize = 350;
const LIMIT: usize = 1 << 20;
const RETENTION: Duration = Duration::from_secs(72 * 3600);

pub fn run(report: &Report, effort: Effort) {
    report.line("");
    report.line("## The whole way");
    report.line("");
    report.line(format!(
        "{LENGTH} B, each delivery a new one, by one thread. The peers are webhook-verify, `Value` and one `or_insert` into a moka \
         cache with a time to live: they remember a delivery before it is handled, and whether or not that succeeds."
    ));
    report.head(&["", "countersign", "peers"]);
    // There is no id: what is the same at every attempt, and at no other delivery, is the signature.
    let retake = Ways::<Retake>::new(retake_body, retake(), "x-webhook-signature");
    retake.rows(report, effort, "Retake, one key");
    let retentbase = Ways::<RetentBase>::new(retentbase_body, retentbase(), "x-retentbase-delivery-id");
    retentbase.rows(report, effort, "RetentBase, three keys");
    report.line("");
    report.line(
        "A key is a digest of what was signed, since an id in a header is anybody's to change; and it is claimed for as long as a handler \
         works, then committed. RetentBase's deliveries have three (see its documentation), so three are claimed and committed.",
    );
}

/// Retake's scheme, as webhook-verify is told of it.
fn retake() -> CustomScheme {
    CustomScheme {
        hash: HashAlg::Sha256,
        signature_header: "x-webhook-signature",
        timestamp_header: None,
        encoding: Encoding::Hex,
        prefix: Some("sha256="),
        signed_string: |_, body| body.to_vec(),
    }
}

/// RetentBase's scheme, as webhook-verify is told of it.
pub fn retentbase() -> CustomScheme {
    CustomScheme {
        hash: HashAlg::Sha256,
        signature_header: "x-retentbase-signature-sha256",
        timestamp_header: Some("x-retentbase-timestamp"),
        encoding: Encoding::Hex,
        prefix: None,
        signed_string: |headers, body| {
            let mut signed = headers.get("x-retentbase-timestamp").unwrap_or_default().as_bytes().to_vec();
            signed.push(b'.');
            signed.extend_from_slice(body);
            signed
        },
    }
}

/// A body of this number.
fn retake_body(n: usize) -> String {
    let documented = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/payloads/retake.json"));
    let body = documented.replace("int_abc123", &format!("int_{n:016x}"));
    let padding = LENGTH - body.len();
    body.replace("checkout_page", &format!("checkout_page{}", "x".repeat(padding)))
}

fn retentbase_body(n: usize) -> String {
    let body = String::from_utf8(request::body(LENGTH).into()).unwrap();
    body.replace("evt_01HM3K5Q8ZC4", &format!("evt_{n:012x}"))
}

/// A delivery that nobody has seen.
struct Request {
    headers: HeaderMap,
    body: Bytes,
}

/// Both ways, each with a memory of its own.
struct Ways<P: Provider> {
    secret: Secret,
    receiver: Receiver<P>,
    body: fn(usize) -> String,
    scheme: CustomScheme,
    peers_secret: webhook_verify::Secret,
    seen: moka::sync::Cache<String, ()>,
    id: &'static str,
    made: Cell<usize>,
}

impl<P: Provider> Ways<P> {
    fn new(body: fn(usize) -> String, scheme: CustomScheme, id: &'static str) -> Self {
        let secret = Secret::new(SECRET).unwrap();
        Self {
            receiver: Receiver::<P>::builder(&secret).store(MemoryStore::new(LIMIT)).build().unwrap(),
            secret,
            body,
            scheme,
            peers_secret: webhook_verify::Secret::new(SECRET),
            seen: moka::sync::Cache::builder().max_capacity(LIMIT as u64).time_to_live(RETENTION).build(),
            id,
            made: Cell::new(0),
        }
    }

    fn rows(&self, report: &Report, effort: Effort, name: &str) {
        let parts = [
            ("the whole way", self.whole()),
            ("verify", self.verify()),
            ("parse", self.parse()),
            ("claim and commit", self.remember()),
        ];
        for (part, mut contenders) in parts {
            let took = side_by_side(effort, &mut contenders);
            report.row(&[format!("{name}: {part}"), cell(took[0]), beside(took[1], took[0])]);
        }
    }

    fn whole(&self) -> [Contender<'_>; 2] {
        let handler = async |webhook| {
            black_box(webhook);
            Ok::<_, Infallible>(())
        };
        [
            prepared(
                "countersign",
                || self.request(),
                move |Request { headers, body }| {
                    let handled =
                        self.receiver.handle(headers, &*body, SystemClock.now(), TokioRuntime, handler);
                    assert_eq!(poll(handled).status(), 200);
                },
            ),
            prepared(
                "peers",
                || self.request(),
                |request| {
                    self.verify_by_peer(request);
                    self.remember_by_peer(request);
                    black_box(serde_json::from_slice::<Value>(&request.body).unwrap());
                },
            ),
        ]
    }

    fn verify(&self) -> [Contender<'_>; 2] {
        [
            prepared("countersign", || self.request(), |request| self.verified(request)),
            prepared("peers", || self.request(), |request| self.verify_by_peer(request)),
        ]
    }

    fn parse(&self) -> [Contender<'_>; 2] {
        [
            prepared("countersign", || self.verified(&self.request()), |delivery| delivery.event().unwrap()),
            prepared(
                "peers",
                || self.request(),
                |request| serde_json::from_slice::<Value>(&request.body).unwrap(),
            ),
        ]
    }

    fn remember(&self) -> [Contender<'_>; 2] {
        let settle = |delivery: &mut Option<Delivery<P>>| {
            let admission = poll(self.receiver.admit(delivery.take().unwrap(), TokioRuntime)).unwrap();
            match &admission {
                Admission::Process(admitted) => poll(admitted.commit()).unwrap(),
                known => panic!("{known:?}"),
            }
            admission
        };
        [
            prepared("countersign", || Some(self.verified(&self.request())), settle),
            prepared("peers", || self.request(), |request| self.remember_by_peer(request)),
        ]
    }

    /// The next request.
    fn request(&self) -> Request {
        let n = self.made.replace(self.made.get() + 1);
        let body = Bytes::from((self.body)(n));
        assert_eq!(body.len(), LENGTH);
        let signer = Signer::<P>::new(&self.secret).id(format!("dlv_{n:016x}")).kind("cancellation.created");
        Request { headers: request::headers(&signer, &body), body }
    }

    fn verified(&self, Request { headers, body }: &Request) -> Delivery<P> {
        self.receiver.verifier().verify(headers, body, SystemClock.now()).unwrap()
    }

    fn verify_by_peer(&self, Request { headers, body }: &Request) {
        let provider = webhook_verify::Provider::Custom(self.scheme);
        webhook_verify::verify(provider, headers, body, &self.peers_secret, Default::default()).unwrap();
    }

    fn remember_by_peer(&self, Request { headers, .. }: &Request) {
        let id = headers[self.id].to_str().unwrap();
        assert!(self.seen.entry_by_ref(id).or_insert(()).is_fresh());
    }
}

/// What a future that waits for nothing comes to.
fn poll<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => panic!("it waits"),
    }
}
