//! Properties of every description that is accepted: what its signer signs its verifier takes, by the book, and nothing else.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test tells what it found by panicking")]

use bytes::Bytes;
use countersign::{
    Description, Secrets, Signer, Timestamp, Verifier, VerifyError,
    provider::{Custom, Source},
};
use countersign_tests::{
    book::{self, Content, Keys},
    descriptions::{Case, case, description, url},
};
use proptest::{prelude::*, sample::Index};

type Pairs = Vec<(String, Vec<u8>)>;

/// A delivery as its provider sends it.
struct Sent {
    case: Case,
    keys: Keys,
    verifier: Verifier<Custom>,
    /// The scheme that decides.
    scheme: book::Scheme,
    headers: Pairs,
}

impl Sent {
    fn new(case: Case, weakest: bool) -> Self {
        let keys = Keys::of(&case.description, &case.word).unwrap();
        let schemes = book::schemes(&case.description);
        let of_one_header =
            |scheme: &book::Scheme| schemes.iter().filter(|s| s.header == scheme.header).count() == 1;
        let weakest = weakest && schemes.iter().all(of_one_header);
        let scheme = if weakest { schemes.last() } else { schemes.first() }.unwrap().clone();
        let signer = Signer::<Custom>::custom(case.description.clone(), &keys.signing).unwrap();
        let signer = signer.id(&*case.id).kind(&*case.kind).attempt(3).public_url(url(&case.description));
        let signer = if weakest { signer.weakest() } else { signer };
        let headers = signer.sign(&case.body, case.now).unwrap();
        let headers = headers.iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        let verifier = verifier(&case.description, (&keys.verifying).into(), url(&case.description)).unwrap();
        Self { case, keys, verifier, scheme, headers }
    }

    fn verdict(&self, headers: &Pairs, body: &[u8]) -> Result<(), VerifyError> {
        self.verifier.verify(headers, body, self.case.now).map(|_| ())
    }

    /// The headers that decide: of the signature, of the timestamp, of a signed id.
    fn signed_headers(&self) -> Vec<usize> {
        let mut names = vec![self.scheme.header.clone()];
        if let Some(("header", name)) = self.scheme.timestamp() {
            names.push(name.to_owned());
        }
        if let (true, Some(Source::Header(name))) = (self.signs("{id}"), &self.case.description.fields().id) {
            names.push(name.to_string());
        }
        (0..self.headers.len()).filter(|at| names.contains(&self.headers[*at].0)).collect()
    }

    fn signs(&self, piece: &str) -> bool {
        self.scheme.template().contains(piece)
    }

    fn header(&self, name: &str) -> Option<String> {
        let (_, value) = self.headers.iter().find(|(n, _)| n == name)?;
        Some(String::from_utf8(value.clone()).unwrap())
    }

    /// The timestamp as it was sent.
    fn timestamp(&self) -> String {
        match self.scheme.timestamp() {
            Some(("header", name)) => self.header(name).unwrap(),
            Some(("signature", _)) => {
                let value = self.header(&self.scheme.header).unwrap();
                let list = &self.scheme.grammar["list"];
                match (list["separator"].as_str(), list["timestamp"].as_str()) {
                    (Some(separator), Some(key)) => {
                        let entries = value.split(separator);
                        entries
                            .filter_map(|e| e.split_once('='))
                            .find(|(k, _)| *k == key)
                            .unwrap()
                            .1
                            .to_owned()
                    }
                    _ => value.split(',').next().unwrap().to_owned(),
                }
            }
            _ => String::new(),
        }
    }

    fn by_the_book(&self) -> (String, String) {
        let (timestamp, url) = (self.timestamp(), url(&self.case.description));
        let content = Content { id: &self.case.id, timestamp: &timestamp, url: &url, body: &self.case.body };
        let secret = self.keys.signing.expose_secret();
        (self.scheme.header_value(secret, content), self.scheme.shown(secret, content))
    }
}

fn verifier(
    description: &Description,
    secrets: Secrets,
    url: String,
) -> Result<Verifier<Custom>, countersign::ConfigError> {
    Verifier::custom_builder(description.clone(), secrets).public_url(url).build()
}

fn in_chunks(sent: &Sent, headers: &Pairs, body: &[u8], cuts: &[Index]) -> Result<(), VerifyError> {
    let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(body.len() + 1)).chain([0, body.len()]).collect();
    cuts.sort_unstable();
    let (mut verification, body) =
        (sent.verifier.begin(headers, sent.case.now)?, Bytes::copy_from_slice(body));
    for cut in cuts.windows(2) {
        verification.update(body.slice(cut[0]..cut[1]))?;
    }
    assert_eq!(verification.finish()?.body(), &body);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 160, max_local_rejects: 1_000_000, ..ProptestConfig::default() })]

    #[test]
    fn what_is_signed_is_taken_whole_and_in_chunks(
        case in case(), weakest: bool, cuts in prop::collection::vec(any::<Index>(), 0..6), others in 0_usize..4,
    ) {
        let sent = Sent::new(case, weakest);
        prop_assert_eq!(sent.verdict(&sent.headers, &sent.case.body), Ok(()));
        prop_assert_eq!(in_chunks(&sent, &sent.headers, &sent.case.body, &cuts), Ok(()));
        // Beside other secrets, before and behind it.
        let other = |n: usize| Keys::of(&sent.case.description, &format!("other {n}")).unwrap().verifying;
        let mut secrets: Vec<_> = (0..others).map(other).collect();
        secrets.insert(others / 2, sent.keys.verifying.clone());
        let description = &sent.case.description;
        let rotating = verifier(description, Secrets::new(secrets).unwrap(), url(description)).unwrap();
        let delivery = rotating.verify(&sent.headers, &sent.case.body, sent.case.now).unwrap();
        let (fields, at) = (description.fields(), delivery.timestamp());
        let (id, kind) = (delivery.id(), delivery.kind());
        prop_assert_eq!(id.as_deref(), fields.id.as_ref().map(|_| &*sent.case.id));
        prop_assert_eq!(kind.as_deref(), fields.kind.as_ref().map(|_| &*sent.case.kind));
        prop_assert_eq!(delivery.attempt(), fields.attempt.as_ref().map(|_| 3));
        prop_assert_eq!(at.is_some(), sent.scheme.timestamp().is_some());
        prop_assert!(at.is_none_or(|at| at.unix_seconds() == sent.case.now.unix_seconds()));
    }

    #[test]
    fn a_signature_is_the_one_of_the_book(case in case(), weakest: bool) {
        let sent = Sent::new(case, weakest);
        let (value, _) = sent.by_the_book();
        prop_assert_eq!(sent.header(&sent.scheme.header), Some(value));
    }

    #[test]
    fn any_changed_bit_is_refused(
        case in case(), weakest: bool, at in any::<Index>(), which in any::<Index>(), bit in 0_u8..8,
    ) {
        let sent = Sent::new(case, weakest);
        let mut body = sent.case.body.clone();
        let place = at.index(body.len());
        body[place] ^= 1 << bit;
        prop_assert_eq!(sent.verdict(&sent.headers, &body).is_ok(), sent.scheme.shows_secret());

        let signed = sent.signed_headers();
        let which = signed[which.index(signed.len())];
        let mut headers = sent.headers.clone();
        let value = &mut headers[which].1;
        let place = at.index(value.len());
        value[place] ^= 1 << bit;
        // Hexadecimal and the name `Basic` are taken in either case.
        let is_case = bit == 5 && value[place].is_ascii_alphabetic();
        let (text, shown) = sent.by_the_book();
        let is_free = headers[which].0 == sent.scheme.header && match &*sent.scheme.algorithm {
            "basic" => place < 5,
            "token" => false,
            _ => sent.scheme.encoding == "hex" && place >= text.len() - shown.len(),
        };
        let verdict = sent.verdict(&headers, &sent.case.body);
        prop_assert_eq!(verdict.is_ok(), is_case && is_free, "{:?}", verdict);
    }

    #[test]
    fn another_url_is_refused(case in case(), weakest: bool, at in any::<Index>(), bit in 0_u8..8) {
        let sent = Sent::new(case, weakest);
        let mut url = url(&sent.case.description).into_bytes();
        let place = at.index(url.len());
        url[place] ^= 1 << bit;
        let Ok(url) = String::from_utf8(url) else { return Ok(()) };
        let Ok(verifier) = verifier(&sent.case.description, (&sent.keys.verifying).into(), url) else { return Ok(()) };
        let verdict = verifier.verify(&sent.headers, &sent.case.body, sent.case.now);
        prop_assert_eq!(verdict.is_ok(), !sent.signs("{url}"));
    }

    #[test]
    fn another_secret_is_refused(case in case(), weakest: bool, word in "[!-~]{1,40}") {
        let sent = Sent::new(case, weakest);
        let keys = Keys::of(&sent.case.description, &word).unwrap();
        let description = &sent.case.description;
        let verifier = verifier(description, keys.verifying.into(), url(description)).unwrap();
        let verdict = verifier.verify(&sent.headers, &sent.case.body, sent.case.now);
        prop_assert_eq!(verdict.is_ok(), word == sent.case.word);
    }

    #[test]
    fn a_timestamp_is_held_to_the_tolerance(case in case(), weakest: bool) {
        let sent = Sent::new(case, weakest);
        let index = if sent.scheme.header == book::schemes(&sent.case.description)[0].header { 0 } else {
            sent.case.description.schemes().len() - 1
        };
        let scheme = &sent.case.description.schemes()[index];
        let tolerance = i64::try_from(scheme.max_age().as_duration().as_secs()).unwrap();
        for (by, is_good) in [(0, true), (tolerance, true), (tolerance + 1, false)] {
            for by in [by, -by] {
                let now = Timestamp::from_unix_seconds(sent.case.now.unix_seconds() + by);
                let verdict = sent.verifier.verify(&sent.headers, &sent.case.body, now);
                prop_assert_eq!(verdict.is_ok(), is_good || !scheme.signs_timestamp(), "by {}", by);
            }
        }
    }

    #[test]
    fn a_request_that_shows_nothing_is_refused(case in case(), weakest: bool) {
        let sent = Sent::new(case, weakest);
        for which in sent.signed_headers() {
            let mut headers = sent.headers.clone();
            headers[which].1.clear();
            prop_assert!(sent.verdict(&headers, &sent.case.body).is_err());
            headers.remove(which);
            // Another scheme may stand in for one whose header is not there.
            let deciding = book::schemes(&sent.case.description).len() == 1;
            prop_assert!(!deciding || sent.verdict(&headers, &sent.case.body).is_err());
        }
        prop_assert!(sent.verdict(&Vec::new(), &sent.case.body).is_err());
    }

    #[test]
    fn what_is_written_reads_the_same(case in case()) {
        let toml = toml::to_string(&case.description).unwrap();
        let pretty = toml::to_string_pretty(&case.description).unwrap();
        let json = serde_json::to_string(&case.description).unwrap();
        let read: [Description; 3] =
            [toml::from_str(&toml).unwrap(), toml::from_str(&pretty).unwrap(), serde_json::from_str(&json).unwrap()];
        for read in read {
            prop_assert_eq!(&read, &case.description);
            let sent = Sent::new(Case { description: read, ..case.clone() }, false);
            prop_assert_eq!(&sent.headers, &Sent::new(case.clone(), false).headers);
            prop_assert_eq!(sent.verdict(&sent.headers, &sent.case.body), Ok(()));
        }
    }

    /// Whichever way it is asked, and never with a panic.
    #[test]
    fn a_flaw_is_found_in_every_way(description in description()) {
        let written = serde_json::to_string(&description).unwrap();
        let read = serde_json::from_str::<Description>(&written).map_err(|error| error.to_string());
        let told = description.check().map_err(|error| error.to_string());
        let read = read.map(|_| ()).map_err(|told| told.split(" at line").next().unwrap().to_owned());
        prop_assert_eq!(&read, &told);
        let secret = countersign::Secret::new("user:password").unwrap();
        let built = Verifier::<Custom>::custom(description.clone(), &secret).map_err(|error| error.to_string());
        let signer = Signer::<Custom>::custom(description, &secret).map_err(|error| error.to_string());
        if let Err(told) = told {
            prop_assert_eq!(built.err(), Some(told.clone()));
            prop_assert_eq!(signer.err(), Some(told));
        }
    }
}
