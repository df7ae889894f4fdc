//! GitHub: repositories, organizations and apps, and everything that happens in them.
//!
//! Signature: `X-Hub-Signature-256: sha256=<hex>`, HMAC-SHA256 over the raw body, keyed by the webhook's secret
//! (<https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries>). `X-Hub-Signature`, of SHA-1, comes beside and is not taken. A
//! webhook that has no secret sends no signature, and is refused. There is no timestamp, so a captured delivery can be played again
//! once its dedupe key's retention has ended.
//!
//! The kind (`X-GitHub-Event`) and the delivery's id (`X-GitHub-Delivery`) stand in headers that are not signed. So the dedupe
//! key is the digest of the signed body: a replay is caught under whatever headers it comes, and so is a delivery that is sent again
//! by hand. The id is no key: whoever captured one delivery could occupy the id of a later one.
//!
//! Two deliveries whose bodies are equal byte for byte count as one. A label that is renamed, renamed back and renamed again causes
//! three deliveries, and the first and the last can have equal bodies. The same holds for everything that can be undone and has no
//! time in its body, such as the members of a team. A handler that must not miss the last change asks GitHub's API for the state.
//!
//! A kind whose payloads always have a key that the body lacks contradicts the body, and is refused: `push` over an issue. Kinds
//! that are not in GitHub's published schemas pass, and so do those whose keys the body has (`issues` over an issue's comment).
//! **So whoever captures a delivery before it arrives can present it once as such a kind, and the delivery itself is then a
//! duplicate.** Where that matters, serve each kind at an endpoint of its own, with a webhook and a secret of its own, and configure it
//! ([`ReceiverBuilder::kind`](crate::ReceiverBuilder::kind)). Under one secret, a captured delivery can be presented at each of these
//! endpoints instead: there a body that contradicts the configured kind is a 500.
//!
//! GitHub tries nothing again by itself (<https://docs.github.com/en/webhooks/using-webhooks/handling-failed-webhook-deliveries>). Deliveries of the
//! last three days can be sent again by hand or by the API, with their old id: one that was handled is answered without a second run.
//!
//! A payload may have 25 MB (<https://docs.github.com/en/webhooks/webhook-events-and-payloads>), and one that is refused for its size is not
//! sent again: so 25 MiB are taken by default.
//!
//! Set the webhook's content type to `application/json`. A form (`payload=..`) verifies, and cannot be typed.

use std::time::Duration;

use serde::Deserialize;

use crate::{
    dedupe::{KeyPart, KeyRule},
    delivery::Delivery,
    error::{EventError, VerifyError},
    event::{Flag, Integer, Json, model, parse},
    json,
    provider::{Fields, Payload, Retries, Source, provider},
    scheme::Scheme,
};

provider! {
    /// The provider GitHub. See [the module](self).
    pub GitHub {
        type Event = Event<T>;
        const NAME: &'static str = "github";
        const SCHEMES: &'static [Scheme] = &[Scheme::hmac_sha256("x-hub-signature-256").prefix("sha256=")];
        const FIELDS: Fields =
            Fields::NONE.id(Source::header("x-github-delivery")).kind(Source::header(KIND));
        const KEYS: &'static [KeyRule] = &[KeyRule::of(&[KeyPart::Body])];
        /// For as long as a delivery can be sent again.
        const RETRIES: Retries = Retries::ON_ANY_FAILURE.within(Duration::from_secs(3 * 24 * 60 * 60));
        const BODY_LIMIT: usize = 25 << 20;

        fn event(delivery: &Delivery<Self>) -> Result<Event<T>, EventError> {
            Event::of(delivery)
        }

        fn check(delivery: &Delivery<Self>) -> Result<(), VerifyError> {
            let (named, body) = (delivery.field_kind(), delivery.body());
            let own = named.and_then(|kind| KEYED.iter().find(|(keyed, _)| *keyed == kind));
            match own {
                // GitHub asks every new webhook by a ping, whatever kinds it is for.
                Some((_, key)) if lacks(body, key) => match delivery.kind_is_configured() {
                    true if is_ping(body) => Ok(()),
                    true => Err(VerifyError::WrongEndpoint),
                    false => Err(VerifyError::Contradiction { name: KIND.into() }),
                },
                _ => Ok(()),
            }
        }
    }
}

/// The header that names the kind.
const KIND: &str = "x-github-event";

/// Whether a body is JSON, and no object with this key. A form has its JSON in a field.
fn is_ping(body: &[u8]) -> bool {
    json::member(body, "zen").is_some() && json::member(body, "hook").is_some()
}

fn lacks(body: &[u8], key: &str) -> bool {
    json::starts_structure(body) && json::member(body, key).is_none()
}

/// Each kind with a key that its payloads always have, of those that have one in GitHub's schemas
/// (<https://github.com/octokit/webhooks>, `payload-schemas`).
const KEYED: &[(&str, &str)] = &[
    ("branch_protection_rule", "rule"),
    ("check_run", "check_run"),
    ("check_suite", "check_suite"),
    ("code_scanning_alert", "alert"),
    ("commit_comment", "comment"),
    ("create", "ref_type"),
    ("custom_property", "definition"),
    ("delete", "ref_type"),
    ("dependabot_alert", "alert"),
    ("deploy_key", "key"),
    ("deployment", "deployment"),
    ("deployment_status", "deployment_status"),
    ("discussion", "discussion"),
    ("discussion_comment", "comment"),
    ("fork", "forkee"),
    ("gollum", "pages"),
    ("installation_repositories", "repositories_added"),
    ("issue_comment", "comment"),
    ("issues", "issue"),
    ("label", "label"),
    ("marketplace_purchase", "marketplace_purchase"),
    ("member", "member"),
    ("membership", "scope"),
    ("merge_group", "merge_group"),
    ("meta", "hook"),
    ("milestone", "milestone"),
    ("org_block", "blocked_user"),
    ("package", "package"),
    ("page_build", "build"),
    ("ping", "zen"),
    ("project", "project"),
    ("project_card", "project_card"),
    ("project_column", "project_column"),
    ("projects_v2_item", "projects_v2_item"),
    ("pull_request", "pull_request"),
    ("pull_request_review", "review"),
    ("pull_request_review_comment", "comment"),
    ("pull_request_review_thread", "thread"),
    ("push", "commits"),
    ("registry_package", "registry_package"),
    ("release", "release"),
    ("repository_vulnerability_alert", "alert"),
    ("secret_scanning_alert", "alert"),
    ("secret_scanning_alert_location", "location"),
    ("security_advisory", "security_advisory"),
    ("sponsorship", "sponsorship"),
    ("star", "starred_at"),
    ("status", "sha"),
    ("team", "team"),
    ("team_add", "team"),
    ("workflow_dispatch", "workflow"),
    ("workflow_job", "workflow_job"),
    ("workflow_run", "workflow_run"),
];

/// An event from GitHub: what all of them have in common, and the whole body as JSON text or as a type of yours.
///
/// Each field is there where GitHub sends it: the kinds differ in that
/// (<https://docs.github.com/en/webhooks/webhook-events-and-payloads>).
///
/// ```
/// use countersign_core::{Secret, Signer, Timestamp, Verifier, provider::GitHub};
///
/// #[derive(Debug, serde::Deserialize)]
/// struct Issues {
///     issue: Issue,
/// }
///
/// #[derive(Debug, serde::Deserialize)]
/// struct Issue {
///     number: u64,
/// }
///
/// let body = r#"{"action":"opened","issue":{"number":1347},"sender":{"login":"octocat","id":1}}"#;
/// let (secret, now) = (Secret::new("a secret")?, Timestamp::from_unix_seconds(0));
/// let headers = Signer::<GitHub<Issues>>::new(&secret).kind("issues").sign(body, now)?;
///
/// let event = Verifier::<GitHub<Issues>>::new(&secret)?.verify(&headers, body, now)?.event()?;
/// assert_eq!((event.kind.as_deref(), event.action.as_deref()), (Some("issues"), Some("opened")));
/// assert_eq!(event.payload.issue.number, 1347);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Event<T = Json> {
    /// The kind, as configured for the endpoint or as `X-GitHub-Event` has it: `push`, `issues`. Not signed in the header.
    pub kind: Option<String>,
    /// The delivery's id, as `X-GitHub-Delivery` has it. Not signed.
    pub delivery_id: Option<String>,
    /// What happened, for kinds that have several: `opened`, `closed`.
    pub action: Option<String>,
    /// Who set it off.
    pub sender: Option<Account>,
    /// Where it happened.
    pub repository: Option<Repository>,
    /// The organization that the webhook or the repository belongs to.
    pub organization: Option<Account>,
    /// The app's installation, for webhooks of a GitHub App.
    pub installation: Option<Installation>,
    /// The whole body.
    pub payload: T,
}

impl<T: Payload> Event<T> {
    fn of(delivery: &Delivery<GitHub<T>>) -> Result<Self, EventError> {
        let kind = delivery.kind();
        let name = kind.as_deref().unwrap_or_default();
        let Common { action, sender, repository, organization, installation } =
            parse(name, "", delivery.body())?;
        let payload = parse(name, "", delivery.body())?;
        let delivery_id = delivery.id().map(Into::into);
        Ok(Self {
            kind: kind.map(Into::into),
            delivery_id,
            action,
            sender,
            repository,
            organization,
            installation,
            payload,
        })
    }
}

/// What the page lists as common to all payloads.
#[derive(Deserialize)]
struct Common {
    action: Option<String>,
    sender: Option<Account>,
    repository: Option<Repository>,
    organization: Option<Account>,
    installation: Option<Installation>,
}

model! {
    /// A user or an organization.
    pub struct Account {
        /// Its id, which stays when it is renamed.
        id: Option<Integer>,
        /// Its name.
        login: Option<String>,
        /// `User`, `Bot` or `Organization`; organizations as such have none.
        kind as "type": Option<String>,
    }

    /// A repository.
    pub struct Repository {
        /// Its id, which stays when it is renamed or moved.
        id: Option<Integer>,
        /// Its name.
        name: Option<String>,
        /// Its owner's name and its own: `octocat/Hello-World`.
        full_name: Option<String>,
        /// Whether it is private.
        private: Option<Flag>,
        /// Its owner.
        owner: Option<Account>,
        /// The branch that is checked out unless told otherwise.
        default_branch: Option<String>,
    }

    /// An installation of a GitHub App.
    pub struct Installation {
        /// Its id.
        id: Option<Integer>,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Secret, Signer, Timestamp, Verifier};

    fn check(configured: Option<&str>, sent: &str, body: &str, expected: Result<(), VerifyError>) {
        let (secret, now) = (Secret::new("secret").unwrap(), Timestamp::from_unix_seconds(0));
        let headers = Signer::<GitHub>::new(&secret).kind(sent).sign(body, now).unwrap();
        let builder = || Verifier::<GitHub>::builder(secret.clone());
        let verifier = configured.map_or_else(builder, |kind| builder().kind(kind)).build().unwrap();
        assert_eq!(verifier.verify(&headers, body, now).map(drop), expected, "{configured:?} {sent} {body}");
    }

    #[test]
    fn a_body_that_contradicts_its_kind_is_refused_wherever_the_kind_comes_from() {
        const ISSUE: &str = r#"{"action":"opened","issue":{"id":1}}"#;
        const PING: &str = r#"{"zen":"Keep it logically awesome.","hook_id":1,"hook":{"id":1}}"#;
        check(None, "issues", ISSUE, Ok(()));
        check(None, "push", ISSUE, Err(VerifyError::Contradiction { name: KIND.into() }));
        check(Some("issues"), "push", ISSUE, Ok(()));
        check(Some("push"), "issues", ISSUE, Err(VerifyError::WrongEndpoint));
        check(Some("push"), "push", r#"{"commits":[]}"#, Ok(()));
        check(Some("push"), "ping", PING, Ok(()));
        check(Some("a-kind-to-come"), "issues", ISSUE, Ok(()));
    }
}
