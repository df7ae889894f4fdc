//! Contenders side by side: one row for each number of callers, a column for each contender.

use std::pin::Pin;

use countersign_benches::{
    rate::{Effort, Median, Sample},
    table::{Report, rate},
};

use crate::CALLERS;

/// Measures one contender once: given how many callers.
pub type Measure<'m> = Box<dyn Fn(usize) -> Pin<Box<dyn Future<Output = Sample> + 'm>> + 'm>;

/// Something that claims.
pub struct Contender<'m> {
    pub name: &'static str,
    pub measure: Measure<'m>,
}

impl<'m> Contender<'m> {
    pub fn new<R>(name: &'static str, measure: impl Fn(usize) -> R + 'm) -> Self
    where
        R: Future<Output = Sample> + 'm,
    {
        Self { name, measure: Box::new(move |callers| Box::pin(measure(callers))) }
    }
}

/// Measures all of them, in turns, so that what else the machine does hits all alike. The first is countersign; the others
/// are shown with the ratio to them.
pub async fn compare(report: &Report, effort: Effort, what: &str, contenders: &[Contender<'_>]) {
    let names = contenders.iter().map(|contender| contender.name);
    let columns: Vec<_> = [what].into_iter().chain(names).collect();
    report.head(&columns);
    for callers in CALLERS {
        let mut runs = vec![Vec::new(); contenders.len()];
        for _ in 0..effort.runs {
            for (contender, runs) in contenders.iter().zip(&mut runs) {
                runs.push((contender.measure)(callers).await.rate);
            }
        }
        let medians: Vec<_> = runs.into_iter().map(Median::of).collect();
        let ours = medians[0].median;
        let mut cells = vec![format!("{callers} callers")];
        for (n, Median { median, least, most }) in medians.into_iter().enumerate() {
            let ratio = if n == 0 { String::new() } else { format!(", **{:.2}**", ours / median) };
            cells.push(format!("{} [{}, {}]{ratio}", rate(median), rate(least), rate(most)));
        }
        report.row(&cells);
    }
}
