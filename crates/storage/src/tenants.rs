//! Organisations and who belongs to them.

use chrono::{DateTime, Utc};
use domain::{Label, Role, Slug, TenantId, UserId};

use crate::{Error, SystemTx, TenantTx};

/// An organisation, with what it has.
#[derive(Clone, Debug)]
pub struct TenantRow {
    /// Its part of the address.
    pub slug: String,
    /// What people call it.
    pub name: String,
    /// Since when.
    pub created_at: DateTime<Utc>,
    /// Servers.
    pub servers: i64,
    /// Policies.
    pub policies: i64,
    /// Grants that work.
    pub grants: i64,
}

impl SystemTx {
    /// A new organisation; `false` when the slug is taken.
    pub async fn insert_tenant(
        &mut self,
        id: TenantId,
        slug: &Slug,
        name: &Label,
        now: DateTime<Utc>,
    ) -> Result<bool, Error> {
        let done = sqlx::query!(
            "INSERT INTO tenants (id, slug, name, created_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT ON CONSTRAINT tenants_slug_key DO NOTHING",
            id.uuid(),
            slug.as_str(),
            name.as_str(),
            now
        )
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Makes a person a member.
    pub async fn insert_membership(
        &mut self,
        tenant: TenantId,
        user: UserId,
        role: Role,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        sqlx::query!(
            "INSERT INTO memberships (tenant_id, user_id, role, created_at) VALUES ($1, $2, $3, $4)",
            tenant.uuid(),
            user.uuid(),
            role.as_str(),
            now
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }
}

impl TenantTx {
    /// The organisation itself.
    pub async fn organisation(&mut self, now: DateTime<Utc>) -> Result<Option<TenantRow>, Error> {
        let tenant = self.tenant().uuid();
        let row = sqlx::query!(
            r#"SELECT t.slug, t.name, t.created_at,
                 (SELECT count(*) FROM servers s WHERE s.tenant_id = t.id) AS "servers!",
                 (SELECT count(*) FROM policies p WHERE p.tenant_id = t.id) AS "policies!",
                 (SELECT count(*) FROM grants g WHERE g.tenant_id = t.id AND g.revoked_at IS NULL
                      AND (g.expires_at IS NULL OR g.expires_at > $2)) AS "grants!"
               FROM tenants t WHERE t.id = $1"#,
            tenant,
            now
        )
        .fetch_optional(self.connection())
        .await?;
        Ok(row.map(|row| TenantRow {
            slug: row.slug,
            name: row.name,
            created_at: row.created_at,
            servers: row.servers,
            policies: row.policies,
            grants: row.grants,
        }))
    }

    /// Renames the organisation.
    pub async fn rename_organisation(&mut self, name: &Label) -> Result<(), Error> {
        let tenant = self.tenant().uuid();
        sqlx::query!("UPDATE tenants SET name = $2 WHERE id = $1", tenant, name.as_str())
            .execute(self.connection())
            .await?;
        Ok(())
    }
}
