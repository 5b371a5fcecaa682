//! A balancer in front of several processes: connections go in turn to those whose `/readyz` answers 200. It knows bytes
//! alone, as one in front of TLS would.

#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a test fails by panicking")]

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

/// How often each process is asked.
const EVERY: Duration = Duration::from_millis(50);

/// A port of this machine that leads to whichever process is ready. It is gone with the runtime of its test.
#[derive(Debug)]
pub struct Balancer {
    /// Where it listens: `http://127.0.0.1:1234`.
    pub url: String,
    behind: Arc<Behind>,
}

#[derive(Debug, Default)]
struct Behind {
    /// All that there are, and those of them that are ready.
    all: Mutex<Vec<SocketAddr>>,
    ready: Mutex<Vec<SocketAddr>>,
    turn: AtomicUsize,
}

impl Balancer {
    /// One with nothing behind it yet.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let behind = Arc::new(Behind::default());
        tokio::spawn(look(Arc::clone(&behind)));
        let serving = Arc::clone(&behind);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, serving.next()));
            }
        });
        Self { url, behind }
    }

    /// Puts the process at `url` behind it.
    pub fn add(&self, url: &str) {
        self.behind.all.lock().unwrap().push(address(url));
    }

    /// How many are ready.
    pub fn ready(&self) -> usize {
        self.behind.ready.lock().unwrap().len()
    }
}

impl Behind {
    fn next(&self) -> Option<SocketAddr> {
        let ready = self.ready.lock().unwrap();
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        (!ready.is_empty()).then(|| ready[turn % ready.len()])
    }
}

fn address(url: &str) -> SocketAddr {
    url.trim_start_matches("http://").parse().unwrap()
}

async fn look(behind: Arc<Behind>) {
    let http = reqwest::Client::new();
    loop {
        let all = behind.all.lock().unwrap().clone();
        let mut ready = Vec::new();
        for one in all {
            let answer = http.get(format!("http://{one}/readyz")).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                ready.push(one);
            }
        }
        *behind.ready.lock().unwrap() = ready;
        sleep(EVERY).await;
    }
}

/// A client that nobody is ready for sees its connection closed.
async fn pass(mut client: TcpStream, to: Option<SocketAddr>) {
    let Some(to) = to else { return };
    if let Ok(mut server) = TcpStream::connect(to).await {
        // Either end may go away; the other sees it.
        let _ = copy_bidirectional(&mut client, &mut server).await;
    }
}
