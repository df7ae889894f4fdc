//! `Handshake`: how a provider asks whether an endpoint is yours before it sends to it, and what it wants to hear.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::{
    json,
    scheme::{Algorithm, Flaw, Scheme, equal, flaw, is_path, put, text},
};

/// A question that a provider asks to learn whether an endpoint is yours. It is no event: no handler runs, no store is asked.
///
/// ```
/// use countersign_core::{
///     Description,
///     provider::{BodyHandshake, Handshake, QueryHandshake, ReplyRule},
///     scheme::Scheme,
/// };
///
/// // As Slack does.
/// let question = BodyHandshake::new("type", "url_verification", ReplyRule::echo("challenge"));
/// // As Meta does.
/// let query = QueryHandshake::echo("hub.challenge").mode("hub.mode", "subscribe").token("hub.verify_token");
/// let acme = Description::new("acme", [Scheme::hmac_sha256("x-acme-signature")])
///     .handshake(Handshake::Body(question))
///     .handshake(Handshake::Query(query));
/// assert!(acme.check().is_ok());
///
/// // The same in TOML.
/// let read: Description = toml::from_str(
///     r#"
///     name = "acme"
///
///     [[scheme]]
///     algorithm = "hmac-sha256"
///     header = "X-Acme-Signature"
///
///     [[handshake]]
///     body = { field = "type", value = "url_verification", reply = { echo = "challenge" } }
///
///     [[handshake]]
///     query = { echo = "hub.challenge", mode = { name = "hub.mode", value = "subscribe" }, token = "hub.verify_token" }
///     "#,
/// )?;
/// assert_eq!(read.handshakes(), acme.handshakes());
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Handshake {
    /// A `GET` whose query holds a text to be sent back. Nothing signs it: a provider may show a token of yours in its place.
    Query(QueryHandshake),
    /// A delivery whose body asks. It is answered after it was verified, and refused as any other when it is not genuine.
    Body(BodyHandshake),
}

/// A handshake in the query of a `GET`.
///
/// The text is sent back as `text/plain` that no browser may take for anything else, and only where it is of 1 to 256 visible
/// ASCII characters, with neither `<` nor `>`: without a token, anybody may ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct QueryHandshake {
    pub(crate) echo: Cow<'static, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) mode: Option<Mode>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<Cow<'static, str>>,
}

/// A parameter that has one value in every handshake.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mode {
    pub(crate) name: Cow<'static, str>,
    pub(crate) value: Cow<'static, str>,
}

impl QueryHandshake {
    /// One that wants the value of this parameter back.
    pub const fn echo(parameter: &'static str) -> Self {
        Self { echo: Cow::Borrowed(parameter), mode: None, token: None }
    }

    /// The parameter that has this value in every handshake.
    #[must_use]
    pub const fn mode(mut self, parameter: &'static str, value: &'static str) -> Self {
        put(&mut self.mode, Some(Mode { name: Cow::Borrowed(parameter), value: Cow::Borrowed(value) }));
        self
    }

    /// The parameter that shows the verify token: a text of your own that you gave to the provider, and give to the verifier by
    /// [`verify_token`](crate::VerifierBuilder::verify_token).
    #[must_use]
    pub const fn token(mut self, parameter: &'static str) -> Self {
        put(&mut self.token, Some(Cow::Borrowed(parameter)));
        self
    }

    const fn flaw(&self) -> Option<Flaw> {
        const NAMES: &str = "the query's parameters need names, each another one";
        let echo = text(&self.echo);
        if echo.is_empty() {
            return Some(flaw("query.echo", NAMES));
        }
        if let Some(mode) = &self.mode
            && (text(&mode.name).is_empty() || equal(text(&mode.name), echo))
        {
            return Some(flaw("query.mode", NAMES));
        }
        match (&self.token, &self.mode) {
            (Some(token), _) if text(token).is_empty() || equal(text(token), echo) => {
                Some(flaw("query.token", NAMES))
            }
            (Some(token), Some(mode)) if equal(text(token), text(&mode.name)) => {
                Some(flaw("query.token", NAMES))
            }
            _ => None,
        }
    }
}

/// A handshake in the body of a delivery.
///
/// One that lacks what is to be sent back, or holds it as anything but the text that its [`ReplyRule`] allows, is taken for a
/// delivery as any other, and goes to the handler: when in doubt, nothing is lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct BodyHandshake {
    pub(crate) field: Cow<'static, str>,
    pub(crate) value: Cow<'static, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) without: Option<Cow<'static, str>>,
    pub(crate) reply: ReplyRule,
}

impl BodyHandshake {
    /// One whose body has this value, a string or a number, at the end of this path: object keys and array indexes, joined by
    /// dots.
    pub const fn new(path: &'static str, value: &'static str, reply: ReplyRule) -> Self {
        Self { field: Cow::Borrowed(path), value: Cow::Borrowed(value), without: None, reply }
    }

    /// A path at which a handshake has nothing, and deliveries that look like one have something.
    #[must_use]
    pub const fn without(mut self, path: &'static str) -> Self {
        put(&mut self.without, Some(Cow::Borrowed(path)));
        self
    }

    const fn flaw(&self, schemes: &[Scheme]) -> Option<Flaw> {
        const PATH: &str =
            "a path is of object keys and array indexes, joined by dots, and none of them empty";
        if !is_path(text(&self.field)) {
            return Some(flaw("body.field", PATH));
        }
        if text(&self.value).is_empty() {
            return Some(flaw("body.value", "an empty value tells no handshake from a delivery"));
        }
        match &self.without {
            Some(path) if !is_path(text(path)) => return Some(flaw("body.without", PATH)),
            Some(path) if equal(text(path), text(&self.field)) => {
                return Some(flaw("body.without", "the field cannot have a value and be missing"));
            }
            _ => {}
        }
        match &self.reply {
            ReplyRule::Echo(path) | ReplyRule::EchoJson(path) if !is_path(text(path)) => {
                Some(flaw("body.reply", PATH))
            }
            ReplyRule::HmacSha256 { token, .. } if !is_path(text(token)) => Some(flaw("body.reply", PATH)),
            ReplyRule::HmacSha256 { name, .. } if text(name).is_empty() => {
                Some(flaw("body.reply", "the digest needs the name of its field"))
            }
            // Whoever shows a token, or signs by anything weaker, must not be told what the secret makes of a text.
            ReplyRule::HmacSha256 { .. } if !all_are_hmac_sha256(schemes) => {
                Some(flaw("body.reply", "each scheme must be of \"hmac-sha256\", as the reply is"))
            }
            // The sender chooses the token, so its digest must be a signature of nothing.
            ReplyRule::HmacSha256 { .. } if !all_are_never_tokens(schemes) => Some(flaw(
                "body.reply",
                "the digest of a token could serve as the signature of a body: let each scheme's body be \"json-structure\", or sign a \
                    fixed text with a character that no token holds, as in `v0:{timestamp}:{body}`",
            )),
            ReplyRule::Json(json) if !matches!(text(json).as_bytes(), [b'{', .., b'}']) => {
                Some(flaw("body.reply", "a fixed reply is a JSON object"))
            }
            _ => None,
        }
    }
}

const fn all_are_never_tokens(schemes: &[Scheme]) -> bool {
    let mut rest = schemes;
    while let [scheme, others @ ..] = rest {
        if !scheme.is_never_token() {
            return false;
        }
        rest = others;
    }
    true
}

const fn all_are_hmac_sha256(schemes: &[Scheme]) -> bool {
    let mut rest = schemes;
    while let [scheme, others @ ..] = rest {
        if !matches!(scheme.algorithm, Algorithm::HmacSha256) {
            return false;
        }
        rest = others;
    }
    true
}

/// What a [`BodyHandshake`] is answered, by a 200 unless told otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum ReplyRule {
    /// The text at the end of this path, as `text/plain`: of 1 to 256 visible ASCII characters, with neither `<` nor `>`.
    Echo(Cow<'static, str>),
    /// The same as a JSON object, under the name that it has in the body.
    EchoJson(Cow<'static, str>),
    /// A JSON object with the token at the end of this path, under its name, and the token's HMAC-SHA256 in hex, keyed by the
    /// secret that signed the delivery.
    ///
    /// A token is of 1 to 256 letters, digits and `+ / = _ - .`: an object or an array, which are what is signed, is none, so that no
    /// reply is a signature.
    #[non_exhaustive]
    HmacSha256 {
        /// Where the token stands.
        token: Cow<'static, str>,
        /// The name of the field that holds the digest.
        name: Cow<'static, str>,
    },
    /// A JSON object that is always the same.
    Json(Cow<'static, str>),
    /// A 204, which has no body.
    NoContent,
}

impl ReplyRule {
    /// The text at the end of this path, as `text/plain`.
    pub const fn echo(path: &'static str) -> Self {
        Self::Echo(Cow::Borrowed(path))
    }

    /// The text at the end of this path, in a JSON object, under its own name.
    pub const fn echo_json(path: &'static str) -> Self {
        Self::EchoJson(Cow::Borrowed(path))
    }

    /// The token at the end of this path and its digest under this name, in a JSON object.
    pub const fn hmac_sha256(token: &'static str, name: &'static str) -> Self {
        Self::HmacSha256 { token: Cow::Borrowed(token), name: Cow::Borrowed(name) }
    }

    /// This JSON object.
    pub const fn json(object: &'static str) -> Self {
        Self::Json(Cow::Borrowed(object))
    }
}

impl Handshake {
    /// Stops the compiler at a provider whose handshakes cannot be safe, or cannot work.
    #[expect(clippy::panic, reason = "evaluated when the program is compiled")]
    pub(crate) const fn assert_sound(handshakes: &[Self], schemes: &[Scheme]) {
        if let Some((_, flaw)) = Self::flaw_of_all(handshakes, schemes) {
            panic!("{}", flaw.problem);
        }
    }

    /// The first flaw, and which handshake has it.
    pub(crate) const fn flaw_of_all(handshakes: &[Self], schemes: &[Scheme]) -> Option<(usize, Flaw)> {
        let (mut queries, mut rest, mut index) = (false, handshakes, 0_usize);
        while let [handshake, others @ ..] = rest {
            let found = match handshake {
                Self::Query(_) if queries => {
                    Some(flaw("query", "a second query is never reached: leave it away"))
                }
                Self::Query(query) => {
                    queries = true;
                    query.flaw()
                }
                Self::Body(body) => body.flaw(schemes),
            };
            if let Some(flaw) = found {
                return Some((index, flaw));
            }
            rest = others;
            index = index.saturating_add(1);
        }
        None
    }

    /// As [`flaw_of_all`](Self::flaw_of_all), and what cannot be asked when the program is compiled.
    pub(crate) fn flaw_at_run_time(handshakes: &[Self], schemes: &[Scheme]) -> Option<(usize, Flaw)> {
        let is_broken = |handshake: &Self| match handshake {
            Self::Body(BodyHandshake { reply: ReplyRule::Json(object), .. }) => {
                !json::is_text(object.as_bytes())
            }
            _ => false,
        };
        let broken = || handshakes.iter().position(is_broken);
        Self::flaw_of_all(handshakes, schemes)
            .or_else(|| Some((broken()?, flaw("body.reply", "a fixed reply is a JSON object"))))
    }

    /// Whether its reply holds a digest under the secret.
    pub(crate) fn replies_with_digest(&self) -> bool {
        matches!(self, Self::Body(BodyHandshake { reply: ReplyRule::HmacSha256 { .. }, .. }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheme::BodyRule;

    const HMAC: &[Scheme] = &[Scheme::hmac_sha256("x-sig")];

    fn check(handshakes: &[Handshake], schemes: &[Scheme], flaw: &str) {
        match Handshake::flaw_at_run_time(handshakes, schemes) {
            Some((_, found)) => {
                assert!(!flaw.is_empty() && found.problem.contains(flaw), "{found:?}, not {flaw}")
            }
            None => assert_eq!(flaw, "", "{handshakes:?}"),
        }
    }

    fn query(query: QueryHandshake) -> Handshake {
        Handshake::Query(query)
    }

    fn body(reply: ReplyRule) -> Handshake {
        Handshake::Body(BodyHandshake::new("type", "ping", reply))
    }

    #[test]
    fn what_providers_ask_is_sound() {
        for handshake in [
            query(QueryHandshake::echo("challenge")),
            query(
                QueryHandshake::echo("hub.challenge").mode("hub.mode", "subscribe").token("hub.verify_token"),
            ),
            body(ReplyRule::echo("challenge")),
            body(ReplyRule::echo_json("challenge")),
            body(ReplyRule::json(r#"{"type":1}"#)),
            body(ReplyRule::NoContent),
            Handshake::Body(BodyHandshake::new("type", "1", ReplyRule::NoContent).without("event")),
        ] {
            check(&[handshake], HMAC, "");
        }
        let digest = || body(ReplyRule::hmac_sha256("payload.plainToken", "encryptedToken"));
        for scheme in [
            Scheme::hmac_sha256("x-sig").signs("v0:{body}"),
            Scheme::hmac_sha256("x-sig").signs("{url}{body}"),
            Scheme::hmac_sha256("x-sig").body(BodyRule::JsonStructure),
        ] {
            check(&[digest()], &[scheme], "");
        }
    }

    #[test]
    fn a_handshake_that_cannot_be_safe_or_cannot_work_is_found() {
        let digest = || body(ReplyRule::hmac_sha256("token", "digest"));
        for (handshake, schemes, flaw) in [
            (query(QueryHandshake::echo("")), HMAC, "need names"),
            (query(QueryHandshake::echo("a").mode("", "b")), HMAC, "need names"),
            (query(QueryHandshake::echo("a").mode("a", "b")), HMAC, "each another one"),
            (query(QueryHandshake::echo("a").token("")), HMAC, "need names"),
            (query(QueryHandshake::echo("a").token("a")), HMAC, "each another one"),
            (query(QueryHandshake::echo("a").mode("b", "c").token("b")), HMAC, "each another one"),
            (Handshake::Body(BodyHandshake::new("a..b", "c", ReplyRule::NoContent)), HMAC, "a path is"),
            (Handshake::Body(BodyHandshake::new("a", "", ReplyRule::NoContent)), HMAC, "tells no handshake"),
            (
                Handshake::Body(BodyHandshake::new("a", "b", ReplyRule::NoContent).without("")),
                HMAC,
                "a path is",
            ),
            (
                Handshake::Body(BodyHandshake::new("a", "b", ReplyRule::NoContent).without("a")),
                HMAC,
                "and be missing",
            ),
            (body(ReplyRule::echo("")), HMAC, "a path is"),
            (body(ReplyRule::echo_json(".")), HMAC, "a path is"),
            (body(ReplyRule::hmac_sha256("", "digest")), HMAC, "a path is"),
            (body(ReplyRule::hmac_sha256("token", "")), HMAC, "the name of its field"),
            (body(ReplyRule::json("1")), HMAC, "a JSON object"),
            (body(ReplyRule::json("{1}")), HMAC, "a JSON object"),
            (digest(), &[Scheme::token("x-token")], "each scheme must be"),
            (digest(), HMAC, "the signature of a body"),
            (digest(), &[Scheme::hmac_sha256("x-sig").signs("v0.{body}")], "the signature of a body"),
            (digest(), &[Scheme::hmac_sha256("x-sig"), Scheme::hmac_sha1("x-old")], "each scheme must be"),
        ] {
            check(&[handshake], schemes, flaw);
        }
        let echo = || query(QueryHandshake::echo("challenge"));
        check(&[echo(), body(ReplyRule::NoContent), echo()], HMAC, "a second query");
    }

    #[test]
    #[should_panic(expected = "a second query")]
    fn a_flaw_stops_the_compiler() {
        let echo = || query(QueryHandshake::echo("challenge"));
        Handshake::assert_sound(&[echo(), echo()], HMAC);
    }
}
