//! `Budget`: how many bytes of bodies may be held at once.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::error::VerifyError;

/// The largest body that may use the part that is kept free of large ones.
pub(super) const SMALL: usize = 64 << 10;

/// How many bytes of bodies may be held at once, until they are judged. Clones share it: a registry's receivers have one.
///
/// An eighth is kept free of large bodies, so that a few connections which send large ones cannot shut out small ones.
#[derive(Clone)]
pub(crate) struct Budget(Arc<Shared>);

struct Shared {
    bytes: usize,
    held: Mutex<Held>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Held {
    /// By bodies of at most [`SMALL`] bytes so far.
    small: usize,
    large: usize,
}

impl Held {
    fn total(self) -> usize {
        self.small.saturating_add(self.large)
    }

    /// The same, after one body has grown or has ended.
    fn after(self, had: usize, has: usize) -> Self {
        let part = |part: usize, is_small: bool| {
            let of_part = |bytes: usize| if (bytes <= SMALL) == is_small { bytes } else { 0 };
            part.saturating_sub(of_part(had)).saturating_add(of_part(has))
        };
        Self { small: part(self.small, true), large: part(self.large, false) }
    }
}

impl Budget {
    /// By default, unless the largest body needs more.
    pub(crate) const DEFAULT: usize = 64 << 20;

    pub(crate) fn new(bytes: usize) -> Self {
        Self(Arc::new(Shared { bytes, held: Mutex::default() }))
    }

    /// By default, for bodies of at most this size.
    pub(super) fn for_bodies_of(limit: usize) -> Self {
        // Seven eighths of the budget are enough for one body.
        Self::new(Self::DEFAULT.max(limit.saturating_add(limit.div_ceil(7))))
    }

    /// Whether one body of this size can be held.
    pub(super) fn fits(&self, body: usize) -> bool {
        let part = if body <= SMALL { self.0.bytes } else { self.for_large() };
        body <= part
    }

    /// How many bytes are held.
    pub(crate) fn held(&self) -> usize {
        self.lock().total()
    }

    fn for_large(&self) -> usize {
        self.0.bytes.saturating_sub(self.0.bytes.div_ceil(8))
    }

    /// Lets one body grow from so many bytes to so many; `false` where there is no room for that.
    fn grow(&self, had: usize, has: usize) -> bool {
        let mut held = self.lock();
        let after = held.after(had, has);
        let has_room = after.total() <= self.0.bytes && (has <= SMALL || after.large <= self.for_large());
        if has_room {
            *held = after;
        }
        has_room
    }

    /// Nothing panics while it holds the lock.
    fn lock(&self) -> MutexGuard<'_, Held> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Budget").field("bytes", &self.0.bytes).field("held", &*self.lock()).finish()
    }
}

/// What one body has of the budget. Given back when it is dropped.
pub(super) struct Grant<'b> {
    budget: &'b Budget,
    bytes: usize,
}

impl<'b> Grant<'b> {
    /// Nothing yet.
    pub(super) fn of(budget: &'b Budget) -> Self {
        Self { budget, bytes: 0 }
    }

    pub(super) fn budget(&self) -> &'b Budget {
        self.budget
    }

    /// Takes as much as makes it so many bytes.
    ///
    /// # Errors
    /// [`VerifyError::OverBudget`], where there is no room; what it has, it keeps.
    pub(super) fn grow_to(&mut self, bytes: usize) -> Result<(), VerifyError> {
        if bytes > self.bytes {
            let has_grown = self.budget.grow(self.bytes, bytes);
            has_grown.then_some(()).ok_or(VerifyError::OverBudget { budget: self.budget.0.bytes })?;
            self.bytes = bytes;
        }
        Ok(())
    }
}

impl Drop for Grant<'_> {
    fn drop(&mut self) {
        if self.bytes > 0 {
            let mut held = self.budget.lock();
            *held = held.after(self.bytes, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;
    const DEFAULT: usize = Budget::DEFAULT;

    fn full() -> VerifyError {
        VerifyError::OverBudget { budget: MIB }
    }

    #[test]
    fn large_bodies_leave_an_eighth_to_small_ones_and_all_is_given_back() {
        let budget = Budget::new(MIB);
        let (mut large, mut other, mut small) = (Grant::of(&budget), Grant::of(&budget), Grant::of(&budget));
        assert_eq!(large.grow_to(MIB / 8 * 7), Ok(()));
        assert_eq!(other.grow_to(SMALL + 1), Err(full()));
        assert_eq!((other.grow_to(SMALL), small.grow_to(SMALL)), (Ok(()), Ok(())));
        assert_eq!(budget.held(), MIB);
        // What has no room to grow keeps what it has.
        assert_eq!((small.grow_to(SMALL + 1), small.grow_to(SMALL)), (Err(full()), Ok(())));
        drop(large);
        assert_eq!((small.grow_to(SMALL + 1), budget.held()), (Ok(()), SMALL + SMALL + 1));
        drop((other, small));
        assert_eq!(budget.held(), 0);
    }

    #[test]
    fn small_bodies_may_use_what_large_ones_leave() {
        let budget = Budget::new(MIB);
        let mut small: Vec<_> = (0..MIB / SMALL).map(|_| Grant::of(&budget)).collect();
        assert!(small.iter_mut().all(|grant| grant.grow_to(SMALL).is_ok()));
        assert_eq!(Grant::of(&budget).grow_to(1), Err(full()));
        small.truncate(1);
        assert_eq!(Grant::of(&budget).grow_to(MIB / 8 * 7), Ok(()));
        assert_eq!(budget.held(), SMALL);
    }

    #[test]
    fn the_default_has_room_for_the_largest_body() {
        for (limit, bytes) in [(1, DEFAULT), (MIB, DEFAULT), (50_000_000, DEFAULT), (56 * MIB, DEFAULT)] {
            let budget = Budget::for_bodies_of(limit);
            assert!(budget.fits(limit) && budget.0.bytes == bytes, "{limit}");
        }
        for limit in [56 * MIB + 1, 100 * MIB, 1_000_000_007, usize::MAX / 2] {
            assert!(Budget::for_bodies_of(limit).fits(limit), "{limit}");
        }
        assert!(Budget::new(SMALL).fits(SMALL) && !Budget::new(SMALL).fits(SMALL + 1));
        assert!(!Budget::new(MIB).fits(MIB) && !Budget::new(0).fits(1));
    }
}
