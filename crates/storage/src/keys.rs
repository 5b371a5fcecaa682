//! Keys to the management API.

use chrono::{DateTime, Utc};
use domain::{ApiKeyId, Label, Role, TenantId};

use crate::{Error, SystemTx, TenantTx, read_role};

/// A key, without its token.
#[derive(Clone, Debug)]
pub struct KeyRow {
    /// The organisation.
    pub tenant: TenantId,
    /// The key.
    pub id: ApiKeyId,
    /// What it is for.
    pub label: String,
    /// What it may do.
    pub role: Role,
    /// The token's ends.
    pub hint: String,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at: DateTime<Utc>,
    /// It does not work from then on.
    pub expires_at: Option<DateTime<Utc>>,
    /// It has not worked since.
    pub revoked_at: Option<DateTime<Utc>>,
    /// To the minute.
    pub last_used_at: Option<DateTime<Utc>>,
}

/// A key to store.
#[derive(Clone, Debug)]
pub struct NewKeyRow<'a> {
    /// The key.
    pub id: ApiKeyId,
    /// What it is for.
    pub label: &'a Label,
    /// What it may do.
    pub role: Role,
    /// SHA-256 of its token.
    pub token_hash: [u8; 32],
    /// The token's ends.
    pub hint: &'a str,
    /// Who made it.
    pub created_by: &'a str,
    /// When.
    pub created_at: DateTime<Utc>,
    /// It does not work from then on.
    pub expires_at: Option<DateTime<Utc>>,
}

/// The columns of a [`KeyRow`], read from a record that has them.
macro_rules! key_row {
    ($row:expr) => {{
        let row = $row;
        Ok::<_, Error>(KeyRow {
            tenant: row.tenant_id.into(),
            id: row.id.into(),
            label: row.label,
            role: read_role(&row.role)?,
            hint: row.hint,
            created_by: row.created_by,
            created_at: row.created_at,
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
            last_used_at: row.last_used_at,
        })
    }};
}

impl TenantTx {
    /// A new key.
    pub async fn insert_key(&mut self, key: &NewKeyRow<'_>) -> Result<(), Error> {
        let tenant = self.tenant().uuid();
        sqlx::query!(
            "INSERT INTO api_keys
                 (tenant_id, id, label, role, token_hash, hint, created_by, created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            tenant,
            key.id.uuid(),
            key.label.as_str(),
            key.role.as_str(),
            key.token_hash.as_slice(),
            key.hint,
            key.created_by,
            key.created_at,
            key.expires_at
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// All keys, newest first; or the one of this id.
    pub async fn keys(&mut self, only: Option<ApiKeyId>) -> Result<Vec<KeyRow>, Error> {
        let tenant = self.tenant().uuid();
        let rows = sqlx::query!(
            "SELECT tenant_id, id, label, role, hint, created_by, created_at, expires_at, revoked_at, last_used_at
             FROM api_keys
             WHERE tenant_id = $1 AND ($2::uuid IS NULL OR id = $2)
             ORDER BY created_at DESC, id DESC
             LIMIT 2000",
            tenant,
            only.map(ApiKeyId::uuid)
        )
        .fetch_all(self.connection())
        .await?;
        rows.into_iter().map(|row| key_row!(row)).collect()
    }

    /// Takes a key back; `false` when it was before, or there is none.
    pub async fn revoke_key(&mut self, id: ApiKeyId, now: DateTime<Utc>) -> Result<bool, Error> {
        let tenant = self.tenant().uuid();
        let done = sqlx::query!(
            "UPDATE api_keys SET revoked_at = $3 WHERE tenant_id = $1 AND id = $2 AND revoked_at IS NULL",
            tenant,
            id.uuid(),
            now
        )
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() == 1)
    }
}

impl SystemTx {
    /// The key with this token (SHA-256), working or not.
    pub async fn key_by_token(&mut self, token_hash: &[u8; 32]) -> Result<Option<KeyRow>, Error> {
        let row = sqlx::query!(
            "SELECT tenant_id, id, label, role, hint, created_by, created_at, expires_at, revoked_at, last_used_at
             FROM api_keys WHERE token_hash = $1",
            token_hash.as_slice()
        )
        .fetch_optional(self.connection())
        .await?;
        row.map(|row| key_row!(row)).transpose()
    }

    /// The key of this id, working or not.
    pub async fn key_by_id(&mut self, tenant: TenantId, id: ApiKeyId) -> Result<Option<KeyRow>, Error> {
        let row = sqlx::query!(
            "SELECT tenant_id, id, label, role, hint, created_by, created_at, expires_at, revoked_at, last_used_at
             FROM api_keys WHERE tenant_id = $1 AND id = $2",
            tenant.uuid(),
            id.uuid()
        )
        .fetch_optional(self.connection())
        .await?;
        row.map(|row| key_row!(row)).transpose()
    }

    /// Notes that a key was used.
    pub async fn touch_key(
        &mut self,
        tenant: TenantId,
        id: ApiKeyId,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        sqlx::query!(
            "UPDATE api_keys SET last_used_at = $3 WHERE tenant_id = $1 AND id = $2",
            tenant.uuid(),
            id.uuid(),
            now
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }
}
