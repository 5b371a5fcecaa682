//! A private database for each test, copied from a migrated template, and reached as the application reaches it.
//!
//! `DATABASE_URL` names a server and a role that may create databases and roles. The template is made once per set of
//! migrations, whoever comes first; copies are dropped with their test, and after an hour where a test was killed.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use domain::{Clock, Role};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use storage::{Storage, StorageConfig};
use tokio::sync::OnceCell;
use url::Url;

/// The login role of tests: like production's, neither superuser nor BYPASSRLS, and not the owner of anything.
const LOGIN: &str = "tollgate_test";
/// Any number, so long as nobody else locks it: held while the template is made.
const LOCK: i64 = 0x746f_6c6c_6761_7465;
/// After this many seconds a copy that is still there belongs to a test that was killed.
const ABANDONED_AFTER: i64 = 3600;

/// A database of one test's own. Dropped with it.
#[derive(Debug)]
pub struct TestDb {
    /// As the application logs in.
    pub url: String,
    /// As the owner of the tables, who may do anything.
    pub owner_url: String,
    /// A pool of the application's.
    pub storage: Storage,
    name: String,
}

/// A migrated database for this test alone.
///
/// # Panics
/// When `DATABASE_URL` is not set or the server does not do what is asked: no test can go on without.
pub async fn database() -> TestDb {
    create().await.unwrap_or_else(|error| panic!("no test database: {error:#}"))
}

impl TestDb {
    /// Another pool of the application's, as another process would have.
    ///
    /// # Panics
    /// Never: the address was read before.
    pub fn another_storage(&self) -> Storage {
        pool(&self.url).unwrap_or_else(|error| panic!("{error:#}"))
    }

    /// Gives everybody this role in every organisation of theirs.
    ///
    /// # Panics
    /// When the server does not answer.
    pub async fn make_all(&self, role: Role) {
        let given = sqlx::query("UPDATE memberships SET role = $1").bind(role.as_str());
        given.execute(&mut self.owner().await).await.unwrap_or_else(|error| panic!("no role given: {error}"));
    }

    /// A connection as the owner, to look behind row level security.
    ///
    /// # Panics
    /// When the server does not answer.
    pub async fn owner(&self) -> PgConnection {
        PgConnection::connect(&self.owner_url).await.unwrap_or_else(|error| panic!("no owner: {error}"))
    }
}

impl TestDb {
    /// Lets every statement on `table` hang until what is given back is dropped.
    ///
    /// # Panics
    /// When the server does not answer.
    pub async fn hang(&self, table: &str) -> PgConnection {
        let mut owner = self.owner().await;
        let lock = format!("BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE");
        let locked = sqlx::raw_sql(sqlx::AssertSqlSafe(lock)).execute(&mut owner).await;
        locked.unwrap_or_else(|error| panic!("{table} can't be locked: {error}"));
        owner
    }
}

impl Drop for TestDb {
    fn drop(&mut self) {
        let (owner_url, name) = (self.owner_url.clone(), self.name.clone());
        // The test's own runtime can't be waited for from here. Errors are left to the sweep of a later run.
        let dropping = std::thread::spawn(move || -> Result<()> {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let mut server = PgConnection::connect(&with_database(&owner_url, "postgres")?).await?;
                drop_database(&mut server, &name).await
            })
        });
        drop(dropping.join());
    }
}

async fn create() -> Result<TestDb> {
    static TEMPLATE: OnceCell<String> = OnceCell::const_new();
    static NEXT: AtomicU32 = AtomicU32::new(0);

    let server_url = crate::environment("DATABASE_URL")?;
    let template = TEMPLATE.get_or_try_init(|| template(&server_url)).await?;
    let (now, pid, n) =
        (Clock::System.now().timestamp(), std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let name = format!("tollgate_test_{now}_{pid}_{n}");
    let mut server = PgConnection::connect(&server_url).await?;
    execute(&mut server, format!("CREATE DATABASE {name} TEMPLATE {template}")).await?;
    server.close().await?;

    let owner_url = with_database(&server_url, &name)?;
    let url = with_login(&owner_url)?;
    Ok(TestDb { storage: pool(&url)?, url, owner_url, name })
}

/// The name of the template for the migrations of this build, made unless it is there.
async fn template(server_url: &str) -> Result<String> {
    let name = format!("tollgate_template_{}", storage::fingerprint());
    let mut server = PgConnection::connect(server_url).await.context("DATABASE_URL does not answer")?;
    // Another test process may be at it. The lock goes with the connection, however this process ends.
    sqlx::query("SELECT pg_advisory_lock($1)").bind(LOCK).execute(&mut server).await?;
    sweep(&mut server).await?;
    let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
        .bind(&name)
        .fetch_one(&mut server)
        .await?;
    if !exists {
        let building = format!("{name}_building");
        drop_database(&mut server, &building).await?;
        execute(&mut server, format!("CREATE DATABASE {building}")).await?;
        let owner_url = with_database(server_url, &building)?;
        storage::migrate(&owner_url, &with_login(&owner_url)?).await?;
        execute(&mut server, format!("ALTER DATABASE {building} RENAME TO {name}")).await?;
    }
    server.close().await?;
    Ok(name)
}

/// Drops what killed tests left behind.
async fn sweep(server: &mut PgConnection) -> Result<()> {
    let names: Vec<String> =
        sqlx::query_scalar(r"SELECT datname::text FROM pg_database WHERE datname LIKE 'tollgate\_test\_%'")
            .fetch_all(&mut *server)
            .await?;
    let now = Clock::System.now().timestamp();
    for name in names {
        let made: Option<i64> = name.split('_').nth(2).and_then(|seconds| seconds.parse().ok());
        if made.is_some_and(|made| made + ABANDONED_AFTER < now) {
            drop_database(server, &name).await?;
        }
    }
    Ok(())
}

async fn drop_database(server: &mut PgConnection, name: &str) -> Result<()> {
    execute(server, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await
}

/// For statements about databases, which take no parameters. Names are made here, of letters, digits and underscores.
async fn execute(server: &mut PgConnection, statement: String) -> Result<()> {
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(server).await?;
    Ok(())
}

fn pool(url: &str) -> Result<Storage> {
    Ok(Storage::connect(&StorageConfig {
        max_connections: 8,
        acquire_timeout: Duration::from_secs(20),
        ..StorageConfig::new(url.to_owned())
    })?)
}

fn with_database(url: &str, name: &str) -> Result<String> {
    let mut url = Url::parse(url).context("DATABASE_URL is not an address")?;
    url.set_path(name);
    Ok(url.into())
}

fn with_login(url: &str) -> Result<String> {
    let mut url = Url::parse(url)?;
    let set = url.set_username(LOGIN).and_then(|()| url.set_password(Some(LOGIN)));
    set.map_err(|()| anyhow::anyhow!("DATABASE_URL has no host"))?;
    Ok(url.into())
}
