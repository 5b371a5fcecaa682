//! The demo upstream as a process of its own.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use testkit::{eventually, free_address};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

/// A process that listens; killed when dropped.
pub struct Listener {
    pub address: SocketAddr,
    child: Child,
}

impl Listener {
    /// Waits for the process to end by itself: whether it did.
    pub fn ends_within(&mut self, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        while Instant::now() < deadline {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return true;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        false
    }
}

/// Starts `program`, which is built beside the product's binary.
pub async fn start(program: &Path) -> Listener {
    let address = free_address();
    let mut command = Command::new(program);
    command.args(["--listen", &address.to_string()]).stderr(Stdio::null());
    listener(command, address).await
}

/// Starts `command` and waits until `address` accepts connections.
pub async fn listener(mut command: Command, address: SocketAddr) -> Listener {
    let child = command.stdin(Stdio::null()).kill_on_drop(true).spawn();
    let child = child.unwrap_or_else(|error| panic!("{command:?} can't be started: {error}"));
    eventually("a listener", async || TcpStream::connect(address).await.ok()).await;
    Listener { address, child }
}
