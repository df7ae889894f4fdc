//! `Code`: what a provider's type does that its data does not say.

use std::fmt;

use super::{Custom, Provider};
use crate::{delivery::Delivery, error::VerifyError};

/// A provider's own code, for where its type is not known before run time.
///
/// It is made by [`Provider::DESCRIPTION`] and by nothing else, so a description that has it is that of a type.
#[derive(Clone, Copy)]
pub(crate) struct Code {
    pub(super) kind: fn(Delivery<Custom>) -> Option<String>,
    pub(super) check: fn(Delivery<Custom>) -> Result<(), VerifyError>,
}

impl Code {
    pub(super) const fn of<P: Provider>() -> Self {
        Self { kind: kind_of::<P>, check: check_of::<P> }
    }
}

fn kind_of<P: Provider>(delivery: Delivery<Custom>) -> Option<String> {
    delivery.retyped::<P>().kind().map(Into::into)
}

fn check_of<P: Provider>(delivery: Delivery<Custom>) -> Result<(), VerifyError> {
    P::check(&delivery.retyped())
}

/// Code is no data: descriptions are compared by what they say.
impl PartialEq for Code {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Code {}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code")
    }
}
