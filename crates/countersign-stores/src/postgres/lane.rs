//! `Lane`: callers queue, and one statement answers all who wait.

use std::{
    collections::{HashMap, VecDeque},
    ops::Range,
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

/// What one statement is about.
#[derive(Default)]
struct Batch {
    /// The statement's parts, each of another key.
    parts: Vec<Part>,
    /// Who asked for which of the parts.
    asked: Vec<(Range<usize>, Request)>,
    /// Who claims the key of a part by another token than that: the part's answer tells theirs.
    others: Vec<(usize, Request)>,
}

impl Worker {
    async fn run(mut self) {
        while self.wait().await {
            let batch = self.batch();
            if batch.parts.is_empty() {
                continue;
            }
            let settles = batch.parts.iter().any(|part| part.call != Call::Claim);
            let statement = if settles { statement::settle } else { statement::claim };
            let rows = self.session.run(&statement(&self.schema, batch.parts.iter())).await;
            let found = |rows: Vec<_>| rows.iter().map(statement::found).collect::<Result<_, _>>();
            let refused = rows.and_then(|rows| found(rows).map_err(Failure::from));
            self.answer(batch, &refused);
        }
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
        let (mut batch, mut places) = (Batch::default(), HashMap::<Key, usize>::new());
        for request in std::mem::take(&mut self.waiting) {
            // Nobody waits for the answer any more, and nothing was begun.
            if request.answer.is_closed() {
                continue;
            }
            let place = request.parts.iter().find_map(|part| places.get(&part.key)).copied();
            let (start, end) = (batch.parts.len(), batch.parts.len().saturating_add(request.parts.len()));
            match place {
                None if end <= MOST || start == 0 => {
                    places.extend(request.parts.iter().map(|part| part.key).zip(start..));
                    batch.parts.extend_from_slice(&request.parts);
                    batch.asked.push((start..end, request));
                }
                Some(place) if batch.parts.get(place).is_some_and(|first| request.is_told_by(first)) => {
                    batch.others.push((place, request));
                }
                _ => self.waiting.push_back(request),
            }
        }
        batch
    }

    /// Answers everybody. The statement has answered with what it refused. Who does not wait any more misses nothing.
    fn answer(&mut self, batch: Batch, refused: &Result<HashMap<usize, Found>, Failure>) {
        let Batch { parts, asked, others } = batch;
        let found = |place| match refused {
            Ok(refused) => Ok(refused.get(&place).copied().unwrap_or(Found::Done)),
            Err(failure) => Err(failure.clone()),
        };
        for (mut places, request) in asked {
            let other =
                places.find_map(|place| Some(found(place)).filter(|found| !matches!(found, Ok(Found::Done))));
            drop(request.answer.send(other.unwrap_or(Ok(Found::Done))));
        }
        for (place, request) in others {
            let answer = match (found(place), parts.get(place)) {
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
