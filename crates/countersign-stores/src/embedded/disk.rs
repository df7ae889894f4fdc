//! `Disk`: the file as redb writes it, and what a failed sync left of it.

use std::{
    fs::{File, OpenOptions},
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

/// The storage in this file, which is made if there is none.
pub(super) fn file(path: &Path) -> Storage {
    let (path, unsynced) = (path.to_owned(), Unsynced::default());
    Box::new(move |builder| {
        let options = || OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let open = || builder.create_with_backend(unsynced.watch(FileBackend::new(options()?)?));
        let database = match open() {
            // A crash while the file was made. There is nothing in it to be lost.
            Err(DatabaseError::Storage(_)) if is_blank(&options()?)? => {
                options()?.set_len(0)?;
                open()?
            }
            other => other?,
        };
        sync_folder(&path)?;
        Ok(database)
    })
}

/// Whether it has bytes, all of them zero.
fn is_blank(file: &File) -> io::Result<bool> {
    let length = file.metadata()?.len();
    let mut bytes = Vec::new();
    if (1..=NEW).contains(&length) {
        file.take(NEW).read_to_end(&mut bytes)?;
    }
    Ok(!bytes.is_empty() && bytes.iter().all(|byte| *byte == 0))
}

/// The folder that a file is in.
pub(super) fn folder(path: &Path) -> PathBuf {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned()
}

/// Makes the file's name outlive a power cut, as well as what is in it. Folders cannot be opened on Windows, nor need it.
fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder(path))?.sync_all() } else { Ok(()) }
}

/// What was written since the last sync that succeeded.
///
/// After a sync that failed, Linux takes the pages for clean that it could not write: the next sync succeeds without them,
/// and reading shows them until the power is cut. So they are written once more before the file is trusted again.
#[derive(Clone, Debug, Default)]
pub(super) struct Unsynced(Arc<Mutex<Vec<(u64, usize)>>>);

impl Unsynced {
    pub(super) fn watch<B: StorageBackend>(&self, inner: B) -> Disk<B> {
        Disk { inner, unsynced: self.clone() }
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
        for (offset, len) in
            ranges.iter().filter(|(offset, len)| offset.saturating_add(*len as u64) <= length)
        {
            let mut bytes = vec![0; *len];
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
        Ok(())
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
