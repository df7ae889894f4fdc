//! Under attack: what is refused in a second, what is read and held for it, and what becomes of genuine deliveries.

use std::{
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
    time::Duration,
};

use countersign_benches::{
    memory,
    table::{Report, bytes, rate, time},
};

use crate::{
    deliveries::{Deliveries, Fault},
    load::{self, Pace, Stream},
    server::{Role, Server, pin},
};

/// How long is measured.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// How long each attack takes.
    pub turn: Duration,
    /// Over how many connections.
    pub connections: &'static [usize],
}

impl Effort {
    /// For numbers to be told.
    pub const FULL: Self = Self { turn: Duration::from_secs(3), connections: &[16, 256] };
    /// To prove that it runs.
    pub const QUICK: Self = Self { turn: Duration::from_millis(200), connections: &[16] };
}

const RECEIVERS: [(&str, &str); 2] = [("axum-counted", "axum"), ("actix-counted", "actix-web")];

const ATTACKS: [(&str, Fault, usize); 5] = [
    ("no signature, 350 B", Fault::Unsigned, 350),
    ("no signature, 1 MiB", Fault::Unsigned, 1 << 20),
    ("wrong token, 1 MiB", Fault::WrongToken, 1 << 20),
    ("forged signature, 350 B", Fault::Forged, 350),
    ("forged signature, 1 MiB", Fault::Forged, 1 << 20),
];

/// Genuine deliveries a second, and their connections.
const GENUINE: (f64, usize) = (500.0, 16);

pub fn run(report: &Report, effort: Effort) {
    pin(Role::Load);
    report.line("");
    report.line("## Under attack");
    report.line("");
    report.line(format!(
        "Receivers with `MemoryStore`; as many requests as they answer, for {:.1?} each, and {} genuine deliveries a second beside them, by a \
         schedule. Read is what countersign asked of the body; resident is the server's memory before, and the most of it during the attack. A \
         sender that goes on sending when it was answered can lose the answer: cut off.",
        effort.turn, GENUINE.0
    ));
    for (server, framework) in RECEIVERS {
        report.head(&[
            framework,
            "connections",
            "refused a second",
            "cut off",
            "read of one",
            "resident",
            "genuine answered 2xx",
            "p50",
            "p99",
        ]);
        let no_attack = attacked(server, effort.turn, None);
        report.row(&no_attack.cells("none", 0, effort.turn));
        for (attack, fault, size) in ATTACKS {
            for connections in effort.connections {
                let attacked = attacked(server, effort.turn, Some((fault, size, *connections)));
                report.row(&attacked.cells(attack, *connections, effort.turn));
            }
        }
    }
}

/// What one attack came to.
struct Attacked {
    attack: load::Outcome,
    genuine: load::Outcome,
    read: usize,
    resident: (usize, usize),
}

fn attacked(server: &str, turn: Duration, attack: Option<(Fault, usize, usize)>) -> Attacked {
    let genuine = Deliveries::new(Fault::None, 350, 0, (GENUINE.0 * turn.as_secs_f64()) as usize + 1);
    let mut streams =
        vec![Stream { connections: GENUINE.1, pace: Pace::Rate(GENUINE.0), deliveries: &genuine }];
    let bad = attack.map(|(fault, size, connections)| (Deliveries::new(fault, size, 0, 16), connections));
    if let Some((deliveries, connections)) = &bad {
        streams.push(Stream { connections: *connections, pace: Pace::Full, deliveries });
    }
    let mut server = Server::start(server);
    let before = server.resident();
    let is_over = AtomicBool::new(false);
    let (mut outcomes, most) = thread::scope(|scope| {
        let most = scope.spawn(|| most_resident(server.process(), &is_over));
        let outcomes = load::run(server.address, turn, &streams);
        is_over.store(true, Relaxed);
        (outcomes, most.join().unwrap())
    });
    let counts = server.counts();
    let genuine = outcomes.remove(0);
    // What the genuine ones had read, but for any that were cut off.
    let read = counts.read.saturating_sub(counts.handled * 350);
    Attacked { attack: outcomes.pop().unwrap_or_default(), genuine, read, resident: (before, most) }
}

/// The most that a process had resident.
fn most_resident(process: u32, is_over: &AtomicBool) -> usize {
    let mut most = 0;
    while !is_over.load(Relaxed) {
        most = most.max(memory::resident_of(process));
        thread::sleep(Duration::from_millis(10));
    }
    most
}

impl Attacked {
    fn cells(&self, name: &str, connections: usize, turn: Duration) -> [String; 9] {
        let Self { attack, genuine, read, resident: (before, most) } = self;
        assert!(attack.latencies.is_empty(), "{name}: {} were let through", attack.latencies.len());
        let refused = attack.refused + attack.broken;
        let share = |part: usize, whole: usize| format!("{:.2} %", 100.0 * part as f64 / whole.max(1) as f64);
        let of_attack = |cell: String| if connections == 0 { String::new() } else { cell };
        [
            name.to_owned(),
            of_attack(connections.to_string()),
            of_attack(rate(refused as f64 / turn.as_secs_f64())),
            of_attack(share(attack.broken, refused)),
            of_attack(bytes(read / refused.max(1))),
            format!("{}, {}", bytes(*before), bytes(*most)),
            share(genuine.latencies.len(), genuine.sent()),
            time(genuine.percentile(0.5)),
            time(genuine.percentile(0.99)),
        ]
    }
}
