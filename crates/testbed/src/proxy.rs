//! `Proxy`: stands between a client and a server; cuts, stalls, delays, and swallows answers.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    sync::watch,
    task::JoinHandle,
    time::sleep,
};

/// A TCP proxy on a port of its own. What it is told holds at once, for connections that are open and for new ones.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    listening: JoinHandle<()>,
}

/// What becomes of a connection whose answer was swallowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// It is reset.
    Cut,
    /// It stays open, and no answer ever comes from it again.
    Silence,
}

#[derive(Debug)]
struct Shared {
    rules: watch::Sender<Rules>,
    swallow: Mutex<(usize, Then)>,
}

#[derive(Clone, Copy, Debug)]
struct Rules {
    mode: Mode,
    latency: Duration,
    /// How often all was cut: a connection that is older than the last time is reset, even when all is healed since.
    cuts: u64,
    /// How often all was abandoned: a connection that is older than the last time forwards nothing any more.
    abandonments: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Pass,
    Stall,
    Cut,
}

impl Proxy {
    /// A proxy before the server at this address, which need not be there yet.
    pub async fn before(server: SocketAddr) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], crate::free_port()));
        let listener = TcpListener::bind(address).await.unwrap();
        let rules = Rules { mode: Mode::Pass, latency: Duration::ZERO, cuts: 0, abandonments: 0 };
        let shared = Shared { rules: watch::Sender::new(rules), swallow: Mutex::new((0, Then::Cut)) };
        let shared = Arc::new(shared);
        let listening = tokio::spawn(listen(listener, address, server, Arc::clone(&shared)));
        Self { address, shared, listening }
    }

    /// Where clients connect to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Forwards again. What was stalled arrives now, late.
    pub fn pass(&self) {
        self.shared.rules.send_modify(|rules| rules.mode = Mode::Pass);
    }

    /// Resets every connection and refuses new ones, until it is to pass again.
    pub fn cut(&self) {
        self.shared.rules.send_modify(|rules| (rules.mode, rules.cuts) = (Mode::Cut, rules.cuts + 1));
    }

    /// Takes connections and bytes and forwards none, in neither direction, until it is to pass again.
    pub fn stall(&self) {
        self.shared.rules.send_modify(|rules| rules.mode = Mode::Stall);
    }

    /// Leaves every open connection open for good, and swallows what is sent on it; new ones are forwarded.
    pub fn abandon(&self) {
        self.shared.rules.send_modify(|rules| rules.abandonments += 1);
    }

    /// Forwards each chunk this much later.
    pub fn delay(&self, latency: Duration) {
        self.shared.rules.send_modify(|rules| rules.latency = latency);
    }

    /// Swallows the next `count` chunks from the server: it has acted, and the client is never told. A connection that
    /// lost an answer gets no later one either.
    pub fn drop_next_answer(&self, count: usize, then: Then) {
        *self.shared.swallow.lock().unwrap() = (count, then);
    }

    /// How many chunks are still to be swallowed.
    pub fn to_be_dropped(&self) -> usize {
        self.shared.swallow.lock().unwrap().0
    }

    /// Forwards everything from now on, without delay.
    pub fn heal(&self) {
        self.drop_next_answer(0, Then::Cut);
        self.delay(Duration::ZERO);
        self.pass();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.cut();
        self.listening.abort();
    }
}

impl Shared {
    fn swallows(&self) -> Option<Then> {
        let (left, then) = &mut *self.swallow.lock().unwrap();
        *left = left.checked_sub(1)?;
        Some(*then)
    }
}

async fn listen(mut listener: TcpListener, address: SocketAddr, server: SocketAddr, shared: Arc<Shared>) {
    let mut rules = shared.rules.subscribe();
    loop {
        let cut = async { rules.wait_for(|rules| rules.mode == Mode::Cut).await.map(drop) };
        tokio::select! {
            biased;
            _ = cut => {
                drop(listener);
                let _ = rules.wait_for(|rules| rules.mode != Mode::Cut).await;
                listener = TcpListener::bind(address).await.unwrap();
            }
            accepted = listener.accept() => {
                let (client, _) = accepted.unwrap();
                tokio::spawn(connect(client, server, Arc::clone(&shared)));
            }
        }
    }
}

/// Forwards between a client and the server until both are done; a connection that ends in any other way is reset.
async fn connect(mut client: TcpStream, server: SocketAddr, shared: Arc<Shared>) {
    let mut rules = shared.rules.subscribe();
    let Rules { cuts, abandonments, .. } = *rules.borrow();
    let forward = async {
        // The client of a stalled connection must not learn that there is no server.
        forwarding(&mut shared.rules.subscribe()).await;
        let mut server = TcpStream::connect(server).await?;
        server.set_nodelay(true)?;
        client.set_nodelay(true)?;
        let done = {
            let ((from_client, to_client), (from_server, to_server)) = (client.split(), server.split());
            tokio::try_join!(
                pump(from_client, to_server, &shared, |_| None),
                pump(from_server, to_client, &shared, Shared::swallows),
            )
        };
        if done.is_err() {
            let _ = server.set_zero_linger();
        }
        done.map(drop)
    };
    let mut abandonment = rules.clone();
    let abandoned =
        async { abandonment.wait_for(|rules| rules.abandonments != abandonments).await.map(drop) };
    let forward = async {
        tokio::select! {
            biased;
            _ = abandoned => std::future::pending().await,
            done = forward => done,
        }
    };
    let done = tokio::select! {
        biased;
        _ = rules.wait_for(|rules| rules.cuts != cuts) => Err(io::ErrorKind::ConnectionReset.into()),
        done = forward => done,
    };
    if done.is_err() {
        let _ = client.set_zero_linger();
    }
}

async fn pump(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    shared: &Shared,
    swallows: impl Fn(&Shared) -> Option<Then>,
) -> io::Result<()> {
    let mut rules = shared.rules.subscribe();
    let mut chunk = vec![0; 64 << 10];
    let mut silent = false;
    loop {
        let length = from.read(&mut chunk).await?;
        let latency = forwarding(&mut rules).await;
        if !latency.is_zero() {
            sleep(latency).await;
            forwarding(&mut rules).await;
        }
        match length {
            0 => return to.shutdown().await,
            _ if silent => {}
            _ => match swallows(shared) {
                Some(Then::Cut) => return Err(io::ErrorKind::ConnectionReset.into()),
                Some(Then::Silence) => silent = true,
                None => to.write_all(&chunk[..length]).await?,
            },
        }
    }
}

/// Waits until chunks are forwarded; how much later each.
async fn forwarding(rules: &mut watch::Receiver<Rules>) -> Duration {
    rules.wait_for(|rules| rules.mode == Mode::Pass).await.map_or(Duration::ZERO, |rules| rules.latency)
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        time::Instant,
    };

    use tokio::time::timeout;

    use super::*;

    const SOON: Duration = Duration::from_millis(150);

    /// A server that answers each byte with the number of bytes that it has had so far, and a proxy before it.
    async fn counting() -> (Proxy, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Proxy::before(listener.local_addr().unwrap()).await;
        let count = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&count);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let counted = Arc::clone(&counted);
                tokio::spawn(async move {
                    while stream.read_u8().await.is_ok() {
                        let number = counted.fetch_add(1, Ordering::SeqCst) + 1;
                        let _ = stream.write_u8(number as u8).await;
                    }
                });
            }
        });
        (proxy, count)
    }

    async fn client(proxy: &Proxy) -> TcpStream {
        TcpStream::connect(proxy.address()).await.unwrap()
    }

    async fn ask(stream: &mut TcpStream) -> io::Result<u8> {
        stream.write_u8(1).await?;
        stream.read_u8().await
    }

    #[tokio::test]
    async fn what_is_abandoned_stays_silent_beside_new_connections() {
        let (proxy, _) = counting().await;
        let mut old = client(&proxy).await;
        assert_eq!(ask(&mut old).await.unwrap(), 1);
        proxy.abandon();
        assert!(timeout(SOON, ask(&mut old)).await.is_err());
        assert_eq!(ask(&mut client(&proxy).await).await.unwrap(), 2);
        proxy.cut();
        assert!(old.read_u8().await.is_err());
    }

    #[tokio::test]
    async fn what_passes_arrives_both_ways_and_so_does_the_end() {
        let (proxy, _) = counting().await;
        let mut stream = client(&proxy).await;
        assert_eq!(ask(&mut stream).await.unwrap(), 1);
        assert_eq!(ask(&mut stream).await.unwrap(), 2);
        stream.shutdown().await.unwrap();
        assert_eq!(stream.read_u8().await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[tokio::test]
    async fn a_cut_resets_what_is_open_and_refuses_what_is_new() {
        let (proxy, _) = counting().await;
        let mut stream = client(&proxy).await;
        ask(&mut stream).await.unwrap();
        proxy.cut();
        assert_eq!(stream.read_u8().await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
        let refused = TcpStream::connect(proxy.address()).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
        proxy.pass();
        sleep(SOON).await;
        assert_eq!(ask(&mut client(&proxy).await).await.unwrap(), 2);
    }

    #[tokio::test]
    async fn a_cut_that_is_healed_at_once_resets_what_was_open() {
        let (proxy, _) = counting().await;
        let mut stream = client(&proxy).await;
        ask(&mut stream).await.unwrap();
        proxy.cut();
        proxy.heal();
        assert_eq!(stream.read_u8().await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
        assert_eq!(ask(&mut client(&proxy).await).await.unwrap(), 2);
    }

    #[tokio::test]
    async fn a_stall_is_silent_for_open_and_new_connections_and_ends_late() {
        let (proxy, count) = counting().await;
        let mut open = client(&proxy).await;
        ask(&mut open).await.unwrap();
        proxy.stall();
        let mut new = client(&proxy).await;
        assert!(timeout(SOON, ask(&mut open)).await.is_err());
        assert!(timeout(SOON, ask(&mut new)).await.is_err());
        assert_eq!(count.load(Ordering::SeqCst), 1);
        proxy.pass();
        let mut late = [open.read_u8().await.unwrap(), new.read_u8().await.unwrap()];
        late.sort();
        assert_eq!(late, [2, 3]);
    }

    #[tokio::test]
    async fn an_answer_is_swallowed_after_the_server_acted() {
        let (proxy, count) = counting().await;
        let (mut one, mut other) = (client(&proxy).await, client(&proxy).await);
        ask(&mut one).await.unwrap();
        ask(&mut other).await.unwrap();
        proxy.drop_next_answer(1, Then::Cut);
        assert_eq!(ask(&mut one).await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
        assert_eq!((count.load(Ordering::SeqCst), proxy.to_be_dropped()), (3, 0));
        assert_eq!(ask(&mut other).await.unwrap(), 4);
        proxy.drop_next_answer(1, Then::Silence);
        assert!(timeout(SOON, ask(&mut other)).await.is_err());
        assert!(timeout(SOON, ask(&mut other)).await.is_err());
        assert_eq!(count.load(Ordering::SeqCst), 6);
        assert_eq!(ask(&mut client(&proxy).await).await.unwrap(), 7);
    }

    #[tokio::test]
    async fn a_delay_holds_for_each_direction() {
        let (proxy, _) = counting().await;
        let mut stream = client(&proxy).await;
        ask(&mut stream).await.unwrap();
        proxy.delay(SOON);
        let asked = Instant::now();
        ask(&mut stream).await.unwrap();
        assert!(asked.elapsed() >= 2 * SOON);
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_a_reset() {
        let proxy = Proxy::before(SocketAddr::from(([127, 0, 0, 1], crate::free_port()))).await;
        assert!(ask(&mut client(&proxy).await).await.is_err());
    }
}
