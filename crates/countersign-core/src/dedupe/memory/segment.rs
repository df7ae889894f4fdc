//! `Segment`: a few of a memory store's keys, sorted and packed.

use crate::dedupe::Token;

/// The last millisecond that an entry can be told to expire at, some 4,400 years after the store was made.
pub(super) const MAX_UNTIL: u64 = COMMITTED - 1;

const COMMITTED: u64 = 1 << 47;

/// Grown by so many entries at the least, and by an eighth of its size, so that little is ever allocated in vain.
const STEP: usize = 4;

/// Some of the keys, in order.
#[derive(Default)]
pub(super) struct Segment {
    entries: Vec<Entry>,
}

/// One key: who holds it, until when. Made of bytes, so that no padding is stored.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    key: [u8; 16],
    token: [u8; 8],
    /// Milliseconds, and in the highest bit whether it is committed.
    until: [u8; 6],
}

impl Segment {
    /// A key's entry, or where it would be.
    pub(super) fn find(&mut self, key: u128) -> Result<&mut Entry, usize> {
        let at = self.position(key)?;
        self.entries.get_mut(at).ok_or(at)
    }

    /// Keys are digests, spread evenly, so one is found a few steps from where its value lets expect it: in fewer cache
    /// lines than a binary search would read.
    fn position(&self, key: u128) -> Result<usize, usize> {
        let entries = self.entries.as_slice();
        let expected = ((key >> 64).saturating_mul(entries.len() as u128) >> 64) as usize;
        let (below, above) = entries.split_at_checked(expected).unwrap_or((entries, &[]));
        let back = below.iter().rev().take_while(|entry| entry.key() >= key).count();
        let on = if back > 0 { 0 } else { above.iter().take_while(|entry| entry.key() < key).count() };
        let at = expected.saturating_add(on).saturating_sub(back);
        match entries.get(at) {
            Some(entry) if entry.key() == key => Ok(at),
            _ => Err(at),
        }
    }

    /// Inserts where [`find`](Self::find) said.
    pub(super) fn insert(&mut self, at: usize, entry: Entry) {
        if self.entries.len() == self.entries.capacity() {
            self.entries.reserve_exact(spare(self.entries.len()));
        }
        self.entries.insert(at.min(self.entries.len()), entry);
    }

    pub(super) fn remove(&mut self, key: u128) {
        if let Ok(at) = self.position(key) {
            self.entries.remove(at);
            self.shrink();
        }
    }

    /// Drops what has expired. Answers how many entries that were, and when the next one does.
    pub(super) fn purge(&mut self, now: u64) -> (usize, u64) {
        let (before, mut earliest) = (self.entries.len(), u64::MAX);
        self.entries.retain(|entry| {
            let live = entry.until() > now;
            if live {
                earliest = earliest.min(entry.until());
            }
            live
        });
        self.shrink();
        (before.saturating_sub(self.entries.len()), earliest)
    }

    /// When the first entry expires, `u64::MAX` when there is none.
    pub(super) fn earliest(&self) -> u64 {
        self.entries.iter().map(Entry::until).min().unwrap_or(u64::MAX)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.entries.capacity()
    }

    fn shrink(&mut self) {
        let (len, spare) = (self.entries.len(), spare(self.entries.len()));
        if self.entries.capacity() > len.saturating_add(spare.saturating_mul(4)) {
            self.entries.shrink_to(len.saturating_add(spare));
        }
    }
}

const fn spare(len: usize) -> usize {
    if len / 8 > STEP { len / 8 } else { STEP }
}

impl Entry {
    pub(super) fn new(key: u128, token: Token, until: u64) -> Self {
        let mut entry =
            Self { key: key.to_be_bytes(), token: token.get().get().to_le_bytes(), until: [0; 6] };
        entry.hold(until);
        entry
    }

    fn key(&self) -> u128 {
        u128::from_be_bytes(self.key)
    }

    /// Under a lease until then.
    pub(super) fn hold(&mut self, until: u64) {
        self.set(until.min(MAX_UNTIL));
    }

    /// Committed until then.
    pub(super) fn commit(&mut self, until: u64) {
        self.set(until.min(MAX_UNTIL) | COMMITTED);
    }

    fn set(&mut self, bits: u64) {
        let [a, b, c, d, e, f, _, _] = bits.to_le_bytes();
        self.until = [a, b, c, d, e, f];
    }

    fn bits(&self) -> u64 {
        let [a, b, c, d, e, f] = self.until;
        u64::from_le_bytes([a, b, c, d, e, f, 0, 0])
    }

    pub(super) fn until(&self) -> u64 {
        self.bits() & MAX_UNTIL
    }

    pub(super) fn is_committed(&self) -> bool {
        self.bits() & COMMITTED != 0
    }

    pub(super) fn is_of(&self, token: Token) -> bool {
        u64::from_le_bytes(self.token) == token.get().get()
    }

    /// Whether this token holds it, now.
    pub(super) fn is_held(&self, token: Token, now: u64) -> bool {
        self.is_of(token) && self.until() > now
    }
}
