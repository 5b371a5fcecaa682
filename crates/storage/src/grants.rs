//! Grants.

use chrono::{DateTime, Utc};
use domain::{GrantId, Identity, Label, PolicyId, ServerId};

use crate::{Error, TenantTx};

/// A grant, without its token.
#[derive(Clone, Debug)]
pub struct GrantRow {
    /// The grant.
    pub id: GrantId,
    /// The server it lets call.
    pub server: ServerId,
    /// That server's name.
    pub server_name: String,
    /// What judges its calls.
    pub policy: Option<GrantPolicyRow>,
    /// What it is for.
    pub label: String,
    /// Who acts through it.
    pub identity: String,
    /// The token's ends.
    pub hint: String,
    /// Who minted it.
    pub created_by: String,
    /// When.
    pub created_at: DateTime<Utc>,
    /// When its token was last replaced.
    pub rotated_at: Option<DateTime<Utc>>,
    /// It does not work from then on.
    pub expires_at: Option<DateTime<Utc>>,
    /// It has not worked since.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// The policy of a grant.
#[derive(Clone, Debug)]
pub struct GrantPolicyRow {
    /// The policy.
    pub id: PolicyId,
    /// What people call it.
    pub name: String,
    /// The version in force.
    pub version: u32,
}

/// A token to store: never the token itself.
#[derive(Clone)]
pub struct TokenRow {
    /// SHA-256 of it.
    pub hash: [u8; 32],
    /// Sealed by the vault.
    pub sealed: Vec<u8>,
    /// Its ends.
    pub hint: String,
}

/// A grant to store.
#[derive(Clone)]
pub struct NewGrantRow<'a> {
    /// The grant.
    pub id: GrantId,
    /// The server it lets call.
    pub server: ServerId,
    /// What judges its calls.
    pub policy: Option<PolicyId>,
    /// What it is for.
    pub label: &'a Label,
    /// Who acts through it.
    pub identity: &'a Identity,
    /// Its token.
    pub token: &'a TokenRow,
    /// Who minted it.
    pub created_by: &'a str,
    /// When.
    pub created_at: DateTime<Utc>,
    /// It does not work from then on.
    pub expires_at: Option<DateTime<Utc>>,
}

impl TenantTx {
    /// A new grant. [`crate::Constraint::ServerGone`]; [`crate::Constraint::GrantPolicy`] for a policy that is not one of
    /// the server.
    pub async fn insert_grant(&mut self, grant: &NewGrantRow<'_>) -> Result<(), Error> {
        let tenant = self.tenant().uuid();
        sqlx::query!(
            "INSERT INTO grants (tenant_id, id, server_id, policy_id, label, identity, token_hash, sealed_token, hint,
                 created_by, created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
            tenant,
            grant.id.uuid(),
            grant.server.uuid(),
            grant.policy.map(PolicyId::uuid),
            grant.label.as_str(),
            grant.identity.as_str(),
            grant.token.hash.as_slice(),
            grant.token.sealed,
            grant.token.hint,
            grant.created_by,
            grant.created_at,
            grant.expires_at
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Grants: of all servers, of one, or the one of this id. Working ones first, then newest first, at most 2000.
    pub async fn grants(
        &mut self,
        server: Option<ServerId>,
        only: Option<GrantId>,
        now: DateTime<Utc>,
    ) -> Result<Vec<GrantRow>, Error> {
        let tenant = self.tenant().uuid();
        let rows = sqlx::query!(
            r#"SELECT g.id, g.server_id, s.name AS server_name, p.id AS "policy_id?", p.name AS "policy_name?",
                 p.version AS "policy_version?", g.label, g.identity, g.hint, g.created_by, g.created_at, g.rotated_at,
                 g.expires_at, g.revoked_at
               FROM grants g
               JOIN servers s ON s.tenant_id = g.tenant_id AND s.id = g.server_id
               LEFT JOIN policies p ON p.tenant_id = g.tenant_id AND p.id = g.policy_id
               WHERE g.tenant_id = $1 AND ($2::uuid IS NULL OR g.server_id = $2) AND ($3::uuid IS NULL OR g.id = $3)
               ORDER BY g.revoked_at IS NOT NULL OR (g.expires_at IS NOT NULL AND g.expires_at <= $4),
                   g.created_at DESC, g.id DESC
               LIMIT 2000"#,
            tenant,
            server.map(ServerId::uuid),
            only.map(GrantId::uuid),
            now
        )
        .fetch_all(self.connection())
        .await?;
        let rows = rows.into_iter().map(|row| GrantRow {
            id: row.id.into(),
            server: row.server_id.into(),
            server_name: row.server_name,
            policy: match (row.policy_id, row.policy_name, row.policy_version) {
                (Some(id), Some(name), Some(version)) => {
                    Some(GrantPolicyRow { id: id.into(), name, version: version.unsigned_abs() })
                }
                _ => None,
            },
            label: row.label,
            identity: row.identity,
            hint: row.hint,
            created_by: row.created_by,
            created_at: row.created_at,
            rotated_at: row.rotated_at,
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
        });
        Ok(rows.collect())
    }

    /// How many grants of a server work.
    pub async fn count_grants(&mut self, server: ServerId, now: DateTime<Utc>) -> Result<i64, Error> {
        let tenant = self.tenant().uuid();
        let count = sqlx::query_scalar!(
            r#"SELECT count(*) AS "count!" FROM grants
               WHERE tenant_id = $1 AND server_id = $2 AND revoked_at IS NULL
                   AND (expires_at IS NULL OR expires_at > $3)"#,
            tenant,
            server.uuid(),
            now
        )
        .fetch_one(self.connection())
        .await?;
        Ok(count)
    }

    /// The sealed token of a grant that is not revoked.
    pub async fn sealed_token(&mut self, id: GrantId) -> Result<Option<Vec<u8>>, Error> {
        let tenant = self.tenant().uuid();
        let sealed = sqlx::query_scalar!(
            "SELECT sealed_token FROM grants WHERE tenant_id = $1 AND id = $2 AND revoked_at IS NULL",
            tenant,
            id.uuid()
        )
        .fetch_optional(self.connection())
        .await?;
        Ok(sealed)
    }

    /// Replaces the token; `false` when the grant is revoked, or there is none.
    pub async fn rotate_grant(
        &mut self,
        id: GrantId,
        token: &TokenRow,
        now: DateTime<Utc>,
    ) -> Result<bool, Error> {
        let tenant = self.tenant().uuid();
        let done = sqlx::query!(
            "UPDATE grants SET token_hash = $3, sealed_token = $4, hint = $5, rotated_at = $6
             WHERE tenant_id = $1 AND id = $2 AND revoked_at IS NULL",
            tenant,
            id.uuid(),
            token.hash.as_slice(),
            token.sealed,
            token.hint,
            now
        )
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Takes a grant back; `false` when it was before, or there is none.
    pub async fn revoke_grant(&mut self, id: GrantId, now: DateTime<Utc>) -> Result<bool, Error> {
        let tenant = self.tenant().uuid();
        let done = sqlx::query!(
            "UPDATE grants SET revoked_at = $3 WHERE tenant_id = $1 AND id = $2 AND revoked_at IS NULL",
            tenant,
            id.uuid(),
            now
        )
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Puts a grant under a policy of its server, or none; `false` when the grant is revoked, or there is none.
    /// [`crate::Constraint::GrantPolicy`].
    pub async fn attach_policy(&mut self, id: GrantId, policy: Option<PolicyId>) -> Result<bool, Error> {
        let tenant = self.tenant().uuid();
        let done = sqlx::query!(
            "UPDATE grants SET policy_id = $3 WHERE tenant_id = $1 AND id = $2 AND revoked_at IS NULL",
            tenant,
            id.uuid(),
            policy.map(PolicyId::uuid)
        )
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Sets when a grant ends; `false` when it is revoked, or there is none.
    pub async fn set_grant_expiry(
        &mut self,
        id: GrantId,
        expires_at: Option<DateTime<Utc>>,
    ) -> Result<bool, Error> {
        let tenant = self.tenant().uuid();
        let done = sqlx::query!(
            "UPDATE grants SET expires_at = $3 WHERE tenant_id = $1 AND id = $2 AND revoked_at IS NULL",
            tenant,
            id.uuid(),
            expires_at
        )
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() == 1)
    }
}
