//! Raaft.

use countersign_core::provider::{
    Raaft,
    raaft::{Event, Step},
};

use super::{date_time, decimal, delivery, event, misfit, only, text};

/// The page's example.
const DOCUMENTED: &str = r#"{ "appId": "your-app-id", "createdAt": "2024-10-07T08:10:07.558Z", "customer": { "email": "customer@email.com", "id": "customer-id", "name": "Customer Name", "photo": "Photo Url" }, "feedback": "String with feedback", "flowId": "your-flow-id", "motivator": "Missing features or integrations", "outcome": "saved", "path": [ { "stepId": 105, "stepType": "lossAversion" }, { "selectedChoice": { "text": "Missing features or integrations", "type": "product", "choiceId": 2, "isSelected": false }, "stepId": 106, "stepType": "survey" }, { "offerName": "Switch Plans", "stepId": 110, "stepType": "offer" } ], "responseAccepted": { "name": "Switch Plans", "plan": { "amount": 8, "bodyText": "<h6>Basic</h6><h6><br></h6><p><b>10 </b>active users</p><p><b>8</b>&nbsp;flows</p>", "buttonText": "<p>Switch plan</p>", "currency": "USD", "id": "plan-id", "interval": "months", "name": "plan-name" }, "timingOfChange": "period_end", "type": "change-plans" }, "subscription": { "created_at": "2023-03-09T08:11:01.000Z", "currency": "USD", "customer": { "email": "customer@email.com", "id": "customer-id", "name": "Customer Name" }, "id": "subscription-id", "plan": { "amount": 10, "currency": "USD", "id": "current-plan-id", "interval": "month", "name": "current-plan-name" } } }"#;

#[test]
fn the_documented_example_is_typed_in_full() {
    let delivery = delivery::<Raaft>("", DOCUMENTED);
    assert_eq!((delivery.kind().as_deref(), delivery.id()), (Some("saved"), None));
    let saved = only!(delivery.event(), Event::Saved);
    assert_eq!((saved.outcome.as_str(), saved.app_id.unwrap().as_str()), ("saved", "your-app-id"));
    assert_eq!(saved.created_at, date_time("2024-10-07T08:10:07.558Z"));
    assert_eq!(
        (saved.feedback, saved.flow_id.unwrap().as_str()),
        (text("String with feedback"), "your-flow-id")
    );
    assert_eq!(saved.motivator, text("Missing features or integrations"));
    assert!(saved.extra.is_empty());

    let customer = saved.customer.unwrap();
    assert_eq!((customer.id.unwrap().as_str(), customer.email), ("customer-id", text("customer@email.com")));
    assert_eq!((customer.name, customer.photo), (text("Customer Name"), text("Photo Url")));
    assert!(customer.extra.is_empty());

    let [Step::LossAversion(loss), Step::Survey(survey), Step::Offer(offer)] = &saved.path[..] else {
        panic!("{:?}", saved.path)
    };
    assert_eq!(loss.step_id.unwrap(), 105);
    assert_eq!((survey.step_id.unwrap().get(), survey.step_type.as_str()), (106, "survey"));
    let choice = survey.selected_choice.as_ref().unwrap();
    assert_eq!((&choice.text, &choice.kind), (&text("Missing features or integrations"), &text("product")));
    assert_eq!((choice.choice_id.unwrap().get(), choice.is_selected.unwrap().get()), (2, false));
    assert_eq!((offer.step_id.unwrap().get(), &offer.offer_name), (110, &text("Switch Plans")));
    assert!(
        loss.extra.is_empty() && survey.extra.is_empty() && choice.extra.is_empty() && offer.extra.is_empty()
    );

    let accepted = saved.response_accepted.unwrap();
    assert_eq!((accepted.name, accepted.kind), (text("Switch Plans"), text("change-plans")));
    assert_eq!(accepted.timing_of_change, text("period_end"));
    let plan = accepted.plan.unwrap();
    assert_eq!(
        (plan.id.unwrap().as_str(), plan.name, plan.amount),
        ("plan-id", text("plan-name"), decimal("8"))
    );
    assert_eq!(
        (plan.currency, plan.interval, plan.button_text),
        (text("USD"), text("months"), text("<p>Switch plan</p>"))
    );
    assert!(plan.body_text.unwrap().starts_with("<h6>Basic</h6>"));
    assert!(accepted.extra.is_empty() && plan.extra.is_empty());

    let subscription = saved.subscription.unwrap();
    assert_eq!(subscription.created_at, date_time("2023-03-09T08:11:01Z"));
    assert_eq!((subscription.id.unwrap().as_str(), subscription.currency), ("subscription-id", text("USD")));
    assert_eq!(subscription.customer.unwrap().name, text("Customer Name"));
    let plan = subscription.plan.unwrap();
    assert_eq!(
        (plan.id.unwrap().as_str(), plan.name, plan.amount),
        ("current-plan-id", text("current-plan-name"), decimal("10"))
    );
    assert_eq!((plan.currency, plan.interval), (text("USD"), text("month")));
    assert!(subscription.extra.is_empty() && plan.extra.is_empty());
}

#[test]
fn what_a_payment_provider_adds_may_be_absent() {
    for body in [
        r#"{"outcome":"canceled"}"#,
        r#"{"outcome":"cancelled","feedback":null,"motivator":null,"customer":null,"path":null,"subscription":null}"#,
    ] {
        let canceled = only!(event::<Raaft>("", body), Event::Canceled);
        assert_eq!((canceled.feedback, canceled.motivator, canceled.customer), (None, None, None));
        assert!(canceled.path.is_empty() && canceled.subscription.is_none());
    }
}

#[test]
fn an_unknown_step_is_kept_as_it_stands() {
    let body = r#"{"outcome":"aborted","path":[{"stepType":"video","seconds":1.50},{"stepId":1},7]}"#;
    let aborted = only!(event::<Raaft>("", body), Event::Aborted);
    let kept: Vec<_> = aborted
        .path
        .iter()
        .map(|step| match step {
            Step::Other(json) => json.get(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(kept, [r#"{"stepType":"video","seconds":1.50}"#, r#"{"stepId":1}"#, "7"]);
}

#[test]
fn a_misfit_tells_its_path() {
    for (from, to, path) in [
        (r#""amount": 8"#, r#""amount": "eight""#, "responseAccepted.plan.amount"),
        (r#""choiceId": 2"#, r#""choiceId": []"#, "path[1].selectedChoice.choiceId"),
        (r#""stepId": 110"#, r#""stepId": "a""#, "path[2].stepId"),
        ("2023-03-09", "2023-02-30", "subscription.created_at"),
    ] {
        assert_eq!(misfit::<Raaft>("", &DOCUMENTED.replace(from, to)), path);
    }
}
