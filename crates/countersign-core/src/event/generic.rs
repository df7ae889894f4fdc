//! `Generic`: an event of which nothing but its kind is known.

use crate::{
    delivery::Delivery,
    error::EventError,
    event::{Json, parse},
    provider::{Payload, Provider},
};

/// An event by its kind, with the whole body as its payload: as JSON text, or as a type of yours.
///
/// Its `Debug` prints payload data; no log line, error or answer of this crate holds it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Generic<T = Json> {
    /// The kind, where the provider names one.
    pub kind: Option<String>,
    /// The body.
    pub payload: T,
}

impl<T: Payload> Generic<T> {
    pub(crate) fn of<P: Provider>(delivery: &Delivery<P>) -> Result<Self, EventError> {
        let kind = delivery.kind();
        let payload = parse(kind.as_deref().unwrap_or_default(), "", delivery.body())?;
        Ok(Self { kind: kind.map(Into::into), payload })
    }
}
