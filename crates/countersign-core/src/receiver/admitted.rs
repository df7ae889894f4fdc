//! `Admitted<P>`: a delivery that was claimed.

use std::fmt;

use super::{Held, Webhook};
use crate::{
    delivery::Delivery,
    error::{EventError, StoreError},
    provider::Provider,
};

/// A delivery that was claimed, to be handled and then settled.
///
/// One that is dropped without being settled becomes free when its lease ends.
pub struct Admitted<P: Provider> {
    pub(super) delivery: Delivery<P>,
    pub(super) held: Held<P>,
}

impl<P: Provider> Admitted<P> {
    pub(super) fn new(delivery: Delivery<P>, held: Held<P>) -> Self {
        Self { delivery, held }
    }

    /// The delivery.
    pub fn delivery(&self) -> &Delivery<P> {
        &self.delivery
    }

    /// The delivery with its typed event.
    ///
    /// # Errors
    /// [`EventError`] when the payload does not fit its type.
    pub fn webhook(&self) -> Result<Webhook<P>, EventError> {
        Webhook::try_from(self.delivery.clone())
    }

    /// Starts the lease anew.
    ///
    /// # Errors
    /// [`StoreError`] of a key that could not be renewed; the others are all the same. [`StoreError::Fenced`] when the lease
    /// had ended.
    pub async fn renew(&self) -> Result<(), StoreError> {
        self.held.renew().await
    }

    /// Remembers the delivery as handled, for the retention. A lease that ended is taken anew for that, if nobody else has
    /// taken the delivery since.
    ///
    /// # Errors
    /// [`StoreError`] of a key that could not be committed; the others are all the same. Can be called again.
    pub async fn commit(&self) -> Result<(), StoreError> {
        self.held.commit().await
    }

    /// Frees the delivery at once, for the next try.
    ///
    /// # Errors
    /// [`StoreError`] of a key that could not be released; the others are all the same, and this one is free when the lease
    /// ends.
    pub async fn release(&self) -> Result<(), StoreError> {
        self.held.release().await
    }
}

impl<P: Provider> fmt::Debug for Admitted<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admitted")
            .field("delivery", &self.delivery)
            .field("keys", &self.held)
            .finish_non_exhaustive()
    }
}
