//! `EmbeddedStore`: claims in a file of this machine, durable before they are answered.

mod disk;
mod entry;
mod ledger;
#[cfg(test)]
mod tests;
mod writer;

use std::{
    fmt, io,
    path::{self, Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{self, Sender},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use countersign_core::{
    Clock, StoreError,
    dedupe::{Claim, Key, Store, StoreFuture, Token},
};
use countersign_runtime::SystemClock;
use tokio::sync::{Semaphore, oneshot};

use self::{
    disk::Storage,
    entry::{Act, Short},
    ledger::{KNOWN, OpenError},
    writer::{Ask, Request, Writer},
};
use crate::SetUpError;

/// How many calls may wait for the disk; a further one waits for its place among them.
const QUEUE: usize = 16_384;
const CACHE: usize = 64 << 20;

/// Claims in a file, for the receivers of one process: the store for one machine.
///
/// There is nothing to set up but a path. A claim, a renewal, a commit and a release are on the disk before they are
/// answered, so neither a crash nor a power cut takes anything back. Calls that come in at the same time share one
/// write to the disk: the more of them, the more a second. It runs under any async runtime, on a thread of its own.
///
/// A key takes some 50 bytes of the file, once there are a few thousand. The store has no limit but the disk: when that
/// is full or fails, calls are [`StoreError::Unavailable`], and succeed as soon as it works again. So are they while the
/// file is moved away or another one is in its place (on Unix): it is never made a second time. Keys that have expired
/// are removed by and by, and their space is used again; the file does not shrink. A call is not timed out here, however
/// long the disk takes.
///
/// A lease and a retention end at the millisecond, by a clock that never goes back: a jump of the wall clock while the
/// store is open changes nothing. Between two runs the wall clock counts, if it has not gone back; so a machine that
/// starts with its clock days ahead ends retentions days early.
///
/// The file belongs to one store at a time. Share that through an [`Arc`]. Keep the file on a disk of this machine: on a
/// network's file system, neither its locks nor its syncs can be relied on.
///
/// ```
/// # use std::time::Duration;
/// use countersign_core::dedupe::{Claim, Key, Store, Token};
/// use countersign_stores::embedded::EmbeddedStore;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("claims.redb");
/// # let (one, other) = (Token::new(1.try_into()?), Token::new(2.try_into()?));
/// let (key, lease) = (Key::new("retake", "", ["some id"]), Duration::from_secs(30));
/// let store = EmbeddedStore::open(&path)?;
/// assert_eq!(store.claim(&key, one, lease).await?, Claim::Claimed);
/// store.commit(&key, one, Duration::from_secs(72 * 3600)).await?;
/// drop(store);
///
/// let store = EmbeddedStore::open(&path)?;
/// assert_eq!(store.claim(&key, other, lease).await?, Claim::Committed);
/// # Ok(())
/// # }
/// ```
pub struct EmbeddedStore {
    path: PathBuf,
    /// `None` only while it is dropped.
    queue: Option<Sender<Request>>,
    places: Arc<Semaphore>,
    held: Arc<AtomicU64>,
    writer: Option<JoinHandle<()>>,
}

/// Settings of an [`EmbeddedStore`] that is to be opened.
#[must_use = "nothing is opened before `open`"]
pub struct EmbeddedStoreBuilder {
    path: PathBuf,
    cache: usize,
    clock: Box<dyn Clock>,
}

impl EmbeddedStore {
    /// Opens the file of this path, and makes it where there is none. Its folder must be there.
    ///
    /// After a crash this reads what was written last, and a file of less than a million keys as a whole: either takes
    /// some 0.1 s.
    ///
    /// # Errors
    /// [`SetUpError::InUse`] when another store has it open, be it of this process or of another;
    /// [`SetUpError::Newer`] when a newer version of this crate made it; [`SetUpError::Open`] when it cannot be made or
    /// read, or is something else: that is left as it is.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, SetUpError> {
        Self::builder(path).open()
    }

    /// A store to be opened with other settings than the default's.
    pub fn builder(path: impl AsRef<Path>) -> EmbeddedStoreBuilder {
        EmbeddedStoreBuilder { path: path.as_ref().to_owned(), cache: CACHE, clock: Box::new(SystemClock) }
    }

    /// Removes every key that has expired by now, and answers how many those were.
    ///
    /// The store does so by itself, by and by: this is for tests and tools. Claims are served meanwhile.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn purge(&self) -> Result<u64, StoreError> {
        let (mut removed, mut next) = (0_u64, Some(Short::default()));
        while let Some(from) = next {
            let step = self.ask(|answer| Ask::Purge { from, answer }).await?;
            removed = removed.saturating_add(step.removed);
            next = step.next;
        }
        Ok(removed)
    }

    fn start(path: PathBuf, writer: Writer) -> io::Result<Self> {
        let (queue, requests) = mpsc::channel();
        Ok(Self {
            path,
            queue: Some(queue),
            places: Arc::new(Semaphore::new(QUEUE)),
            held: writer.held(),
            writer: Some(
                thread::Builder::new()
                    .name("countersign-store".to_owned())
                    .spawn(move || writer.run(&requests))?,
            ),
        })
    }

    async fn ask<T>(
        &self,
        ask: impl FnOnce(oneshot::Sender<Result<T, StoreError>>) -> Ask,
    ) -> Result<T, StoreError> {
        const ENDED: &str = "the store's writer has ended";
        let ended = |_| StoreError::unavailable(ENDED);
        let place =
            Arc::clone(&self.places).acquire_owned().await.map_err(|_| StoreError::unavailable(ENDED))?;
        let (sender, answer) = oneshot::channel();
        let queue = self.queue.as_ref().ok_or_else(|| StoreError::unavailable(ENDED))?;
        queue.send(Request { ask: ask(sender), place }).map_err(|_| StoreError::unavailable(ENDED))?;
        answer.await.map_err(ended)?
    }

    async fn settle(&self, key: &Key, token: Token, act: Act) -> Result<Option<Claim>, StoreError> {
        self.ask(|answer| Ask::Settle { key: short(key), token, act, answer }).await
    }
}

impl EmbeddedStoreBuilder {
    /// The clock to go by; the system's by default.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// How many bytes of the file are kept in memory; 64 MiB by default. The system caches the file besides.
    pub fn cache(mut self, bytes: usize) -> Self {
        self.cache = bytes;
        self
    }

    /// Opens the file.
    ///
    /// # Errors
    /// Those of [`EmbeddedStore::open`].
    pub fn open(self) -> Result<EmbeddedStore, SetUpError> {
        let folder = disk::folder(&self.path);
        let found = match folder.is_dir() {
            // Opened again after a failure, wherever the process has gone by then.
            true => path::absolute(&self.path),
            false => Err(io::Error::new(
                io::ErrorKind::NotFound,
                format!("there is no folder {}", folder.display()),
            )),
        };
        match found {
            Ok(path) => self.open_storage(disk::file(&path)),
            Err(source) => Err(SetUpError::Open { path: self.path, source: source.into() }),
        }
    }

    fn open_storage(self, storage: Storage) -> Result<EmbeddedStore, SetUpError> {
        let writer = Writer::new(storage, self.cache, self.clock);
        let writer = writer.map_err(|error| set_up_error(&self.path, error))?;
        EmbeddedStore::start(self.path.clone(), writer)
            .map_err(|source| SetUpError::Open { path: self.path, source: source.into() })
    }
}

/// What the file knows a key by.
fn short(key: &Key) -> Short {
    key.as_bytes().first_chunk().copied().unwrap_or_default()
}

fn set_up_error(path: &Path, error: OpenError) -> SetUpError {
    let path = path.to_owned();
    match error {
        OpenError::Newer(found) => SetUpError::Newer { found, known: KNOWN },
        OpenError::Redb(redb::Error::DatabaseAlreadyOpen) => SetUpError::InUse { path },
        error => SetUpError::Open { path, source: error.into() },
    }
}

impl Store for EmbeddedStore {
    fn claim<'s>(&'s self, key: &'s Key, token: Token, lease: Duration) -> StoreFuture<'s, Claim> {
        Box::pin(async move {
            let claim = self.settle(key, token, Act::Claim(lease)).await?;
            claim.ok_or_else(|| StoreError::unavailable("a claim was not answered as one"))
        })
    }

    fn renew<'s>(&'s self, key: &'s Key, token: Token, lease: Duration) -> StoreFuture<'s, ()> {
        Box::pin(async move { self.settle(key, token, Act::Renew(lease)).await.map(drop) })
    }

    fn commit<'s>(&'s self, key: &'s Key, token: Token, retention: Duration) -> StoreFuture<'s, ()> {
        Box::pin(async move { self.settle(key, token, Act::Commit(retention)).await.map(drop) })
    }

    fn commit_all<'s>(&'s self, keys: &'s [Key], token: Token, retention: Duration) -> StoreFuture<'s, ()> {
        let (keys, act) = (keys.iter().map(short).collect(), Act::Commit(retention));
        Box::pin(self.ask(move |answer| Ask::SettleAll { keys, token, act, answer }))
    }

    fn release<'s>(&'s self, key: &'s Key, token: Token) -> StoreFuture<'s, ()> {
        Box::pin(async move { self.settle(key, token, Act::Release).await.map(drop) })
    }

    fn held(&self) -> Option<u64> {
        Some(self.held.load(Ordering::Relaxed))
    }
}

/// Does what is queued, and closes the file.
impl Drop for EmbeddedStore {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(writer) = self.writer.take()
            && writer.thread().id() != thread::current().id()
        {
            let _ = writer.join();
        }
    }
}

impl fmt::Debug for EmbeddedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedStore")
            .field("path", &self.path)
            .field("held", &self.held.load(Ordering::Relaxed))
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for EmbeddedStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedStoreBuilder")
            .field("path", &self.path)
            .field("cache", &self.cache)
            .finish_non_exhaustive()
    }
}
