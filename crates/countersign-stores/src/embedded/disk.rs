//! `Disk`: the file as redb writes it, and what a failed sync left of it.

#[cfg(unix)]
use std::os::unix::fs::MetadataExt as _;
use std::{
    cell::Cell,
    fs::{self, File, OpenOptions},
    io::{self, Read},
    ops::Bound,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use redb::{BackendError, Builder, Database, DatabaseError, StorageBackend, backends::FileBackend};

/// How a database's storage is opened, again after each failure.
pub(super) type Storage = Box<dyn Fn(&Builder) -> Result<Database, DatabaseError> + Send>;

/// More than a database that was never written takes.
const NEW: u64 = 16 << 20;

/// How redb's files begin, before the magic number is written and once it is; and where their header has ended.
const NO_MAGIC: [u8; 9] = [0; 9];
const PAGE_SIZE: [u8; 4] = 4096_u32.to_le_bytes();
const HEADER: usize = 512;

/// The storage in this file, which is made if there is none: but for the first time only. What is missing later was moved
/// away, or its volume was.
pub(super) fn file(path: &Path) -> Storage {
    let (path, unsynced, is_made) = (path.to_owned(), Unsynced::default(), Cell::new(false));
    Box::new(move |builder| {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(!is_made.get()).truncate(false);
        let open = || {
            let file = FileBackend::new(options.open(&path)?)?;
            builder.create_with_backend(Disk { place: Some(Place::of(&path)?), ..unsynced.watch(file) })
        };
        let database = match open() {
            // A crash while the file was made. There is nothing in it to be lost.
            Err(DatabaseError::Storage(_)) if is_unfinished(&options.open(&path)?)? => {
                options.open(&path)?.set_len(0)?;
                open()?
            }
            other => other?,
        };
        sync_folder(&path)?;
        is_made.set(true);
        Ok(database)
    })
}

/// Whether it has bytes, and no more of them than redb writes before the magic number.
fn is_unfinished(file: &File) -> io::Result<bool> {
    let length = file.metadata()?.len();
    let mut bytes = Vec::new();
    if (1..=NEW).contains(&length) {
        file.take(NEW).read_to_end(&mut bytes)?;
    }
    let is_zero = |byte: &u8| *byte == 0;
    let is_blank = bytes.iter().all(is_zero);
    let is_only_a_header = bytes.starts_with(&NO_MAGIC)
        && bytes.get(12..16) == Some(&PAGE_SIZE)
        && bytes.iter().skip(HEADER).all(is_zero);
    Ok(!bytes.is_empty() && (is_blank || is_only_a_header))
}

/// The folder that a file is in.
pub(super) fn folder(path: &Path) -> PathBuf {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned()
}

/// Makes the file's name outlive a power cut, as well as what is in it. Folders cannot be opened on Windows, nor need it.
fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder(&path.canonicalize()?))?.sync_all() } else { Ok(()) }
}

/// What was written since the last sync that succeeded.
///
/// After a sync that failed, Linux takes the pages for clean that it could not write: the next sync succeeds without them,
/// and reading shows them until the power is cut. So they are written once more before the file is trusted again.
#[derive(Clone, Debug, Default)]
pub(super) struct Unsynced(Arc<Mutex<Vec<(u64, usize)>>>);

impl Unsynced {
    pub(super) fn watch<B: StorageBackend>(&self, inner: B) -> Disk<B> {
        Disk { inner, unsynced: self.clone(), place: None }
    }

    fn ranges(&self) -> MutexGuard<'_, Vec<(u64, usize)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// To be called by who has the file locked.
    fn write_again(&self, file: &impl StorageBackend) -> io::Result<()> {
        let mut ranges = self.ranges();
        if ranges.is_empty() {
            return Ok(());
        }
        let length = file.len()?;
        for (offset, len) in ranges.iter() {
            let left = usize::try_from(length.saturating_sub(*offset)).unwrap_or(usize::MAX);
            let mut bytes = vec![0; left.min(*len)];
            file.read(*offset, &mut bytes)?;
            file.write(*offset, &bytes)?;
        }
        file.sync_data()?;
        ranges.clear();
        Ok(())
    }
}

/// A file, and what of it may not be on the disk yet.
#[derive(Debug)]
pub(super) struct Disk<B> {
    inner: B,
    unsynced: Unsynced,
    place: Option<Place>,
}

/// Where a file is, and which one it is, by its device's number and its own. Elsewhere than on Unix, a file that is open
/// keeps its name.
#[derive(Debug)]
struct Place {
    path: PathBuf,
    file: (u64, u64),
}

impl Place {
    fn of(path: &Path) -> io::Result<Self> {
        let about = fs::metadata(path)?;
        #[cfg(unix)]
        let file = (about.dev(), about.ino());
        #[cfg(not(unix))]
        let file = (0, u64::from(about.is_file()));
        Ok(Self { path: path.to_owned(), file })
    }

    /// An error when the file is not there any more: a restart, or a second process, would make a new one.
    fn check(&self) -> io::Result<()> {
        match Self::of(&self.path) {
            Ok(now) if now.file != self.file => Err(io::Error::other("another file is in its place")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(error),
            // A process may have given up the right to look.
            _ => Ok(()),
        }
    }
}

impl<B: StorageBackend> StorageBackend for Disk<B> {
    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.inner.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.inner.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        // What is written while the sync is under way may not be part of it.
        let before = self.unsynced.ranges().len();
        self.inner.sync_data()?;
        self.unsynced.ranges().drain(..before);
        self.place.as_ref().map_or(Ok(()), Place::check)
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.unsynced.ranges().push((offset, data.len()));
        self.inner.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.inner.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        let locked = self.inner.try_lock_range(start, end);
        // Where files cannot be locked, the answer is an error that redb lets pass.
        if !matches!(locked, Ok(false)) {
            self.unsynced.write_again(&self.inner).map_err(BackendError::Io)?;
        }
        locked
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.inner.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.inner.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.inner.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.inner.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.inner.query_lock_range(start, end)
    }
}
