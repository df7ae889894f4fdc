//! `SystemClock`: the machine's own.

use std::{
    sync::OnceLock,
    time::{Duration, Instant, SystemTime},
};

use countersign_core::{Clock, Timestamp};

/// The system's clocks: the wall clock, and the monotonic one.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        SystemTime::now().into()
    }

    fn elapsed(&self) -> Duration {
        static START: OnceLock<Instant> = OnceLock::new();
        START.get_or_init(Instant::now).elapsed()
    }
}
