//! `Entry`: who holds a key until when, packed; and the store's time that this is told in.

use std::time::Duration;

use countersign_core::{
    StoreError,
    dedupe::{Claim, Token},
};

/// The last millisecond that an entry can be told to expire at, in the year 6429.
const MAX_UNTIL: u64 = COMMITTED - 1;
const COMMITTED: u64 = 1 << 47;

/// A key's first 16 bytes. Keys are digests: among 10 million, two share these by a chance of 2^-82.
pub(super) type Short = [u8; 16];

/// An entry as it is stored: the token, then the milliseconds with the committed bit on top.
pub(super) type Packed = [u8; 14];

/// Who holds a key, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry(Packed);

/// What is asked for a key.
#[derive(Clone, Copy, Debug)]
pub(super) enum Act {
    Claim(Duration),
    Renew(Duration),
    Commit(Duration),
    Release,
}

/// What an act comes to: its answer, and what the key's entry is to be, if that changes.
pub(super) type Outcome = (Result<Option<Claim>, StoreError>, Option<Entry>);

impl Entry {
    /// Nobody holds the key: it was released.
    pub(super) const GONE: Self = Self([0; 14]);

    pub(super) const fn from_packed(packed: Packed) -> Self {
        Self(packed)
    }

    pub(super) const fn packed(self) -> Packed {
        self.0
    }

    fn new(token: Token, bits: u64) -> Self {
        let [a, b, c, d, e, f, g, h] = token.get().get().to_le_bytes();
        let [i, j, k, l, m, n, _, _] = bits.to_le_bytes();
        Self([a, b, c, d, e, f, g, h, i, j, k, l, m, n])
    }

    fn token(self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    }

    fn bits(self) -> u64 {
        let [.., a, b, c, d, e, f] = self.0;
        u64::from_le_bytes([a, b, c, d, e, f, 0, 0])
    }

    pub(super) fn until(self) -> u64 {
        self.bits() & MAX_UNTIL
    }

    fn is_committed(self) -> bool {
        self.bits() & COMMITTED != 0
    }

    pub(super) fn is_gone(self) -> bool {
        self.token() == 0
    }

    /// What becomes of a key with this entry, if any. One that has expired is as good as none.
    pub(super) fn decide(entry: Option<Self>, act: Act, token: Token, time: Time) -> Outcome {
        let live = entry.filter(|entry| entry.until() > time.millis());
        let ours = live.filter(|entry| entry.token() == token.get().get());
        let lease = |length| Some(Self::new(token, time.after(length)));
        match (act, live, ours) {
            (Act::Claim(length), None, _) => (Ok(Some(Claim::Claimed)), lease(length)),
            (Act::Claim(_), Some(live), _) if live.is_committed() => (Ok(Some(Claim::Committed)), None),
            (Act::Claim(length), _, Some(_)) => (Ok(Some(Claim::Claimed)), lease(length)),
            (Act::Claim(_), Some(live), None) => {
                (Ok(Some(Claim::InFlight { retry_after: time.left(live.until()) })), None)
            }
            (Act::Commit(length), _, Some(_)) => {
                (Ok(None), Some(Self::new(token, time.after(length) | COMMITTED)))
            }
            (Act::Renew(length), _, Some(ours)) if !ours.is_committed() => (Ok(None), lease(length)),
            (Act::Release, _, Some(ours)) if !ours.is_committed() => (Ok(None), Some(Self::GONE)),
            _ => (Err(StoreError::Fenced), None),
        }
    }
}

/// A point in the store's time: what has passed since 1970 by a clock that never goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Time(Duration);

impl Time {
    /// What would expire later than can be told never does.
    pub(super) fn since_1970(elapsed: Duration) -> Self {
        Self(elapsed.min(Duration::from_millis(MAX_UNTIL.saturating_sub(1))))
    }

    /// In whole milliseconds.
    pub(super) fn millis(self) -> u64 {
        self.0.as_secs().saturating_mul(1000).saturating_add(self.0.subsec_millis().into())
    }

    /// The millisecond by which so much time has passed. Never too early.
    fn after(self, length: Duration) -> u64 {
        let end = self.0.saturating_add(length);
        let part = end.subsec_nanos().div_ceil(1_000_000);
        end.as_secs().saturating_mul(1000).saturating_add(part.into()).min(MAX_UNTIL)
    }

    fn left(self, until: u64) -> Duration {
        Duration::from_millis(until).saturating_sub(self.0)
    }
}
