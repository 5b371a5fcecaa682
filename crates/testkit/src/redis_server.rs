//! Redis or Valkey servers of one test's own, on ports of their own: to be killed, failed over and moved about.

#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};

use crate::{eventually, free_address};

/// Which program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// `redis-server`.
    Redis,
    /// `valkey-server`.
    Valkey,
}

/// One server, killed when dropped.
#[derive(Debug)]
pub struct RedisServer {
    program: Program,
    /// Where it listens, on this machine.
    pub port: u16,
    home: PathBuf,
    settings: Vec<String>,
    child: Option<Child>,
}

impl Program {
    fn find(self, tool: &str) -> PathBuf {
        let name = match self {
            Self::Redis => format!("redis-{tool}"),
            Self::Valkey => format!("valkey-{tool}"),
        };
        let path = crate::environment("PATH").unwrap_or_default();
        // Where `scripts/valkey` puts it, when the system has no package of it.
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.dev/valkey/usr/bin");
        let usual = ["/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"].map(PathBuf::from);
        let folders = std::env::split_paths(&path).chain(usual).chain([own]);
        folders
            .map(|folder| folder.join(&name))
            .find(|file| file.is_file())
            .unwrap_or_else(|| panic!("{name} is not installed: run the tests with `make test`"))
    }
}

impl RedisServer {
    /// Starts one with its files in a folder of its own below `folder`; `settings` are lines of its configuration.
    pub async fn start(program: Program, folder: &Path, settings: &[&str]) -> Self {
        let port = free_port();
        let home = folder.join(format!("redis-{port}"));
        let _old = std::fs::remove_dir_all(&home);
        std::fs::create_dir_all(&home).unwrap();
        let settings = settings.iter().map(|line| (*line).to_owned()).collect();
        let mut server = Self { program, port, home, settings, child: None };
        server.revive().await;
        server
    }

    /// Starts it again, with what it had written.
    pub async fn revive(&mut self) {
        let base = format!("port {}\nbind 127.0.0.1\nsave \"\"\ndir {}\n", self.port, self.home.display());
        let file = self.home.join("redis.conf");
        // A sentinel writes into its own, and must find it again.
        if !file.exists() {
            std::fs::write(&file, base + &self.settings.join("\n") + "\n").unwrap();
        }
        let log = std::fs::File::create(self.home.join("log")).unwrap();
        let mut command = Command::new(self.program.find("server"));
        command
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .kill_on_drop(true);
        if self.settings.iter().any(|line| line.starts_with("sentinel ")) {
            command.arg("--sentinel");
        }
        self.child = Some(command.spawn().unwrap());
        eventually("a server that answers", async || self.answers().await.then_some(())).await;
    }

    /// Ends it as `kill -9` does.
    pub async fn kill(&mut self) {
        self.child.take().unwrap().kill().await.unwrap();
    }

    /// Its id, while it runs.
    pub fn id(&self) -> u32 {
        self.child.as_ref().and_then(Child::id).unwrap()
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// What it answers to a command, as the command line shows it.
    pub async fn ask(&self, command: &[&str]) -> String {
        let mut cli = Command::new(self.program.find("cli"));
        cli.args(["-p", &self.port.to_string()]).args(command).stdin(Stdio::null());
        let answer = cli.output().await.unwrap();
        String::from_utf8_lossy(&answer.stdout).trim().to_owned()
    }

    /// Sends a command that must succeed.
    pub async fn tell(&self, command: &[&str]) {
        let answer = self.ask(command).await;
        assert!(answer.starts_with("OK"), "{command:?}: {answer}");
    }

    async fn answers(&self) -> bool {
        let cli = self.ask(&["PING"]);
        matches!(tokio::time::timeout(Duration::from_secs(2), cli).await, Ok(answer) if answer == "PONG")
    }
}

impl Drop for RedisServer {
    /// Its files go too, unless somebody will want to know why a test failed.
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _gone = child.start_kill();
        }
        if !std::thread::panicking() {
            let _files = std::fs::remove_dir_all(&self.home);
        }
    }
}

/// A port that is free, as is the one of a cluster's bus that goes with it.
fn free_port() -> u16 {
    loop {
        let port = free_address().port();
        if port < 55_000 && std::net::TcpListener::bind(("127.0.0.1", port + 10_000)).is_ok() {
            return port;
        }
    }
}
