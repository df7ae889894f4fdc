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
//! The kind is `X-Gitlab-Event` (`Push Hook`, `Merge Request Hook`), which is not signed. The id is `webhook-id` where there is a
//! signature, which signs it, and otherwise `Idempotency-Key` (since GitLab 17.4). Both hold the same value, which is the same at
//! every attempt: it is the dedupe key. Without one, the key is the digest of the body. Then two events whose bodies are equal byte
//! for byte are one, such as a tag that is deleted and made again on the same commit.
//!
//! GitLab retries nothing by itself, and switches off a webhook that fails. Since 17.11 it counts 4xx and 5xx alike: four failures in a row
//! switch the webhook off for a while, and forty switch it off until somebody switches it on again. A delivery can be sent again
//! by hand. A payload may have 25 MB, so 25 MiB are taken by default.

use crate::{
    dedupe::{KeyPart, KeyRule},
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
    }
}
