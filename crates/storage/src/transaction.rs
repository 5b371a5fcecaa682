//! The pool, and the two kinds of transaction: as one tenant, or as the system.
//!
//! INVARIANT: no statement runs outside of one of these. The login role inherits nothing, so one that did would be
//! refused by Postgres; and a tenant's rows are visible to the tenant role only where `app.tenant_id` names them.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use domain::{Secret, TenantId};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, PgConnection, Postgres, Transaction};

use crate::Error;

/// How to reach the database as the application.
#[derive(Clone, Debug)]
pub struct StorageConfig {
    /// `postgres://login:password@host/database`, of the application's own login role.
    pub url: Secret<String>,
    /// Connections at most.
    pub max_connections: u32,
    /// Connections that are kept when idle.
    pub min_connections: u32,
    /// How long to wait for a free one, or for one to be made.
    pub acquire_timeout: Duration,
    /// How long a statement may take; zero: as long as it does.
    pub statement_timeout: Duration,
    /// When a connection that is not used is closed.
    pub idle_timeout: Duration,
    /// When a connection is replaced.
    pub lifetime: Duration,
}

impl StorageConfig {
    /// The defaults: 20 connections, none kept, 3 s for one, a minute for a statement, 10 minutes idle, half an hour in all.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: Secret::new(url.into()),
            max_connections: 20,
            min_connections: 0,
            acquire_timeout: Duration::from_secs(3),
            statement_timeout: Duration::from_mins(1),
            idle_timeout: Duration::from_mins(10),
            lifetime: Duration::from_mins(30),
        }
    }
}

/// The pool. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Storage {
    pool: PgPool,
}

/// A transaction that sees one tenant. Rolls back when dropped.
#[derive(Debug)]
pub struct TenantTx {
    tx: Transaction<'static, Postgres>,
    tenant: TenantId,
}

/// A [`TenantTx`] that changes what calls are judged by: it raises the tenant's epoch and commits in time or not at all.
#[derive(Debug)]
pub struct ChangeTx {
    tx: TenantTx,
}

/// A transaction for what belongs to no tenant or must look across them. Rolls back when dropped.
#[derive(Debug)]
pub struct SystemTx {
    tx: Transaction<'static, Postgres>,
}

impl Storage {
    /// A pool that connects when it is first used; [`Error::Database`] when the address can't be read.
    pub fn connect(config: &StorageConfig) -> Result<Self, Error> {
        let options: PgConnectOptions = config.url.expose().parse().map_err(Error::Database)?;
        let mut options = options.application_name("tollgate");
        if !config.statement_timeout.is_zero() {
            options =
                options.options([("statement_timeout", config.statement_timeout.as_millis().to_string())]);
        }
        let pool = PgPoolOptions::new()
            .max_connections(config.max_connections)
            .min_connections(config.min_connections)
            .acquire_timeout(config.acquire_timeout)
            .idle_timeout(config.idle_timeout)
            .max_lifetime(config.lifetime)
            .connect_lazy_with(options);
        Ok(Self { pool })
    }

    /// The connections that stand, and those of them that nobody uses.
    pub fn connections(&self) -> (u32, usize) {
        (self.pool.size(), self.pool.num_idle())
    }

    // Each begins in a box: the four KiB of it would be a part of every future that may need the database.

    /// Begins as `tenant`, in one round trip.
    pub async fn tenant(&self, tenant: TenantId) -> Result<TenantTx, Error> {
        let begin = format!(
            "BEGIN; SELECT set_config('role', 'tollgate_app', true), set_config('app.tenant_id', '{tenant}', true)"
        );
        // SAFETY of the text: the only part that varies is a UUID.
        Ok(TenantTx { tx: Box::pin(self.pool.begin_with(AssertSqlSafe(begin))).await?, tenant })
    }

    /// Begins a change of what `tenant`'s calls are judged by. To be called before the change marks itself in the ledger:
    /// from here it has five seconds, by the clock of Postgres, or its commit is refused.
    pub async fn change(&self, tenant: TenantId) -> Result<ChangeTx, Error> {
        let begin = format!(
            "BEGIN; SELECT set_config('role', 'tollgate_app', true), set_config('app.tenant_id', '{tenant}', true), \
             set_config('app.commit_by', (clock_timestamp() + interval '5 s')::text, true), \
             set_config('statement_timeout', '5s', true), \
             set_config('idle_in_transaction_session_timeout', '5s', true)"
        );
        let tx = Box::pin(self.pool.begin_with(AssertSqlSafe(begin))).await?;
        Ok(ChangeTx { tx: TenantTx { tx, tenant } })
    }

    /// Begins as the system, in one round trip.
    pub async fn system(&self) -> Result<SystemTx, Error> {
        let begin = "BEGIN; SELECT set_config('role', 'tollgate_system', true)";
        Ok(SystemTx { tx: Box::pin(self.pool.begin_with(begin)).await? })
    }

    /// Waits for connections in use, then closes all.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

impl TenantTx {
    /// The tenant that is seen.
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// The connection inside the transaction, for the statements of `audit`.
    pub fn connection(&mut self) -> &mut PgConnection {
        &mut self.tx
    }

    /// Makes the transaction's writes stand.
    pub async fn commit(self) -> Result<(), Error> {
        Ok(self.tx.commit().await?)
    }
}

impl Deref for ChangeTx {
    type Target = TenantTx;

    fn deref(&self) -> &TenantTx {
        &self.tx
    }
}

impl DerefMut for ChangeTx {
    fn deref_mut(&mut self) -> &mut TenantTx {
        &mut self.tx
    }
}

impl ChangeTx {
    /// Raises the epoch, which every gateway compares before a call, and gives it back. To be followed by
    /// [`ChangeTx::commit`] at once: changes of one tenant wait for each other from here on.
    pub async fn raise_epoch(&mut self) -> Result<u64, Error> {
        let tenant = self.tenant().uuid();
        let epoch = sqlx::query_scalar!(
            "UPDATE tenants SET config_epoch = config_epoch + 1 WHERE id = $1 RETURNING config_epoch",
            tenant
        )
        .fetch_one(self.connection())
        .await?;
        Ok(u64::try_from(epoch).unwrap_or(0))
    }

    /// Commits, unless the five seconds are over: [`Error::TooLate`], and nothing was changed.
    pub async fn commit(self) -> Result<(), Error> {
        self.tx.commit().await
    }
}

impl SystemTx {
    /// The connection inside the transaction, for the statements of `audit`.
    pub fn connection(&mut self) -> &mut PgConnection {
        &mut self.tx
    }

    /// Makes the transaction's writes stand.
    pub async fn commit(self) -> Result<(), Error> {
        Ok(self.tx.commit().await?)
    }
}
