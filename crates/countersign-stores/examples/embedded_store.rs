//! What an `EmbeddedStore` costs: claims per second by many callers, beside one redb transaction a claim; bytes a key, on
//! disk and in memory; the slowest claim; how long opening takes after a kill.
//!
//! `cargo run --release -p countersign-stores --features embedded --example embedded_store [keys [callers [folder]]]`,
//! on Linux, in the folder of the disk to be measured. Times are shown, and judged by nobody.
#![expect(clippy::print_stdout, reason = "the report is what it is for")]

use std::{
    env,
    error::Error,
    fs,
    num::NonZeroU64,
    os::unix::fs::MetadataExt,
    path::Path,
    process::{self, Command},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use countersign_core::dedupe::{Claim, Key, Store, Token};
use countersign_stores::embedded::EmbeddedStore;
use redb::{Database, ReadableTable, TableDefinition};

type Failure = Box<dyn Error + Send + Sync>;

const LEASE: Duration = Duration::from_secs(600);
const RETENTION: Duration = Duration::from_secs(72 * 3600);
/// How long each rate is measured.
const MEASURED: Duration = Duration::from_secs(5);
/// How many callers fill the store.
const FILLING: u64 = 4096;
/// The page size of x86-64 and of most other Linux systems.
const PAGE: u64 = 4096;

/// What callers do, and how they fared.
struct Run {
    store: Arc<EmbeddedStore>,
    next: AtomicU64,
    end: u64,
    until: Option<Instant>,
    commit: bool,
    slowest: AtomicU64,
}

fn main() -> Result<(), Failure> {
    let mut arguments = env::args().skip(1);
    let keys: u64 = arguments.next().map_or(Ok(1_000_000), |keys| keys.parse())?;
    let callers: u64 = arguments.next().map_or(Ok(256), |callers| callers.parse())?;
    let folder = match arguments.next() {
        Some(folder) => tempfile::tempdir_in(folder)?,
        None => tempfile::tempdir()?,
    };
    let path = folder.path().join("claims.redb");
    if let Some(path) = env::var_os("EMBEDDED_STORE_KILLED") {
        return measure(path.as_ref(), keys, callers);
    }
    // In a process of its own, that is killed under load.
    let status = Command::new(env::current_exe()?)
        .args([keys.to_string(), callers.to_string()])
        .env("EMBEDDED_STORE_KILLED", &path)
        .status()?;
    println!("killed: {}", !status.success());
    let clock = Instant::now();
    let store = EmbeddedStore::open(&path)?;
    println!(
        "opened after the kill in {:?}, {} keys held",
        clock.elapsed(),
        store.held().unwrap_or_default()
    );
    let clock = Instant::now();
    drop(store);
    println!("closed in {:?}", clock.elapsed());
    let clock = Instant::now();
    let _store = EmbeddedStore::open(&path)?;
    println!("opened after that in {:?}", clock.elapsed());
    Ok(())
}

fn measure(path: &Path, keys: u64, callers: u64) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let before = resident()?;
    let store = Arc::new(EmbeddedStore::open(path)?);
    let run = |next: u64, end: Option<u64>, commit| {
        Arc::new(Run {
            store: Arc::clone(&store),
            next: AtomicU64::new(next),
            end: end.unwrap_or(u64::MAX),
            until: end.is_none().then(|| Instant::now().checked_add(MEASURED)).flatten(),
            commit,
            slowest: AtomicU64::new(0),
        })
    };
    let clock = Instant::now();
    let filled = run(0, Some(keys), true);
    runtime.block_on(call(&filled, FILLING))?;
    println!("{keys} keys claimed and committed by {FILLING} callers: {}", rate(keys, clock.elapsed()));
    size(path, keys, before)?;
    let mut next = keys;
    for (callers, commit) in [(1, false), (1, true), (callers, false), (callers, true)] {
        let (clock, measured) = (Instant::now(), run(next, None, commit));
        runtime.block_on(call(&measured, callers))?;
        let end = measured.next.load(Ordering::Relaxed);
        let slowest = Duration::from_micros(measured.slowest.load(Ordering::Relaxed));
        let what = if commit { "claimed and committed" } else { "claimed" };
        let rate = rate(end.saturating_sub(next), clock.elapsed());
        println!("{callers} callers, {what}: {rate}, slowest claim {slowest:?}");
        next = end;
    }
    size(path, store.held().unwrap_or_default(), before)?;
    plain(&path.with_extension("plain"), keys)?;
    let last = run(next, None, true);
    let load = runtime.spawn(async move { call(&last, callers).await });
    std::thread::sleep(Duration::from_millis(500));
    drop(load);
    // As a crash would.
    process::abort();
}

async fn call(run: &Arc<Run>, callers: u64) -> Result<(), Failure> {
    let callers: Vec<_> = (0..callers)
        .map(|_| {
            let run = Arc::clone(run);
            tokio::spawn(async move { run.call().await })
        })
        .collect();
    for caller in callers {
        caller.await??;
    }
    Ok(())
}

impl Run {
    async fn call(&self) -> Result<(), Failure> {
        while self.until.is_none_or(|until| Instant::now() < until) {
            let n = self.next.fetch_add(1, Ordering::Relaxed);
            if n >= self.end {
                break;
            }
            let key = Key::new("example", "", [&n.to_le_bytes()]);
            let token = Token::new(NonZeroU64::new(n).unwrap_or(NonZeroU64::MAX));
            let clock = Instant::now();
            if self.store.claim(&key, token, LEASE).await? != Claim::Claimed {
                return Err("a new key was not free".into());
            }
            let took = u64::try_from(clock.elapsed().as_micros())?;
            self.slowest.fetch_max(took, Ordering::Relaxed);
            if self.commit {
                self.store.commit(&key, token, RETENTION).await?;
            }
        }
        Ok(())
    }
}

/// The same claims by redb itself, a transaction each, with as many keys in the table.
fn plain(path: &Path, keys: u64) -> Result<(), Failure> {
    const TABLE: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("claims");
    let database = Database::create(path)?;
    let key = |n: u64| Key::new("example", "", [&n.to_le_bytes()]);
    for start in (0..keys).step_by(200_000) {
        let transaction = database.begin_write()?;
        let mut table = transaction.open_table(TABLE)?;
        for n in start..start.saturating_add(200_000).min(keys) {
            table.insert(key(n).as_bytes().as_slice(), [0_u8; 16].as_slice())?;
        }
        drop(table);
        transaction.commit()?;
    }
    let (clock, mut next) = (Instant::now(), keys);
    while clock.elapsed() < MEASURED {
        let transaction = database.begin_write()?;
        let mut table = transaction.open_table(TABLE)?;
        if table.get(key(next).as_bytes().as_slice())?.is_none() {
            table.insert(key(next).as_bytes().as_slice(), [0_u8; 16].as_slice())?;
        }
        drop(table);
        transaction.commit()?;
        next = next.saturating_add(1);
    }
    println!("one redb transaction a claim: {}", rate(next.saturating_sub(keys), clock.elapsed()));
    Ok(())
}

fn rate(count: u64, elapsed: Duration) -> String {
    let a_second = u128::from(count).saturating_mul(1_000_000).checked_div(elapsed.as_micros());
    format!("{} a second", a_second.unwrap_or_default())
}

fn size(path: &Path, keys: u64, before: u64) -> Result<(), Failure> {
    let file = fs::metadata(path)?;
    let a_key = |bytes: u64| bytes.checked_div(keys).unwrap_or_default();
    println!(
        "{keys} keys: {} bytes a key on disk, in a file of {} a key; {} MiB resident, {} bytes a key",
        a_key(file.blocks().saturating_mul(512)),
        a_key(file.len()),
        resident()?.saturating_sub(before) >> 20,
        a_key(resident()?.saturating_sub(before)),
    );
    Ok(())
}

fn resident() -> Result<u64, Failure> {
    let statm = fs::read_to_string("/proc/self/statm")?;
    let pages: u64 = statm.split_whitespace().nth(1).ok_or("no resident pages in statm")?.parse()?;
    Ok(pages.saturating_mul(PAGE))
}
