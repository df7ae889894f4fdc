//! Every vector of every provider, over every way to bring a request.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test tells what it found by panicking")]

use std::{
    collections::BTreeSet,
    fs,
    future::pending,
    path::Path,
    pin::pin,
    sync::LazyLock,
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::Bytes;
use countersign_core::{
    Clock, Delivery, EventError, FixedSecrets, Headers, Provider, Registry, Secret, Secrets, Timestamp,
    Verifier, VerifyError,
    dedupe::{KeyPart, KeyRule, MemoryStore},
    for_each_provider,
    provider::{self, Fields, Retries},
    scheme::Scheme,
};
use countersign_tests::vector::{Vector, verdict, verdict_on_setup};

/// How a body may be cut into chunks; 0 is an empty chunk between any two bytes.
const CHUNKS: [usize; 7] = [0, 1, 3, 7, 63, 64, 65];

macro_rules! each_provider {
    ($($module:ident => $provider:ident,)*) => {
        const REGISTERED: &[(&str, &str)] = &[$((stringify!($module), <provider::$provider as Provider>::NAME)),*];

        static HOMES: LazyLock<Vec<&str>> =
            LazyLock::new(|| vec![$(std::any::type_name::<provider::$provider>()),*]);

        $(
            #[test]
            fn $module() {
                check_file::<provider::$provider>(stringify!($module));
            }
        )*
    };
}
for_each_provider!(each_provider);

/// The files in the folder of providers that hold none.
const NO_PROVIDERS: &[&str] =
    &["mod", "code", "custom", "description", "fields", "handshake", "retries", "success"];

/// The files of vectors that belong to an algorithm.
const PRIMITIVES: &[&str] = &["ecdsa_p256", "rfc2202", "rfc4231", "rfc4231_sha512", "rfc8032"];

#[test]
fn rfc2202() {
    check_file::<BareHmacSha1>("rfc2202");
}

#[test]
fn rfc4231() {
    check_file::<BareHmac>("rfc4231");
}

#[test]
fn rfc4231_sha512() {
    check_file::<BareHmacSha512>("rfc4231_sha512");
}

#[test]
fn rfc8032() {
    check_file::<BareEd25519>("rfc8032");
}

#[test]
fn ecdsa_p256() {
    check_file::<BareEcdsaP256>("ecdsa_p256");
}

#[test]
fn every_provider_is_registered_and_has_vectors() {
    let names = |folder: &Path| -> BTreeSet<String> {
        let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
        let stem = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
        files
            .filter(|path| path.is_dir() || path.extension().is_some_and(|e| e == "rs" || e == "json"))
            .map(|path| stem(&path))
            .filter(|name| name != "__pycache__")
            .collect()
    };
    let registered: BTreeSet<_> = REGISTERED.iter().map(|(module, _)| (*module).to_owned()).collect();
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/countersign-core/src/provider");
    // A family shares a file; what a type's path names is its home.
    let homes: BTreeSet<_> =
        HOMES.iter().filter_map(|path| path.split("::").nth(2)).map(str::to_owned).collect();
    let files: BTreeSet<_> =
        names(&sources).into_iter().filter(|name| !NO_PROVIDERS.contains(&&**name)).collect();
    assert_eq!(files, homes, "for_each_provider! and the folder of providers differ");
    let vectors: BTreeSet<_> =
        names(&Vector::folder()).into_iter().filter(|name| !PRIMITIVES.contains(&&**name)).collect();
    assert_eq!(vectors, registered, "a provider and a file of vectors belong together");
    for (module, name) in REGISTERED {
        assert_eq!(module, name, "a module is named as its provider");
    }
}

/// Makes a provider of an algorithm and nothing else, over the body: what its standard gives answers for.
macro_rules! bare {
    ($($(#[$attr:meta])* $name:ident = $scheme:expr;)*) => {$(
        $(#[$attr])*
        enum $name {}

        impl Provider for $name {
            const NAME: &'static str = "bare";
            const SCHEMES: &'static [Scheme] = &[$scheme];
            const FIELDS: Fields = Fields::NONE;
            const KEYS: &'static [KeyRule] = &[KeyRule::of(&[KeyPart::Body])];
            const RETRIES: Retries = Retries::UNKNOWN;
            type Event = ();

            fn event(_delivery: &Delivery<Self>) -> Result<(), EventError> {
                Ok(())
            }
        }
    )*};
}
bare! {
    /// In hexadecimal: RFC 2202.
    BareHmacSha1 = Scheme::hmac_sha1("digest");
    /// In hexadecimal: RFC 4231.
    BareHmac = Scheme::hmac_sha256("digest");
    /// In hexadecimal: RFC 4231.
    BareHmacSha512 = Scheme::hmac_sha512("digest");
    /// In hexadecimal, as the key: RFC 8032 and Project Wycheproof.
    BareEd25519 = Scheme::ed25519("digest");
    /// In base64 of DER, as the key: RFC 6979, NIST and Project Wycheproof.
    BareEcdsaP256 = Scheme::ecdsa_p256("digest");
}

fn check_file<P: Provider>(file: &str) {
    let vectors = Vector::load(file).unwrap();
    assert!(vectors.iter().any(|vector| vector.expect == "valid"), "{file}: no vector is valid");
    assert!(vectors.iter().any(|vector| vector.expect != "valid"), "{file}: no vector is invalid");
    let wrong: Vec<_> = vectors.iter().filter_map(|vector| check::<P>(vector).err()).collect();
    assert!(
        wrong.is_empty(),
        "{file}: {} of {} are wrong:\n{}",
        wrong.len(),
        vectors.len(),
        wrong.join("\n")
    );
}

/// One vector over every way to bring it; the error says which way went wrong.
fn check<P: Provider>(vector: &Vector) -> Result<(), String> {
    let told = |way: &str, verdict: String| match verdict == vector.expect {
        true => Ok(()),
        false => Err(format!("  {} ({way}): expected {}, was {verdict}", vector.name, vector.expect)),
    };
    let verifier = match vector.verifier::<P>() {
        Ok(verifier) => verifier,
        Err(error) => return told("set-up", verdict_on_setup(&error)),
    };
    let whole = verifier.verify(&vector.headers, &vector.body, vector.now);
    told("whole", verdict(&whole))?;
    if let Ok(delivery) = &whole {
        assert_eq!(delivery.body(), &vector.body, "{}", vector.name);
    }
    told("by name", by_name::<P>(vector, &verifier))?;
    let begun = verifier.begin(&vector.headers, vector.now).map(|_| ());
    if begun.is_err() != vector.refused_by_headers::<P>() {
        return Err(format!("  {} (headers alone): was {begun:?}", vector.name));
    }
    for size in CHUNKS {
        let chunked = in_chunks(&verifier, &vector.headers, vector, size);
        told(&format!("chunks of {size}"), verdict(&chunked))?;
        if let Ok(delivery) = &chunked {
            assert_eq!(delivery.body(), &vector.body, "{}", vector.name);
        }
    }
    match header_map(&vector.headers) {
        Some(headers) => told("http", verdict(&in_chunks(&verifier, &headers, vector, 7))),
        None => Ok(()),
    }
}

/// The verdict of the receiver that a registry finds, which must be the same to its reason, and type the same.
fn by_name<P: Provider>(vector: &Vector, verifier: &Verifier<P>) -> String {
    let secrets = vector.secrets.iter().map(|secret| Secret::new(&**secret).unwrap());
    let secrets = FixedSecrets::new().with(P::NAME, "tenant", Secrets::new(secrets).unwrap());
    let builder = Registry::builder(secrets).with::<P>().settings(P::NAME, vector.settings());
    let registry = builder.store(MemoryStore::with_clock(1, NoClock)).build().unwrap();
    let mut find = pin!(registry.find(P::NAME, "tenant", |_| pending()));
    let Poll::Ready(found) = find.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
        panic!("{}: fixed secrets are there at once", vector.name)
    };
    let found = found.unwrap();
    let result = found.receiver().verifier().verify(&vector.headers, &vector.body, vector.now);
    match (&result, verifier.verify(&vector.headers, &vector.body, vector.now)) {
        (Ok(delivery), Ok(typed)) => {
            assert_eq!(delivery.keys("", P::KEYS), typed.keys("", P::KEYS), "{}", vector.name);
            let seen = (delivery.id(), delivery.kind(), delivery.attempt(), delivery.timestamp());
            assert_eq!(
                seen,
                (typed.id(), typed.kind(), typed.attempt(), typed.timestamp()),
                "{}",
                vector.name
            );
            let delivery = delivery.of::<P>().expect("the delivery is one of its provider");
            let event = |delivery: &Delivery<P>| format!("{:?}", delivery.event());
            assert_eq!(event(&delivery), event(&typed), "{}", vector.name);
        }
        (Err(error), Err(typed)) => assert_eq!(*error, typed, "{}", vector.name),
        (_, typed) => panic!("{}: by its type it is {typed:?}", vector.name),
    }
    verdict(&result)
}

/// A clock that nobody asks.
struct NoClock;

impl Clock for NoClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_seconds(0)
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
}

#[test]
fn a_registry_of_the_built_in_providers_has_all_of_them() {
    let builder = Registry::builder(FixedSecrets::new()).built_in();
    let registry = builder.store(MemoryStore::with_clock(1, NoClock)).build().unwrap();
    let mut names: Vec<_> = REGISTERED.iter().map(|(_, name)| *name).collect();
    names.sort_unstable();
    assert_eq!(registry.providers().collect::<Vec<_>>(), names);
}

fn in_chunks<P: Provider>(
    verifier: &Verifier<P>,
    headers: &impl Headers,
    vector: &Vector,
    size: usize,
) -> Result<Delivery<P>, VerifyError> {
    let mut verification = verifier.begin(headers, vector.now)?;
    for chunk in vector.body.chunks(size.max(1)) {
        if size == 0 {
            verification.update(Bytes::new())?;
        }
        verification.update(Bytes::copy_from_slice(chunk))?;
    }
    verification.finish()
}

/// As a server would bring them. `None` where HTTP cannot carry them.
fn header_map(headers: &[(String, String)]) -> Option<http::HeaderMap> {
    let mut map = http::HeaderMap::new();
    for (name, value) in headers {
        map.append(
            http::HeaderName::from_bytes(name.as_bytes()).ok()?,
            http::HeaderValue::from_bytes(value.as_bytes()).ok()?,
        );
    }
    Some(map)
}
