//! Keys that differ are different.

use super::{
    Harness, Verdict,
    probe::{
        Expected::{Claimed, Committed, Done, InFlight},
        Probe, When, token,
    },
};
use crate::dedupe::{BoxFuture, Key};

/// So many that keys cut to 20 bits, or at their first zero byte, could not stay apart.
const MANY: usize = 4096;

/// Keys that differ only in provider, in endpoint, in one character of a non-ASCII or a 4 KiB id, or in where one part
/// ends stay apart, and so do several thousand others.
pub fn keys_stay_apart(harness: &dyn Harness) -> BoxFuture<'_, Verdict> {
    Box::pin(async move {
        let probe = Probe::new(harness, "keys_stay_apart");
        let run = harness.run_id();
        let long_id = format!("{run}{}", "i".repeat(4096));
        let longer_id = format!("{long_id}i");
        let named = [
            ("plain", Key::new("conformance", run, ["a", "bc"])),
            ("another part boundary", Key::new("conformance", run, ["ab", "c"])),
            ("one part", Key::new("conformance", run, ["abc"])),
            ("an empty part", Key::new("conformance", run, ["abc", ""])),
            ("no part", Key::new::<str>("conformance", run, [])),
            ("another provider", Key::new("conformance2", run, ["a", "bc"])),
            ("another endpoint", Key::new("conformance", &format!("{run}/2"), ["a", "bc"])),
            ("the endpoint as a part", Key::new("conformance", "", [run, "a", "bc"])),
            ("composed", Key::new("conformance", run, ["\u{e9}"])),
            ("decomposed", Key::new("conformance", run, ["e\u{301}"])),
            ("beyond the basic plane", Key::new("conformance", run, ["\u{1f511}"])),
            ("not UTF-8", Key::new("conformance", run, [b"\xff\x00\xfe"])),
            ("another case", Key::new("conformance", run, ["A", "BC"])),
            ("4 KiB", Key::new("conformance", run, [&long_id])),
            ("4 KiB and one", Key::new("conformance", run, [&longer_id])),
        ];
        let (ours, other) = (token(), token());
        for (name, key) in &named {
            probe.claim(key, ours, probe.long, Claimed).await.when(format_args!("the key with {name}"))?;
            probe.commit(key, ours, probe.long, Done).await.when(format_args!("the key with {name}"))?;
        }
        for (name, key) in &named {
            probe.claim(key, other, probe.long, Committed).await.when(format_args!("the key with {name}"))?;
        }
        let moment = |n| format!("of {MANY} keys that are all different, number {n}");
        for n in 0..MANY {
            // Another token each time: the same one would be let in again.
            probe.claim(&probe.key(n), token(), probe.long, Claimed).await.when(moment(n))?;
        }
        for n in 0..MANY {
            probe.claim(&probe.key(n), other, probe.long, InFlight).await.when(moment(n))?;
        }
        Ok(())
    })
}
