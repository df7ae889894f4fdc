//! GitLab: pushes, merge requests, issues, pipelines.
//!
//! A webhook has a signing token, a secret token, or both (<https://docs.gitlab.com/user/project/integrations/webhooks/>). Configure
//! each that it has: `Secrets::new([signing_token, secret_token])`. The two are told apart by the prefix `whsec_`.
//!
//! - **Signing token** (`whsec_..`, since GitLab 19.0): Standard Webhooks. `webhook-signature: v1,<base64>` is HMAC-SHA256 over
//!   `{webhook-id}.{webhook-timestamp}.{raw body}`, good for 300 s both ways. Where a signing token is configured and the header is
//!   there, the signature decides, and the secret token is not looked at.
//! - **Secret token**: `X-Gitlab-Token` shows it. Nothing protects the body but TLS, and whoever learns the token can send anything.
//!   A wrong token is refused before the body is read.
//!
//! While both are configured, whoever learned the secret token can leave the signature away. So configure the signing token alone, or
//! [`require_timestamp`](crate::ReceiverBuilder::require_timestamp), once every webhook of the endpoint has one. A webhook that
//! has neither token is refused.
//!
//! The kind is `X-Gitlab-Event` (`Push Hook`, `Merge Request Hook`), which is not signed. Where the body's `object_kind` belongs to
//! another kind, the delivery is refused. The id is `webhook-id` where there is a
//! signature, which signs it, and otherwise `Idempotency-Key` (since GitLab 17.4). Both hold the same value, which is the same at
//! every attempt: it is the dedupe key. Without one, the key is the digest of the body. Then two events whose bodies are equal byte
//! for byte are one, such as a tag that is deleted and made again on the same commit.
//!
//! GitLab retries nothing by itself, and switches off a webhook that fails. Since 17.11 it counts 4xx and 5xx alike: four failures in a row
//! switch the webhook off for a while, and forty switch it off until somebody switches it on again. A delivery can be sent again
//! by hand. A payload may have 25 MB, so 25 MiB are taken by default.

use crate::{
    dedupe::{KeyPart, KeyRule},
    delivery::Delivery,
    error::VerifyError,
    json,
    provider::{Fields, Retries, Source, provider},
    scheme::{Encoding, KeyEncoding, Scheme, TimestampSource},
    time::{TimestampFormat, Tolerance},
};

provider! {
    /// The provider GitLab. See [the module](self).
    pub GitLab {
        const NAME: &'static str = "gitlab";
        const SCHEMES: &'static [Scheme] = &[
            Scheme::hmac_sha256("webhook-signature")
                .versioned("v1")
                .encoding(Encoding::Base64)
                .key(KeyEncoding::Whsec)
                .secrets_with_prefix("whsec_")
                .timestamp(TimestampSource::header("webhook-timestamp"), TimestampFormat::UnixSeconds)
                .tolerance(Tolerance::from_secs(300))
                .id_header("webhook-id")
                .signs("{id}.{timestamp}.{body}"),
            Scheme::token("x-gitlab-token"),
        ];
        const FIELDS: Fields =
            Fields::NONE.id(Source::header("idempotency-key")).kind(Source::header("x-gitlab-event"));
        // Where the id is not signed, the request shows the secret: whoever can choose the id can make whole deliveries.
        const KEYS: &'static [KeyRule] = &[KeyRule::of(&[KeyPart::Id]).or(&[KeyPart::Body])];
        const RETRIES: Retries = Retries::ON_SERVER_ERRORS;
        const BODY_LIMIT: usize = 25 << 20;

        fn check(delivery: &Delivery<Self>) -> Result<(), VerifyError> {
            let object = json::member(delivery.body(), "object_kind").and_then(json::string);
            match (delivery.field_kind(), object) {
                (Some(kind), Some(object)) if contradict(&kind, &object) => match delivery.kind_is_configured() {
                    true => Err(VerifyError::WrongEndpoint),
                    false => Err(VerifyError::Contradiction { name: KIND.into() }),
                },
                _ => Ok(()),
            }
        }
    }
}

/// The header that names the kind.
const KIND: &str = "x-gitlab-event";

/// Each `object_kind` with the kinds that it comes with (<https://docs.gitlab.com/user/project/integrations/webhook_events/>). Work
/// items come as issues do.
const OBJECTS: &[(&str, &[&str])] = &[
    ("access_token", &["Resource Access Token Hook"]),
    ("build", &["Job Hook", "Build Hook"]),
    ("deployment", &["Deployment Hook"]),
    ("emoji", &["Emoji Hook"]),
    ("feature_flag", &["Feature Flag Hook"]),
    ("issue", &["Issue Hook", "Confidential Issue Hook"]),
    ("merge_request", &["Merge Request Hook"]),
    ("note", &["Note Hook", "Confidential Note Hook"]),
    ("pipeline", &["Pipeline Hook"]),
    ("push", &["Push Hook"]),
    ("release", &["Release Hook"]),
    ("tag_push", &["Tag Push Hook"]),
    ("wiki_page", &["Wiki Page Hook"]),
    ("work_item", &["Issue Hook", "Confidential Issue Hook"]),
];

/// Whether both are known, and do not come together. System hooks and kinds to come are not in the table.
fn contradict(kind: &str, object: &str) -> bool {
    let known = OBJECTS.iter().any(|(_, kinds)| kinds.contains(&kind));
    let own = OBJECTS.iter().find(|(known, _)| *known == object);
    known && own.is_some_and(|(_, kinds)| !kinds.contains(&kind))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Secret, Timestamp, Verifier};

    #[test]
    fn a_body_of_another_kind_is_refused_wherever_the_kind_comes_from() {
        let verdict = |configured: Option<&str>, sent: &str, body: &str| {
            let builder = || Verifier::<GitLab>::builder(Secret::new("token").unwrap());
            let verifier = configured.map_or_else(builder, |kind| builder().kind(kind)).build().unwrap();
            let headers = [("X-Gitlab-Token", "token"), ("X-Gitlab-Event", sent)];
            verifier.verify(&headers, body, Timestamp::from_unix_seconds(0)).map(drop)
        };
        const PUSH: &str = r#"{"object_kind":"push","ref":"refs/heads/main"}"#;
        for (sent, body) in [
            ("Push Hook", PUSH),
            ("System Hook", PUSH),
            ("A Hook To Come", PUSH),
            ("Confidential Issue Hook", r#"{"object_kind":"work_item"}"#),
            ("Push Hook", r#"{"object_kind":"a_kind_to_come"}"#),
            ("Member Hook", r#"{"event_name":"user_add_to_group"}"#),
        ] {
            assert_eq!(verdict(None, sent, body), Ok(()), "{sent} {body}");
        }
        let other = Err(VerifyError::Contradiction { name: KIND.into() });
        assert_eq!(verdict(None, "Issue Hook", PUSH), other);
        assert_eq!(verdict(None, "Push Hook", r#"{"object_kind":"note"}"#), other);
        assert_eq!(verdict(Some("Note Hook"), "Push Hook", PUSH), Err(VerifyError::WrongEndpoint));
        assert_eq!(verdict(Some("Push Hook"), "Note Hook", PUSH), Ok(()));
    }
}
