//! What single providers ask of an endpoint beyond their signatures: tolerances, statuses, limits, secrets.

use std::time::Duration;

use countersign::{
    ConfigError, MemoryStore, Provider, Receiver, ReceiverBuilder, Secret, Signer, Timestamp, Tolerance,
    provider::{Calendly, Paddle, Recharge, Retake},
};

const NOW: Timestamp = Timestamp::from_unix_seconds(1_705_689_600);
const DAY: u64 = 24 * 60 * 60;

fn secret() -> Secret {
    Secret::new("a secret").unwrap()
}

fn built<P: Provider>(
    set_up: impl Fn(ReceiverBuilder<P>) -> ReceiverBuilder<P>,
) -> Result<Receiver<P>, ConfigError> {
    set_up(Receiver::builder(secret()).store(MemoryStore::new(10))).build()
}

fn refusal<P: Provider>(set_up: impl Fn(ReceiverBuilder<P>) -> ReceiverBuilder<P>) -> String {
    built(set_up).unwrap_err().to_string()
}

#[test]
fn a_tolerance_of_the_users_own_decides() {
    let age = |receiver: &Receiver<Calendly>, seconds| {
        let sent = NOW.saturating_sub(Duration::from_secs(seconds));
        let headers = Signer::<Calendly>::new(&secret()).sign("{}", sent).unwrap();
        receiver.verifier().verify(&headers, "{}", NOW).is_ok()
    };
    let own = built::<Calendly>(|b| b).unwrap();
    assert!(age(&own, 180) && !age(&own, 181));
    let wider = built::<Calendly>(|b| b.tolerance(Tolerance::from_secs(3600))).unwrap();
    assert!(age(&wider, 3600) && !age(&wider, 3601));
    let narrower = built::<Calendly>(|b| b.tolerance(Tolerance::from_secs(10))).unwrap();
    assert!(age(&narrower, 10) && !age(&narrower, 11));
}

#[test]
fn a_tolerance_is_bounded() {
    let check = |seconds, allowed| {
        let tolerance = Tolerance::from_secs(seconds);
        match allowed {
            true => drop(built::<Paddle>(|b| b.tolerance(tolerance)).unwrap()),
            false => {
                assert!(refusal::<Paddle>(|b| b.tolerance(tolerance)).contains("tolerance is out of range"))
            }
        }
    };
    check(0, false);
    check(1, true);
    check(DAY, true);
    check(DAY + 1, false);
    check(u64::MAX, false);
    assert!(
        refusal::<Paddle>(|b| b.tolerance(Tolerance::from_secs(5).ahead(DAY + 1))).contains("out of range")
    );
    assert!(refusal::<Paddle>(|b| b.tolerance(Tolerance::from_secs(0).ahead(60))).contains("out of range"));
    // Recharge's own is two days.
    assert!(built::<Recharge>(|b| b.tolerance(Tolerance::from_secs(2 * DAY))).is_ok());
    assert!(refusal::<Recharge>(|b| b.tolerance(Tolerance::from_secs(2 * DAY + 1))).contains("out of range"));
    assert!(refusal::<Retake>(|b| b.tolerance(Tolerance::from_secs(300))).contains("remove tolerance(..)"));
}

#[test]
fn the_retention_follows_the_tolerance() {
    let hours = |receiver: Receiver<Calendly>| receiver.retention().as_secs() / 3600;
    // Calendly tries for 24 h.
    assert_eq!(hours(built(|b| b).unwrap()), 30);
    assert_eq!(hours(built(|b| b.tolerance(Tolerance::from_secs(DAY))).unwrap()), 48);
    assert_eq!(hours(built(|b| b.tolerance(Tolerance::from_secs(DAY).ahead(3600))).unwrap()), 30);
    let short = Duration::from_secs(2 * DAY - 1);
    let tolerance = Tolerance::from_secs(DAY);
    for refused in [
        refusal::<Calendly>(|b| b.tolerance(tolerance).retention(short)),
        refusal::<Calendly>(|b| b.retention(short).tolerance(tolerance)),
    ] {
        assert!(refused.contains("the tolerance behind and ahead together"), "{refused}");
    }
    assert_eq!(hours(built(|b| b.retention(Duration::from_secs(2 * DAY)).tolerance(tolerance)).unwrap()), 48);
}
