//! GitLab: pushes, merge requests, issues, pipelines.
//!
//! No signature. GitLab shows the webhook's secret token in `X-Gitlab-Token`
//! (<https://docs.gitlab.com/user/project/integrations/webhooks/>): refused from the headers alone where it does not match. Nothing
//! protects the body but TLS, and whoever learns the token can send anything: have one token an endpoint. A webhook that
//! has no token sends no header, and is refused.
//!
//! The kind is `X-Gitlab-Event` (`Push Hook`, `Merge Request Hook`), the id `X-Gitlab-Event-UUID`. The id is no dedupe key: webhooks that
//! one webhook set off share it. The key is the digest of the body. So two events whose bodies are equal byte for byte are one: a
//! tag that is deleted and made again on the same commit, within the retention, is told of in a body that was handled before. A
//! handler that must not miss it asks GitLab for what is.
//!
//! GitLab tries nothing again by itself, and switches off a webhook that fails: after four failures with a 5xx for a minute and
//! longer each time, after four with a 4xx until somebody switches it on again. So a failure is answered with a 500. A delivery can be
//! sent again by hand. A payload may have 25 MB: raise [`body_limit`](crate::ReceiverBuilder::body_limit) where pushes are large.

use crate::{
    dedupe::{KeyPart, KeyRule},
    provider::{Fields, Retries, Source, provider},
    scheme::Scheme,
};

provider! {
    /// The provider GitLab. See [the module](self).
    pub GitLab {
        const NAME: &'static str = "gitlab";
        const SCHEMES: &'static [Scheme] = &[Scheme::token("x-gitlab-token")];
        const FIELDS: Fields =
            Fields::NONE.id(Source::header("x-gitlab-event-uuid")).kind(Source::header("x-gitlab-event"));
        const KEYS: &'static [KeyRule] = &[KeyRule::of(&[KeyPart::Body])];
        const RETRIES: Retries = Retries::ON_SERVER_ERRORS;
    }
}
