//! A rotation between two look-ups, and what forgeries can make of it.

use super::*;
use crate::registry::tenants::MAX_WAITING;

const MS: Duration = Duration::from_millis(1);

/// Waits by the clock that is moved by hand; whoever waits is polled by hand.
#[derive(Clone)]
struct Timed(ManualClock);

impl Runtime for Timed {
    fn sleep(&self, length: Duration) -> impl Future<Output = ()> + Send {
        let (clock, until) = (self.0.clone(), self.0.elapsed().saturating_add(length));
        poll_fn(move |_| if clock.elapsed() >= until { Poll::Ready(()) } else { Poll::Pending })
    }
}

type Sending = Pin<Box<dyn Future<Output = u16>>>;

impl Fixture {
    /// A delivery on its way, with the status that it gets in the end.
    fn sending(&self, secret: &str) -> Sending {
        let signer = Signer::<Retake>::new(&Secret::new(secret).unwrap());
        let (registry, runtime) = (self.registry.clone(), Timed(self.clock.clone()));
        Box::pin(async move {
            let headers = signer.sign(BODY, NOW).unwrap();
            match registry.find("retake", "acme", runtime.clone()).await {
                Ok(found) => {
                    let handler = async |_| Ok::<(), ConfigError>(());
                    found.handle(&headers, BODY, NOW, runtime, handler).await.status()
                }
                Err(error) => Answer::no_receiver(&error).status(),
            }
        })
    }

    /// The status that it gets without waiting.
    fn send_at_once(&self, secret: &str) -> Poll<u16> {
        poll(self.sending(secret).as_mut())
    }
}

/// Removes those that are done, with their statuses.
fn done(sendings: &mut Vec<Sending>) -> Vec<u16> {
    let mut statuses = Vec::new();
    sendings.retain_mut(|sending| match poll(sending.as_mut()) {
        Poll::Ready(status) => {
            statuses.push(status);
            false
        }
        Poll::Pending => true,
    });
    statuses
}

#[test]
fn a_rotation_right_after_a_look_up_costs_no_delivery() {
    for (pause, wait) in [(Duration::ZERO, SECOND), (100 * MS, 900 * MS), (999 * MS, MS)] {
        let f = fixture(Next::Secret("a"));
        assert_eq!(f.send_at_once("a"), Poll::Ready(200));
        f.clock.advance(pause);
        f.source.say(Next::Secret("b"));
        let mut rotated: Vec<_> = (0..10).map(|_| f.sending("b")).collect();
        assert!(done(&mut rotated).is_empty());
        f.clock.advance(wait - MS);
        assert!(done(&mut rotated).is_empty());
        assert_eq!(f.source.asked(), 1, "{pause:?}");
        f.clock.advance(MS);
        assert_eq!((done(&mut rotated), f.source.asked()), (vec![200; 10], 2), "{pause:?}");
    }
}

#[test]
fn a_rotation_while_a_look_up_is_under_way_costs_no_delivery() {
    let f = fixture(Next::Secret("a"));
    assert_eq!(f.send_at_once("a"), Poll::Ready(200));
    f.clock.advance(SECOND);
    // It began before the rotation, and its answer comes after it.
    f.source.say(Next::Hangs);
    let mut forged = vec![f.sending("forged")];
    assert!(done(&mut forged).is_empty());
    let mut rotated = vec![f.sending("b")];
    assert!(done(&mut rotated).is_empty());
    f.source.say(Next::Secret("a"));
    f.clock.advance(100 * MS);
    assert_eq!(done(&mut forged), [401]);
    f.source.say(Next::Secret("b"));
    assert!(done(&mut rotated).is_empty());
    f.clock.advance(900 * MS);
    assert_eq!((done(&mut rotated), f.source.asked()), (vec![200], 3));
}

#[test]
fn two_rotations_at_once_cost_no_delivery() {
    let f = fixture(Next::Secret("a"));
    assert_eq!(f.send_at_once("a"), Poll::Ready(200));
    f.clock.advance(60 * SECOND);
    f.source.say(Next::Hangs);
    let mut refresh = vec![f.sending("a")];
    assert!(done(&mut refresh).is_empty());
    // Found by the first secret. The look-up that began before says the second one, and the third one has
    // signed.
    let found = block_on(f.registry.find("retake", "acme", Timed(f.clock.clone()))).unwrap();
    f.source.say(Next::Secret("b"));
    assert_eq!(done(&mut refresh), [401]);
    f.source.say(Next::Secret("c"));
    let headers = Signer::<Retake>::new(&Secret::new("c").unwrap()).sign(BODY, NOW).unwrap();
    let handler = async |_| Ok::<(), ConfigError>(());
    let mut sending = pin!(found.handle(&headers, BODY, NOW, Timed(f.clock.clone()), handler));
    assert!(poll(sending.as_mut()).is_pending());
    f.clock.advance(SECOND);
    let Poll::Ready(answer) = poll(sending) else { panic!("it waits no longer") };
    assert_eq!(answer.status(), 200);
}

#[test]
fn it_is_a_503_only_where_the_look_up_fails_or_takes_too_long() {
    for (fault, wait) in [(Next::Fails, 0), (Next::Panics, 0), (Next::Hangs, 2)] {
        let f = fixture(Next::Secret("a"));
        assert_eq!(f.send_at_once("a"), Poll::Ready(200));
        f.source.say(fault);
        let mut rotated = vec![f.sending("b")];
        assert!(done(&mut rotated).is_empty());
        f.clock.advance(SECOND);
        assert_eq!(done(&mut rotated).len(), usize::from(wait == 0), "{fault:?}");
        f.clock.advance(wait * SECOND);
        assert!(done(&mut rotated).iter().all(|status| *status == 503) && rotated.is_empty(), "{fault:?}");
        // A failure just now is not held against a delivery that comes later.
        let mut late = vec![f.sending("b")];
        done(&mut late);
        f.source.say(Next::Secret("b"));
        f.clock.advance(SECOND);
        let statuses = done(&mut late);
        assert_eq!((statuses, f.source.asked()), (vec![200], 3), "{fault:?}");
    }
}

#[test]
fn a_flood_of_forgeries_is_one_look_up_a_floor_and_few_of_them_wait() {
    let f = fixture(Next::Secret("a"));
    assert_eq!(f.send_at_once("a"), Poll::Ready(200));
    let (mut waiting, mut statuses) = (Vec::new(), Vec::new());
    for tenth in 1..=50 {
        f.clock.advance(100 * MS);
        waiting.extend((0..100).map(|_| f.sending("forged")));
        statuses.extend(done(&mut waiting));
        assert!(waiting.len() <= MAX_WAITING, "{}", waiting.len());
        assert_eq!(f.send_at_once("a"), Poll::Ready(200), "duplicates are told from forgeries at once");
        assert_eq!(f.source.asked(), 1 + tenth / 10);
    }
    let told = Answer::no_receiver(&LookUpError::Busy);
    assert_eq!((told.status(), told.outcome().as_str()), (503, "busy"));
    statuses.sort_unstable();
    let refused = statuses.iter().filter(|status| **status == 401).count();
    assert_eq!((statuses[0], statuses[statuses.len() - 1]), (401, 503));
    assert!((5 * MAX_WAITING..=6 * MAX_WAITING).contains(&refused), "{refused}");
    // Amid the flood: whoever has no seat is told to come again, and by then the rotation is known.
    f.source.say(Next::Secret("b"));
    assert_eq!(f.send_at_once("b"), Poll::Ready(503));
    f.clock.advance(SECOND);
    assert!(done(&mut waiting).iter().all(|status| *status == 401));
    assert_eq!(f.send_at_once("b"), Poll::Ready(200));
}

#[test]
fn senders_that_hang_up_neither_keep_a_seat_nor_start_look_ups_nor_stop_one() {
    let f = fixture(Next::Secret("a"));
    assert_eq!(f.send_at_once("a"), Poll::Ready(200));
    f.source.say(Next::Hangs);
    for second in 1..=3 {
        f.clock.advance(SECOND);
        for _ in 0..10 * MAX_WAITING {
            assert!(f.send_at_once("forged").is_pending());
        }
        assert_eq!(f.source.asked(), 1 + second);
    }
    // A forgery began the look-up, and its sender hangs up while a genuine delivery waits for it.
    f.clock.advance(SECOND);
    let mut forged = vec![f.sending("forged")];
    done(&mut forged);
    let mut rotated = vec![f.sending("b")];
    done(&mut rotated);
    drop(forged);
    f.source.say(Next::Secret("b"));
    assert_eq!(done(&mut rotated), [200]);
    assert_eq!(f.source.asked(), 5);
    let tenants = &f.registry.shared.providers["retake"].tenants;
    assert_eq!(tenants.len(), (1, 0));
}

#[test]
fn senders_that_hang_up_do_not_keep_a_revoked_secret_alive() {
    let f = fixture(Next::Secret("revoked"));
    assert_eq!(f.send_at_once("revoked"), Poll::Ready(200));
    f.clock.advance(60 * SECOND);
    // The source takes a moment over its answer, and by then who began the look-up has gone.
    let mut accepted = 0;
    for _ in 0..600 {
        f.source.say(Next::Hangs);
        let mut began = vec![f.sending("revoked")];
        done(&mut began);
        let mut sent = vec![f.sending("revoked")];
        accepted += done(&mut sent).len();
        drop(began);
        f.source.say(Next::Secret("new"));
        accepted += done(&mut sent).iter().filter(|status| **status == 200).count();
        f.clock.advance(SECOND / 2);
        accepted += done(&mut sent).iter().filter(|status| **status == 200).count();
    }
    // Whoever looked while the first look-up was under way.
    assert!(accepted <= 1, "{accepted} forgeries");
    assert_eq!(f.send_at_once("new"), Poll::Ready(200));
}

#[test]
fn senders_that_hang_up_while_the_source_hangs_cost_no_delivery() {
    let f = fixture(Next::Secret("a"));
    assert_eq!(f.send_at_once("a"), Poll::Ready(200));
    f.clock.advance(60 * SECOND);
    f.source.say(Next::Hangs);
    for _ in 0..10 {
        let mut hanging_up = vec![f.sending("forged")];
        done(&mut hanging_up);
        drop(hanging_up);
        let mut genuine = vec![f.sending("a")];
        assert!(done(&mut genuine).is_empty());
        f.clock.advance(SECOND);
        assert!(done(&mut genuine).is_empty());
        // The source is given up after 2 s: what it said last serves on.
        f.clock.advance(2 * SECOND);
        assert_eq!(done(&mut genuine), [200]);
    }
}

#[test]
fn new_names_whose_senders_hang_up_leave_nothing() {
    let f = fixture(Next::Hangs);
    for name in 0..100 {
        let (tenant, runtime) = (name.to_string(), Timed(f.clock.clone()));
        assert!(poll(pin!(f.registry.find("retake", &tenant, runtime))).is_pending());
    }
    assert_eq!(f.registry.shared.providers["retake"].tenants.len(), (0, 0));
}

#[test]
fn a_clock_that_stands_still_is_a_503_and_no_loop() {
    let f = fixture(Next::Secret("a"));
    for answer in [401, 503] {
        let found = block_on(f.registry.find("retake", "acme", at_once)).unwrap();
        assert_eq!((send(&found, "forged"), f.source.asked()), (answer, 1));
    }
}

#[test]
fn a_rotation_to_a_secret_of_another_scheme_costs_no_delivery() {
    const TOKENS: [&str; 2] = ["a secret token", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"];
    for (old, new) in [(TOKENS[0], TOKENS[1]), (TOKENS[1], TOKENS[0])] {
        let f = fixture(Next::Secret(old));
        let send = |secret: &str| {
            let signer = Signer::<GitLab>::new(&Secret::new(secret).unwrap()).id("7");
            let found = block_on(f.registry.find("gitlab", "acme", Hasty(f.clock.clone()))).unwrap();
            let handler = async |_| Ok::<(), ConfigError>(());
            let headers = signer.sign(BODY, NOW).unwrap();
            block_on(found.handle(&headers, BODY, NOW, Hasty(f.clock.clone()), handler)).status()
        };
        assert_eq!((send(old), f.source.asked()), (200, 1));
        f.source.say(Next::Secret(new));
        assert_eq!((send(new), f.source.asked()), (200, 2), "{new}");
    }
}
