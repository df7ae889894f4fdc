//! `Storm`: a store whose server is killed, cut off, stalled and muted while a receiver works on it.

use std::{
    fs,
    net::SocketAddr,
    path::PathBuf,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use countersign::dedupe::Store;
use tempfile::TempDir;
use testbed::{Proxy, Then};
use tokio::{task::block_in_place, time::sleep};

use super::{Endpoint, Kind, Ledger, Load, Random, Sender, Tally};

/// How often each fault strikes.
const ROUNDS: usize = 4;

/// How many answers are swallowed in a round, one after the other; each other one leaves its connection open.
const SWALLOWED: usize = 8;

/// A server under a store, with data that outlives it.
pub trait Server {
    /// Where it listens.
    fn address(&self) -> SocketAddr;
    /// Kills it as a crash would.
    fn kill(&mut self);
    /// Starts it again over the same data.
    fn start(&mut self);
    /// A store on it, by way of this address.
    fn store(&self, by_way_of: SocketAddr) -> impl Future<Output = Arc<dyn Store>>;
}

/// The answer of the store that never arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    Claim,
    Commit,
}

/// A receiver whose store is reached through a proxy.
pub struct Storm<S> {
    server: S,
    proxy: Proxy,
    store: Arc<dyn Store>,
    folder: TempDir,
    ledger: Arc<Ledger>,
}

impl<S: Server> Storm<S> {
    /// Calm, so far.
    pub async fn over(server: S) -> Self {
        let proxy = Proxy::before(server.address()).await;
        let store = server.store(proxy.address()).await;
        let folder = tempfile::tempdir().unwrap();
        let ledger = Arc::new(Ledger::over(&folder.path().join("effects")));
        Self { server, proxy, store, folder, ledger }
    }

    fn effects(&self) -> PathBuf {
        self.folder.path().join("effects")
    }

    async fn serve(&self, endpoint: Endpoint) -> SocketAddr {
        endpoint.serve(([127, 0, 0, 1], 0).into(), Arc::clone(&self.store)).await
    }

    /// All faults under load, one after the other and all over again. Every request is answered while they last, no
    /// delivery is lost, and none that was committed is run again.
    pub async fn rage(mut self, name: &str) {
        let endpoint = Endpoint::new(&self.effects(), Duration::from_secs(1));
        let load = Load::start(8, self.serve(endpoint).await, &self.ledger);
        let mut random = Random::new();
        for _ in 0..ROUNDS {
            sleep(Duration::from_millis(300)).await;
            block_in_place(|| {
                self.server.kill();
                thread::sleep(random.up_to(Duration::from_millis(400)));
                self.server.start();
            });
            sleep(Duration::from_millis(300)).await;
            self.proxy.cut();
            sleep(random.up_to(Duration::from_millis(400))).await;
            self.proxy.heal();
            sleep(Duration::from_millis(300)).await;
            self.proxy.stall();
            sleep(Duration::from_secs(3)).await;
            self.proxy.heal();
            for number in 0..SWALLOWED {
                sleep(random.up_to(Duration::from_millis(100))).await;
                self.swallow(if number % 2 == 0 { Then::Cut } else { Then::Silence });
                self.all_swallowed().await;
            }
        }
        load.finish().await;
        let tally = self.ledger.tally();
        let swallowed = ROUNDS * SWALLOWED;
        tally.tell(
            name,
            &format!("{ROUNDS} kills, {ROUNDS} cuts, {ROUNDS} stalls, {swallowed} answers swallowed"),
        );
        tally.assert_kept();
        assert_eq!(tally.hung, 0, "{tally:?}");
    }

    /// An answer of the store is lost after the server acted: each delivery has its one effect all the same.
    pub async fn lose(self, lost: Lost, then: Then) -> Tally {
        let work = Duration::from_millis(100);
        let lease = Duration::from_secs(30);
        let endpoint = Endpoint { work, failing: usize::MAX, ..Endpoint::new(&self.effects(), lease) };
        let sender = Sender::new(self.serve(endpoint).await, &self.ledger);
        for kind in [Kind::Retake, Kind::RetentBase] {
            // Opens connections, and prepares what is to be prepared.
            sender.deliver(kind).await;
            let effects = self.length_of_effects();
            let strike = async {
                while lost == Lost::Commit && self.length_of_effects() == effects {
                    sleep(Duration::from_millis(2)).await;
                }
                self.swallow(then);
            };
            let delivery = match lost {
                Lost::Claim => {
                    strike.await;
                    sender.deliver(kind).await
                }
                Lost::Commit => tokio::join!(sender.deliver(kind), strike).0,
            };
            assert_eq!(self.proxy.to_be_dropped(), 0, "{lost:?}, {then:?}, {kind:?}");
            sender.copy(&delivery).await;
        }
        let tally = self.ledger.tally();
        tally.assert_kept();
        assert_eq!(
            (tally.effects, tally.uncommitted, tally.hung),
            (tally.sent, 0, 0),
            "{lost:?}, {then:?}: {tally:?}"
        );
        tally
    }

    /// While the server is silent, every request is refused long before a sender hangs up; then all are taken.
    pub async fn stand_still(self) -> Tally {
        let endpoint = Endpoint::new(&self.effects(), Duration::from_secs(30));
        let sender = Sender::new(self.serve(endpoint).await, &self.ledger);
        for kind in [Kind::Retake, Kind::RetentBase] {
            sender.deliver(kind).await;
        }
        let calm = self.ledger.tally();
        self.proxy.stall();
        let load = Load::start(16, sender.to(), &self.ledger);
        sleep(Duration::from_secs(8)).await;
        let stalled = self.ledger.tally();
        self.proxy.heal();
        load.finish().await;
        assert_eq!((stalled.effects, stalled.hung), (calm.effects, 0), "{stalled:?}");
        assert!(stalled.refused - calm.refused >= 16, "{stalled:?}");
        self.ledger.tally().assert_kept();
        stalled
    }

    fn length_of_effects(&self) -> u64 {
        fs::metadata(self.effects()).unwrap().len()
    }

    fn swallow(&self, then: Then) {
        self.proxy.drop_next_answer(1, then);
    }

    async fn all_swallowed(&self) {
        let started = Instant::now();
        while self.proxy.to_be_dropped() > 0 {
            assert!(started.elapsed() < Duration::from_secs(10), "nothing came to be swallowed");
            sleep(Duration::from_millis(2)).await;
        }
    }
}
