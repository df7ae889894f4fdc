//! The power cut between any two steps of the disk: what was answered is there, and what was not is there as a whole or not.

use super::*;
use crate::embedded::{
    entry::{Act, Entry, Short, Time},
    ledger::{Call, Ledger},
};

/// The last of them tells whether the last batch was done: it is claimed and released in turn.
const KEYS: u64 = 80;
const LAST: u64 = KEYS - 1;
const SEEDS: u64 = 6;

/// Every key's entry, by its number.
type Entries = Vec<Option<Entry>>;

fn short(n: u64) -> Short {
    [(n * 3) as u8; 16]
}

fn at(millis: u64) -> Time {
    Time::since_1970(Duration::from_millis(millis))
}

fn decided(entries: &mut Entries, calls: &[(u64, Call)], now: u64) -> Vec<String> {
    let decide = |(n, call): &(u64, Call)| {
        let entry = &mut entries[*n as usize];
        let (answer, change) = Entry::decide(*entry, call.act, call.token, at(now));
        if change.is_some() {
            *entry = change.filter(|after| !after.is_gone());
        }
        format!("{answer:?}")
    };
    calls.iter().map(decide).collect()
}

fn calls(random: &mut impl FnMut() -> u64) -> Vec<(u64, Call)> {
    // Now and then everything is released, so that there are few keys again.
    let releases = random().is_multiple_of(6);
    let count = 1 + random() % 40;
    let call = |_| {
        let (n, length) = (random() % LAST, Duration::from_millis(1 + random() % 400));
        let act = match random() % 8 {
            _ if releases => Act::Release,
            0..4 => Act::Claim(length),
            4 => Act::Renew(length),
            5 | 6 => Act::Commit(length * 4),
            _ => Act::Release,
        };
        (n, Call { key: short(n), token: token(1 + random() % 2), act })
    };
    (0..count).map(call).collect()
}

/// What a stranger's claim of each key is answered, and how many are held once what has expired is removed.
fn seen(disk: &FakeDisk, now: u64) -> (Vec<String>, u64) {
    let copy = disk.after_power_cut(|| 1);
    let mut ledger = Ledger::open(&copy.storage(), 1 << 20).unwrap();
    let mut next = Some(Short::default());
    while let Some(from) = next {
        next = ledger.run(&[], &[from], false, || at(now)).unwrap().purged[0].next;
    }
    let held = ledger.held();
    let claims = (0..KEYS).map(|n| Call { key: short(n), token: token(9), act: Act::Claim(LEASE) });
    let ran = ledger.run(&claims.collect::<Vec<_>>(), &[], false, || at(now)).unwrap();
    (ran.answers.iter().map(|answer| format!("{answer:?}")).collect(), held)
}

fn expected(entries: &Entries, now: u64) -> (Vec<String>, u64) {
    let live = entries.iter().flatten().filter(|entry| entry.until() > now).count();
    let claims = (0..KEYS).map(|n| (n, Call { key: short(n), token: token(9), act: Act::Claim(LEASE) }));
    (decided(&mut entries.clone(), &claims.collect::<Vec<_>>(), now), live as u64)
}

#[test]
fn a_power_cut_at_any_step_leaves_a_call_done_or_not_done() {
    let mut cuts = [0_u32; 3];
    for seed in 1..=SEEDS {
        let mut random = numbers(seed);
        let (mut disk, mut entries, mut now) = (FakeDisk::default(), vec![None; KEYS as usize], 1000);
        let mut ledger = None;
        for _ in 0..60 {
            let opened = ledger.take().map_or_else(|| Ledger::open(&disk.storage(), 1 << 20), Ok);
            let mut open = opened.unwrap();
            for _ in 0..random() % 12 {
                now += random() % 60;
                let calls = calls(&mut random);
                let asked: Vec<_> = calls.iter().map(|(_, call)| *call).collect();
                let ran = open.run(&asked, &[], random().is_multiple_of(3), || at(now)).unwrap();
                let answers: Vec<_> = ran.answers.iter().map(|answer| format!("{answer:?}")).collect();
                assert_eq!(answers, decided(&mut entries, &calls, now), "seed {seed}");
            }
            // The power fails somewhere in these, in the closing of the file, or after it.
            disk.fail_after(random() % 24);
            let mut calls = calls(&mut random);
            let act = if entries[LAST as usize].is_none() { Act::Claim(DAY) } else { Act::Release };
            calls.push((LAST, Call { key: short(LAST), token: token(1), act }));
            let asked: Vec<_> = calls.iter().map(|(_, call)| *call).collect();
            let mut after = entries.clone();
            decided(&mut after, &calls, now);
            let ran = open.run(&asked, &[], true, || at(now));
            let is_closed = random().is_multiple_of(2).then(|| drop(open)).is_some();
            disk = disk.after_power_cut(&mut random);
            if is_closed && random().is_multiple_of(2) {
                // Again, while it is opened.
                disk.fail_after(random() % 8);
                drop(Ledger::open(&disk.storage(), 1 << 20));
                disk = disk.after_power_cut(&mut random);
            }
            let found = seen(&disk, now);
            if ran.is_ok() || found.0[LAST as usize] == expected(&after, now).0[LAST as usize] {
                cuts[usize::from(ran.is_ok())] += 1;
                entries = after;
            } else {
                cuts[2] += 1;
            }
            assert_eq!(found, expected(&entries, now), "seed {seed}");
        }
    }
    assert!(cuts.iter().all(|count| *count > 5), "{cuts:?}");
}
