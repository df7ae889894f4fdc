//! `FakeDisk`: a disk that counts its syncs, fails, stalls, and loses power.

use std::{
    io,
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use redb::StorageBackend;

use crate::embedded::disk::{Storage, Unsynced};

const SECTOR: usize = 512;

/// Clones are the same disk.
#[derive(Clone, Debug, Default)]
pub(super) struct FakeDisk(Arc<State>);

#[derive(Debug, Default)]
struct State {
    content: Mutex<Content>,
    syncs: AtomicU64,
    fails: AtomicBool,
    fails_to_sync: AtomicBool,
    /// How many more changes and syncs are done before all that is done to it fails.
    left: AtomicU64,
    limited: AtomicBool,
    stalls: Mutex<bool>,
    goes_on: Condvar,
}

#[derive(Debug, Default)]
struct Content {
    /// What is read.
    seen: Vec<u8>,
    /// What a power cut leaves for certain.
    durable: Vec<u8>,
    /// What it may leave or take.
    unsynced: Vec<Change>,
}

#[derive(Clone, Debug)]
enum Change {
    Length(usize),
    Bytes(usize, Vec<u8>),
}

impl Change {
    fn apply(&self, to: &mut Vec<u8>) {
        match self {
            Self::Length(length) => to.resize(*length, 0),
            Self::Bytes(at, bytes) => {
                to.resize(to.len().max(at + bytes.len()), 0);
                to[*at..at + bytes.len()].copy_from_slice(bytes);
            }
        }
    }
}

impl FakeDisk {
    pub(super) fn storage(&self) -> Storage {
        let (disk, unsynced) = (self.clone(), Unsynced::default());
        Box::new(move |builder| builder.create_with_backend(unsynced.watch(disk.clone())))
    }

    pub(super) fn syncs(&self) -> u64 {
        self.0.syncs.load(Ordering::SeqCst)
    }

    pub(super) fn len(&self) -> usize {
        self.0.content.lock().unwrap().seen.len()
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        self.0.content.lock().unwrap().seen.clone()
    }

    /// Whether all that is done to it fails.
    pub(super) fn fail(&self, fails: bool) {
        self.0.fails.store(fails, Ordering::SeqCst);
    }

    /// All that is done to it fails after so many more changes and syncs.
    pub(super) fn fail_after(&self, steps: u64) {
        self.0.left.store(steps, Ordering::SeqCst);
        self.0.limited.store(true, Ordering::SeqCst);
    }

    /// The next sync fails, and forgets what it should have synced: as Linux does.
    pub(super) fn fail_the_next_sync(&self) {
        self.0.fails_to_sync.store(true, Ordering::SeqCst);
    }

    /// Whether syncs wait.
    pub(super) fn stall(&self, stalls: bool) {
        *self.0.stalls.lock().unwrap() = stalls;
        self.0.goes_on.notify_all();
    }

    /// A disk as it may be after a power cut now: of what was not synced, each sector is there or is not.
    pub(super) fn after_power_cut(&self, mut random: impl FnMut() -> u64) -> Self {
        let content = self.0.content.lock().unwrap();
        let mut left = content.durable.clone();
        let all = random().is_multiple_of(4);
        for change in &content.unsynced {
            match change {
                _ if all => change.apply(&mut left),
                Change::Length(_) if random().is_multiple_of(2) => change.apply(&mut left),
                Change::Length(_) => {}
                Change::Bytes(at, bytes) => {
                    for (n, sector) in bytes.chunks(SECTOR).enumerate() {
                        if random().is_multiple_of(2) {
                            Change::Bytes(at + n * SECTOR, sector.to_vec()).apply(&mut left);
                        }
                    }
                }
            }
        }
        let content = Content { seen: left.clone(), durable: left, unsynced: Vec::new() };
        Self(Arc::new(State { content: Mutex::new(content), ..State::default() }))
    }

    fn change(&self, change: Change) -> io::Result<()> {
        self.step()?;
        let mut content = self.0.content.lock().unwrap();
        change.apply(&mut content.seen);
        content.unsynced.push(change);
        Ok(())
    }

    /// A change or a sync.
    fn step(&self) -> io::Result<()> {
        if self.0.limited.load(Ordering::SeqCst) {
            match self.0.left.load(Ordering::SeqCst).checked_sub(1) {
                Some(left) => self.0.left.store(left, Ordering::SeqCst),
                None => self.fail(true),
            }
        }
        self.check()
    }

    fn check(&self) -> io::Result<()> {
        match self.0.fails.load(Ordering::SeqCst) {
            true => Err(io::Error::other("the disk is broken")),
            false => Ok(()),
        }
    }
}

impl StorageBackend for FakeDisk {
    fn len(&self) -> io::Result<u64> {
        self.check()?;
        Ok(self.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.check()?;
        let content = self.0.content.lock().unwrap();
        let at = offset as usize;
        let bytes = content.seen.get(at..at + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(bytes);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.change(Change::Length(len as usize))
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.change(Change::Bytes(offset as usize, data.to_vec()))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.step()?;
        let stalls = self.0.stalls.lock().unwrap();
        drop(self.0.goes_on.wait_while(stalls, |stalls| *stalls).unwrap());
        self.0.syncs.fetch_add(1, Ordering::SeqCst);
        let mut content = self.0.content.lock().unwrap();
        let Content { durable, unsynced, .. } = &mut *content;
        let changes = std::mem::take(unsynced);
        if self.0.fails_to_sync.swap(false, Ordering::SeqCst) {
            return Err(io::Error::other("the sync failed"));
        }
        changes.iter().for_each(|change| change.apply(durable));
        Ok(())
    }
}
