//! A tenant has one spelling, whatever its secret source takes for the same.

use std::collections::HashSet;

use proptest::prelude::*;

use super::*;

/// A table whose look-ups are lenient: names are the same when they are so after this.
#[derive(Clone)]
struct Lenient {
    names: &'static [&'static str],
    fold: fn(&str) -> String,
}

/// Names in the tables. Some are the same under some foldings: the first one is found.
const NAMES: &[&str] =
    &["", "acme", "Acme GmbH", "ACME", "globex-1", "Stra\u{df}e", "\u{e9}tat", " a ", "a\u{308}"];

const FOLDS: [fn(&str) -> String; 7] = [
    str::to_owned,
    str::to_ascii_lowercase,
    str::to_lowercase,
    |name| name.trim().to_owned(),
    |name| name.trim_end().to_uppercase(),
    |name| name.chars().filter(char::is_ascii_alphanumeric).collect(),
    // The tenant of every name.
    |_| String::new(),
];

impl SecretSource for Lenient {
    fn look_up<'s>(&'s self, _: &'s str, tenant: &'s str) -> BoxFuture<'s, Said> {
        let found = self.names.iter().find(|name| (self.fold)(name) == (self.fold)(tenant));
        Box::pin(ready(Ok(found.map(|name| TenantSecrets::new(*name, Secret::new("a").unwrap())))))
    }
}

/// Spellings of a name, and of none.
fn spellings() -> impl Strategy<Value = Vec<String>> {
    let spelling = (prop::sample::select(NAMES), any::<u32>(), "[ \t\u{a0}]{0,2}", "[ \r\n\\-]{0,2}")
        .prop_map(|(name, flips, before, after)| {
            let flip = |(i, c): (usize, char)| match flips >> (i % 32) & 1 {
                0 => c.to_string(),
                _ if c.is_uppercase() => c.to_lowercase().to_string(),
                _ => c.to_uppercase().to_string(),
            };
            let name: String = name.chars().enumerate().map(flip).collect();
            format!("{before}{name}{after}")
        });
    prop::collection::vec(prop_oneof![4 => spelling, 1 => "\\PC{0,8}"], 1..30)
}

proptest! {
    #[test]
    fn no_two_copies_of_a_delivery_are_handled_under_spellings_of_one_name(
        fold in prop::sample::select(&FOLDS[..]),
        spellings in spellings(),
    ) {
        let clock = ManualClock::at(Duration::from_secs(1000));
        let store = MemoryStore::with_clock(1000, clock.clone());
        let source = Lenient { names: NAMES, fold };
        let registry = Registry::builder(source).with::<Retake>().store(store).clock(clock.clone()).build().unwrap();
        let (mut handled, mut endpoints) = (Vec::new(), HashSet::new());
        for spelling in spellings.iter().map(String::as_str).chain(NAMES.iter().copied()) {
            match block_on(registry.find("retake", spelling, Hasty(clock.clone()))) {
                Ok(found) => {
                    endpoints.insert(found.receiver().endpoint().to_owned());
                    let headers = Signer::<Retake>::new(&Secret::new("a").unwrap()).sign(BODY, NOW).unwrap();
                    let mut has_run = false;
                    let handler = async |_| { has_run = true; Ok::<(), ConfigError>(()) };
                    let answer = block_on(found.handle(&headers, BODY, NOW, never, handler));
                    prop_assert_eq!(answer.status(), 200);
                    if has_run {
                        handled.push(fold(spelling));
                    }
                }
                Err(error) => {
                    let known = NAMES.iter().any(|name| fold(name) == fold(spelling)) && !spelling.contains(NOBODYS);
                    let expected = if known { LookUpError::OtherSpelling } else { LookUpError::UnknownTenant };
                    prop_assert_eq!(Answer::no_receiver(&error).status(), 404);
                    prop_assert_eq!(error, expected);
                }
            }
        }
        let tenants: HashSet<_> = NAMES.iter().map(|name| fold(name)).collect();
        prop_assert_eq!(handled.len(), tenants.len(), "{:?}", handled);
        prop_assert_eq!(endpoints.len(), tenants.len(), "{:?}", endpoints);
    }
}

#[test]
fn another_spelling_is_refused_without_a_look_up_for_a_while_and_says_why() {
    let source = Lenient { names: NAMES, fold: str::to_ascii_lowercase };
    let f = fixture(Next::Unknown);
    let clock = f.clock.clone();
    let store = MemoryStore::with_clock(10, clock.clone());
    let registry = Registry::builder(source).built_in().store(store).clock(clock.clone()).build().unwrap();
    let find = |tenant: &str| block_on(registry.find("retake", tenant, Hasty(clock.clone())));
    for _ in 0..2 {
        let error = find("aCME").unwrap_err();
        assert_eq!(error, LookUpError::OtherSpelling);
        let told = Answer::no_receiver(&error);
        assert_eq!((told.status(), told.outcome()), (404, Outcome::Unknown));
        assert!(!told.reason().unwrap().to_lowercase().contains("acme"));
    }
    assert_eq!(find("acme").unwrap().receiver().endpoint(), "acme");
    assert_eq!(registry.shared.providers["retake"].tenants.len(), (1, 1));
}

#[test]
fn a_tenant_that_is_renamed_is_known_by_its_new_name_alone_after_the_refresh() {
    static NAME: Mutex<&str> = Mutex::new("acme");
    let renamed = |_: String, _: String| async {
        Ok(Some(TenantSecrets::new(*NAME.lock().unwrap(), Secret::new("a").unwrap())))
    };
    let clock = ManualClock::at(Duration::from_secs(1000));
    let store = MemoryStore::with_clock(10, clock.clone());
    let registry =
        Registry::builder(renamed).with::<Retake>().store(store).clock(clock.clone()).build().unwrap();
    let find = |tenant: &str| block_on(registry.find("retake", tenant, Hasty(clock.clone())));
    let before = find("acme").unwrap();
    *NAME.lock().unwrap() = "Acme";
    clock.advance(60 * SECOND);
    assert_eq!(find("acme").unwrap_err(), LookUpError::OtherSpelling);
    assert_eq!(find("Acme").unwrap().receiver().endpoint(), "Acme");
    // A request that found its receiver before, and whose signature is wrong, is not kept by it.
    assert_eq!((send(&before, "forged"), send(&before, "a")), (404, 200));
}
