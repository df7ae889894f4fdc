//! What the `metrics` facade is told.

use std::{collections::BTreeMap, time::Duration};

use countersign::{
    Clock as _, Description, MemoryStore, Receiver, Secret, Signer, SystemClock, TokioRuntime,
    provider::{Custom, Handshake, QueryHandshake, RetentBase},
    scheme::Scheme,
};
use countersign_tests::told::{Call, Fault, Told};
use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use tokio::time::sleep;

// One test: the recorder is the process's.
#[tokio::test]
async fn deliveries_durations_errors_renewals_and_keys_are_told() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    recorder.install().unwrap();

    let secret = Secret::new("a secret").unwrap();
    let told = |call, _: &_| if call == Call::Release { Fault::Fails } else { Fault::None };
    let receiver = Receiver::<RetentBase>::builder(&secret)
        .store(Told::new(MemoryStore::new(10), told))
        .lease(Duration::from_millis(150))
        .build()
        .unwrap();
    let now = SystemClock.now();
    let hangs = Receiver::<RetentBase>::builder(&secret)
        .store(Told::new(MemoryStore::new(10), |_, _: &_| Fault::Hangs))
        .store_timeout(Duration::from_millis(20))
        .build()
        .unwrap();
    let headers = Signer::<RetentBase>::new(&secret).id("4").kind("test").sign("{}", now).unwrap();
    hangs.handle(&headers, "{}", now, TokioRuntime, async |_| Ok::<_, &str>(())).await;
    for (id, body, works) in [("1", "{}", true), ("1", "{}", true), ("2", "[]", true), ("3", "{ }", false)] {
        let headers =
            Signer::<RetentBase>::new(&secret).id(id).event_id(id).kind("test").sign(body, now).unwrap();
        let handler = async |_| {
            sleep(Duration::from_millis(80)).await;
            if works { Ok(()) } else { Err("out of paper") }
        };
        receiver.handle(&headers, body, now, TokioRuntime, handler).await;
    }
    receiver.handle::<[(&str, &str)], _, _, _, &str>(&[], "{}", now, TokioRuntime, async |_| Ok(())).await;
    let query = Handshake::Query(QueryHandshake::echo("challenge"));
    let asking = Description::new("asking", [Scheme::hmac_sha256("x-sig")]).handshake(query);
    let asking = Receiver::<Custom>::custom(asking, &secret).store(MemoryStore::new(1)).build().unwrap();
    for query in ["challenge=abc123", "challenge=abc124", "challenge="] {
        asking.handshake(query);
    }

    let mut found = BTreeMap::new();
    for (key, _, _, value) in snapshotter.snapshot().into_vec() {
        let labels: Vec<_> = key.key().labels().map(|l| format!("{}={}", l.key(), l.value())).collect();
        let value = match value {
            DebugValue::Counter(count) => count as f64,
            DebugValue::Gauge(gauge) => *gauge,
            DebugValue::Histogram(seconds) => {
                assert!(seconds.iter().all(|seconds| **seconds < 10.0), "in seconds");
                seconds.len() as f64
            }
        };
        found.insert(format!("{} {}", key.key().name(), labels.join(" ")), value);
    }
    let renewals = found.remove("countersign_renewals_total provider=retentbase").unwrap();
    assert!(
        renewals >= 6.0,
        "each of three handlers outlives a third of its lease, with three keys each: {renewals}"
    );
    let expected = [
        ("countersign_claim_duration_seconds provider=retentbase", 5.0),
        ("countersign_deliveries_total provider=asking outcome=handshake", 2.0),
        ("countersign_deliveries_total provider=asking outcome=refused", 1.0),
        ("countersign_deliveries_total provider=retentbase outcome=duplicate", 1.0),
        ("countersign_deliveries_total provider=retentbase outcome=failed", 1.0),
        ("countersign_deliveries_total provider=retentbase outcome=processed", 2.0),
        ("countersign_deliveries_total provider=retentbase outcome=refused", 1.0),
        ("countersign_deliveries_total provider=retentbase outcome=store_failed", 1.0),
        ("countersign_handler_duration_seconds provider=retentbase", 3.0),
        ("countersign_keys_held provider=retentbase", 9.0),
        ("countersign_store_errors_total provider=retentbase operation=claim error=timed_out", 1.0),
        ("countersign_store_errors_total provider=retentbase operation=release error=timed_out", 1.0),
        ("countersign_store_errors_total provider=retentbase operation=release error=unavailable", 3.0),
    ];
    assert_eq!(found, expected.map(|(name, value)| (name.to_owned(), value)).into());
}
