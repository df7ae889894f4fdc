//! The stores, each beside its floor and its peers: `cargo xtask bench stores [--quick] [memory|embedded|redis|postgres ..]`.

mod compare;
mod durable;
mod embedded;
mod growth;
mod memory;
mod postgres;
mod redis;

use countersign_benches::{
    rate::Effort,
    table::{Report, machine},
};

/// How many call at the same time.
const CALLERS: [usize; 4] = [1, 16, 64, 256];

#[tokio::main(worker_threads = 2)]
async fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if let Some(contender) = arguments.first().and_then(|argument| argument.strip_prefix("--growth-of=")) {
        return growth::child(contender, &arguments[1]).await;
    }
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let effort = if quick { Effort::QUICK } else { Effort::FULL };
    let wanted = |name: &str| {
        let mut named = arguments.iter().filter(|argument| !argument.starts_with("--")).peekable();
        named.peek().is_none() || named.any(|argument| argument == name)
    };
    let report = Report::default();
    report.line("# Stores");
    report.line("");
    report.line(format!("{}. Medians of {} runs, least and most in brackets.", machine(), effort.runs));
    report.line("Made by `cargo xtask bench stores`. A ratio above 1 is countersign's gain.");
    if wanted("memory") {
        memory::run(&report, effort).await;
    }
    if wanted("embedded") {
        embedded::run(&report, effort).await;
    }
    if wanted("redis") {
        redis::run(&report, effort).await;
    }
    if wanted("postgres") {
        postgres::run(&report, effort).await;
    }
    if wanted("growth") {
        growth::run(&report, quick);
    }
    let whole = arguments.is_empty();
    if whole {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/STORES.md");
        std::fs::write(file, report.into_text()).unwrap();
        println!("\nwritten to benches/STORES.md");
    }
}
