//! What a scheme must be to be safe, and to work: asked when the program is compiled.

use super::{Algorithm, BodyRule, Grammar, Part, Scheme, TimestampSource};

impl Scheme {
    /// Stops the compiler at a provider whose schemes cannot be safe, or cannot work.
    #[expect(clippy::panic, reason = "evaluated when the program is compiled")]
    pub(crate) const fn assert_sound(schemes: &[Self]) {
        assert!(!schemes.is_empty(), "a provider needs a scheme");
        let (mut stamped, mut weaker, mut rest) = (false, false, schemes);
        while let [scheme, others @ ..] = rest {
            if let Some(flaw) = scheme.flaw() {
                panic!("{}", flaw);
            }
            if scheme.timestamp.is_some() {
                assert!(!weaker, "a scheme that signs a timestamp must stand before those that sign none");
                stamped = true;
            } else {
                weaker = true;
                let any_body =
                    matches!((scheme.algorithm, scheme.body), (Algorithm::HmacSha256, BodyRule::Any));
                assert!(
                    !(stamped && any_body),
                    "beside a scheme that signs a timestamp, one that signs the body alone needs a BodyRule: \
                    or a signature of the first could be passed off as one of the second"
                );
            }
            rest = others;
        }
    }

    const fn flaw(&self) -> Option<&'static str> {
        let (bodies, timestamps) = self.signed_parts();
        let token = matches!(self.algorithm, Algorithm::Token);
        let lists = matches!(self.grammar, Grammar::KeyValue { .. });
        let listed = matches!(self.timestamp, Some((TimestampSource::SignatureHeader, _)));
        if !self.has_header_names() {
            Some("a header's name must be in lower case, and not empty")
        } else if lists != listed || token && !matches!(self.grammar, Grammar::Bare) {
            Some(
                "key_value(..), prefix(..), timestamp_header(..) and token(..) exclude each other, but for the middle two",
            )
        } else if token && (bodies > 0 || timestamps > 0 || self.timestamp.is_some()) {
            Some("a token signs neither body nor timestamp")
        } else if !token && bodies != 1 {
            Some("the signed content must hold the body, once: see signs(..)")
        } else if self.timestamp.is_some() != (timestamps > 0) {
            Some("a timestamp must have a source and be part of the signed content: see signs(..)")
        } else if matches!(self.algorithm, Algorithm::Sha256) && !matches!(self.body, BodyRule::JsonText) {
            Some("SHA-256 of secret and body is open to length extension: the body must be a JsonText")
        } else {
            None
        }
    }

    /// How often the signed content holds the body, and the timestamp.
    const fn signed_parts(&self) -> (usize, usize) {
        let (mut bodies, mut timestamps, mut rest) = (0_usize, 0_usize, self.parts);
        while let [part, others @ ..] = rest {
            match part {
                Part::Body => bodies = bodies.saturating_add(1),
                Part::Timestamp => timestamps = timestamps.saturating_add(1),
                Part::Literal(_) => {}
            }
            rest = others;
        }
        (bodies, timestamps)
    }

    const fn has_header_names(&self) -> bool {
        let alias = match self.alias {
            Some(alias) => is_header_name(alias),
            None => true,
        };
        let timestamp = match self.timestamp {
            Some((TimestampSource::Header(name), _)) => is_header_name(name),
            _ => true,
        };
        is_header_name(self.header) && alias && timestamp
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::TimestampFormat;

    const STAMPED: &[Part] = &[Part::Timestamp, Part::Literal("."), Part::Body];

    fn check(scheme: Scheme, flaw: &str) {
        match scheme.flaw() {
            Some(found) => assert!(!flaw.is_empty() && found.contains(flaw), "{found}"),
            None => assert_eq!(flaw, ""),
        }
    }

    #[test]
    fn a_scheme_that_cannot_be_safe_is_found() {
        let stamped = || Scheme::hmac_sha256("x-sig").timestamp_header("x-ts", TimestampFormat::UnixSeconds);
        check(Scheme::hmac_sha256("x-sig"), "");
        check(Scheme::token("x-token"), "");
        check(Scheme::sha256_of_secret_and("x-sig"), "");
        check(stamped().signs(STAMPED), "");
        check(stamped(), "must have a source and be part");
        check(
            Scheme::hmac_sha256("x-sig").key_value("t", TimestampFormat::UnixSeconds, "v1"),
            "must have a source",
        );
        check(Scheme::hmac_sha256("x-sig").signs(STAMPED), "must have a source");
        check(stamped().signs(&[Part::Timestamp]), "the body, once");
        check(stamped().signs(&[Part::Timestamp, Part::Body, Part::Body]), "the body, once");
        check(
            Scheme::token("x-token").timestamp_header("x-ts", TimestampFormat::UnixSeconds),
            "a token signs neither",
        );
        check(Scheme::sha256_of_secret_and("x-sig").body(BodyRule::Any), "length extension");
        for scheme in [Scheme::hmac_sha256("X-Sig"), Scheme::hmac_sha256(""), Scheme::token("x sig")] {
            check(scheme, "lower case");
        }
        check(Scheme::hmac_sha256("x-sig").alias("X-Alias"), "lower case");
    }

    #[test]
    fn forms_that_exclude_each_other_are_found() {
        let list =
            || Scheme::hmac_sha256("x-sig").key_value("t", TimestampFormat::UnixSeconds, "v1").signs(STAMPED);
        check(list(), "");
        check(list().prefix("v0="), "exclude each other");
        check(list().timestamp_header("x-ts", TimestampFormat::UnixSeconds), "exclude each other");
        check(Scheme::token("authorization").prefix("Bearer "), "exclude each other");
    }

    #[test]
    #[should_panic(expected = "must stand before those that sign none")]
    fn the_stronger_scheme_stands_first() {
        let list =
            Scheme::hmac_sha256("x-sig-2").key_value("t", TimestampFormat::UnixSeconds, "v1").signs(STAMPED);
        Scheme::assert_sound(&[Scheme::hmac_sha256("x-sig").body(BodyRule::JsonStructure), list]);
    }

    #[test]
    #[should_panic(expected = "passed off")]
    fn a_body_only_scheme_beside_a_stronger_one_needs_a_rule() {
        let list =
            Scheme::hmac_sha256("x-sig-2").key_value("t", TimestampFormat::UnixSeconds, "v1").signs(STAMPED);
        Scheme::assert_sound(&[list, Scheme::hmac_sha256("x-sig")]);
    }

    #[test]
    #[should_panic(expected = "a provider needs a scheme")]
    fn a_provider_needs_a_scheme() {
        Scheme::assert_sound(&[]);
    }
}
