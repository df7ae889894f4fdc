//! The `events!` table: one row an event.

use crate::{
    delivery::Delivery,
    error::EventError,
    event::{Json, Place},
    provider::{Provider, Source},
};

/// An event of a kind that this version has no type for.
///
/// Its `Debug` prints payload data; no log line, error or answer of this crate holds it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Unknown {
    /// The kind, as it was sent; empty where the provider names none.
    pub kind: String,
    /// The payload.
    pub raw: Json,
}

impl Unknown {
    pub(crate) fn read(kind: &str, place: &impl Place) -> Result<Self, EventError> {
        Ok(Self { kind: kind.to_owned(), raw: place.read(kind)? })
    }
}

/// A delivery's kind, for a provider that always names one.
pub(crate) fn kind_of<P: Provider>(delivery: &Delivery<P>) -> Result<std::borrow::Cow<'_, str>, EventError> {
    delivery.kind().ok_or_else(|| match serde_json::from_slice::<serde::de::IgnoredAny>(delivery.body()) {
        Err(error) => EventError::NotJson { reason: error.to_string() },
        Ok(_) => EventError::NoKind {
            source_of_kind: match P::FIELDS.kind {
                Some(Source::Header(name)) => format!("the header {name}").into(),
                Some(Source::Body(path)) => path,
                None => "its source".into(),
            },
        },
    })
}

/// Makes a provider's `Event`: an enum with a variant a row and one for all other kinds.
///
/// ```text
/// events! {
///     /// Retake's events.
///     pub enum Event {
///         /// A shopper showed an intent.
///         "intent.tracked" => IntentTracked(Envelope<IntentTracked>),
///         /// ...
///         "subscription.canceled" | "subscription.cancelled" => SubscriptionCanceled(..),
///     }
/// }
/// ```
macro_rules! events {
    (
        $(#[$attr:meta])*
        pub enum $name:ident {
            $( $(#[$row_attr:meta])* $kind:literal $(| $alias:literal)* => $variant:ident($payload:ty) ),* $(,)?
        }
    ) => {
        $(#[$attr])*
        ///
        /// Its `Debug` prints payload data; no log line, error or answer of this crate holds it.
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub enum $name {
            $( $(#[$row_attr])* #[doc = concat!("\n\nKind `", $kind, "`.")] $variant($payload), )*
            /// Any other kind.
            Unknown($crate::event::Unknown),
        }

        impl $name {
            /// The kinds that have a variant.
            pub const KINDS: &'static [&'static str] = &[$($kind),*];

            /// The event's kind. Of several spellings, the first in the provider's documentation.
            pub fn kind(&self) -> &str {
                match self {
                    $( Self::$variant(_) => $kind, )*
                    Self::Unknown(unknown) => &unknown.kind,
                }
            }

            /// Types the payload that stands there.
            pub(crate) fn read(
                kind: &str,
                place: &impl $crate::event::Place,
            ) -> Result<Self, $crate::error::EventError> {
                match kind {
                    $( $kind $(| $alias)* => place.read(kind).map(Self::$variant), )*
                    _ => $crate::event::Unknown::read(kind, place).map(Self::Unknown),
                }
            }
        }
    };
}
pub(crate) use events;
