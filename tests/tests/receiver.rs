//! What a receiver promises: claimed, settled, remembered, and set up with sense.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use countersign::{
    Admission, Admitted, Answer, Clock, ConfigError, Delivery, Outcome, Provider, Receiver, ReceiverBuilder,
    Secret, Signer, StoreError, StoreErrorKind, Timestamp, TokioRuntime,
    dedupe::{Key, KeyPart, KeyRule, MemoryStore, Store},
    event::Json,
    provider::{GitHub, Postmark, Raaft, Recharge, Retake, RetentBase, RevKeen, Typeform, Vercel, Zoom},
};
use countersign_tests::told::{Call, Fault, Told};
use tokio::time::sleep;

const NOW: Timestamp = Timestamp::from_unix_seconds(1_705_689_600);

/// A clock that moves when it is told to.
#[derive(Clone, Default)]
struct Manual(Arc<Mutex<Duration>>);

impl Manual {
    fn advance(&self, by: Duration) {
        *self.0.lock().unwrap() += by;
    }
}

impl Clock for Manual {
    fn now(&self) -> Timestamp {
        NOW
    }

    fn elapsed(&self) -> Duration {
        *self.0.lock().unwrap()
    }
}

fn secret() -> Secret {
    Secret::new("a secret").unwrap()
}

fn delivery<P: Provider>(receiver: &Receiver<P>, id: &str, at: Timestamp, body: &str) -> Delivery<P> {
    let signer = Signer::<P>::new(&secret()).id(id).event_id("evt_1").kind("cancellation.created");
    let headers = signer.sign(body, at).unwrap();
    receiver.verifier().verify(&headers, body, NOW).unwrap()
}

fn over<P: Provider>(store: impl Store) -> Receiver<P> {
    Receiver::builder(secret()).store(store).build().unwrap()
}

async fn admitted<P: Provider>(receiver: &Receiver<P>, delivery: &Delivery<P>) -> Admitted<P> {
    match receiver.admit(delivery.clone(), sleep).await.unwrap() {
        Admission::Process(admitted) => admitted,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_crash_frees_a_delivery_when_its_lease_ends() {
    let clock = Manual::default();
    let receiver = over::<Retake>(MemoryStore::with_clock(10, clock.clone()));
    let delivery = delivery(&receiver, "", NOW, "{}");
    drop(admitted(&receiver, &delivery).await);
    clock.advance(Duration::from_secs(29));
    let Admission::InFlight { retry_after, .. } = receiver.admit(delivery.clone(), sleep).await.unwrap()
    else {
        panic!()
    };
    assert_eq!(retry_after, Duration::from_secs(1));
    clock.advance(Duration::from_secs(1));
    admitted(&receiver, &delivery).await.commit().await.unwrap();
    assert!(matches!(receiver.admit(delivery, sleep).await.unwrap(), Admission::Duplicate(_)));
}

#[tokio::test]
async fn a_committed_delivery_is_remembered_for_its_retention() {
    let clock = Manual::default();
    let receiver = over::<Recharge>(MemoryStore::with_clock(10, clock.clone()));
    let delivery = delivery(&receiver, "", NOW, r#"{"id":1}"#);
    admitted(&receiver, &delivery).await.commit().await.unwrap();
    // Recharge's timestamps may be 48 hours off either way, so 96 are remembered.
    clock.advance(Duration::from_secs(96 * 3600));
    assert!(matches!(receiver.admit(delivery.clone(), sleep).await.unwrap(), Admission::Duplicate(_)));
    clock.advance(Duration::from_secs(1));
    admitted(&receiver, &delivery).await;
}

#[test]
fn retention_is_a_quarter_longer_than_the_provider_tries() {
    let hours = |duration: Duration| duration.as_secs_f64() / 3600.0;
    assert_eq!(hours(Retake::RETRIES.retention()), 72.0);
    assert_eq!(hours(Raaft::RETRIES.retention()), 72.0);
    assert_eq!(hours(RetentBase::RETRIES.retention()), 72.0);
    assert_eq!(hours(Recharge::RETRIES.retention()), 60.0);
    // 5 min + 30 min + 2 h + 8 h + 24 h, and a quarter.
    assert!((43.2..43.3).contains(&hours(RevKeen::RETRIES.retention())));
}

#[test]
fn what_is_signed_without_a_timestamp_is_remembered_for_72_hours_at_least() {
    fn hours<P: Provider>() -> f64 {
        over::<P>(MemoryStore::with_clock(10, Manual::default())).retention().as_secs_f64() / 3600.0
    }
    // Typeform tries for 10 h 35 min, Vercel for a day, GitHub's deliveries can be sent again for three.
    assert_eq!((hours::<Typeform>(), hours::<Vercel>(), hours::<RevKeen>()), (72.0, 72.0, 72.0));
    assert_eq!((hours::<GitHub>(), hours::<Recharge>().floor()), (90.0, 96.0));
    // A timestamp keeps replays out of Zoom's, and who can replay a token can do worse.
    assert!(hours::<Zoom>() < 2.0);
    let postmark = Receiver::<Postmark>::builder(Secret::new("user:password").unwrap());
    let postmark = postmark.store(MemoryStore::with_clock(10, Manual::default())).build().unwrap();
    assert_eq!(postmark.retention(), Postmark::<Json>::RETRIES.retention());
}

#[tokio::test]
async fn a_later_keys_refusal_releases_the_earlier_ones() {
    let store = Arc::new(MemoryStore::with_clock(10, Manual::default()));
    let receiver = over::<RetentBase>(Arc::clone(&store));
    let first = admitted(&receiver, &delivery(&receiver, "dlv_1", NOW, "{}")).await;
    assert_eq!(store.len(), 3);
    // The same event at another time: its first two keys are free, its third is not.
    let later = delivery(&receiver, "dlv_2", NOW.saturating_add(Duration::from_secs(9)), "{}");
    assert!(matches!(receiver.admit(later.clone(), sleep).await.unwrap(), Admission::InFlight { .. }));
    assert_eq!(store.len(), 3);
    first.commit().await.unwrap();
    assert!(matches!(receiver.admit(later.clone(), sleep).await.unwrap(), Admission::Duplicate(_)));
    assert_eq!(store.len(), 3);
}

#[tokio::test]
async fn endpoints_and_providers_that_share_a_store_stay_apart() {
    let store = Arc::new(MemoryStore::with_clock(10, Manual::default()));
    let at = |endpoint: &str| {
        let builder = Receiver::<Retake>::builder(secret()).store(Arc::clone(&store)).endpoint(endpoint);
        builder.build().unwrap()
    };
    for endpoint in ["", "a", "b"] {
        let receiver = at(endpoint);
        admitted(&receiver, &delivery(&receiver, "", NOW, "{}")).await.commit().await.unwrap();
    }
    let other = over::<RetentBase>(Arc::clone(&store));
    admitted(&other, &delivery(&other, "dlv_1", NOW, "{}")).await.commit().await.unwrap();
    let again = at("a");
    let again = again.admit(delivery(&again, "", NOW, "{}"), sleep).await.unwrap();
    assert!(matches!(again, Admission::Duplicate(_)));
}

#[tokio::test]
async fn a_lease_that_was_lost_is_taken_anew_to_commit_and_refused_when_another_has_it() {
    let clock = Manual::default();
    let receiver = over::<Retake>(MemoryStore::with_clock(10, clock.clone()));
    let delivery = delivery(&receiver, "", NOW, "{}");
    let slow = admitted(&receiver, &delivery).await;
    clock.advance(Duration::from_secs(31));
    assert!(matches!(slow.renew().await.unwrap_err(), StoreError::Fenced));
    slow.commit().await.unwrap();
    assert!(matches!(receiver.admit(delivery, sleep).await.unwrap(), Admission::Duplicate(_)));

    let delivery = self::delivery(&receiver, "", NOW, "[]");
    let slow = admitted(&receiver, &delivery).await;
    clock.advance(Duration::from_secs(31));
    let other = admitted(&receiver, &delivery).await;
    for refused in [slow.commit().await, slow.renew().await, slow.release().await] {
        assert!(matches!(refused.unwrap_err(), StoreError::Fenced));
    }
    other.commit().await.unwrap();
    assert!(matches!(slow.commit().await.unwrap_err(), StoreError::Fenced));
}

/// A store that does as it is told.
fn told(fault: impl Fn(Call, &Key) -> Fault + Send + Sync + 'static) -> Told<MemoryStore<Manual>> {
    Told::new(MemoryStore::with_clock(10, Manual::default()), fault)
}

/// A store that has this fault the first so many times of a call, and counts its calls.
fn at_first(call: Call, fault: Fault, times: usize) -> (Told<MemoryStore<Manual>>, Arc<AtomicUsize>) {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let store = told(move |made, _| match made == call && counted.fetch_add(1, SeqCst) < times {
        true => fault,
        false => Fault::None,
    });
    (store, calls)
}

fn processed(_: &()) -> Answer {
    Answer::of_response(204, None, Retake::RETRIES)
}

async fn run<P: Provider>(receiver: &Receiver<P>, delivery: &Delivery<P>) -> Answer {
    receiver.process(delivery.clone(), TokioRuntime, async {}, processed).await.0
}

#[tokio::test(start_paused = true)]
async fn a_commit_is_tried_again_while_the_store_is_away() {
    for (failures, outcome) in [(1, Outcome::Processed), (3, Outcome::Processed), (4, Outcome::Uncommitted)] {
        for fault in [Fault::Fails, Fault::LosesAnswer] {
            let receiver = over::<Retake>(at_first(Call::Commit, fault, failures).0);
            let answer = run(&receiver, &delivery(&receiver, "", NOW, "{}")).await;
            assert_eq!((answer.outcome(), answer.status()), (outcome, 204));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_failed_for_long_is_made_after_the_sender_was_answered() {
    for fault in [Fault::Fails, Fault::Hangs] {
        let (store, _) = at_first(Call::Commit, fault, 7);
        let receiver = over::<Retake>(store);
        let delivery = delivery(&receiver, "", NOW, "{}");
        assert_eq!(run(&receiver, &delivery).await.outcome(), Outcome::Uncommitted);
        assert_eq!(run(&receiver, &delivery).await.outcome(), Outcome::InFlight);
        sleep(Duration::from_secs(120)).await;
        assert_eq!(run(&receiver, &delivery).await.outcome(), Outcome::Duplicate, "{fault:?}");
    }
}

/// A store whose claims from the first to the last of these have this fault. A RetentBase delivery has three.
fn at_claims(first: usize, last: usize, fault: Fault) -> Told<MemoryStore<Manual>> {
    let claims = AtomicUsize::new(0);
    told(move |call, _| match call {
        Call::Claim if (first..=last).contains(&claims.fetch_add(1, SeqCst)) => fault,
        _ => Fault::None,
    })
}

#[tokio::test(start_paused = true)]
async fn a_claim_whose_answer_was_lost_is_ones_own_on_the_next_try() {
    for fault in [Fault::LosesAnswer, Fault::Fails] {
        for key in 0..3 {
            let receiver = over::<RetentBase>(at_claims(key, key, fault));
            let answer = run(&receiver, &delivery(&receiver, "dlv_1", NOW, "{}")).await;
            assert_eq!(answer.outcome(), Outcome::Processed, "{fault:?} at key {key}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_is_given_up_leaves_no_key_behind() {
    for (last, fault) in [(2, Fault::LosesAnswer), (2, Fault::Fails), (1, Fault::Hangs)] {
        let receiver = over::<RetentBase>(at_claims(1, last, fault));
        let delivery = delivery(&receiver, "dlv_1", NOW, "{}");
        let answer = run(&receiver, &delivery).await;
        assert!(matches!(answer.outcome(), Outcome::StoreFailed(_)), "{answer:?}");
        assert_eq!(run(&receiver, &delivery).await.outcome(), Outcome::Processed, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_is_a_503_within_the_store_timeout() {
    for seconds in [1, 3] {
        let store = told(|_, _| Fault::Hangs);
        let timeout = Duration::from_secs(seconds);
        let receiver =
            Receiver::<RetentBase>::builder(secret()).store(store).store_timeout(timeout).build().unwrap();
        let began = tokio::time::Instant::now();
        let answer = run(&receiver, &delivery(&receiver, "dlv_1", NOW, "{}")).await;
        assert_eq!(
            (answer.status(), answer.outcome()),
            (503, Outcome::StoreFailed(StoreErrorKind::TimedOut))
        );
        assert!((timeout..timeout + Duration::from_millis(501)).contains(&began.elapsed()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_handler_outlives_a_store_that_hangs_and_its_answer_stands() {
    let store = told(|call, _| if call == Call::Claim { Fault::None } else { Fault::Hangs });
    let receiver = over::<Retake>(store);
    let delivery = delivery(&receiver, "", NOW, "{}");
    let work = sleep(Duration::from_secs(45));
    let began = tokio::time::Instant::now();
    let (answer, _) = receiver.process(delivery, sleep, work, processed).await;
    assert_eq!((answer.status(), answer.outcome()), (204, Outcome::Uncommitted));
    assert_eq!(began.elapsed().as_secs(), 48);
}

#[tokio::test(start_paused = true)]
async fn one_lost_key_does_not_stop_the_renewal_of_the_others() {
    let (renewals, lost) = (Arc::new(AtomicUsize::new(0)), Mutex::new(None));
    let counted = Arc::clone(&renewals);
    let receiver = over::<RetentBase>(told(move |call, key| {
        let is_lost = *lost.lock().unwrap().get_or_insert(*key) == *key;
        match call {
            Call::Renew if is_lost => return Fault::Fenced,
            Call::Renew => counted.fetch_add(1, SeqCst),
            _ => 0,
        };
        Fault::None
    }));
    let delivery = delivery(&receiver, "dlv_1", NOW, "{}");
    let work = sleep(Duration::from_secs(95));
    receiver.process(delivery, sleep, work, processed).await;
    assert_eq!(renewals.load(SeqCst), 2 * 9);
}

/// Tokio's clock, which stands still unless there is something to wait for.
struct Tokio(tokio::time::Instant);

impl Clock for Tokio {
    fn now(&self) -> Timestamp {
        NOW
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

fn timed(fault: impl Fn(Call, &Key) -> Fault + Send + Sync + 'static) -> Told<MemoryStore<Tokio>> {
    Told::new(MemoryStore::with_clock(10, Tokio(tokio::time::Instant::now())), fault)
}

#[tokio::test(start_paused = true)]
async fn a_claim_whose_lease_may_have_ended_before_it_was_answered_is_not_handled() {
    let is_first = AtomicUsize::new(0);
    let store = timed(move |call, _| match call {
        Call::Claim if is_first.fetch_add(1, SeqCst) == 0 => Fault::AnswersAfter(Duration::from_secs(2)),
        _ => Fault::None,
    });
    let lease = Duration::from_secs(1);
    let receiver = Receiver::<Retake>::builder(secret()).store(store).lease(lease).build().unwrap();
    let delivery = delivery(&receiver, "", NOW, "{}");
    let effects = AtomicUsize::new(0);
    let handle = || {
        let work = async { _ = effects.fetch_add(1, SeqCst) };
        receiver.process(delivery.clone(), TokioRuntime, work, processed)
    };
    let later = async {
        sleep(Duration::from_millis(1500)).await;
        handle().await
    };
    let ((slow, _), (quick, _)) = tokio::join!(handle(), later);
    assert_eq!(quick.outcome(), Outcome::Processed);
    assert!(matches!(slow.outcome(), Outcome::StoreFailed(StoreErrorKind::TimedOut)), "{slow:?}");
    assert_eq!(effects.load(SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn one_renewal_that_hangs_or_fails_does_not_lose_the_lease() {
    for (fault, lease) in [(Fault::Hangs, 3), (Fault::Fails, 3), (Fault::Hangs, 30)] {
        let renewals = AtomicUsize::new(0);
        let store = timed(move |call, _| match call {
            Call::Renew if renewals.fetch_add(1, SeqCst) == 0 => fault,
            _ => Fault::None,
        });
        let lease = Duration::from_secs(lease);
        let receiver = Receiver::<Retake>::builder(secret()).store(store).lease(lease).build().unwrap();
        let delivery = delivery(&receiver, "", NOW, "{}");
        let first = receiver.process(delivery.clone(), TokioRuntime, sleep(lease * 3), processed);
        let others = async {
            for _ in 0..28 {
                sleep(lease / 10).await;
                let other = receiver.process(delivery.clone(), TokioRuntime, async {}, processed).await.0;
                assert_eq!(other.outcome(), Outcome::InFlight, "{fault:?}, a lease of {lease:?}");
            }
        };
        let ((first, _), ()) = tokio::join!(first, others);
        assert_eq!(first.outcome(), Outcome::Processed);
    }
}

#[tokio::test]
async fn a_runtime_that_does_not_wait_lets_the_handler_end() {
    let receiver = over::<Retake>(told(|_, _| Fault::None));
    let delivery = delivery(&receiver, "", NOW, "{}");
    let work = sleep(Duration::from_millis(20));
    let (answer, _) = receiver.process(delivery, |_| async {}, work, processed).await;
    assert_eq!(answer.outcome(), Outcome::Processed);
}

#[tokio::test]
async fn a_replay_is_caught_for_as_long_as_its_timestamp_is_good() {
    let clock = Manual::default();
    let builder = Receiver::<Recharge>::builder(secret()).require_timestamp();
    let receiver = builder.store(MemoryStore::with_clock(10, clock.clone())).build().unwrap();
    let ahead = NOW.saturating_add(Duration::from_secs(172_800));
    let headers =
        Signer::<Recharge>::new(&secret()).kind("order/created").sign(r#"{"id":1}"#, ahead).unwrap();
    for (hours, outcome) in
        [(0, Outcome::Processed), (1, Outcome::Duplicate), (95, Outcome::Duplicate), (96, Outcome::Duplicate)]
    {
        let elapsed = Duration::from_secs(hours * 3600).saturating_sub(Duration::from_secs(hours / 96));
        *clock.0.lock().unwrap() = elapsed;
        let now = NOW.saturating_add(elapsed);
        let handler = async |_| Ok::<(), std::io::Error>(());
        let answer = receiver.handle(&headers, r#"{"id":1}"#, now, sleep, handler).await;
        assert_eq!(answer.outcome(), outcome, "after {hours} h");
    }
}

fn refusal<P: Provider>(set_up: impl Fn(ReceiverBuilder<P>) -> ReceiverBuilder<P>) -> String {
    let builder = Receiver::<P>::builder(secret()).store(MemoryStore::with_clock(10, Manual::default()));
    set_up(builder).build().unwrap_err().to_string()
}

fn accepted<P: Provider>(set_up: impl Fn(ReceiverBuilder<P>) -> ReceiverBuilder<P>) {
    let builder = Receiver::<P>::builder(secret()).store(MemoryStore::with_clock(10, Manual::default()));
    assert_eq!(set_up(builder).build().err(), None);
}

#[test]
fn set_up_mistakes_are_told_at_start_with_what_to_change() {
    const ID_ALONE: &[KeyRule] = &[KeyRule::of(&[KeyPart::Id])];
    const ID_OR_BODY: &[KeyRule] = &[KeyRule::of(&[KeyPart::Id]).or(&[KeyPart::Body])];
    const KIND_AND_BODY: &[KeyRule] = &[KeyRule::of(&[KeyPart::Kind, KeyPart::Body])];
    const NOTHING: &[KeyRule] = &[KeyRule::of(&[])];
    const KIND_ALONE: &[KeyRule] = &[KeyRule::of(&[KeyPart::Body]), KeyRule::of(&[KeyPart::Kind])];
    const TIMESTAMP_ALONE: &[KeyRule] =
        &[KeyRule::of(&[KeyPart::Id, KeyPart::Body]).or(&[KeyPart::Timestamp])];
    const BODY_AND_ID: &[KeyRule] = &[KeyRule::of(&[KeyPart::Body]), KeyRule::of(&[KeyPart::Id])];
    const ID_AND_BODY_OR_BODY: &[KeyRule] =
        &[KeyRule::of(&[KeyPart::Id, KeyPart::Body]).or(&[KeyPart::Body])];
    const STAMP_AND_BODY: &[KeyRule] = &[KeyRule::of(&[KeyPart::Timestamp, KeyPart::Body])];
    const TWICE: &[KeyRule] = &[KeyRule::of(&[KeyPart::Body]), KeyRule::of(&[KeyPart::Kind, KeyPart::Body])];
    assert!(refusal::<Retake>(|b| b.require_timestamp()).contains("remove require_timestamp()"));
    assert!(refusal::<Retake>(|b| b.kind("intent.tracked")).contains("remove kind(..)"));
    assert!(refusal::<Recharge>(|b| b.kind(" ")).contains("kind is out of range: not blank"));
    assert!(refusal::<Retake>(|b| b.lease(Duration::ZERO)).contains("lease is out of range"));
    assert!(refusal::<Retake>(|b| b.retention(Duration::ZERO)).contains("retention is out of range"));
    assert!(
        refusal::<Recharge>(|b| b.retention(Duration::from_secs(96 * 3600)))
            .contains("the tolerance behind and ahead together")
    );
    assert!(refusal::<Retake>(|b| b.body_limit(0)).contains("body_limit is out of range"));
    assert!(refusal::<Retake>(|b| b.read_timeout(Duration::ZERO)).contains("read_timeout is out of range"));
    assert!(refusal::<Retake>(|b| b.store_timeout(Duration::ZERO)).contains("store_timeout is out of range"));
    assert!(refusal::<Retake>(|b| b.lease(Duration::from_nanos(1))).contains("lease is out of range"));
    assert!(refusal::<RetentBase>(|b| b.dedupe_by(ID_ALONE)).contains("also needs the body"));
    assert!(refusal::<RetentBase>(|b| b.dedupe_by(BODY_AND_ID)).contains("also needs the body"));
    assert!(refusal::<RetentBase>(|b| b.dedupe_by(&[])).contains("of signed content alone"));
    // RevKeen's id is signed; RetentBase's is not, and whoever changes it must not get a copy through.
    assert!(refusal::<RetentBase>(|b| b.dedupe_by(ID_OR_BODY)).contains("also needs the body"));
    assert!(refusal::<RetentBase>(|b| b.dedupe_by(ID_AND_BODY_OR_BODY)).contains("of signed content alone"));
    assert!(refusal::<RetentBase>(|b| b.dedupe_by(KIND_AND_BODY)).contains("of signed content alone"));
    assert!(refusal::<Recharge>(|b| b.dedupe_by(KIND_AND_BODY)).contains("of signed content alone"));
    assert!(refusal::<Recharge>(|b| b.dedupe_by(STAMP_AND_BODY)).contains("of signed content alone"));
    assert!(refusal::<RetentBase>(|b| b.dedupe_by(TWICE)).contains("leave it away"));
    for merging in [NOTHING, KIND_ALONE, TIMESTAMP_ALONE] {
        assert!(refusal::<RetentBase>(|b| b.dedupe_by(merging)).contains("would be merged"));
    }
    accepted::<RevKeen>(|b| b.dedupe_by(ID_OR_BODY));
    accepted::<RetentBase>(|b| b.dedupe_by(KIND_AND_BODY).kind("cancellation.created"));
    accepted::<Recharge>(|b| b.dedupe_by(STAMP_AND_BODY).require_timestamp());
    let without = Receiver::<Retake>::builder(secret()).build().unwrap_err();
    assert_eq!(without, ConfigError::NoStore);
    assert!(without.to_string().contains(".store(MemoryStore::new(limit))"));
}
