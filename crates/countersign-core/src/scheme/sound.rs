//! What schemes must be to be safe, and to work: asked when the program is compiled, and of what is read at run time.

use super::{
    Algorithm, BodyRule, Grammar, KeyEncoding, Piece, Scheme, Stamp, TimestampSource, template, text,
};
use crate::provider::{Fields, Source};

/// What is wrong with a scheme, and what to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flaw {
    /// The field of the description.
    pub(crate) field: &'static str,
    /// What is wrong with it, and what to change.
    pub(crate) problem: &'static str,
}

/// The longest tolerance, in seconds: seven days. What may be older has no use for a timestamp.
const MAX_TOLERANCE: u64 = 7 * 24 * 60 * 60;

const HEADER_NAME: &str = "a header's name is of letters in lower case, digits, `-` and `_`";
const PATH: &str = "a path is of object keys and array indexes, joined by dots, and none of them empty";

impl Scheme {
    /// Stops the compiler at a provider whose schemes cannot be safe, or cannot work.
    #[expect(clippy::panic, reason = "evaluated when the program is compiled")]
    pub(crate) const fn assert_sound(schemes: &[Self], fields: &Fields) {
        if let Some((_, flaw)) = Self::flaw_of_all(schemes, fields) {
            panic!("{}", flaw.problem);
        }
    }

    /// The first flaw, and which scheme has it.
    pub(crate) const fn flaw_of_all(schemes: &[Self], fields: &Fields) -> Option<(usize, Flaw)> {
        if schemes.is_empty() || schemes.len() > 8 {
            return Some((0, flaw("scheme", "a provider needs a scheme, and has 8 at most")));
        }
        let (mut stamped, mut weaker, mut rest, mut index) = (false, false, schemes, 0_usize);
        while let [scheme, others @ ..] = rest {
            if let Some(flaw) = scheme.flaw(fields) {
                return Some((index, flaw));
            }
            if scheme.timestamp.is_none() {
                weaker = true;
            } else if weaker {
                const ORDER: &str = "a scheme that signs a timestamp must stand before those that sign none";
                return Some((index, flaw("timestamp", ORDER)));
            } else {
                stamped = true;
            }
            let any_body = !scheme.algorithm.shows_secret() && matches!(scheme.body, BodyRule::Any);
            if stamped && scheme.timestamp.is_none() && any_body {
                const RULE: &str = "beside a scheme that signs a timestamp, one that signs the body alone needs a body \
                    of \"json-structure\": or a signature of the first could be passed off as one of the second";
                return Some((index, flaw("body", RULE)));
            }
            if matches!(scheme.grammar, Grammar::Bare | Grammar::Positional) && scheme.hides_one_of(others) {
                const HIDDEN: &str = "a later scheme has this header as well, and is never reached: give that one a \
                    header of its own, or this one a prefix or a list by which to tell them apart";
                return Some((index, flaw("header", HIDDEN)));
            }
            rest = others;
            index = index.saturating_add(1);
        }
        None
    }

    const fn hides_one_of(&self, others: &[Self]) -> bool {
        let mut rest = others;
        while let [other, others @ ..] = rest {
            if equal(text(&self.header), text(&other.header)) {
                return true;
            }
            rest = others;
        }
        false
    }

    /// The first flaw of this scheme alone.
    const fn flaw(&self, fields: &Fields) -> Option<Flaw> {
        let found = [
            self.flaw_of_names(fields),
            self.flaw_of_grammar(),
            self.flaw_of_algorithm(),
            self.flaw_of_timestamp(),
            self.flaw_of_template(fields),
        ];
        let mut rest: &[Option<Flaw>] = &found;
        while let [first, others @ ..] = rest {
            if first.is_some() {
                return *first;
            }
            rest = others;
        }
        None
    }

    const fn flaw_of_names(&self, fields: &Fields) -> Option<Flaw> {
        if !is_header_name(text(&self.header)) {
            return Some(flaw("header", HEADER_NAME));
        }
        if let Some(alias) = &self.alias
            && !is_header_name(text(alias))
        {
            return Some(flaw("alias", HEADER_NAME));
        }
        if let Some(id) = &self.id_header
            && !is_header_name(text(id))
        {
            return Some(flaw("id_header", HEADER_NAME));
        }
        match &self.timestamp {
            Some(Stamp { source: TimestampSource::Header(name), .. }) if !is_header_name(text(name)) => {
                return Some(flaw("timestamp", HEADER_NAME));
            }
            Some(Stamp { source: TimestampSource::Body(path), .. }) if !is_path(text(path)) => {
                return Some(flaw("timestamp", PATH));
            }
            _ => {}
        }
        match (flaw_of_source("id", &fields.id), flaw_of_source("kind", &fields.kind)) {
            (None, None) => flaw_of_source("attempt", &fields.attempt),
            (Some(found), _) | (None, Some(found)) => Some(found),
        }
    }

    const fn flaw_of_grammar(&self) -> Option<Flaw> {
        match &self.grammar {
            Grammar::Prefix(prefix) if text(prefix).is_empty() => {
                Some(flaw("grammar", "the prefix is empty: leave the grammar away, or name the prefix"))
            }
            Grammar::List { separator, .. } if !matches!(separator, ',' | ';') => {
                Some(flaw("grammar", "the entries of a list are separated by `,` or `;`"))
            }
            Grammar::List { timestamp, signature, .. } => {
                let clash = match timestamp {
                    Some(key) => equal(text(key), text(signature)) || !is_word(text(key)),
                    None => false,
                };
                if clash || !is_word(text(signature)) {
                    const KEYS: &str =
                        "the keys of a list are different words without blanks, `=`, `,` and `;`";
                    return Some(flaw("grammar", KEYS));
                }
                None
            }
            Grammar::Versioned(version) if !is_word(text(version)) => {
                Some(flaw("grammar", "a version is a word without blanks, `=`, `,` and `;`"))
            }
            _ => None,
        }
    }

    const fn flaw_of_algorithm(&self) -> Option<Flaw> {
        let utf8 = matches!(self.key, KeyEncoding::Utf8);
        match self.algorithm {
            Algorithm::Token | Algorithm::Basic => {
                if self.signs.is_some() || self.timestamp.is_some() || self.tolerance.is_some() {
                    Some(flaw(
                        "algorithm",
                        "a token signs neither body nor timestamp: leave signs, timestamp and tolerance away",
                    ))
                } else if self.grammar.is_list() || !utf8 {
                    Some(flaw(
                        "algorithm",
                        "a token is shown as it is, or behind a prefix: leave key and other grammars away",
                    ))
                } else if matches!((self.algorithm, &self.grammar), (Algorithm::Basic, Grammar::Prefix(_))) {
                    Some(flaw(
                        "grammar",
                        "basic authentication brings its own prefix: leave the grammar away",
                    ))
                } else {
                    None
                }
            }
            Algorithm::Ed25519 if self.grammar.is_list() => Some(flaw(
                "grammar",
                "an Ed25519 signature stands alone in its header, bare or behind a prefix",
            )),
            Algorithm::Ed25519 | Algorithm::EcdsaP256 if utf8 => {
                Some(flaw("key", "a public key is bytes: say that it is written in \"hex\" or \"base64\""))
            }
            _ => None,
        }
    }

    const fn flaw_of_timestamp(&self) -> Option<Flaw> {
        let listed = match &self.grammar {
            Grammar::List { timestamp, .. } => timestamp.is_some(),
            Grammar::Positional => true,
            _ => false,
        };
        let from_list = matches!(&self.timestamp, Some(Stamp { source: TimestampSource::Signature, .. }));
        match (listed, from_list) {
            (true, false) => {
                const LISTED: &str = "the signature's header holds a timestamp: its source is \"signature\"";
                return Some(flaw("timestamp", LISTED));
            }
            (false, true) => {
                const UNLISTED: &str = "the signature's header holds no timestamp: give the list a timestamp's key, or the \
                    timestamp another source";
                return Some(flaw("timestamp", UNLISTED));
            }
            _ => {}
        }
        match (self.tolerance, &self.timestamp) {
            (Some(_), None) => Some(flaw(
                "tolerance",
                "there is no timestamp to hold to it: add timestamp, or leave tolerance away",
            )),
            (Some(tolerance), _) if tolerance.as_duration().as_secs() == 0 => {
                Some(flaw("tolerance", "zero seconds refuse nearly every delivery: providers recommend 300"))
            }
            (Some(tolerance), _) if tolerance.as_duration().as_secs() > MAX_TOLERANCE => Some(flaw(
                "tolerance",
                "more than seven days (604800 s) keep no replay out: providers recommend 300",
            )),
            _ => None,
        }
    }

    const fn flaw_of_template(&self, fields: &Fields) -> Option<Flaw> {
        let (mut bodies, mut stamps, mut secrets, mut secret_first) = (0_u8, 0_u8, 0_u8, false);
        let mut signs_id = false;
        let (mut before, mut rest) = (Piece::Literal(""), self.template());
        while let Some((piece, left)) = template::first(rest) {
            match piece {
                Piece::Body => {
                    bodies = bodies.saturating_add(1);
                    secret_first = secrets > 0;
                }
                Piece::Timestamp => stamps = stamps.saturating_add(1),
                Piece::Secret => secrets = secrets.saturating_add(1),
                Piece::Id if matches!(fields.id, Some(Source::Header(_))) => signs_id = true,
                Piece::Id => {
                    return Some(flaw("signs", "`{id}` has no source: say which header holds the id"));
                }
                Piece::Unknown => {
                    const PIECES: &str = "a template is of {id}, {timestamp}, {body}, {url}, {method}, {secret} and text \
                        without braces";
                    return Some(flaw("signs", PIECES));
                }
                _ => {}
            }
            if self.run_together(before, piece) {
                const TOGETHER: &str = "the id runs into what stands beside it, so that one signature would be good for \
                    several deliveries: there must be fixed text between them";
                return Some(flaw("signs", TOGETHER));
            }
            before = piece;
            rest = left;
        }
        let from_body = matches!(&self.timestamp, Some(Stamp { source: TimestampSource::Body(_), .. }));
        let hashes_secret = matches!(self.algorithm, Algorithm::Sha256);
        if !signs_id && self.id_header.is_some() {
            Some(flaw("id_header", "this scheme signs no `{id}`: put it in signs, or leave id_header away"))
        } else if self.algorithm.shows_secret() {
            None
        } else if bodies != 1 {
            Some(flaw("signs", "the signed content must hold the {body}, once"))
        } else if stamps > 0 && self.timestamp.is_none() {
            Some(flaw("signs", "`{timestamp}` has no source: add timestamp, and say where it stands"))
        } else if stamps > 0 && from_body {
            Some(flaw("signs", "a timestamp in the body is signed with it: take `{timestamp}` out"))
        } else if stamps == 0 && self.timestamp.is_some() && !from_body {
            Some(flaw(
                "signs",
                "the timestamp is not signed: put `{timestamp}` where the provider signs it, or leave timestamp away",
            ))
        } else if !hashes_secret && secrets > 0 {
            Some(flaw(
                "signs",
                "the secret is the key of this algorithm, and no part of what is signed: take `{secret}` out",
            ))
        } else if hashes_secret && secrets != 1 {
            Some(flaw("signs", "anybody can make a plain digest without the `{secret}`: put it in, once"))
        } else if secret_first && !matches!(self.body, BodyRule::JsonText) {
            Some(flaw(
                "body",
                "SHA-256 of secret and body is open to length extension: the body must be \"json-text\"",
            ))
        } else {
            None
        }
    }

    /// Whether bytes could move from one of these to the other under the same signature.
    const fn run_together(&self, before: Piece<'_>, piece: Piece<'_>) -> bool {
        let number = match &self.timestamp {
            Some(stamp) => stamp.format.is_number(),
            None => false,
        };
        match (before, piece) {
            (Piece::Id, Piece::Timestamp) | (Piece::Timestamp, Piece::Id) => number,
            (Piece::Id, Piece::Body) | (Piece::Body, Piece::Id) => !matches!(self.body, BodyRule::JsonText),
            (Piece::Id, Piece::Id) => true,
            _ => false,
        }
    }
}

pub(crate) const fn flaw(field: &'static str, problem: &'static str) -> Flaw {
    Flaw { field, problem }
}

const fn flaw_of_source(field: &'static str, source: &Option<Source>) -> Option<Flaw> {
    match source {
        Some(Source::Header(name)) if !is_header_name(text(name)) => Some(flaw(field, HEADER_NAME)),
        Some(Source::Body(path)) if !is_path(text(path)) => Some(flaw(field, PATH)),
        _ => None,
    }
}

const fn is_header_name(name: &str) -> bool {
    let mut rest = name.as_bytes();
    while let [byte, others @ ..] = rest {
        if !matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_') {
            return false;
        }
        rest = others;
    }
    !name.is_empty()
}

/// Whether no step of a path is empty.
pub(crate) const fn is_path(path: &str) -> bool {
    let (mut rest, mut before) = (path.as_bytes(), b'.');
    while let [byte, others @ ..] = rest {
        if *byte == b'.' && before == b'.' {
            return false;
        }
        before = *byte;
        rest = others;
    }
    before != b'.'
}

const fn is_word(key: &str) -> bool {
    let mut rest = key.as_bytes();
    while let [byte, others @ ..] = rest {
        if !byte.is_ascii_graphic() || matches!(byte, b'=' | b',' | b';') {
            return false;
        }
        rest = others;
    }
    !key.is_empty()
}

pub(crate) const fn equal(a: &str, b: &str) -> bool {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    while let ([first, a_rest @ ..], [second, b_rest @ ..]) = (a, b) {
        if *first != *second {
            return false;
        }
        (a, b) = (a_rest, b_rest);
    }
    a.is_empty() && b.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{TimestampFormat, Tolerance};

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

    fn list() -> Scheme {
        bare()
            .list(',', Some("t"), "v1")
            .timestamp(TimestampSource::Signature, TimestampFormat::UnixSeconds)
            .signs(STAMPED)
    }

    #[test]
    fn what_providers_send_is_sound() {
        let rfc3339 = bare().timestamp(TimestampSource::header("x-ts"), TimestampFormat::Rfc3339);
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
            rfc3339.signs("{id}{timestamp}{body}"),
            list(),
            bare()
                .positional()
                .timestamp(TimestampSource::Signature, TimestampFormat::UnixMillis)
                .signs(STAMPED),
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
            (stamped().signs("{id}{timestamp}.{body}"), "runs into"),
            (stamped().signs("{timestamp}.{id}{body}"), "runs into"),
            (stamped().signs("{timestamp}.{body}{id}"), "runs into"),
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
            (
                list().timestamp(TimestampSource::header("x-ts"), TimestampFormat::UnixSeconds),
                "its source is",
            ),
            (bare().tolerance(Tolerance::from_secs(300)), "no timestamp to hold"),
            (Scheme::token("x-token").tolerance(Tolerance::from_secs(300)), "a token signs neither"),
            (
                Scheme::token("x-token")
                    .timestamp(TimestampSource::header("x"), TimestampFormat::UnixSeconds),
                "a token signs neither",
            ),
            (Scheme::token("x-token").signs("{body}"), "a token signs neither"),
            (Scheme::token("x-token").versioned("v1"), "a token is shown as it is"),
            (Scheme::basic().prefix("Basic "), "brings its own prefix"),
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
        check_all(&[list(), Scheme::hmac_sha1("x-sig-2")], "passed off");
        check_all(&[list(), bare().prefix("sha256=").body(BodyRule::JsonStructure)], "");
        check_all(&[bare(), bare().prefix("sha256=")], "never reached");
    }

    #[test]
    #[should_panic(expected = "needs a scheme")]
    fn a_flaw_stops_the_compiler() {
        Scheme::assert_sound(&[], &FIELDS);
    }
}
