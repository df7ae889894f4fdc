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

/// What happens to a server, or on the way to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is killed, and starts again over its data.
    Kill,
    /// Connections are reset, and refused for a while.
    Cut,
    /// Nothing comes through, for longer than a store waits.
    Stall,
    /// An answer never arrives although the server has acted.
    Swallow(Then),
}

impl Fault {
    /// Every fault, the swift ones several times.
    pub const ALL: &[Self] = &[
        Self::Kill,
        Self::Swallow(Then::Cut),
        Self::Swallow(Then::Silence),
        Self::Kill,
        Self::Cut,
        Self::Swallow(Then::Cut),
        Self::Kill,
        Self::Stall,
        Self::Swallow(Then::Silence),
        Self::Cut,
        Self::Swallow(Then::Cut),
    ];
}

/// The answer of the store that never arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    Claim,
    Commit,
}

/// Two receivers, each with a store of its own, which reach their server through one proxy.
pub struct Storm<S> {
    server: S,
    proxy: Proxy,
    stores: [Arc<dyn Store>; 2],
    folder: TempDir,
    ledger: Arc<Ledger>,
}

impl<S: Server> Storm<S> {
    /// Calm, so far.
    pub async fn over(server: S) -> Self {
        let proxy = Proxy::before(server.address()).await;
        let stores = [server.store(proxy.address()).await, server.store(proxy.address()).await];
        let folder = tempfile::tempdir().unwrap();
        let ledger = Arc::new(Ledger::over(&folder.path().join("effects")));
        Self { server, proxy, stores, folder, ledger }
    }

    fn effects(&self) -> PathBuf {
        self.folder.path().join("effects")
    }

    async fn serve(&self, endpoint: impl Fn() -> Endpoint) -> Vec<SocketAddr> {
        let mut receivers = Vec::new();
        for store in &self.stores {
            receivers.push(endpoint().serve(([127, 0, 0, 1], 0).into(), Arc::clone(store)).await);
        }
        receivers
    }

    /// These faults under load, one after the other, and all over again.
    pub async fn rage(mut self, rounds: usize, faults: &[Fault]) -> Tally {
        let endpoint = || Endpoint::new(&self.effects(), Duration::from_secs(1));
        let load = Load::start(8, &self.serve(endpoint).await, &self.ledger);
        let mut random = Random::new();
        for fault in faults.iter().cycle().take(rounds * faults.len()) {
            // Long enough for some to be taken, and to strike in the midst of others.
            sleep(Duration::from_millis(250) + random.up_to(Duration::from_millis(50))).await;
            let moment = random.up_to(Duration::from_millis(400));
            match *fault {
                Fault::Kill => block_in_place(|| {
                    self.server.kill();
                    thread::sleep(moment);
                    self.server.start();
                }),
                Fault::Cut => {
                    self.proxy.cut();
                    sleep(moment).await;
                }
                Fault::Stall => {
                    self.proxy.stall();
                    sleep(Duration::from_secs(3)).await;
                }
                Fault::Swallow(then) => {
                    self.proxy.drop_next_answer(1, then);
                    self.swallowed().await;
                }
            }
            self.proxy.heal();
        }
        load.finish().await;
        self.ledger.tally()
    }

    /// An answer of the store is lost after the server acted: each delivery has its one effect all the same.
    pub async fn lose(self, lost: Lost, then: Then) -> Tally {
        let work = Duration::from_millis(100);
        let lease = Duration::from_secs(30);
        let endpoint = || Endpoint { work, failing: usize::MAX, ..Endpoint::new(&self.effects(), lease) };
        let sender = Sender::new(&self.serve(endpoint).await[..1], &self.ledger);
        for kind in [Kind::Retake, Kind::RetentBase] {
            // Opens connections, and prepares what is to be prepared.
            sender.deliver(kind).await;
            let effects = self.length_of_effects();
            let strike = async {
                while lost == Lost::Commit && self.length_of_effects() == effects {
                    sleep(Duration::from_millis(2)).await;
                }
                self.proxy.drop_next_answer(1, then);
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
        let receivers = self.serve(|| Endpoint::new(&self.effects(), Duration::from_secs(30))).await;
        let sender = Sender::new(&receivers, &self.ledger);
        for kind in [Kind::Retake, Kind::RetentBase] {
            sender.deliver(kind).await;
        }
        let calm = self.ledger.tally();
        self.proxy.stall();
        let load = Load::start(16, &receivers, &self.ledger);
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

    async fn swallowed(&self) {
        let started = Instant::now();
        while self.proxy.to_be_dropped() > 0 {
            assert!(started.elapsed() < Duration::from_secs(10), "nothing came to be swallowed");
            sleep(Duration::from_millis(2)).await;
        }
    }
}
