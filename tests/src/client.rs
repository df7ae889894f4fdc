//! A client that sends exactly the bytes it is told to.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// An HTTP answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// A request, byte by byte.
#[derive(Clone, Debug)]
pub struct Request {
    head: Vec<u8>,
    body: Vec<u8>,
}

impl Request {
    /// A `POST` of a whole body, with its length declared.
    pub fn post(path: &str, headers: &[(String, String)], body: &[u8]) -> Self {
        Self::with_length(path, headers, body, body.len())
    }

    /// A `POST` that declares another length than its body has.
    pub fn with_length(path: &str, headers: &[(String, String)], body: &[u8], length: usize) -> Self {
        Self::new("POST", path, headers, &format!("content-length: {length}\r\n"), body.to_vec())
    }

    /// A `POST` in HTTP/1.1 chunks of this size.
    pub fn chunked(path: &str, headers: &[(String, String)], body: &[u8], size: usize) -> Self {
        let mut chunks = Vec::new();
        for chunk in body.chunks(size) {
            chunks.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            chunks.extend_from_slice(chunk);
            chunks.extend_from_slice(b"\r\n");
        }
        chunks.extend_from_slice(b"0\r\n\r\n");
        Self::new("POST", path, headers, "transfer-encoding: chunked\r\n", chunks)
    }

    /// A request of another method, without a body.
    pub fn with_method(method: &str, path: &str, headers: &[(String, String)]) -> Self {
        Self::new(method, path, headers, "", Vec::new())
    }

    fn new(method: &str, path: &str, headers: &[(String, String)], framing: &str, body: Vec<u8>) -> Self {
        let mut head =
            format!("{method} {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n{framing}").into_bytes();
        for (name, value) in headers {
            head.extend_from_slice(name.as_bytes());
            head.extend_from_slice(b": ");
            head.extend_from_slice(value.as_bytes());
            head.extend_from_slice(b"\r\n");
        }
        head.extend_from_slice(b"\r\n");
        Self { head, body }
    }

    /// Sends it and reads the answer.
    pub async fn send(&self, to: SocketAddr) -> Reply {
        let mut stream = self.start(to).await;
        // The server may answer and close before it has read everything.
        let _ = stream.write_all(&self.body).await;
        read_reply(stream).await
    }

    /// Sends the head and nothing else.
    pub async fn start(&self, to: SocketAddr) -> TcpStream {
        let mut stream = TcpStream::connect(to).await.unwrap();
        stream.write_all(&self.head).await.unwrap();
        stream
    }

    /// Sends all but the last bytes of the body, closes that direction, and reads the answer.
    pub async fn send_cut_off(&self, to: SocketAddr, missing: usize) -> Reply {
        let mut stream = self.start(to).await;
        stream.write_all(&self.body[..self.body.len() - missing]).await.unwrap();
        stream.shutdown().await.unwrap();
        read_reply(stream).await
    }

    /// Sends it all, then hangs up without waiting for the answer.
    pub async fn send_and_hang_up(&self, to: SocketAddr, after: Duration) {
        let mut stream = self.start(to).await;
        stream.write_all(&self.body).await.unwrap();
        tokio::time::sleep(after).await;
        drop(stream);
    }
}

/// Reads an answer to its end.
pub async fn read_reply(mut stream: TcpStream) -> Reply {
    let mut bytes = Vec::new();
    // A reset after the answer takes nothing from what has arrived.
    let _ = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut bytes)).await;
    let text = String::from_utf8_lossy(&bytes);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).unwrap_or(0);
    let headers =
        lines.filter_map(|line| line.split_once(": ")).map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
    Reply { status, headers, body: body.to_owned() }
}
