//! Bringing a database up to date: the two roles, the application's login, the migrations. Run by `tollgate migrate`.

use sqlx::migrate::MigrateDatabase;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, Postgres};
use url::Url;

/// Lets one run at a time into a database: `tollgate` in ASCII. Other databases of the cluster have locks of their own.
const LOCK: i64 = i64::from_be_bytes(*b"tollgate");

static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("../../migrations");

/// Why the database is not up to date. Running it again is safe.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// An address can't be read.
    #[error("`{0}` is not a Postgres address: write it like postgres://user:password@host:5432/database")]
    Address(&'static str),
    /// The application would log in as the role that owns the tables.
    #[error("the application logs in as `{0}`, which owns the tables: give it a login role of its own")]
    SharedLogin(String),
    /// The application's login role skips row level security.
    #[error("the login role `{0}` is a superuser or has BYPASSRLS: give the application another one")]
    Privileged(String),
    /// The database can't be reached or refused a statement.
    #[error("the database refused: {0}")]
    Database(#[from] sqlx::Error),
    /// A migration failed, or one that was applied has been edited since.
    #[error("a migration failed: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
}

/// Brings the database of `owner_url` up to date and lets the login role of `application_url` use it. The owner must be
/// able to create roles. Any number of these may run at once, also for several databases of one cluster.
pub async fn migrate(owner_url: &str, application_url: &str) -> Result<(), MigrateError> {
    let owner: PgConnectOptions =
        owner_url.parse().map_err(|_| MigrateError::Address("the owner's address"))?;
    let login = Login::read(application_url)?;
    if login.name == owner.get_username() {
        return Err(MigrateError::SharedLogin(login.name));
    }
    let mut connection = owner.connect().await?;
    // Held until the connection closes: two of these that end at once would both write the same row of the catalogue.
    sqlx::query("SELECT pg_advisory_lock($1)").bind(LOCK).execute(&mut connection).await?;
    ensure_role(&mut connection, "tollgate_app", "NOLOGIN", None).await?;
    ensure_role(&mut connection, "tollgate_system", "NOLOGIN", None).await?;
    // NOINHERIT: what the two roles may do, it may do only after `SET ROLE`, so only in a TenantTx or SystemTx.
    ensure_role(&mut connection, &login.name, "LOGIN NOINHERIT", login.password.as_deref()).await?;
    refuse_privileged(&mut connection, &login.name).await?;
    ensure_member(&mut connection, "tollgate_app", &login.name).await?;
    ensure_member(&mut connection, "tollgate_system", &login.name).await?;
    MIGRATOR.run(&mut connection).await?;
    sqlx::query("GRANT SELECT ON _sqlx_migrations TO tollgate_system").execute(&mut connection).await?;
    connection.close().await?;
    Ok(())
}

/// Makes the database that `owner_url` names unless there is one. For the demo: an operator makes their own.
pub async fn create_database(owner_url: &str) -> Result<(), MigrateError> {
    if !Postgres::database_exists(owner_url).await? {
        Postgres::create_database(owner_url).await?;
    }
    Ok(())
}

/// The numbers of all migrations, in order.
pub(crate) fn versions() -> impl Iterator<Item = i64> {
    MIGRATOR.iter().map(|migration| migration.version)
}

/// Differs whenever a migration differs; part of a test template's name.
pub fn fingerprint() -> String {
    let mut sum = [0_u8; 8];
    for migration in MIGRATOR.iter() {
        for (index, byte) in migration.checksum.iter().enumerate() {
            sum[index % 8] = sum[index % 8].rotate_left(1) ^ byte;
        }
    }
    format!("{:016x}", u64::from_be_bytes(sum))
}

/// Whom the application logs in as.
struct Login {
    name: String,
    password: Option<String>,
}

impl Login {
    fn read(address: &str) -> Result<Self, MigrateError> {
        let wrong = || MigrateError::Address("the application's address");
        let name = address.parse::<PgConnectOptions>().map_err(|_| wrong())?.get_username().to_owned();
        let url = Url::parse(address).map_err(|_| wrong())?;
        let from_query =
            url.query_pairs().find(|(key, _)| key == "password").map(|(_, value)| value.into_owned());
        let from_user = url.password().map(|text| percent_decode(text).ok_or_else(wrong)).transpose()?;
        Ok(Self { name, password: from_user.or(from_query) })
    }
}

/// The text behind `%41` and the like; none when it is not UTF-8.
fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped =
            tail.get(..2).and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        if let (b'%', Some(byte)) = (first, escaped) {
            bytes.push(byte);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

/// Makes the role unless there is one. Roles belong to the cluster, where no lock of ours reaches: whoever loses the race
/// finds the role made.
async fn ensure_role(
    connection: &mut PgConnection,
    name: &str,
    attributes: &str,
    password: Option<&str>,
) -> Result<(), MigrateError> {
    let exists = "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1 OR rolname = $2)";
    let create: String = sqlx::query_scalar(
"SELECT 'CREATE ROLE ' || quote_ident($1) || ' ' || $2 || coalesce(' PASSWORD ' || quote_literal($3), '')",
    )
    .bind(name)
    .bind(attributes)
    .bind(password)
    .fetch_one(&mut *connection)
    .await?;
    ensure(connection, exists, [name, name], create).await
}

/// Makes `member` a member of `role` unless it is one.
async fn ensure_member(connection: &mut PgConnection, role: &str, member: &str) -> Result<(), MigrateError> {
    let exists = "SELECT EXISTS (
        SELECT FROM pg_auth_members m
        JOIN pg_roles r ON r.oid = m.roleid
        JOIN pg_roles u ON u.oid = m.member
        WHERE u.rolname = $1 AND r.rolname = $2)";
    let grant: String = sqlx::query_scalar("SELECT format('GRANT %I TO %I', $1::text, $2::text)")
        .bind(role)
        .bind(member)
        .fetch_one(&mut *connection)
        .await?;
    ensure(connection, exists, [member, role], grant).await
}

/// Runs `statement`, quoted by Postgres itself, until `exists` holds: somebody else may be doing the same.
async fn ensure(
    connection: &mut PgConnection,
    exists: &'static str,
    names: [&str; 2],
    statement: String,
) -> Result<(), MigrateError> {
    let mut tries = 0;
    loop {
        let query = sqlx::query_scalar::<_, bool>(exists).bind(names[0]).bind(names[1]);
        if query.fetch_one(&mut *connection).await? {
            return Ok(());
        }
        tries += 1;
        match sqlx::raw_sql(AssertSqlSafe(statement.clone())).execute(&mut *connection).await {
            Err(error) if tries == 10 => return Err(error.into()),
            _ => {}
        }
    }
}

async fn refuse_privileged(connection: &mut PgConnection, login: &str) -> Result<(), MigrateError> {
    let privileged: bool =
        sqlx::query_scalar("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = $1")
            .bind(login)
            .fetch_one(connection)
            .await?;
    if privileged { Err(MigrateError::Privileged(login.to_owned())) } else { Ok(()) }
}
