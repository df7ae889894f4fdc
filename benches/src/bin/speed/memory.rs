//! Resident memory: of an idle receiver, and of one with many connections whose bodies trickle.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    thread,
    time::{Duration, Instant},
};

use countersign_benches::table::{Report, bytes};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::{
    deliveries::{Deliveries, Fault},
    server::{Role, Server, pin},
};

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// How many connections are open.
    pub connections: usize,
    /// When the memory is looked at, since the first connection.
    pub trickle: Duration,
    /// When it is looked at once more.
    pub again: Option<Duration>,
}

impl Effort {
    /// For numbers to be told.
    pub const FULL: Self =
        Self { connections: 10_000, trickle: Duration::from_secs(7), again: Some(Duration::from_secs(16)) };
    /// To prove that it runs.
    pub const QUICK: Self = Self { connections: 200, trickle: Duration::from_millis(500), again: None };
}

const SERVERS: [(&str, &str); 7] = [
    ("axum-bare", "axum, `Bytes` and `Value`"),
    ("axum-verified", "**axum, `Verified`**"),
    ("axum-full", "**axum, `post` with `MemoryStore`**"),
    ("actix-bare", "actix-web, `Bytes` and `Value`"),
    ("actix-verified", "**actix-web, `Verified`**"),
    ("actix-full", "**actix-web, `post` with `MemoryStore`**"),
    ("node", "Node's `http`, the documented snippet"),
];

/// Those whose memory is looked at while forged bodies are held.
const HELD: [(&str, &str); 4] = [
    ("axum-bare", "axum, `Bytes` and `Value`"),
    ("axum-full", "**axum, `post` with `MemoryStore`**"),
    ("actix-bare", "actix-web, `Bytes` and `Value`"),
    ("actix-full", "**actix-web, `post` with `MemoryStore`**"),
];
/// The length of a forged body, and how many connections send one.
const FORGED: usize = 1 << 20;
const FORGERS: usize = 256;

/// How often each connection sends a byte.
const PAUSE: Duration = Duration::from_secs(1);
/// Files besides the connections.
const SPARE: usize = 200;

pub fn run(report: &Report, effort: Effort) {
    pin(Role::Load);
    let connections = effort.connections.min(files(effort.connections + SPARE).saturating_sub(SPARE));
    report.line("");
    report.line("## Memory");
    report.line("");
    report.line(format!(
        "Resident bytes of a server that has had no request yet; then with {connections} connections that have sent the head of a delivery with \
         `content-length: 350`, and a byte of its body each second, {:.1?} after the first of them was opened. countersign gives up a body that has \
         not arrived after 10 s: a 408.",
        effort.trickle
    ));
    let later =
        effort.again.map_or_else(String::new, |again| format!("after {again:?}: open, answered; resident"));
    report.head(&["", "idle", &format!("with {connections} connections"), "each", &later]);
    for (name, shown) in SERVERS {
        let server = Server::start(name);
        // What runs once at the start has run.
        thread::sleep(Duration::from_millis(200));
        let idle = server.resident();
        let began = Instant::now();
        let mut senders = Senders::connect(server.address, connections);
        senders.trickle_until(began + effort.trickle);
        let open = server.resident();
        let (left, answered) = senders.count();
        assert_eq!((left, answered), (connections, 0), "{name}: answered after {:.1?}", began.elapsed());
        let later = effort.again.map_or_else(String::new, |again| {
            senders.trickle_until(began + again);
            let (left, answered) = senders.count();
            format!("{left}, {answered}; {}", bytes(server.resident()))
        });
        let each = open.saturating_sub(idle) / connections.max(1);
        report.row(&[shown.to_owned(), bytes(idle), bytes(open), bytes(each), later]);
    }
    held(report, effort);
}

/// Forged bodies that stop before their last byte, and genuine deliveries beside them.
fn held(report: &Report, effort: Effort) {
    let forgers = effort.connections.min(FORGERS);
    report.line("");
    report.line(format!(
        "With {forgers} connections that have each sent a forged delivery of {} but for its last byte. countersign holds 64 MiB of bodies at most, \
         and answers 503 beyond that. Genuine are 100 deliveries of 350 B, one after the other, while those are held.",
        bytes(FORGED)
    ));
    report.head(&["", "idle", "held", "answered", "genuine answered 2xx"]);
    let forged = Deliveries::new(Fault::Forged, FORGED, 0, 1);
    let genuine = Deliveries::new(Fault::None, 350, 0, 100);
    for (name, shown) in HELD {
        let server = Server::start(name);
        thread::sleep(Duration::from_millis(200));
        let idle = server.resident();
        let mut senders = Senders::of(server.address, forgers, &forged.text[..forged.length - 1]);
        thread::sleep(Duration::from_millis(500));
        let held = server.resident();
        let accepted =
            genuine.text.chunks(genuine.length).filter(|text| is_accepted(server.address, text)).count();
        let (_, answered) = senders.count();
        report.row(&[
            shown.to_owned(),
            bytes(idle),
            bytes(held),
            answered.to_string(),
            format!("{accepted} of {}", genuine.text.len() / genuine.length),
        ]);
    }
}

/// Whether one delivery is answered 2xx.
fn is_accepted(server: SocketAddr, delivery: &[u8]) -> bool {
    let mut socket = TcpStream::connect(server).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut answer = [0; 12];
    socket.write_all(delivery).and_then(|()| socket.read_exact(&mut answer)).is_ok()
        && answer.starts_with(b"HTTP/1.1 2")
}

/// Allows so many open files, or as many as can be, here and in what is started from here.
fn files(wanted: usize) -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = wanted as u64;
    let limit = Rlimit {
        current: Some(wanted.max(current.unwrap_or(wanted))),
        maximum: maximum.map(|maximum| maximum.max(wanted)),
    };
    let allowed = match setrlimit(Resource::Nofile, limit) {
        Ok(()) => wanted,
        Err(_) => current.unwrap_or(wanted),
    };
    allowed as usize
}

/// Connections whose deliveries never come to an end.
struct Senders {
    sockets: Vec<TcpStream>,
    answered: usize,
}

impl Senders {
    fn connect(server: SocketAddr, count: usize) -> Self {
        let delivery = Deliveries::new(Fault::None, 350, 0, 1);
        Self::of(server, count, &delivery.text[..delivery.length - 350])
    }

    /// Connections that have each sent this.
    fn of(server: SocketAddr, count: usize, text: &[u8]) -> Self {
        let sockets = (0..count).map(|_| {
            let mut socket = TcpStream::connect(server).unwrap();
            // A server that refuses it need not read all of it.
            socket.set_write_timeout(Some(PAUSE)).unwrap();
            let _ = socket.write_all(text);
            socket.set_nonblocking(true).unwrap();
            socket
        });
        Self { sockets: sockets.collect(), answered: 0 }
    }

    /// A byte of each, again and again.
    fn trickle_until(&mut self, end: Instant) {
        while Instant::now() < end {
            let next = Instant::now() + PAUSE;
            for socket in &mut self.sockets {
                // One that has ended is found when they are counted.
                let _ = socket.write(b"{");
            }
            thread::sleep(next.min(end).saturating_duration_since(Instant::now()));
        }
    }

    /// How many are open, and how many answers there were.
    fn count(&mut self) -> (usize, usize) {
        let answered = &mut self.answered;
        self.sockets.retain_mut(|socket| {
            let mut buffer = [0; 1024];
            loop {
                match socket.read(&mut buffer) {
                    Ok(0) => return false,
                    Ok(count) => *answered += usize::from(buffer[..count].starts_with(b"HTTP/1.1")),
                    Err(error) => return error.kind() == ErrorKind::WouldBlock,
                }
            }
        });
        (self.sockets.len(), self.answered)
    }
}
