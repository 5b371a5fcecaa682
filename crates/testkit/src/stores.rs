//! Postgres and Redis as processes of one test's own, which it may kill, hang, and start again with what they had kept.
//!
//! The programs are those that `scripts/services` runs: Postgres is asked where they are, and runs as who owns its data.

#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a test fails by panicking")]

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Mutex;

use rustix::process::{Pid, Signal, kill_process};
use sqlx::{Connection as _, PgConnection};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::{eventually, free_address};

/// The application's login, as in the shared database.
const LOGIN: &str = "tollgate_test";

/// One server process that keeps its data when it is killed.
#[derive(Debug)]
pub struct Store {
    program: PathBuf,
    arguments: Vec<String>,
    folder: PathBuf,
    /// Who it runs as: user and group.
    owner: (u32, u32),
    port: u16,
    kind: Kind,
    child: Mutex<Option<Child>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Postgres,
    Redis,
}

/// How a Redis keeps what it knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeps {
    /// Everything that it has answered.
    Everything,
    /// Nothing.
    Nothing,
}

impl Store {
    /// A migrated Postgres that keeps what it has committed, also when it is killed.
    pub async fn postgres() -> Self {
        let mut shared = PgConnection::connect(&crate::environment("DATABASE_URL").unwrap()).await.unwrap();
        let told: (String, String) = sqlx::query_as(
            "SELECT (SELECT setting FROM pg_config WHERE name = 'BINDIR'), current_setting('data_directory')",
        )
        .fetch_one(&mut shared)
        .await
        .unwrap();
        let data = std::fs::metadata(&told.1)
            .expect("Postgres runs on this machine: run the tests with `make test`");
        let owner = (data.uid(), data.gid());
        let folder = folder(owner);
        let port = free_address().port();
        let mut initdb = Command::new(Path::new(&told.0).join("initdb"));
        initdb.args(["-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "-D"]);
        let made = run_as(&mut initdb, owner).arg(&folder).current_dir("/").output().await.unwrap();
        assert!(made.status.success(), "{made:?}");
        // What a process wrote outlives it: only a power cut would need `fsync`.
        let settings = [
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "max_connections=200",
            "fsync=off",
            "synchronous_commit=on",
            "shared_buffers=64MB",
        ];
        let settings = settings.iter().flat_map(|setting| ["-c".to_owned(), (*setting).to_owned()]);
        let place = ["-p".to_owned(), port.to_string(), "-D".to_owned(), folder.display().to_string()];
        let store = Self {
            program: Path::new(&told.0).join("postgres"),
            arguments: place.into_iter().chain(settings).collect(),
            folder,
            owner,
            port,
            kind: Kind::Postgres,
            child: Mutex::default(),
        };
        store.start().await;
        storage::migrate(&store.owner_url(), &store.url()).await.unwrap();
        store
    }

    /// A Redis of this machine.
    pub async fn redis(keeps: Keeps) -> Self {
        let owner = std::fs::metadata("/proc/self").map_or((0, 0), |own| (own.uid(), own.gid()));
        let (folder, port) = (folder(owner), free_address().port());
        let kept = match keeps {
            Keeps::Everything => ["--appendonly", "yes", "--appendfsync", "always", "--save", ""],
            Keeps::Nothing => ["--appendonly", "no", "--appendfsync", "no", "--save", ""],
        };
        let place =
            ["--bind", "127.0.0.1", "--port", &port.to_string(), "--dir", &folder.display().to_string()]
                .map(str::to_owned);
        let found = ["valkey-server", "redis-server"].into_iter().find(|name| {
            let tried = std::process::Command::new(name).arg("--version").stdout(Stdio::null()).status();
            tried.is_ok_and(|status| status.success())
        });
        let store = Self {
            program: found.expect("valkey-server or redis-server in PATH").into(),
            arguments: place.into_iter().chain(kept.map(str::to_owned)).collect(),
            folder,
            owner,
            port,
            kind: Kind::Redis,
            child: Mutex::default(),
        };
        store.start().await;
        store
    }

    /// What it is.
    pub fn name(&self) -> &'static str {
        match self.kind {
            Kind::Postgres => "postgres",
            Kind::Redis => "redis",
        }
    }

    /// Where the product reaches it.
    pub fn url(&self) -> String {
        match self.kind {
            Kind::Postgres => format!("postgres://{LOGIN}:{LOGIN}@127.0.0.1:{}/postgres", self.port),
            Kind::Redis => format!("redis://127.0.0.1:{}/", self.port),
        }
    }

    /// Where the owner of its tables reaches a Postgres.
    pub fn owner_url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Starts it, and waits until it answers. One that was killed may need a moment before it can.
    pub async fn start(&self) {
        eventually("a store that answers", async || {
            self.spawn_unless_it_runs();
            self.answers().await.then_some(())
        })
        .await;
    }

    fn spawn_unless_it_runs(&self) {
        let mut child = self.child.lock().unwrap();
        if child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None))) {
            return;
        }
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.folder.with_extension("log"))
            .unwrap();
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).current_dir("/").stdin(Stdio::null()).kill_on_drop(true);
        command.stdout(log.try_clone().unwrap()).stderr(log);
        *child = Some(run_as(&mut command, self.owner).spawn().unwrap());
    }

    async fn answers(&self) -> bool {
        match self.kind {
            Kind::Postgres => PgConnection::connect(&self.owner_url()).await.is_ok(),
            Kind::Redis => self.pings().await.unwrap_or(false),
        }
    }

    async fn pings(&self) -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await?;
        stream.write_all(b"PING\r\n").await?;
        let mut answer = [0; 7];
        stream.read_exact(&mut answer).await?;
        Ok(answer == *b"+PONG\r\n")
    }

    /// Takes the keys of this pattern out of a Redis.
    pub async fn forget(&self, pattern: &str) {
        let script =
            format!("for _,k in ipairs(redis.call('KEYS','{pattern}')) do redis.call('DEL',k) end return 1");
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)).await else { return };
        let command = format!("EVAL \"{script}\" 0\r\n");
        if stream.write_all(command.as_bytes()).await.is_ok() {
            // It may be killed meanwhile.
            let _ = stream.read(&mut [0; 64]).await;
        }
    }

    /// Ends it as `kill -9` does.
    pub async fn kill(&self) {
        let child = self.child.lock().unwrap().take();
        child.unwrap().kill().await.unwrap();
    }

    /// Lets it hang: connections stand, and nothing is answered.
    pub fn hang(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on after it hung.
    pub fn go_on(&self) {
        self.signal(Signal::CONT);
    }

    /// To the process, and to those it has started.
    fn signal(&self, signal: Signal) {
        let process = self.child.lock().unwrap().as_ref().and_then(Child::id).unwrap();
        let children =
            std::fs::read_to_string(format!("/proc/{process}/task/{process}/children")).unwrap_or_default();
        let children = children.split_whitespace().filter_map(|child| child.parse().ok());
        for process in [process.cast_signed()].into_iter().chain(children) {
            // One that has ended meanwhile has nothing to be told.
            let _ = kill_process(Pid::from_raw(process).unwrap(), signal);
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // Kills it; what Postgres has started ends by itself.
        self.child.lock().unwrap().take();
        let _ = std::fs::remove_dir_all(&self.folder);
        let _ = std::fs::remove_file(self.folder.with_extension("log"));
    }
}

/// A new folder that whoever the process runs as may use, outside of the checkout, which they may be unable to reach.
fn folder(owner: (u32, u32)) -> PathBuf {
    let name = format!("tollgate-test-{:032x}", u128::from_be_bytes(vault::Entropy::System.bytes()));
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir(&folder).unwrap();
    std::os::unix::fs::chown(&folder, Some(owner.0), Some(owner.1)).unwrap();
    folder
}

/// The command as this user, where we may choose.
fn run_as(command: &mut Command, (user, group): (u32, u32)) -> &mut Command {
    let own = std::fs::metadata("/proc/self").map_or(user, |own| own.uid());
    if own == user { command } else { command.uid(user).gid(group) }
}
