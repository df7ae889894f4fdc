//! Properties of verifying that hold for every body and secret, of providers whose secret can be made of any text.

use bytes::Bytes;
use countersign::{
    Provider, Signer, Timestamp, Verifier, for_each_provider,
    provider::{self, Source},
};
use countersign_tests::book::{self, Keys};
use proptest::{prelude::*, sample::Index};

type Pairs = Vec<(String, Vec<u8>)>;

/// A genuine delivery, and what verifies it.
struct Genuine<P: Provider> {
    verifier: Verifier<P>,
    headers: Pairs,
    body: Vec<u8>,
    now: Timestamp,
}

impl<P: Provider> Genuine<P> {
    fn new(word: &str, body: Vec<u8>, seconds: i64, weakest: bool) -> Self {
        let (keys, seconds) = (Keys::of_provider::<P>(word), writable::<P>(seconds));
        let (body, now) = (dated::<P>(body, seconds), Timestamp::from_unix_seconds(seconds));
        let signer = Signer::<P>::new(&keys.signing).id("evt_1").public_url(URL);
        let signer = if weakest { signer.weakest() } else { signer };
        let headers = signer.sign(&body, now).unwrap();
        let headers =
            headers.iter().map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec())).collect();
        let verifier = Verifier::builder(&keys.verifying).public_url(URL).build().unwrap();
        Self { verifier, headers, body, now }
    }

    fn is_genuine(&self, headers: &Pairs, body: &[u8]) -> bool {
        self.verifier.verify(headers, body, self.now).is_ok()
    }

    /// The scheme that decides.
    fn scheme(&self) -> book::Scheme {
        let is_there = |scheme: &book::Scheme| self.headers.iter().any(|(name, _)| *name == scheme.header);
        book::schemes(P::DESCRIPTION).into_iter().find(is_there).unwrap()
    }

    /// The headers that the deciding scheme reads: its signature, and the timestamp and the id that it signs.
    fn signed_headers(&self) -> Vec<usize> {
        let scheme = self.scheme();
        let mut names = vec![scheme.header.clone()];
        if let Some(("header", name)) = scheme.timestamp() {
            names.push(name.to_owned());
        }
        let id = match &P::FIELDS.id {
            Some(Source::Header(name)) => Some(name.to_string()),
            _ => None,
        };
        if let Some((_, rest)) = scheme.template().split_once("{header:") {
            names.extend(rest.split_once('}').map(|(name, _)| name.to_owned()));
        }
        if scheme.template().contains("{id}") {
            names.extend(scheme.id_header.or(id));
        }
        (0..self.headers.len()).filter(|i| names.contains(&self.headers[*i].0)).collect()
    }

    /// Whether a letter there may be of either case: of a signature in hexadecimal, and of the name `Basic`.
    fn is_of_either_case(&self, which: usize, at: usize) -> bool {
        let (scheme, (name, value)) = (self.scheme(), &self.headers[which]);
        let digit = at + digits_of_either_case(&scheme) >= value.len() && !scheme.shows_secret();
        *name == scheme.header && (digit || scheme.algorithm == "basic" && at < "Basic".len())
    }

    fn with_value(&self, at: usize, value: Vec<u8>) -> Pairs {
        let mut headers = self.headers.clone();
        headers[at].1 = value;
        headers
    }
}

/// What is signed by those who sign the URL that they call.
const URL: &str = "https://example.com/webhook";

/// How many characters at the end of the signature's header may be of either case: its digits in hexadecimal.
fn digits_of_either_case(scheme: &book::Scheme) -> usize {
    match (&*scheme.encoding, &*scheme.algorithm) {
        ("hex", "hmac-sha1") => 40,
        ("hex", "hmac-sha256" | "sha256") => 64,
        ("hex", "hmac-sha512" | "ed25519") => 128,
        _ => 0,
    }
}

/// The time, where each scheme can write it: all formats but one have years of four digits.
fn writable<P: Provider>(seconds: i64) -> i64 {
    match book::schemes(P::DESCRIPTION).iter().all(|scheme| matches!(scheme.format(), "" | "unix-seconds")) {
        true => seconds,
        false => seconds.rem_euclid(253_402_300_800),
    }
}

/// The body with its timestamp, where that stands in the body; of Klaviyo's, beside the id of its header.
fn dated<P: Provider>(body: Vec<u8>, seconds: i64) -> Vec<u8> {
    let schemes = book::schemes(P::DESCRIPTION);
    let scheme = schemes.first().unwrap();
    let Some(("body", path)) = scheme.timestamp() else { return body };
    if path == "meta.timestamp" {
        let meta = format!(
            "{{\"meta\":{{\"timestamp\":\"{}\",\"klaviyo_webhook_id\":\"evt_1\"}},",
            Timestamp::from_unix_seconds(seconds)
        );
        return [meta.as_bytes(), body[1..].trim_ascii_end()].concat();
    }
    [format!("{{\"{path}\":{seconds}000,").as_bytes(), &body[1..]].concat()
}

/// A JSON object that holds this text: what every scheme of every provider can sign.
fn body() -> impl Strategy<Value = Vec<u8>> {
    (".{0,200}", 0_usize..200).prop_map(|(text, blanks)| {
        let json = serde_json::json!({"id": text, "event": "x", "type": "x", "outcome": "x"});
        format!("{json}{}", " ".repeat(blanks)).into_bytes()
    })
}

fn signs_body<P: Provider>() -> bool {
    book::schemes(P::DESCRIPTION).iter().all(|scheme| !scheme.shows_secret())
}

macro_rules! for_provider {
    ($($module:ident => $provider:ident,)*) => {$(
        mod $module {
            use super::*;

            type P = provider::$provider;

            proptest! {
                #![proptest_config(ProptestConfig::with_cases(64))]

                #[test]
                fn what_was_signed_verifies_in_any_chunks(
                    secret in "[!-~]{1,100}", body in body(), seconds in any::<i64>(), weakest: bool,
                    cuts in prop::collection::vec(any::<Index>(), 0..6),
                ) {
                    let genuine = Genuine::<P>::new(&secret, body, seconds, weakest);
                    prop_assert!(genuine.is_genuine(&genuine.headers, &genuine.body));
                    let body = Bytes::from(genuine.body.clone());
                    let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(body.len() + 1)).chain([0, body.len()]).collect();
                    cuts.sort_unstable();
                    for forged in [false, true] {
                        let mut verification = genuine.verifier.begin(&genuine.headers, genuine.now).unwrap();
                        for cut in cuts.windows(2) {
                            verification.update(body.slice(cut[0]..cut[1])).unwrap();
                        }
                        if forged {
                            verification.update(Bytes::from_static(b"\n")).unwrap();
                        }
                        let verdict = verification.finish();
                        prop_assert_eq!(verdict.is_ok(), !forged || !signs_body::<P>());
                        if let (Ok(delivery), false) = (verdict, forged) {
                            prop_assert_eq!(delivery.body(), &body);
                        }
                    }
                }

                #[test]
                fn any_changed_bit_of_the_body_is_refused(
                    body in body(), weakest: bool, at in any::<Index>(), bit in 0_u8..8,
                ) {
                    let genuine = Genuine::<P>::new("a secret", body, 1_705_689_600, weakest);
                    let mut changed = genuine.body.clone();
                    let at = at.index(changed.len());
                    changed[at] ^= 1 << bit;
                    prop_assert_eq!(genuine.is_genuine(&genuine.headers, &changed), !signs_body::<P>());
                }

                #[test]
                fn any_changed_bit_of_a_signed_header_is_refused(
                    body in body(), weakest: bool, which in any::<Index>(), at in any::<Index>(), bit in 0_u8..8,
                ) {
                    let genuine = Genuine::<P>::new("a secret", body, 1_705_689_600, weakest);
                    let signed = genuine.signed_headers();
                    let which = signed[which.index(signed.len())];
                    let mut value = genuine.headers[which].1.clone();
                    let at = at.index(value.len());
                    value[at] ^= 1 << bit;
                    let is_case = bit == 5 && value[at].is_ascii_alphabetic() && genuine.is_of_either_case(which, at);
                    prop_assert_eq!(genuine.is_genuine(&genuine.with_value(which, value), &genuine.body), is_case);
                }

                #[test]
                fn every_prefix_and_extension_of_a_signature_is_refused(
                    body in body(), weakest: bool, more in "[ -~]{1,70}",
                ) {
                    let genuine = Genuine::<P>::new("a secret", body, 1_705_689_600, weakest);
                    for which in genuine.signed_headers() {
                        let value = genuine.headers[which].1.clone();
                        for length in 0..value.len() {
                            let prefix = value[..length].to_vec();
                            prop_assert!(!genuine.is_genuine(&genuine.with_value(which, prefix), &genuine.body));
                        }
                        // An entry that a list ends with in vain is passed over; anything else is not.
                        if !more.contains([',', ';', ' ']) {
                            let extension = [&value[..], more.as_bytes()].concat();
                            prop_assert!(!genuine.is_genuine(&genuine.with_value(which, extension), &genuine.body));
                        }
                    }
                }

                #[test]
                fn another_secret_is_refused(body in body(), secret in "[!-~]{1,80}", other in "[!-~]{1,80}", weakest: bool) {
                    let genuine = Genuine::<P>::new(&secret, body, 0, weakest);
                    let verifier = Verifier::<P>::builder(Keys::of_provider::<P>(&other).verifying).public_url(URL).build().unwrap();
                    let verdict = verifier.verify(&genuine.headers, &genuine.body, genuine.now);
                    prop_assert_eq!(verdict.is_ok(), secret == other);
                }
            }
        }
    )*};
}

for_each_provider!(for_provider);
