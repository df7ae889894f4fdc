//! A contender's server in a process of its own, on a core of its own.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{Ipv4Addr, SocketAddr},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::LazyLock,
    thread,
    time::Duration,
};

use countersign_benches::memory;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::request::SECRET;

/// A server that runs until this is dropped.
pub struct Server {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    pub address: SocketAddr,
}

/// What a server has done so far.
#[derive(Clone, Copy, Debug)]
pub struct Counts {
    /// How many times its handler ran.
    pub handled: usize,
    /// How many bytes of bodies were asked for, where that is counted.
    pub read: usize,
}

impl Server {
    /// Starts a contender by its name.
    pub fn start(contender: &str) -> Self {
        let mut command = match contender {
            "node" => Command::new("node"),
            _ => Command::new(std::env::current_exe().unwrap().with_file_name("server")),
        };
        match contender {
            "node" => command.args(["-e", include_str!("../server/node.js"), "--", SECRET]),
            _ => command.args([contender, SECRET]),
        };
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        // A process starts on the cores of the thread that starts it.
        let started = thread::spawn(move || {
            pin(Role::Server);
            command.spawn()
        });
        let mut child = started.join().unwrap().unwrap_or_else(|error| {
            panic!("{contender} does not start ({error}): `cargo xtask bench speed` builds the servers and installs Node")
        });
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut server = Self {
            child,
            input,
            output: BufReader::new(output),
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        };
        let port = server.line().parse().unwrap();
        server.address.set_port(port);
        server
    }

    pub fn counts(&mut self) -> Counts {
        self.input.write_all(b"\n").unwrap();
        let line = self.line();
        let (handled, read) = line.split_once(' ').unwrap();
        Counts { handled: handled.parse().unwrap(), read: read.parse().unwrap() }
    }

    /// Resident bytes.
    pub fn resident(&self) -> usize {
        memory::resident_of(self.child.id())
    }

    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// How long its threads have run.
    pub fn busy(&self) -> Duration {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let times = tasks.map(|task| {
            let schedule =
                std::fs::read_to_string(task.unwrap().path().join("schedstat")).unwrap_or_default();
            schedule.split(' ').next().and_then(|time| time.parse().ok()).unwrap_or(0)
        });
        Duration::from_nanos(times.sum())
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a thread, and all that it starts, is there for: the first core serves, the second one sends.
#[derive(Clone, Copy, Debug)]
pub enum Role {
    Server = 0,
    Load = 1,
}

/// The cores that this process may run on, as it was started.
static CORES: LazyLock<Vec<usize>> = LazyLock::new(|| {
    let allowed = sched_getaffinity(None).unwrap();
    (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core)).collect()
});

/// Keeps this thread on the core of its role; where there are too few, says so by `false`.
pub fn pin(role: Role) -> bool {
    if CORES.len() < 2 {
        return false;
    }
    let mut own = CpuSet::new();
    own.set(CORES[role as usize]);
    sched_setaffinity(None, &own).is_ok()
}
