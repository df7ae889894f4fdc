//! Verifying allocates nothing: counted by the allocator, from the headers up to the delivery.

use bytes::Bytes;
use countersign::{
    Delivery, Provider, Secret, Secrets, Signer, Timestamp, Verifier,
    provider::{
        Chargebee, Discord, Paystack, Raaft, Recharge, Retake, RetentBase, RevKeen, SendGrid,
        StandardWebhooks, Vercel,
    },
};
use countersign_tests::book::Keys;

const NOW: Timestamp = Timestamp::from_unix_seconds(1_705_689_600);
const BODY: &str = r#"{"id":"evt_1","event":"x","type":"invoice.paid","outcome":"saved","items":[{"price":[1,{"a":"\u00e9"}]}]}"#;

fn check<P: Provider>(signer: Signer<P>, secret: &Secret, others: usize) {
    let signed: http::HeaderMap = signer.kind("subscription/created").sign(BODY, NOW).unwrap().into();
    let other = |i| Keys::of_provider::<P>(&format!("other {i}")).verifying;
    let secrets = (0..others).map(other).chain([secret.clone()]);
    let verifier = Verifier::<P>::new(Secrets::new(secrets).unwrap()).unwrap();
    let body = Bytes::from_static(BODY.as_bytes());
    let verify = |headers: &dyn Fn() -> Delivery<P>| {
        let mut delivery = None;
        let counted = allocation_counter::measure(|| delivery = Some(headers()));
        assert_eq!(counted.count_total, 0, "{} with {others} other secrets", P::NAME);
        assert_eq!(delivery.unwrap().body(), BODY);
    };
    let whole = |headers: &http::HeaderMap| verifier.verify(headers, body.clone(), NOW).unwrap();
    verify(&|| whole(&signed));
    verify(&|| {
        let mut verification = verifier.begin(&signed, NOW).unwrap();
        verification.update(body.clone()).unwrap();
        verification.finish().unwrap()
    });
    // Refusing is as cheap.
    let counted = allocation_counter::measure(|| {
        assert!(verifier.begin(&http::HeaderMap::new(), NOW).is_err());
        let shown = P::SCHEMES.iter().any(|scheme| scheme.algorithm().shows_secret());
        assert_eq!(verifier.verify(&signed, Bytes::from_static(b"{}"), NOW).is_err(), !shown);
    });
    assert_eq!(counted.count_total, 0, "{}", P::NAME);
}

#[test]
fn verifying_allocates_nothing_up_to_the_delivery() {
    let secret = Secret::new("a secret").unwrap();
    for others in [0, 1, 7] {
        check(Signer::<Retake>::new(&secret), &secret, others);
        check(Signer::<Recharge>::new(&secret), &secret, others);
        check(Signer::<Recharge>::new(&secret).weakest(), &secret, others);
        check(Signer::<Raaft>::new(&secret), &secret, others);
        check(Signer::<RevKeen>::new(&secret), &secret, others);
        check(Signer::<RevKeen>::new(&secret).weakest(), &secret, others);
        check(Signer::<RetentBase>::new(&secret).id("dlv_1").attempt(2), &secret, others);
        // HMAC-SHA1; a signed id and base64; the secret as a credential.
        check(Signer::<Vercel>::new(&secret), &secret, others);
        let base64 = Keys::of_provider::<StandardWebhooks>("a secret").signing;
        check(
            Signer::<StandardWebhooks>::new(&base64).id("msg_2KWPBgLlAfxdpx2AI54pPJ85f4W"),
            &base64,
            others,
        );
        let credential = Keys::of_provider::<Chargebee>("a secret").signing;
        check(Signer::<Chargebee>::new(&credential), &credential, others);
    }
}

/// The state of Ed25519 is large, and kept on the heap: one for each live secret. That of HMAC-SHA512 is on the stack. A point on P-256
/// takes what its crate takes.
#[test]
fn verifying_by_other_states_allocates_that_of_ed25519() {
    fn count<P: Provider>() -> u64 {
        let keys = Keys::of_provider::<P>("a secret");
        let signed: http::HeaderMap = Signer::<P>::new(&keys.signing).sign(BODY, NOW).unwrap().into();
        let verifier = Verifier::<P>::new(&keys.verifying).unwrap();
        let (body, mut delivery) = (Bytes::from_static(BODY.as_bytes()), None);
        let counted = allocation_counter::measure(|| delivery = verifier.verify(&signed, body, NOW).ok());
        assert_eq!(delivery.unwrap().body(), BODY, "{}", P::NAME);
        counted.count_total
    }

    assert_eq!((count::<Paystack>(), count::<Discord>(), count::<SendGrid>()), (0, 1, 0));
}
