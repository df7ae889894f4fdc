//! Over HTTP on the loopback, one core serving and one sending: the highest rates, and latencies at half of them.

use std::{io::Write as _, process::Command, time::Duration};

use countersign_benches::{
    rate::Median,
    table::{Report, rate},
};
use tempfile::NamedTempFile;

use crate::{
    cell,
    deliveries::{Deliveries, Fault},
    load::{self, Outcome, Pace, Stream},
    server::{Role, Server, pin},
};

/// How long is measured.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// How often each contender has its turn.
    pub rounds: usize,
    /// How long a turn takes.
    pub turn: Duration,
}

impl Effort {
    /// For numbers to be told.
    pub const FULL: Self = Self { rounds: 7, turn: Duration::from_secs(3) };
    /// To prove that it runs.
    pub const QUICK: Self = Self { rounds: 1, turn: Duration::from_millis(300) };
}

/// A server by its name, and what it stands beside.
struct Contender {
    server: &'static str,
    name: &'static str,
    floor: Option<&'static str>,
    goal: Option<Goal>,
}

/// A share of the floor's rate, and what it takes more than the floor, to be told where it is missed.
#[derive(Clone, Copy, Debug)]
struct Goal {
    least: f64,
    extra: &'static str,
}

const VERIFIED: Goal = Goal {
    least: 0.95,
    extra: "it reads the headers, makes an HMAC over the body and bounds the time for it by a timer, which the bare framework does not",
};
const FULL: Goal = Goal {
    least: 0.90,
    extra: "besides verifying, it makes the three dedupe keys of RetentBase (the body is hashed once more), claims and commits each of them, and \
            measures and logs",
};

const fn contender(server: &'static str, name: &'static str) -> Contender {
    Contender { server, name, floor: None, goal: None }
}

impl Contender {
    const fn beside(self, floor: &'static str) -> Self {
        Self { floor: Some(floor), ..self }
    }

    const fn at_least(self, goal: Goal) -> Self {
        Self { goal: Some(goal), ..self }
    }
}

const CONTENDERS: [Contender; 9] = [
    contender("axum-bare", "axum, `Bytes` and `Value`"),
    contender("axum-verified", "**axum, `Verified` and its event**").beside("axum-bare").at_least(VERIFIED),
    contender("axum-full", "**axum, `post` with `MemoryStore`**").beside("axum-bare").at_least(FULL),
    contender("axum-webhook-verify", "axum, webhook-verify's layer and `Value`").beside("axum-bare"),
    contender("actix-bare", "actix-web, `Bytes` and `Value`"),
    contender("actix-verified", "**actix-web, `Verified` and its event**")
        .beside("actix-bare")
        .at_least(VERIFIED),
    contender("actix-full", "**actix-web, `post` with `MemoryStore`**").beside("actix-bare").at_least(FULL),
    contender("actix-webhook-verify", "actix-web, webhook-verify's extractor and `Value`")
        .beside("actix-bare"),
    contender("node", "Node's `http`, the documented snippet"),
];

/// How many connections a load has.
const CONNECTIONS: usize = 64;
/// Of a body.
const SIZE: usize = 350;

pub fn run(report: &Report, effort: Effort) {
    let pinned = pin(Role::Load);
    report.line("");
    report.line("## HTTP");
    report.line("");
    report.line(format!(
        "Deliveries of RetentBase, {SIZE} B, each one different, signed beforehand, over {CONNECTIONS} connections of the loopback. {} \
         Medians of {} runs of {:.1?} in turns, least and most in brackets; a ratio is the median of the rounds' own. `Value` parses the \
         body and verifies nothing, as the bare framework does; countersign's handlers have the typed event.",
        match pinned {
            true => "One core serves, the other one sends.",
            false => "There are not two cores: servers and loads share what there is.",
        },
        effort.rounds,
        effort.turn,
    ));
    let highest = highest_rates(report, effort);
    latencies(report, effort, &highest);
}

/// What one run measured.
#[derive(Clone, Copy, Debug)]
struct Sample {
    /// Answers a second.
    rate: f64,
    /// The server's time for one, in nanoseconds.
    busy: f64,
}

/// A table of what each contender answers in a second at the most; the medians.
fn highest_rates(report: &Report, effort: Effort) -> Vec<f64> {
    let mut samples = vec![Vec::new(); CONTENDERS.len()];
    // There are to be more deliveries than the fastest can take, which takes the same one again.
    let few = Prepared::new(1000);
    let fastest = closed_loop("axum-bare", effort.turn, &few)
        .rate
        .max(closed_loop("actix-bare", effort.turn, &few).rate);
    let enough = (fastest * 1.5 * effort.turn.as_secs_f64().max(1.0)) as usize;
    for _ in 0..effort.rounds {
        // Their timestamps must be fresh.
        let prepared = Prepared::new(enough);
        for (contender, samples) in CONTENDERS.iter().zip(&mut samples) {
            samples.push(closed_loop(contender.server, effort.turn, &prepared));
        }
    }
    report.line("");
    report.line("### The highest rate");
    report.head(&[
        "",
        "requests a second",
        "beside bare",
        "goal",
        "the server's time for one",
        "beside bare",
    ]);
    let (mut highest, mut missed) = (Vec::new(), Vec::new());
    for (contender, own) in CONTENDERS.iter().zip(&samples) {
        let median = Median::of(own.iter().map(|sample| sample.rate).collect());
        let busy = Median::of(own.iter().map(|sample| sample.busy).collect());
        let floor = contender.floor.map(|floor| &samples[position(floor)]);
        let beside = |of: fn(&Sample) -> f64| {
            let ratios = own.iter().zip(floor?).map(|(own, floor)| of(own) / of(floor));
            Some(Median::of(ratios.collect()))
        };
        let shown = |ratio: Option<Median>| {
            let shown =
                |ratio: Median| format!("**{:.2}** [{:.2}, {:.2}]", ratio.median, ratio.least, ratio.most);
            ratio.map_or_else(String::new, shown)
        };
        let of_rates = beside(|sample| sample.rate);
        report.row(&[
            contender.name.to_owned(),
            format!("{} [{}, {}]", rate(median.median), rate(median.least), rate(median.most)),
            shown(of_rates),
            contender.goal.map_or_else(String::new, |goal| format!("{:.2}", goal.least)),
            cell(busy),
            shown(beside(|sample| sample.busy)),
        ]);
        highest.push(median.median);
        if let Some((goal, ratio)) = contender.goal.zip(of_rates)
            && ratio.median < goal.least
        {
            missed.push(format!("- Below its goal, {}: {}.", contender.name, goal.extra));
        }
    }
    report.line("");
    missed.iter().for_each(|line| report.line(line));
    highest
}

fn position(server: &str) -> usize {
    CONTENDERS.iter().position(|contender| contender.server == server).unwrap()
}

/// Deliveries in a file, as wrk's script reads them.
struct Prepared {
    file: NamedTempFile,
    script: NamedTempFile,
    length: usize,
}

impl Prepared {
    fn new(count: usize) -> Self {
        let Deliveries { text, length } = Deliveries::new(Fault::None, SIZE, 0, count);
        let (mut file, mut script) = (NamedTempFile::new().unwrap(), NamedTempFile::new().unwrap());
        file.write_all(&text).unwrap();
        script.write_all(include_bytes!("wrk.lua")).unwrap();
        Self { file, script, length }
    }
}

/// As fast as it goes, by wrk.
fn closed_loop(contender: &str, turn: Duration, prepared: &Prepared) -> Sample {
    let mut server = Server::start(contender);
    let before = server.busy();
    let mut wrk = Command::new("wrk");
    wrk.args(["--threads", "1", "--connections", &CONNECTIONS.to_string()]);
    // It takes whole seconds only.
    wrk.args(["--duration", &format!("{}s", turn.as_secs().max(1)), "--script"]).arg(prepared.script.path());
    wrk.arg(format!("http://{}/hook", server.address)).arg("--");
    wrk.arg(prepared.file.path()).arg(prepared.length.to_string());
    let output = wrk.output().expect("wrk runs: `cargo xtask bench speed` installs it");
    let busy = server.busy() - before;
    let output = String::from_utf8(output.stdout).unwrap();
    let line = output.lines().last().unwrap_or_default();
    let numbers: Vec<usize> = line.split(' ').map(|number| number.parse().unwrap()).collect();
    let [answered, microseconds, refused, broken] = numbers[..] else { panic!("{contender}: {output}") };
    assert_eq!((refused, broken), (0, 0), "{contender}: {output}");
    let handled = server.counts().handled;
    // One that came twice, since they ran out, was not handled twice.
    assert!(handled * 100 >= answered * 99, "{contender}: {answered} were answered, and {handled} handled");
    Sample {
        rate: answered as f64 / (microseconds as f64 / 1e6),
        busy: busy.as_nanos() as f64 / handled as f64,
    }
}

/// Contenders at one rate.
const LATENCIES: [(&str, [&str; 3]); 2] = [
    ("axum", ["axum-bare", "axum-verified", "axum-full"]),
    ("actix-web", ["actix-bare", "actix-verified", "actix-full"]),
];

/// Tables of latencies at half of the highest rate, which all of a framework can take.
fn latencies(report: &Report, effort: Effort, highest: &[f64]) {
    const SHARES: [f64; 3] = [0.5, 0.99, 0.999];
    report.line("");
    report.line("### Latency at half of the highest rate");
    report.line("");
    report.line(
        "Sent by a schedule, and counted from it: one that is late because those before it were, is late. The rate is half of the \
         highest of the slowest of the three.",
    );
    for (framework, contenders) in LATENCIES {
        let slowest = contenders.iter().map(|server| highest[position(server)]).fold(f64::INFINITY, f64::min);
        let pace = slowest / 2.0;
        let mut runs = vec![Vec::new(); contenders.len()];
        for _ in 0..effort.rounds {
            let count = (pace * effort.turn.as_secs_f64()) as usize + 1;
            let deliveries = Deliveries::new(Fault::None, SIZE, 0, count);
            for (contender, runs) in contenders.iter().zip(&mut runs) {
                let outcome = open_loop(contender, effort.turn, pace, &deliveries);
                runs.push(SHARES.map(|share| outcome.percentile(share)));
            }
        }
        report.head(&[&format!("{framework} at {} a second", rate(pace)), "p50", "p99", "p99.9"]);
        for (server, runs) in contenders.iter().zip(runs) {
            let cells = (0..SHARES.len())
                .map(|share| cell(Median::of(runs.iter().map(|percentiles| percentiles[share]).collect())));
            let name = CONTENDERS[position(server)].name.to_owned();
            report.row(&[name].into_iter().chain(cells).collect::<Vec<_>>());
        }
    }
}

fn open_loop(contender: &str, turn: Duration, pace: f64, deliveries: &Deliveries) -> Outcome {
    let server = Server::start(contender);
    let stream = Stream { connections: CONNECTIONS, pace: Pace::Rate(pace), deliveries };
    let outcome = load::run(server.address, turn, &[stream]).remove(0);
    assert_eq!(
        outcome.latencies.len(),
        outcome.sent(),
        "{contender}: not all were taken: {}",
        outcome.refused
    );
    outcome
}
