//! The demo's two processes: the demo upstream and the one binary. Both end with the demo.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

/// How long a process may take until it listens.
const PATIENCE: Duration = Duration::from_secs(30);

/// A child process that is killed when this is dropped.
pub struct Process {
    name: &'static str,
    child: Child,
    /// Where its log lines go.
    log: PathBuf,
}

impl Process {
    /// Starts `program`, with its output appended to `{name}.log` in `directory`.
    ///
    /// # Errors
    /// The program or the log file can't be opened.
    pub fn start(
        name: &'static str,
        program: &Path,
        directory: &Path,
        prepare: impl FnOnce(&mut Command) -> &mut Command,
    ) -> anyhow::Result<Self> {
        let log = directory.join(format!("{name}.log"));
        let file = std::fs::OpenOptions::new().create(true).append(true).open(&log)?;
        let mut command = Command::new(program);
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file).kill_on_drop(true);
        let child = prepare(&mut command)
            .spawn()
            .with_context(|| format!("`{}` can't be started: build it first", program.display()))?;
        Ok(Self { name, child, log })
    }

    /// Waits until `address` accepts a connection.
    ///
    /// # Errors
    /// The process ended, or does not listen in time.
    pub async fn listens(&mut self, address: SocketAddr) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(address).await.is_err() {
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended with {status}: see {}", self.name, self.log.display());
            }
            if Instant::now() > deadline {
                bail!("{} does not listen on {address}: see {}", self.name, self.log.display());
            }
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Resolves when the process ends, which it should not do by itself.
    ///
    /// # Errors
    /// Always: it says how the process ended.
    pub async fn ended(&mut self) -> anyhow::Result<()> {
        let status = self.child.wait().await?;
        bail!("{} ended with {status}: see {}", self.name, self.log.display())
    }
}

/// `127.0.0.1` with `wanted`, or with a free port when that one is in use.
///
/// # Errors
/// No port is free.
pub fn free_address(wanted: u16) -> anyhow::Result<SocketAddr> {
    let bind =
        |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).and_then(|listener| listener.local_addr());
    bind(wanted).or_else(|_| bind(0)).context("no port of 127.0.0.1 is free")
}

/// The program `name` beside this one.
///
/// # Errors
/// This program's own path is unknown.
pub fn sibling(name: &str) -> anyhow::Result<PathBuf> {
    Ok(std::env::current_exe().context("this program's own path is unknown")?.with_file_name(name))
}
