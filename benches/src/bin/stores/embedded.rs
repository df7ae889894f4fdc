//! The embedded store beside one redb transaction a claim, and beside bare fdatasync.

use std::{
    env,
    fs::File,
    io::Write,
    path::Path,
    process::Command,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use countersign::EmbeddedStore;
use countersign_benches::{
    memory::resident,
    rate::{Effort, for_length},
    table::Report,
};
use redb::{Database, ReadableTable as _, TableDefinition};
use tokio::task::block_in_place;

use crate::{
    compare::compare,
    durable::{claim, contender, key, ours},
    growth::{CALLERS, cells},
};

const TABLE: TableDefinition<'_, [u8; 16], [u8; 14]> = TableDefinition::new("claims");

pub async fn run(report: &Report, effort: Effort) {
    report.line("\n## Embedded");
    report.line(
        "\nBeside one redb transaction a claim, and one a commit, and beside as many fdatasync, each after 64 bytes appended to a file. On the disk of the temporary folder.",
    );
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(EmbeddedStore::open(folder.path().join("claims.redb")).unwrap());
    let plain = Arc::new(Database::create(folder.path().join("plain.redb")).unwrap());
    plain_table(&plain);
    let file = Arc::new(Mutex::new(File::create(folder.path().join("appended")).unwrap()));
    for commits in [false, true] {
        let (plain, file) = (Arc::clone(&plain), Arc::clone(&file));
        let contenders = [
            ours(&store, effort, commits),
            contender("a transaction each", effort, move |n: usize| {
                let plain = Arc::clone(&plain);
                async move {
                    block_in_place(|| plain_write(&plain, n, true));
                    if commits {
                        block_in_place(|| plain_write(&plain, n, false));
                    }
                }
            }),
            contender("fdatasync", effort, move |_| {
                let file = Arc::clone(&file);
                async move {
                    for _ in 0..1 + usize::from(commits) {
                        block_in_place(|| append(&mut file.lock().unwrap()));
                    }
                }
            }),
        ];
        compare(report, effort, if commits { "claim + commit" } else { "claim" }, &contenders).await;
    }
}

fn plain_table(database: &Database) {
    let transaction = database.begin_write().unwrap();
    transaction.open_table(TABLE).unwrap();
    transaction.commit().unwrap();
}

fn plain_write(database: &Database, n: usize, is_claim: bool) {
    let key: [u8; 16] = key(n).as_bytes()[..16].try_into().unwrap();
    let transaction = database.begin_write().unwrap();
    {
        let mut table = transaction.open_table(TABLE).unwrap();
        assert_eq!(table.get(key).unwrap().is_none(), is_claim);
        table.insert(key, [u8::from(is_claim); 14]).unwrap();
    }
    transaction.commit().unwrap();
}

fn append(file: &mut File) {
    file.write_all(&[0; 64]).unwrap();
    file.sync_data().unwrap();
}

/// Prints the cells of its row: fills a file in a process that is killed, opens it, and claims on.
pub async fn grow(size: usize) {
    if let Some(path) = env::var_os("COUNTERSIGN_BENCH_FILL") {
        return fill(Path::new(&path), size).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("claims.redb");
    // Filled by a process of its own, which kills itself, as a crash does.
    let mut filling = Command::new(env::current_exe().unwrap())
        .args(["--growth-of=countersign embedded".to_owned(), size.to_string()])
        .env("COUNTERSIGN_BENCH_FILL", &path)
        .spawn()
        .unwrap();
    assert!(!filling.wait().unwrap().success());
    let on_disk = path.metadata().unwrap().len() as f64 / size as f64;
    let (before, began) = (resident(), Instant::now());
    let store = Arc::new(EmbeddedStore::open(&path).unwrap());
    let opened = began.elapsed();
    let claims = Arc::clone(&store);
    let sample = for_length(CALLERS, 1 << 32, Duration::from_secs(3), move |n: usize| {
        let store = Arc::clone(&claims);
        async move { claim(&*store, n, false).await }
    })
    .await;
    let in_memory = resident().saturating_sub(before) >> 20;
    let bytes = format!("{on_disk:.1} of the file, and {in_memory} MiB in all of memory");
    println!("{}", cells(sample, bytes, &format!("{opened:.2?}")));
}

async fn fill(path: &Path, size: usize) {
    let store = Arc::new(EmbeddedStore::open(path).unwrap());
    let callers = 1024.min(size);
    let tasks: Vec<_> = (0..callers)
        .map(|caller| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                for n in (caller..size).step_by(callers) {
                    claim(&*store, n, true).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    Command::new("kill").args(["-s", "KILL", &std::process::id().to_string()]).status().unwrap();
    std::future::pending().await
}
