//! A receiver whose Postgres is killed, cut off, stalled and muted.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use countersign::{PostgresStore, dedupe::Store};
use countersign_tests::faults::{Lost, Server, Storm};
use testbed::{Postgres, Then};

struct Kept(Postgres);

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
        let url = self.0.url().replace(&self.address().to_string(), &by_way_of.to_string());
        let store = PostgresStore::builder(&url).timeout(Duration::from_secs(1));
        Arc::new(store.connect().await.unwrap())
    }
}

async fn storm() -> Option<Storm<Kept>> {
    Some(Storm::over(Kept(Postgres::start()?)).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_all_kinds_lose_nothing_and_repeat_nothing_that_was_committed() {
    let Some(storm) = storm().await else { return };
    storm.rage("postgres").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_lost_after_the_server_acted_repeats_nothing() {
    for lost in [Lost::Claim, Lost::Commit] {
        for then in [Then::Cut, Then::Silence] {
            let Some(storm) = storm().await else { return };
            storm.lose(lost, then).await.tell("postgres", &format!("{lost:?} unanswered, then {then:?}"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_server_is_silent_no_request_hangs() {
    let Some(storm) = storm().await else { return };
    storm.stand_still().await.tell("postgres", "8 s of silence");
}
