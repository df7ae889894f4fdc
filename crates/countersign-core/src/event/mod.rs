//! What events are made of: the `events!` and `model!` tables, and the types that payloads need.

mod choices;
mod date_time;
mod decimal;
mod flag;
mod generic;
mod integer;
mod json_value;
mod misfit;
pub(crate) mod model;
mod parse;
mod table;

pub(crate) use self::{
    choices::choices,
    model::model,
    parse::{Place, Whole, field, fields, nested, parse},
    table::events,
};
pub use self::{
    date_time::{DateTime, ParseDateTimeError},
    decimal::{Decimal, ParseDecimalError},
    flag::Flag,
    generic::Generic,
    integer::{Integer, Text},
    json_value::{Extra, Json},
    table::Unknown,
};
pub(crate) use self::{model::absent, table::kind_of};
