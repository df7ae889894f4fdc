//! The handler under test: it records what it saw, and does what it is told.

use std::{
    fmt::Debug,
    sync::{Arc, Mutex},
};

use tokio::sync::Semaphore;

/// What the handler does with a delivery.
#[derive(Clone, Debug)]
pub enum Behaviour {
    /// Answers with this status.
    Answer(u16),
    /// Panics.
    Panic,
    /// Waits for a permit of the gate, then answers 200.
    Wait,
}

/// A handler that all frameworks share.
#[derive(Clone, Debug)]
pub struct Handler(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    behaviour: Mutex<Behaviour>,
    started: Mutex<Vec<String>>,
    finished: Mutex<usize>,
    gate: Semaphore,
}

impl Handler {
    pub fn new(behaviour: Behaviour) -> Self {
        Self(Arc::new(Shared {
            behaviour: Mutex::new(behaviour),
            started: Mutex::default(),
            finished: Mutex::default(),
            gate: Semaphore::new(0),
        }))
    }

    pub fn behave(&self, behaviour: Behaviour) {
        *self.0.behaviour.lock().unwrap() = behaviour;
    }

    /// Lets one waiting run go on.
    pub fn open_gate(&self) {
        self.0.gate.add_permits(1);
    }

    /// What was seen, in its order.
    pub fn seen(&self) -> Vec<String> {
        self.0.started.lock().unwrap().clone()
    }

    /// How often it was run.
    pub fn runs(&self) -> usize {
        self.0.started.lock().unwrap().len()
    }

    /// How many runs came to their end.
    pub fn finished(&self) -> usize {
        *self.0.finished.lock().unwrap()
    }

    /// Records something that was seen.
    pub fn see(&self, seen: &impl Debug) {
        self.0.started.lock().unwrap().push(format!("{seen:?}"));
    }

    /// Handles an event; the status to answer with.
    pub async fn run(&self, event: &impl Debug) -> u16 {
        self.see(event);
        let behaviour = self.0.behaviour.lock().unwrap().clone();
        let status = match behaviour {
            Behaviour::Answer(status) => status,
            Behaviour::Panic => panic!("told to"),
            Behaviour::Wait => {
                self.0.gate.acquire().await.unwrap().forget();
                200
            }
        };
        *self.0.finished.lock().unwrap() += 1;
        status
    }
}
