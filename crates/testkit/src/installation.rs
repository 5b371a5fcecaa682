//! A whole installation of one test's own: a database, a corner of Redis, and processes of the product's binary.

#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Output, Stdio};
use std::time::Duration;

use sqlx::{Connection as _, PgConnection};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

use crate::{Store, TestDb, TestRedis};

/// How long anything may take before a test gives up on it.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// What the processes of one installation share.
#[derive(Debug)]
pub struct Installation {
    stores: Stores,
    keys: String,
    binary: PathBuf,
    logs: PathBuf,
    /// Where the catalogue's demo entry points.
    demo_upstream: Option<String>,
    /// Entries that a stream holds; none: the default.
    stream_max: Option<usize>,
}

/// Where its processes find Postgres and Redis.
#[derive(Debug)]
struct Stores {
    database_url: String,
    owner_url: String,
    redis: TestRedis,
    /// Of a database that is dropped with the test.
    _database: Option<TestDb>,
}

impl Installation {
    /// Services and keys for processes of `binary`, which log into the folder `logs`.
    pub async fn of(binary: &Path, logs: &Path) -> Self {
        let keys = keys(binary).await;
        let database = crate::database().await;
        let stores = Stores {
            database_url: database.url.clone(),
            owner_url: database.owner_url.clone(),
            redis: crate::redis(),
            _database: Some(database),
        };
        Self {
            stores,
            keys,
            binary: binary.to_owned(),
            logs: logs.to_owned(),
            demo_upstream: None,
            stream_max: None,
        }
    }

    /// The same, with stores of the test's own.
    pub async fn on(binary: &Path, logs: &Path, postgres: &Store, redis: &Store) -> Self {
        let stores = Stores {
            database_url: postgres.url(),
            owner_url: postgres.owner_url(),
            redis: TestRedis { url: redis.url(), namespace: "tg".to_owned() },
            _database: None,
        };
        let keys = keys(binary).await;
        Self {
            stores,
            keys,
            binary: binary.to_owned(),
            logs: logs.to_owned(),
            demo_upstream: None,
            stream_max: None,
        }
    }

    /// Lets the catalogue offer the demo upstream at `url`.
    #[must_use]
    pub fn offering(self, url: String) -> Self {
        Self { demo_upstream: Some(url), ..self }
    }

    /// Lets its processes use another Redis than the one of `REDIS_URL`.
    #[must_use]
    pub fn over_redis(mut self, url: String) -> Self {
        self.stores.redis.url = url;
        self
    }

    /// Lets a shard's stream hold so many entries.
    #[must_use]
    pub fn with_stream_of(self, entries: usize) -> Self {
        Self { stream_max: Some(entries), ..self }
    }

    /// A connection to its database as the owner, to write or look behind the product's back.
    pub async fn owner(&self) -> PgConnection {
        PgConnection::connect(&self.stores.owner_url).await.unwrap()
    }

    /// Runs the binary as an operator does who has the database's address, until it ends.
    pub async fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(&self.binary);
        command.args(arguments).env("DATABASE_URL", &self.stores.database_url).stdin(Stdio::null());
        command.kill_on_drop(true).output().await.unwrap()
    }

    /// Starts a process with `roles` (none: all) and waits until it is ready.
    pub async fn serve(&self, roles: &[&str]) -> Process {
        self.serve_on(roles, None).await
    }

    /// As [`Self::serve`], held to one core of the machine.
    pub async fn serve_on(&self, roles: &[&str], core: Option<usize>) -> Process {
        let mut process = self.spawn(roles, free_address(), core, &[]);
        process.ready().await;
        process
    }

    /// As [`Self::serve`], with further settings: variables of its environment.
    pub async fn serve_with(&self, roles: &[&str], settings: &[(&str, &str)]) -> Process {
        let mut process = self.spawn(roles, free_address(), None, settings);
        process.ready().await;
        process
    }

    /// Starts a process with `roles` (none: all) at this address, and waits for nothing.
    pub fn start(&self, roles: &[&str], address: SocketAddr) -> Process {
        self.spawn(roles, address, None, &[])
    }

    fn spawn(
        &self,
        roles: &[&str],
        address: SocketAddr,
        core: Option<usize>,
        settings: &[(&str, &str)],
    ) -> Process {
        let metrics = free_address();
        let url = format!("http://{address}");
        let log = self.logs.join(format!("tollgate-{}.log", address.port()));
        let file = std::fs::File::options().create(true).append(true).open(&log).unwrap();
        let mut command = Command::new(if core.is_some() { Path::new("taskset") } else { &self.binary });
        if let Some(core) = core {
            command.arg("-c").arg(core.to_string()).arg(&self.binary);
        }
        command
            .arg("serve")
            .args(roles.iter().flat_map(|role| ["--role", role]))
            .env("TOLLGATE_LISTEN", address.to_string())
            .env("TOLLGATE_METRICS_LISTEN", metrics.to_string())
            .env("TOLLGATE_URL", &url)
            .env("DATABASE_URL", &self.stores.database_url)
            .env("REDIS_URL", &self.stores.redis.url)
            .env("TOLLGATE_REDIS_NAMESPACE", &self.stores.redis.namespace)
            .env("TOLLGATE_KEYS", &self.keys)
            .env("TOLLGATE_ALLOW_PRIVATE_UPSTREAMS", "true")
            .envs(self.demo_upstream.iter().map(|url| ("TOLLGATE_DEMO_UPSTREAM", url)))
            .envs(self.stream_max.iter().map(|entries| ("TOLLGATE_STREAM_MAX", entries.to_string())))
            .envs(settings.iter().copied())
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .kill_on_drop(true);
        let metrics = format!("http://{metrics}/metrics");
        Process { child: command.spawn().unwrap(), url, metrics, log }
    }
}

/// One process of the binary; killed when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    /// Where it listens, and its `TOLLGATE_URL` unless it was given another.
    pub url: String,
    /// Where it shows its metrics.
    pub metrics: String,
    log: PathBuf,
}

impl Process {
    /// Waits until it is ready.
    pub async fn ready(&mut self) {
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

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.url.trim_start_matches("http://").parse().unwrap()
    }

    /// Its metrics: each line's name and labels, and its number.
    pub async fn metrics(&self) -> BTreeMap<String, f64> {
        let text = reqwest::get(&self.metrics).await.unwrap().text().await.unwrap();
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines
            .map(|line| line.rsplit_once(' ').map(|(name, n)| (name.to_owned(), n.parse().unwrap())).unwrap())
            .collect()
    }

    /// Tells it to stop, as SIGTERM does, and waits until it has ended.
    pub async fn stop(mut self) -> ExitStatus {
        let id = self.child.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().await.unwrap().success());
        tokio::time::timeout(PATIENCE, self.child.wait()).await.expect("it ends").unwrap()
    }

    /// Ends it as `kill -9` does.
    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }
}

/// New keys, as an operator makes them.
async fn keys(binary: &Path) -> String {
    let keys = Command::new(binary).args(["keys", "new"]).output().await.unwrap();
    assert!(keys.status.success(), "{keys:?}");
    String::from_utf8(keys.stdout).unwrap().trim().to_owned()
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
