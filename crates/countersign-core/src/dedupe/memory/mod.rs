//! `MemoryStore`: claims in this process's memory, bounded and small.

mod expiry;
mod segment;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    future::Future,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use self::{
    expiry::Expiry,
    segment::{Entry, MAX_UNTIL, Segment},
};
use super::{Claim, InProcess, Key, Store, StoreFuture, Token};
use crate::{error::StoreError, time::Clock};

/// How many keys a segment holds on average, at the limit: small enough to be searched and shifted at no cost.
const SEGMENT_KEYS: usize = 64;
const MIN_SEGMENTS: usize = 64;
const MAX_SEGMENTS: usize = 1 << 18;

/// How many segments one claim purges at most when the store is at its limit.
const SWEPT_AT_ONCE: usize = 16;

/// Claims in memory, for receivers of one process that may forget when it ends.
///
/// Bounded: at its limit it refuses new keys with [`StoreError::Full`] and never drops a live one. A key takes less than
/// 40 bytes. Make it once a process: two stores do not see each other's claims, so a receiver warns when it is the second one of its
/// provider and endpoint. Under actix-web, make it outside of `HttpServer::new(|| ..)`, whose closure runs once a worker. A lease or a retention ends at the millisecond, by the clock's [`elapsed`](Clock::elapsed) time, so that a
/// jump of the wall clock changes nothing. Claims from many threads do not wait for each other, but on the same few keys
/// in some hundred thousand segments.
///
/// ```
/// # use std::time::Duration;
/// # use countersign_core::{Clock, StoreError, Timestamp};
/// use countersign_core::dedupe::{Claim, Key, MemoryStore, Store, Token};
///
/// # #[derive(Default)]
/// # struct SystemClock;
/// # impl Clock for SystemClock {
/// #     fn now(&self) -> Timestamp { std::time::SystemTime::now().into() }
/// #     fn elapsed(&self) -> Duration { Duration::ZERO }
/// # }
/// # fn block_on<T>(future: impl Future<Output = T>) -> T {
/// #     let mut context = std::task::Context::from_waker(std::task::Waker::noop());
/// #     match std::pin::pin!(future).poll(&mut context) { std::task::Poll::Ready(t) => t, _ => panic!() }
/// # }
/// # let (one, other) = (Token::new(1.try_into()?), Token::new(2.try_into()?));
/// # block_on(async {
/// let store = MemoryStore::<SystemClock>::new(100_000);
/// let (key, lease) = (Key::new("retake", "", ["some id"]), Duration::from_secs(30));
/// assert_eq!(store.claim(&key, one, lease).await?, Claim::Claimed);
/// assert_eq!(store.claim(&key, other, lease).await?, Claim::InFlight { retry_after: lease });
/// store.commit(&key, one, Duration::from_secs(72 * 3600)).await?;
/// assert_eq!(store.claim(&key, other, lease).await?, Claim::Committed);
/// assert_eq!(store.len(), 1);
/// # Ok::<(), StoreError>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct MemoryStore<C> {
    clock: C,
    /// What the clock showed when the store was made: times are kept since then.
    started: Duration,
    limit: usize,
    held: AtomicUsize,
    segments: Box<[Mutex<Segment>]>,
    expiry: Expiry,
    sweeping: Mutex<()>,
    in_process: InProcess,
}

impl<C: Clock + Default> MemoryStore<C> {
    /// A store of at most `limit` keys.
    ///
    /// A delivery has between one and three keys (see [`Provider::KEYS`](crate::Provider::KEYS)), each for as long as the receiver's retention.
    pub fn new(limit: usize) -> Self {
        Self::with_clock(limit, C::default())
    }
}

impl<C: Clock> MemoryStore<C> {
    /// A store of at most `limit` keys, by this clock.
    pub fn with_clock(limit: usize, clock: C) -> Self {
        let wanted = (limit / SEGMENT_KEYS).clamp(MIN_SEGMENTS, MAX_SEGMENTS);
        let segments = wanted.checked_next_power_of_two().unwrap_or(MAX_SEGMENTS);
        Self {
            started: clock.elapsed(),
            clock,
            limit,
            held: AtomicUsize::new(0),
            segments: (0..segments).map(|_| Mutex::default()).collect(),
            expiry: Expiry::of(segments),
            sweeping: Mutex::new(()),
            in_process: InProcess::default(),
        }
    }

    /// How many keys it may hold.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// How many keys it holds.
    ///
    /// Those that have expired count until a later claim needs their place. They are not in the way of one.
    pub fn len(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    /// Whether it holds no key.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn try_claim(&self, key: &Key, token: Token, lease: Duration) -> Result<Claim, StoreError> {
        let time = self.time();
        let (index, short) = self.place(key);
        // Whether one of the places under the limit is ours already.
        let mut reserved = false;
        loop {
            let mut segment = self.lock(index);
            reserved |= self.purge(index, &mut segment, time.millis, reserved) > 0;
            match segment.find(short) {
                Ok(entry) => {
                    if reserved {
                        self.held.fetch_sub(1, Ordering::Relaxed);
                    }
                    let before = entry.until();
                    let answer = claim_again(entry, token, &time, lease);
                    let after = entry.until();
                    self.changed(index, &segment, before, after);
                    return Ok(answer);
                }
                Err(at) => {
                    if reserved || self.reserve() {
                        let until = time.after(lease);
                        segment.insert(at, Entry::new(short, token, until));
                        self.changed(index, &segment, u64::MAX, until);
                        return Ok(Claim::Claimed);
                    }
                }
            }
            drop(segment);
            // Whoever swept before us may have left a place.
            reserved = self.sweep(time.millis) || self.reserve();
            if !reserved {
                return Err(StoreError::Full { limit: self.limit });
            }
        }
    }

    fn try_renew(&self, key: &Key, token: Token, lease: Duration) -> Result<(), StoreError> {
        self.update(key, token, |entry, time| {
            (!entry.is_committed()).then(|| entry.hold(time.after(lease))).ok_or(StoreError::Fenced)
        })
    }

    fn try_commit(&self, key: &Key, token: Token, retention: Duration) -> Result<(), StoreError> {
        self.update(key, token, |entry, time| {
            entry.commit(time.after(retention));
            Ok(())
        })
    }

    fn try_release(&self, key: &Key, token: Token) -> Result<(), StoreError> {
        let time = self.time();
        let (index, short) = self.place(key);
        let mut segment = self.lock(index);
        match segment.find(short) {
            Ok(entry) if entry.is_held(token, time.millis) && !entry.is_committed() => {
                let until = entry.until();
                segment.remove(short);
                self.held.fetch_sub(1, Ordering::Relaxed);
                self.changed(index, &segment, until, u64::MAX);
                Ok(())
            }
            _ => Err(StoreError::Fenced),
        }
    }

    /// Changes the entry of a key that this token holds.
    fn update(
        &self,
        key: &Key,
        token: Token,
        change: impl FnOnce(&mut Entry, &Time) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let time = self.time();
        let (index, short) = self.place(key);
        let mut segment = self.lock(index);
        let entry = segment.find(short).ok().filter(|entry| entry.is_held(token, time.millis));
        let entry = entry.ok_or(StoreError::Fenced)?;
        let before = entry.until();
        change(entry, &time)?;
        let after = entry.until();
        self.changed(index, &segment, before, after);
        Ok(())
    }

    /// Keeps exact when the first key of a segment expires, after one of its keys has changed from expiring at `before`
    /// to expiring at `after`; `u64::MAX` stands for no such key.
    fn changed(&self, index: usize, segment: &Segment, before: u64, after: u64) {
        let earliest = self.expiry.earliest(index);
        if after < earliest {
            self.expiry.set(index, after);
        } else if before == earliest && before != after {
            self.expiry.set(index, segment.earliest());
        }
    }

    /// Drops what has expired from one segment and answers how many keys that were. Their places become free, all but
    /// one that the caller gets, unless it has one already.
    fn purge(&self, index: usize, segment: &mut Segment, now: u64, reserved: bool) -> usize {
        if self.expiry.earliest(index) > now {
            return 0;
        }
        let (purged, earliest) = segment.purge(now);
        self.held.fetch_sub(purged.saturating_sub(usize::from(!reserved)), Ordering::Relaxed);
        self.expiry.set(index, earliest);
        purged
    }

    /// Drops expired keys, when the store is at its limit; whether there were any. The caller gets one of their places.
    fn sweep(&self, now: u64) -> bool {
        let _alone = self.sweeping.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut reserved, mut swept) = (false, 0_usize);
        self.expiry.sweep(now, |index| {
            reserved |= self.purge(index, &mut self.lock(index), now, reserved) > 0;
            swept = swept.saturating_add(1);
            swept < SWEPT_AT_ONCE || !reserved
        });
        reserved
    }

    fn reserve(&self) -> bool {
        let more = |held: usize| held.checked_add(1).filter(|held| *held <= self.limit);
        self.held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    /// The segment of a key, and what the segment knows it by. Keys are digests: any of their bits are as good as random.
    fn place(&self, key: &Key) -> (usize, u128) {
        let (short, rest) = key.as_bytes().split_first_chunk().unwrap_or((&[0; 16], &[]));
        let spread = rest.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        (spread as usize & self.segments.len().saturating_sub(1), u128::from_be_bytes(*short))
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "an index is masked by the number of segments, a power of two"
    )]
    fn lock(&self, index: usize) -> MutexGuard<'_, Segment> {
        self.segments[index].lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn time(&self) -> Time {
        Time::at(self.clock.elapsed().saturating_sub(self.started))
    }
}

/// The answer to a claim on a live key.
fn claim_again(entry: &mut Entry, token: Token, time: &Time, lease: Duration) -> Claim {
    if entry.is_committed() {
        Claim::Committed
    } else if entry.is_of(token) {
        entry.hold(time.after(lease));
        Claim::Claimed
    } else {
        Claim::InFlight { retry_after: time.left(entry.until()) }
    }
}

/// A point in the store's time.
struct Time {
    elapsed: Duration,
    /// The same in whole milliseconds.
    millis: u64,
}

impl Time {
    fn at(elapsed: Duration) -> Self {
        let millis = elapsed.as_secs().saturating_mul(1000).saturating_add(elapsed.subsec_millis().into());
        // What would expire later than can be told never does.
        Self { elapsed, millis: millis.min(MAX_UNTIL.saturating_sub(1)) }
    }

    /// The millisecond by which so much time has passed. Never too early.
    fn after(&self, length: Duration) -> u64 {
        let end = self.elapsed.saturating_add(length);
        let part = end.subsec_nanos().div_ceil(1_000_000);
        end.as_secs().saturating_mul(1000).saturating_add(part.into()).min(MAX_UNTIL)
    }

    fn left(&self, until: u64) -> Duration {
        Duration::from_millis(until).saturating_sub(self.elapsed)
    }
}

impl<C: Clock> Store for MemoryStore<C> {
    fn claim<'s>(&'s self, key: &'s Key, token: Token, lease: Duration) -> StoreFuture<'s, Claim> {
        boxed(async move { self.try_claim(key, token, lease) })
    }

    fn renew<'s>(&'s self, key: &'s Key, token: Token, lease: Duration) -> StoreFuture<'s, ()> {
        boxed(async move { self.try_renew(key, token, lease) })
    }

    fn commit<'s>(&'s self, key: &'s Key, token: Token, retention: Duration) -> StoreFuture<'s, ()> {
        boxed(async move { self.try_commit(key, token, retention) })
    }

    fn release<'s>(&'s self, key: &'s Key, token: Token) -> StoreFuture<'s, ()> {
        boxed(async move { self.try_release(key, token) })
    }

    fn held(&self) -> Option<u64> {
        Some(self.len() as u64)
    }

    fn in_process(&self) -> Option<&InProcess> {
        Some(&self.in_process)
    }
}

fn boxed<'s, T>(call: impl Future<Output = Result<T, StoreError>> + Send + 's) -> StoreFuture<'s, T> {
    Box::pin(call)
}

impl<C> fmt::Debug for MemoryStore<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("limit", &self.limit)
            .field("len", &self.held.load(Ordering::Relaxed))
            .finish_non_exhaustive()
    }
}
