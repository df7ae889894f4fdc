//! `Headers`: all values of a name, from whatever map a framework brings.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    hash::BuildHasher,
};

use crate::error::VerifyError;

/// A request's headers: every value of a name.
///
/// Implemented for [`http::HeaderMap`], and for slices, arrays, vectors and maps of name and value pairs.
/// actix-web's map has its implementation in `countersign-actix`.
///
/// ```
/// use countersign_core::Headers;
///
/// let headers = [("X-Webhook-Signature", "sha256=00"), ("Host", "localhost")];
/// assert_eq!(headers.values("x-webhook-signature").collect::<Vec<_>>(), [b"sha256=00"]);
/// ```
pub trait Headers {
    /// All values of `name`, byte for byte as received and in their order. Names are compared without regard
    /// to ASCII case.
    fn values<'h>(&'h self, name: &'h str) -> impl Iterator<Item = &'h [u8]>;
}

impl<H: Headers + ?Sized> Headers for &H {
    fn values<'h>(&'h self, name: &'h str) -> impl Iterator<Item = &'h [u8]> {
        (**self).values(name)
    }
}

impl Headers for http::HeaderMap {
    fn values<'h>(&'h self, name: &'h str) -> impl Iterator<Item = &'h [u8]> {
        self.get_all(name).iter().map(http::HeaderValue::as_bytes)
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>> Headers for [(N, V)] {
    fn values<'h>(&'h self, name: &'h str) -> impl Iterator<Item = &'h [u8]> {
        named(self.iter().map(|(n, v)| (n, v)), name)
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>, const COUNT: usize> Headers for [(N, V); COUNT] {
    fn values<'h>(&'h self, name: &'h str) -> impl Iterator<Item = &'h [u8]> {
        self.as_slice().values(name)
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>> Headers for Vec<(N, V)> {
    fn values<'h>(&'h self, name: &'h str) -> impl Iterator<Item = &'h [u8]> {
        self.as_slice().values(name)
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>, S: BuildHasher> Headers for HashMap<N, V, S> {
    fn values<'h>(&'h self, name: &'h str) -> impl Iterator<Item = &'h [u8]> {
        named(self.iter(), name)
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>> Headers for BTreeMap<N, V> {
    fn values<'h>(&'h self, name: &'h str) -> impl Iterator<Item = &'h [u8]> {
        named(self.iter(), name)
    }
}

fn named<'h, N, V>(
    pairs: impl Iterator<Item = (&'h N, &'h V)>,
    name: &'h str,
) -> impl Iterator<Item = &'h [u8]>
where
    N: AsRef<str> + 'h,
    V: AsRef<[u8]> + 'h,
{
    pairs.filter(move |(n, _)| n.as_ref().eq_ignore_ascii_case(name)).map(|(_, value)| value.as_ref())
}

/// The one value of a header that matters. Twice the same is once; two different values are refused.
#[expect(clippy::ptr_arg, reason = "an error takes the name over, and a constant's costs nothing")]
pub(crate) fn one<'h, H>(headers: &'h H, name: &'h Cow<'static, str>) -> Result<Option<&'h [u8]>, VerifyError>
where
    H: Headers + ?Sized,
{
    let mut values = headers.values(name);
    let first = values.next();
    match values.any(|other| Some(other) != first) {
        true => Err(VerifyError::RepeatedHeader { name: name.clone() }),
        false => Ok(first),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(headers: &impl Headers) {
        assert_eq!(one(headers, &"x-token".into()), Ok(Some(&b"abc"[..])));
        assert_eq!(one(headers, &"X-TOKEN".into()), Ok(Some(&b"abc"[..])));
        assert_eq!(one(headers, &"x-token2".into()), Ok(None));
        assert_eq!(one(headers, &"x-toke".into()), Ok(None));
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
        let repeated = Err(VerifyError::RepeatedHeader { name: "x-token".into() });
        assert_eq!(one(&[("X-Token", "abc"), ("x-token", "abd")], &"x-token".into()), repeated);
        assert_eq!(one(&[("X-Token", "abc"), ("x-token", "abc")], &"x-token".into()), Ok(Some(&b"abc"[..])));
    }
}
