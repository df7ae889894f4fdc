//! Verifying allocates nothing: counted by the allocator, from the headers up to the delivery.

use bytes::Bytes;
use countersign::{
    Delivery, Headers, Provider, Secret, Secrets, Signer, Timestamp, Verifier,
    provider::{Raaft, Recharge, Retake, RetentBase, RevKeen},
};

const NOW: Timestamp = Timestamp::from_unix_seconds(1_705_689_600);
const BODY: &str = r#"{"id":"evt_1","event":"x","type":"invoice.paid","outcome":"saved","items":[{"price":[1,{"a":"\u00e9"}]}]}"#;

fn check<P: Provider>(signer: Signer<P>, secret: &Secret, others: usize) {
    let signed: http::HeaderMap = signer.kind("subscription/created").sign(BODY, NOW).unwrap().into();
    let secrets = (0..others).map(|i| Secret::new(format!("other {i}")).unwrap()).chain([secret.clone()]);
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
        let refused = Headers::values(&signed, "x-raaft-token").next().is_none();
        assert_eq!(verifier.verify(&signed, Bytes::from_static(b"{}"), NOW).is_err(), refused);
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
    }
}
