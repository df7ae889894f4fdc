//! Every outcome is one `tracing` event that says what became of a request, and holds neither its body nor a secret.

use std::time::SystemTime;

use countersign::{
    Description, MemoryStore, Receiver, Secret, Signer, Timestamp,
    provider::{Custom, Handshake, QueryHandshake, RetentBase},
    scheme::Scheme,
};
use countersign_tests::{
    client::Request,
    handler::{Behaviour, Handler},
    log::Log,
    server::Framework,
};

const SECRET: &str = "s3cr3t-v4lue";
const BODY: &str = r#"{"userId":"pr1vate"}"#;

fn signed(secret: &str, id: &str, body: &str) -> Request {
    signed_for("/webhook", secret, id, body)
}

fn signed_for(path: &str, secret: &str, id: &str, body: &str) -> Request {
    let signer = Signer::<RetentBase>::new(&Secret::new(secret).unwrap()).id(id).kind("cancellation.created");
    let headers = signer.sign(body, Timestamp::from(SystemTime::now())).unwrap();
    let headers: Vec<_> = headers.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Request::post(path, &headers, body.as_bytes())
}

fn asking() -> Description {
    let query = QueryHandshake::echo("challenge").token("token");
    Description::new("asking", [Scheme::hmac_sha256("x-asking-signature")]).handshake(Handshake::Query(query))
}

// One test: the subscriber is the process's.
#[tokio::test(flavor = "multi_thread")]
async fn each_outcome_is_logged_once_with_its_reason() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).init();
    let receiver = Receiver::<RetentBase>::builder(Secret::new(SECRET).unwrap())
        .store(MemoryStore::new(10))
        .endpoint("standalone")
        .build()
        .unwrap();
    let handler = async |_| Err::<(), _>("out of paper");
    let now = Timestamp::from(SystemTime::now());
    let headers =
        Signer::<RetentBase>::new(&Secret::new(SECRET).unwrap()).kind("cancellation.created").sign(BODY, now);
    receiver.handle(&headers.unwrap(), BODY, now, tokio::time::sleep, handler).await;
    let line = log.take();
    for word in ["WARN", r#"endpoint="standalone""#, r#"outcome="failed""#, "out of paper"] {
        assert!(line.contains(word), "{word} in {line}");
    }
    for framework in Framework::ALL {
        let handler = Handler::new(Behaviour::Answer(200));
        let receiver = Receiver::<RetentBase>::builder(Secret::new(SECRET).unwrap())
            .store(MemoryStore::new(100))
            .endpoint("tenant-1")
            .build()
            .unwrap();
        let address = framework.serve(receiver, handler.clone()).await;
        let check = async |request: Request, expected: &[&str]| {
            request.send(address).await;
            let lines = log.take();
            let ours: Vec<_> = lines.lines().filter(|line| line.contains("outcome=")).collect();
            let [line] = ours[..] else { panic!("{framework:?}: one event, not {lines}") };
            for word in
                [r#"provider="retentbase""#, r#"endpoint="tenant-1""#, "duration="].iter().chain(expected)
            {
                assert!(line.contains(word), "{framework:?}: {word} in {line}");
            }
            for word in [SECRET, "pr1vate"] {
                assert!(!lines.contains(word), "{framework:?}: {word} in {lines}");
            }
        };
        let genuine = [r#"delivery_id="dlv_7""#, r#"kind="cancellation.created""#];
        let with = |words: &[&'static str]| [&genuine[..], words].concat();
        handler.behave(Behaviour::Panic);
        check(signed(SECRET, "dlv_7", BODY), &with(&["ERROR", r#"outcome="panicked""#, "status=500"])).await;
        handler.behave(Behaviour::Answer(404));
        check(
            signed(SECRET, "dlv_7", BODY),
            &with(&["WARN", r#"outcome="failed""#, "the handler answered 404"]),
        )
        .await;
        handler.behave(Behaviour::Answer(200));
        check(signed(SECRET, "dlv_7", BODY), &with(&["INFO", r#"outcome="processed""#, "status=200"])).await;
        check(signed(SECRET, "dlv_7", BODY), &with(&["INFO", r#"outcome="duplicate""#])).await;
        check(
            signed("another", "dlv_7", BODY),
            &["WARN", r#"outcome="refused""#, "no signature matches", "status=401"],
        )
        .await;
        check(
            Request::post("/webhook", &[], b""),
            &["WARN", r#"outcome="refused""#, "x-retentbase-signature-sha256 is missing"],
        )
        .await;
        let standing = Handler::new(Behaviour::Answer(200));
        let verifier =
            Receiver::<RetentBase>::builder(Secret::new(SECRET).unwrap()).store(MemoryStore::new(1));
        let verified = framework.serve(verifier.build().unwrap(), standing).await;
        signed_for("/verified", SECRET, "dlv_7", BODY).send(verified).await;
        let line = log.take();
        assert!(line.contains(r#"outcome="verified""#) && line.contains("dlv_7"), "{framework:?}: {line}");
        let token = Secret::new("v3rify-t0ken").unwrap();
        let asking =
            Receiver::<Custom>::custom(asking(), Secret::new(SECRET).unwrap()).store(MemoryStore::new(1));
        let asked = framework.serve(asking.verify_token(token).build().unwrap(), handler.clone()).await;
        for (shown, words) in [
            ("v3rify-t0ken", ["INFO", r#"outcome="handshake""#, "status=200"]),
            ("wr0ng", ["WARN", r#"outcome="refused""#, "the verify token is wrong"]),
        ] {
            let path = format!("/webhook?token={shown}&challenge=ch4llenge");
            Request::with_method("GET", &path, &[]).send(asked).await;
            let line = log.take();
            assert!(words.iter().all(|word| line.contains(word)), "{framework:?}: {line}");
            let told = line.lines().filter(|line| line.contains("outcome=")).count();
            assert!(line.contains("duration=") && told == 1, "{framework:?}: {line}");
            assert!(!line.contains(shown) && !line.contains("ch4llenge"), "{framework:?}: {line}");
        }
        let misfit = r#"{"metadata":"pr1vate","offer":{"accepted":"pr1vate"}}"#;
        check(
            signed(SECRET, "dlv_8", misfit),
            &["ERROR", r#"delivery_id="dlv_8""#, r#"outcome="misfit""#, "does not fit its type at "],
        )
        .await;
    }
}
