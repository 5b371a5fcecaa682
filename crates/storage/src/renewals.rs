//! Tokens of connections, and who may renew them: the gateway and the control plane, as the system.
//!
//! A renewal is held by a lease in the row, and not by an open transaction: an authorization server takes seconds, and
//! a pool has few connections. The lease is longer than an answer is waited for.

use chrono::{DateTime, Utc};
use domain::{ConnectionId, ServerId, TenantId};
use uuid::Uuid;

use crate::{Error, SystemTx};

/// A connection with its sealed tokens.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedConnection {
    /// The organisation.
    pub tenant: TenantId,
    /// The connection.
    pub id: ConnectionId,
    /// The server that it is to.
    pub server: ServerId,
    /// Whose it is; empty: the whole organisation's.
    pub identity: String,
    /// Who issued its tokens.
    pub issuer: String,
    /// Sealed for `Place::Connection`.
    pub sealed: Vec<u8>,
    /// Raised with every renewal.
    pub version: i64,
    /// When the access token was had.
    pub obtained_at: DateTime<Utc>,
    /// When it ends, if that is known.
    pub expires_at: Option<DateTime<Utc>>,
    /// Whether another can be had.
    pub renewable: bool,
    /// Why it must be made anew, in words.
    pub trouble: Option<String>,
}

impl std::fmt::Debug for SealedConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SealedConnection({}, version {})", self.id, self.version)
    }
}

/// Newer tokens.
#[derive(Clone, Copy, Debug)]
pub struct RenewedRow<'a> {
    /// Sealed for `Place::Connection`.
    pub sealed: &'a [u8],
    /// What they are good for; none: as before.
    pub scopes: Option<&'a str>,
    /// When they were had.
    pub obtained_at: DateTime<Utc>,
    /// When the access token ends, if that is known.
    pub expires_at: Option<DateTime<Utc>>,
}

/// As Postgres returns it.
pub(crate) struct Row {
    pub tenant_id: Uuid,
    pub id: Uuid,
    pub server_id: Uuid,
    pub identity: String,
    pub issuer: String,
    pub sealed: Vec<u8>,
    pub version: i64,
    pub obtained_at: DateTime<Utc>,
    pub expires_at: Option<DateTime<Utc>>,
    pub renewable: bool,
    pub trouble: Option<String>,
}

impl From<Row> for SealedConnection {
    fn from(row: Row) -> Self {
        Self {
            tenant: row.tenant_id.into(),
            id: row.id.into(),
            server: row.server_id.into(),
            identity: row.identity,
            issuer: row.issuer,
            sealed: row.sealed,
            version: row.version,
            obtained_at: row.obtained_at,
            expires_at: row.expires_at,
            renewable: row.renewable,
            trouble: row.trouble,
        }
    }
}

impl SystemTx {
    /// The connection as it is now.
    pub async fn sealed_connection(
        &mut self,
        tenant: TenantId,
        id: ConnectionId,
    ) -> Result<Option<SealedConnection>, Error> {
        let row = sqlx::query_as!(
            Row,
            "SELECT tenant_id, id, server_id, identity, issuer, sealed, version, obtained_at, expires_at, renewable, trouble
             FROM connections WHERE tenant_id = $1 AND id = $2",
            tenant.uuid(),
            id.uuid()
        )
        .fetch_optional(self.connection())
        .await?;
        Ok(row.map(SealedConnection::from))
    }

    /// The connection of a server and identity.
    pub async fn sealed_connection_of(
        &mut self,
        tenant: TenantId,
        server: ServerId,
        identity: &str,
    ) -> Result<Option<SealedConnection>, Error> {
        let row = sqlx::query_as!(
            Row,
            "SELECT tenant_id, id, server_id, identity, issuer, sealed, version, obtained_at, expires_at, renewable, trouble
             FROM connections WHERE tenant_id = $1 AND server_id = $2 AND identity = $3",
            tenant.uuid(),
            server.uuid(),
            identity
        )
        .fetch_optional(self.connection())
        .await?;
        Ok(row.map(SealedConnection::from))
    }

    /// Takes the right to renew version `seen`, for `seconds`; none while somebody else has it, when the version is
    /// another one by now, or when there is nothing to renew.
    pub async fn take_renewal(
        &mut self,
        tenant: TenantId,
        id: ConnectionId,
        seen: i64,
        seconds: i32,
    ) -> Result<Option<SealedConnection>, Error> {
        let row = sqlx::query_as!(
            Row,
            "UPDATE connections SET renewing_until = clock_timestamp() + make_interval(secs => $4::integer)
             WHERE tenant_id = $1 AND id = $2 AND version = $3 AND renewable
                 AND (renewing_until IS NULL OR renewing_until < clock_timestamp())
             RETURNING tenant_id, id, server_id, identity, issuer, sealed, version, obtained_at, expires_at, renewable,
                 trouble",
            tenant.uuid(),
            id.uuid(),
            seen,
            seconds
        )
        .fetch_optional(self.connection())
        .await?;
        Ok(row.map(SealedConnection::from))
    }

    /// Stores newer tokens in the place of version `seen`; `false` when it is another one by now.
    pub async fn renew_connection(
        &mut self,
        tenant: TenantId,
        id: ConnectionId,
        seen: i64,
        renewed: RenewedRow<'_>,
    ) -> Result<bool, Error> {
        let done = sqlx::query!(
            "UPDATE connections SET sealed = $4, scopes = coalesce($5, scopes), obtained_at = $6, expires_at = $7,
                 version = version + 1, renewing_until = NULL, trouble = NULL
             WHERE tenant_id = $1 AND id = $2 AND version = $3",
            tenant.uuid(),
            id.uuid(),
            seen,
            renewed.sealed,
            renewed.scopes,
            renewed.obtained_at,
            renewed.expires_at
        )
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Gives the right to renew back, with nothing changed.
    pub async fn release_renewal(
        &mut self,
        tenant: TenantId,
        id: ConnectionId,
        seen: i64,
    ) -> Result<(), Error> {
        sqlx::query!(
            "UPDATE connections SET renewing_until = NULL WHERE tenant_id = $1 AND id = $2 AND version = $3",
            tenant.uuid(),
            id.uuid(),
            seen
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Writes down that version `seen` can't be renewed any more, and why.
    pub async fn end_renewals(
        &mut self,
        tenant: TenantId,
        id: ConnectionId,
        seen: i64,
        trouble: &str,
    ) -> Result<(), Error> {
        sqlx::query!(
            "UPDATE connections SET renewable = false, renewing_until = NULL, trouble = $4
             WHERE tenant_id = $1 AND id = $2 AND version = $3",
            tenant.uuid(),
            id.uuid(),
            seen,
            trouble
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Writes down that the upstream refuses version `seen`, in words.
    pub async fn note_trouble(
        &mut self,
        tenant: TenantId,
        id: ConnectionId,
        seen: i64,
        trouble: &str,
    ) -> Result<(), Error> {
        sqlx::query!(
            "UPDATE connections SET trouble = $4 WHERE tenant_id = $1 AND id = $2 AND version = $3",
            tenant.uuid(),
            id.uuid(),
            seen,
            trouble
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Takes `trouble` back, if it is what was written down of version `seen`.
    pub async fn clear_trouble(
        &mut self,
        tenant: TenantId,
        id: ConnectionId,
        seen: i64,
        trouble: &str,
    ) -> Result<(), Error> {
        sqlx::query!(
            "UPDATE connections SET trouble = NULL WHERE tenant_id = $1 AND id = $2 AND version = $3 AND trouble = $4",
            tenant.uuid(),
            id.uuid(),
            seen,
            trouble
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Writes down what the upstream asks for beyond the scopes that there are.
    pub async fn note_wanted_scopes(
        &mut self,
        tenant: TenantId,
        id: ConnectionId,
        scopes: &str,
    ) -> Result<(), Error> {
        sqlx::query!(
            "UPDATE connections SET wanted_scopes = $3 WHERE tenant_id = $1 AND id = $2",
            tenant.uuid(),
            id.uuid(),
            scopes
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }
}
