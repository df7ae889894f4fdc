//! A receiver whose Redis is killed, cut off, stalled and muted.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use countersign::{RedisStore, dedupe::Store};
use countersign_tests::faults::{Lost, Server, Storm};
use testbed::{Redis, RedisOptions, Then};

struct Kept(Redis);

impl Server for Kept {
    fn address(&self) -> SocketAddr {
        ([127, 0, 0, 1], self.0.port()).into()
    }

    fn kill(&mut self) {
        self.0.kill();
    }

    fn start(&mut self) {
        self.0.restart();
    }

    async fn store(&self, by_way_of: SocketAddr) -> Arc<dyn Store> {
        let store = RedisStore::builder(format!("redis://{by_way_of}")).timeout(Duration::from_secs(1));
        Arc::new(store.connect().await.unwrap())
    }
}

async fn storm() -> Option<Storm<Kept>> {
    let server = Redis::with(RedisOptions { appendonly: true, ..RedisOptions::default() })?;
    Some(Storm::over(Kept(server)).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_all_kinds_lose_nothing_and_repeat_nothing_that_was_committed() {
    let Some(storm) = storm().await else { return };
    storm.rage("redis").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_lost_after_the_server_acted_repeats_nothing() {
    for lost in [Lost::Claim, Lost::Commit] {
        for then in [Then::Cut, Then::Silence] {
            let Some(storm) = storm().await else { return };
            storm.lose(lost, then).await.tell("redis", &format!("{lost:?} unanswered, then {then:?}"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_server_is_silent_no_request_hangs() {
    let Some(storm) = storm().await else { return };
    storm.stand_still().await.tell("redis", "8 s of silence");
}
