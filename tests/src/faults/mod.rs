//! Faults under load: a sender that never gives up, a receiver whose effects outlive a kill, and the ledger of both.

mod endpoint;
mod ledger;
mod load;
mod storm;

pub use self::{
    endpoint::{Endpoint, Kind},
    ledger::{Effects, Ledger, Tally},
    load::{Delivery, Load, Random, Sender},
    storm::{Fault, Lost, Server, Storm},
};
