//! The ledger against a model: any calls, steps of the walk, purges and crashes in any order.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::embedded::{
    entry::{Act, Time},
    ledger::{Call, Ledger},
};

/// A store as one would write it on a slip of paper.
#[derive(Default)]
struct Model {
    rows: HashMap<u8, (u64, bool, u64)>,
}

impl Model {
    fn answer(&mut self, now: u64, n: u8, by: u64, act: Act) -> String {
        self.rows.retain(|_, (_, _, until)| *until > now);
        let until = |length: Duration| now + length.as_millis() as u64;
        match (act, self.rows.get(&n).copied()) {
            (Act::Claim(_), Some((_, true, _))) => return "Ok(Some(Committed))".into(),
            (Act::Claim(_), Some((holder, false, until))) if holder != by => {
                let retry_after = Duration::from_millis(until - now);
                return format!("Ok(Some({:?}))", Claim::InFlight { retry_after });
            }
            (Act::Claim(length), _) => {
                self.rows.insert(n, (by, false, until(length)));
                return "Ok(Some(Claimed))".into();
            }
            (Act::Renew(length), Some((holder, false, _))) if holder == by => {
                self.rows.insert(n, (by, false, until(length)));
            }
            (Act::Commit(length), Some((holder, _, _))) if holder == by => {
                self.rows.insert(n, (by, true, until(length)));
            }
            (Act::Release, Some((holder, false, _))) if holder == by => {
                self.rows.remove(&n);
            }
            _ => return "Err(Fenced)".into(),
        }
        "Ok(None)".into()
    }
}

#[derive(Clone, Debug)]
enum Event {
    Batch(Vec<(u8, u64, u8, u64)>),
    Walk,
    Purge,
    Crash,
    Pass(u64),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => prop::collection::vec((0_u8..60, 1_u64..4, 0_u8..8, 1_u64..200), 1..30).prop_map(Event::Batch),
        2 => Just(Event::Walk),
        1 => Just(Event::Purge),
        1 => Just(Event::Crash),
        2 => (1_u64..100).prop_map(Event::Pass),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn it_answers_as_the_model_does(events in prop::collection::vec(event(), 0..80)) {
        let disk = FakeDisk::default();
        let mut ledger = Ledger::open(&disk.storage(), 1 << 20).unwrap();
        let (mut model, mut now) = (Model::default(), 1000);
        for event in events {
            let time = Time::since_1970(Duration::from_millis(now));
            match event {
                Event::Batch(calls) => {
                    let calls = calls.iter().map(|(n, by, act, length)| {
                        let length = Duration::from_millis(*length);
                        let act = match act {
                            0..4 => Act::Claim(length),
                            4 => Act::Renew(length),
                            5 | 6 => Act::Commit(length),
                            _ => Act::Release,
                        };
                        (*n, *by, act)
                    });
                    let calls: Vec<_> = calls.collect();
                    // Spread over the keys, of which a step looks at 8.
                    let asked = calls.iter().map(|(n, by, act)| {
                        Call { key: [n.wrapping_mul(4); 16], token: token(*by), act: *act }
                    });
                    let ran = ledger.run(&asked.collect::<Vec<_>>(), &[], false, || time).unwrap();
                    for ((n, by, act), answer) in calls.iter().zip(ran.answers) {
                        let expected = model.answer(now, *n, *by, *act);
                        prop_assert_eq!(format!("{answer:?}"), expected, "{:?} of {} by {}", act, n, by);
                    }
                }
                Event::Walk => {
                    ledger.run(&[], &[], true, || time).unwrap();
                }
                Event::Purge => {
                    let mut next = Some([0; 16]);
                    while let Some(from) = next {
                        next = ledger.run(&[], &[from], false, || time).unwrap().purged[0].next;
                    }
                    model.rows.retain(|_, (_, _, until)| *until > now);
                    prop_assert_eq!(ledger.held(), model.rows.len() as u64);
                    prop_assert!(ledger.recent.is_empty());
                }
                Event::Crash => {
                    let (recent, held) = (ledger.recent.clone(), ledger.held());
                    let left = disk.after_power_cut(numbers(now));
                    let opened = Ledger::open(&left.storage(), 1 << 20).unwrap();
                    prop_assert_eq!(&opened.recent, &recent);
                    prop_assert_eq!(opened.held(), held);
                    drop(ledger);
                    ledger = Ledger::open(&disk.storage(), 1 << 20).unwrap();
                    prop_assert_eq!(&ledger.recent, &recent);
                }
                Event::Pass(millis) => now += millis,
            }
        }
    }
}
