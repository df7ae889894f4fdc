//! `Lane`: callers queue, and one statement answers all who wait, or a second one those whom the first left.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    time::Duration,
};

use countersign_core::{StoreError, dedupe::Key};
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

use super::{
    session::{Failure, Session},
    statement::{self, Call, Found, Part},
};

/// How many keys one statement is about at the most. Each takes a place in the server's table of locks while it runs.
const MOST: usize = 128;

/// How many callers can wait in a lane's queue; others wait for a place in it.
const QUEUE: usize = 1024;

/// For how long a lane that has nothing to do keeps a connection of somebody else's pool.
const KEPT: Duration = Duration::from_millis(100);

/// The callers' end of a lane.
#[derive(Clone, Debug)]
pub(super) struct Lane(mpsc::Sender<Request>);

/// A claim of one key, or what is made of the keys of one claim.
struct Request {
    parts: Vec<Part>,
    answer: oneshot::Sender<Result<Found, Failure>>,
}

impl Lane {
    /// The lane, and its work, which ends when the lane is dropped.
    pub(super) fn new(schema: &str, session: Session) -> (Self, impl Future<Output = ()> + use<>) {
        let (sender, requests) = mpsc::channel(QUEUE);
        let worker = Worker { schema: schema.to_owned(), session, requests, waiting: VecDeque::new() };
        (Self(sender), worker.run())
    }

    /// Has these parts done by one statement, for keys that differ. The answer is the first that is not [`Found::Done`], if any.
    pub(super) async fn call(&self, parts: Vec<Part>) -> Result<Found, StoreError> {
        let ended = || StoreError::unavailable("the runtime that the store was made on has ended");
        let (answer, answered) = oneshot::channel();
        self.0.send(Request { parts, answer }).await.map_err(|_| ended())?;
        Ok(answered.await.map_err(|_| ended())??)
    }
}

struct Worker {
    schema: String,
    session: Session,
    requests: mpsc::Receiver<Request>,
    waiting: VecDeque<Request>,
}

/// What is asked of the server at once.
#[derive(Default)]
struct Batch {
    /// Each of another key.
    parts: HashMap<Key, Part>,
    /// Who asked for those.
    asked: Vec<Request>,
    /// Who claims the key of one of them by another token: its answer tells theirs.
    others: Vec<(Key, Request)>,
}

impl Worker {
    async fn run(mut self) {
        while self.wait().await {
            let batch = self.batch();
            if batch.asked.is_empty() {
                continue;
            }
            let parts = batch.asked.iter().flat_map(|request| request.parts.iter().copied()).collect();
            let mut answers = HashMap::new();
            let failure = self.ask(parts, &mut answers).await.err();
            self.answer(batch, &answers, failure);
        }
    }

    /// Asks the server: by a short statement, which does most of it, and for what it left by the one that says why.
    async fn ask(&mut self, mut parts: Vec<Part>, answers: &mut HashMap<Key, Found>) -> Result<(), Failure> {
        let (schema, settles) = (&self.schema, parts.iter().any(|part| part.call != Call::Claim));
        let text = match settles {
            true => statement::settle_held(schema, parts.iter()),
            false => statement::claim_new(schema, parts.iter()),
        };
        let rows = self.session.run(&text).await?;
        let done = rows.iter().map(statement::done).collect::<Result<HashSet<_>, _>>()?;
        parts.retain(|part| {
            let is_done = done.contains(&part.key.to_string());
            if is_done {
                answers.insert(part.key, Found::Done);
            }
            !is_done
        });
        if parts.is_empty() {
            return Ok(());
        }
        let text = match settles {
            true => statement::settle(schema, parts.iter()),
            false => statement::claim(schema, parts.iter()),
        };
        for row in self.session.run(&text).await? {
            let (place, found) = statement::found(&row)?;
            answers.extend(parts.get(place).map(|part| (part.key, found)));
        }
        Ok(())
    }

    /// Waits until there is something to do; `false` when there never will be.
    async fn wait(&mut self) -> bool {
        if self.waiting.is_empty() {
            let next = match timeout(KEPT, self.requests.recv()).await {
                Err(_) if self.session.source.shared => {
                    self.session.rest().await;
                    self.requests.recv().await
                }
                Err(_) => self.requests.recv().await,
                Ok(next) => next,
            };
            let Some(next) = next else { return false };
            self.waiting.push_back(next);
        }
        while self.waiting.len() < QUEUE
            && let Ok(next) = self.requests.try_recv()
        {
            self.waiting.push_back(next);
        }
        true
    }

    /// Takes what fits into one statement, each key once.
    fn batch(&mut self) -> Batch {
        let mut batch = Batch::default();
        for request in std::mem::take(&mut self.waiting) {
            // Nobody waits for the answer any more, and nothing was begun.
            if request.answer.is_closed() {
                continue;
            }
            let count = batch.parts.len();
            match request.parts.iter().find_map(|part| batch.parts.get(&part.key)) {
                None if count == 0 || count.saturating_add(request.parts.len()) <= MOST => {
                    batch.parts.extend(request.parts.iter().map(|part| (part.key, *part)));
                    batch.asked.push(request);
                }
                Some(first) if request.is_told_by(first) => batch.others.push((first.key, request)),
                _ => self.waiting.push_back(request),
            }
        }
        batch
    }

    fn answer(&mut self, batch: Batch, answers: &HashMap<Key, Found>, failure: Option<Failure>) {
        let Batch { parts, asked, others } = batch;
        let found = |key: &Key| match (answers.get(key), &failure) {
            (Some(found), _) => Ok(*found),
            (None, Some(failure)) => Err(failure.clone()),
            // Without a failure there is an answer for each.
            (None, None) => Ok(Found::Busy),
        };
        // Who does not wait any more misses nothing.
        for request in asked {
            let mut answers = request.parts.iter().map(|part| found(&part.key));
            let answer = answers.find(|answer| !matches!(answer, Ok(Found::Done)));
            drop(request.answer.send(answer.unwrap_or(Ok(Found::Done))));
        }
        for (key, request) in others {
            let answer = match (found(&key), parts.get(&key)) {
                (Ok(Found::Done), Some(first)) => {
                    Ok(Found::Held { holder: statement::number(first.token), left: first.length })
                }
                // It is this very claim that holds the key: asked for itself, it succeeds.
                (Ok(Found::Held { holder, .. }), _) if request.is_of(holder) => {
                    self.waiting.push_front(request);
                    continue;
                }
                (answer, _) => answer,
            };
            drop(request.answer.send(answer));
        }
    }
}

impl Request {
    /// Whether the answer to another's claim answers this one too.
    fn is_told_by(&self, first: &Part) -> bool {
        matches!(self.parts.as_slice(), [part] if part.call == Call::Claim && part.token != first.token)
    }

    fn is_of(&self, holder: i64) -> bool {
        self.parts.iter().any(|part| statement::number(part.token) == holder)
    }
}
