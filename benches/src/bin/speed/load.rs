//! A load of deliveries over HTTP, from one thread: at a fixed rate, or as fast as they are answered.

use std::{
    collections::VecDeque,
    io::{ErrorKind, Read as _, Write as _},
    net::SocketAddr,
    ops::Range,
    time::{Duration, Instant},
};

use mio::{Events, Interest, Poll, Registry, Token, net::TcpStream};
use rustix::net::sockopt::set_socket_linger;

use crate::deliveries::Deliveries;

/// Some connections, and what they send.
pub struct Stream<'d> {
    pub connections: usize,
    pub pace: Pace,
    pub deliveries: &'d Deliveries,
}

/// When the next delivery is sent.
#[derive(Clone, Copy, Debug)]
pub enum Pace {
    /// As soon as a connection is free.
    Full,
    /// So many a second, whatever becomes of those before. One that finds no connection free waits, and that counts.
    Rate(f64),
}

/// What became of a stream's deliveries.
#[derive(Debug, Default)]
pub struct Outcome {
    /// From when a delivery was due to its 2xx, in nanoseconds, in order.
    pub latencies: Vec<u64>,
    /// Answered with something else.
    pub refused: usize,
    /// Whose connection ended without an answer.
    pub broken: usize,
    /// Due and never answered.
    pub unanswered: usize,
}

impl Outcome {
    /// The latency that such a share does not exceed.
    pub fn percentile(&self, share: f64) -> f64 {
        let last = self.latencies.len().saturating_sub(1);
        self.latencies.get((last as f64 * share).round() as usize).map_or(f64::NAN, |latency| *latency as f64)
    }

    /// How many there were.
    pub fn sent(&self) -> usize {
        self.latencies.len() + self.refused + self.broken + self.unanswered
    }
}

/// How much of a delivery is written before others have their turn.
const PORTION: usize = 64 << 10;
const BOTH: Interest = Interest::READABLE.add(Interest::WRITABLE);
/// How long connections may take to be made, before anything is due.
const CONNECTING: Duration = Duration::from_millis(50);
/// How long answers are waited for when the time is over.
const PATIENCE: Duration = Duration::from_secs(2);

/// Sends to one server for so long, with all streams at the same time.
pub fn run(server: SocketAddr, length: Duration, streams: &[Stream<'_>]) -> Vec<Outcome> {
    let mut poll = Poll::new().unwrap();
    let mut connections = Vec::new();
    let mut senders: Vec<_> = streams.iter().map(|stream| Sender::new(stream, &mut connections)).collect();
    let registry = poll.registry().try_clone().unwrap();
    for connection in &mut connections {
        connection.connect(server, &registry);
    }
    std::thread::sleep(CONNECTING);
    let mut events = Events::with_capacity(32);
    let began = Instant::now();
    let is_paced = streams.iter().any(|stream| matches!(stream.pace, Pace::Rate(_)));
    loop {
        let elapsed = began.elapsed();
        let is_over = elapsed >= length;
        for sender in &mut senders {
            sender.send(began, elapsed.min(length), is_over, &mut connections, &registry);
        }
        if is_over && senders.iter().all(Sender::is_done) || elapsed > length + PATIENCE {
            break;
        }
        // A wait would be told in whole milliseconds, which is too coarse for a schedule.
        let wait = if is_paced { Duration::ZERO } else { Duration::from_millis(10) };
        poll.poll(&mut events, Some(wait)).unwrap();
        for event in &events {
            let connection = &mut connections[usize::from(event.token())];
            if !connection.go_on(&mut senders[connection.stream], &registry) {
                connection.connect(server, &registry);
            }
        }
    }
    senders.into_iter().map(|sender| sender.into_outcome(&connections)).collect()
}

/// One stream at work.
struct Sender<'d> {
    stream: &'d Stream<'d>,
    range: Range<usize>,
    idle: Vec<usize>,
    due: VecDeque<Instant>,
    scheduled: usize,
    sent: usize,
    outcome: Outcome,
}

impl<'d> Sender<'d> {
    fn new(stream: &'d Stream<'d>, connections: &mut Vec<Connection>) -> Self {
        let range = connections.len()..connections.len() + stream.connections;
        let number = connections.last().map_or(0, |connection: &Connection| connection.stream + 1);
        connections.extend(range.clone().map(|token| Connection::new(Token(token), number)));
        let idle = range.clone().collect();
        let (due, outcome) = (VecDeque::new(), Outcome::default());
        Self { stream, range, idle, due, scheduled: 0, sent: 0, outcome }
    }

    /// Schedules what is due, and sends what finds a connection.
    fn send(
        &mut self,
        began: Instant,
        elapsed: Duration,
        is_over: bool,
        connections: &mut [Connection],
        registry: &Registry,
    ) {
        match self.stream.pace {
            Pace::Rate(rate) => {
                // The first one is due at once.
                let scheduled = (elapsed.as_secs_f64() * rate) as usize + 1;
                let due =
                    (self.scheduled..scheduled).map(|n| began + Duration::from_secs_f64(n as f64 / rate));
                self.due.extend(due);
                self.scheduled = self.scheduled.max(scheduled);
            }
            Pace::Full if !is_over => self.due.resize(self.idle.len(), Instant::now()),
            Pace::Full => self.due.clear(),
        }
        while !self.due.is_empty()
            && let Some(number) = self.idle.pop()
        {
            let since = self.due.pop_front().unwrap();
            connections[number].begin(since, self, registry);
        }
    }

    fn is_done(&self) -> bool {
        self.due.is_empty() && self.idle.len() == self.range.len()
    }

    fn into_outcome(mut self, connections: &[Connection]) -> Outcome {
        let underway =
            connections[self.range].iter().filter(|connection| connection.sending.is_some()).count();
        self.outcome.unanswered = self.due.len() + underway;
        self.outcome.latencies.sort_unstable();
        self.outcome
    }
}

/// A connection, and the delivery that is on it.
struct Connection {
    token: Token,
    stream: usize,
    socket: Option<TcpStream>,
    sending: Option<Sending>,
    received: Vec<u8>,
}

struct Sending {
    since: Instant,
    delivery: usize,
    written: usize,
}

impl Connection {
    fn new(token: Token, stream: usize) -> Self {
        Self { token, stream, socket: None, sending: None, received: Vec::new() }
    }

    /// Anew, with nothing left of the one before.
    fn connect(&mut self, server: SocketAddr, registry: &Registry) {
        let mut socket = TcpStream::connect(server).unwrap();
        // Ended by a reset, so that no port stays taken.
        set_socket_linger(&socket, Some(Duration::ZERO)).unwrap();
        socket.set_nodelay(true).unwrap();
        registry.register(&mut socket, self.token, BOTH).unwrap();
        self.socket = Some(socket);
        self.received.clear();
    }

    fn begin(&mut self, since: Instant, sender: &mut Sender<'_>, registry: &Registry) {
        self.sending = Some(Sending { since, delivery: sender.sent, written: 0 });
        sender.sent += 1;
        // What fails here fails again where it is looked at.
        let _ = self.write(sender.stream.deliveries, registry);
    }

    /// Writes and reads what can be; `false` when the connection has ended.
    fn go_on(&mut self, sender: &mut Sender<'_>, registry: &Registry) -> bool {
        // An answer may be there all the same when no more can be written.
        let written = self.write(sender.stream.deliveries, registry);
        let read = self.read().and(written);
        let answer = answer(&self.received);
        let has_ended = read.is_err() || answer.as_ref().is_some_and(|answer| answer.closes);
        match (self.sending.take(), answer) {
            (Some(sending), Some(answer)) => {
                match answer.status {
                    b'2' => sender.outcome.latencies.push(sending.since.elapsed().as_nanos() as u64),
                    _ => sender.outcome.refused += 1,
                }
                sender.idle.push(self.token.into());
                self.received.clear();
                // What was not sent by the time of the answer is not sent at all.
                !has_ended && sending.written == sender.stream.deliveries.length
            }
            (Some(_), None) if has_ended => {
                sender.outcome.broken += 1;
                sender.idle.push(self.token.into());
                false
            }
            (sending, _) => {
                self.sending = sending;
                !has_ended
            }
        }
    }

    fn write(&mut self, deliveries: &Deliveries, registry: &Registry) -> std::io::Result<()> {
        let (Some(sending), Some(socket)) = (&mut self.sending, &mut self.socket) else { return Ok(()) };
        let left = &deliveries.nth(sending.delivery)[sending.written..];
        if left.is_empty() {
            return Ok(());
        }
        match socket.write(&left[..left.len().min(PORTION)]) {
            Ok(written) => {
                sending.written += written;
                // Asks to be told again: events tell of changes only.
                if sending.written < deliveries.length {
                    registry.reregister(socket, self.token, BOTH)
                } else {
                    Ok(())
                }
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn read(&mut self) -> std::io::Result<()> {
        let mut buffer = [0; 4096];
        loop {
            match self.socket.as_mut().unwrap().read(&mut buffer) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(count) => self.received.extend_from_slice(&buffer[..count]),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected) => {
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// A whole answer.
struct Answer {
    /// The first digit.
    status: u8,
    closes: bool,
}

/// The answer that was received, once it is there as a whole.
fn answer(received: &[u8]) -> Option<Answer> {
    let end = received.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&received[..end]).unwrap().to_ascii_lowercase();
    let field = |name: &str| Some(head.split_once(name)?.1.split_once("\r\n")?.0.trim().to_owned());
    let length: usize = field("\r\ncontent-length:").map_or(0, |length| length.parse().unwrap());
    let closes = field("\r\nconnection:").is_some_and(|connection| connection == "close");
    (received.len() >= end + length).then(|| Answer { status: head.as_bytes()[9], closes })
}
