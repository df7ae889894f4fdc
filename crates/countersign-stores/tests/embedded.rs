//! The embedded store from outside: one file one store, and what is not ours stays as it is.
#![cfg(feature = "embedded")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    reason = "a test fails by a panic"
)]

use std::{
    env,
    error::Error,
    fs,
    io::{BufRead, BufReader},
    num::NonZeroU64,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    thread,
    time::Duration,
};

use countersign_core::dedupe::{Claim, Key, Store, Token};
use redb::{Database, MultimapTableDefinition, ReadableDatabase, TableDefinition};
use tempfile::TempDir;

use countersign_stores::{SetUpError, embedded::EmbeddedStore};

const LEASE: Duration = Duration::from_secs(30);
const HOUR: Duration = Duration::from_secs(3600);

fn refusal(path: &Path) -> SetUpError {
    EmbeddedStore::open(path).expect_err("it opened")
}

/// An error and its sources.
fn text(error: &dyn Error) -> String {
    let source = error.source().map(|source| format!(": {}", text(source)));
    format!("{error}{}", source.unwrap_or_default())
}

#[test]
fn a_file_belongs_to_one_store_of_one_process() {
    if let Some(path) = env::var_os("EMBEDDED_SECOND_PROCESS") {
        assert!(matches!(refusal(path.as_ref()), SetUpError::InUse { .. }));
        println!("REFUSED");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("claims.redb");
    let store = EmbeddedStore::open(&path).unwrap();
    let error = refusal(&path);
    assert!(matches!(error, SetUpError::InUse { .. }), "{error:?}");
    let second = Command::new(env::current_exe().unwrap())
        .args(["--exact", "a_file_belongs_to_one_store_of_one_process", "--nocapture"])
        .env("EMBEDDED_SECOND_PROCESS", &path)
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&second.stdout).contains("REFUSED"), "{second:?}");
    drop(store);
    EmbeddedStore::open(&path).unwrap();
}

#[test]
fn what_is_not_a_stores_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other");
    for bytes in [b"x".as_slice(), b"hello, world", &[7; 100_000], b"redb\x1a\x0a\xa9\x0d\x0a and no more"] {
        fs::write(&path, bytes).unwrap();
        let error = refusal(&path);
        assert!(matches!(error, SetUpError::Open { .. }), "{error:?}");
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }
    let error = text(&refusal(&folder.path().join("nowhere").join("claims.redb")));
    assert!(error.contains("there is no folder") && error.contains("nowhere"), "{error}");
    let error = text(&refusal(folder.path()));
    assert!(error.contains("cannot be opened"), "{error}");
}

#[test]
fn another_programs_database_is_refused_and_keeps_its_data() {
    const THEIRS: TableDefinition<'_, u64, u64> = TableDefinition::new("theirs");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("theirs.redb");
    let database = Database::create(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(THEIRS).unwrap().insert(1, 2).unwrap();
    transaction.commit().unwrap();
    drop(database);
    let error = text(&refusal(&path));
    assert!(error.contains("redb database of something else"), "{error}");

    let only_multimaps = folder.path().join("multimaps.redb");
    let database = Database::create(&only_multimaps).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_multimap_table(MultimapTableDefinition::<u64, u64>::new("theirs")).unwrap();
    transaction.commit().unwrap();
    drop(database);
    let error = text(&refusal(&only_multimaps));
    assert!(error.contains("redb database of something else"), "{error}");

    let database = Database::open(&path).unwrap();
    let table = database.begin_read().unwrap().open_table(THEIRS).unwrap();
    assert_eq!(table.get(1).unwrap().unwrap().value(), 2);
}

#[test]
fn a_newer_layout_is_refused() {
    const ABOUT: TableDefinition<'_, &str, u64> = TableDefinition::new("countersign");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("claims.redb");
    drop(EmbeddedStore::open(&path).unwrap());
    let database = Database::open(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(ABOUT).unwrap().insert("layout", 2).unwrap();
    transaction.commit().unwrap();
    drop(database);
    let error = refusal(&path);
    assert!(matches!(error, SetUpError::Newer { found: 2, known: 1 }), "{error:?}");
}

#[test]
fn a_file_that_a_crash_left_blank_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("claims.redb");
    fs::write(&path, vec![0; 8192]).unwrap();
    drop(EmbeddedStore::open(&path).unwrap());
    EmbeddedStore::open(&path).unwrap();
}

fn key(n: u64) -> Key {
    Key::new("embedded", "", [&n.to_le_bytes()])
}

fn token(n: u64) -> Token {
    Token::new(NonZeroU64::new(n + 1).unwrap())
}

/// The child's part: claims and commits from many tasks, and says what was answered, until it is killed.
async fn claim_and_commit(path: PathBuf, first: u64) {
    let store = Arc::new(EmbeddedStore::open(path).unwrap());
    println!("OPEN");
    let tasks = (0..32).map(|task| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for n in (first + task..).step_by(32) {
                assert_eq!(store.claim(&key(n), token(n), HOUR).await.unwrap(), Claim::Claimed);
                println!("claimed {n}");
                match n % 4 {
                    0 => store.release(&key(n), token(n)).await.unwrap(),
                    1 => {}
                    _ => {
                        store.commit(&key(n), token(n), HOUR).await.unwrap();
                        println!("committed {n}");
                    }
                }
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_outlives_being_killed() {
    if let Ok(first) = env::var("EMBEDDED_KILLED_FROM") {
        let path = env::var_os("EMBEDDED_KILLED_PATH").unwrap();
        return claim_and_commit(path.into(), first.parse().unwrap()).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("claims.redb");
    let mut answered = 0;
    for round in 1..=20_u64 {
        let first = round * 1_000_000;
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "what_was_answered_outlives_being_killed", "--nocapture"])
            .env("EMBEDDED_KILLED_FROM", first.to_string())
            .env("EMBEDDED_KILLED_PATH", &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        assert!(lines.any(|line| line.ends_with("OPEN")), "the child did not open the store");
        let reader = thread::spawn(move || lines.collect::<Vec<_>>());
        // Somewhere in a transaction, in a step of the walk, or in between.
        thread::sleep(Duration::from_micros(20_000 + round * 7919 % 61_000));
        child.kill().unwrap();
        child.wait().unwrap();
        let store = EmbeddedStore::open(&path).unwrap();
        for line in reader.join().unwrap() {
            let Some((word, n)) = line.split_once(' ') else { continue };
            // The last line may be cut off.
            let Some(n) = n.parse::<u64>().ok().filter(|n| *n >= first) else { continue };
            answered += 1;
            let found = store.claim(&key(n), token(0), LEASE).await.unwrap();
            match (word, n % 4) {
                ("committed", _) => assert_eq!(found, Claim::Committed, "key {n}, committed"),
                // Its release may have been done.
                (_, 0) => assert_ne!(found, Claim::Committed, "key {n}, claimed"),
                (_, 1) => assert!(matches!(found, Claim::InFlight { .. }), "key {n}, claimed"),
                // Its commit may have been done.
                _ => assert_ne!(found, Claim::Claimed, "key {n}, claimed"),
            }
        }
    }
    assert!(answered > 1000, "only {answered} answers in all");
}

/// A file system of 4 MiB, for as long as this lives.
struct SmallDisk(TempDir);

impl SmallDisk {
    /// `None`, and a line that says so, where this process may not mount one.
    fn mounted() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=4m", "countersign-test"])
            .arg(folder.path())
            .output();
        if !mount.is_ok_and(|output| output.status.success()) {
            testbed::skipped("this process may not mount a small file system");
            return None;
        }
        Some(Self(folder))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_claims_until_there_is_room() {
    let Some(disk) = SmallDisk::mounted() else { return };
    let folder = disk.0.path();
    let store = EmbeddedStore::open(folder.join("claims.redb")).unwrap();
    assert_eq!(store.claim(&key(0), token(0), HOUR).await.unwrap(), Claim::Claimed);
    store.commit(&key(0), token(0), HOUR).await.unwrap();
    let mut claimed = 0;
    for round in 0..3_u64 {
        // Somebody else fills the disk, and makes room again.
        let filler = folder.join("filler");
        let mut size = 4 << 20;
        while size >= 4096 {
            let file = fs::OpenOptions::new().append(true).create(true).open(&filler).unwrap();
            if std::io::Write::write_all(&mut &file, &vec![1; size]).is_err() {
                size /= 2;
            }
        }
        let first = round * 1_000_000 + 1;
        let mut refused = 0;
        for n in first.. {
            match store.claim(&key(n), token(n), HOUR).await {
                Ok(claim) => assert_eq!(claim, Claim::Claimed),
                Err(error) => {
                    assert!(text(&error).contains("No space left"), "{}", text(&error));
                    refused += 1;
                    if refused == 5 {
                        break;
                    }
                }
            }
            claimed += 1;
        }
        fs::remove_file(&filler).unwrap();
        thread::sleep(Duration::from_millis(150));
        assert_eq!(store.claim(&key(first + 500_000), token(1), HOUR).await.unwrap(), Claim::Claimed);
        assert_eq!(store.claim(&key(0), token(7), HOUR).await.unwrap(), Claim::Committed);
    }
    assert!(claimed > 0);
}
