//! A receiver that is killed at random moments, over a store that outlives it, and over one that does not.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use countersign_tests::faults::{Ledger, Load, Random, Tally};
use tokio::{task::spawn_blocking, time::sleep};

/// A receiver in a process of its own, killed as a crash would when it is dropped.
struct Process(Child);

impl Process {
    /// Starts it, and waits until it is ready.
    async fn start(store: &'static str, folder: &Path, port: u16) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_receiver"));
        command.arg(store).arg(folder).arg(port.to_string()).stdout(Stdio::piped());
        spawn_blocking(move || {
            let mut this = Self(command.spawn().unwrap());
            let said = BufReader::new(this.0.stdout.take().unwrap()).lines().next();
            assert_eq!(said.expect("the receiver ended").unwrap(), "ready");
            this
        })
        .await
        .unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Kills a receiver over this store so many times under load, at random moments.
async fn kill(store: &'static str, kills: usize) -> Tally {
    let folder = tempfile::tempdir().unwrap();
    let port = testbed::free_port();
    let ledger = Arc::new(Ledger::over(&folder.path().join("effects")));
    let load = Load::start(8, &[([127, 0, 0, 1], port).into()], &ledger);
    for _ in 0..kills {
        let _process = Process::start(store, folder.path(), port).await;
        sleep(Duration::from_millis(20) + Random::new().up_to(Duration::from_millis(380))).await;
    }
    let _process = Process::start(store, folder.path(), port).await;
    load.finish().await;
    ledger.tally()
}

#[tokio::test]
async fn a_receiver_that_is_killed_200_times_loses_nothing_and_repeats_nothing_that_was_committed() {
    let tally = kill("embedded", 200).await;
    tally.tell("embedded", "200 kills");
    tally.assert_kept();
}

#[tokio::test]
async fn a_store_that_forgets_is_caught() {
    let tally = kill("memory", 10).await;
    tally.tell("of a store that forgets", "10 kills");
    assert_eq!(tally.lost, 0, "{tally:?}");
    assert!(tally.run_again > 0, "{tally:?}");
}
