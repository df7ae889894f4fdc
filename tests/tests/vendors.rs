//! What single providers ask of an endpoint beyond their signatures: tolerances, statuses, limits, secrets.

use std::time::{Duration, SystemTime};

use countersign::{
    ConfigError, Description, MemoryStore, Provider, Receiver, ReceiverBuilder, Secret, Secrets, Signer,
    Timestamp, Tolerance, Verifier,
    provider::{
        Calendly, Clerk, Custom, Discord, GitHub, GitLab, HubSpot, Intercom, Klaviyo, Meta, Paddle, Postmark,
        Raaft, Recharge, Resend, Retake, Retries, Shopify, Source, StandardWebhooks, Stripe, Success, Svix,
        WhatsApp,
    },
    scheme::Scheme,
};
use countersign_tests::{
    book::Keys,
    client::Request,
    handler::{Behaviour, Handler},
    log::Log,
    server::Framework,
};

const NOW: Timestamp = Timestamp::from_unix_seconds(1_705_689_600);
const DAY: u64 = 24 * 60 * 60;

fn secret() -> Secret {
    Secret::new("a secret").unwrap()
}

fn built<P: Provider>(
    set_up: impl Fn(ReceiverBuilder<P>) -> ReceiverBuilder<P>,
) -> Result<Receiver<P>, ConfigError> {
    set_up(Receiver::builder(secret()).store(MemoryStore::new(10))).build()
}

fn refusal<P: Provider>(set_up: impl Fn(ReceiverBuilder<P>) -> ReceiverBuilder<P>) -> String {
    built(set_up).unwrap_err().to_string()
}

#[test]
fn a_tolerance_of_the_users_own_decides() {
    let age = |receiver: &Receiver<Calendly>, seconds| {
        let sent = NOW.saturating_sub(Duration::from_secs(seconds));
        let headers = Signer::<Calendly>::new(&secret()).sign("{}", sent).unwrap();
        receiver.verifier().verify(&headers, "{}", NOW).is_ok()
    };
    let own = built::<Calendly>(|b| b).unwrap();
    assert!(age(&own, 180) && !age(&own, 181));
    let wider = built::<Calendly>(|b| b.tolerance(Tolerance::from_secs(3600))).unwrap();
    assert!(age(&wider, 3600) && !age(&wider, 3601));
    let narrower = built::<Calendly>(|b| b.tolerance(Tolerance::from_secs(10))).unwrap();
    assert!(age(&narrower, 10) && !age(&narrower, 11));
}

#[test]
fn a_tolerance_is_bounded() {
    let check = |seconds, allowed| {
        let tolerance = Tolerance::from_secs(seconds);
        match allowed {
            true => drop(built::<Paddle>(|b| b.tolerance(tolerance)).unwrap()),
            false => {
                assert!(refusal::<Paddle>(|b| b.tolerance(tolerance)).contains("tolerance is out of range"))
            }
        }
    };
    check(0, false);
    check(1, true);
    check(DAY, true);
    check(DAY + 1, false);
    check(u64::MAX, false);
    assert!(
        refusal::<Paddle>(|b| b.tolerance(Tolerance::from_secs(5).ahead(DAY + 1))).contains("out of range")
    );
    assert!(refusal::<Paddle>(|b| b.tolerance(Tolerance::from_secs(0).ahead(60))).contains("out of range"));
    // Recharge's own is two days.
    assert!(built::<Recharge>(|b| b.tolerance(Tolerance::from_secs(2 * DAY))).is_ok());
    assert!(refusal::<Recharge>(|b| b.tolerance(Tolerance::from_secs(2 * DAY + 1))).contains("out of range"));
    assert!(refusal::<Retake>(|b| b.tolerance(Tolerance::from_secs(300))).contains("remove tolerance(..)"));
}

#[test]
fn the_retention_follows_the_tolerance() {
    let hours = |receiver: Receiver<Calendly>| receiver.retention().as_secs() / 3600;
    // Calendly tries for 24 h.
    assert_eq!(hours(built(|b| b).unwrap()), 30);
    assert_eq!(hours(built(|b| b.tolerance(Tolerance::from_secs(DAY))).unwrap()), 48);
    assert_eq!(hours(built(|b| b.tolerance(Tolerance::from_secs(DAY).ahead(3600))).unwrap()), 30);
    let short = Duration::from_secs(2 * DAY);
    let tolerance = Tolerance::from_secs(DAY);
    for refused in [
        refusal::<Calendly>(|b| b.tolerance(tolerance).retention(short)),
        refusal::<Calendly>(|b| b.retention(short).tolerance(tolerance)),
    ] {
        assert!(refused.contains("the tolerance behind and ahead together"), "{refused}");
    }
    assert_eq!(
        hours(built(|b| b.retention(Duration::from_secs(2 * DAY + 1)).tolerance(tolerance)).unwrap()),
        48
    );
}

const SIGNING_TOKEN: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

#[test]
fn a_scheme_uses_the_secrets_of_its_prefix_alone() {
    let read: Description = toml::from_str(
        r#"
        name = "acme"
        [[scheme]]
        algorithm = "hmac-sha256"
        header = "X-Acme-Signature"
        secret_prefix = "sig_"
        [[scheme]]
        algorithm = "token"
        header = "X-Acme-Token"
        "#,
    )
    .unwrap();
    let signs = Scheme::hmac_sha256("x-acme-signature").secrets_with_prefix("sig_");
    assert_eq!(read, Description::new("acme", [signs.clone(), Scheme::token("x-acme-token")]));
    assert_eq!(read.schemes()[0].secret_prefix(), Some("sig_"));
    let headers = |description: &Description, secret: &str| {
        let signer = Signer::<Custom>::custom(description.clone(), &Secret::new(secret).unwrap()).unwrap();
        let headers = signer.sign("{}", NOW).map_err(|error| error.to_string())?;
        Ok::<Vec<_>, String>(headers.iter().map(|(name, _)| name.to_owned()).collect())
    };
    assert_eq!(headers(&read, "sig_1"), Ok(vec!["x-acme-signature".to_owned()]));
    assert_eq!(headers(&read, "a token"), Ok(vec!["x-acme-token".to_owned()]));
    // A secret that no scheme uses is a mistake, and not left out without a word.
    let single = Description::new("acme", [signs]);
    assert!(headers(&single, "a token").unwrap_err().contains("begins as the secrets of a scheme do"));
    let secrets = Secrets::new([Secret::new("sig_1").unwrap(), Secret::new("a token").unwrap()]).unwrap();
    let refused = Verifier::<Custom>::custom(single, secrets).unwrap_err().to_string();
    assert!(refused.contains("begins as the secrets of a scheme do"), "{refused}");
    let empty = Description::new("acme", [Scheme::token("x-acme-token").secrets_with_prefix("")]);
    assert!(empty.check().unwrap_err().to_string().contains("the prefix is empty"));
}

#[test]
fn a_gitlab_delivery_has_one_key_under_both_tokens() {
    let secrets = [SIGNING_TOKEN, "a secret token"].map(|secret| Secret::new(secret).unwrap());
    let receiver = Receiver::<GitLab>::builder(Secrets::new(secrets.clone()).unwrap());
    let receiver = receiver.store(MemoryStore::new(10)).build().unwrap();
    let keys = |secret: &Secret, id: Option<&str>, body: &'static str| {
        let signer = Signer::<GitLab>::new(secret).kind("Push Hook");
        let headers = id.map_or(signer.clone(), |id| signer.id(id)).sign(body, NOW).unwrap();
        receiver.keys(&receiver.verifier().verify(&headers, body, NOW).unwrap())
    };
    let [signing, token] = &secrets;
    let signed = keys(signing, Some("f5e57436"), "{}");
    assert_eq!(signed, keys(token, Some("f5e57436"), "[]"));
    assert_ne!(signed, keys(token, Some("f5e57437"), "{}"));
    assert_eq!(keys(token, None, "{}"), keys(token, None, "{}"));
    assert_ne!(keys(token, None, "{}"), keys(token, None, "[]"));
}

#[test]
fn an_alias_is_another_name_of_a_header_that_is_read() {
    let text = |aliases: &str| {
        format!(
            "name = \"acme\"\nid = {{ header = \"X-Id\" }}\nkind = {{ header = \"X-Kind\" }}\nattempt = {{ header = \"X-Attempt\" }}\n\
            {aliases}\n[[scheme]]\nalgorithm = \"hmac-sha256\"\nheader = \"X-Sig\"\nalias = \"Sig\"\n"
        )
    };
    let read =
        |aliases: &str| toml::from_str::<Description>(&text(aliases)).map_err(|error| error.to_string());
    let acme = read("id_alias = \"Id\"\nkind_alias = \"Kind\"").unwrap();
    let scheme = Scheme::hmac_sha256("x-sig").alias("sig");
    let made = Description::new("acme", [scheme]).id(Source::header("x-id")).kind(Source::header("x-kind"));
    assert_eq!(acme, made.attempt(Source::header("x-attempt")).id_alias("id").kind_alias("kind"));
    assert_eq!(toml::from_str::<Description>(&toml::to_string(&acme).unwrap()).unwrap(), acme);
    for (alias, problem) in [
        ("id_alias = \"Not a name\"", "id_alias: a header's name"),
        ("id_alias = \"X-Id\"", "id_alias: something else is read from this header"),
        ("id_alias = \"X-Kind\"", "id_alias: something else is read from this header"),
        ("kind_alias = \"Sig\"", "kind_alias: something else is read from this header"),
        ("kind_alias = \"X-Attempt\"", "kind_alias: something else is read from this header"),
        ("id_alias = \"X\"\nkind_alias = \"X\"", "id_alias: something else is read from this header"),
    ] {
        let refused = read(alias).unwrap_err();
        assert!(refused.contains(problem), "{alias}: {refused}");
    }
    let bodiless = Description::new("acme", [Scheme::hmac_sha256("x-sig")]).id_alias("id");
    assert!(bodiless.check().unwrap_err().to_string().contains("say which header it is"));

    let secret = secret();
    let signed = Signer::<Custom>::custom(acme.clone(), &secret).unwrap().sign("{}", NOW).unwrap();
    let signature = signed.iter().next().unwrap().1.to_owned();
    let verifier = Verifier::<Custom>::custom(acme, &secret).unwrap();
    let headers = [("Sig", &*signature), ("Id", "7"), ("Kind", "paid")];
    let delivery = verifier.verify(&headers, "{}", NOW).unwrap();
    assert_eq!((delivery.id().as_deref(), delivery.kind().as_deref()), (Some("7"), Some("paid")));
}

#[test]
fn a_postmark_delivery_is_known_by_its_trace_id() {
    let credential = Secret::new("user:password").unwrap();
    let receiver = Receiver::<Postmark>::builder(&credential).store(MemoryStore::new(10)).build().unwrap();
    let keys = |id: Option<&str>, body: &'static str| {
        let signer = Signer::<Postmark>::new(&credential);
        let headers = id.map_or(signer.clone(), |id| signer.id(id)).sign(body, NOW).unwrap();
        receiver.keys(&receiver.verifier().verify(&headers, body, NOW).unwrap())
    };
    assert_eq!(keys(Some("a"), "{}"), keys(Some("a"), "[]"));
    assert_ne!(keys(Some("a"), "{}"), keys(Some("b"), "{}"));
    assert_eq!(keys(None, "{}"), keys(None, "{}"));
    assert_ne!(keys(None, "{}"), keys(None, "[]"));
}

/// What is logged while `work` is done.
fn logged(work: impl FnOnce()) -> String {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    tracing::subscriber::with_default(subscriber, work);
    log.take()
}

#[test]
fn a_secret_that_looks_like_a_mistake_is_told_of_once_and_not_shown() {
    let check = |secrets: &[&str], expected: &[&str]| {
        let secrets = Secrets::new(secrets.iter().map(|secret| Secret::new(*secret).unwrap())).unwrap();
        let log = logged(|| drop(Verifier::<Recharge>::new(secrets).unwrap()));
        assert_eq!(log.lines().count(), expected.len(), "{log}");
        for (line, expected) in log.lines().zip(expected) {
            assert!(line.contains("WARN") && line.contains("provider=\"recharge\""), "{line}");
            assert!(line.contains(expected), "{expected} in {line}");
        }
        assert!(!log.contains("s3cr3t"), "{log}");
    };
    check(&["s3cr3t"], &[]);
    check(&["s3cr3t\n"], &["the secret has a line feed at the end"]);
    check(&["'s3cr3t'"], &["the secret has quotes around it"]);
    check(&["sha256=s3cr3t"], &["the secret has the prefix \"sha256=\", which does not belong there"]);
    check(&["s3cr3t", " s3cr3t", "whsec_s3cr3t"], &["a space at the start", "the prefix \"whsec_\""]);
    check(&["s3cr3t", " s3cr3t"], &["secret=2"]);

    let token =
        |text: &str| Verifier::<Raaft>::new(Secret::new(text).unwrap()).map(drop).map_err(|e| e.to_string());
    assert_eq!(token("s3cr3t"), Ok(()));
    let refused = token("s3cr3t\n").unwrap_err();
    assert_eq!(
        refused,
        "the token for raaft has a line feed at the end, and no header can hold that: remove it"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_discord_is_acknowledged_by_a_204() {
    const EVENT: &str = r#"{"type":1,"event":{"type":"ENTITLEMENT_CREATE"},"n":"#;
    let keys = Keys::of_provider::<Discord>("a secret");
    for framework in Framework::ALL {
        let receiver =
            Receiver::<Discord>::builder(&keys.verifying).store(MemoryStore::new(100)).build().unwrap();
        let handler = Handler::new(Behaviour::Answer(200));
        let address = framework.serve(receiver, handler.clone()).await;
        let check = async |path: &str, body: &str, expected: u16| {
            let now = Timestamp::from(SystemTime::now());
            let headers = Signer::<Discord>::new(&keys.signing).sign(body, now).unwrap();
            let headers: Vec<_> = headers.iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
            let reply = Request::post(path, &headers, body.as_bytes()).send(address).await;
            assert_eq!(reply.status, expected, "{framework:?}: {path} {body}");
            reply.body
        };
        let event = |n: u8| format!("{EVENT}{n}}}");
        assert_eq!(check("/webhook", &event(1), 204).await, "");
        assert_eq!(check("/webhook", &event(1), 204).await, "", "a duplicate");
        assert_eq!(handler.runs(), 1);
        handler.behave(Behaviour::Answer(202));
        check("/webhook", &event(2), 202).await;
        handler.behave(Behaviour::Answer(503));
        check("/webhook", &event(3), 503).await;
        // What the handler says is said.
        assert!(check("/extracted", &event(4), 200).await.starts_with("/extracted"));
        handler.behave(Behaviour::Answer(200));
        check("/webhook", r#"{"id":"1","type":2}"#, 200).await;
        check("/webhook", r#"{"id":"1","type":2}"#, 200).await;
    }
}

#[test]
fn what_a_provider_takes_for_more_than_a_failure_is_not_passed_on() {
    fn check<P: Provider>(status: u16, sent: u16) {
        let keys = Keys::of_provider::<P>("a secret");
        let receiver = Receiver::<P>::builder(&keys.verifying).public_url("https://example.com/");
        let answer = receiver.store(MemoryStore::new(10)).build().unwrap().judge(status, None);
        assert_eq!(answer.status(), sent, "{} {status}", P::NAME);
        let reason = answer.reason().unwrap();
        assert_eq!(reason.contains("sent as 500"), sent != status, "{reason}");
        assert!(reason.contains(&format!("the handler answered {status}")), "{reason}");
    }
    check::<StandardWebhooks>(410, 500);
    check::<StandardWebhooks>(404, 404);
    check::<Svix>(410, 500);
    check::<Clerk>(410, 500);
    check::<Resend>(410, 500);
    check::<Intercom>(429, 500);
    check::<Intercom>(503, 503);
    for status in [400, 404, 408, 410] {
        check::<HubSpot>(status, 500);
    }
    check::<HubSpot>(429, 429);
    for status in [400, 403, 404, 422] {
        check::<Postmark>(status, 500);
        check::<GitLab>(status, 500);
    }
    check::<Postmark>(408, 408);
}

#[test]
fn the_largest_body_is_the_one_that_the_provider_documents() {
    fn check<P: Provider>(megabytes: usize) {
        let keys = Keys::of_provider::<P>("a secret");
        let builder = || Verifier::<P>::builder(&keys.verifying).public_url("https://example.com/");
        assert_eq!(builder().build().unwrap().limits().body, megabytes << 20, "{}", P::NAME);
        assert_eq!(builder().body_limit(7).build().unwrap().limits().body, 7);
    }
    check::<GitHub>(25);
    check::<GitLab>(25);
    check::<Postmark>(50);
    check::<Shopify>(10);
    check::<Meta>(3);
    check::<WhatsApp>(3);
    check::<Klaviyo>(5);
    check::<Stripe>(1);
}

#[test]
fn a_description_says_how_it_is_acknowledged_and_how_large_it_is() {
    let text = |fields: &str| {
        format!("name = \"acme\"\n{fields}\n[[scheme]]\nalgorithm = \"hmac-sha256\"\nheader = \"X-Acme\"\n")
    };
    let read = |fields: &str| toml::from_str::<Description>(&text(fields)).map_err(|error| error.to_string());
    let acme = read(
        "body_limit = 70\nsuccess = { status = 204 }\nretries = { on = \"any-failure\", except = [410, 406] }",
    );
    let acme = acme.unwrap();
    let retries = Retries::ON_ANY_FAILURE.except(&[406, 410]);
    let made = Description::new("acme", [Scheme::hmac_sha256("x-acme")]).retries(retries);
    assert_eq!(acme, made.success(Success::status(204)).body_limit(70));
    assert_eq!(toml::from_str::<Description>(&toml::to_string(&acme).unwrap()).unwrap(), acme);
    assert_eq!(Verifier::<Custom>::custom(acme, secret()).unwrap().limits().body, 70);
    for (fields, problem) in [
        ("body_limit = 0", "at least 1 byte"),
        ("success = { status = 302 }", "between 200 and 299"),
        ("success = { status = 204, with = \"a..b\" }", "success: a path is of object keys"),
        ("retries = { on = \"any-failure\", except = [200] }", "between 400 and 527"),
    ] {
        let refused = read(fields).unwrap_err();
        assert!(refused.contains(problem), "{fields}: {refused}");
    }
}
