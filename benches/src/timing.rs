//! How long calls take, side by side: the contenders take turns, so that what disturbs the machine disturbs all.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use crate::rate::Median;

/// How long is measured.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// How often each contender has its turn.
    pub rounds: usize,
    /// How long a turn takes, about.
    pub turn: Duration,
}

impl Effort {
    /// For numbers to be told.
    pub const FULL: Self = Self { rounds: 301, turn: Duration::from_micros(300) };
    /// To prove that it runs.
    pub const QUICK: Self = Self { rounds: 3, turn: Duration::from_micros(20) };
}

/// Something to be timed, by name.
pub struct Contender<'a> {
    pub name: &'static str,
    run: Box<dyn FnMut(u32) -> Duration + 'a>,
}

/// A contender that makes this call.
pub fn contender<'a, R>(name: &'static str, mut call: impl FnMut() -> R + 'a) -> Contender<'a> {
    let run = move |calls| {
        let began = Instant::now();
        for _ in 0..calls {
            black_box(call());
        }
        began.elapsed()
    };
    Contender { name, run: Box::new(run) }
}

/// A contender that makes this call of what was prepared for it alone, just before and untimed: it is in the caches, as what has
/// just arrived is. What is left there afterwards is dropped untimed as well.
pub fn prepared<'a, S, R>(
    name: &'static str,
    mut prepare: impl FnMut() -> S + 'a,
    mut call: impl FnMut(&mut S) -> R + 'a,
) -> Contender<'a> {
    let run = move |calls| {
        let mut took = Duration::ZERO;
        for _ in 0..calls {
            let mut one = prepare();
            let began = Instant::now();
            black_box(call(&mut one));
            took += began.elapsed();
        }
        took
    };
    Contender { name, run: Box::new(run) }
}

/// The nanoseconds of each contender's call, in their order.
pub fn side_by_side(effort: Effort, contenders: &mut [Contender<'_>]) -> Vec<Median> {
    let calls: Vec<u32> = contenders.iter_mut().map(|contender| calibrated(effort, contender)).collect();
    let mut samples = vec![Vec::with_capacity(effort.rounds); contenders.len()];
    for _ in 0..effort.rounds {
        for ((contender, calls), samples) in contenders.iter_mut().zip(&calls).zip(&mut samples) {
            samples.push((contender.run)(*calls).as_nanos() as f64 / f64::from(*calls));
        }
    }
    samples.into_iter().map(Median::of_middle_half).collect()
}

/// How many calls make a turn.
fn calibrated(effort: Effort, contender: &mut Contender<'_>) -> u32 {
    let mut calls = 1;
    while (contender.run)(calls) < effort.turn && calls < 1 << 20 {
        calls *= 2;
    }
    calls
}
