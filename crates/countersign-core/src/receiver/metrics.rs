//! What a receiver tells the `metrics` facade, where the feature `metrics` is on.
//!
//! Labels are words of this crate's own, so that their number is small: neither endpoints nor kinds are among them.

#![cfg_attr(
    not(feature = "metrics"),
    expect(unused_variables, clippy::missing_const_for_fn, reason = "nobody is told")
)]

use std::time::Duration;

use super::Outcome;
use crate::{error::StoreErrorKind, provider::Description};

#[cfg(feature = "metrics")]
mod name {
    pub(super) const DELIVERIES: &str = "countersign_deliveries_total";
    pub(super) const CLAIM: &str = "countersign_claim_duration_seconds";
    pub(super) const HANDLER: &str = "countersign_handler_duration_seconds";
    pub(super) const STORE_ERRORS: &str = "countersign_store_errors_total";
    pub(super) const RENEWALS: &str = "countersign_renewals_total";
    pub(super) const KEYS: &str = "countersign_keys_held";
}

/// Says to the recorder, once it is installed, what each name means.
pub(super) fn describe() {
    #[cfg(feature = "metrics")]
    {
        use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

        describe_counter!(name::DELIVERIES, "requests, by provider and outcome");
        describe_histogram!(
            name::CLAIM,
            Unit::Seconds,
            "how long all claims of a delivery took, by provider"
        );
        describe_histogram!(name::HANDLER, Unit::Seconds, "how long handlers ran, by provider");
        describe_counter!(name::STORE_ERRORS, "failed calls of the store, by provider, operation and error");
        describe_counter!(name::RENEWALS, "leases that were renewed, by provider");
        describe_gauge!(name::KEYS, "keys that the provider's store holds, of all who share it");
    }
}

/// What became of a request.
pub(super) fn delivery(provider: &Description, outcome: Outcome) {
    #[cfg(feature = "metrics")]
    metrics::counter!(name::DELIVERIES, "provider" => provider.name.clone(), "outcome" => outcome.as_str())
        .increment(1);
}

/// A delivery's claims were answered, and the store holds so many keys now.
pub(super) fn claimed(provider: &Description, took: Option<Duration>, keys: Option<u64>) {
    #[cfg(feature = "metrics")]
    {
        if let Some(took) = took {
            metrics::histogram!(name::CLAIM, "provider" => provider.name.clone()).record(took);
        }
        if let Some(keys) = keys {
            metrics::gauge!(name::KEYS, "provider" => provider.name.clone()).set(keys as f64);
        }
    }
}

/// A handler ran to its end.
pub(super) fn handled(provider: &Description, took: Option<Duration>) {
    #[cfg(feature = "metrics")]
    if let Some(took) = took {
        metrics::histogram!(name::HANDLER, "provider" => provider.name.clone()).record(took);
    }
}

/// A call of the store failed.
pub(super) fn store_failed(provider: &Description, operation: &'static str, error: StoreErrorKind) {
    #[cfg(feature = "metrics")]
    metrics::counter!(
        name::STORE_ERRORS,
        "provider" => provider.name.clone(), "operation" => operation, "error" => error.as_str()
    )
    .increment(1);
}

/// A key's lease was renewed.
pub(super) fn renewed(provider: &Description) {
    #[cfg(feature = "metrics")]
    metrics::counter!(name::RENEWALS, "provider" => provider.name.clone()).increment(1);
}
