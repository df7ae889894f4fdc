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

struct Request {
    part: Part,
    answer: oneshot::Sender<Result<Found, Failure>>,
}

impl Lane {
    /// The lane, and its work, which ends when the lane is dropped.
    pub(super) fn new(schema: &str, session: Session) -> (Self, impl Future<Output = ()> + use<>) {
        let (sender, requests) = mpsc::channel(QUEUE);
        let worker = Worker { schema: schema.to_owned(), session, requests, waiting: VecDeque::new() };
        (Self(sender), worker.run())
    }

    pub(super) async fn call(&self, part: Part) -> Result<Found, StoreError> {
        let ended = || StoreError::unavailable("the runtime that the store was made on has ended");
        let (answer, answered) = oneshot::channel();
        self.0.send(Request { part, answer }).await.map_err(|_| ended())?;
        Ok(answered.await.map_err(|_| ended())??)
    }
}

struct Worker {
    schema: String,
    session: Session,
    requests: mpsc::Receiver<Request>,
    waiting: VecDeque<Request>,
}

impl Worker {
    async fn run(mut self) {
        while self.wait().await {
            let groups = self.groups();
            if groups.is_empty() {
                continue;
            }
            let parts = groups.iter().filter_map(|group| group.first()).map(|request| request.part).collect();
            let mut answers = HashMap::new();
            let failure = self.ask(parts, &mut answers).await.err();
            self.answer(groups, &answers, failure);
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

    /// Takes what fits into one statement, grouped by keys: the first of a group goes into the statement, and its answer
    /// answers the others, who claim the same key by other tokens.
    fn groups(&mut self) -> Vec<Vec<Request>> {
        let mut groups: Vec<Vec<Request>> = Vec::new();
        let mut places = HashMap::<Key, usize>::new();
        for request in std::mem::take(&mut self.waiting) {
            // Nobody waits for the answer any more, and nothing was begun.
            if request.answer.is_closed() {
                continue;
            }
            let part = request.part;
            let place = places.get(&part.key).copied();
            let count = groups.len();
            match place.and_then(|place| groups.get_mut(place)) {
                Some(group) if follows(group, &part) => group.push(request),
                None if count < MOST => {
                    places.insert(part.key, count);
                    groups.push(vec![request]);
                }
                _ => self.waiting.push_back(request),
            }
        }
        groups
    }

    fn answer(&mut self, groups: Vec<Vec<Request>>, answers: &HashMap<Key, Found>, failure: Option<Failure>) {
        for group in groups {
            // Without a failure there is an answer for each.
            let found = group.first().and_then(|first| answers.get(&first.part.key)).copied();
            let answer = found.map_or_else(|| failure.clone().map_or(Ok(Found::Busy), Err), Ok);
            let mut first: Option<Part> = None;
            for request in group {
                let answer = match (&answer, first) {
                    (Ok(Found::Done), Some(first)) => {
                        Ok(Found::Held { holder: statement::number(first.token), left: first.length })
                    }
                    // It is this very claim that holds the key: asked for itself, it succeeds.
                    (Ok(Found::Held { holder, .. }), Some(_))
                        if *holder == statement::number(request.part.token) =>
                    {
                        self.waiting.push_front(request);
                        continue;
                    }
                    (answer, _) => answer.clone(),
                };
                first.get_or_insert(request.part);
                // Who does not wait any more misses nothing.
                let _ = request.answer.send(answer);
            }
        }
    }
}

/// Whether the answer to a group's first claim answers this one too.
fn follows(group: &[Request], part: &Part) -> bool {
    part.call == Call::Claim && group.first().is_some_and(|first| first.part.token != part.token)
}
