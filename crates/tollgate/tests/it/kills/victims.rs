//! Who is killed, and when: at any moment of a start, or of the work after it.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use testkit::{Installation, Store};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use vault::Entropy;

/// How long a start may take, about: the moment of a kill is drawn from it.
const START: Range<u64> = 0..300;
/// How long a process that should listen is waited for: stores may be away.
const PATIENCE: Duration = Duration::from_secs(5);

/// A part of the product.
#[derive(Clone, Copy, Debug)]
pub enum Role {
    Gateway,
    Audit,
    Control,
}

impl Role {
    /// How long it works before it is killed, in milliseconds. A gateway so long that calls come to it in numbers.
    fn work(self) -> Range<u64> {
        match self {
            Self::Gateway => 0..1600,
            Self::Audit | Self::Control => 0..400,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Audit => "audit",
            Self::Control => "control",
        }
    }
}

/// How many kills are left, and how many there were of whom.
pub struct Chances {
    left: Mutex<usize>,
    done: Mutex<BTreeMap<String, usize>>,
}

impl Chances {
    pub fn new(kills: usize) -> Self {
        Self { left: Mutex::new(kills), done: Mutex::default() }
    }

    fn take(&self) -> bool {
        let mut left = self.left.lock().unwrap();
        *left = left.saturating_sub(1);
        *left > 0
    }

    fn count(&self, who: &str) {
        *self.done.lock().unwrap().entry(who.to_owned()).or_default() += 1;
    }

    /// Says who was killed how often, and what went on meanwhile.
    pub fn report(&self, answers: usize, forwarded: usize) {
        let done = self.done.lock().unwrap();
        let told = writeln!(
            std::io::stderr(),
            "killed: {done:?}; {answers} decisions told, {forwarded} calls forwarded"
        );
        told.unwrap();
    }

    /// Starts processes at this address and kills them, one after the other.
    pub async fn kill_processes(&self, installation: Arc<Installation>, role: Role, address: SocketAddr) {
        while self.take() {
            let process = installation.start(&[role.name()], address);
            if random(&(0..3)) == 0 {
                pause(&START).await;
            } else {
                let listens = async {
                    while TcpStream::connect(address).await.is_err() {
                        sleep(Duration::from_millis(5)).await;
                    }
                };
                let _ = timeout(PATIENCE, listens).await;
                pause(&role.work()).await;
            }
            process.kill().await;
            self.count(role.name());
        }
    }

    /// Kills a store every so many milliseconds, and starts it again.
    pub async fn kill_store(&self, store: &Store, every: Range<u64>) {
        loop {
            pause(&every).await;
            if !self.take() {
                return;
            }
            store.kill().await;
            store.start().await;
            self.count(store.name());
        }
    }
}

fn random(range: &Range<u64>) -> u64 {
    range.start + u64::from_le_bytes(Entropy::System.bytes()) % (range.end - range.start)
}

async fn pause(range: &Range<u64>) {
    sleep(Duration::from_millis(random(range))).await;
}
