//! `Ledger`: the keys on disk. A log that batches are appended to, and the tree that they are settled into.

mod layout;
mod row;

use std::{
    collections::BTreeMap,
    ops::Bound::{Excluded, Included, Unbounded},
};

use countersign_core::{
    StoreError,
    dedupe::{Claim, Token},
};
use redb::{Builder, Database, ReadableTable, Table, TableDefinition, WriteTransaction};

pub(super) use self::layout::{KNOWN, OpenError};
use self::row::{Row, Stretch};
use super::{
    disk::Storage,
    entry::{Act, Entry, Packed, Short, Time},
};

/// What was written, in order: a row a transaction.
const LOG: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("countersign.log");
/// What was settled.
const KEYS: TableDefinition<'_, &Short, &Packed> = TableDefinition::new("countersign.keys");
/// How many of the tree's keys a step of the walk looks at. Few in tests, so that few keys make many steps.
const STEP: usize = if cfg!(test) { 8 } else { 1024 };
const FIRST: Short = [0; 16];

/// How many entries wait in the log before they are settled, by how many keys are held: the more wait, the more of them
/// go into one page of the tree. They are kept in memory, and read when the store is opened.
const LEAST_LOGGED: u64 = if cfg!(test) { 64 } else { 1 << 14 };
const MOST_LOGGED: u64 = 1 << 18;
const HELD_A_LOGGED: u64 = 8;

/// How many settled rows each transaction removes: more than the one that it adds.
const TRIMMED: u64 = 8;

/// From this many keys on, each commit saves which pages are free, so that opening after a crash needs not read the whole
/// file to find them. That takes a second sync; with fewer keys, reading the file takes about a quarter of a second.
const MANY: u64 = if cfg!(test) { 40 } else { 4_000_000 };

/// The keys, and the transactions that change them.
///
/// A batch of claims changes keys that are far apart, each in a page of its own. So it is appended to the log as one row,
/// and kept in `recent`; a walk through the keys in their order moves what is recent into the tree, many entries a page,
/// and drops what has expired. Each row says what the walk did along with it, so that reading the log again makes the
/// same `recent`.
///
/// After an error, what is here and what is on disk may differ: the ledger is to be dropped and opened again.
pub(super) struct Ledger {
    database: Database,
    pub(super) recent: BTreeMap<Short, Entry>,
    held: u64,
    /// The store's time at the last row, in milliseconds.
    millis: u64,
    rows: Rows,
    walk: Walk,
}

/// The numbers of the log's rows.
struct Rows {
    first: u64,
    next: u64,
    /// Those before this one are settled.
    settled: u64,
}

/// A walk through the keys, from the first to the last.
#[derive(Default)]
struct Walk {
    /// Where its next step begins; `None` between two walks.
    at: Option<Short>,
    /// The rows before this one are settled when it ends.
    until_row: u64,
    /// How much was appended since it began.
    appended: u64,
    /// What it may do for what was appended, in parts of a step.
    credit: u64,
    /// Whether the log has become so long that it must be settled.
    is_due: bool,
    /// The first moment at which anything expires that it saw, or that was written since it began.
    earliest: u64,
}

/// What is to be done for one key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    pub(super) key: Short,
    pub(super) token: Token,
    pub(super) act: Act,
}

/// What a step of a walk came to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Step {
    /// How many keys it removed.
    pub(super) removed: u64,
    /// Where the next step begins; `None` after the last.
    pub(super) next: Option<Short>,
}

/// What a transaction came to.
#[derive(Debug, Default)]
pub(super) struct Ran {
    pub(super) answers: Vec<Result<Option<Claim>, StoreError>>,
    pub(super) purged: Vec<Step>,
    pub(super) walked: Option<Step>,
}

impl Ledger {
    /// Opens it, and makes it where there is nothing.
    pub(super) fn open(storage: &Storage, cache: usize) -> Result<Self, OpenError> {
        let database = storage(Builder::new().set_cache_size(cache)).map_err(redb::Error::from)?;
        let transaction = database.begin_write().map_err(redb::Error::from)?;
        let is_new = layout::check(&transaction)?;
        let mut ledger = Self {
            database,
            recent: BTreeMap::new(),
            held: 0,
            millis: 0,
            rows: Rows { first: 0, next: 0, settled: 0 },
            walk: Walk::default(),
        };
        ledger.replay(&transaction)?;
        match is_new {
            true => transaction.commit().map_err(redb::Error::from)?,
            false => transaction.abort().map_err(redb::Error::from)?,
        }
        Ok(ledger)
    }

    /// How many keys it holds, expired ones that are not removed yet among them.
    pub(super) fn held(&self) -> u64 {
        self.held
    }

    /// How many rows were ever written: it never goes back.
    pub(super) fn written(&self) -> u64 {
        self.rows.next
    }

    /// The store's time when it was last written to.
    pub(super) fn millis(&self) -> u64 {
        self.millis
    }

    /// Whether there may be something that a walk would remove, or one is under way.
    pub(super) fn wants_a_walk(&self, now: Time) -> bool {
        self.walk.at.is_some() || self.walk.earliest <= now.millis()
    }

    /// Reads the log.
    fn replay(&mut self, transaction: &WriteTransaction) -> Result<(), redb::Error> {
        let log = transaction.open_table(LOG)?;
        transaction.open_table(KEYS)?;
        self.rows.first = log.first()?.map_or(0, |(number, _)| number.value());
        for item in log.iter()? {
            let (number, bytes) = item?;
            let row = Row::from_bytes(bytes.value())?;
            self.rows.next = number.value().saturating_add(1);
            self.walk.appended =
                self.walk.appended.saturating_add(row.changes.len() as u64).saturating_add(1);
            self.recent.extend(row.changes);
            for stretch in row.settled {
                self.take_recent(stretch);
            }
            (self.held, self.millis) = (row.held, row.millis);
        }
        self.rows.settled = self.rows.first;
        Ok(())
    }

    /// Does all this in one transaction, which is durable when this returns. `walk` asks for a step of the walk, even when
    /// the log does not need it.
    pub(super) fn run(
        &mut self,
        calls: &[Call],
        purges: &[Short],
        walk: bool,
        mut now: impl FnMut() -> Time,
    ) -> Result<Ran, redb::Error> {
        let (mut ran, mut row) = (Ran::default(), Row::default());
        let mut transaction = self.database.begin_write()?;
        transaction.set_quick_repair(self.held >= MANY);
        {
            let mut keys = transaction.open_table(KEYS)?;
            for call in calls {
                let time = now();
                let before = self.find(&keys, call.key)?;
                let (answer, change) = Entry::decide(before, call.act, call.token, time);
                ran.answers.push(answer);
                if let Some(after) = change {
                    row.changes.push((call.key, after));
                    self.change(call.key, before, after);
                }
            }
            let time = now();
            for from in purges {
                ran.purged.push(self.step(&mut keys, *from, time, &mut row)?);
            }
            self.appended(row.changes.len() as u64);
            let mut steps = self.steps_due().max(u64::from(walk));
            while steps > 0 {
                let step = self.walk(&mut keys, time, &mut row)?;
                // Where a walk ends, what is left of the batch's share is the next one's.
                steps = if step.next.is_none() { 0 } else { steps.saturating_sub(1) };
                ran.walked = Some(step);
            }
            if row.is_empty() {
                drop(keys);
                transaction.abort()?;
                return Ok(ran);
            }
            (row.held, row.millis) = (self.held, time.millis());
            self.append(&transaction, &row)?;
        }
        transaction.commit()?;
        Ok(ran)
    }

    fn find(
        &self,
        keys: &Table<'_, &'static Short, &'static Packed>,
        key: Short,
    ) -> Result<Option<Entry>, redb::Error> {
        let entry = match self.recent.get(&key) {
            Some(entry) => Some(*entry),
            None => keys.get(&key)?.map(|packed| Entry::from_packed(*packed.value())),
        };
        Ok(entry.filter(|entry| !entry.is_gone()))
    }

    fn change(&mut self, key: Short, before: Option<Entry>, after: Entry) {
        match (before, after.is_gone()) {
            (None, _) => self.held = self.held.saturating_add(1),
            (_, true) => self.held = self.held.saturating_sub(1),
            _ => {}
        }
        if !after.is_gone() {
            self.walk.earliest = self.walk.earliest.min(after.until());
        }
        self.recent.insert(key, after);
    }

    fn append(&mut self, transaction: &WriteTransaction, row: &Row) -> Result<(), redb::Error> {
        let mut log = transaction.open_table(LOG)?;
        log.insert(self.rows.next, row.to_bytes().as_slice())?;
        self.rows.next = self.rows.next.saturating_add(1);
        self.millis = row.millis;
        let until = self.rows.settled.min(self.rows.first.saturating_add(TRIMMED));
        if self.rows.first < until {
            log.retain_in(self.rows.first..until, |_, _| false)?;
            self.rows.first = until;
        }
        Ok(())
    }

    fn appended(&mut self, changes: u64) {
        if changes > 0 {
            // A row takes as much as an entry does.
            let appended = changes.saturating_add(1);
            self.walk.appended = self.walk.appended.saturating_add(appended);
            // Twice as fast as the log grows. What was released is not held, and waits all the same.
            let keys = self.held.saturating_add(self.recent.len() as u64);
            let steps = keys.div_ceil(STEP as u64).max(1).saturating_mul(2);
            self.walk.credit = self.walk.credit.saturating_add(appended.saturating_mul(steps));
        }
    }

    /// How many steps the walk must go on so that the log stays short.
    fn steps_due(&mut self) -> u64 {
        let most = (self.held / HELD_A_LOGGED).clamp(LEAST_LOGGED, MOST_LOGGED);
        if !self.walk.is_due {
            self.walk.is_due = self.walk.appended >= most;
            self.walk.credit = 0;
        }
        let steps = self.walk.credit.checked_div(most).unwrap_or_default();
        self.walk.credit = self.walk.credit.checked_rem(most).unwrap_or_default();
        steps
    }

    /// Goes on with the walk, or begins one.
    fn walk(
        &mut self,
        keys: &mut Table<'_, &'static Short, &'static Packed>,
        now: Time,
        row: &mut Row,
    ) -> Result<Step, redb::Error> {
        let from = match self.walk.at {
            Some(at) => at,
            None => {
                // The row of the transaction under way is not written yet, and what it changed may lie behind the walk soon.
                let is_due = self.walk.is_due;
                self.walk = Walk { until_row: self.rows.next, is_due, earliest: u64::MAX, ..Walk::default() };
                for (_, entry) in row.changes.iter().filter(|(_, entry)| !entry.is_gone()) {
                    self.walk.earliest = self.walk.earliest.min(entry.until());
                }
                FIRST
            }
        };
        let step = self.step(keys, from, now, row)?;
        self.walk.at = step.next;
        if step.next.is_none() {
            self.rows.settled = self.walk.until_row;
            self.walk.is_due = false;
        }
        Ok(step)
    }

    /// Settles what is recent in the next stretch of keys, and drops what has expired there.
    fn step(
        &mut self,
        keys: &mut Table<'_, &'static Short, &'static Packed>,
        from: Short,
        now: Time,
        row: &mut Row,
    ) -> Result<Step, redb::Error> {
        let (now, mut has_expired) = (now.millis(), false);
        let next = self.recent.range(from..).nth(STEP).map(|(key, _)| *key);
        let (mut looked_at, mut further) = (0_usize, None);
        for item in keys.range::<&Short>((Included(&from), next.as_ref().map_or(Unbounded, Excluded)))? {
            let (key, packed) = item?;
            if looked_at == STEP {
                further = Some(*key.value());
                break;
            }
            looked_at = looked_at.saturating_add(1);
            let until = Entry::from_packed(*packed.value()).until();
            match until <= now {
                true => has_expired = true,
                false => self.walk.earliest = self.walk.earliest.min(until),
            }
        }
        let next = further.or(next);
        let mut removed = 0_u64;
        let recent = self.take_recent((from, next));
        if recent.is_empty() && !has_expired {
            return Ok(Step { removed, next });
        }
        for (key, entry) in recent {
            if !entry.is_gone() && entry.until() > now {
                self.walk.earliest = self.walk.earliest.min(entry.until());
                keys.insert(&key, &entry.packed())?;
            } else {
                keys.remove(&key)?;
                removed = removed.saturating_add(u64::from(!entry.is_gone()));
            }
        }
        if has_expired {
            keys.retain_in::<&Short, _>(
                (Included(&from), next.as_ref().map_or(Unbounded, Excluded)),
                |_, packed| {
                    let is_live = Entry::from_packed(*packed).until() > now;
                    removed = removed.saturating_add(u64::from(!is_live));
                    is_live
                },
            )?;
        }
        self.held = self.held.saturating_sub(removed);
        row.settled.push((from, next));
        Ok(Step { removed, next })
    }

    fn take_recent(&mut self, (from, next): Stretch) -> Vec<(Short, Entry)> {
        let stretch = (Included(from), next.map_or(Unbounded, Excluded));
        let taken: Vec<_> = self.recent.range(stretch).map(|(key, entry)| (*key, *entry)).collect();
        for (key, _) in &taken {
            self.recent.remove(key);
        }
        taken
    }
}
