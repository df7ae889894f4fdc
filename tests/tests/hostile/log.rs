//! `Log`: the outcome that our adapters logged for each request. A request without a line did not reach them.

use std::{
    fmt::Debug,
    sync::{Mutex, MutexGuard},
};

use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

/// The lines of both servers.
pub struct Log(Mutex<Vec<Line>>);

/// One answer of ours.
#[derive(Clone, Debug, Default)]
pub struct Line {
    pub endpoint: String,
    pub outcome: String,
    pub reason: String,
}

pub static LOG: Log = Log(Mutex::new(Vec::new()));

impl Log {
    /// Starts to listen, in the whole process.
    pub fn listen() {
        tracing::subscriber::set_global_default(Listener).unwrap();
    }

    /// The lines of the endpoints whose names start so, in their order.
    pub fn of(&self, endpoint: &str) -> Vec<Line> {
        self.lines().iter().filter(|line| line.endpoint.starts_with(endpoint)).cloned().collect()
    }

    fn lines(&self) -> MutexGuard<'_, Vec<Line>> {
        self.0.lock().unwrap()
    }
}

struct Listener;

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && metadata.target().starts_with("countersign")
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        if !line.outcome.is_empty() {
            LOG.lines().push(line);
        }
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "endpoint" => value.clone_into(&mut self.endpoint),
            "outcome" => value.clone_into(&mut self.outcome),
            "reason" => value.clone_into(&mut self.reason),
            _ => {}
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}
