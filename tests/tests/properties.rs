//! Properties of verifying that hold for every body and secret, of providers whose secret can be made of any text.

use bytes::Bytes;
use countersign::{
    Provider, Secret, Signer, Timestamp, Verifier, provider,
    scheme::{Algorithm, Scheme},
};
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
    fn new(secret: &str, body: Vec<u8>, seconds: i64, weakest: bool) -> Self {
        let (secret, now) = (secret_of::<P>(secret), Timestamp::from_unix_seconds(seconds));
        let signer = Signer::<P>::new(&secret).public_url(URL);
        let signer = if weakest { signer.weakest() } else { signer };
        let headers = signer.sign(&body, now).unwrap();
        let headers =
            headers.iter().map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec())).collect();
        let verifier = Verifier::builder(&secret).public_url(URL).build().unwrap();
        Self { verifier, headers, body, now }
    }

    fn is_genuine(&self, headers: &Pairs, body: &[u8]) -> bool {
        self.verifier.verify(headers, body, self.now).is_ok()
    }

    /// The headers that the deciding scheme reads: its signature, and the timestamp that it signs.
    fn signed_headers(&self) -> Vec<usize> {
        let scheme = P::SCHEMES
            .iter()
            .find(|s| self.headers.iter().any(|(name, _)| *name == s.header_name()))
            .unwrap();
        let timestamp = "x-retentbase-timestamp";
        (0..self.headers.len())
            .filter(|i| [scheme.header_name(), timestamp].contains(&self.headers[*i].0.as_str()))
            .collect()
    }

    fn with_value(&self, at: usize, value: Vec<u8>) -> Pairs {
        let mut headers = self.headers.clone();
        headers[at].1 = value;
        headers
    }
}

/// What is signed by those who sign the URL that they call.
const URL: &str = "https://example.com/webhook";

/// A secret as the provider writes its own, made of this text; of another text, another one.
fn secret_of<P: Provider>(text: &str) -> Secret {
    let scheme = P::SCHEMES.first().unwrap();
    let secret = match (scheme.algorithm(), &*setting(scheme, "key")) {
        (Algorithm::Basic, _) => format!("user:{text}"),
        (_, "hex") => hex::encode(text),
        _ => text.to_owned(),
    };
    Secret::new(secret).unwrap()
}

/// How a scheme's signature or key is written.
fn setting(scheme: &Scheme, name: &str) -> String {
    serde_json::to_value(scheme).unwrap()[name].as_str().unwrap().to_owned()
}

/// How many characters at the header's end may be of either case: the digits of a signature in hexadecimal.
fn digits_of_either_case<P: Provider>() -> usize {
    let scheme = P::SCHEMES.first().unwrap();
    match (scheme.algorithm(), &*setting(scheme, "encoding")) {
        (Algorithm::HmacSha1, "hex") => 40,
        (Algorithm::HmacSha256 | Algorithm::Sha256, "hex") => 64,
        (Algorithm::HmacSha512, "hex") => 128,
        _ => 0,
    }
}

/// Whether this is a letter of the name of HTTP's basic authentication, which is taken in either case.
fn is_of_scheme_name<P: Provider>(at: usize) -> bool {
    P::SCHEMES.iter().any(|scheme| scheme.algorithm() == Algorithm::Basic) && at < "Basic".len()
}

/// A JSON object that holds this text: what every scheme of every provider can sign.
fn body() -> impl Strategy<Value = Vec<u8>> {
    (".{0,200}", 0_usize..200).prop_map(|(text, blanks)| {
        let json = serde_json::json!({"id": text, "event": "x", "type": "x", "outcome": "x"});
        format!("{json}{}", " ".repeat(blanks)).into_bytes()
    })
}

fn signs_body<P: Provider>() -> bool {
    P::SCHEMES.iter().all(|scheme| !scheme.algorithm().shows_secret())
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
                    // Hex is taken in either case, so a changed case bit of a signature's letter is no change.
                    let digit = value[at].is_ascii_hexdigit() && at + digits_of_either_case::<P>() >= value.len();
                    let is_case = bit == 5 && value[at].is_ascii_alphabetic()
                        && (digit || is_of_scheme_name::<P>(at));
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
                        if !more.contains(',') {
                            let extension = [&value[..], more.as_bytes()].concat();
                            prop_assert!(!genuine.is_genuine(&genuine.with_value(which, extension), &genuine.body));
                        }
                    }
                }

                #[test]
                fn another_secret_is_refused(body in body(), secret in "[!-~]{1,80}", other in "[!-~]{1,80}", weakest: bool) {
                    let genuine = Genuine::<P>::new(&secret, body, 0, weakest);
                    let verifier = Verifier::<P>::builder(secret_of::<P>(&other)).public_url(URL).build().unwrap();
                    let verdict = verifier.verify(&genuine.headers, &genuine.body, genuine.now);
                    prop_assert_eq!(verdict.is_ok(), secret == other);
                }
            }
        }
    )*};
}

for_provider! {
    adyen => Adyen,
    chargebee => Chargebee,
    dropbox => Dropbox,
    github => GitHub,
    gitlab => GitLab,
    hubspot_v1 => HubSpotV1,
    intercom => Intercom,
    lemon_squeezy => LemonSqueezy,
    meta => Meta,
    paystack => Paystack,
    postmark => Postmark,
    raaft => Raaft,
    recharge => Recharge,
    retake => Retake,
    retentbase => RetentBase,
    revkeen => RevKeen,
    shopify => Shopify,
    square => Square,
    typeform => Typeform,
    vercel => Vercel,
    whatsapp => WhatsApp,
}
