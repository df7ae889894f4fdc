//! One contender of the HTTP benchmarks on a free port of the loopback, with one worker thread: `server axum-full SECRET`.

mod on_actix;
mod on_axum;

use std::{
    hint::black_box,
    io::stdin,
    net::TcpListener,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    thread,
};

use countersign::{
    MemoryStore, Receiver, Secret, Verifier,
    provider::{Raaft, RetentBase},
};
use webhook_verify::{CustomScheme, Encoding, HashAlg};

/// What a store holds at the most: more than one run brings.
const LIMIT: usize = 4_000_000;

/// How many times a handler ran.
static HANDLED: AtomicUsize = AtomicUsize::new(0);
/// How many bytes of bodies were asked for, where that is counted.
static READ: AtomicUsize = AtomicUsize::new(0);

/// Prints its port, and for each line that it is sent, what it has counted. Ends with its input.
fn main() {
    let contender = std::env::args().nth(1).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    // Of ten thousand that connect at once, none is to wait for its second try.
    rustix::net::listen(&listener, 4096).unwrap();
    listener.set_nonblocking(true).unwrap();
    thread::spawn(|| {
        for _ in stdin().lines() {
            println!("{} {}", HANDLED.load(Relaxed), READ.load(Relaxed));
        }
        std::process::exit(0);
    });
    match contender.split_once('-').unwrap() {
        ("axum", contender) => on_axum::serve(listener, contender),
        ("actix", contender) => on_actix::serve(listener, contender),
        (other, _) => panic!("{other}?"),
    }
}

/// Says on which port it listens, once all that comes before the first request is done.
fn ready(listener: &TcpListener) {
    println!("{}", listener.local_addr().unwrap().port());
}

/// What every handler ends with.
fn handled<T>(event: T) {
    black_box(event);
    HANDLED.fetch_add(1, Relaxed);
}

fn secret() -> Secret {
    Secret::new(secret_text()).unwrap()
}

fn secret_text() -> String {
    std::env::args().nth(2).unwrap()
}

fn verifier() -> Verifier<RetentBase> {
    Verifier::new(secret()).unwrap()
}

fn receiver() -> Receiver<RetentBase> {
    Receiver::builder(secret()).store(MemoryStore::new(LIMIT)).build().unwrap()
}

fn token_receiver() -> Receiver<Raaft> {
    Receiver::builder(secret()).store(MemoryStore::new(LIMIT)).build().unwrap()
}

/// RetentBase, which webhook-verify has to be told of.
fn peers_provider() -> (webhook_verify::Provider, webhook_verify::Secret) {
    const TIMESTAMP: &str = "x-retentbase-timestamp";
    let scheme = CustomScheme {
        hash: HashAlg::Sha256,
        signature_header: "x-retentbase-signature-sha256",
        timestamp_header: Some(TIMESTAMP),
        encoding: Encoding::Hex,
        prefix: None,
        signed_string: |headers, body| {
            let mut signed = headers.get(TIMESTAMP).unwrap_or_default().as_bytes().to_vec();
            signed.push(b'.');
            signed.extend_from_slice(body);
            signed
        },
    };
    (webhook_verify::Provider::Custom(scheme), webhook_verify::Secret::new(secret_text()))
}
