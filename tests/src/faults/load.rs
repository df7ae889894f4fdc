//! `Load`: senders of genuine deliveries, who try each until it is taken and then send it again.

use std::{
    hash::{BuildHasher, RandomState},
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use countersign::{SignedHeaders, Timestamp};
use reqwest::{Client, StatusCode, header::HeaderMap};
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{Kind, Ledger, endpoint::OUTCOME, ledger::Try};

/// Providers wait for 5 to 6 s.
const PATIENCE: Duration = Duration::from_secs(6);

/// Providers wait for minutes and hours.
const PAUSE: Duration = Duration::from_millis(25);

/// How long a sender has nothing to send, at most.
const IDLE: Duration = Duration::from_millis(20);

/// Senders at work.
#[derive(Debug)]
pub struct Load {
    senders: JoinSet<()>,
    stopped: Arc<AtomicBool>,
}

/// One who sends deliveries and writes down what became of them.
#[derive(Clone, Debug)]
pub struct Sender {
    client: Client,
    receivers: Arc<[SocketAddr]>,
    ledger: Arc<Ledger>,
}

/// A delivery that was sent, and what was signed at its first try.
#[derive(Debug)]
pub struct Delivery {
    number: usize,
    name: String,
    kind: Kind,
    first: (String, SignedHeaders),
}

impl Load {
    /// So many senders, each of which sends one new delivery after the other, and copies of earlier ones.
    pub fn start(senders: usize, receivers: &[SocketAddr], ledger: &Arc<Ledger>) -> Self {
        let stopped = Arc::new(AtomicBool::new(false));
        let sender = Sender::new(receivers, ledger);
        let each = |_| sender.clone().run(Arc::clone(&stopped));
        Self { senders: (0..senders).map(each).collect(), stopped }
    }

    /// Has what was begun taken, then sends a copy of every delivery that was ever sent.
    pub async fn finish(self) {
        self.stopped.store(true, Ordering::SeqCst);
        self.senders.join_all().await;
    }
}

impl Sender {
    /// A sender to any one of these receivers, as a balancer would choose.
    pub fn new(receivers: &[SocketAddr], ledger: &Arc<Ledger>) -> Self {
        let client = Client::builder().no_proxy().build().unwrap();
        Self { client, receivers: receivers.into(), ledger: Arc::clone(ledger) }
    }

    /// Tries a new delivery until it is taken, signed anew at each try.
    pub async fn deliver(&self, kind: Kind) -> Delivery {
        let delivery = self.open(kind);
        self.send(&delivery, || delivery.signed_now()).await;
        delivery
    }

    /// Sends a delivery that was taken before, until it is taken again: the same bytes, or signed anew under another id.
    pub async fn copy(&self, delivery: &Delivery) {
        let Delivery { number, name, kind, first } = delivery;
        match number % 2 {
            0 => self.send(delivery, || first.clone()).await,
            _ => self.send(delivery, || kind.sign(name, &format!("{name}-again"), now())).await,
        }
    }

    async fn run(self, stopped: Arc<AtomicBool>) {
        let mut random = Random::new();
        let mut deliveries = Vec::<Delivery>::new();
        while !stopped.load(Ordering::SeqCst) {
            let kind = if random.one_in(2) { Kind::Retake } else { Kind::RetentBase };
            let delivery = self.open(kind);
            let send = || self.send(&delivery, || delivery.signed_now());
            // Some arrive twice at the same time.
            match random.one_in(8) {
                true => drop(tokio::join!(send(), send())),
                false => send().await,
            }
            deliveries.push(delivery);
            sleep(random.up_to(IDLE)).await;
            if random.one_in(2) {
                self.copy(&deliveries[random.below(deliveries.len())]).await;
            }
        }
        for delivery in &deliveries {
            self.copy(delivery).await;
        }
    }

    fn open(&self, kind: Kind) -> Delivery {
        let (number, name) = self.ledger.open(kind.path().trim_start_matches('/'));
        Delivery { number, first: kind.sign(&name, &name, now()), name, kind }
    }

    async fn send(&self, delivery: &Delivery, sign: impl Fn() -> (String, SignedHeaders)) {
        loop {
            let started = Instant::now();
            let became = timeout(PATIENCE, self.request(delivery.kind, sign())).await.unwrap_or(Try::Hung);
            if self.ledger.tried(delivery.number, became, started.elapsed()) {
                return;
            }
            sleep(PAUSE).await;
        }
    }

    async fn request(&self, kind: Kind, (body, headers): (String, SignedHeaders)) -> Try {
        let receiver = self.receivers[Random::new().below(self.receivers.len())];
        let url = format!("http://{receiver}{}", kind.path());
        let request = self.client.post(url).headers(HeaderMap::from(headers)).body(body);
        let Ok(response) = request.send().await else { return Try::Unheard };
        let outcome = response.headers().get(OUTCOME).map(|outcome| outcome.to_str().unwrap().to_owned());
        match (response.status(), outcome.as_deref()) {
            (StatusCode::OK, Some("processed")) => Try::Processed,
            (StatusCode::OK, Some("uncommitted")) => Try::Uncommitted,
            (StatusCode::OK, Some("duplicate")) => Try::Duplicate,
            (status, Some("in_flight" | "store_failed" | "failed")) if status == 503 => Try::Refused,
            other => panic!("a genuine delivery was answered {other:?}"),
        }
    }
}

impl Delivery {
    fn signed_now(&self) -> (String, SignedHeaders) {
        self.kind.sign(&self.name, &self.name, now())
    }
}

fn now() -> Timestamp {
    SystemTime::now().into()
}

/// Random numbers, good enough for moments and choices (SplitMix64).
#[derive(Debug)]
pub struct Random(u64);

impl Default for Random {
    fn default() -> Self {
        Self::new()
    }
}

impl Random {
    /// From a seed that differs each time.
    pub fn new() -> Self {
        Self(RandomState::new().hash_one(0))
    }

    /// A number below this one.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % end as u64) as usize
    }

    /// Whether one in so many comes true.
    pub fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    /// A time up to this one, in steps of a microsecond.
    pub fn up_to(&mut self, longest: Duration) -> Duration {
        Duration::from_micros(self.below(longest.as_micros() as usize + 1) as u64)
    }
}
