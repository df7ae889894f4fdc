//! The four kinds of error, kept apart: set-up, request, event, store.

use std::{borrow::Cow, fmt};

use thiserror::Error;

/// A mistake in the set-up, found when a verifier, receiver, signer or store is built.
///
/// Each message says what to change. None holds a secret.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The secret is empty or holds nothing but white space.
    #[error("the secret is empty or blank: set it to the value that the provider's dashboard shows")]
    BlankSecret,
    /// No secret was given, or more than [`MAX_SECRETS`](crate::MAX_SECRETS).
    #[error("{count} secrets were given: give between 1 and {max}")]
    SecretCount {
        /// How many were given.
        count: usize,
        /// How many are allowed.
        max: usize,
    },
    /// A timestamp was required of a provider that signs none.
    #[error("{provider} signs no timestamp, so none can be required: remove require_timestamp()")]
    NoTimestamp {
        /// The provider.
        provider: String,
    },
    /// A tolerance was configured for a provider that signs no timestamp.
    #[error("{provider} signs no timestamp, so there is none to tolerate: remove tolerance(..)")]
    NoTolerance {
        /// The provider.
        provider: String,
    },
    /// The kind was configured for a provider whose signed body names it.
    #[error("the kind of a {provider} delivery is in its signed body: remove kind(..)")]
    KindIsSigned {
        /// The provider.
        provider: String,
    },
    /// A verify token was configured for a provider that shows none.
    #[error("{provider} shows no verify token: remove verify_token(..)")]
    NoVerifyToken {
        /// The provider.
        provider: String,
    },
    /// The provider signs the URL that it calls, and none is configured.
    #[error(
        "{provider} signs the URL that it calls: add public_url(..) with the URL that the provider was given"
    )]
    NoPublicUrl {
        /// The provider.
        provider: String,
    },
    /// The secret is not written as the provider writes its secrets.
    #[error(
        "the secret for {provider} is not {expected}: set it to the value that the provider's dashboard shows"
    )]
    MalformedSecret {
        /// The provider.
        provider: String,
        /// What it must look like.
        expected: &'static str,
    },
    /// A token begins or ends with white space, which HTTP takes off a header's value: no request could show it.
    #[error("the token for {provider} has {blank} at the {end}, and no header can hold that: remove it")]
    PaddedToken {
        /// The provider.
        provider: String,
        /// The white space, in words: `a line feed`.
        blank: &'static str,
        /// The `start` or the `end`.
        end: &'static str,
    },
    /// The provider's algorithm is behind a feature of this crate that is not on.
    #[error("{provider} needs the feature {feature}: add it to the features of countersign in Cargo.toml")]
    MissingFeature {
        /// The provider.
        provider: String,
        /// The feature.
        feature: &'static str,
    },
    /// A description cannot be safe, or cannot work.
    #[error("the description of {provider:?} cannot be used: {field}: {problem}")]
    Description {
        /// The name in the description.
        provider: String,
        /// The field, as in `scheme[0].signs`.
        field: String,
        /// What is wrong with it, and what to change.
        problem: &'static str,
    },
    /// A setting is outside its range.
    #[error("{setting} is out of range: {expected}")]
    OutOfRange {
        /// The setting's name.
        setting: &'static str,
        /// What would be in range.
        expected: &'static str,
    },
    /// Two providers of a registry have the same name.
    #[error("{provider:?} is registered already: give each provider a name of its own")]
    NameTaken {
        /// The name.
        provider: String,
    },
    /// Settings were given for a provider that is not registered.
    #[error(
        "there are settings for {provider:?}, which is not registered: add the provider, or mend the name"
    )]
    NotRegistered {
        /// The name.
        provider: String,
    },
    /// A receiver was built without a store.
    #[error("the receiver has no store: add .store(..), for one machine .store(MemoryStore::new(limit))")]
    NoStore,
    /// Something to be signed cannot stand in an HTTP header.
    #[error("the {field} cannot be sent in a header: use visible ASCII characters only")]
    NotAHeaderValue {
        /// The field: `id`, `kind` or `secret`.
        field: &'static str,
    },
}

/// What class a [`ConfigError`] is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConfigErrorKind {
    /// A secret is blank or malformed, or there are none or too many.
    Secret,
    /// A setting does not go with this provider.
    Unsupported,
    /// A setting is outside its range, or missing.
    Setting,
    /// A description of a provider cannot be used.
    Description,
}

impl ConfigError {
    /// The class of this error.
    pub fn kind(&self) -> ConfigErrorKind {
        match self {
            Self::BlankSecret
            | Self::SecretCount { .. }
            | Self::MalformedSecret { .. }
            | Self::PaddedToken { .. } => ConfigErrorKind::Secret,
            Self::NoTimestamp { .. }
            | Self::NoTolerance { .. }
            | Self::KindIsSigned { .. }
            | Self::NoVerifyToken { .. }
            | Self::MissingFeature { .. } => ConfigErrorKind::Unsupported,
            Self::OutOfRange { .. }
            | Self::NoStore
            | Self::NoPublicUrl { .. }
            | Self::NameTaken { .. }
            | Self::NotRegistered { .. }
            | Self::NotAHeaderValue { .. } => ConfigErrorKind::Setting,
            Self::Description { .. } => ConfigErrorKind::Description,
        }
    }
}

/// Why a request was refused. For the log, never for the sender.
///
/// Holds neither a secret nor an expected signature, and nothing of what the request carried.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// A header that the scheme needs is not there.
    #[error("the header {name} is missing")]
    MissingHeader {
        /// The header's name.
        name: Cow<'static, str>,
    },
    /// A header that matters occurs twice, with different values.
    #[error("the header {name} occurs more than once, with different values")]
    RepeatedHeader {
        /// The header's name.
        name: Cow<'static, str>,
    },
    /// A header cannot be read.
    #[error("the header {name} is malformed: {reason}")]
    MalformedHeader {
        /// The header's name.
        name: Cow<'static, str>,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The delivery came under the weaker form of a provider of which the timestamped one is required.
    #[error("the header {name} holds no signature over a timestamp, and this receiver requires one")]
    TimestampRequired {
        /// The header's name.
        name: Cow<'static, str>,
    },
    /// The signed timestamp is older than the tolerance allows.
    #[error("the timestamp is {age_seconds} s old, more than the tolerance of {tolerance_seconds} s")]
    Stale {
        /// How old, in seconds.
        age_seconds: u64,
        /// What the scheme tolerates, in seconds.
        tolerance_seconds: u64,
    },
    /// The signed timestamp is further in the future than the tolerance allows.
    #[error("the timestamp is {ahead_seconds} s ahead, more than the tolerance of {tolerance_seconds} s")]
    Future {
        /// How far ahead, in seconds.
        ahead_seconds: u64,
        /// What the scheme tolerates, in seconds.
        tolerance_seconds: u64,
    },
    /// The timestamp that stands in the signed body is missing or cannot be read.
    #[error("the signature matches, but the body's timestamp, {path}, is missing or malformed")]
    NoTimestamp {
        /// Where it should stand.
        path: Cow<'static, str>,
    },
    /// No live secret made any of the signatures.
    #[error("no signature matches")]
    WrongSignature,
    /// The shared token is not one of the live ones.
    #[error("the token is wrong")]
    WrongToken,
    /// The signature matches, but the body cannot be what this scheme signs.
    #[error("the signature matches, but the body is refused under this scheme: {reason}")]
    ForbiddenBody {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A header that is not signed contradicts the signed body.
    #[error("the header {name} contradicts the signed body")]
    Contradiction {
        /// The header's name.
        name: Cow<'static, str>,
    },
    /// A genuine delivery of another kind than the one that is configured for the endpoint: a mistake in the set-up, here or
    /// at the provider.
    #[error("the delivery is genuine, and not of the kind that is configured for this endpoint")]
    WrongEndpoint,
    /// The request's method is not the one that the provider signs.
    #[error("the request's method is not the one that is signed, {expected}")]
    WrongMethod {
        /// The method that is configured.
        expected: Cow<'static, str>,
    },
    /// A handshake's query lacks a parameter.
    #[error("the parameter {name} is missing in the query")]
    MissingParameter {
        /// The parameter's name.
        name: Cow<'static, str>,
    },
    /// A parameter that matters occurs twice in a handshake's query, with different values.
    #[error("the parameter {name} occurs more than once, with different values")]
    RepeatedParameter {
        /// The parameter's name.
        name: Cow<'static, str>,
    },
    /// A parameter of a handshake's query cannot be read, or cannot be sent back.
    #[error("the parameter {name} is malformed: {reason}")]
    MalformedParameter {
        /// The parameter's name.
        name: Cow<'static, str>,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The verify token is not the one that is configured.
    #[error("the verify token is wrong: enter the same at the provider and in .verify_token(..)")]
    WrongVerifyToken,
    /// The provider shows a verify token, and none is configured.
    #[error(
        "no verify token is configured for {name}: add .verify_token(..) with the one that was entered at the provider"
    )]
    NoVerifyToken {
        /// The parameter's name.
        name: Cow<'static, str>,
    },
    /// The provider asks nothing by a `GET`.
    #[error("the provider has no handshake by GET")]
    NoHandshake,
    /// The verifier could not be set up: the request was not looked at.
    #[error("the verifier cannot be set up: {error}")]
    NotSetUp {
        /// What to change.
        error: ConfigError,
    },
    /// The body is larger than the limit.
    #[error("the body is larger than the limit of {limit} bytes")]
    BodyTooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The bodies that are held leave no room for this one.
    #[error(
        "the bodies that are held leave no room for this one in the budget of {budget} bytes: see body_budget(..)"
    )]
    OverBudget {
        /// The budget for all bodies, in bytes.
        budget: usize,
    },
    /// The body did not arrive in time.
    #[error("the body did not arrive in time")]
    BodyTooSlow,
    /// The connection ended before the body did.
    #[error("the body was cut off")]
    BodyCutOff,
}

/// What class a [`VerifyError`] is of; decides the status that the sender sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum VerifyErrorKind {
    /// A needed header is missing.
    MissingHeader,
    /// A header occurs twice with different values.
    RepeatedHeader,
    /// A header cannot be read.
    MalformedHeader,
    /// A timestamped signature is required and was not sent.
    TimestampRequired,
    /// The timestamp is outside the tolerance, either way.
    Timestamp,
    /// The signature or the token is wrong.
    Signature,
    /// The body is not what the scheme could have signed, or contradicts a header.
    Forbidden,
    /// Genuine, and at the wrong endpoint.
    WrongEndpoint,
    /// The method is not one that the provider uses.
    Method,
    /// A `GET` that asks whether the endpoint is yours lacks what it needs, or has the wrong verify token.
    Handshake,
    /// The verifier could not be set up.
    NotSetUp,
    /// The body is too large.
    BodyTooLarge,
    /// There is no room for the body at the moment.
    OverBudget,
    /// The body is too slow.
    BodyTooSlow,
    /// The body was cut off.
    BodyCutOff,
}

impl VerifyError {
    /// The class of this error.
    pub fn kind(&self) -> VerifyErrorKind {
        match self {
            Self::MissingHeader { .. } => VerifyErrorKind::MissingHeader,
            Self::RepeatedHeader { .. } => VerifyErrorKind::RepeatedHeader,
            Self::MalformedHeader { .. } => VerifyErrorKind::MalformedHeader,
            Self::TimestampRequired { .. } => VerifyErrorKind::TimestampRequired,
            Self::Stale { .. } | Self::Future { .. } => VerifyErrorKind::Timestamp,
            Self::WrongSignature | Self::WrongToken => VerifyErrorKind::Signature,
            Self::ForbiddenBody { .. } | Self::Contradiction { .. } | Self::NoTimestamp { .. } => {
                VerifyErrorKind::Forbidden
            }
            Self::MissingParameter { .. }
            | Self::RepeatedParameter { .. }
            | Self::MalformedParameter { .. }
            | Self::WrongVerifyToken
            | Self::NoVerifyToken { .. } => VerifyErrorKind::Handshake,
            Self::WrongMethod { .. } | Self::NoHandshake => VerifyErrorKind::Method,
            Self::NotSetUp { .. } => VerifyErrorKind::NotSetUp,
            Self::WrongEndpoint => VerifyErrorKind::WrongEndpoint,
            Self::BodyTooLarge { .. } => VerifyErrorKind::BodyTooLarge,
            Self::OverBudget { .. } => VerifyErrorKind::OverBudget,
            Self::BodyTooSlow => VerifyErrorKind::BodyTooSlow,
            Self::BodyCutOff => VerifyErrorKind::BodyCutOff,
        }
    }
}

/// A genuine delivery whose payload does not fit its type.
///
/// Says where in the JSON the misfit is, and never what stands there: a key is named only where the type
/// names it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EventError {
    /// The body is not JSON.
    #[error("the body is not JSON: {reason}")]
    NotJson {
        /// What is wrong with it, and at which line and column.
        reason: String,
    },
    /// Nothing in the delivery names the kind of its event.
    #[error("the delivery names no kind: {source_of_kind} is missing or not a string")]
    NoKind {
        /// Where the kind should be.
        source_of_kind: Cow<'static, str>,
    },
    /// A field is missing or is not of its type.
    #[error("the payload of a {kind} event does not fit its type at {path}: {reason}")]
    Misfit {
        /// The event's kind.
        kind: String,
        /// The JSON path, as in `data.items[0].price`; `.` is the whole. A key that is no field or variant of
        /// the type is data, and stands as `*`: the key of a map, and each field of a struct beside serde's
        /// `flatten`.
        path: String,
        /// What the type expected there, by the type's own words. The text of an error of your own type is
        /// not told, since it may quote what was found.
        reason: String,
    },
}

/// What class an [`EventError`] is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventErrorKind {
    /// The body is not JSON.
    NotJson,
    /// There is no kind.
    NoKind,
    /// A field does not fit.
    Misfit,
}

impl EventError {
    /// The class of this error.
    pub fn kind(&self) -> EventErrorKind {
        match self {
            Self::NotJson { .. } => EventErrorKind::NotJson,
            Self::NoKind { .. } => EventErrorKind::NoKind,
            Self::Misfit { .. } => EventErrorKind::Misfit,
        }
    }
}

/// Why a dedupe store did not do what it was asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The store holds as many keys as it may, and drops none before its time.
    #[error("the store is at its limit of {limit} keys")]
    Full {
        /// The limit.
        limit: usize,
    },
    /// The claim that this token stood for has ended, or was never made.
    #[error("the claim is no longer held: its lease ended, or it was settled before")]
    Fenced,
    /// The store could not be reached, or failed.
    #[error("the store is unavailable")]
    Unavailable {
        /// What the store's client said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The store did not answer in time.
    #[error("the store did not answer in time")]
    TimedOut,
}

/// What class a [`StoreError`] is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// At its limit.
    Full,
    /// The token is old.
    Fenced,
    /// Unreachable or failing.
    Unavailable,
    /// Too slow.
    TimedOut,
}

impl StoreErrorKind {
    /// The class in one word, for logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Fenced => "fenced",
            Self::Unavailable => "unavailable",
            Self::TimedOut => "timed_out",
        }
    }
}

impl StoreError {
    /// Wraps what a store's client said.
    pub fn unavailable(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Unavailable { source: source.into() }
    }

    /// Whether the same call may succeed a little later; and whether the store may have acted although it failed.
    pub(crate) fn may_pass(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::TimedOut)
    }

    /// The class of this error.
    pub fn kind(&self) -> StoreErrorKind {
        match self {
            Self::Full { .. } => StoreErrorKind::Full,
            Self::Fenced => StoreErrorKind::Fenced,
            Self::Unavailable { .. } => StoreErrorKind::Unavailable,
            Self::TimedOut => StoreErrorKind::TimedOut,
        }
    }
}

/// An error and all its sources on one line, for the log.
pub(crate) struct Chain<'e>(pub(crate) &'e (dyn std::error::Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}
