//! Whoever captured deliveries and knows no secret plays them again under other unsigned headers: nothing is lost, nothing is repeated.

#![allow(clippy::unwrap_used, reason = "a test tells what it found by panicking")]

use std::collections::BTreeSet;

use countersign::{
    Provider, for_each_provider,
    provider::{self, Source},
};
use countersign_tests::{
    attack::{Attack, Promise, runs_of_a_retry},
    descriptions::case,
};
use proptest::{prelude::*, sample::Index};

/// What a provider cannot have, and why. SECURITY.md names the same rows.
const EXCEPTIONS: &[(&str, Promise, &str)] = &[
    (
        "dropbox",
        Promise::OnlyOnce,
        "two changes of one account have equal bodies, so no delivery is ever taken for a duplicate",
    ),
    (
        "github",
        Promise::UnderItsOwnKind,
        "the kind is unsigned, and no key can hold it: each other kind would be another run of the handler",
    ),
    (
        "gitlab",
        Promise::UnderItsOwnKind,
        "the kind is unsigned, and the signed id is the key: each other kind would be another run of the handler",
    ),
    (
        "recharge",
        Promise::OnlyOnce,
        "one body comes under several topics, so the unsigned topic is in the key: configure the kind",
    ),
    (
        "retentbase",
        Promise::UnderItsOwnKind,
        "the kind is unsigned, and the first key leaves it out: each other kind would be another run of the handler",
    ),
    (
        "shopify",
        Promise::OnlyOnce,
        "one body comes under several topics, so the unsigned topic is in the key: configure the kind",
    ),
];

/// Runs the attack against a provider as it is built in.
fn check<P: Provider>(kind_is_configured: bool) {
    let Some(attack) = Attack::on::<P>(kind_is_configured) else { return };
    let found = attack.run();
    let broken: BTreeSet<_> = found.iter().map(|(promise, _)| *promise).collect();
    let excepted: BTreeSet<_> = EXCEPTIONS
        .iter()
        .filter(|(name, ..)| *name == P::NAME && !kind_is_configured)
        .map(|(_, promise, _)| *promise)
        .collect();
    let told: Vec<_> = found.iter().filter(|(promise, _)| !excepted.contains(promise)).take(8).collect();
    assert!(told.is_empty(), "{}: {told:#?}", P::NAME);
    assert_eq!(broken, excepted, "{}: an exception that is not needed", P::NAME);
}

macro_rules! each_provider {
    ($($module:ident => $provider:ident,)*) => {
        const NAMES: &[&str] = &[$(<provider::$provider as Provider>::NAME),*];

        $(mod $module {
            use super::*;

            type P = provider::$provider;

            #[test]
            fn a_copy_under_other_headers_repeats_and_loses_nothing() {
                check::<P>(false);
            }

            #[test]
            fn a_retry_is_caught() {
                assert_eq!(runs_of_a_retry::<P>(), if P::KEYS.is_empty() { 2 } else { 1 });
            }

            #[test]
            fn nor_does_it_where_the_kind_is_configured() {
                check::<P>(true);
            }
        })*
    };
}
for_each_provider!(each_provider);

#[test]
fn every_exception_is_of_a_provider_that_is_built_in() {
    assert!(EXCEPTIONS.iter().all(|(name, ..)| NAMES.contains(name)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_description_that_is_accepted_repeats_or_loses_anything(
        case in case(), picked in prop::collection::vec(any::<Index>(), 1..6),
    ) {
        let Some(attack) = Attack::on_described(&case) else { return Ok(()) };
        // Nothing but a kind in every key could tell a copy under another kind from the delivery itself, and it would be a second run.
        let kind_is_unsigned = matches!(case.description.fields().kind, Some(Source::Header(_)));
        let broken = attack.run_picked(&picked);
        let told: Vec<_> =
            broken.iter().filter(|(promise, _)| !kind_is_unsigned || *promise != Promise::UnderItsOwnKind).collect();
        prop_assert!(told.is_empty(), "{told:#?}");
    }
}
