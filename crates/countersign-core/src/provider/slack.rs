//! Slack: the Events API; and slash commands and clicks, which are forms.
//!
//! Signature: `X-Slack-Signature: v0=<hex>`, HMAC-SHA256 over `v0:{X-Slack-Request-Timestamp}:{raw body}`, keyed by the
//! app's signing secret, good for 300 s (<https://docs.slack.dev/authentication/verifying-requests-from-slack>). The
//! `token` in the body is an older means to the same end, and is not looked at.
//!
//! The dedupe key is the body's `event_id`, the same at every attempt; without one, what was signed (timestamp and body).
//! The body alone would not do: whoever types into a menu, changes their mind and types the same again has Slack ask twice for
//! its options, in one body.
//!
//! Slash commands and interactive components are signed alike and are no JSON: forms, with the JSON of a click in a
//! field `payload`. Such deliveries verify, have neither id nor kind, and are not typed: their handlers take the
//! delivery alone, without its event, and read [`Delivery::body`].
//!
//! Slack waits 3 s and tries 3 times more: at once, after 1 min and after 5 min, on anything but a 2xx; an app can have
//! it go on every hour for 24 h (<https://docs.slack.dev/apis/events-api/#errors>). `X-Slack-Retry-Num` counts the
//! retries, so that 1 is the second attempt; it is not read. A URL is verified by the event `url_verification`, which
//! is signed like any other: a receiver sends its `challenge` back by itself
//! (<https://docs.slack.dev/reference/events/url_verification>).

use std::{borrow::Cow, time::Duration};

use crate::{
    dedupe::{KeyPart, KeyRule},
    delivery::Delivery,
    error::EventError,
    event::{Flag, Integer, Json, Unknown, Whole, model, parse},
    json,
    provider::{BodyHandshake, Fields, Handshake, ReplyRule, Retries, Source, provider},
    scheme::{Scheme, TimestampSource},
    time::{TimestampFormat, Tolerance},
};

provider! {
    /// The provider Slack. See [the module](self).
    pub Slack {
        type Event = Event<T>;
        const NAME: &'static str = "slack";
        const SCHEMES: &'static [Scheme] = &[Scheme::hmac_sha256("x-slack-signature")
            .prefix("v0=")
            .timestamp(TimestampSource::header("x-slack-request-timestamp"), TimestampFormat::UnixSeconds)
            .tolerance(Tolerance::from_secs(300))
            .signs("v0:{timestamp}:{body}")];
        const FIELDS: Fields = Fields::NONE.id(Source::body("event_id")).kind(Source::body("event.type"));
        const KEYS: &'static [KeyRule] = &[KeyRule::of(&[KeyPart::Id]).or(&[KeyPart::Timestamp, KeyPart::Body])];
        const RETRIES: Retries = Retries::ON_ANY_FAILURE.within(Duration::from_secs((24 * 60 + 6) * 60));
        const HANDSHAKES: &'static [Handshake] =
            &[Handshake::Body(BodyHandshake::new("type", "url_verification", ReplyRule::echo("challenge")))];

        /// That of the event within, or that of the delivery where there is none.
        fn kind<'d>(delivery: &'d Delivery<Self>, named: Option<Cow<'d, str>>) -> Option<Cow<'d, str>> {
            named.or_else(|| json::field(delivery.body(), "type").and_then(json::string))
        }

        fn event(delivery: &Delivery<Self>) -> Result<Event<T>, EventError> {
            let (kind, body) = (delivery.kind().unwrap_or_default(), delivery.body());
            match json::field(body, "type").and_then(json::string).as_deref() {
                Some("event_callback") => parse(&kind, "", body).map(Event::Callback),
                Some("url_verification") => parse(&kind, "", body).map(Event::UrlVerification),
                Some("app_rate_limited") => parse(&kind, "", body).map(Event::AppRateLimited),
                _ => Unknown::read(&kind, &Whole(body)).map(Event::Unknown),
            }
        }
    }
}

/// What Slack sends to an app that subscribed to events.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event<T = Json> {
    /// Something happened in a workspace.
    Callback(Callback<T>),
    /// Slack wants to know whether the URL is the app's.
    UrlVerification(UrlVerification),
    /// Slack holds back events, because there were more than 30,000 in an hour.
    AppRateLimited(AppRateLimited),
    /// Anything else.
    Unknown(Unknown),
}

model! {
    /// Something that happened in a workspace.
    pub struct Callback<T = Json> {
        /// `event_callback`.
        kind as "type": Option<String>,
        /// The event's id, the same at every attempt and in all workspaces.
        event_id: String,
        /// What happened.
        event: T,
        /// When, in unix seconds, as it was sent: Slack's own example has microseconds here.
        event_time: Option<Integer>,
        /// The workspace.
        team_id: Option<String>,
        /// The organisation, where the workspace belongs to one.
        enterprise_id: Option<String>,
        /// The app.
        api_app_id: Option<String>,
        /// A means to tell the sender that is deprecated: the signature is what proves it.
        token: Option<String>,
        /// One of the installations for which the event is visible; `apps.event.authorizations.list` has the others.
        authorizations: Vec<Authorization>,
        /// Whether the channel is shared with another organisation.
        is_ext_shared_channel: Option<Flag>,
        /// What `apps.event.authorizations.list` knows the event by.
        event_context: Option<String>,
        /// The workspace through which the app sees the event.
        context_team_id: Option<String>,
        /// The organisation through which the app sees the event.
        context_enterprise_id: Option<String>,
    }

    /// An installation for which an event is visible.
    pub struct Authorization {
        /// The workspace; null where the app was installed for an organisation.
        team_id: Option<String>,
        /// The organisation.
        enterprise_id: Option<String>,
        /// Who installed the app, or the app's own user.
        user_id: Option<String>,
        /// Whether that is a bot.
        is_bot: Option<Flag>,
        /// Whether the app was installed for an organisation.
        is_enterprise_install: Option<Flag>,
    }

    /// A question whether the URL is the app's.
    pub struct UrlVerification {
        /// `url_verification`.
        kind as "type": Option<String>,
        /// The text to be sent back.
        challenge: String,
        /// A means to tell the sender that is deprecated: the signature is what proves it.
        token: Option<String>,
    }

    /// Word that events are held back.
    pub struct AppRateLimited {
        /// `app_rate_limited`.
        kind as "type": Option<String>,
        /// The workspace.
        team_id: Option<String>,
        /// The app.
        api_app_id: Option<String>,
        /// The minute in which that began, in unix seconds.
        minute_rate_limited: Option<Integer>,
        /// A means to tell the sender that is deprecated: the signature is what proves it.
        token: Option<String>,
    }
}
