//! `Wire`: a connection that sends exactly the bytes that it is given, and keeps every byte that comes back.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, tcp::OwnedWriteHalf},
    sync::watch,
    time::timeout,
};

/// The longest wait for anything. Only rows that end as `held` or `swallowed` wait this long.
pub const PATIENCE: Duration = Duration::from_secs(10);

pub struct Wire {
    writer: Option<OwnedWriteHalf>,
    received: watch::Receiver<Received>,
}

/// What came back up to now.
#[derive(Clone, Debug, Default)]
pub struct Received {
    pub bytes: Vec<u8>,
    /// The server ended the connection, or reset it.
    pub closed: bool,
}

impl Wire {
    pub async fn connect(to: SocketAddr) -> Self {
        let stream = TcpStream::connect(to).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (mut reader, writer) = stream.into_split();
        let (sender, received) = watch::channel(Received::default());
        tokio::spawn(async move {
            let mut buffer = vec![0; 16 << 10];
            loop {
                let read = tokio::select! {
                    read = reader.read(&mut buffer) => read.unwrap_or(0),
                    () = sender.closed() => return,
                };
                sender.send_modify(|received| match read {
                    0 => received.closed = true,
                    _ => received.bytes.extend_from_slice(&buffer[..read]),
                });
                if read == 0 {
                    return;
                }
            }
        });
        Self { writer: Some(writer), received }
    }

    /// Sends them, as far as the server takes them.
    pub async fn send(&mut self, bytes: &[u8]) {
        if let Some(writer) = &mut self.writer
            && !matches!(timeout(PATIENCE, writer.write_all(bytes)).await, Ok(Ok(())))
        {
            self.writer = None;
        }
    }

    /// Ends this direction.
    pub async fn end(&mut self) {
        if let Some(mut writer) = self.writer.take() {
            let _ = writer.shutdown().await;
            // A drop would shut it down once more.
            writer.forget();
        }
    }

    /// Whether something more can be sent.
    pub fn is_open(&self) -> bool {
        self.writer.is_some() && !self.received.borrow().closed
    }

    /// Waits for this condition, or until the server closes. Returns `false` if neither happens in time.
    pub async fn until(&mut self, is_done: impl Fn(&Received) -> bool) -> bool {
        let waited = self.received.wait_for(|received| is_done(received) || received.closed);
        matches!(timeout(PATIENCE, waited).await, Ok(Ok(_)))
    }

    pub fn received(&self) -> Received {
        self.received.borrow().clone()
    }
}
