//! `Writer`: the thread that has the ledger, and does everything that is asked of it, many calls a transaction.

use std::{
    error::Error,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

use countersign_core::{
    Clock, StoreError, Timestamp,
    dedupe::{Claim, Token},
};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::{
    disk::Storage,
    entry::{Act, Short, Time},
    ledger::{Call, Ledger, OpenError, Ran, Step},
};

/// How many calls share a transaction at most.
const BATCH: usize = 4096;
/// How long whoever was answered last is waited for at most: a transaction that hung says nothing of the next.
const PATIENCE: Duration = Duration::from_millis(5);
/// How long a step of the walk through the keys is put off, when there is little to remove and when there is much.
const CALM: Duration = Duration::from_millis(100);
const BUSY: Duration = Duration::from_millis(2);
/// So many removed in one step are much.
const MUCH: u64 = 64;
/// How soon one walk follows another, by default.
const REST: Duration = Duration::from_secs(60);
/// How soon a file that failed is opened again.
const RETRY: Duration = Duration::from_millis(100);

/// Something that is asked of the writer. Holds its place in the queue until it is answered.
pub(super) struct Request {
    pub(super) ask: Ask,
    pub(super) place: OwnedSemaphorePermit,
}

pub(super) enum Ask {
    Settle {
        key: Short,
        token: Token,
        act: Act,
        answer: oneshot::Sender<Result<Option<Claim>, StoreError>>,
    },
    /// In one transaction.
    SettleAll {
        keys: Vec<Short>,
        token: Token,
        act: Act,
        answer: oneshot::Sender<Result<(), StoreError>>,
    },
    Purge {
        from: Short,
        answer: oneshot::Sender<Result<Step, StoreError>>,
    },
}

/// Who waits for the answers to one call or to several. Some do not wait any more.
enum Settled {
    One(oneshot::Sender<Result<Option<Claim>, StoreError>>),
    All(usize, oneshot::Sender<Result<(), StoreError>>),
}

impl Settled {
    /// Takes the answers that are meant for it.
    fn answer(self, answers: &mut impl Iterator<Item = Result<Option<Claim>, StoreError>>) {
        match self {
            Self::One(answer) => drop(answers.next().map(|result| answer.send(result))),
            Self::All(count, answer) => {
                let result = answers.take(count).reduce(Result::and);
                drop(answer.send(result.map_or(Ok(()), |result| result.map(drop))));
            }
        }
    }
}

/// The thread's state.
pub(super) struct Writer {
    pub(super) storage: Storage,
    pub(super) cache: usize,
    /// How soon one walk through the keys follows another.
    pub(super) rest: Duration,
    pub(super) clock: StoreClock,
    /// `None` after a failure, until it is opened again.
    ledger: Option<Ledger>,
    /// Why it could not be opened, and when that is tried again.
    failure: Option<(Cause, Instant)>,
    /// The ledger's, after the last transaction.
    written: u64,
    held: Arc<AtomicU64>,
    /// How many calls the last transaction had, and how long it took.
    last: (usize, Duration),
    walk_at: Instant,
    walk_began: Instant,
}

/// The store's time: by the wall clock and by what was written when it was opened, by the monotonic clock from then on.
pub(super) struct StoreClock {
    clock: Box<dyn Clock>,
    opened: Duration,
    opened_at: Duration,
}

/// What a failed transaction's callers are told.
#[derive(Clone, Debug)]
struct Cause(Arc<dyn Error + Send + Sync>);

impl Writer {
    pub(super) fn new(storage: Storage, cache: usize, clock: Box<dyn Clock>) -> Result<Self, OpenError> {
        let ledger = Ledger::open(&storage, cache)?;
        let now = Instant::now();
        Ok(Self {
            storage,
            cache,
            rest: REST,
            clock: StoreClock::new(clock, ledger.millis()),
            written: ledger.written(),
            held: Arc::new(AtomicU64::new(ledger.held())),
            ledger: Some(ledger),
            failure: None,
            last: (0, Duration::ZERO),
            walk_at: now,
            walk_began: now,
        })
    }

    pub(super) fn held(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.held)
    }

    /// Serves the queue until nobody can send to it any more, and closes the file.
    pub(super) fn run(mut self, queue: &Receiver<Request>) {
        loop {
            let pause = self.walk_at.saturating_duration_since(Instant::now());
            match queue.recv_timeout(pause) {
                Ok(first) => {
                    let batch = self.gather(first, queue);
                    self.serve(batch);
                }
                Err(RecvTimeoutError::Timeout) => self.serve(Vec::new()),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Everything that is queued. Whoever was answered last is often about to call again, and is waited for a little: an
    /// eighth of what a transaction takes.
    fn gather(&self, first: Request, queue: &Receiver<Request>) -> Vec<Request> {
        let mut batch = vec![first];
        let (expected, took) = self.last;
        let patience = took.checked_div(8).unwrap_or_default().min(PATIENCE);
        let patience = Instant::now().checked_add(patience);
        loop {
            batch.extend(queue.try_iter().take(BATCH.saturating_sub(batch.len())));
            if batch.len() >= expected.min(BATCH) {
                return batch;
            }
            let left = patience.map(|end| end.saturating_duration_since(Instant::now())).unwrap_or_default();
            match queue.recv_timeout(left) {
                Ok(request) => batch.push(request),
                Err(_) => return batch,
            }
        }
    }

    fn serve(&mut self, batch: Vec<Request>) {
        let (mut calls, mut settled, mut purges, mut purged, mut places) =
            (vec![], vec![], vec![], vec![], vec![]);
        for Request { ask, place } in batch {
            match ask {
                // Nobody would know of this claim. What settles one is done for whoever is next.
                Ask::Settle { act: Act::Claim(_), answer, .. } if answer.is_closed() => {}
                Ask::Settle { key, token, act, answer } => {
                    calls.push(Call { key, token, act });
                    settled.push(Settled::One(answer));
                }
                Ask::SettleAll { keys, token, act, answer } => {
                    settled.push(Settled::All(keys.len(), answer));
                    calls.extend(keys.into_iter().map(|key| Call { key, token, act }));
                }
                Ask::Purge { from, answer } => {
                    purges.push(from);
                    purged.push(answer);
                }
            }
            places.push(place);
        }
        let began = Instant::now();
        let walks = self.walks(began);
        match self.transact(&calls, &purges, walks) {
            Ok(ran) => {
                let mut answers = ran.answers.into_iter();
                settled.into_iter().for_each(|settled| settled.answer(&mut answers));
                for (answer, step) in purged.into_iter().zip(ran.purged) {
                    let _ = answer.send(Ok(step));
                }
                self.pace(began, walks, ran.walked);
            }
            Err(cause) => {
                let mut answers = std::iter::repeat_with(|| Err(StoreError::unavailable(cause.clone())));
                settled.into_iter().for_each(|settled| settled.answer(&mut answers));
                for answer in purged {
                    let _ = answer.send(Err(StoreError::unavailable(cause.clone())));
                }
                self.walk_at = began.checked_add(self.rest).unwrap_or(began);
            }
        }
        if !calls.is_empty() {
            self.last = (calls.len(), began.elapsed());
        }
    }

    /// Whether it is time for a step of the walk.
    fn walks(&self, now: Instant) -> bool {
        let time = self.clock.now();
        now >= self.walk_at && self.ledger.as_ref().is_some_and(|ledger| ledger.wants_a_walk(time))
    }

    /// When the walk goes on: soon while there is much to remove, and not often when there is nothing.
    fn pace(&mut self, began: Instant, walks: bool, walked: Option<Step>) {
        let next = match walked {
            Some(Step { next: None, .. }) => {
                let next = self.walk_began.checked_add(self.rest).map(|next| next.max(began));
                self.walk_began = next.unwrap_or(began);
                next
            }
            Some(Step { removed, .. }) => began.checked_add(if removed < MUCH { CALM } else { BUSY }),
            None if walks || began >= self.walk_at => began.checked_add(self.rest),
            None => return,
        };
        self.walk_at = next.unwrap_or(began);
    }

    /// One transaction. When it fails, or redb panics, the file is closed, and opened again when it is needed next.
    fn transact(&mut self, calls: &[Call], purges: &[Short], walk: bool) -> Result<Ran, Cause> {
        if calls.is_empty() && purges.is_empty() && !walk {
            return Ok(Ran::default());
        }
        let ran = catch_unwind(AssertUnwindSafe(|| self.try_transact(calls, purges, walk)));
        let ran = ran.unwrap_or_else(|_| Err(Cause::from("the store's writer panicked")));
        if let Err(cause) = &ran
            && let Some(ledger) = self.ledger.take()
        {
            tracing::warn!(error = %cause, "the embedded store failed; its file is opened again");
            let _ = catch_unwind(AssertUnwindSafe(|| drop(ledger)));
        }
        ran
    }

    fn try_transact(&mut self, calls: &[Call], purges: &[Short], walk: bool) -> Result<Ran, Cause> {
        let ledger = match &mut self.ledger {
            Some(ledger) => ledger,
            none => none.insert(reopened(&self.storage, self.cache, self.written, &mut self.failure)?),
        };
        let ran = ledger.run(calls, purges, walk, || self.clock.now()).map_err(Cause::of)?;
        self.written = ledger.written();
        self.held.store(ledger.held(), Ordering::Relaxed);
        Ok(ran)
    }
}

/// The file after a failure, if it can be opened and is the one that it was. Not tried for every call while it is not.
fn reopened(
    storage: &Storage,
    cache: usize,
    written: u64,
    failure: &mut Option<(Cause, Instant)>,
) -> Result<Ledger, Cause> {
    let now = Instant::now();
    if let Some((cause, again)) = failure
        && now < *again
    {
        return Err(cause.clone());
    }
    let opened = Ledger::open(storage, cache).and_then(|ledger| match ledger.written() < written {
        true => Err(OpenError::Older),
        false => Ok(ledger),
    });
    match opened {
        Ok(ledger) => {
            *failure = None;
            Ok(ledger)
        }
        Err(error) => {
            let cause = Cause::of(error);
            *failure = Some((cause.clone(), now.checked_add(RETRY).unwrap_or(now)));
            Err(cause)
        }
    }
}

impl StoreClock {
    /// Goes on from the time of the last write at the least, so that a wall clock that was set back between two runs
    /// keeps no lease for longer.
    fn new(clock: Box<dyn Clock>, written: u64) -> Self {
        let wall = clock.now().since(Timestamp::from_unix_seconds(0));
        Self { opened: wall.max(Duration::from_millis(written)), opened_at: clock.elapsed(), clock }
    }

    fn now(&self) -> Time {
        let since = self.clock.elapsed().saturating_sub(self.opened_at);
        Time::since_1970(self.opened.saturating_add(since))
    }
}

impl Cause {
    fn of(error: impl Error + Send + Sync + 'static) -> Self {
        Self(Arc::new(error))
    }
}

impl From<&str> for Cause {
    fn from(text: &str) -> Self {
        Self(Arc::from(Box::<dyn Error + Send + Sync>::from(text)))
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for Cause {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}
