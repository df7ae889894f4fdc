//! What surrounds countersign's pure core: the system's clock, and tokio's timer and tasks.
//!
//! Users take both from `countersign`.

mod clock;
mod lasting;
#[cfg(feature = "tokio")]
mod tokio;

pub use self::clock::SystemClock;
pub use self::lasting::{Lasting, Lasts};
#[cfg(feature = "tokio")]
pub use self::tokio::TokioRuntime;
