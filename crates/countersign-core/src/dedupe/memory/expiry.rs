//! `Expiry`: which of a memory store's segments hold an expired key, without a look into each.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

/// How many segments stand in a group: as many as there are groups in the largest store.
const GROUP: usize = 512;

/// When the first key of each segment expires, and of each group of segments at the earliest.
///
/// A segment's moment is exact, and only written by who has the segment locked. A group's moment is never later than any
/// of its segments', but may be earlier: raising it is left to the next sweep. Sequential consistency makes that safe: a
/// sweep first raises the group's moment and then reads the segments', a writer first writes the segment's and then looks
/// at the group's, so that one of them sees the other.
pub(super) struct Expiry {
    segments: Box<[AtomicU64]>,
    groups: Box<[AtomicU64]>,
}

impl Expiry {
    /// For so many segments, all empty.
    pub(super) fn of(segments: usize) -> Self {
        let never = |count: usize| (0..count).map(|_| AtomicU64::new(u64::MAX)).collect();
        Self { segments: never(segments), groups: never(segments.div_ceil(GROUP)) }
    }

    pub(super) fn earliest(&self, segment: usize) -> u64 {
        self.segments.get(segment).map_or(u64::MAX, |earliest| earliest.load(SeqCst))
    }

    pub(super) fn set(&self, segment: usize, earliest: u64) {
        if let Some(moment) = self.segments.get(segment) {
            moment.store(earliest, SeqCst);
        }
        if let Some(moment) = self.groups.get(segment / GROUP)
            && moment.load(SeqCst) > earliest
        {
            moment.fetch_min(earliest, SeqCst);
        }
    }

    /// Calls `purge` with the segments that hold an expired key, until it answers that it wants no more of them.
    ///
    /// To be called by one thread at a time: while a group is looked at, its moment is not to be relied on.
    pub(super) fn sweep(&self, now: u64, mut purge: impl FnMut(usize) -> bool) {
        let mut wanted = true;
        let groups = self.groups.iter().zip(self.segments.chunks(GROUP)).enumerate();
        for (group, (moment, segments)) in groups {
            if moment.load(SeqCst) > now {
                continue;
            }
            moment.store(u64::MAX, SeqCst);
            let mut earliest = u64::MAX;
            for (at, segment) in segments.iter().enumerate() {
                if wanted && segment.load(SeqCst) <= now {
                    wanted = purge(group.saturating_mul(GROUP).saturating_add(at));
                }
                earliest = earliest.min(segment.load(SeqCst));
            }
            moment.fetch_min(earliest, SeqCst);
            if !wanted {
                return;
            }
        }
    }
}
