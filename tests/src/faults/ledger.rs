//! `Ledger`: what was sent, what was answered, and which effects happened.

use std::{
    collections::HashMap,
    fmt, fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard},
    time::Duration,
};

/// The handlers' effects: a file with a line for each, in the order in which they happened.
///
/// A line is one write to the end of the file, so that neither another process nor a kill tears or loses it.
#[derive(Debug)]
pub struct Effects(fs::File);

impl Effects {
    /// The effects in this file.
    pub fn at(path: &Path) -> Self {
        Self(fs::OpenOptions::new().create(true).append(true).open(path).unwrap())
    }

    /// Has the effect of a delivery.
    pub fn happen(&self, delivery: &str) {
        let line = format!("{delivery}\n");
        assert_eq!((&self.0).write(line.as_bytes()).unwrap(), line.len());
    }
}

/// What a sender knows, held against the effects.
#[derive(Debug)]
pub struct Ledger {
    effects: PathBuf,
    pages: Mutex<Pages>,
}

#[derive(Debug, Default)]
struct Pages {
    deliveries: Vec<Page>,
    tries: usize,
    refused: usize,
    unheard: usize,
    hung: usize,
    duplicates: usize,
    slowest: Duration,
}

/// A delivery. How long the file of effects was at a moment says which effects happened before it.
#[derive(Debug)]
struct Page {
    name: String,
    /// At its first 2xx.
    answered: Option<u64>,
    /// At its first 2xx by a receiver that had committed it.
    committed: Option<u64>,
}

/// What became of one try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Try {
    /// Answered 2xx: handled now, and committed.
    Processed,
    /// Answered 2xx: handled now, and the commit failed.
    Uncommitted,
    /// Answered 2xx: handled before.
    Duplicate,
    /// Answered 5xx, for another try.
    Refused,
    /// The connection failed.
    Unheard,
    /// There was no answer in the time that a sender waits.
    Hung,
}

impl Ledger {
    /// A ledger over the effects in this file.
    pub fn over(effects: &Path) -> Self {
        Effects::at(effects);
        Self { effects: effects.to_owned(), pages: Mutex::default() }
    }

    /// Opens the page of a delivery, under a name that no other has: its number among all.
    pub(super) fn open(&self, kind: &str) -> (usize, String) {
        let deliveries = &mut self.pages().deliveries;
        let name = format!("{kind}-{}", deliveries.len());
        deliveries.push(Page { name: name.clone(), answered: None, committed: None });
        (deliveries.len() - 1, name)
    }

    /// Writes down what became of a try of a delivery, and whether the sender may rest.
    pub(super) fn tried(&self, number: usize, became: Try, took: Duration) -> bool {
        // An effect from before the answer is in the file by now.
        let length = fs::metadata(&self.effects).unwrap().len();
        let pages = &mut *self.pages();
        pages.tries += 1;
        pages.slowest = pages.slowest.max(took);
        match became {
            Try::Refused => pages.refused += 1,
            Try::Unheard => pages.unheard += 1,
            Try::Hung => pages.hung += 1,
            Try::Duplicate => pages.duplicates += 1,
            Try::Processed | Try::Uncommitted => {}
        }
        let settled = matches!(became, Try::Processed | Try::Uncommitted | Try::Duplicate);
        if settled {
            let page = &mut pages.deliveries[number];
            page.answered.get_or_insert(length);
            if became != Try::Uncommitted {
                page.committed.get_or_insert(length);
            }
        }
        settled
    }

    /// Counts.
    pub fn tally(&self) -> Tally {
        let mut effects = HashMap::<_, Vec<u64>>::new();
        let text = fs::read_to_string(&self.effects).unwrap();
        let mut length = 0;
        for line in text.split_inclusive('\n') {
            effects.entry(line.trim_end()).or_default().push(length);
            length += line.len() as u64;
        }
        let pages = self.pages();
        let mut tally = Tally {
            sent: pages.deliveries.len(),
            tries: pages.tries,
            effects: effects.values().map(Vec::len).sum(),
            duplicates: pages.duplicates,
            repeated: 0,
            uncommitted: 0,
            lost: 0,
            run_again: 0,
            unanswered: 0,
            refused: pages.refused,
            unheard: pages.unheard,
            hung: pages.hung,
            slowest: pages.slowest,
        };
        for page in &pages.deliveries {
            let effects = effects.get(page.name.as_str()).map_or(&[][..], Vec::as_slice);
            let before =
                |end: Option<u64>| effects.iter().filter(|at| end.is_none_or(|end| **at < end)).count();
            tally.unanswered += usize::from(page.answered.is_none());
            tally.uncommitted += usize::from(page.answered != page.committed);
            tally.lost += usize::from(page.answered.is_some() && before(page.answered) == 0);
            tally.repeated += before(page.committed).saturating_sub(1);
            tally.run_again += effects.len() - before(page.committed);
        }
        tally
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap()
    }
}

/// The counts of a ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// Deliveries.
    pub sent: usize,
    /// Requests.
    pub tries: usize,
    /// Effects.
    pub effects: usize,
    /// Requests that were answered as duplicates.
    pub duplicates: usize,
    /// Effects that happened again before the delivery was committed: a crash between effect and commit.
    pub repeated: usize,
    /// Deliveries that were answered 2xx though their commit failed.
    pub uncommitted: usize,
    /// Deliveries that were answered 2xx before their effect.
    pub lost: usize,
    /// Effects that happened after the sender was told that the delivery is handled and committed.
    pub run_again: usize,
    /// Deliveries that were never answered 2xx.
    pub unanswered: usize,
    /// Requests that were answered 5xx.
    pub refused: usize,
    /// Requests whose connection failed.
    pub unheard: usize,
    /// Requests without an answer in the time that a sender waits.
    pub hung: usize,
    /// The longest that a request took.
    pub slowest: Duration,
}

impl Tally {
    /// Prints the line of a store's faults, past the test harness, which shows the output of failed tests alone.
    pub fn tell(&self, store: &str, faults: &str) {
        let line = format!("\nfaults {store}: {faults}, {self}\n");
        let _ = io::stdout().write_all(line.as_bytes());
    }

    /// # Panics
    /// When a delivery was lost, was run again after it was committed, or was never answered.
    pub fn assert_kept(&self) {
        assert_eq!((self.lost, self.run_again, self.unanswered), (0, 0, 0), "{self:?}");
        assert_eq!(self.effects, self.sent + self.repeated, "{self:?}");
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} deliveries sent, {} tries, {} effects, {} duplicates answered, {} refused, {} hung, slowest answer \
             {} ms, {} repeated before their commit, {} not committed, {} lost, {} run again",
            self.sent,
            self.tries,
            self.effects,
            self.duplicates,
            self.refused,
            self.hung,
            self.slowest.as_millis(),
            self.repeated,
            self.uncommitted,
            self.lost,
            self.run_again
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The counts (lost, run again, repeated, not committed) of one delivery, after `E`ffects and answers: `P`rocessed,
    /// `U`ncommitted, `D`uplicate, `R`efused.
    fn check(story: &str, counts: (usize, usize, usize, usize)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("effects");
        let (ledger, effects) = (Ledger::over(&path), Effects::at(&path));
        let (number, name) = ledger.open("kind");
        for step in story.chars() {
            let became = match step {
                'E' => {
                    effects.happen(&name);
                    continue;
                }
                'P' => Try::Processed,
                'U' => Try::Uncommitted,
                'D' => Try::Duplicate,
                _ => Try::Refused,
            };
            ledger.tried(number, became, Duration::ZERO);
            effects.happen("another");
        }
        let tally = ledger.tally();
        assert_eq!((tally.lost, tally.run_again, tally.repeated, tally.uncommitted), counts, "{story}");
    }

    #[test]
    fn a_delivery_is_lost_or_run_again_by_what_happened_before_its_answer() {
        check("EPDD", (0, 0, 0, 0));
        check("ERREPD", (0, 0, 1, 0));
        check("RED", (0, 0, 0, 0));
        check("EPEP", (0, 1, 0, 0));
        check("EPEE", (0, 2, 0, 0));
        check("D", (1, 0, 0, 0));
        check("DE", (1, 1, 0, 0));
        check("P", (1, 0, 0, 0));
        check("EUEPD", (0, 0, 1, 1));
        check("EUEPE", (0, 1, 1, 1));
        check("UEP", (1, 0, 0, 1));
        check("RR", (0, 0, 0, 0));
    }
}
