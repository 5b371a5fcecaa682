//! A server that answers each connection with scripted bytes, so that a test sees exactly what came over the wire.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use egress::{Client, EgressConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// One piece of an answer, and how long to wait before it.
pub type Piece = (Duration, &'static str);

/// A listener on a free port of this machine.
pub struct Server {
    pub port: u16,
    /// The head of every request, and the number of connections they came on.
    pub seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
pub struct Seen {
    pub heads: Vec<String>,
    pub connections: usize,
}

impl Server {
    /// Answers every request with the same pieces; closes the connection afterwards if `close`.
    pub async fn start(answer: Vec<Piece>, close: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let log = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                log.lock().unwrap().connections += 1;
                tokio::spawn(serve(stream, answer.clone(), close, Arc::clone(&log)));
            }
        });
        Self { port, seen }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/mcp", self.port)
    }
}

async fn serve(mut stream: TcpStream, answer: Vec<Piece>, close: bool, seen: Arc<Mutex<Seen>>) {
    let mut head = String::new();
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = stream.read(&mut buffer).await {
        head.push_str(&String::from_utf8_lossy(&buffer[..read]));
        if !head.contains("\r\n\r\n") {
            continue;
        }
        seen.lock().unwrap().heads.push(std::mem::take(&mut head));
        for (wait, piece) in &answer {
            tokio::time::sleep(*wait).await;
            if stream.write_all(piece.as_bytes()).await.is_err() {
                return;
            }
        }
        if close {
            return;
        }
    }
}

/// A piece that comes at once.
pub fn now(piece: &'static str) -> Piece {
    (Duration::ZERO, piece)
}

/// A client that may call this machine and waits at most `millis` for anything.
pub fn patient(millis: u64) -> Client {
    let limit = Duration::from_millis(millis);
    Client::new(EgressConfig {
        allow_private: true,
        connect_timeout: limit,
        first_byte_timeout: limit,
        idle_timeout: limit,
        ..EgressConfig::default()
    })
    .unwrap()
}

pub fn get(url: &str) -> http::Request<Bytes> {
    http::Request::get(url).body(Bytes::new()).unwrap()
}
