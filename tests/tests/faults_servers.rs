//! A receiver whose store's server is killed, cut off, stalled and muted.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use countersign::{
    Outcome, PostgresStore, Receiver, RedisStore, Secret, Signer, Timestamp, TokioRuntime, dedupe::Store,
    provider::Retake,
};
use countersign_tests::faults::{Fault, Lost, Server, Storm};
use testbed::{Postgres, Redis, RedisOptions, Then};

const TIMEOUT: Duration = Duration::from_secs(1);

/// How often each fault strikes, and strikes again.
const ROUNDS: usize = 4;

/// What struck, in words.
fn told(faults: &[Fault]) -> String {
    let count = |is: fn(&&Fault) -> bool| ROUNDS * faults.iter().filter(is).count();
    format!(
        "{} kills, {} cuts, {} stalls, {} answers swallowed",
        count(|fault| **fault == Fault::Kill),
        count(|fault| **fault == Fault::Cut),
        count(|fault| **fault == Fault::Stall),
        count(|fault| matches!(fault, Fault::Swallow(_)))
    )
}

struct OfRedis(Redis);

impl Server for OfRedis {
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
        let store = RedisStore::builder(format!("redis://{by_way_of}")).timeout(TIMEOUT);
        Arc::new(store.connect().await.unwrap())
    }
}

struct OfPostgres(Postgres);

impl Server for OfPostgres {
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
        Arc::new(PostgresStore::builder(&url).timeout(TIMEOUT).connect().await.unwrap())
    }
}

macro_rules! faults {
    ($name:ident, $server:expr) => {
        mod $name {
            use super::*;

            const NAME: &str = stringify!($name);

            #[tokio::test(flavor = "multi_thread")]
            async fn faults_of_all_kinds_lose_nothing_and_repeat_nothing_that_was_committed() {
                let Some(server) = $server else { return };
                let tally = Storm::over(server).await.rage(ROUNDS, Fault::ALL).await;
                tally.tell(NAME, &told(Fault::ALL));
                tally.assert_kept();
                assert_eq!(tally.hung, 0, "{tally:?}");
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn an_answer_that_is_lost_after_the_server_acted_repeats_nothing() {
                for lost in [Lost::Claim, Lost::Commit] {
                    for then in [Then::Cut, Then::Silence] {
                        let Some(server) = $server else { return };
                        let tally = Storm::over(server).await.lose(lost, then).await;
                        tally.tell(NAME, &format!("{lost:?} unanswered, then {then:?}"));
                    }
                }
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn while_the_server_is_silent_no_request_hangs() {
                let Some(server) = $server else { return };
                Storm::over(server).await.stand_still().await.tell(NAME, "8 s of silence");
            }
        }
    };
}

faults!(redis, Redis::with(RedisOptions { appendonly: true, ..RedisOptions::default() }).map(OfRedis));
faults!(postgres, Postgres::start().map(OfPostgres));

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_forgets_is_caught() {
    let Some(server) = Redis::start().map(OfRedis) else { return };
    let tally = Storm::over(server).await.rage(ROUNDS, &[Fault::Kill]).await;
    tally.tell("redis that keeps nothing on disk", &told(&[Fault::Kill]));
    assert_eq!(tally.lost, 0, "{tally:?}");
    assert!(tally.run_again > 0, "{tally:?}");
}

/// A store's server is switched off: the sender gets a 503, the log what the store came to, and nobody the password.
async fn switched_off(store: impl Store, switch_off: impl FnOnce()) -> String {
    let secret = Secret::new("a secret of tests").unwrap();
    let receiver = Receiver::<Retake>::builder(&secret).store(store).build().unwrap();
    let now = Timestamp::from_unix_seconds(1_705_689_600);
    let headers = Signer::<Retake>::new(&secret).sign("{}", now).unwrap();
    switch_off();
    let handler = async |_| -> Result<(), String> { panic!("it was not claimed") };
    let answer = receiver.handle(&headers, "{}", now, TokioRuntime, handler).await;
    assert_eq!(answer.status(), 503, "{answer:?}");
    assert!(matches!(answer.outcome(), Outcome::StoreFailed(_)), "{answer:?}");
    assert!(!format!("{answer:?} {receiver:?}").contains("0pen"), "{answer:?}");
    answer.reason().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_is_switched_off_is_a_503_with_its_reason_and_without_its_password() {
    let with_password = RedisOptions { password: Some("0pen"), ..RedisOptions::default() };
    let Some(mut redis) = Redis::with(with_password) else { return };
    let store = RedisStore::connect(redis.url()).await.unwrap();
    let reason = switched_off(store, || redis.kill()).await;
    assert!(reason.starts_with("the store is unavailable: "), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_that_is_switched_off_is_a_503_with_its_reason_and_without_its_password() {
    let Some(mut postgres) = Postgres::options().password("0pen").start() else { return };
    let url = postgres.url().replace("postgres@", "postgres:0pen@");
    let store = PostgresStore::connect(&url).await.unwrap();
    // The pool may try to connect until the time is over, and not say what hindered it.
    let reason = switched_off(store, || postgres.kill()).await;
    assert!(reason.starts_with("the store "), "{reason}");
}
