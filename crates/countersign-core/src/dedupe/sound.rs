//! What dedupe keys must be to be safe, and to work: asked when the program is compiled, and of what is set at run time.

#[cfg(test)]
mod tests;

use super::{KeyPart, KeyRule};
use crate::{
    provider::{Fields, Source},
    scheme::{Scheme, Stamp, TimestampSource, equal, is_path, text},
};

const TOO_MANY: &str = "a delivery has 8 keys at most";
const PATH: &str =
    "a field's path is of object keys, array indexes and `*`, joined by dots, and none of them empty";
const NO_ID: &str = "a key is made of the id, which has no source: add id, and say where it stands";
const NO_EVENT_ID: &str =
    "a key is made of the event's id, which has no source: add event_id, and say where it stands";
const NO_TIMESTAMP: &str = "a key is made of the timestamp, which no scheme signs: take it out of the key";
const MERGES: &str =
    "each key needs the body, an id or a field of the body in it, or deliveries would be merged";
const OCCUPIED: &str = "a key that holds anything unsigned also needs the body in it, or whoever captured one delivery could \
    occupy the key of a later one, and that one would be lost";
const REPEATED: &str = "at least one key that every delivery has must be of signed content alone, or a copy under other headers is \
    handled again: add the body as a key, or as what takes the place of a missing id or field (\"or\")";
const IMPLIED: &str = "a key says no more than another one, which is equal wherever it is: leave it away";

/// Where a part of a key comes from.
#[derive(Clone, Copy)]
enum Origin {
    Nowhere,
    /// From a header that its sender can change.
    Unsigned,
    /// Signed beside the body, or shown by whoever knows the secret.
    Signed,
    /// From the signed body, or from nothing but the configuration: whoever has the body has this.
    Body,
}

/// What is known of all deliveries of an endpoint: where their parts come from.
#[derive(Clone, Copy)]
pub(crate) struct Known {
    id: Origin,
    /// Whether no delivery lacks its id.
    id_is_sure: bool,
    event_id: Origin,
    kind: Origin,
    timestamp: Origin,
}

impl Known {
    /// What a description says by itself.
    pub(crate) const fn of(schemes: &[Scheme], fields: &Fields) -> Self {
        Self::at_endpoint(schemes, fields, false, false)
    }

    /// The same where a kind may be configured, and a timestamp may be required, so that a scheme without one decides nothing.
    pub(crate) const fn at_endpoint(
        schemes: &[Scheme],
        fields: &Fields,
        kind_is_configured: bool,
        timestamp_is_required: bool,
    ) -> Self {
        let (mut rest, mut signing, mut showing) = (schemes, 0_u8, 0_u8);
        let (mut with_id, mut stamp, mut one_stamp): (u8, Option<&Stamp>, bool) = (0, None, true);
        while let [scheme, others @ ..] = rest {
            rest = others;
            if timestamp_is_required && !scheme.signs_timestamp() {
                continue;
            }
            if scheme.algorithm().shows_secret() {
                showing = showing.saturating_add(1);
                continue;
            }
            signing = signing.saturating_add(1);
            if scheme.signs_id() {
                with_id = with_id.saturating_add(1);
            }
            one_stamp = one_stamp
                && match (&scheme.timestamp, stamp) {
                    (Some(own), Some(other)) => is_one(own, other),
                    (Some(_), None) => signing == 1,
                    (None, Some(_)) => false,
                    (None, None) => true,
                };
            if let Some(own) = &scheme.timestamp {
                stamp = Some(own);
            }
        }
        let of_header = if signing == 0 { Origin::Signed } else { Origin::Unsigned };
        Self {
            id: match &fields.id {
                None => Origin::Nowhere,
                Some(Source::Header(_)) if with_id < signing => Origin::Unsigned,
                Some(Source::Header(_)) => Origin::Signed,
                Some(Source::Body(_)) if with_id == 0 => Origin::Body,
                Some(Source::Body(_)) if with_id == signing => Origin::Signed,
                // One scheme takes it from a header, another from the body: which of them decides, the sender chooses.
                Some(Source::Body(_)) => Origin::Unsigned,
            },
            id_is_sure: signing > 0 && with_id == signing && showing == 0,
            event_id: match &fields.event_id {
                None => Origin::Nowhere,
                Some(Source::Header(_)) => of_header,
                Some(Source::Body(_)) => Origin::Body,
            },
            kind: match &fields.kind {
                Some(Source::Header(_)) if !kind_is_configured => of_header,
                _ => Origin::Body,
            },
            timestamp: match stamp {
                None => Origin::Nowhere,
                // Another scheme has another timestamp, or none: which of them decides, the sender chooses.
                Some(_) if !one_stamp => Origin::Unsigned,
                Some(Stamp { source: TimestampSource::Body(_), .. }) => Origin::Body,
                Some(_) => Origin::Signed,
            },
        }
    }

    const fn origin(&self, part: &KeyPart) -> Origin {
        match part {
            KeyPart::Body | KeyPart::Field(_) => Origin::Body,
            KeyPart::Timestamp => self.timestamp,
            KeyPart::Kind => self.kind,
            KeyPart::Id => self.id,
            KeyPart::EventId => self.event_id,
        }
    }

    /// Whether a delivery may lack one of these parts.
    const fn may_lack(&self, parts: &[KeyPart]) -> bool {
        let mut rest = parts;
        while let [part, others @ ..] = rest {
            match part {
                KeyPart::Field(_) | KeyPart::EventId => return true,
                KeyPart::Id if !self.id_is_sure => return true,
                _ => {}
            }
            rest = others;
        }
        false
    }

    const fn all_signed(&self, parts: &[KeyPart], takes_unsigned_kind: bool) -> bool {
        let mut rest = parts;
        while let [part, others @ ..] = rest {
            let is_taken = takes_unsigned_kind && matches!(part, KeyPart::Kind);
            if !is_taken && matches!(self.origin(part), Origin::Unsigned) {
                return false;
            }
            rest = others;
        }
        true
    }

    /// Whether two deliveries in which all of `given` is equal have equal parts here, as far as they have them.
    const fn follow(&self, parts: &[KeyPart], given: &[KeyPart]) -> bool {
        let mut rest = parts;
        while let [part, others @ ..] = rest {
            let in_body = matches!(self.origin(part), Origin::Body) && holds(given, &KeyPart::Body);
            if !in_body && !holds(given, part) {
                return false;
            }
            rest = others;
        }
        true
    }

    /// Whether a delivery that has all of `given` has these parts.
    const fn has(&self, parts: &[KeyPart], given: &[KeyPart]) -> bool {
        let mut rest = parts;
        while let [part, others @ ..] = rest {
            if !holds(given, part) && self.may_lack(std::slice::from_ref(part)) {
                return false;
            }
            rest = others;
        }
        true
    }
}

impl KeyRule {
    /// Stops the compiler at a provider whose keys cannot be safe, or cannot work. A list without any is a decision: of such a provider,
    /// no delivery is taken for a duplicate.
    #[expect(clippy::panic, reason = "evaluated when the program is compiled")]
    pub(crate) const fn assert_sound(rules: &[Self], schemes: &[Scheme], fields: &Fields) {
        if rules.is_empty() {
            return;
        }
        if let Some(problem) = Self::flaw_of_all(rules, &Known::of(schemes, fields)) {
            panic!("{}", problem);
        }
    }

    /// What is wrong with these keys of one provider, and what to change.
    pub(crate) const fn flaw_of_all(rules: &[Self], known: &Known) -> Option<&'static str> {
        if rules.len() > 8 {
            return Some(TOO_MANY);
        }
        let (mut rest, mut is_sure) = (rules, false);
        while let [rule, others @ ..] = rest {
            if let Some(problem) = rule.flaw(known) {
                return Some(problem);
            }
            is_sure = is_sure || rule.is_signed_and_sure(known);
            rest = others;
        }
        if !is_sure {
            return Some(REPEATED);
        }
        let (mut rest, mut at) = (rules, 0_usize);
        while let [rule, others @ ..] = rest {
            let (mut besides, mut place) = (rules, 0_usize);
            while let [other, further @ ..] = besides {
                if place != at && rule.is_implied_by(other, known) {
                    return Some(IMPLIED);
                }
                besides = further;
                place = place.saturating_add(1);
            }
            rest = others;
            at = at.saturating_add(1);
        }
        None
    }

    const fn flaw(&self, known: &Known) -> Option<&'static str> {
        match (self.flaw_of(self.parts(), known), self.otherwise()) {
            (Some(problem), _) => Some(problem),
            (None, Some(parts)) => self.flaw_of(parts, known),
            (None, None) => None,
        }
    }

    const fn flaw_of(&self, parts: &[KeyPart], known: &Known) -> Option<&'static str> {
        let (mut rest, mut tells_apart) = (parts, false);
        while let [part, others @ ..] = rest {
            match (part, known.origin(part)) {
                (KeyPart::Field(path), _) if !is_path(text(path)) => return Some(PATH),
                (KeyPart::EventId, Origin::Nowhere) => return Some(NO_EVENT_ID),
                (KeyPart::Timestamp, Origin::Nowhere) => return Some(NO_TIMESTAMP),
                (_, Origin::Nowhere) => return Some(NO_ID),
                _ => {}
            }
            tells_apart = tells_apart || !matches!(part, KeyPart::Timestamp | KeyPart::Kind);
            rest = others;
        }
        if !tells_apart {
            Some(MERGES)
        } else if !known.all_signed(parts, self.takes_unsigned_kind()) && !holds(parts, &KeyPart::Body) {
            Some(OCCUPIED)
        } else {
            None
        }
    }

    /// Whether every delivery has this key, and nobody without the secret can give it another one.
    const fn is_signed_and_sure(&self, known: &Known) -> bool {
        let takes_kind = self.takes_unsigned_kind();
        let first = known.all_signed(self.parts(), takes_kind);
        match self.otherwise() {
            Some(parts) => first && known.all_signed(parts, takes_kind) && !known.may_lack(parts),
            None => first && !known.may_lack(self.parts()),
        }
    }

    /// Whether two deliveries that share this key share the other one as well.
    const fn is_implied_by(&self, other: &Self, known: &Known) -> bool {
        other.follows(self.parts(), known)
            && match self.otherwise() {
                Some(parts) => other.follows(parts, known),
                None => true,
            }
    }

    /// Whether two deliveries in which all of `given` is equal share this key. In doubt, not.
    const fn follows(&self, given: &[KeyPart], known: &Known) -> bool {
        known.follow(self.parts(), given)
            && match self.otherwise() {
                _ if known.has(self.parts(), given) => true,
                Some(parts) => known.follow(parts, given) && known.has(parts, given),
                None => false,
            }
    }
}

/// Whether two schemes have one timestamp, whichever of them decides.
const fn is_one(stamp: &Stamp, other: &Stamp) -> bool {
    match (&stamp.source, &other.source) {
        (TimestampSource::Header(place), TimestampSource::Header(other))
        | (TimestampSource::Body(place), TimestampSource::Body(other)) => equal(text(place), text(other)),
        _ => false,
    }
}

const fn holds(parts: &[KeyPart], wanted: &KeyPart) -> bool {
    let mut rest = parts;
    while let [part, others @ ..] = rest {
        let is_it = match (part, wanted) {
            (KeyPart::Body, KeyPart::Body)
            | (KeyPart::Timestamp, KeyPart::Timestamp)
            | (KeyPart::Kind, KeyPart::Kind)
            | (KeyPart::Id, KeyPart::Id)
            | (KeyPart::EventId, KeyPart::EventId) => true,
            (KeyPart::Field(path), KeyPart::Field(other)) => equal(text(path), text(other)),
            _ => false,
        };
        if is_it {
            return true;
        }
        rest = others;
    }
    false
}
