//! What schemes must be to be safe, and to work: asked when the program is compiled, and of what is read at run time.

#[cfg(test)]
mod tests;

use super::{
    Algorithm, BodyRule, Encoding, Grammar, KeyEncoding, Piece, Scheme, Stamp, TimestampSource, template,
    text,
};
use crate::{
    provider::{Fields, Source},
    time::TimestampFormat,
};

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

/// The longest template, in bytes: its pieces are compared with each other, which takes long where there are many.
const MAX_TEMPLATE: usize = 1024;

const HEADER_NAME: &str = "a header's name is of letters in lower case, digits, `-` and `_`";
const APART: &str = "another scheme of this algorithm signs other content, and a signature of one could be passed off as one of \
    the other: the body must be \"json-structure\"";
const ALIKE: &str = "another scheme of this algorithm signs other content that may begin alike, and a signature of one could be passed \
    off as one of the other: let each begin with a fixed text of its own, or make a description of each, with a secret of its own";
const TOGETHER: &str = "its parts run into each other, so that one signature would be good for several deliveries: put text between \
    them that no part holds, as in `{id}.{timestamp}.{body}`, or say that the body is \"json-text\"";
pub(crate) const PATH: &str =
    "a path is of object keys and array indexes, joined by dots, and none of them empty";

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
        let (mut weaker, mut rest, mut index) = (false, schemes, 0_usize);
        while let [scheme, others @ ..] = rest {
            if let Some(flaw) = scheme.flaw(fields) {
                return Some((index, flaw));
            }
            if scheme.timestamp.is_none() {
                weaker = true;
            } else if weaker {
                const ORDER: &str = "a scheme that signs a timestamp must stand before those that sign none";
                return Some((index, flaw("timestamp", ORDER)));
            }
            rest = others;
            index = index.saturating_add(1);
        }
        Self::flaw_of_pairs(schemes)
    }

    const fn flaw_of_pairs(schemes: &[Self]) -> Option<(usize, Flaw)> {
        let (mut rest, mut index) = (schemes, 0_usize);
        while let [scheme, others @ ..] = rest {
            let (mut later, mut distance) = (others, 1_usize);
            while let [other, further @ ..] = later {
                if let Some((at_other, flaw)) = scheme.flaw_beside(other) {
                    return Some((index.saturating_add(if at_other { distance } else { 0 }), flaw));
                }
                later = further;
                distance = distance.saturating_add(1);
            }
            rest = others;
            index = index.saturating_add(1);
        }
        None
    }

    /// The first flaw of two schemes that are sound by themselves; and whether it is the later one that is to be changed.
    const fn flaw_beside(&self, later: &Self) -> Option<(bool, Flaw)> {
        let is_mixed = self.algorithm as u8 != later.algorithm as u8
            && (self.algorithm.takes_public_key() || later.algorithm.takes_public_key());
        if is_mixed {
            // Where the secret is a public key, whoever knows that could sign by the other scheme.
            const MIXED: &str = "the secret of an earlier scheme is no secret of this one, since a public key is known to \
                anybody: make a description of each";
            return Some((true, flaw("algorithm", MIXED)));
        }
        if self.algorithm.shows_secret() && !later.algorithm.shows_secret() {
            const SHOWN: &str = "a scheme that shows the secret must stand behind those that sign with it";
            return Some((false, flaw("algorithm", SHOWN)));
        }
        if self.hides(later) {
            const HIDDEN: &str = "a later scheme has this header as well, and is never reached: give that one a \
                header of its own, or this one a prefix or a list by which to tell them apart";
            return Some((false, flaw("header", HIDDEN)));
        }
        if self.algorithm.shows_secret() || self.algorithm as u8 != later.algorithm as u8 {
            return None;
        }
        if equal(self.template(), later.template()) {
            return match self.disagreement(later) {
                Some(flaw) => Some((true, flaw)),
                None => None,
            };
        }
        if self.is_told_apart(later, false) {
            None
        } else if self.is_told_apart(later, true) {
            Some((matches!(later.body, BodyRule::Any), flaw("body", APART)))
        } else {
            Some((true, flaw("signs", ALIKE)))
        }
    }

    /// What differs between two schemes of the same content, so that a signature that one refuses would pass as the other's.
    const fn disagreement(&self, later: &Self) -> Option<Flaw> {
        const UNDATED: &str = "it signs the same as an earlier scheme, whose stale signatures it would take: give it that \
            one's timestamp";
        const OTHER_TIME: &str = "it signs the same as an earlier scheme and reads another time in it: give both the same source and \
            format";
        const OTHER_TOLERANCE: &str = "it signs the same as an earlier scheme, and a signature that is stale for one would pass as the \
            other's: give both the same tolerance";
        match (&self.timestamp, &later.timestamp) {
            (None, None) => None,
            (Some(one), Some(two)) if !one.reads_as(two) => Some(flaw("timestamp", OTHER_TIME)),
            (Some(_), Some(_)) if !self.max_age().is(later.max_age()) => {
                Some(flaw("tolerance", OTHER_TOLERANCE))
            }
            (Some(_), Some(_)) => None,
            _ => Some(flaw("timestamp", UNDATED)),
        }
    }

    /// Whether each header that is meant for a later scheme is taken for this one's.
    const fn hides(&self, later: &Self) -> bool {
        let shares = self.is_read_from(text(&later.header))
            || match &later.alias {
                Some(alias) => self.is_read_from(text(alias)),
                None => false,
            };
        shares
            && match (&self.grammar, &later.grammar) {
                (Grammar::Bare | Grammar::Positional, _) => true,
                (Grammar::Prefix(prefix), Grammar::Prefix(other)) => starts_with(text(other), text(prefix)),
                (Grammar::Versioned(version), Grammar::Versioned(other)) => equal(text(version), text(other)),
                (
                    Grammar::List { separator, timestamp, signature },
                    Grammar::List {
                        separator: other,
                        timestamp: other_timestamp,
                        signature: other_signature,
                    },
                ) => {
                    let same_timestamp = match (timestamp, other_timestamp) {
                        (Some(key), Some(other)) => equal(text(key), text(other)),
                        _ => false,
                    };
                    *separator == *other && (same_timestamp || equal(text(signature), text(other_signature)))
                }
                _ => false,
            }
    }

    const fn is_read_from(&self, header: &str) -> bool {
        equal(text(&self.header), header)
            || match &self.alias {
                Some(alias) => equal(text(alias), header),
                None => false,
            }
    }

    /// The first flaw of this scheme alone.
    const fn flaw(&self, fields: &Fields) -> Option<Flaw> {
        let found = [
            self.flaw_of_names(fields),
            self.flaw_of_shared_names(fields),
            self.flaw_of_aliases(fields),
            self.flaw_of_secret_prefix(),
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

    /// A header that would have to hold two things at once.
    const fn flaw_of_shared_names(&self, fields: &Fields) -> Option<Flaw> {
        const SIGNATURE: &str =
            "this header holds the signature: name the one that the provider sends beside it";
        if let Some(alias) = &self.alias
            && equal(text(alias), text(&self.header))
        {
            return Some(flaw("alias", "it is the header's own name: leave alias away"));
        }
        if let Some(Stamp { source: TimestampSource::Header(name), .. }) = &self.timestamp {
            if self.is_read_from(text(name)) {
                const LISTED: &str = "this header holds the signature: where it holds the timestamp as well, the source is \
                    \"signature\"";
                return Some(flaw("timestamp", LISTED));
            }
            if let Some(Source::Header(id)) = &fields.id
                && equal(text(id), text(name))
            {
                return Some(flaw(
                    "timestamp",
                    "this header holds the id: name the one that holds the timestamp",
                ));
            }
        }
        if let Some(name) = &self.id_header
            && self.is_read_from(text(name))
        {
            return Some(flaw("id_header", SIGNATURE));
        }
        match &fields.id {
            Some(Source::Header(name)) if self.is_read_from(text(name)) => Some(flaw("id", SIGNATURE)),
            _ => match &fields.kind {
                Some(Source::Header(name)) if self.is_read_from(text(name)) => Some(flaw("kind", SIGNATURE)),
                _ => None,
            },
        }
    }

    /// Another name of the id's or the kind's header that is the name of something else.
    const fn flaw_of_aliases(&self, fields: &Fields) -> Option<Flaw> {
        const UNUSED: &str = "there is no header of which this could be another name: say which header it is, or leave the alias away";
        const TAKEN: &str = "something else is read from this header: leave the alias away, or mend its name";
        let mut rest: &[_] = &[
            ("id_alias", &fields.id_alias, &fields.id, &fields.kind, &fields.kind_alias),
            ("kind_alias", &fields.kind_alias, &fields.kind, &fields.id, &fields.id_alias),
        ];
        while let [(field, alias, own, other, other_alias), others @ ..] = rest {
            if let Some(alias) = alias {
                let alias = text(alias);
                let is_taken = match (other_alias, &self.timestamp) {
                    (Some(other), _) if equal(text(other), alias) => true,
                    (_, Some(Stamp { source: TimestampSource::Header(name), .. })) => {
                        equal(text(name), alias)
                    }
                    _ => false,
                };
                match own {
                    _ if !is_header_name(alias) => return Some(flaw(field, HEADER_NAME)),
                    Some(Source::Header(_)) => {}
                    _ => return Some(flaw(field, UNUSED)),
                }
                let is_other = is_header(other, alias) || is_header(&fields.attempt, alias);
                if is_taken || is_other || is_header(own, alias) || self.is_read_from(alias) {
                    return Some(flaw(field, TAKEN));
                }
            }
            rest = others;
        }
        None
    }

    const fn flaw_of_secret_prefix(&self) -> Option<Flaw> {
        match &self.secret_prefix {
            Some(prefix) if text(prefix).is_empty() => Some(flaw(
                "secret_prefix",
                "the prefix is empty, and every secret begins so: leave secret_prefix away, or name the prefix",
            )),
            _ => None,
        }
    }

    const fn flaw_of_grammar(&self) -> Option<Flaw> {
        let has_comma = matches!(&self.timestamp, Some(Stamp { format: TimestampFormat::ImfFixdate, .. }));
        match &self.grammar {
            Grammar::Prefix(prefix) if text(prefix).is_empty() => {
                Some(flaw("grammar", "the prefix is empty: leave the grammar away, or name the prefix"))
            }
            Grammar::Prefix(prefix) if !is_prefix(text(prefix)) => Some(flaw(
                "grammar",
                "a prefix is of visible ASCII characters, and does not begin with a blank: no header could hold it",
            )),
            Grammar::List { separator: ',', timestamp: Some(_), .. } | Grammar::Positional if has_comma => {
                Some(flaw(
                    "timestamp",
                    "a date of \"imf-fixdate\" has a comma, at which this list would be cut",
                ))
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
                } else if self.grammar.is_list() || !utf8 || !matches!(self.encoding, Encoding::Hex) {
                    Some(flaw(
                        "algorithm",
                        "a token is shown as it is, or behind a prefix: leave key, encoding and other grammars away",
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
            (Some(tolerance), _) if tolerance.behind == 0 => {
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
        if self.template().len() > MAX_TEMPLATE {
            return Some(flaw("signs", "a template has 1024 bytes at most"));
        }
        let (mut bodies, mut stamps, mut secrets, mut secret_first) = (0_u8, 0_u8, 0_u8, false);
        let (mut signs_id, mut headers) = (false, 0_u8);
        let mut rest = self.template();
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
                Piece::Header(name) if !is_header_name(name) => return Some(flaw("signs", HEADER_NAME)),
                Piece::Header(_) => headers = headers.saturating_add(1),
                Piece::Unknown => {
                    const PIECES: &str = "a template is of {id}, {timestamp}, {body}, {url}, {method}, {secret}, {header:..} and text \
                        without braces";
                    return Some(flaw("signs", PIECES));
                }
                _ => {}
            }
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
        } else if headers > 1 {
            Some(flaw("signs", "one `{header:..}` can be signed at most"))
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
        } else if self.remainder().is_none() {
            Some(flaw("signs", TOGETHER))
        } else {
            None
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

/// Whether it is this header.
const fn is_header(source: &Option<Source>, header: &str) -> bool {
    match source {
        Some(Source::Header(name)) => equal(text(name), header),
        _ => false,
    }
}

/// Whether a header's value can begin so.
const fn is_prefix(prefix: &str) -> bool {
    let mut rest = prefix.as_bytes();
    while let [byte, others @ ..] = rest {
        if !byte.is_ascii_graphic() && *byte != b' ' {
            return false;
        }
        rest = others;
    }
    !matches!(prefix.as_bytes(), [b' ', ..])
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
    a.len() == b.len() && starts_with(a, b)
}

const fn starts_with(text: &str, start: &str) -> bool {
    let (mut text, mut start) = (text.as_bytes(), start.as_bytes());
    while let ([first, text_rest @ ..], [second, start_rest @ ..]) = (text, start) {
        if *first != *second {
            return false;
        }
        (text, start) = (text_rest, start_rest);
    }
    start.is_empty()
}
