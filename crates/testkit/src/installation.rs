//! A whole installation of one test's own: a database, a corner of Redis, and processes of the product's binary.

#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a test fails by panicking")]

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

use crate::{TestDb, TestRedis};

/// How long anything may take before a test gives up on it.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// What the processes of one installation share.
#[derive(Debug)]
pub struct Installation {
    db: TestDb,
    redis: TestRedis,
    keys: String,
    binary: PathBuf,
    logs: PathBuf,
    /// Where the catalogue's demo entry points.
    demo_upstream: Option<String>,
}

impl Installation {
    /// Services and keys for processes of `binary`, which log into the folder `logs`.
    pub async fn of(binary: &Path, logs: &Path) -> Self {
        let keys = Command::new(binary).args(["keys", "new"]).output().await.unwrap();
        assert!(keys.status.success(), "{keys:?}");
        let keys = String::from_utf8(keys.stdout).unwrap().trim().to_owned();
        let (db, redis) = (crate::database().await, crate::redis());
        Self { db, redis, keys, binary: binary.to_owned(), logs: logs.to_owned(), demo_upstream: None }
    }

    /// Lets the catalogue offer the demo upstream at `url`.
    #[must_use]
    pub fn offering(self, url: String) -> Self {
        Self { demo_upstream: Some(url), ..self }
    }

    /// Lets its processes use another Redis than the one of `REDIS_URL`.
    #[must_use]
    pub fn over_redis(mut self, url: String) -> Self {
        self.redis.url = url;
        self
    }

    /// Starts a process with `roles` (none: all) and waits until it is ready.
    pub async fn serve(&self, roles: &[&str]) -> Process {
        self.serve_on(roles, None).await
    }

    /// As [`Self::serve`], held to one core of the machine.
    pub async fn serve_on(&self, roles: &[&str], core: Option<usize>) -> Process {
        let address = free_address();
        let url = format!("http://{address}");
        let log = self.logs.join(format!("tollgate-{}.log", address.port()));
        let file = std::fs::File::create(&log).unwrap();
        let mut command = Command::new(if core.is_some() { Path::new("taskset") } else { &self.binary });
        if let Some(core) = core {
            command.arg("-c").arg(core.to_string()).arg(&self.binary);
        }
        command
            .arg("serve")
            .args(roles.iter().flat_map(|role| ["--role", role]))
            .env("TOLLGATE_LISTEN", address.to_string())
            .env("TOLLGATE_URL", &url)
            .env("DATABASE_URL", &self.db.url)
            .env("REDIS_URL", &self.redis.url)
            .env("TOLLGATE_REDIS_NAMESPACE", &self.redis.namespace)
            .env("TOLLGATE_KEYS", &self.keys)
            .env("TOLLGATE_ALLOW_PRIVATE_UPSTREAMS", "true")
            .envs(self.demo_upstream.iter().map(|url| ("TOLLGATE_DEMO_UPSTREAM", url)))
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .kill_on_drop(true);
        let mut process = Process { child: command.spawn().unwrap(), url, log };
        process.ready().await;
        process
    }
}

/// One process of the binary; killed when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    /// Where it listens, and its `TOLLGATE_URL`.
    pub url: String,
    log: PathBuf,
}

impl Process {
    async fn ready(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        let ready = format!("{}/readyz", self.url);
        while !matches!(reqwest::get(&ready).await, Ok(answer) if answer.status().is_success()) {
            let ended = self.child.try_wait().unwrap();
            let log = || std::fs::read_to_string(&self.log).unwrap_or_default();
            assert!(ended.is_none(), "tollgate ended with {ended:?}:\n{}", log());
            assert!(Instant::now() < deadline, "tollgate is not ready:\n{}", log());
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Its id, while it runs.
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Ends it as `kill -9` does.
    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }
}

/// An address of this machine that nobody listens on.
pub fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Asks `probe` until it gives something.
pub async fn eventually<T>(what: &str, mut probe: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = probe().await {
            return value;
        }
        assert!(Instant::now() < deadline, "not within {PATIENCE:?}: {what}");
        sleep(Duration::from_millis(50)).await;
    }
}
