//! `Link`: the connection that all calls share, replaced when it breaks or stalls.

use std::{
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use countersign_core::StoreError;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ErrorKind, RedisError, ServerErrorKind, Value,
    aio::{ConnectionLike, MultiplexedConnection},
    cluster::ClusterClient,
    cluster_async::ClusterConnection,
    cluster_routing::{MultipleNodeRoutingInfo, RoutingInfo},
};
use tokio::{
    sync::{Semaphore, watch},
    time::{Instant, timeout, timeout_at},
};

/// How many calls may wait for the server at once. A server that hangs is not to fill this process's memory.
const MOST_WAITING: usize = 4096;

/// How long a failed attempt to connect answers for those that come after it.
const PAUSE: Duration = Duration::from_millis(100);

/// A longer time-out is as good as this, and clocks can count it.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(24 * 3600);

/// What is connected to.
#[expect(clippy::large_enum_variant, reason = "a store has one, for as long as it lives")]
pub(super) enum Target {
    Server(Client),
    Cluster(ClusterClient),
}

/// The connection to a server or a cluster.
///
/// The client's own managers wait for as long as it takes, and keep a connection on which nothing comes back any more. This
/// one is bounded in all it does: in time by the deadline of each call, in memory by [`MOST_WAITING`]. A connection is
/// replaced when it breaks, when its server has become a replica, and when a call ends unanswered while nothing else was
/// answered either. An answer is never taken for another call's: the client pairs them in order, whether or not
/// somebody still waits, and a connection that is replaced is closed.
pub(super) struct Link(Arc<Shared>);

struct Shared {
    target: Target,
    timeout: Duration,
    places: Semaphore,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    live: Option<Arc<Live>>,
    /// The attempt to connect that is being made.
    attempt: Option<watch::Receiver<Option<Attempted>>>,
    /// The last attempt, when it failed.
    failed: Option<(Instant, RedisError)>,
}

type Attempted = Result<Arc<Live>, RedisError>;

struct Live {
    connection: Connection,
    made: Instant,
    /// How many calls were answered.
    answers: AtomicU64,
}

enum Connection {
    Server(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Link {
    /// Connects, within the time-out.
    pub(super) async fn open(target: Target, timeout: Duration) -> Result<Self, RedisError> {
        let link = Self(Arc::new(Shared {
            target,
            timeout: timeout.min(LONGEST_TIMEOUT),
            places: Semaphore::new(MOST_WAITING),
            state: Mutex::default(),
        }));
        link.live().await?;
        Ok(link)
    }

    /// Whether each key has a server of its own.
    pub(super) fn is_cluster(&self) -> bool {
        matches!(self.0.target, Target::Cluster(_))
    }

    /// Until when a call that begins now is to be answered.
    pub(super) fn deadline(&self) -> Instant {
        let now = Instant::now();
        now.checked_add(self.0.timeout).unwrap_or(now)
    }

    /// Has a command run, and once more where the connection had broken: whatever is called here may be run twice.
    pub(super) async fn call(&self, command: &Cmd, deadline: Instant) -> Result<Value, CallError> {
        let _place = self.0.places.try_acquire().map_err(|_| CallError::Crowded)?;
        let mut again = true;
        loop {
            let live = timeout_at(deadline, self.live()).await.map_err(|_| CallError::TimedOut)??;
            let (sent, answers) = (Instant::now(), live.answers.load(Ordering::Relaxed));
            let Ok(answer) = timeout_at(deadline, live.send(command)).await else {
                let stalled = match live.connection {
                    // One that has just been connected gets its chance.
                    Connection::Server(_) => {
                        live.answers.load(Ordering::Relaxed) == answers
                            && sent.elapsed().saturating_mul(2) >= self.0.timeout
                    }
                    // One shard may hang while others answer.
                    Connection::Cluster(_) => live.made.elapsed() >= self.0.timeout.saturating_mul(2),
                };
                if stalled {
                    self.replace(&live);
                }
                return Err(CallError::TimedOut);
            };
            match answer {
                Err(error) if is_broken(&error) => {
                    self.replace(&live);
                    if !std::mem::take(&mut again) {
                        return Err(error.into());
                    }
                }
                answer => {
                    live.answers.fetch_add(1, Ordering::Relaxed);
                    return Ok(answer?);
                }
            }
        }
    }

    /// Has a command run by every primary within the time-out, and answers what each said.
    pub(super) async fn ask_primaries(&self, command: &Cmd) -> Result<Vec<Value>, RedisError> {
        timeout(self.0.timeout, self.answers(command)).await.map_err(|_| timed_out())?
    }

    async fn answers(&self, command: &Cmd) -> Result<Vec<Value>, RedisError> {
        let answers = match &self.live().await?.connection {
            Connection::Server(connection) => {
                vec![connection.clone().send_packed_command(command).await?]
            }
            Connection::Cluster(connection) => {
                let all = RoutingInfo::MultiNode((MultipleNodeRoutingInfo::AllMasters, None));
                match connection.clone().route_command(command.clone(), all).await?.extract_error()? {
                    Value::Map(answers) => answers.into_iter().map(|(_, answer)| answer).collect(),
                    answer => vec![answer],
                }
            }
        };
        answers.into_iter().map(Value::extract_error).collect()
    }

    /// The connection, once there is one. Waits for the attempt that is being made, or makes one.
    async fn live(&self) -> Attempted {
        let mut attempt = {
            let mut state = self.0.state();
            if let Some(live) = &state.live {
                return Ok(Arc::clone(live));
            }
            self.attempt(&mut state)?
        };
        let gave_up = || RedisError::from(io::Error::from(io::ErrorKind::NotConnected));
        let made = attempt.wait_for(Option::is_some).await.map_err(|_| gave_up())?;
        made.clone().unwrap_or_else(|| Err(gave_up()))
    }

    /// Starts connecting anew, unless that is under way. A cluster's other shards go on by the old connection until then.
    fn replace(&self, old: &Arc<Live>) {
        let mut state = self.0.state();
        if state.live.as_ref().is_some_and(|live| Arc::ptr_eq(live, old)) {
            if let Connection::Server(_) = old.connection {
                state.live = None;
            }
            let _ = self.attempt(&mut state);
        }
    }

    /// The attempt under way, or a new one, which nobody's cancelling cuts short. Fails while the last failure is fresh.
    fn attempt(&self, state: &mut State) -> Result<watch::Receiver<Option<Attempted>>, RedisError> {
        // One whose runtime has ended is closed.
        if let Some(attempt) = state.attempt.as_ref().filter(|attempt| attempt.has_changed().is_ok()) {
            return Ok(attempt.clone());
        }
        if let Some((when, error)) = &state.failed
            && when.elapsed() < PAUSE
        {
            return Err(error.clone());
        }
        let (sender, attempt) = watch::channel(None);
        state.attempt = Some(attempt.clone());
        let shared = Arc::clone(&self.0);
        tokio::spawn(async move {
            let made = shared.connect().await;
            let mut state = shared.state();
            state.attempt = None;
            match &made {
                Ok(live) => state.live = Some(Arc::clone(live)),
                Err(error) => state.failed = Some((Instant::now(), error.clone())),
            }
            drop(state);
            sender.send_replace(Some(made));
        });
        Ok(attempt)
    }
}

impl Shared {
    async fn connect(&self) -> Attempted {
        // Time is kept by the calls.
        let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        let connected = async {
            match &self.target {
                Target::Server(client) => {
                    let connected = client.get_multiplexed_async_connection_with_config(&config);
                    timeout(self.timeout, connected).await.map(|made| made.map(Connection::Server))
                }
                Target::Cluster(client) => {
                    // The nodes that are named, then those they name, each within its time-out.
                    let all = self.timeout.saturating_mul(3);
                    timeout(all, client.get_async_connection())
                        .await
                        .map(|made| made.map(Connection::Cluster))
                }
            }
        };
        let connection = connected.await.map_err(|_| timed_out())??;
        Ok(Arc::new(Live { connection, made: Instant::now(), answers: AtomicU64::new(0) }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Live {
    async fn send(&self, command: &Cmd) -> Result<Value, RedisError> {
        let answer = match &self.connection {
            Connection::Server(connection) => connection.clone().send_packed_command(command).await,
            Connection::Cluster(connection) => connection.clone().req_packed_command(command).await,
        };
        answer?.extract_error()
    }
}

fn timed_out() -> RedisError {
    io::Error::from(io::ErrorKind::TimedOut).into()
}

/// Whether the connection is of no more use: closed, or to a server that has become a replica.
fn is_broken(error: &RedisError) -> bool {
    error.is_unrecoverable_error() || error.kind() == ErrorKind::Server(ServerErrorKind::ReadOnly)
}

/// A call that failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum CallError {
    #[error("the server did not answer in time")]
    TimedOut,
    #[error("{MOST_WAITING} calls wait for the server already")]
    Crowded,
    #[error(
        "the server is at its `maxmemory` and takes no new claims: give it more memory, or shorten the retention"
    )]
    OutOfMemory(#[source] RedisError),
    #[error("the key holds what is not a claim: is the store's prefix used by somebody else?")]
    Foreign,
    #[error("the server answered what was not asked for")]
    Misfit,
    #[error(transparent)]
    Failed(RedisError),
}

impl From<RedisError> for CallError {
    fn from(error: RedisError) -> Self {
        match error.code() {
            Some("OOM") => Self::OutOfMemory(error),
            _ if error.is_timeout() => Self::TimedOut,
            _ => Self::Failed(error),
        }
    }
}

impl From<CallError> for StoreError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::TimedOut => Self::TimedOut,
            error => Self::unavailable(error),
        }
    }
}
