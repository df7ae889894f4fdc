//! Slack.

use countersign_core::{
    EventError,
    provider::{
        Slack,
        slack::{Callback, Event},
    },
};

use super::{delivery, event, misfit, text};

/// The example of Slack's page on the Events API.
const CALLBACK: &str = r#"{"token":"XXYYZZ","team_id":"T123ABC456","api_app_id":"A123ABC456","event":{"type":"name_of_event","event_ts":"1234567890.123456","user":"U123ABC456"},"type":"event_callback","event_context":"EC123ABC456","event_id":"Ev123ABC456","event_time":1234567890,"authorizations":[{"enterprise_id":"E123ABC456","team_id":"T123ABC456","user_id":"U123ABC456","is_bot":false,"is_enterprise_install":false}],"is_ext_shared_channel":false,"context_team_id":"T123ABC456","context_enterprise_id":null}"#;

/// The example of Slack's page on mentions.
const MENTION: &str = r#"{"token":"ZZZZZZWSxiZZZ2yIvs3peJ","team_id":"T123ABC456","api_app_id":"A123ABC456","event":{"type":"app_mention","user":"U123ABC456","text":"What is the hour of the pearl, <@U0LAN0Z89>?","ts":"1515449522.000016","channel":"C123ABC456","event_ts":"1515449522000016"},"type":"event_callback","event_id":"Ev123ABC456","event_time":1515449522000016,"authed_users":["U0LAN0Z89"]}"#;

fn callback(body: &str) -> Callback {
    match event::<Slack>("", body).unwrap() {
        Event::Callback(callback) => callback,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_callback_is_typed_in_full() {
    let delivery = delivery::<Slack>("", CALLBACK);
    assert_eq!(
        (delivery.id().as_deref(), delivery.kind().as_deref()),
        (Some("Ev123ABC456"), Some("name_of_event"))
    );
    let event = callback(CALLBACK);
    assert_eq!((event.event_id.as_str(), event.event_time.unwrap().get()), ("Ev123ABC456", 1_234_567_890));
    assert_eq!((event.kind, event.team_id), (text("event_callback"), text("T123ABC456")));
    assert_eq!(event.api_app_id, text("A123ABC456"));
    assert_eq!((event.token, event.event_context), (text("XXYYZZ"), text("EC123ABC456")));
    assert_eq!((event.context_team_id, event.context_enterprise_id), (text("T123ABC456"), None));
    assert_eq!((event.enterprise_id, event.is_ext_shared_channel.unwrap().get()), (None, false));
    assert!(event.event.get().starts_with(r#"{"type":"name_of_event""#) && event.extra.is_empty());
    let [authorization] = event.authorizations.as_slice() else { panic!("{:?}", event.authorizations) };
    assert_eq!((&authorization.team_id, &authorization.user_id), (&text("T123ABC456"), &text("U123ABC456")));
    assert_eq!(authorization.enterprise_id, text("E123ABC456"));
    assert!(!authorization.is_bot.unwrap().get() && !authorization.is_enterprise_install.unwrap().get());
}

#[test]
fn slacks_own_example_has_microseconds_in_its_time() {
    let event = callback(MENTION);
    assert_eq!(event.event_time.unwrap().get(), 1_515_449_522_000_016);
    assert_eq!(event.extra.get("authed_users").unwrap().get(), r#"["U0LAN0Z89"]"#);
    assert!(event.authorizations.is_empty());
}

#[test]
fn an_event_is_read_as_a_type_of_ones_own() {
    #[derive(Debug, serde::Deserialize)]
    struct Mention {
        channel: String,
    }

    match event::<Slack<Mention>>("", MENTION).unwrap() {
        Event::Callback(callback) => assert_eq!(callback.event.channel, "C123ABC456"),
        other => panic!("{other:?}"),
    }
    assert_eq!(misfit::<Slack<Mention>>("", &MENTION.replace("\"C123ABC456\"", "7")), "event.channel");
}

#[test]
fn a_question_whether_the_url_is_the_apps_is_typed() {
    let body = r#"{"token":"Jhj5dZrVaK7ZwHHjRyZWjbDl","challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P","type":"url_verification"}"#;
    let delivery = delivery::<Slack>("", body);
    assert_eq!((delivery.id(), delivery.kind().as_deref()), (None, Some("url_verification")));
    match delivery.event().unwrap() {
        Event::UrlVerification(question) => {
            assert_eq!(question.challenge, "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn word_that_events_are_held_back_is_typed() {
    let body = r#"{"token":"Jhj5dZrVaK7ZwHHjRyZWjbDl","type":"app_rate_limited","team_id":"T123456","minute_rate_limited":1518467820,"api_app_id":"A123456"}"#;
    match event::<Slack>("", body).unwrap() {
        Event::AppRateLimited(word) => {
            assert_eq!((word.team_id, word.api_app_id), (text("T123456"), text("A123456")));
            assert_eq!(word.minute_rate_limited.unwrap().get(), 1_518_467_820);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn anything_else_is_kept() {
    match event::<Slack>("", r#"{"type":"something_new","x":1}"#).unwrap() {
        Event::Unknown(unknown) => {
            assert_eq!(
                (unknown.kind.as_str(), unknown.raw.get()),
                ("something_new", r#"{"type":"something_new","x":1}"#)
            );
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_form_verifies_and_is_no_event() {
    let form = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&command=%2Fwebhook-collect&text=";
    let delivery = delivery::<Slack>("", form);
    assert_eq!((delivery.id(), delivery.kind(), delivery.body().as_ref()), (None, None, form.as_bytes()));
    assert!(matches!(delivery.event(), Err(EventError::NotJson { .. })));
}
