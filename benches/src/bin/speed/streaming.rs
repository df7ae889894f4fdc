//! A body that arrives in chunks: what is left to do once the last one is there.

use bytes::{Bytes, BytesMut};
use countersign::{
    Clock as _, Delivery, Provider, Secret, Signer, SystemClock, Verification, Verifier,
    provider::{Recharge, RetentBase},
};
use countersign_benches::{
    table::Report,
    timing::{Contender, Effort, prepared, side_by_side},
};
use http::HeaderMap;
use sha2::{Digest as _, Sha256};

use crate::{
    beside, cell, path,
    request::{self, SECRET},
};

const BODY: usize = 1 << 20;
const CHUNK: usize = 16 << 10;

pub fn run(report: &Report, effort: Effort) {
    report.line("");
    report.line("## Streaming");
    report.line("");
    report.line("1 MiB in chunks of 16 KiB, from the last chunk's arrival to the verdict.");
    let columns = [
        "",
        "countersign",
        "SHA-256 of the last chunk",
        "buffer, then countersign",
        "buffer, then webhook-verify",
    ];
    report.head(&columns);
    let signer = Signer::new(&secret()).id("dlv_1").kind("cancellation.created");
    row::<RetentBase>(report, effort, "HMAC-SHA256 (RetentBase)", (signer, request::body(BODY)), |case| {
        let retentbase = path::retentbase();
        vec![prepared(
            "buffer, then webhook-verify",
            || case.buffered(),
            move |buffer| {
                let (headers, body) = (&case.headers, buffer.complete(&case.last));
                let provider = webhook_verify::Provider::Custom(retentbase);
                webhook_verify::verify(provider, headers, &body, &case.peers_secret, Default::default())
                    .unwrap();
            },
        )]
    });
    let signer = Signer::new(&secret()).kind("order/created").weakest();
    row::<Recharge>(
        report,
        effort,
        "SHA-256 of secret and body (Recharge's legacy form)",
        (signer, order()),
        |_| Vec::new(),
    );
    report.line("");
    report.line(
        "Goal: within 20 µs. Recharge's legacy form is open to length extension, so under it a body must be one complete JSON text: that is \
         looked at once all of it is there.",
    );
}

fn secret() -> Secret {
    Secret::new(SECRET).unwrap()
}

/// An order of this size.
fn order() -> Bytes {
    const HEAD: &str = r#"{"order":{"id":3,"line_items":["#;
    const ITEM: &str =
        r#"{"purchase_item_id":69,"title":"Shirt","quantity":1,"unit_price":"43.00","properties":[]},"#;
    const TAIL: &str = "0]}}";
    let mut body = [HEAD, &ITEM.repeat((BODY - HEAD.len() - TAIL.len()) / ITEM.len())].concat();
    body.push_str(&" ".repeat(BODY - body.len() - TAIL.len()));
    (body + TAIL).into()
}

fn row<P: Provider>(
    report: &Report,
    effort: Effort,
    name: &str,
    request: (Signer<P>, Bytes),
    others: impl for<'c> Fn(&'c Case<P>) -> Vec<Contender<'c>>,
) {
    let (signer, body) = request;
    let mut chunks: Vec<_> = (0..BODY).step_by(CHUNK).map(|at| body.slice(at..at + CHUNK)).collect();
    let case = Case {
        verifier: Verifier::<P>::new(secret()).unwrap(),
        headers: request::headers(&signer, &body),
        peers_secret: webhook_verify::Secret::new(SECRET),
        last: chunks.pop().unwrap(),
        chunks,
    };
    let mut contenders = vec![
        prepared("countersign", || case.begun(), |state| state.finish(&case.last)),
        prepared("SHA-256 of the last chunk", || (), |()| Sha256::digest(&case.last)),
        prepared(
            "buffer, then countersign",
            || case.buffered(),
            |buffer| {
                let body = buffer.complete(&case.last);
                buffer.1 = Some(case.verifier.verify(&case.headers, body, SystemClock.now()).unwrap());
            },
        ),
    ];
    contenders.extend(others(&case));
    let took = side_by_side(effort, &mut contenders);
    let mut cells = vec![name.to_owned(), cell(took[0])];
    cells.extend(took.iter().skip(1).map(|peer| beside(*peer, took[0])));
    cells.resize(5, String::new());
    report.row(&cells);
}

struct Case<P: Provider> {
    verifier: Verifier<P>,
    headers: HeaderMap,
    peers_secret: webhook_verify::Secret,
    chunks: Vec<Bytes>,
    last: Bytes,
}

impl<P: Provider> Case<P> {
    /// All but the last chunk, hashed as it came.
    fn begun(&self) -> State<'_, P> {
        let mut verification = self.verifier.begin(&self.headers, SystemClock.now()).unwrap();
        for chunk in &self.chunks {
            verification.update(chunk.clone()).unwrap();
        }
        State(Some(verification), None)
    }

    /// All but the last chunk, kept.
    fn buffered(&self) -> Buffer<P> {
        let mut buffer = BytesMut::new();
        for chunk in &self.chunks {
            buffer.extend_from_slice(chunk);
        }
        Buffer(buffer, None)
    }
}

/// A body under way, and what came of it.
struct State<'v, P: Provider>(Option<Verification<'v, P>>, Option<Delivery<P>>);

impl<P: Provider> State<'_, P> {
    fn finish(&mut self, last: &Bytes) {
        let mut verification = self.0.take().unwrap();
        verification.update(last.clone()).unwrap();
        self.1 = Some(verification.finish().unwrap());
    }
}

struct Buffer<P: Provider>(BytesMut, Option<Delivery<P>>);

impl<P: Provider> Buffer<P> {
    fn complete(&mut self, last: &Bytes) -> Bytes {
        self.0.extend_from_slice(last);
        self.0.split().freeze()
    }
}
