//! The search for a second reading: what a genuine signature covers, cut in every other way, under every scheme, must be refused.

use super::{
    Dice,
    book::{self, Keys},
};
use crate::{
    provider::{BodyHandshake, Custom, Description, Handshake, Provider, ReplyRule, Source},
    scheme::{Algorithm, BodyRule, Piece, Scheme, TimestampSource, is_token, pieces},
    time::{Timestamp, TimestampFormat, Tolerance},
    verifier::Verifier,
};

const URL: &str = "https://fuzz.example/hook";
const FORMATS: [TimestampFormat; 4] = [
    TimestampFormat::UnixSeconds,
    TimestampFormat::UnixMillis,
    TimestampFormat::Rfc3339,
    TimestampFormat::ImfFixdate,
];
/// How long a content may be, and how many ways to cut it are tried.
const MAX_CONTENT: usize = 160;
const MAX_READINGS: usize = 4_000;

/// One way to cut a content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Reading {
    id: Vec<u8>,
    timestamp: Vec<u8>,
    header: Vec<u8>,
    body: Vec<u8>,
}

/// A description, with what verifies it and what signs for it.
struct Target {
    description: Description,
    keys: Keys,
    verifier: Verifier<Custom>,
}

/// Deliveries of a description, random ones where there is none: a content of one of them that has two accepted readings. Without the
/// `rules` that keep those out, there are such.
pub(super) fn second_reading(description: Option<&Description>, data: &[u8], rules: bool) -> Option<String> {
    let mut dice = Dice::new(data);
    let description = description.cloned().unwrap_or_else(|| random_description(&mut dice));
    let target = Target::new(description, rules)?;
    (0..8).find_map(|_| target.attack(&mut dice))
}

macro_rules! built_in {
    ($($module:ident => $provider:ident),* $(,)?) => {
        /// The descriptions of all built-in providers.
        pub const BUILT_IN: &[&Description] = &[$(<crate::provider::$provider as Provider>::DESCRIPTION),*];
    };
}
crate::for_each_provider!(built_in);

impl Target {
    /// `None` where the description is refused, or its schemes need secrets of different kinds.
    fn new(description: Description, rules: bool) -> Option<Self> {
        if rules && description.check().is_err() {
            return None;
        }
        let keys = Keys::of(&description)?;
        let builder = Verifier::custom_builder(description.clone(), &keys.verifying).public_url(URL);
        let builder = if rules { builder } else { builder.without_rules() };
        Some(Self { description, keys, verifier: builder.build().ok()? })
    }

    fn schemes(&self) -> impl Iterator<Item = &Scheme> {
        self.description.schemes().iter().filter(|scheme| !scheme.algorithm.shows_secret())
    }

    fn attack(&self, dice: &mut Dice) -> Option<String> {
        let schemes: Vec<_> = self.schemes().collect();
        let scheme = *schemes.get(dice.below(schemes.len()))?;
        let now = Timestamp::from_unix_seconds(1_705_314_600);
        if self.description.handshakes().iter().any(Handshake::replies_with_digest) {
            let token = self.text(dice, now);
            let is_read = |scheme: &&Scheme| {
                self.readings(scheme, &token)
                    .into_iter()
                    .find(|reading| self.accepts(scheme, reading, &token, now))
            };
            if let Some(reading) = schemes.iter().filter(|_| is_token(&token)).find_map(is_read) {
                return Some(self.told("the digest of a token", &token, &reading));
            }
        }
        let genuine = self.genuine(scheme, dice, now);
        let content = self.content(scheme, &genuine);
        if content.len() > MAX_CONTENT || !self.accepts(scheme, &genuine, &content, now) {
            return None;
        }
        for other in schemes.into_iter().filter(|other| other.algorithm == scheme.algorithm) {
            let is_alike = other.template() == scheme.template();
            let same_time = match (&scheme.timestamp, &other.timestamp) {
                (Some(one), Some(two)) => one.format == two.format,
                (one, two) => one.is_none() && two.is_none(),
            };
            let second = |reading: &Reading| {
                (!is_alike || !same_time || *reading != genuine)
                    && self.accepts(other, reading, &content, now)
            };
            if let Some(reading) = self.readings(other, &content).into_iter().find(second) {
                return Some(self.told("a genuine signature", &content, &reading));
            }
            // What the scheme refuses as stale, no other takes.
            let late = now.saturating_add(scheme.max_age().as_duration());
            let late = late.saturating_add(std::time::Duration::from_secs(1));
            if scheme.signs_timestamp()
                && is_alike
                && self.accepts_at(other, &genuine, &content, late)
                && !self.accepts_at(scheme, &genuine, &content, late)
            {
                return Some(self.told("a stale signature", &content, &genuine));
            }
        }
        None
    }

    fn told(&self, what: &str, content: &[u8], reading: &Reading) -> String {
        let schemes: Vec<_> = self
            .schemes()
            .map(|scheme| {
                (scheme.template(), scheme.body, scheme.timestamp.as_ref().map(|stamp| stamp.format))
            })
            .collect();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let Reading { id, timestamp, header, body } = reading;
        let read = [id, timestamp, header, body].map(|part| text(part));
        let name = self.description.name();
        format!("{what} of {name}, over {:?}, passes as {read:?} under {schemes:?}", text(content))
    }

    /// Whether the verifier takes this reading, once its time has come.
    fn accepts(&self, scheme: &Scheme, reading: &Reading, content: &[u8], now: Timestamp) -> bool {
        let format = scheme.timestamp.as_ref().map(|stamp| stamp.format);
        let signed = format.and_then(|format| format.parse(&reading.timestamp));
        self.accepts_at(scheme, reading, content, signed.unwrap_or(now))
    }

    fn accepts_at(&self, scheme: &Scheme, reading: &Reading, content: &[u8], now: Timestamp) -> bool {
        let signature = book::shown(scheme, &self.keys, content);
        let stamp = String::from_utf8_lossy(&reading.timestamp);
        let shown = scheme.grammar.write(Some(&*stamp).filter(|_| scheme.timestamp.is_some()), &signature);
        let mut headers = vec![(scheme.header_name(), shown.into_bytes())];
        if let Some(TimestampSource::Header(name)) = scheme.timestamp.as_ref().map(|stamp| &stamp.source) {
            headers.push((name, reading.timestamp.clone()));
        }
        if let Some(name) = self.id_header(scheme).filter(|_| scheme.signs_id()) {
            headers.push((name, reading.id.clone()));
        }
        if let Some(name) = scheme.signed_header() {
            headers.push((name, reading.header.clone()));
        }
        self.verifier.verify(&headers, &reading.body, now).is_ok()
    }

    fn id_header<'s>(&'s self, scheme: &'s Scheme) -> Option<&'s str> {
        match (&scheme.id_header, &self.description.fields().id) {
            (Some(name), _) | (None, Some(Source::Header(name))) => Some(name),
            _ => None,
        }
    }

    fn content(&self, scheme: &Scheme, reading: &Reading) -> Vec<u8> {
        let key = self.keys.bytes(scheme);
        let parts = pieces(scheme.template()).map(|piece| match piece {
            Piece::Id => &reading.id,
            Piece::Timestamp => &reading.timestamp,
            Piece::Header(_) => &reading.header,
            Piece::Body => &*reading.body,
            _ => fixed(piece, &key),
        });
        parts.collect::<Vec<_>>().concat()
    }

    /// Every way to cut the content into the pieces of this scheme.
    fn readings(&self, scheme: &Scheme, content: &[u8]) -> Vec<Reading> {
        let key = self.keys.bytes(scheme);
        let pieces: Vec<_> = pieces(scheme.template()).collect();
        let mut found = Vec::new();
        let mut open = vec![(0, content, Reading::default())];
        while let Some((place, rest, reading)) = open.pop() {
            let Some(piece) = pieces.get(place) else {
                if rest.is_empty() {
                    found.push(reading);
                }
                continue;
            };
            if found.len().max(open.len()) > MAX_READINGS {
                break;
            }
            let next = place.saturating_add(1);
            let lengths = match piece {
                Piece::Id | Piece::Header(_) => 1..=rest.len(),
                // A piece at the end takes all that is left.
                Piece::Body if next == pieces.len() => rest.len()..=rest.len(),
                Piece::Body => 0..=rest.len(),
                Piece::Timestamp => 1..=rest.len().min(40),
                piece => {
                    if let Some(rest) = rest.strip_prefix(fixed(*piece, &key)) {
                        open.push((next, rest, reading));
                    }
                    continue;
                }
            };
            for length in lengths {
                let Some((part, rest)) = rest.split_at_checked(length) else { break };
                let mut reading = reading.clone();
                let format = scheme.timestamp.as_ref().map(|stamp| stamp.format);
                match piece {
                    Piece::Timestamp if format.is_none_or(|format| format.parse(part).is_none()) => continue,
                    Piece::Timestamp => reading.timestamp = part.to_vec(),
                    Piece::Id => reading.id = part.to_vec(),
                    Piece::Header(_) => reading.header = part.to_vec(),
                    _ => reading.body = part.to_vec(),
                }
                open.push((next, rest, reading));
            }
        }
        found
    }

    /// A delivery that the provider could send.
    fn genuine(&self, scheme: &Scheme, dice: &mut Dice, now: Timestamp) -> Reading {
        let format = scheme.timestamp.as_ref().map(|stamp| stamp.format);
        let ids: [&[u8]; 6] = [b"evt_1", b"1705314600", b"a.b", b"{", b"msg-7", b"0"];
        let date = format.map(|format| format.format(now).into_bytes()).unwrap_or_default();
        let (id, header, body) = (pick(dice, &ids).to_vec(), self.text(dice, now), self.body(dice, now));
        let signed = |piece, part| if scheme.signs_piece(piece) { part } else { Vec::new() };
        Reading {
            id: signed(Piece::Id, id),
            timestamp: signed(Piece::Timestamp, date),
            header: scheme.signed_header().map(|_| header).unwrap_or_default(),
            body,
        }
    }

    /// A body: any text, JSON that holds one, or what another scheme would sign.
    fn body(&self, dice: &mut Dice, now: Timestamp) -> Vec<u8> {
        let text = self.text(dice, now);
        let dated = format!("\"t\":{},\"meta\":{{\"timestamp\":\"{now}\"}}", now.unix_seconds());
        match dice.below(7) {
            0 => text,
            1 => [b"{\"n\":\"", &*text, b"\"}"].concat(),
            2 => [b"[\"", &*text, b"\"]"].concat(),
            3 => [format!("{{{dated},\"n\":\"").as_bytes(), &text, b"\"}"].concat(),
            4 => [b"{}", &*text].concat(),
            5 => [&*text, b"{}"].concat(),
            _ => format!("{{{dated}}}").into_bytes(),
        }
    }

    /// Fragments of what schemes sign, one behind the other.
    fn text(&self, dice: &mut Dice, now: Timestamp) -> Vec<u8> {
        let earlier = Timestamp::from_unix_seconds(1_674_000_000);
        let literals: Vec<_> = self
            .schemes()
            .flat_map(|scheme| pieces(scheme.template()))
            .filter_map(|piece| match piece {
                Piece::Literal(text) => Some(text),
                _ => None,
            })
            .collect();
        let mut text = Vec::new();
        for _ in 0..dice.below(6).saturating_add(1) {
            let format = *pick(dice, &FORMATS);
            match dice.below(9) {
                0 | 1 => text.extend(format.format(if dice.below(2) == 0 { now } else { earlier }).bytes()),
                2 | 3 if !literals.is_empty() => text.extend(pick(dice, &literals).bytes()),
                4 => text.extend(pick(dice, &["evt_1", "hi", "a", "1705314600", "7", "-"]).bytes()),
                5 => text.extend(pick(dice, &[".", ":", "-", "|", ",", " "]).bytes()),
                6 => text.extend(pick(dice, &[URL, "POST", "v0:", "v1:", "true", "null"]).bytes()),
                _ => text.extend(pick(dice, &["{", "}", "[", "]", "{}", "[]", "{amount:1}", "\\\""]).bytes()),
            }
        }
        text
    }
}

/// A piece whose text does not come from the request.
fn fixed<'p>(piece: Piece<'p>, key: &'p [u8]) -> &'p [u8] {
    match piece {
        Piece::Literal(text) => text.as_bytes(),
        Piece::Url => URL.as_bytes(),
        Piece::Method => b"POST",
        Piece::Secret => key,
        _ => b"",
    }
}

fn pick<'a, T>(dice: &mut Dice, all: &'a [T]) -> &'a T {
    all.get(dice.below(all.len())).expect("there is one")
}

/// Up to three schemes of any shape, most of them of one algorithm.
fn random_description(dice: &mut Dice) -> Description {
    let schemes: Vec<_> =
        (0..dice.below(3).saturating_add(1)).map(|place| random_scheme(dice, place)).collect();
    let description = Description::new("acme", schemes).id(Source::header("x-id"));
    match dice.below(6) {
        0 => {
            let reply = ReplyRule::hmac_sha256("token", "digest");
            description.handshake(Handshake::Body(BodyHandshake::new("type", "verify", reply)))
        }
        _ => description,
    }
}

fn random_scheme(dice: &mut Dice, place: usize) -> Scheme {
    const HEADERS: [&str; 3] = ["x-sig-0", "x-sig-1", "x-sig-2"];
    const LITERALS: [&str; 12] = [".", ".", ".", ":", "-", "|", "v0:", "v1:", "0", "{", " ", ""];
    let header = HEADERS.get(place).copied().unwrap_or("x-sig");
    let (mut scheme, mut parts) = match dice.below(12) {
        0 => (Scheme::hmac_sha1(header), vec!["{body}"]),
        1 => (Scheme::hmac_sha512(header), vec!["{body}"]),
        2 => (Scheme::sha256(header), vec!["{secret}", "{body}"]),
        _ => (Scheme::hmac_sha256(header), vec!["{body}"]),
    };
    for (part, chance) in
        [("{timestamp}", 2), ("{id}", 3), ("{url}", 8), ("{method}", 12), ("{header:x-date}", 6)]
    {
        if dice.below(chance) == 0 {
            parts.insert(dice.below(parts.len().saturating_add(1)), part);
        }
    }
    let mut template = if dice.below(6) == 0 { "v0:".to_owned() } else { String::new() };
    for (place, part) in parts.iter().enumerate() {
        // Braces are no part of a literal.
        let literal = pick(dice, &LITERALS).trim_start_matches('{');
        template.push_str(if place == 0 { "" } else { literal });
        template.push_str(part);
    }
    let format = *pick(dice, &FORMATS);
    if parts.contains(&"{timestamp}") {
        scheme = match dice.below(4) {
            0 if format != TimestampFormat::ImfFixdate => {
                scheme.list(',', Some("t"), "v1").timestamp(TimestampSource::Signature, format)
            }
            _ => scheme.timestamp(TimestampSource::header("x-time"), format),
        };
        scheme = scheme.tolerance(Tolerance::from_secs(*pick(dice, &[60, 300, 300, 604_800])));
    } else if dice.below(8) == 0 {
        scheme = scheme.timestamp(TimestampSource::body("t"), TimestampFormat::UnixSeconds);
    }
    let rules = [BodyRule::Any, BodyRule::Any, BodyRule::JsonStructure, BodyRule::JsonText];
    let rule = if scheme.algorithm == Algorithm::Sha256 { BodyRule::JsonText } else { *pick(dice, &rules) };
    scheme.signs = Some(template.into());
    scheme.body(rule)
}
