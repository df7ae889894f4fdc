//! RetentBase.

use countersign_core::{
    Secret, Signer, Timestamp, Verifier,
    provider::{
        RetentBase,
        retentbase::{Environment, Event, OfferKind, Outcome},
    },
};

use super::{date_time, decimal, event, misfit, only, text};

/// Made from the REST API's field list.
const UPDATED: &str = r#"{"environment":"prod","eventId":"evt_1","userId":"user_1","reasonKey":"too_expensive","outcome":"recovered","offer":{"type":"discount","accepted":true,"label":"20% off"},"reasonText":"Too dear","context":{"plan":"pro","mrr":149.99,"tenureDays":412},"occurredAt":"2024-01-15T10:29:58Z","effectiveAt":"2024-02-01","metadata":{"seats":3,"trial":false,"note":null,"team":"a"},"channel":"web"}"#;

#[test]
fn every_field_of_the_api_is_typed() {
    let updated = only!(
        event::<RetentBase>("cancellation.outcome_updated", UPDATED),
        Event::CancellationOutcomeUpdated
    );
    assert_eq!((updated.environment, updated.outcome), (Some(Environment::Prod), Some(Outcome::Recovered)));
    assert_eq!((updated.event_id.unwrap().as_str(), updated.user_id.unwrap().as_str()), ("evt_1", "user_1"));
    assert_eq!(
        (updated.reason_key.unwrap().as_str(), updated.reason_text),
        ("too_expensive", text("Too dear"))
    );
    let offer = updated.offer.unwrap();
    assert_eq!(
        (offer.kind, offer.accepted.unwrap().get(), offer.label),
        (Some(OfferKind::Discount), true, text("20% off"))
    );
    let context = updated.context.unwrap();
    assert_eq!(
        (context.plan.unwrap().as_str(), context.mrr, context.tenure_days.unwrap().get()),
        ("pro", decimal("149.99"), 412)
    );
    assert_eq!(
        (updated.occurred_at, updated.effective_at),
        (date_time("2024-01-15T10:29:58Z"), date_time("2024-02-01"))
    );
    assert_eq!(updated.metadata.unwrap().get(), r#"{"seats":3,"trial":false,"note":null,"team":"a"}"#);
    assert_eq!(updated.extra.get("channel").unwrap().get(), r#""web""#);
}

#[test]
fn every_field_may_be_absent() {
    let created = only!(event::<RetentBase>("cancellation.created", "{}"), Event::CancellationCreated);
    assert_eq!((created.environment, created.outcome, created.offer), (None, None, None));
}

#[test]
fn a_new_word_is_kept() {
    let body = r#"{"environment":"staging","outcome":"paused","offer":{"type":"gift"}}"#;
    let created = only!(event::<RetentBase>("cancellation.created", body), Event::CancellationCreated);
    assert_eq!(created.environment.unwrap().as_str(), "staging");
    assert_eq!(created.outcome, Some(Outcome::Other("paused".to_owned())));
    assert_eq!(created.offer.unwrap().kind.unwrap().as_str(), "gift");
}

#[test]
fn what_stands_in_headers_is_told() {
    let (secret, now) = (Secret::new("rb_secret").unwrap(), Timestamp::from_unix_seconds(1_705_689_600));
    let signer = Signer::<RetentBase>::new(&secret).id("dlv_1").event_id("evt_1");
    let signer = signer.kind("cancellation.created").attempt(3);
    let delivery = Verifier::<RetentBase>::new(&secret)
        .unwrap()
        .verify(&signer.sign(UPDATED, now).unwrap(), UPDATED, now)
        .unwrap();
    assert_eq!((delivery.id().as_deref(), delivery.attempt()), (Some("dlv_1"), Some(3)));
    assert_eq!(delivery.event_id().as_deref(), Some("evt_1"));
    assert_eq!((delivery.kind().as_deref(), delivery.timestamp()), (Some("cancellation.created"), Some(now)));
}

#[test]
fn a_misfit_tells_its_path() {
    let changed = UPDATED.replace("149.99", "[]");
    assert_eq!(misfit::<RetentBase>("cancellation.created", &changed), "context.mrr");
    assert_eq!(misfit::<RetentBase>("cancellation.created", "[]"), ".");
}
