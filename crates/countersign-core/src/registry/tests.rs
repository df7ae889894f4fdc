//! What is looked up when, by a clock that is moved by hand.

mod rotation;
mod spelling;

use std::{
    collections::VecDeque,
    future::{pending, poll_fn, ready},
    pin::{Pin, pin},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use super::{source::Said, tenants::Began, *};
use crate::{
    dedupe::{
        BoxFuture, MemoryStore,
        testing::{ManualClock, block_on},
    },
    error::ConfigError,
    provider::{GitLab, Raaft, Retake},
    scheme::Scheme,
    secret::{Secret, Secrets},
    signer::Signer,
    time::{Timestamp, Tolerance},
};

const NOW: Timestamp = Timestamp::from_unix_seconds(1_705_314_600);
const BODY: &str = r#"{"event":"trial.expired","data":{"userId":"user_456"}}"#;
const SECOND: Duration = Duration::from_secs(1);

/// What a source says next.
#[derive(Clone, Copy, Debug)]
enum Next {
    Secret(&'static str),
    Unknown,
    Fails,
    Blank,
    /// Until it is told something else.
    Hangs,
    Panics,
}

/// A source that says what it is told, the last of it again and again, and counts how often it was asked. Clones are the same.
#[derive(Clone)]
struct Told(Arc<Mutex<(VecDeque<Next>, usize)>>);

impl Told {
    fn new(says: impl IntoIterator<Item = Next>) -> Self {
        Self(Arc::new(Mutex::new((says.into_iter().collect(), 0))))
    }

    fn say(&self, next: Next) {
        self.0.lock().unwrap().0 = VecDeque::from([next]);
    }

    fn asked(&self) -> usize {
        self.0.lock().unwrap().1
    }

    fn says(&self, tenant: &str, next: Next) -> Said {
        match next {
            Next::Secret(secret) => Ok(Some(TenantSecrets::new(tenant, Secret::new(secret).unwrap()))),
            Next::Unknown => Ok(None),
            Next::Fails | Next::Hangs => Err(SecretError::unavailable("connection refused")),
            Next::Blank => Ok(Some(TenantSecrets::new(tenant, Secret::new(" ")?))),
            Next::Panics => panic!("told to"),
        }
    }
}

impl SecretSource for Told {
    fn look_up<'s>(&'s self, _: &'s str, tenant: &'s str) -> BoxFuture<'s, Said> {
        let mut told = self.0.lock().unwrap();
        told.1 = told.1.saturating_add(1);
        let next = if told.0.len() > 1 { told.0.pop_front().unwrap() } else { told.0[0] };
        drop(told);
        Box::pin(poll_fn(move |_| match next {
            Next::Hangs => match self.0.lock().unwrap().0[0] {
                Next::Hangs => Poll::Pending,
                next => Poll::Ready(self.says(tenant, next)),
            },
            next => Poll::Ready(self.says(tenant, next)),
        }))
    }
}

struct Fixture {
    source: Told,
    clock: ManualClock,
    registry: Registry,
}

fn fixture(next: Next) -> Fixture {
    fixture_with(Told::new([next]), |builder| builder)
}

fn fixture_with(source: Told, settle: impl FnOnce(RegistryBuilder) -> RegistryBuilder) -> Fixture {
    let clock = ManualClock::at(Duration::from_secs(1000));
    let store = MemoryStore::with_clock(1000, clock.clone());
    let builder = Registry::builder(source.clone()).built_in().store(store).clock(clock.clone());
    Fixture { source, clock, registry: settle(builder).build().unwrap() }
}

/// Waits for ever.
fn never(_: Duration) -> impl Future<Output = ()> + Send {
    pending()
}

/// Moves the clock on in place of waiting.
#[derive(Clone)]
struct Hasty(ManualClock);

impl Runtime for Hasty {
    async fn sleep(&self, length: Duration) {
        self.0.advance(length);
    }
}

/// Does not wait.
fn at_once(_: Duration) -> impl Future<Output = ()> + Send {
    ready(())
}

impl Fixture {
    fn find(&self) -> Result<Found, LookUpError> {
        self.find_tenant("acme")
    }

    fn find_tenant(&self, tenant: &str) -> Result<Found, LookUpError> {
        block_on(self.registry.find("retake", tenant, Hasty(self.clock.clone())))
    }

    /// The status that a delivery gets that is signed with this secret.
    fn send(&self, secret: &str) -> u16 {
        match self.find() {
            Ok(found) => send(&found, secret),
            Err(error) => Answer::no_receiver(&error).status(),
        }
    }
}

fn send(found: &Found, secret: &str) -> u16 {
    let signer = Signer::<Retake>::new(&Secret::new(secret).unwrap());
    let headers = signer.sign(BODY, NOW).unwrap();
    let handler = async |_| Ok::<(), ConfigError>(());
    block_on(found.handle(&headers, BODY, NOW, never, handler)).status()
}

fn poll<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn secrets_serve_until_they_are_to_be_refreshed_and_equal_ones_keep_their_receiver() {
    let f = fixture(Next::Secret("a"));
    let first = f.find().unwrap();
    f.clock.advance(59 * SECOND);
    assert!(f.find().unwrap().receiver().is(first.receiver()));
    assert_eq!(f.source.asked(), 1);
    f.clock.advance(SECOND);
    assert!(f.find().unwrap().receiver().is(first.receiver()));
    assert_eq!(f.source.asked(), 2);
    f.source.say(Next::Secret("b"));
    f.clock.advance(59 * SECOND);
    assert!(f.find().unwrap().receiver().is(first.receiver()));
    f.clock.advance(SECOND);
    assert!(!f.find().unwrap().receiver().is(first.receiver()));
    assert_eq!((f.send("a"), f.send("b"), f.source.asked()), (401, 200, 4));
}

#[test]
fn a_wrong_token_is_looked_up_again_as_well() {
    let f = fixture(Next::Secret("a"));
    let show = |token: &str| {
        let found = block_on(f.registry.find("raaft", "acme", Hasty(f.clock.clone()))).unwrap();
        let next = |_: &mut Context<'_>| Poll::Ready(None::<Result<_, ConfigError>>);
        let headers = [("x-raaft-token", token)];
        let (_, verdict) = block_on(found.take_in(("POST", &headers), NOW, next, pending()));
        verdict.map_or_else(|answer| answer.status(), |_| 200)
    };
    assert_eq!((show("a"), show("b")), (200, 401));
    f.source.say(Next::Secret("b"));
    assert_eq!((show("b"), show("a"), f.source.asked()), (200, 401, 4));
    assert!(f.find().unwrap().receiver().verifier().description().is_of::<Retake>());
    assert!(!f.find().unwrap().receiver().verifier().description().is_of::<Raaft>());
}

#[test]
fn of_many_requests_one_looks_up_and_all_get_what_it_found() {
    for (says, is_ok) in [(Next::Secret("a"), true), (Next::Fails, false), (Next::Unknown, false)] {
        let f = fixture(Next::Hangs);
        let mut first = Box::pin(f.registry.find("retake", "acme", never));
        assert!(poll(first.as_mut()).is_pending());
        let mut others: Vec<_> =
            (0..50).map(|_| Box::pin(f.registry.find("retake", "acme", never))).collect();
        assert!(others.iter_mut().all(|other| poll(other.as_mut()).is_pending()));
        assert_eq!(f.source.asked(), 1);
        // The sender of the first one hangs up: the look-up goes on for all that are left.
        f.source.say(says);
        drop(first);
        for other in &mut others {
            let Poll::Ready(found) = poll(other.as_mut()) else { panic!("{says:?}: nobody looks") };
            assert_eq!(found.is_ok(), is_ok, "{says:?}");
        }
        assert_eq!(f.source.asked(), 1, "{says:?}");
    }
}

/// A task of its own, that counts with others how often they are woken.
struct Counting(Arc<AtomicUsize>);

impl Wake for Counting {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_sender_that_hangs_up_wakes_no_others_that_wait() {
    const COUNT: usize = 1000;
    let f = fixture(Next::Hangs);
    let woken = Arc::new(AtomicUsize::new(0));
    let waker = || Waker::from(Arc::new(Counting(Arc::clone(&woken))));
    let mut waiting: Vec<_> =
        (0..COUNT).map(|_| (waker(), Box::pin(f.registry.find("retake", "acme", never)))).collect();
    for (waker, find) in &mut waiting {
        assert!(find.as_mut().poll(&mut Context::from_waker(waker)).is_pending());
    }
    // All but one hang up, and those that are woken by it look again.
    while waiting.len() > 1 {
        let before = woken.load(Ordering::SeqCst);
        drop(waiting.remove(0));
        for (waker, find) in &mut waiting {
            if woken.load(Ordering::SeqCst) > before {
                assert!(find.as_mut().poll(&mut Context::from_waker(waker)).is_pending());
            }
        }
    }
    let woken = woken.load(Ordering::SeqCst);
    assert!(woken <= COUNT, "{woken} times");
    f.source.say(Next::Secret("a"));
    let (waker, find) = &mut waiting[0];
    assert!(find.as_mut().poll(&mut Context::from_waker(waker)).is_ready());
}

#[test]
fn while_one_looks_up_again_the_others_go_on() {
    let f = fixture(Next::Secret("a"));
    let known = f.find().unwrap();
    f.source.say(Next::Hangs);
    f.clock.advance(60 * SECOND);
    let mut one = pin!(f.registry.find("retake", "acme", never));
    assert!(poll(one.as_mut()).is_pending());
    for _ in 0..10 {
        assert!(f.find().unwrap().receiver().is(known.receiver()));
    }
    assert_eq!((f.send("a"), f.source.asked()), (200, 2));
}

#[test]
fn a_source_that_fails_hangs_or_panics_leaves_what_it_said_last_for_a_while() {
    for fault in [Next::Fails, Next::Hangs, Next::Panics] {
        let f = fixture(Next::Secret("a"));
        let find = || block_on(f.registry.find("retake", "acme", at_once));
        find().unwrap();
        f.source.say(fault);
        for (pause, serves) in [(60, true), (3539, true), (1, false)] {
            f.clock.advance(pause * SECOND);
            assert_eq!(find().is_ok(), serves, "{fault:?}");
        }
        let error = find().unwrap_err();
        let answer = Answer::no_receiver(&error);
        assert_eq!((answer.status(), answer.retry_after_seconds()), (503, Some(5)), "{fault:?}");
        assert_eq!(f.registry.shared.providers["retake"].tenants.len(), (0, 1), "{fault:?}");
        f.source.say(Next::Secret("a"));
        f.clock.advance(SECOND);
        assert_eq!(f.send("a"), 200, "{fault:?}");
    }
}

#[test]
fn a_source_that_fails_is_asked_once_a_floor_and_a_wrong_signature_is_then_no_proof() {
    let f = fixture(Next::Secret("a"));
    f.find().unwrap();
    f.source.say(Next::Fails);
    f.clock.advance(60 * SECOND);
    for _ in 0..10 {
        assert_eq!(f.send("a"), 200);
    }
    assert_eq!(f.source.asked(), 2);
    for failed in 1..=10 {
        assert_eq!((f.send("b"), f.send("a"), f.source.asked()), (503, 200, 2 + failed));
    }
    f.source.say(Next::Secret("b"));
    assert_eq!((f.send("b"), f.send("a")), (200, 401));
    // Nothing is known any more, and the source fails: no request makes it two look-ups a second.
    f.source.say(Next::Fails);
    f.clock.advance(3600 * SECOND);
    let asked = f.source.asked();
    for _ in 0..10 {
        assert_eq!((f.send("b"), f.source.asked()), (503, asked + 1));
    }
}

#[test]
fn a_tenant_that_is_removed_is_forgotten_at_once() {
    let f = fixture(Next::Secret("a"));
    assert_eq!(f.send("a"), 200);
    f.source.say(Next::Unknown);
    f.clock.advance(SECOND);
    assert_eq!(f.send("forged"), 404);
    assert_eq!((f.send("a"), f.source.asked()), (404, 2));
    f.source.say(Next::Secret("a"));
    f.clock.advance(SECOND);
    assert_eq!((f.send("a"), f.source.asked()), (200, 3));
}

#[test]
fn unknown_names_are_refused_and_take_bounded_space() {
    let f = fixture(Next::Unknown);
    assert_eq!(block_on(f.registry.find("nobody", "acme", never)).unwrap_err(), LookUpError::UnknownProvider);
    for nobodys in [&*"a".repeat(257), "a\0", "\u{fffd}"] {
        assert_eq!(f.find_tenant(nobodys).unwrap_err(), LookUpError::UnknownTenant);
    }
    assert_eq!(f.source.asked(), 0);
    for _ in 0..3 {
        assert_eq!(f.find().unwrap_err(), LookUpError::UnknownTenant);
    }
    assert_eq!(f.source.asked(), 1);
    for name in 0..3000 {
        assert_eq!(f.find_tenant(&name.to_string()).unwrap_err(), LookUpError::UnknownTenant);
    }
    let tenants = &f.registry.shared.providers["retake"].tenants;
    assert_eq!(tenants.len(), (0, 1024));
    f.clock.advance(SECOND);
    f.find_tenant("another").unwrap_err();
    assert_eq!(tenants.len(), (0, 1));
}

#[test]
fn secrets_that_cannot_be_used_are_a_500_with_the_reason() {
    let f = fixture(Next::Blank);
    for _ in 0..3 {
        let error = f.find().unwrap_err();
        assert_eq!(error, LookUpError::NotSetUp { error: ConfigError::BlankSecret });
        assert_eq!(Answer::no_receiver(&error).status(), 500);
    }
    assert_eq!(f.source.asked(), 1);
    let f = fixture_with(Told::new([Next::Secret("a")]), |builder| {
        builder.provider(Description::new("acme", [Scheme::hmac_sha256("x-acme").signs("{url}{body}")]))
    });
    let error = block_on(f.registry.find("acme", "", never)).unwrap_err();
    let expected = ConfigError::NoPublicUrl { provider: "acme".to_owned() };
    assert_eq!(error, LookUpError::NotSetUp { error: expected });
}

#[test]
fn at_a_refresh_of_zero_and_without_a_clock_each_request_looks_up() {
    let f = fixture_with(Told::new([Next::Secret("a")]), |builder| builder.refresh(Duration::ZERO));
    for asked in 1..=3 {
        assert_eq!((f.send("a"), f.source.asked()), (200, asked));
    }
    f.source.say(Next::Secret("b"));
    assert_eq!((f.send("b"), f.send("a"), f.source.asked()), (200, 401, 5));
    f.source.say(Next::Fails);
    assert_eq!((f.send("b"), f.send("a")), (200, 503));
    f.source.say(Next::Unknown);
    assert_eq!((f.send("b"), f.source.asked()), (404, 8));

    let source = Told::new([Next::Secret("a")]);
    let store = MemoryStore::with_clock(1000, ManualClock::default());
    let registry = Registry::builder(source.clone()).with::<Retake>().store(store).build().unwrap();
    for asked in 1..=3 {
        let found = block_on(registry.find("retake", "acme", never)).unwrap();
        assert_eq!((send(&found, "b"), send(&found, "a"), source.asked()), (401, 200, asked));
    }
    assert_eq!(registry.shared.providers["retake"].tenants.len(), (0, 0));
}

#[test]
fn a_secret_that_comes_back_late_does_not_undo_a_later_one() {
    let f = fixture_with(Told::new([Next::Secret("a")]), |builder| builder.refresh(Duration::ZERO));
    let listed = &f.registry.shared.providers["retake"];
    let made = |secret: &str| {
        let secrets = Secrets::from(Secret::new(secret).unwrap());
        (listed.make("acme", secrets.clone(), &f.registry.shared.common).unwrap(), secrets)
    };
    let ((new, new_secrets), (old, old_secrets)) = (made("new"), made("old"));
    // By a clock that is too coarse to tell.
    let began = |number| Began { at: SECOND, number };
    listed.tenants.keep("acme", new, new_secrets.clone(), began(2));
    listed.tenants.keep("acme", old, old_secrets.clone(), began(1));
    assert!(listed.tenants.confirm("acme", &old_secrets, began(1)).is_none());
    assert!(listed.tenants.confirm("acme", &new_secrets, began(1)).is_some());
}

#[test]
fn mistakes_in_the_set_up_are_found_when_it_is_built() {
    let check = |settle: &dyn Fn(RegistryBuilder) -> RegistryBuilder, expected: &str| {
        let store = MemoryStore::with_clock(1, ManualClock::default());
        let builder = Registry::builder(FixedSecrets::new()).built_in().store(store);
        let error = settle(builder).build().unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    let acme = || Description::new("acme", [Scheme::hmac_sha256("x-acme")]);
    check(&|b| b.provider(acme()).provider(acme()), r#""acme" is registered already"#);
    check(&|b| b.provider(Description::new("retake", acme().schemes())), r#""retake" is registered"#);
    check(&|b| b.provider(Description::new("Acme", acme().schemes())), "a name is of");
    check(&|b| b.settings("acme", Settings::new()), "not registered");
    check(&|b| b.settings("retake", Settings::new().require_timestamp()), "signs no timestamp");
    check(&|b| b.settings("retake", Settings::new().body_limit(0)), "body_limit");
    check(&|b| b.settings("recharge", Settings::new().retention_seconds(3600)), "retention");
    let wide = |seconds| Settings::new().tolerance(Tolerance::from_secs(seconds));
    check(&|b| b.settings("recharge", wide(172_801)), "tolerance");
    check(&|b| b.settings("retake", wide(300)), "remove tolerance");
    check(&|b| b.settings("standard_webhooks", wide(86_400).retention_seconds(172_800)), "retention");
    check(&|b| b.look_up_floor(Duration::ZERO), "look_up_floor");
    check(&|b| b.look_up_timeout(Duration::ZERO), "look_up_timeout");
    check(&|b| b.lease(Duration::ZERO), "lease");
    let registry = Registry::builder(FixedSecrets::new()).built_in().build();
    assert_eq!(registry.unwrap_err(), ConfigError::NoStore);
}

#[test]
fn settings_reach_the_receivers_and_a_tenant_stands_in_its_url() {
    let settings = Settings::new().public_url("https://example.com/{tenant}?a=b").body_limit(100);
    let acme = Description::new("acme", [Scheme::hmac_sha256("x-acme").signs("{url}{body}")]);
    let f = fixture_with(Told::new([Next::Secret("a")]), |builder| {
        builder.provider(acme.clone()).settings("acme", settings)
    });
    let found = block_on(f.registry.find("acme", "initech", never)).unwrap();
    assert_eq!((found.receiver().endpoint(), found.receiver().verifier().limits().body), ("initech", 100));
    let signer = Signer::<Custom>::custom(acme, &Secret::new("a").unwrap()).unwrap();
    let verify = |url: &str| {
        let headers = signer.clone().public_url(url).sign("{}", NOW).unwrap();
        found.receiver().verifier().verify(&headers, "{}", NOW).is_ok()
    };
    assert!(verify("https://example.com/initech?a=b"));
    assert!(!verify("https://example.com/acme?a=b"));
}

#[test]
fn a_body_that_waits_for_a_look_up_is_drawn_on_the_budget() {
    let f = fixture(Next::Secret("a"));
    // The look-up began before the delivery arrived, so its secrets may be too old for it.
    f.find().unwrap();
    f.clock.advance(2 * SECOND);
    let found = block_on(f.registry.find("retake", "acme", never)).unwrap();
    f.source.say(Next::Hangs);
    let headers = Signer::<Retake>::new(&Secret::new("b").unwrap()).sign(BODY, NOW).unwrap();
    let mut body = Some(bytes::Bytes::from_static(BODY.as_bytes()));
    let next = move |_: &mut Context<'_>| Poll::Ready(body.take().map(Ok::<_, ConfigError>));
    let mut taken = Box::pin(found.take_in(("POST", &headers), NOW, next, pending::<()>()));
    assert!(poll(taken.as_mut()).is_pending());
    assert!(f.registry.bodies_held() >= BODY.len());
    drop(taken);
    assert_eq!(f.registry.bodies_held(), 0);
}
