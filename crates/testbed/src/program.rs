//! `Program` and `Server`: a server's binary on this machine, and one that runs.

use std::{
    collections::BTreeSet,
    env, fs,
    io::{self, Write as _},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// When this is set, a program that is missing fails the tests that need it, instead of skipping them.
const REQUIRED: &str = "COUNTERSIGN_TESTS_REQUIRE_SERVERS";

/// A server's binary.
#[derive(Clone, Debug)]
pub struct Program(PathBuf);

impl Program {
    /// The first of these that is on this machine: in `PATH`, or in one of the folders (a `*` at the end of a name stands for the rest of it).
    ///
    /// When there is none, says so on one line and answers `None`, for the test to skip.
    ///
    /// # Panics
    /// When there is none, under `cargo xtask test` and in CI.
    pub fn find(names: &[&str], folders: &[&str]) -> Option<Self> {
        let path = env::var_os("PATH").unwrap_or_default();
        let folders = folders.iter().flat_map(|folder| expand(Path::new(folder)));
        let folders: Vec<_> = env::split_paths(&path).chain(["/usr/sbin".into()]).chain(folders).collect();
        let found = names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
        let found = found.filter(|path| path.is_file()).map(Self).next();
        if found.is_none() {
            let names = names.join(" or ");
            assert!(env::var_os(REQUIRED).is_none(), "no {names} on this machine");
            skipped(&format!("no {names} on this machine; `cargo xtask test` makes it available"));
        }
        found
    }

    /// The binary.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// A command that runs it, as `user` where this process is root and a user is named: some servers refuse root.
    pub fn command(&self, user: Option<&str>) -> Command {
        match user.filter(|_| is_root()) {
            Some(user) => {
                let mut command = Command::new("setpriv");
                command.args(["--reuid", user, "--regid", user, "--clear-groups", "--"]).arg(&self.0);
                command
            }
            None => Command::new(&self.0),
        }
    }
}

/// Says why a test is skipped, once for each reason, and past the test harness, which shows the output of failed tests
/// alone.
pub fn skipped(why: &str) {
    static TOLD: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    if TOLD.lock().unwrap_or_else(PoisonError::into_inner).insert(why.to_owned()) {
        let _ = io::stderr().write_all(format!("SKIPPED: {why}\n").as_bytes());
    }
}

/// Whether this process runs as root.
pub fn is_root() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().any(|line| line.starts_with("Uid:") && line.split_whitespace().nth(2) == Some("0"))
}

fn expand(folder: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for part in folder {
        let Some(beginning) = part.to_str().and_then(|part| part.strip_suffix('*')) else {
            found.iter_mut().for_each(|path| path.push(part));
            continue;
        };
        let entries = found.iter().flat_map(fs::read_dir).flatten().flatten();
        let entries = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(beginning));
        found = entries.map(|entry| entry.path()).collect();
    }
    found
}

/// A server that runs, until it is dropped.
#[derive(Debug)]
pub struct Server(Child);

impl Server {
    /// Starts it, with its output to a file.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(mut command: Command, log: &Path) -> Self {
        let log = fs::OpenOptions::new().create(true).append(true).open(log).unwrap();
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        Self(command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}")))
    }

    /// Waits until `ready`.
    ///
    /// # Panics
    /// When it is not ready within 30 s, or has ended.
    pub fn wait_until(&mut self, what: &str, mut ready: impl FnMut() -> bool) {
        let started = Instant::now();
        while !ready() {
            if let Some(status) = self.0.try_wait().unwrap() {
                panic!("{what} ended with {status}");
            }
            assert!(started.elapsed() < Duration::from_secs(30), "{what} is not ready");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The process's id.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Kills it as a crash would, with SIGKILL, and waits for its end.
    pub fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }

    /// Sends it another signal, such as `STOP` or `INT`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.0.id().to_string()]).status().unwrap();
        assert!(sent.success(), "kill -s {name}");
    }

    /// Whether it has not ended.
    pub fn runs(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(None))
    }

    /// Waits for its end.
    pub fn wait(&mut self) {
        let _ = self.0.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A port of the loopback that nobody listens on.
///
/// Handed out from below the ports that systems choose for outgoing connections, so that nobody takes it in the meantime.
pub fn free_port() -> u16 {
    use std::sync::atomic::{AtomicU16, Ordering};
    static NEXT: AtomicU16 = AtomicU16::new(0);
    loop {
        // Test processes that run side by side begin at different places. Redis Cluster takes the port 10,000 above as well. Both
        // stay below 32,768, where the ports of outgoing connections begin.
        let start = (std::process::id() % 45) as u16 * 60;
        let port = 20_000 + (start + NEXT.fetch_add(1, Ordering::Relaxed)) % 2_700;
        if [port, port + 10_000].iter().all(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()) {
            return port;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_the_rest_of_a_name() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["pgsql-16/bin", "pgsql-17/bin", "other/bin"] {
            fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        for (pattern, count) in [("*/bin", 3), ("pgsql-*/bin", 2), ("other/bin", 1), ("none*/bin", 0)] {
            assert_eq!(expand(&folder.path().join(pattern)).len(), count, "{pattern}");
        }
        fs::write(folder.path().join("pgsql-17/bin/a-server"), "").unwrap();
        let folders = [folder.path().join("pgsql-*/bin").to_str().unwrap().to_owned()];
        let found = Program::find(&["no-server", "a-server"], &[&folders[0]]).unwrap();
        assert_eq!(found.path(), folder.path().join("pgsql-17/bin/a-server"));
    }
}
