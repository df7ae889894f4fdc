//! GitHub.

use countersign_core::{
    EventError,
    event::Json,
    provider::{GitHub, github::Event},
};
use serde::Deserialize;

use super::{delivery, event, misfit, text};

/// The page's example of a delivery (<https://docs.github.com/en/webhooks/webhook-events-and-payloads>), with what it leaves out.
const DOCUMENTED: &str = r#"{"action":"opened","issue":{"url":"https://api.github.com/repos/octocat/Hello-World/issues/1347","number":1347},"repository":{"id":1296269,"name":"Hello-World","full_name":"octocat/Hello-World","private":false,"owner":{"login":"octocat","id":1,"type":"User"},"default_branch":"master","topics":["octocat"]},"organization":{"login":"github","id":9919,"description":""},"installation":{"id":15,"node_id":"MDIzOkludGVncmF0aW9uSW5zdGFsbGF0aW9uMTU="},"sender":{"login":"octocat","id":1,"type":"User"}}"#;

#[derive(Debug, Deserialize)]
struct Issues {
    issue: Issue,
}

#[derive(Debug, Deserialize)]
struct Issue {
    number: u64,
}

#[test]
fn the_documented_example_is_typed_in_full() {
    let delivery = delivery::<GitHub>("issues", DOCUMENTED);
    assert_eq!((delivery.kind().as_deref(), delivery.timestamp()), (Some("issues"), None));
    let Event { kind, action, sender, repository, organization, installation, payload, .. } =
        delivery.event().unwrap();
    assert_eq!((kind, action), (text("issues"), text("opened")));
    let (sender, repository) = (sender.unwrap(), repository.unwrap());
    assert_eq!((sender.id, sender.login, sender.kind), (Some(1.into()), text("octocat"), text("User")));
    assert_eq!((repository.id, repository.name), (Some(1_296_269.into()), text("Hello-World")));
    assert_eq!(
        (repository.full_name, repository.default_branch),
        (text("octocat/Hello-World"), text("master"))
    );
    assert_eq!(repository.private.map(bool::from), Some(false));
    assert_eq!(repository.owner.unwrap().login, text("octocat"));
    assert_eq!(repository.extra.get("topics").map(Json::get), Some(r#"["octocat"]"#));
    let organization = organization.unwrap();
    assert_eq!((organization.id, organization.login), (Some(9919.into()), text("github")));
    assert_eq!(installation.unwrap().id, Some(15.into()));
    assert_eq!(payload.get(), DOCUMENTED);
}

#[test]
fn a_payload_is_read_as_a_type_of_ones_own() {
    let Event { payload, action, .. } = event::<GitHub<Issues>>("issues", DOCUMENTED).unwrap();
    assert_eq!((payload.issue.number, action), (1347, text("opened")));
    let path = misfit::<GitHub<Issues>>("issues", r#"{"issue":{"number":"1347"}}"#);
    assert_eq!(path, "issue.number");
}

#[test]
fn what_is_common_may_be_missing() {
    for body in
        ["{}", r#"{"action":null,"sender":null,"repository":null,"organization":null,"installation":null}"#]
    {
        let Event { kind, action, sender, repository, organization, installation, .. } =
            event::<GitHub>("", body).unwrap();
        assert!(kind.is_none() && action.is_none() && sender.is_none() && repository.is_none(), "{body}");
        assert!(organization.is_none() && installation.is_none(), "{body}");
    }
    assert_eq!(misfit::<GitHub>("push", r#"{"commits":[],"repository":{"id":"one"}}"#), "repository.id");
}

#[test]
fn a_form_is_genuine_and_cannot_be_typed() {
    let error = event::<GitHub>("ping", "payload=%7B%7D").unwrap_err();
    assert!(matches!(error, EventError::NotJson { .. }), "{error}");
}
