//! Tables in markdown, shown as they grow and kept for a file.

use std::{cell::RefCell, fmt::Display};

/// A report, line by line.
#[derive(Debug, Default)]
pub struct Report(RefCell<String>);

impl Report {
    /// A line, shown at once.
    pub fn line(&self, line: impl Display) {
        let line = line.to_string();
        println!("{line}");
        let mut text = self.0.borrow_mut();
        text.push_str(&line);
        text.push('\n');
    }

    /// The head of a table.
    pub fn head(&self, columns: &[&str]) {
        self.line("");
        self.row(columns);
        self.line(format!("|{}", "---|".repeat(columns.len())));
    }

    /// A row of a table.
    pub fn row(&self, cells: &[impl AsRef<str>]) {
        let cells: Vec<_> = cells.iter().map(AsRef::as_ref).collect();
        self.line(format!("| {} |", cells.join(" | ")));
    }

    /// All of it.
    pub fn into_text(self) -> String {
        self.0.into_inner()
    }
}

/// A number of calls a second, short.
pub fn rate(rate: f64) -> String {
    match rate {
        1e6.. => format!("{:.2} M", rate / 1e6),
        1e4.. => format!("{:.0} k", rate / 1e3),
        1e3.. => format!("{:.1} k", rate / 1e3),
        _ => format!("{rate:.0}"),
    }
}

/// The machine, as far as it tells.
pub fn machine() -> String {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split(':').nth(1).unwrap_or_default().trim().to_owned()
    };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let (processor, memory) =
        (field(&read("/proc/cpuinfo"), "model name"), field(&read("/proc/meminfo"), "MemTotal"));
    format!(
        "{cores} cores of {processor}, {memory} of memory, Linux {}",
        read("/proc/sys/kernel/osrelease").trim()
    )
}

/// Nanoseconds, short.
pub fn time(nanoseconds: f64) -> String {
    match nanoseconds {
        1e6.. => format!("{:.2} ms", nanoseconds / 1e6),
        1e4.. => format!("{:.1} µs", nanoseconds / 1e3),
        1e3.. => format!("{:.2} µs", nanoseconds / 1e3),
        _ => format!("{nanoseconds:.0} ns"),
    }
}

/// Bytes, short.
pub fn bytes(bytes: usize) -> String {
    match bytes {
        0x10_0000.. => format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20)),
        0x400.. => format!("{:.1} KiB", bytes as f64 / f64::from(1 << 10)),
        _ => format!("{bytes} B"),
    }
}
