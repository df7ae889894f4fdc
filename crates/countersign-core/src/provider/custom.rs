//! `Custom`: a provider that is described at run time; and the macro that makes a built-in one of its constants.

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::de::DeserializeOwned;

use super::{Fields, Provider, Retries};
use crate::{
    dedupe::KeyRule,
    delivery::Delivery,
    error::{EventError, VerifyError},
    event::{Generic, Json},
    scheme::Scheme,
};

/// What a payload can be read as: any type of yours that serde reads, or [`Json`], which keeps the text.
pub trait Payload: DeserializeOwned + fmt::Debug + Send + Sync + 'static {}

impl<T: DeserializeOwned + fmt::Debug + Send + Sync + 'static> Payload for T {}

/// A provider that is not built in, by its [`Description`](crate::Description).
///
/// Its events are [`Generic`]: the kind, and the body as JSON text or as a type of yours. A [`Registry`](crate::Registry) hands out
/// the built-in providers as this one as well; [`Delivery::of`] finds the way back to their types.
///
/// [`Receiver::custom`](crate::Receiver::custom) takes a description as well; under axum and actix-web, handlers then extract
/// `Webhook<Custom<Paid>>`.
///
/// ```
/// use countersign_core::{Secret, Signer, Timestamp, Verifier, provider::Custom, scheme::Scheme};
///
/// #[derive(Debug, serde::Deserialize)]
/// struct Paid {
///     amount: u32,
/// }
///
/// let (scheme, secret) = (Scheme::hmac_sha256("x-acme-signature"), Secret::new("a secret")?);
/// let now = Timestamp::from_unix_seconds(0);
/// let headers = Signer::<Custom>::custom(scheme.clone(), &secret)?.sign(r#"{"amount":7}"#, now)?;
///
/// let verifier = Verifier::<Custom<Paid>>::custom(scheme, secret)?;
/// let delivery = verifier.verify(&headers, r#"{"amount":7}"#, now)?;
/// assert_eq!(delivery.event()?.payload.amount, 7);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Custom<T = Json>(PhantomData<fn() -> T>);

/// There is no description before run time: `Verifier::new` does not compile, and [`Verifier::custom`](crate::Verifier::custom) takes
/// one.
impl<T: Payload> Provider for Custom<T> {
    const NAME: &'static str = "custom";
    const SCHEMES: &'static [Scheme] = &[];
    const FIELDS: Fields = Fields::NONE;
    const KEYS: &'static [KeyRule] = &[];
    const RETRIES: Retries = Retries::UNKNOWN;
    type Event = Generic<T>;

    fn event(delivery: &Delivery<Self>) -> Result<Generic<T>, EventError> {
        Generic::of(delivery)
    }

    fn kind<'d>(delivery: &'d Delivery<Self>, named: Option<Cow<'d, str>>) -> Option<Cow<'d, str>> {
        match delivery.description().code {
            Some(code) => (code.kind)(delivery.clone().retyped()).map(Cow::Owned),
            None => named,
        }
    }

    fn check(delivery: &Delivery<Self>) -> Result<(), VerifyError> {
        match delivery.description().code {
            Some(code) => (code.check)(delivery.clone().retyped()),
            None => Ok(()),
        }
    }
}

impl<T> fmt::Debug for Custom<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Custom")
    }
}

/// Makes a provider of its constants: a type with the payload's as its parameter. Its events are [`Generic`], unless the table
/// says otherwise.
macro_rules! provider {
    ($(#[$attr:meta])* pub $name:ident { type Event = $event:ty; $($item:tt)* }) => {
        $(#[$attr])*
        ///
        /// `T` is what payloads are read as: [`Json`](crate::event::Json), which keeps the text, or a type of yours.
        pub struct $name<T = $crate::event::Json>(std::marker::PhantomData<fn() -> T>);

        impl<T: $crate::provider::Payload> $crate::provider::Provider for $name<T> {
            type Event = $event;
            $($item)*
        }

        impl<T> std::fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    };
    ($(#[$attr:meta])* pub $name:ident { $($item:tt)* }) => {
        $crate::provider::provider! {
            $(#[$attr])*
            pub $name {
                type Event = $crate::event::Generic<T>;
                $($item)*

                fn event(
                    delivery: &$crate::delivery::Delivery<Self>,
                ) -> Result<$crate::event::Generic<T>, $crate::error::EventError> {
                    $crate::event::Generic::of(delivery)
                }
            }
        }
    };
}
pub(crate) use provider;
