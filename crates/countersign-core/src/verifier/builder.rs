//! `VerifierBuilder`: the settings of a verifier, checked at start.

use std::{borrow::Cow, fmt, marker::PhantomData, sync::Arc, time::Duration};

use super::{Budget, Keyed, Limits, Shared, Verifier, oddity::Oddity};
use crate::{
    error::ConfigError,
    headers::{Header, Sought},
    provider::{Described, Description, Handshake, NOT_A_URL, Provider, QueryHandshake, Source, is_url},
    scheme::{Key, Piece, Plan, Scheme, TimestampSource, Unusable},
    secret::{Secret, Secrets},
    time::{Clock, Tolerance},
};

/// The widest tolerance that a provider may be given, where its own is not wider.
const WIDEST_TOLERANCE: Duration = Duration::from_secs(24 * 60 * 60);

/// Sets up a [`Verifier`].
pub struct VerifierBuilder<P: Provider> {
    pub(crate) described: Described,
    secrets: Secrets,
    public_url: Option<Cow<'static, str>>,
    method: Cow<'static, str>,
    require_timestamp: bool,
    pub(crate) tolerance: Option<Tolerance>,
    kind: Option<String>,
    verify_token: Option<Secret>,
    limits: Limits,
    budget: Option<Budget>,
    clock: Option<Arc<dyn Clock>>,
    /// Whether signed content must have one reading.
    rules: bool,
    provider: PhantomData<fn() -> P>,
}

impl<P: Provider> VerifierBuilder<P> {
    pub(crate) fn new(described: Described, secrets: Secrets) -> Self {
        Self {
            secrets,
            public_url: described.public_url.clone(),
            method: Cow::Borrowed("POST"),
            require_timestamp: false,
            tolerance: None,
            kind: None,
            verify_token: None,
            limits: Limits { body: described.body_limit, ..Limits::default() },
            budget: None,
            clock: None,
            rules: true,
            described,
            provider: PhantomData,
        }
    }

    /// Refuses the weaker form of a provider that also signs a timestamp (Recharge, RevKeen).
    #[must_use]
    pub fn require_timestamp(mut self) -> Self {
        self.require_timestamp = true;
        self
    }

    /// How far a signed timestamp may be from now, in place of the provider's own tolerance: where retries carry the timestamp of
    /// the first try and are refused as stale, or where a clock is off. At most one day, or the provider's own tolerance where that
    /// is longer.
    ///
    /// Whoever captured a delivery can replay it for as long. A receiver therefore remembers deliveries for that long at least.
    #[must_use]
    pub fn tolerance(mut self, tolerance: Tolerance) -> Self {
        self.tolerance = Some(tolerance);
        self
    }

    /// The kind of every delivery at this endpoint, for a provider that does not sign it: with one endpoint a kind,
    /// nothing unsigned is left in the dedupe key.
    #[must_use]
    pub fn kind(mut self, kind: impl Into<String>) -> Self {
        self.kind = Some(kind.into());
        self
    }

    /// The verify token, for a provider that shows it when it asks whether the endpoint is yours (Meta, WhatsApp): the text that you
    /// entered beside the endpoint's URL. Without it, that question is answered with a 403.
    #[must_use]
    pub fn verify_token(mut self, token: Secret) -> Self {
        self.verify_token = Some(token);
        self
    }

    /// The URL that the provider was given, for one that signs it (Square, HubSpot): byte for byte, query and all.
    ///
    /// It is never made of a request's `Host` or `X-Forwarded-..` headers: whoever can send those would choose what is signed.
    #[must_use]
    pub fn public_url(mut self, url: impl Into<Cow<'static, str>>) -> Self {
        self.public_url = Some(url.into());
        self
    }

    /// The method that the provider uses, for one that signs it (HubSpot). `POST` unless told otherwise.
    #[must_use]
    pub fn method(mut self, method: impl Into<Cow<'static, str>>) -> Self {
        self.method = method.into();
        self
    }

    /// The largest body that is taken, in bytes. By default the largest that the provider documents, or 1 MiB.
    #[must_use]
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.limits.body = bytes;
        self
    }

    /// How many bytes of bodies are held at once, until they are judged. 64 MiB by default, or more where the largest body needs more.
    ///
    /// It bounds what senders without the secret can make this process hold. A body beyond it is refused at once: a 503 with `Retry-After`
    /// and the reason in the log. An eighth is kept free of bodies over 64 KiB. A body that arrives in one piece needs no room.
    ///
    /// What counts is what has arrived, not what was declared. It no longer counts once the delivery is judged: a genuine delivery's body
    /// is the handler's, for as long as the handler keeps it. What the server itself buffers is not in it.
    #[must_use]
    pub fn body_budget(self, bytes: usize) -> Self {
        self.share_budget(Budget::new(bytes))
    }

    /// Draws bodies on a budget together with other verifiers.
    pub(crate) fn share_budget(mut self, budget: Budget) -> Self {
        self.budget = Some(budget);
        self
    }

    /// How long a whole body may take to arrive. 10 s unless told otherwise.
    #[must_use]
    pub fn read_timeout(mut self, timeout: Duration) -> Self {
        self.limits.read_timeout = timeout;
        self
    }

    /// A clock for the adapters to use instead of the system's; for tests.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// Drops the rules that keep several readings of signed content out: to show that the search for such readings finds them.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn without_rules(mut self) -> Self {
        self.rules = false;
        self
    }

    fn plan(&self, scheme: &Scheme, url: &str) -> Plan {
        let plan = Plan::new(scheme, url, &self.method);
        #[cfg(any(test, feature = "fuzzing"))]
        if !self.rules {
            return plan.unguarded();
        }
        plan
    }

    /// Checks the settings, and makes the key states.
    ///
    /// A secret that looks like a mistake is used as it stands, and a `tracing` warning names the reason: white space at an end,
    /// quotes around it, or a prefix that does not belong there, such as `sha256=`. The warning names what it found, and not the secret.
    ///
    /// # Errors
    /// [`ConfigError`], when a description cannot be safe or cannot work; when a secret is not written as the provider writes its
    /// secrets, or no scheme uses it; when one is part of what is hashed and cannot be told apart from another one, which it holds; when a token begins or ends with white space, since no header can show it; when a timestamp is required of a provider that signs none, or a tolerance is configured for one; when a tolerance is out of
    /// range; when a kind is configured for one that signs it, or a verify token
    /// for one that shows none; when the
    /// provider signs the URL that it calls and none is configured; when a limit is zero.
    pub fn build(self) -> Result<Verifier<P>, ConfigError> {
        let description = &*self.described;
        let provider = || description.name().to_owned();
        if let Described::Made(made) = &self.described
            && self.rules
        {
            made.check()?;
        }
        if self.require_timestamp && !description.schemes().iter().any(Scheme::signs_timestamp) {
            return Err(ConfigError::NoTimestamp { provider: provider() });
        }
        if let Some(tolerance) = self.tolerance {
            check_tolerance(tolerance, description)?;
        }
        if self.kind.is_some() && matches!(description.fields().kind, Some(Source::Body(_))) {
            return Err(ConfigError::KindIsSigned { provider: provider() });
        }
        let shows_token = |handshake: &Handshake| {
            matches!(handshake, Handshake::Query(QueryHandshake { token: Some(_), .. }))
        };
        let verify_token = self.verify_token.as_ref().or(self.secrets.verify_token());
        if verify_token.is_some() && !description.handshakes().iter().any(shows_token) {
            return Err(ConfigError::NoVerifyToken { provider: provider() });
        }
        let kind = match self.kind.as_deref().map(str::trim) {
            Some("") => return Err(out_of_range("kind", "not blank")),
            kind => kind.map(str::to_owned),
        };
        if !description.success.is_sane() {
            return Err(out_of_range("SUCCESS", "a status between 200 and 299"));
        }
        if self.limits.body == 0 {
            return Err(out_of_range("body_limit", "at least 1 byte"));
        }
        let budget = self.budget.clone().unwrap_or_else(|| Budget::for_bodies_of(self.limits.body));
        if !budget.fits(self.limits.body) {
            return Err(out_of_range(
                "body_budget",
                "larger than body_limit by a seventh, for one body to have room",
            ));
        }
        if self.limits.read_timeout.is_zero() {
            return Err(out_of_range("read_timeout", "longer than zero"));
        }
        if self.method.is_empty() || !self.method.bytes().all(|b| b.is_ascii_uppercase()) {
            return Err(out_of_range("method", "a method's name in capitals"));
        }
        let url = match &self.public_url {
            Some(url) if !is_url(url) => return Err(out_of_range("public_url", NOT_A_URL)),
            url => url.as_deref(),
        };
        if url.is_none() && description.schemes().iter().any(|scheme| scheme.signs_piece(Piece::Url)) {
            return Err(ConfigError::NoPublicUrl { provider: provider() });
        }
        let is_used = |secret: &Secret| {
            description.schemes().iter().any(|scheme| scheme.uses(secret, description.schemes()))
        };
        if !self.secrets.iter().all(is_used) {
            return Err(Unusable::Malformed("one that begins as the secrets of a scheme do").of(provider()));
        }
        for (place, secret) in (1_usize..).zip(self.secrets.iter()) {
            if let Some(oddity) = Oddity::of(secret, description)? {
                tracing::warn!(
                    provider = description.name(),
                    secret = place,
                    "the secret has {oddity}: if the provider's dashboard shows it without, remove it"
                );
            }
        }
        let (mut sought, fields) = (Sought::default(), description.fields());
        let mut schemes = Vec::new();
        for scheme in description.schemes() {
            let mut scheme = scheme.clone();
            if scheme.signs_timestamp() {
                scheme.tolerance = self.tolerance.or(scheme.tolerance);
            }
            let used = self.secrets.iter().filter(|secret| scheme.uses(secret, description.schemes()));
            let keys = used.map(|secret| Key::new(&scheme, secret));
            let keys = keys.collect::<Result<Vec<_>, _>>().map_err(|unusable| unusable.of(provider()))?;
            if keys.is_empty() {
                continue;
            }
            if keys.iter().any(|key| keys.iter().any(|other| key.passes_as(other, &scheme))) {
                return Err(Unusable::Malformed("told apart from another one, which it holds").of(provider()));
            }
            let digests = description.handshakes().iter().any(Handshake::replies_with_digest);
            schemes.push(Keyed {
                plan: self.plan(&scheme, url.unwrap_or_default()),
                reply_keys: keys.iter().filter(|_| digests).cloned().map(Arc::new).collect(),
                keys,
                signature: signature_headers(&scheme, description.schemes(), &mut sought),
                timestamp: scheme.timestamp.as_ref().and_then(|stamp| match &stamp.source {
                    TimestampSource::Header(name) => Some(sought.add(name.clone())),
                    _ => None,
                }),
                header: scheme.signed_header().map(|name| sought.add(name.to_owned().into())),
                id: match &scheme.id_header {
                    Some(name) => Some(sought.add(name.clone())),
                    None => field_header(&fields.id, &fields.id_alias, &mut sought),
                },
                scheme,
            });
        }
        if self.require_timestamp && !schemes.iter().any(|keyed| keyed.scheme.signs_timestamp()) {
            return Err(Unusable::Malformed("one of a scheme that signs a timestamp").of(provider()));
        }
        let shared = Shared {
            schemes,
            kind_header: field_header(&fields.kind, &fields.kind_alias, &mut sought),
            event_id: field_header(&fields.event_id, &None, &mut sought),
            attempt: field_header(&fields.attempt, &None, &mut sought),
            content_length: sought.add("content-length".into()),
            sought,
            described: self.described,
            require_timestamp: self.require_timestamp,
            kind,
            verify_token: verify_token.map(Key::shown),
            method: self.method,
            limits: self.limits,
            budget,
            clock: self.clock,
        };
        Ok(Verifier { shared: Arc::new(shared), provider: PhantomData })
    }
}

impl<P: Provider> fmt::Debug for VerifierBuilder<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifierBuilder")
            .field("provider", &self.described.name())
            .field("secrets", &self.secrets)
            .finish_non_exhaustive()
    }
}

/// Whether the tolerance is one that this provider may be given.
fn check_tolerance(tolerance: Tolerance, description: &Description) -> Result<(), ConfigError> {
    let stamped = description.schemes().iter().filter(|scheme| scheme.signs_timestamp());
    let Some(own) = stamped.map(|scheme| scheme.max_age().as_duration()).max() else {
        return Err(ConfigError::NoTolerance { provider: description.name().to_owned() });
    };
    match tolerance.behind > 0 && tolerance.as_duration() <= own.max(WIDEST_TOLERANCE) {
        true => Ok(()),
        false => Err(out_of_range(
            "tolerance",
            "between one second and one day, or the provider's own tolerance where that is longer",
        )),
    }
}

/// Where a scheme's signature stands. Beside other schemes, a header and its alias are two, which may hold the form of another
/// scheme each.
fn signature_headers(scheme: &Scheme, all: &[Scheme], sought: &mut Sought) -> Vec<Header> {
    if let ([_], Some(alias)) = (all, &scheme.alias) {
        let header = sought.add(scheme.header.clone());
        sought.add_alias(&header, alias.clone());
        return vec![header];
    }
    scheme.headers().map(|name| sought.add(name.clone())).collect()
}

/// The header in which something about a delivery stands, under both of its names.
fn field_header(
    source: &Option<Source>,
    alias: &Option<Cow<'static, str>>,
    sought: &mut Sought,
) -> Option<Header> {
    let Some(Source::Header(name)) = source else { return None };
    let header = sought.add(name.clone());
    if let Some(alias) = alias {
        sought.add_alias(&header, alias.clone());
    }
    Some(header)
}

pub(crate) fn out_of_range(setting: &'static str, expected: &'static str) -> ConfigError {
    ConfigError::OutOfRange { setting, expected }
}
