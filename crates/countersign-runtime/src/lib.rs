//! What surrounds countersign's pure core: the system's clock, and tokio's timer and tasks.
//!
//! Users take both from `countersign`.

mod clock;
#[cfg(feature = "tokio")]
mod tokio;

pub use self::clock::SystemClock;
#[cfg(feature = "tokio")]
pub use self::tokio::TokioRuntime;
