//! Each flaw is found, and what providers send has none.

use super::*;
use crate::{
    Secret, Secrets, Timestamp, Verifier,
    provider::{Custom, Description},
    time::Tolerance,
};

const STAMPED: &str = "{timestamp}.{body}";
const FIELDS: Fields = Fields::NONE.id(Source::header("x-id"));

fn check(scheme: Scheme, flaw: &str) {
    match scheme.flaw(&FIELDS) {
        Some(found) => assert!(!flaw.is_empty() && found.problem.contains(flaw), "{found:?}, not {flaw}"),
        None => assert_eq!(flaw, "", "{scheme:?}"),
    }
}

fn bare() -> Scheme {
    Scheme::hmac_sha256("x-sig")
}

fn stamped() -> Scheme {
    bare().timestamp(TimestampSource::header("x-ts"), TimestampFormat::UnixSeconds)
}

fn rfc3339() -> Scheme {
    bare().timestamp(TimestampSource::header("x-ts"), TimestampFormat::Rfc3339)
}

fn list() -> Scheme {
    bare()
        .list(',', Some("t"), "v1")
        .timestamp(TimestampSource::Signature, TimestampFormat::UnixSeconds)
        .signs(STAMPED)
}

#[test]
fn what_providers_send_is_sound() {
    let rfc3339 = rfc3339();
    for scheme in [
        bare(),
        Scheme::token("x-token"),
        Scheme::token("authorization").prefix("Bearer "),
        Scheme::basic(),
        Scheme::sha256("x-sig"),
        Scheme::sha256("x-sig").signs("{body}{secret}").body(BodyRule::Any),
        stamped().signs(STAMPED),
        stamped().signs("{id}.{timestamp}.{body}"),
        stamped().signs("{id}.{timestamp}.{body}").id_header("x-other-id"),
        rfc3339.clone().signs("{timestamp}{body}"),
        rfc3339.signs("{id}{timestamp}{body}").body(BodyRule::JsonText),
        bare().signs("{body}{header:x-date}").body(BodyRule::JsonText),
        stamped().signs("{timestamp}{body}"),
        stamped().signs("{method}{url}{body}{timestamp}"),
        stamped().signs("{timestamp}.{id}{body}").body(BodyRule::JsonText),
        list(),
        bare().positional().timestamp(TimestampSource::Signature, TimestampFormat::UnixMillis).signs(STAMPED),
        bare().timestamp(TimestampSource::body("a.0.b"), TimestampFormat::UnixMillis),
        Scheme::ed25519("x-sig").prefix("v1a,"),
        Scheme::ecdsa_p256("x-sig"),
    ] {
        check(scheme, "");
    }
}

#[test]
fn a_scheme_that_cannot_be_safe_is_found() {
    for (scheme, flaw) in [
        (stamped(), "the timestamp is not signed"),
        (list().signs("{body}"), "the timestamp is not signed"),
        (bare().signs(STAMPED), "has no source"),
        (stamped().signs("{timestamp}"), "the {body}, once"),
        (stamped().signs("{timestamp}{body}{body}"), "the {body}, once"),
        (bare().signs("{body}{secret}"), "take `{secret}` out"),
        (Scheme::sha256("x-sig").signs("{body}"), "without the `{secret}`"),
        (Scheme::sha256("x-sig").body(BodyRule::Any), "length extension"),
        (Scheme::sha256("x-sig").body(BodyRule::JsonStructure), "length extension"),
        (stamped().signs("{id}{timestamp}.{body}"), "run into"),
        (stamped().signs("{timestamp}.{id}{body}"), "run into"),
        (stamped().signs("{timestamp}.{id}{body}").body(BodyRule::JsonStructure), "run into"),
        (stamped().signs("{timestamp}.{body}{id}"), "run into"),
        (stamped().signs("{id}0{timestamp}.{body}"), "run into"),
        (stamped().signs("{id}-{timestamp}.{body}"), "run into"),
        (stamped().signs("{timestamp}00{body}"), "run into"),
        (stamped().signs("{body}7{timestamp}"), "run into"),
        (stamped().signs("{body}.{id}.{timestamp}{header:x-date}"), "run into"),
        (bare().signs("{body}{header:x-date}"), "run into"),
        (bare().signs("{body}{header:x-date}").body(BodyRule::JsonStructure), "run into"),
        (rfc3339().signs("{id}{timestamp}{body}"), "run into"),
        (rfc3339().signs("{id}{timestamp}{body}").body(BodyRule::JsonStructure), "run into"),
        (stamped().signs(STAMPED).tolerance(Tolerance::from_secs(0)), "zero seconds"),
        (stamped().signs(STAMPED).tolerance(Tolerance::from_secs(MAX_TOLERANCE + 1)), "seven days"),
        (stamped().signs(STAMPED).tolerance(Tolerance::from_secs(u64::MAX)), "seven days"),
    ] {
        check(scheme, flaw);
    }
    check(stamped().signs(STAMPED).tolerance(Tolerance::from_secs(MAX_TOLERANCE)), "");
}

#[test]
fn a_scheme_that_cannot_work_is_found() {
    for (scheme, flaw) in [
        (Scheme::hmac_sha256("X-Sig"), "in lower case"),
        (Scheme::hmac_sha256(""), "in lower case"),
        (Scheme::token("x sig"), "in lower case"),
        (bare().alias("X-Alias"), "in lower case"),
        (stamped().signs("{id}.{timestamp}.{body}").id_header("X-Id"), "in lower case"),
        (stamped().signs(STAMPED).id_header("x-other-id"), "signs no `{id}`"),
        (bare().timestamp(TimestampSource::header("X"), TimestampFormat::UnixSeconds), "in lower case"),
        (bare().timestamp(TimestampSource::body("a..b"), TimestampFormat::UnixSeconds), "a path is"),
        (bare().timestamp(TimestampSource::body(""), TimestampFormat::UnixSeconds), "a path is"),
        (bare().signs("{bodies}"), "a template is of"),
        (bare().signs("{body"), "a template is of"),
        (bare().signs("{header:X-Date}.{body}"), "in lower case"),
        (bare().signs("{header:}.{body}"), "in lower case"),
        (bare().signs("{header:a}.{header:b}.{body}"), "one `{header:..}`"),
        (bare().signs("{body}}"), "a template is of"),
        (bare().prefix(""), "the prefix is empty"),
        (bare().list('|', None, "v1"), "separated by"),
        (bare().list(',', Some("v1"), "v1"), "different words"),
        (bare().list(',', None, ""), "different words"),
        (bare().list(',', None, "v=1"), "different words"),
        (bare().versioned("v 1"), "a version is"),
        (bare().positional(), "its source is \"signature\""),
        (bare().list(',', Some("t"), "v1"), "its source is \"signature\""),
        (list().prefix("v0="), "holds no timestamp"),
        (list().timestamp(TimestampSource::header("x-ts"), TimestampFormat::UnixSeconds), "its source is"),
        (bare().tolerance(Tolerance::from_secs(300)), "no timestamp to hold"),
        (Scheme::token("x-token").tolerance(Tolerance::from_secs(300)), "a token signs neither"),
        (
            Scheme::token("x-token").timestamp(TimestampSource::header("x"), TimestampFormat::UnixSeconds),
            "a token signs neither",
        ),
        (Scheme::token("x-token").signs("{body}"), "a token signs neither"),
        (Scheme::token("x-token").versioned("v1"), "a token is shown as it is"),
        (Scheme::basic().prefix("Basic "), "brings its own prefix"),
        (Scheme::token("x-token").encoding(Encoding::Base64), "a token is shown as it is"),
        (bare().prefix(" sha256="), "does not begin with a blank"),
        (bare().prefix("é"), "visible ASCII"),
        (bare().prefix("a\n"), "visible ASCII"),
        (bare().alias("x-sig"), "the header's own name"),
        (
            bare().timestamp(TimestampSource::header("x-sig"), TimestampFormat::UnixSeconds).signs(STAMPED),
            "the source is \"signature\"",
        ),
        (
            bare().timestamp(TimestampSource::header("x-id"), TimestampFormat::UnixSeconds).signs(STAMPED),
            "this header holds the id",
        ),
        (Scheme::hmac_sha256("x-id"), "this header holds the signature"),
        (list().timestamp(TimestampSource::Signature, TimestampFormat::ImfFixdate), "has a comma"),
        (
            bare()
                .positional()
                .timestamp(TimestampSource::Signature, TimestampFormat::ImfFixdate)
                .signs(STAMPED),
            "has a comma",
        ),
        (Scheme::ed25519("x-sig").versioned("v1a"), "stands alone"),
        (Scheme::ed25519("x-sig").key(KeyEncoding::Utf8), "a public key is bytes"),
        (
            bare().timestamp(TimestampSource::body("t"), TimestampFormat::UnixSeconds).signs(STAMPED),
            "is signed with it",
        ),
    ] {
        check(scheme, flaw);
    }
    let nameless = stamped().signs("{id}.{timestamp}.{body}").flaw(&Fields::NONE).unwrap();
    assert!(nameless.problem.contains("`{id}` has no source"));
}

fn check_all(schemes: &[Scheme], flaw: &str) {
    let found = Scheme::flaw_of_all(schemes, &FIELDS).map_or("", |(_, flaw)| flaw.problem);
    assert!(found.contains(flaw) && found.is_empty() == flaw.is_empty(), "{found}");
}

#[test]
fn schemes_that_do_not_go_together_are_found() {
    let other = |rule| Scheme::hmac_sha256("x-sig-2").body(rule);
    check_all(&[], "needs a scheme");
    check_all(&vec![bare().prefix("a"); 9], "needs a scheme");
    check_all(&[list(), other(BodyRule::JsonStructure)], "");
    check_all(&[other(BodyRule::JsonStructure), list()], "must stand before those that sign none");
    check_all(&[list(), other(BodyRule::Any)], "passed off");
    check_all(&[list(), Scheme::hmac_sha1("x-sig-2")], "");
    check_all(&[list(), bare().prefix("sha256=").body(BodyRule::JsonStructure)], "");
    check_all(&[bare(), bare().prefix("sha256=")], "never reached");
}

#[test]
fn a_public_key_is_no_secret_of_another_scheme() {
    let ed25519 = || Scheme::ed25519("x-ed25519");
    for other in [
        bare().key(KeyEncoding::Hex),
        Scheme::token("x-token"),
        Scheme::ecdsa_p256("x-p256"),
        Scheme::basic(),
    ] {
        check_all(&[ed25519(), other.clone()], "known to anybody");
        check_all(&[other, ed25519()], "known to anybody");
    }
    check_all(&[ed25519(), Scheme::ed25519("x-other")], "");
}

#[test]
fn a_scheme_that_shows_the_secret_stands_behind_those_that_sign() {
    check_all(&[bare(), Scheme::token("x-token")], "");
    check_all(&[Scheme::token("x-token"), bare()], "must stand behind");
}

#[test]
fn a_scheme_that_is_never_reached_is_found() {
    let keys = |timestamp, signature| bare().list(',', timestamp, signature);
    check_all(&[bare().prefix("v"), bare().prefix("v1=")], "never reached");
    check_all(&[bare().prefix("v1="), bare().prefix("v")], "");
    check_all(&[bare().versioned("v1"), bare().versioned("v1")], "never reached");
    check_all(&[bare().versioned("v2"), bare().versioned("v1")], "");
    check_all(&[keys(None, "v2"), keys(None, "v1")], "");
    check_all(&[keys(None, "v1"), keys(None, "v1")], "never reached");
    check_all(&[list(), list().list(',', Some("t"), "v2")], "never reached");
    check_all(&[Scheme::hmac_sha256("x-new").alias("x-sig"), bare()], "never reached");
    check_all(&[bare(), Scheme::hmac_sha256("x-new").alias("x-sig")], "never reached");
}

#[test]
fn what_one_scheme_signed_is_nothing_that_another_takes() {
    let other = |template| Scheme::hmac_sha256("x-sig-2").signs(template);
    let json = |template| other(template).body(BodyRule::JsonStructure);
    let dated = |template| stamped().signs(template);
    check_all(&[bare(), other("{url}{body}")], "must be \"json-structure\"");
    check_all(&[bare(), json("{url}{body}")], "must be \"json-structure\"");
    let bare_json = || bare().body(BodyRule::JsonStructure);
    check_all(&[bare_json(), other("{url}{body}")], "");
    check_all(&[bare_json(), json("{body}{url}")], "may begin alike");
    check_all(&[dated("{body}.{timestamp}"), json("{body}")], "may begin alike");
    check_all(&[stamped().signs(STAMPED), json("{url}{body}")], "");
    check_all(&[stamped().signs(STAMPED), json("{id}.{body}")], "may begin alike");
    check_all(&[stamped().signs("{timestamp}{body}"), json("{id}{body}").body(BodyRule::JsonText)], "alike");
    check_all(&[stamped().signs("{id}.{timestamp}.{body}"), other("{body}")], "must be \"json-structure\"");
    check_all(&[stamped().signs("{id}.{timestamp}.{body}"), json("{body}")], "");
    check_all(&[stamped().signs("v0:{timestamp}:{body}"), other("v1:{body}")], "");
    check_all(&[stamped().signs("v0:{timestamp}:{body}"), other("v0{body}")], "must be \"json-structure\"");
    check_all(&[bare(), other("{body}")], "");
    check_all(&[bare(), Scheme::hmac_sha1("x-sig-2").signs("{url}{body}")], "");
}

#[test]
fn two_schemes_of_one_content_read_the_same_in_it() {
    let other = || Scheme::hmac_sha256("x-sig-2").signs(STAMPED);
    let dated = |format| other().timestamp(TimestampSource::header("x-ts-2"), format);
    let seconds = || dated(TimestampFormat::UnixSeconds);
    check_all(&[stamped().signs(STAMPED), seconds()], "");
    check_all(&[stamped().signs(STAMPED), seconds().tolerance(Tolerance::from_secs(300))], "");
    check_all(
        &[stamped().signs(STAMPED), seconds().tolerance(Tolerance::from_secs(301))],
        "the same tolerance",
    );
    check_all(&[stamped().signs(STAMPED), dated(TimestampFormat::UnixMillis)], "another time");
    let in_body = |path| {
        Scheme::hmac_sha256("x-sig-3").timestamp(TimestampSource::body(path), TimestampFormat::UnixSeconds)
    };
    check_all(&[in_body("t"), bare()], "stale signatures");
    check_all(
        &[in_body("t"), in_body("u").alias("x-sig").grammar(Grammar::Versioned("v1".into()))],
        "never reached",
    );
    let elsewhere = bare().timestamp(TimestampSource::body("u"), TimestampFormat::UnixSeconds);
    check_all(&[in_body("t"), elsewhere], "another time");
}

#[test]
#[should_panic(expected = "needs a scheme")]
fn a_flaw_stops_the_compiler() {
    Scheme::assert_sound(&[], &FIELDS);
}

#[test]
fn secrets_within_the_signed_content_do_not_run_into_what_stands_beside_them() {
    let check = |template, rule, secrets: [&str; 2], signed: &str, bodies: &[&str], refused: bool| {
        let digest = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(signed));
        let secrets = Secrets::new(secrets.map(|secret| Secret::new(secret).unwrap())).unwrap();
        let described = Description::new("acme", [Scheme::sha256("x-sig").signs(template).body(rule)]);
        match Verifier::<Custom>::custom(described.id(Source::header("x-id")), secrets) {
            Ok(verifier) => {
                let now = Timestamp::from_unix_seconds(0);
                let read = |body: &&&str| verifier.verify(&[("x-sig", &digest)], **body, now).is_ok();
                assert!(
                    !refused,
                    "{signed:?} is read as {:?}",
                    bodies.iter().filter(read).collect::<Vec<_>>()
                );
            }
            Err(error) => {
                assert!(refused && error.to_string().contains("told apart from another"), "{error}");
            }
        }
    };
    let (front, back) = ("{secret}{body}", "{body}{secret}");
    check(front, BodyRule::JsonText, ["secret", "secret "], "secret {}", &["{}", " {}"], true);
    check(front, BodyRule::JsonText, ["secret\n", "secret"], "secret\n{}", &["{}", "\n{}"], true);
    check(back, BodyRule::Any, ["secret", "my secret"], "7my secret", &["7", "7my "], true);
    let beside = "{secret}{id}.{body}";
    check(beside, BodyRule::JsonText, ["secret", "secret7"], "secret77.{}", &["{}"], true);
    check("{id}{secret}{body}", BodyRule::JsonText, ["secret", "7secret"], "77secret{}", &["{}"], true);
    check(front, BodyRule::JsonText, ["secret", " secret"], " secret{}", &["{}"], false);
    check(front, BodyRule::JsonText, ["secret", "secret7"], "secret7{}", &["{}"], false);
    check(back, BodyRule::Any, ["secret", "secret "], "7secret ", &["7"], false);
    check(front, BodyRule::JsonText, ["secret", "secret"], "secret{}", &["{}"], false);
    check(front, BodyRule::JsonText, ["one secret", "another"], "another{}", &["{}"], false);
}

#[test]
fn a_long_template_is_refused_at_once() {
    for piece in ["a", "{url}", "{"] {
        let mut scheme = bare();
        scheme.signs = Some((piece.repeat(1 << 20) + "{body}").into());
        check(scheme, "1024 bytes at most");
    }
    let mut scheme = bare();
    scheme.signs = Some(("a".repeat(1018) + "{body}").into());
    check(scheme, "");
}
