//! `Provider`: what sets one provider apart, as data; one file a provider, and the registry of all.

mod code;
mod custom;
mod description;
mod fields;
mod handshake;
mod retries;
mod success;

use std::{borrow::Cow, fmt};

use crate::{
    dedupe::KeyRule,
    delivery::Delivery,
    error::{EventError, VerifyError},
    scheme::Scheme,
};

pub mod adyen_platforms;
pub mod calendly;
pub mod chargebee;
pub mod customer_io;
pub mod discord;
pub mod dropbox;
pub mod github;
pub mod gitlab;
pub mod hubspot;
pub mod hubspot_v1;
pub mod intercom;
pub mod klaviyo;
pub mod lemon_squeezy;
pub mod linear;
pub mod meta;
pub mod paddle;
pub mod paystack;
pub mod postmark;
pub mod raaft;
pub mod recharge;
pub mod recurly;
pub mod retake;
pub mod retentbase;
pub mod revkeen;
pub mod sendgrid;
pub mod shopify;
pub mod slack;
pub mod square;
pub mod standard_webhooks;
pub mod stripe;
pub mod svix;
pub mod twitch;
pub mod typeform;
pub mod vercel;
pub mod zendesk;
pub mod zoom;

use self::code::Code;
pub use self::{
    adyen_platforms::AdyenPlatforms,
    calendly::Calendly,
    chargebee::Chargebee,
    custom::{Custom, Payload},
    customer_io::CustomerIo,
    description::Description,
    discord::Discord,
    dropbox::Dropbox,
    fields::{Fields, Source},
    github::GitHub,
    gitlab::GitLab,
    handshake::{BodyHandshake, Handshake, QueryHandshake, ReplyRule},
    hubspot::HubSpot,
    hubspot_v1::HubSpotV1,
    intercom::Intercom,
    klaviyo::Klaviyo,
    lemon_squeezy::LemonSqueezy,
    linear::Linear,
    meta::{Meta, WhatsApp},
    paddle::Paddle,
    paystack::Paystack,
    postmark::Postmark,
    raaft::Raaft,
    recharge::Recharge,
    recurly::Recurly,
    retake::Retake,
    retentbase::RetentBase,
    retries::Retries,
    revkeen::RevKeen,
    sendgrid::SendGrid,
    shopify::Shopify,
    slack::Slack,
    square::Square,
    standard_webhooks::StandardWebhooks,
    stripe::Stripe,
    success::Success,
    svix::{Clerk, Resend, Svix},
    twitch::Twitch,
    typeform::Typeform,
    vercel::Vercel,
    zendesk::Zendesk,
    zoom::Zoom,
};
pub(crate) use self::{
    custom::provider,
    description::{Described, NOT_A_URL, is_url},
};

/// A provider of webhooks, described by data that one engine reads.
///
/// ```
/// use countersign_core::{
///     Delivery, EventError, Provider, Secret, Signer, Timestamp, Verifier,
///     dedupe::{KeyPart, KeyRule},
///     provider::{Fields, Retries, Source},
///     scheme::Scheme,
/// };
///
/// struct Example;
///
/// impl Provider for Example {
///     const NAME: &'static str = "example";
///     const SCHEMES: &'static [Scheme] = &[Scheme::hmac_sha256("x-example-signature").prefix("sha256=")];
///     const FIELDS: Fields = Fields::NONE.kind(Source::body("type"));
///     const KEYS: &'static [KeyRule] = &[KeyRule::of(&[KeyPart::Body])];
///     const RETRIES: Retries = Retries::UNKNOWN;
///     type Event = String;
///
///     fn event(delivery: &Delivery<Self>) -> Result<String, EventError> {
///         Ok(delivery.kind().unwrap_or_default().into_owned())
///     }
/// }
///
/// let (secret, now) = (Secret::new("a secret")?, Timestamp::from_unix_seconds(0));
/// let headers = Signer::<Example>::new(&secret).sign(r#"{"type":"ping"}"#, now)?;
/// let delivery = Verifier::<Example>::new(&secret)?.verify(&headers, r#"{"type":"ping"}"#, now)?;
/// assert_eq!(delivery.event()?, "ping");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Provider: Sized + Send + Sync + 'static {
    /// The provider's name, in lower case: in logs, metrics and dedupe keys.
    const NAME: &'static str;
    /// How it signs; the strongest first. The first whose header is there decides.
    ///
    /// A scheme that cannot be safe, or cannot work, does not compile once a verifier is made of it: a timestamp that is not
    /// signed, signed content without the body, a header's name that is not in lower case.
    const SCHEMES: &'static [Scheme];
    /// Where a delivery's ids, kind and attempt stand.
    const FIELDS: Fields;
    /// What makes two deliveries the same.
    ///
    /// Keys that let whoever captured a delivery lose or repeat one do not compile once a verifier is made of it: see [`KeyRule`].
    /// An empty list says that no delivery is ever taken for a duplicate.
    ///
    /// ```compile_fail
    /// # use countersign_core::{
    /// #     Delivery, EventError, Provider, Secret, Verifier, dedupe::{KeyPart, KeyRule}, provider::{Fields, Retries, Source}, scheme::Scheme,
    /// # };
    /// # struct Example;
    /// # impl Provider for Example {
    /// #     const NAME: &'static str = "example";
    /// #     const RETRIES: Retries = Retries::UNKNOWN;
    /// #     type Event = ();
    /// #     fn event(_: &Delivery<Self>) -> Result<(), EventError> { Ok(()) }
    ///     const SCHEMES: &'static [Scheme] = &[Scheme::hmac_sha256("x-example-signature")];
    ///     const FIELDS: Fields = Fields::NONE.id(Source::header("x-example-id"));
    ///     // The header is not signed. Write `&[KeyPart::Id, KeyPart::Body]`, beside a key of the body alone.
    ///     const KEYS: &'static [KeyRule] = &[KeyRule::of(&[KeyPart::Id])];
    /// # }
    /// # let _verifier = Verifier::<Example>::new(Secret::new("a secret").unwrap());
    /// ```
    const KEYS: &'static [KeyRule];
    /// On which answers it tries again, and for how long.
    const RETRIES: Retries;
    /// How it wants to hear that a delivery was handled.
    const SUCCESS: Success = Success::OK;
    /// The largest body that it sends, in bytes: 1 MiB where it documents no more. A larger one is answered with a 413, which is
    /// final at several providers.
    const BODY_LIMIT: usize = 1 << 20;
    /// How it asks whether the endpoint is yours before it sends to it; most do not.
    const HANDSHAKES: &'static [Handshake] = &[];
    /// All of it as one value.
    #[doc(hidden)]
    const DESCRIPTION: &'static Description = &Description::of::<Self>();
    /// Its events. Their `Debug` may print payload data: nothing here logs an event.
    type Event: fmt::Debug + Send + Sync + 'static;

    /// Types a delivery's payload.
    ///
    /// # Errors
    /// [`EventError`] when the payload does not fit.
    fn event(delivery: &Delivery<Self>) -> Result<Self::Event, EventError>;

    /// The kind of a delivery. `named` is the one that is configured for the endpoint, or else what [`Fields::kind`] points
    /// at; a provider that can tell without may do so here.
    fn kind<'d>(_delivery: &'d Delivery<Self>, named: Option<Cow<'d, str>>) -> Option<Cow<'d, str>> {
        named
    }

    /// A last look at a delivery whose signature is genuine: does what was not signed agree with what was?
    ///
    /// # Errors
    /// [`VerifyError::Contradiction`] when it does not.
    fn check(_delivery: &Delivery<Self>) -> Result<(), VerifyError> {
        Ok(())
    }
}

#[doc(hidden)]
/// The registry: calls a macro with every provider, as `module => Type`.
///
/// For what must be done for each of them: tests, fuzzing, tables.
#[macro_export]
macro_rules! for_each_provider {
    ($macro:path) => {
        $macro! {
            adyen_platforms => AdyenPlatforms,
            calendly => Calendly,
            chargebee => Chargebee,
            clerk => Clerk,
            customer_io => CustomerIo,
            discord => Discord,
            dropbox => Dropbox,
            github => GitHub,
            gitlab => GitLab,
            hubspot => HubSpot,
            hubspot_v1 => HubSpotV1,
            intercom => Intercom,
            klaviyo => Klaviyo,
            lemon_squeezy => LemonSqueezy,
            linear => Linear,
            meta => Meta,
            paddle => Paddle,
            paystack => Paystack,
            postmark => Postmark,
            raaft => Raaft,
            recharge => Recharge,
            recurly => Recurly,
            resend => Resend,
            retake => Retake,
            retentbase => RetentBase,
            revkeen => RevKeen,
            sendgrid => SendGrid,
            shopify => Shopify,
            slack => Slack,
            square => Square,
            standard_webhooks => StandardWebhooks,
            stripe => Stripe,
            svix => Svix,
            twitch => Twitch,
            typeform => Typeform,
            vercel => Vercel,
            whatsapp => WhatsApp,
            zendesk => Zendesk,
            zoom => Zoom,
        }
    };
}
