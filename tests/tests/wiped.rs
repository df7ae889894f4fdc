//! Nothing of a secret stays in the heap once its owner was dropped: the memory of this process is searched for it.
//!
//! The test keeps secrets and what is made of them on its own stack, which is not searched, and masks what it looks for.

#![cfg(target_os = "linux")]

use std::{
    collections::BTreeSet,
    future::{pending, ready},
    hint::black_box,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::Bytes;
use countersign::{
    Clock, Description, LookUpError, MemoryStore, Provider as _, Receiver, Registry, Secret, Secrets, Signer,
    TenantSecrets, Timestamp, Verifier,
    provider::{Custom, Meta, Zoom},
    scheme::{Algorithm, KeyEncoding, Scheme},
};
use countersign_tests::heap::{Needles, Text, overwrite_stack};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use sha2::{
    Digest, Sha256, Sha512,
    digest::common::{BlockSizeUser, hazmat::SerializableState},
};

const NOW: Timestamp = Timestamp::from_unix_seconds(1_705_314_600);
const BODY: &str = r#"{"event":"trial.expired","data":{"userId":"user_456","note":"a body of more than one block of SHA-512, so that its states move on while it arrives"}}"#;
/// Where the body is cut: behind the second cut, a block of each hash was taken in.
const CUTS: [usize; 2] = [40, 130];

/// Secrets of one kind, which nobody else uses.
#[derive(Clone, Copy)]
struct Subject {
    scheme: &'static Scheme,
    key: KeyEncoding,
    seed: u64,
    live: u64,
    /// Which of them is not written as it should be.
    spoilt: Option<u64>,
}

impl Subject {
    /// A secret as it is written, and the key that it holds.
    fn secret(&self, index: u64) -> (Text, Text) {
        let mut bytes = [0; 32];
        let mut state = self.seed << 32 | index << 16;
        for eight in bytes.as_chunks_mut::<8>().0 {
            // SplitMix64.
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
            *eight = (mixed ^ mixed >> 31).to_ne_bytes();
        }
        let spoilt = self.spoilt == Some(index);
        let (mut text, key) = match self.key {
            KeyEncoding::Hex => (Text::hex(&bytes), Text::of(&[&bytes])),
            KeyEncoding::Base64 => (Text::base64(&bytes), Text::of(&[&bytes])),
            KeyEncoding::Whsec => {
                (Text::of(&[b"whsec_", Text::base64(&bytes).as_ref()]), Text::of(&[&bytes]))
            }
            _ => {
                let mut text = Text::base64(&bytes);
                if self.scheme.algorithm() == Algorithm::Basic {
                    text.bytes[9] = b':';
                }
                (text, text)
            }
        };
        if spoilt {
            text.bytes[text.length - 2] = b'!';
        }
        (text, key)
    }

    fn secrets(&self) -> Secrets {
        let secret = |index| Secret::new(self.secret(index).0.as_ref()).unwrap();
        let secrets = Secrets::new((0..self.live).map(secret)).unwrap();
        overwrite_stack();
        secrets
    }

    fn description(&self) -> Description {
        Description::new("acme", [self.scheme.clone().key(self.key)])
    }

    fn verifier(&self) -> Verifier<Custom> {
        Verifier::custom(self.description(), self.secrets()).unwrap()
    }

    /// The headers of a delivery that the last secret signed.
    fn headers(&self) -> [(&'static str, Text); 1] {
        let (text, key) = self.secret(self.live - 1);
        let (key, body) = (key.as_ref(), BODY.as_bytes());
        let value = match self.scheme.algorithm() {
            Algorithm::HmacSha1 => Text::hex(
                &Hmac::<Sha1>::new_from_slice(key).unwrap().chain_update(body).finalize().into_bytes(),
            ),
            Algorithm::HmacSha256 => Text::hex(
                &Hmac::<Sha256>::new_from_slice(key).unwrap().chain_update(body).finalize().into_bytes(),
            ),
            Algorithm::HmacSha512 => Text::hex(
                &Hmac::<Sha512>::new_from_slice(key).unwrap().chain_update(body).finalize().into_bytes(),
            ),
            Algorithm::Sha256 => Text::hex(&Sha256::new().chain_update(key).chain_update(body).finalize()),
            Algorithm::Basic => Text::of(&[b"Basic ", Text::base64(key).as_ref()]),
            _ => text,
        };
        overwrite_stack();
        [(self.scheme.header_name(), value)]
    }

    /// What of these secrets, and of the states that they make, is in the heap.
    fn found(&self) -> BTreeSet<&'static str> {
        let mut needles = Needles::default();
        for index in 0..self.live {
            let (text, key) = self.secret(index);
            // What every secret begins with says nothing.
            needles.add("secret", text.as_ref().strip_prefix(b"whsec_").unwrap_or(text.as_ref()));
            needles.add("key", key.as_ref());
            let key = key.as_ref();
            match self.scheme.algorithm() {
                Algorithm::HmacSha1 => add_hmac::<Sha1>(&mut needles, key),
                Algorithm::HmacSha256 => add_hmac::<Sha256>(&mut needles, key),
                Algorithm::HmacSha512 => add_hmac::<Sha512>(&mut needles, key),
                Algorithm::Sha256 => add_state::<Sha256>(&mut needles, "state", &[key]),
                Algorithm::Basic => {
                    needles.add("credentials", Text::base64(key).as_ref());
                    needles.add("digest", &Sha256::digest(Text::base64(key)));
                }
                _ => needles.add("digest", &Sha256::digest(key)),
            }
        }
        let found = needles.found();
        overwrite_stack();
        found
    }
}

/// The states of a hash as they are in memory: once it has taken in these bytes, and what follows of the body's first two chunks.
fn add_state<D: Digest + SerializableState>(needles: &mut Needles, what: &'static str, bytes: &[&[u8]]) {
    let width = <D as Digest>::output_size();
    let mut hash = bytes.iter().fold(D::new(), D::chain_update);
    for part in [&[][..], &BODY.as_bytes()[..CUTS[1]]] {
        hash.update(part);
        // In words of the processor's order, which is the library's on all that this is tested on.
        let state = hash.serialize();
        if state[width..width + 8] != [0; 8] {
            needles.add(what, &state[..width]);
        }
    }
}

/// RFC 2104, section 2.
fn add_hmac<D: Digest + BlockSizeUser + SerializableState>(needles: &mut Needles, key: &[u8]) {
    for (what, pad) in [("inner state", 0x36), ("outer state", 0x5c)] {
        let mut block = [pad; 128];
        block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
        needles.add("padded key", &block[..key.len()]);
        add_state::<D>(needles, what, &[&block[..D::block_size()]]);
    }
}

/// Nothing is left of secrets after this.
#[track_caller]
fn check(subject: &Subject, what: &str, run: impl FnOnce(&Subject)) {
    let subject = subject.anew();
    run(&subject);
    is_gone(&subject, what);
}

#[track_caller]
fn is_gone(subject: &Subject, what: &str) {
    assert!(subject.found().is_empty(), "{what}: {:?} of {}", subject.found(), subject.name());
}

impl Subject {
    /// With secrets that were not used yet: what one check finds is its own.
    fn anew(&self) -> Self {
        static SEED: AtomicU64 = AtomicU64::new(0);
        Self { seed: SEED.fetch_add(1, Relaxed), ..*self }
    }

    fn name(&self) -> String {
        format!("{} of {:?}", self.scheme.algorithm().as_str(), self.key)
    }
}

/// Each algorithm with a secret, and each way in which secrets are written.
fn for_each_subject(mut check: impl FnMut(Subject)) {
    const SCHEMES: [Scheme; 6] = [
        Scheme::hmac_sha256("x-signature"),
        Scheme::hmac_sha1("x-signature"),
        Scheme::hmac_sha512("x-signature"),
        Scheme::sha256("x-signature"),
        Scheme::token("x-token"),
        Scheme::basic(),
    ];
    static KINDS: [Scheme; 6] = SCHEMES;
    let of_first = [KeyEncoding::Hex, KeyEncoding::Base64, KeyEncoding::Whsec].map(|key| (&KINDS[0], key));
    for (scheme, key) in KINDS.iter().map(|scheme| (scheme, KeyEncoding::Utf8)).chain(of_first) {
        for live in [1, 4, 5, 8] {
            check(Subject { scheme, key, seed: 0, live, spoilt: None });
        }
    }
}

/// Polls once, with the future in the heap, as a server's tasks are.
fn poll<T>(future: &mut Pin<Box<impl Future<Output = T>>>) -> Poll<T> {
    future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    match poll(&mut Box::pin(future)) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("nothing here waits"),
    }
}

/// Waits for ever.
fn never(_: Duration) -> impl Future<Output = ()> + Send {
    pending()
}

/// What comes of a stream once two of its chunks are there.
#[derive(Clone, Copy)]
enum Then {
    Waits,
    Ends,
    Fails,
    Panics,
}

/// Verifies the first two chunks of a body, and drops what is under way.
///
/// In a frame of its own: in one that held the headers, which may show the secret, the verification could be put where a copy of them was.
#[inline(never)]
fn stream_half_way(subject: &Subject, verifier: &Verifier<Custom>, headers: &[(&'static str, Text); 1]) {
    let mut verification = Box::new(verifier.begin(headers, NOW).unwrap());
    for chunk in [&BODY[..CUTS[0]], &BODY[CUTS[0]..CUTS[1]]] {
        verification.update(Bytes::from_static(chunk.as_bytes())).unwrap();
    }
    let has_state = subject.found().contains("state");
    assert!(has_state || subject.scheme.algorithm() != Algorithm::Sha256, "a hash is under way");
    // To another place in the heap.
    drop(Box::new(*verification));
}

/// Reads a signed body as an adapter does, in a future that is dropped afterwards.
fn read(subject: &Subject, then: Then) {
    let (verifier, headers) = (subject.verifier(), subject.headers());
    let mut chunks = [&BODY[..CUTS[0]], &BODY[CUTS[0]..CUTS[1]], &BODY[CUTS[1]..]].into_iter();
    let mut reading = Box::pin(async {
        let next = |_: &mut Context<'_>| match (chunks.len(), then) {
            (1, Then::Waits) => Poll::Pending,
            (1, Then::Fails) => Poll::Ready(Some(Err(()))),
            (1, Then::Panics) => resume_unwind(Box::new("told to")),
            _ => Poll::Ready(chunks.next().map(|chunk| Ok(Bytes::from_static(chunk.as_bytes())))),
        };
        verifier.begin(&headers, NOW)?.read(next, pending()).await
    });
    let polled = catch_unwind(AssertUnwindSafe(|| poll(&mut reading)));
    match then {
        Then::Waits => assert!(polled.unwrap().is_pending()),
        Then::Ends => {
            assert!(matches!(polled.unwrap(), Poll::Ready(Ok(delivery)) if delivery.body() == BODY))
        }
        Then::Fails => assert!(matches!(polled.unwrap(), Poll::Ready(Err(_)))),
        Then::Panics => assert!(polled.is_err()),
    }
}

/// In one thread, and one after the other: the stacks of others would be searched as well.
#[test]
fn nothing_of_a_secret_stays_in_the_heap() {
    what_is_left_in_the_heap_is_found();
    a_verifier_leaves_nothing();
    a_verifier_that_cannot_be_set_up_leaves_nothing();
    a_reply_to_a_handshake_leaves_nothing();
    a_verify_token_leaves_nothing();
    signing_leaves_nothing();
    a_registry_leaves_nothing_of_secrets_that_were_replaced();
}

fn what_is_left_in_the_heap_is_found() {
    for_each_subject(|subject| {
        let subject = subject.anew();
        drop(black_box(subject.secret(subject.live - 1).0.as_ref().to_vec()));
        assert!(subject.found().contains("secret"), "freed and not wiped: {}", subject.name());
        let _verifier = subject.verifier();
        let (found, states) = (subject.found(), ["inner state", "outer state", "digest"]);
        let holds_secret = subject.scheme.algorithm() == Algorithm::Sha256;
        assert!(holds_secret || states.iter().any(|state| found.contains(state)), "{}", subject.name());
    });
}

fn a_verifier_leaves_nothing() {
    for_each_subject(|subject| {
        check(&subject, "set up", |subject| {
            let verifier = subject.verifier();
            let clone = verifier.clone();
            drop(verifier);
            assert!(!subject.found().is_empty(), "a clone holds the keys: {}", subject.name());
            drop(clone);
        });
        check(&subject, "whole", |subject| {
            let (verifier, headers) = (subject.verifier(), subject.headers());
            assert!(verifier.verify(&headers, BODY, NOW).is_ok(), "{}", subject.name());
            assert_eq!(
                verifier.verify(&headers, "{}", NOW).is_ok(),
                subject.scheme.algorithm().shows_secret()
            );
        });
        check(&subject, "streamed half-way", |subject| {
            let (verifier, headers) = (subject.verifier(), subject.headers());
            stream_half_way(subject, &verifier, &headers);
        });
        check(&subject, "read half-way", |subject| read(subject, Then::Waits));
        check(&subject, "read to the end", |subject| read(subject, Then::Ends));
        check(&subject, "cut off", |subject| read(subject, Then::Fails));
        check(&subject, "panicked half-way", |subject| read(subject, Then::Panics));
        check(&subject, "received", |subject| {
            let store = MemoryStore::new(100);
            let receiver = Receiver::<Custom>::custom(subject.description(), subject.secrets())
                .store(store)
                .build()
                .unwrap();
            let handler = async |_| Ok::<(), LookUpError>(());
            let answer = block_on(receiver.handle(&subject.headers(), BODY, NOW, never, handler));
            assert_eq!(answer.status(), 200, "{}", subject.name());
        });
    });
}

fn a_verifier_that_cannot_be_set_up_leaves_nothing() {
    for_each_subject(|subject| {
        for spoilt in (0..subject.live).filter(|_| subject.key != KeyEncoding::Utf8) {
            let subject = Subject { spoilt: Some(spoilt), ..subject };
            check(&subject, "malformed", |subject| {
                assert!(Verifier::<Custom>::custom(subject.description(), subject.secrets()).is_err());
            });
        }
    });
}

fn a_reply_to_a_handshake_leaves_nothing() {
    let body = r#"{"event":"endpoint.url_validation","payload":{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"}}"#;
    for live in [1, 4, 5, 8] {
        let subject =
            Subject { scheme: &<Zoom>::SCHEMES[0], key: KeyEncoding::Utf8, seed: 0, live, spoilt: None };
        check(&subject, "handshake", |subject| {
            let secrets = subject.secrets();
            let headers = Signer::<Zoom>::new(secrets.iter().last().unwrap()).sign(body, NOW).unwrap();
            let verifier = Verifier::<Zoom>::new(secrets).unwrap();
            let delivery = verifier.verify(&headers, body, NOW).unwrap();
            drop(verifier);
            assert!(delivery.reply().is_some());
            assert!(!subject.found().is_empty(), "a delivery holds the key of its reply");
        });
    }
}

fn a_verify_token_leaves_nothing() {
    for_each_subject(|subject| {
        let is_token = subject.scheme.algorithm() == Algorithm::Token;
        for is_looked_up in [false, true].into_iter().filter(|_| is_token) {
            check(&subject, "verify token", |subject| {
                let token = subject.secrets().iter().next().unwrap().clone();
                let secrets = Secrets::from(Secret::new("an app's secret").unwrap());
                let verifier = match is_looked_up {
                    true => Verifier::<Meta>::new(secrets.with_verify_token(token)).unwrap(),
                    false => Verifier::<Meta>::builder(secrets).verify_token(token).build().unwrap(),
                };
                assert!(subject.found().contains("digest"));
                assert!(verifier.handshake("hub.mode=subscribe&hub.verify_token=a&hub.challenge=1").is_err());
            });
        }
    });
}

fn signing_leaves_nothing() {
    for_each_subject(|subject| {
        check(&subject, "signed", |subject| {
            let secrets = subject.secrets();
            let signer =
                Signer::<Custom>::custom(subject.description(), secrets.iter().next().unwrap()).unwrap();
            let headers = signer.sign(BODY, NOW).unwrap();
            assert_eq!(headers.iter().count(), 1);
        });
    });
}

/// A clock that shows how many minutes were counted.
#[derive(Clone, Default)]
struct Minutes(Arc<AtomicU64>);

impl Clock for Minutes {
    fn now(&self) -> Timestamp {
        NOW
    }

    fn elapsed(&self) -> Duration {
        Duration::from_secs(60 * self.0.load(Relaxed))
    }
}

fn a_registry_leaves_nothing_of_secrets_that_were_replaced() {
    for_each_subject(|subject| {
        // Other secrets each hour, and in the third one that cannot be used, where there is such a one.
        let mut hours = [(); 5].map(|()| subject.anew());
        let can_be_spoilt = subject.key != KeyEncoding::Utf8;
        hours[2].spoilt = can_be_spoilt.then_some(subject.live - 1);
        let clock = Minutes::default();
        let minutes = clock.clone();
        let source = move |_, tenant: String| {
            let secrets = hours[minutes.0.load(Relaxed) as usize / 60].secrets();
            ready(Ok(Some(TenantSecrets::new(tenant, secrets))))
        };
        let registry = Registry::builder(source)
            .provider(subject.description())
            .store(MemoryStore::new(1000))
            .refresh(Duration::from_secs(600))
            .clock(clock.clone())
            .build()
            .unwrap();
        let serve = |minute, hour: usize| {
            clock.0.store(minute, Relaxed);
            let found = block_on(registry.find("acme", "tenant", never))?;
            let handler = async |_| Ok::<(), LookUpError>(());
            let answer = block_on(found.handle(&hours[hour].headers(), BODY, NOW, never, handler));
            assert_eq!(answer.status(), 200, "{}", subject.name());
            Ok::<(), LookUpError>(())
        };
        serve(0, 0).unwrap();
        serve(60, 1).unwrap();
        is_gone(&hours[0], "looked up again when it was time");
        assert_eq!(serve(120, 2).is_err(), can_be_spoilt);
        is_gone(&hours[1], "replaced");
        if can_be_spoilt {
            is_gone(&hours[2], "of no use");
        }
        serve(239, 3).unwrap();
        serve(240, 4).unwrap();
        is_gone(&hours[3], "looked up again for a wrong signature");
        drop(registry);
        is_gone(&hours[4], "dropped with the registry");
    });
}
