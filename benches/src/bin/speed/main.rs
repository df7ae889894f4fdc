//! What receiving a webhook costs, beside its floors and its peers: `cargo xtask bench speed [--quick] [verify|http ..]`.

mod attack;
mod deliveries;
mod events;
mod http;
mod load;
mod memory;
mod path;
mod request;
mod server;
mod streaming;
mod verify;

use countersign_benches::{
    rate::Median,
    table::{Report, machine, time},
    timing::Effort,
};

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let effort = if quick { Effort::QUICK } else { Effort::FULL };
    let wanted = |name: &str| {
        let mut named = arguments.iter().filter(|argument| !argument.starts_with("--")).peekable();
        named.peek().is_none() || named.any(|argument| argument == name)
    };
    let report = Report::default();
    report.line("# Speed");
    report.line("");
    report.line(format!("{}. Made by `cargo xtask bench speed`.", machine()));
    report.line("Medians; the middle half of the runs in brackets, but where least and most are told.");
    if wanted("verify") {
        verify::run(&report, effort);
    }
    if wanted("streaming") {
        streaming::run(&report, effort);
    }
    if wanted("events") {
        events::run(&report, effort);
    }
    if wanted("path") {
        path::run(&report, effort);
    }
    if wanted("http") {
        http::run(&report, if quick { http::Effort::QUICK } else { http::Effort::FULL });
    }
    if wanted("attack") {
        attack::run(&report, if quick { attack::Effort::QUICK } else { attack::Effort::FULL });
    }
    if wanted("memory") {
        memory::run(&report, if quick { memory::Effort::QUICK } else { memory::Effort::FULL });
    }
    if arguments.is_empty() {
        report.line(include_str!("profile.md").trim_end());
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/RESULTS.md");
        std::fs::write(file, report.into_text()).unwrap();
        println!("\nwritten to benches/RESULTS.md");
    }
}

/// A cell of a table: the median, and the spread of the middle half.
fn cell(took: Median) -> String {
    format!("{} [{}, {}]", time(took.median), time(took.least), time(took.most))
}

/// As [`cell`], with how many times as long as countersign it took.
fn beside(took: Median, countersign: Median) -> String {
    format!("{}, **{:.2}**", cell(took), took.median / countersign.median)
}
