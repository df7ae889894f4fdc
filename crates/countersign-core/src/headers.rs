//! `Headers`: every name and value, from whatever map a framework brings; and those that matter, found in one pass.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    hash::BuildHasher,
};

use crate::{error::VerifyError, text::is_utf8};

/// A request's headers: every name with its value.
///
/// Implemented for [`http::HeaderMap`], and for slices, arrays, vectors and maps of name and value pairs.
/// actix-web's map has its implementation in `countersign-actix`.
///
/// ```
/// use countersign_core::Headers;
///
/// let headers = [("X-Webhook-Signature", "sha256=00"), ("Host", "localhost")];
/// assert_eq!(headers.pairs().next(), Some(("X-Webhook-Signature", &b"sha256=00"[..])));
/// ```
pub trait Headers {
    /// Every name, in any case, with a value, byte for byte as received. A name that was sent several times comes several
    /// times.
    fn pairs(&self) -> impl Iterator<Item = (&str, &[u8])>;
}

impl<H: Headers + ?Sized> Headers for &H {
    fn pairs(&self) -> impl Iterator<Item = (&str, &[u8])> {
        (**self).pairs()
    }
}

impl Headers for http::HeaderMap {
    fn pairs(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.iter().map(|(name, value)| (name.as_str(), value.as_bytes()))
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>> Headers for [(N, V)] {
    fn pairs(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.iter().map(|(name, value)| (name.as_ref(), value.as_ref()))
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>, const COUNT: usize> Headers for [(N, V); COUNT] {
    fn pairs(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.as_slice().pairs()
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>> Headers for Vec<(N, V)> {
    fn pairs(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.as_slice().pairs()
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>, S: BuildHasher> Headers for HashMap<N, V, S> {
    fn pairs(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.iter().map(|(name, value)| (name.as_ref(), value.as_ref()))
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>> Headers for BTreeMap<N, V> {
    fn pairs(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.iter().map(|(name, value)| (name.as_ref(), value.as_ref()))
    }
}

/// The headers that matter to a verifier.
#[derive(Debug, Default)]
pub(crate) struct Sought {
    /// Each name, and its place among what is found: a header and its alias share one.
    names: Vec<(Cow<'static, str>, usize)>,
    places: usize,
    /// A bit for each length that a name of them has, so that most headers are passed over at a glance.
    lengths: u64,
}

/// A header that is sought: its name, and its place among what is found.
#[derive(Clone, Debug)]
pub(crate) struct Header {
    pub(crate) name: Cow<'static, str>,
    place: usize,
}

impl Sought {
    /// Seeks this one as well, whose name is in lower case.
    pub(crate) fn add(&mut self, name: Cow<'static, str>) -> Header {
        let place = self.known(&name).unwrap_or_else(|| {
            let place = self.places;
            self.places = place.saturating_add(1);
            self.put(name.clone(), place);
            place
        });
        Header { name, place }
    }

    /// Seeks a header under another name as well: under both, it is one header, and two different values are refused.
    pub(crate) fn add_alias(&mut self, header: &Header, alias: Cow<'static, str>) {
        if self.known(&alias).is_none() {
            self.put(alias, header.place);
        }
    }

    fn known(&self, name: &str) -> Option<usize> {
        self.names.iter().find(|(known, _)| known == name).map(|(_, place)| *place)
    }

    fn put(&mut self, name: Cow<'static, str>, place: usize) {
        self.lengths |= bit(name.len());
        self.names.push((name, place));
    }

    /// Finds them all in one pass: looking up each would hash its name anew.
    pub(crate) fn find<'h, H>(&self, headers: &'h H) -> Found<'h>
    where
        H: Headers + ?Sized,
    {
        let mut found = Found::of(self.places);
        for (name, value) in headers.pairs() {
            if self.lengths & bit(name.len()) == 0 {
                continue;
            }
            let is_sought = |sought: &str| {
                sought.len() == name.len() && (sought == name || sought.eq_ignore_ascii_case(name))
            };
            let sought = self.names.iter().find(|(sought, _)| is_sought(sought));
            if let Some(sent) = sought.and_then(|(_, place)| found.place(*place)) {
                match sent {
                    Sent::Never => *sent = Sent::Once(value),
                    Sent::Once(first) if *first != value => *sent = Sent::Differently,
                    _ => {}
                }
            }
        }
        found
    }
}

/// Names of 63 characters and more share the last bit.
#[inline]
fn bit(length: usize) -> u64 {
    1 << length.min(63)
}

/// What a header was found to hold. Twice the same is once.
#[derive(Clone, Copy, Debug)]
enum Sent<'h> {
    Never,
    Once(&'h [u8]),
    Differently,
}

/// What those headers of a request hold that are sought: the first few need no heap.
#[derive(Debug)]
pub(crate) struct Found<'h> {
    few: [Sent<'h>; 8],
    more: Vec<Sent<'h>>,
}

impl<'h> Found<'h> {
    fn of(count: usize) -> Self {
        let few = [Sent::Never; 8];
        Self { few, more: vec![Sent::Never; count.saturating_sub(few.len())] }
    }

    fn place(&mut self, place: usize) -> Option<&mut Sent<'h>> {
        match place.checked_sub(self.few.len()) {
            None => self.few.get_mut(place),
            Some(place) => self.more.get_mut(place),
        }
    }

    /// The one value of a header; two different values are refused.
    #[inline]
    pub(crate) fn one(&self, header: &Header) -> Result<Option<&'h [u8]>, VerifyError> {
        let sent = match header.place.checked_sub(self.few.len()) {
            None => self.few.get(header.place),
            Some(place) => self.more.get(place),
        };
        match sent {
            Some(Sent::Once(value)) => Ok(Some(value)),
            Some(Sent::Differently) => Err(VerifyError::RepeatedHeader { name: header.name.clone() }),
            Some(Sent::Never) | None => Ok(None),
        }
    }

    /// As [`one`](Self::one), as text in UTF-8; empty where there is none.
    #[inline]
    pub(crate) fn text(&self, header: &Header) -> Result<&'h [u8], VerifyError> {
        let text = self.one(header)?.unwrap_or_default();
        let malformed = || VerifyError::MalformedHeader { name: header.name.clone(), reason: "not UTF-8" };
        is_utf8(text).then_some(text).ok_or_else(malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(headers: &impl Headers) {
        let mut sought = Sought::default();
        let names = ["x-token", "x-token2", "x-toke"].map(|name| sought.add(name.into()));
        let found = sought.find(headers);
        assert_eq!(names.map(|name| found.one(&name)), [Ok(Some(&b"abc"[..])), Ok(None), Ok(None)]);
    }

    #[test]
    fn every_map_answers_alike() {
        check(&[("X-Token", "abc"), ("Other", "def")]);
        check(&[("X-Token", "abc")][..].to_vec());
        check(&HashMap::from([("X-Token".to_owned(), b"abc".to_vec())]));
        check(&BTreeMap::from([("X-Token", "abc")]));
        check(&http::HeaderMap::from_iter([(
            http::HeaderName::from_static("x-token"),
            http::HeaderValue::from_static("abc"),
        )]));
    }

    #[test]
    fn two_different_values_are_refused_and_two_equal_ones_are_one() {
        let mut sought = Sought::default();
        let token = sought.add("x-token".into());
        let repeated = Err(VerifyError::RepeatedHeader { name: "x-token".into() });
        let twice = |second| [("X-Token", "abc"), ("x-token", second), ("x-tOken", "abc")];
        assert_eq!(sought.find(&twice("abd")).one(&token), repeated);
        assert_eq!(sought.find(&twice("abc")).one(&token), Ok(Some(&b"abc"[..])));
    }

    #[test]
    fn a_header_and_its_alias_are_one() {
        let mut sought = Sought::default();
        let token = sought.add("x-token".into());
        sought.add_alias(&token, "token".into());
        let other = sought.add("x-other".into());
        let check = |headers: &[(&str, &str)], expected| {
            let headers = headers.to_vec();
            let found = sought.find(&headers);
            assert_eq!(found.one(&token).map(|value| value.map(<[u8]>::to_vec)), expected, "{headers:?}");
            assert_eq!(found.one(&other), Ok(None), "{headers:?}");
        };
        let abc = || Ok(Some(b"abc".to_vec()));
        check(&[("X-Token", "abc")], abc());
        check(&[("Token", "abc")], abc());
        check(&[("token", "abc"), ("x-token", "abc")], abc());
        check(
            &[("token", "abc"), ("x-token", "abd")],
            Err(VerifyError::RepeatedHeader { name: "x-token".into() }),
        );
    }

    #[test]
    fn names_of_any_length_and_number_are_found() {
        let mut sought = Sought::default();
        let names: Vec<_> = (1..300).map(|length| sought.add("x".repeat(length).into())).collect();
        let again = names.iter().map(|known| sought.add(known.name.clone()).place);
        assert!(again.eq(0..299));
        let headers: Vec<_> =
            names.iter().map(|known| (known.name.to_uppercase(), known.name.len().to_string())).collect();
        let found = sought.find(&headers);
        for header in &names {
            assert_eq!(found.one(header), Ok(Some(header.name.len().to_string().as_bytes())));
        }
    }
}
