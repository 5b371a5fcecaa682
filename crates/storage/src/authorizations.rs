//! Connecting under way: links that were sent out, and what was asked of an authorization server.

use chrono::{DateTime, Utc};
use domain::{ConnectLinkId, ServerId, TenantId, UserId};

use crate::{Error, SystemTx, TenantTx};

/// A link to store.
#[derive(Clone, Debug)]
pub struct NewConnectLinkRow<'a> {
    /// The link.
    pub id: ConnectLinkId,
    /// The server that it connects.
    pub server: ServerId,
    /// For whom; empty: the whole organisation.
    pub identity: &'a str,
    /// SHA-256 of its token.
    pub token_hash: [u8; 32],
    /// Who made it.
    pub created_by: &'a str,
    /// Now.
    pub created_at: DateTime<Utc>,
    /// It does not work from then on.
    pub expires_at: DateTime<Utc>,
}

/// A link.
#[derive(Clone, Debug)]
pub struct ConnectLinkRow {
    /// The organisation.
    pub tenant: TenantId,
    /// The link.
    pub id: ConnectLinkId,
    /// The server that it connects.
    pub server: ServerId,
    /// For whom; empty: the whole organisation.
    pub identity: String,
    /// Who made it.
    pub created_by: String,
    /// It does not work from then on.
    pub expires_at: DateTime<Utc>,
}

/// What was asked, sealed.
#[derive(Clone)]
pub struct AuthorizationRow {
    /// The organisation.
    pub tenant: TenantId,
    /// The server that is being connected.
    pub server: ServerId,
    /// For whom; empty: the whole organisation.
    pub identity: String,
    /// SHA-256 of what only the browser that was sent away has.
    pub browser: [u8; 32],
    /// Who was sent away, if they are logged in here.
    pub user: Option<UserId>,
    /// The link by which they came, else.
    pub link: Option<ConnectLinkId>,
    /// Sealed for `Place::Authorization`.
    pub sealed: Vec<u8>,
    /// An answer counts until then.
    pub expires_at: DateTime<Utc>,
}

impl std::fmt::Debug for AuthorizationRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AuthorizationRow({}, {})", self.tenant, self.server)
    }
}

impl TenantTx {
    /// Stores a link.
    pub async fn insert_connect_link(&mut self, link: &NewConnectLinkRow<'_>) -> Result<(), Error> {
        let tenant = self.tenant().uuid();
        sqlx::query!(
            "INSERT INTO connect_links (tenant_id, id, server_id, identity, token_hash, created_by, created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            tenant,
            link.id.uuid(),
            link.server.uuid(),
            link.identity,
            link.token_hash.as_slice(),
            link.created_by,
            link.created_at,
            link.expires_at
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Uses a link up; `false` when that was done before.
    pub async fn use_connect_link(&mut self, id: ConnectLinkId) -> Result<bool, Error> {
        let tenant = self.tenant().uuid();
        let done =
            sqlx::query!("DELETE FROM connect_links WHERE tenant_id = $1 AND id = $2", tenant, id.uuid())
                .execute(self.connection())
                .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Forgets links and questions of the tenant whose time is over, and says how many questions about this server are
    /// still open.
    pub async fn sweep_authorizations(&mut self, server: ServerId, now: DateTime<Utc>) -> Result<i64, Error> {
        let tenant = self.tenant().uuid();
        sqlx::query!("DELETE FROM authorizations WHERE tenant_id = $1 AND expires_at <= $2", tenant, now)
            .execute(self.connection())
            .await?;
        sqlx::query!("DELETE FROM connect_links WHERE tenant_id = $1 AND expires_at <= $2", tenant, now)
            .execute(self.connection())
            .await?;
        let open = sqlx::query_scalar!(
            r#"SELECT count(*) AS "open!" FROM authorizations WHERE tenant_id = $1 AND server_id = $2"#,
            tenant,
            server.uuid()
        )
        .fetch_one(self.connection())
        .await?;
        Ok(open)
    }

    /// Remembers what was asked, under the SHA-256 of the state that the answer will bring.
    pub async fn insert_authorization(
        &mut self,
        state_hash: &[u8; 32],
        row: &AuthorizationRow,
    ) -> Result<(), Error> {
        let tenant = self.tenant().uuid();
        sqlx::query!(
            "INSERT INTO authorizations
                 (tenant_id, state_hash, server_id, identity, browser, user_id, link_id, sealed, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            tenant,
            state_hash.as_slice(),
            row.server.uuid(),
            row.identity,
            row.browser.as_slice(),
            row.user.map(UserId::uuid),
            row.link.map(ConnectLinkId::uuid),
            row.sealed,
            row.expires_at
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }
}

impl SystemTx {
    /// The link with this token (SHA-256).
    pub async fn connect_link(&mut self, token_hash: &[u8; 32]) -> Result<Option<ConnectLinkRow>, Error> {
        let row = sqlx::query!(
            "SELECT tenant_id, id, server_id, identity, created_by, expires_at FROM connect_links WHERE token_hash = $1",
            token_hash.as_slice()
        )
        .fetch_optional(self.connection())
        .await?;
        Ok(row.map(|row| ConnectLinkRow {
            tenant: row.tenant_id.into(),
            id: row.id.into(),
            server: row.server_id.into(),
            identity: row.identity,
            created_by: row.created_by,
            expires_at: row.expires_at,
        }))
    }

    /// Takes what was asked under this state (SHA-256) from this browser out for good: an answer counts once. That of
    /// another browser finds nothing, and leaves everything as it is.
    pub async fn take_authorization(
        &mut self,
        state_hash: &[u8; 32],
        browser: &[u8; 32],
    ) -> Result<Option<AuthorizationRow>, Error> {
        let row = sqlx::query!(
            "DELETE FROM authorizations WHERE state_hash = $1 AND browser = $2
             RETURNING tenant_id, server_id, identity, user_id, link_id, sealed, expires_at",
            state_hash.as_slice(),
            browser.as_slice()
        )
        .fetch_optional(self.connection())
        .await?;
        Ok(row.map(|row| AuthorizationRow {
            tenant: row.tenant_id.into(),
            server: row.server_id.into(),
            identity: row.identity,
            browser: *browser,
            user: row.user_id.map(UserId::from),
            link: row.link_id.map(ConnectLinkId::from),
            sealed: row.sealed,
            expires_at: row.expires_at,
        }))
    }
}
