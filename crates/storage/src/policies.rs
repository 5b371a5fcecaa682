//! Policies and their versions.

use chrono::{DateTime, Utc};
use domain::{Label, PolicyId, ServerId};

use crate::{Error, TenantTx};

/// A policy at the version in force.
#[derive(Clone, Debug)]
pub struct PolicyRow {
    /// The policy.
    pub id: PolicyId,
    /// The server whose tools it is about.
    pub server: ServerId,
    /// What people call it.
    pub name: String,
    /// The version in force.
    pub version: u32,
    /// When that was saved.
    pub saved_at: DateTime<Utc>,
    /// By whom.
    pub saved_by: String,
    /// Grants judged by it that work.
    pub grants: i64,
}

/// One version, without its text.
#[derive(Clone, Debug)]
pub struct VersionRow {
    /// From 1.
    pub version: u32,
    /// Lines that the version before does not have.
    pub added: u32,
    /// Lines of the version before that are gone.
    pub removed: u32,
    /// When.
    pub saved_at: DateTime<Utc>,
    /// By whom.
    pub saved_by: String,
}

/// The text of a version.
#[derive(Clone, Debug)]
pub struct DocumentRow {
    /// As it was written.
    pub document: String,
    /// When it was saved.
    pub saved_at: DateTime<Utc>,
    /// By whom.
    pub saved_by: String,
}

/// A version to store.
#[derive(Clone, Debug)]
pub struct NewVersionRow<'a> {
    /// The policy.
    pub policy: PolicyId,
    /// From 1.
    pub version: u32,
    /// As it was written.
    pub document: &'a str,
    /// Lines that the version before does not have.
    pub added: u32,
    /// Lines of the version before that are gone.
    pub removed: u32,
    /// By whom.
    pub saved_by: &'a str,
    /// When.
    pub saved_at: DateTime<Utc>,
}

/// The database counts with a sign, and no further than this.
fn stored(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

impl TenantTx {
    /// A new policy at version 1, which must follow in the same transaction. [`crate::Constraint::PolicyNameTaken`],
    /// [`crate::Constraint::ServerGone`].
    pub async fn insert_policy(
        &mut self,
        id: PolicyId,
        server: ServerId,
        name: &Label,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let tenant = self.tenant().uuid();
        sqlx::query!(
            "INSERT INTO policies (tenant_id, id, server_id, name, version, created_at)
             VALUES ($1, $2, $3, $4, 1, $5)",
            tenant,
            id.uuid(),
            server.uuid(),
            name.as_str(),
            now
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// A new version; [`crate::Constraint::PolicyVersionTaken`].
    pub async fn insert_version(&mut self, version: &NewVersionRow<'_>) -> Result<(), Error> {
        let tenant = self.tenant().uuid();
        sqlx::query!(
            "INSERT INTO policy_versions
                 (tenant_id, policy_id, version, document, added, removed, created_by, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            tenant,
            version.policy.uuid(),
            stored(version.version),
            version.document,
            stored(version.added),
            stored(version.removed),
            version.saved_by,
            version.saved_at
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Puts the version after `expected` in force; `false` when another one than that is in force by now.
    pub async fn advance_policy(&mut self, id: PolicyId, expected: u32) -> Result<bool, Error> {
        let tenant = self.tenant().uuid();
        let done = sqlx::query!(
            "UPDATE policies SET version = version + 1 WHERE tenant_id = $1 AND id = $2 AND version = $3",
            tenant,
            id.uuid(),
            stored(expected)
        )
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Policies by server and name: of all servers, of one, or the one of this id.
    pub async fn policies(
        &mut self,
        server: Option<ServerId>,
        only: Option<PolicyId>,
        now: DateTime<Utc>,
    ) -> Result<Vec<PolicyRow>, Error> {
        let tenant = self.tenant().uuid();
        let rows = sqlx::query!(
            r#"SELECT p.id, p.server_id, p.name, p.version, v.created_at, v.created_by,
                 (SELECT count(*) FROM grants g
                  WHERE g.tenant_id = p.tenant_id AND g.policy_id = p.id AND g.revoked_at IS NULL
                      AND (g.expires_at IS NULL OR g.expires_at > $4)) AS "grants!"
               FROM policies p
               JOIN policy_versions v
                 ON v.tenant_id = p.tenant_id AND v.policy_id = p.id AND v.version = p.version
               WHERE p.tenant_id = $1 AND ($2::uuid IS NULL OR p.server_id = $2) AND ($3::uuid IS NULL OR p.id = $3)
               ORDER BY p.server_id, p.name"#,
            tenant,
            server.map(ServerId::uuid),
            only.map(PolicyId::uuid),
            now
        )
        .fetch_all(self.connection())
        .await?;
        let rows = rows.into_iter().map(|row| PolicyRow {
            id: row.id.into(),
            server: row.server_id.into(),
            name: row.name,
            version: row.version.unsigned_abs(),
            saved_at: row.created_at,
            saved_by: row.created_by,
            grants: row.grants,
        });
        Ok(rows.collect())
    }

    /// The versions of a policy, newest first, at most 1000.
    pub async fn versions(&mut self, policy: PolicyId) -> Result<Vec<VersionRow>, Error> {
        let tenant = self.tenant().uuid();
        let rows = sqlx::query!(
            "SELECT version, added, removed, created_at, created_by
             FROM policy_versions
             WHERE tenant_id = $1 AND policy_id = $2
             ORDER BY version DESC
             LIMIT 1000",
            tenant,
            policy.uuid()
        )
        .fetch_all(self.connection())
        .await?;
        let rows = rows.into_iter().map(|row| VersionRow {
            version: row.version.unsigned_abs(),
            added: row.added.unsigned_abs(),
            removed: row.removed.unsigned_abs(),
            saved_at: row.created_at,
            saved_by: row.created_by,
        });
        Ok(rows.collect())
    }

    /// The text of a version.
    pub async fn document(&mut self, policy: PolicyId, version: u32) -> Result<Option<DocumentRow>, Error> {
        let tenant = self.tenant().uuid();
        let row = sqlx::query!(
            "SELECT document, created_at, created_by
             FROM policy_versions
             WHERE tenant_id = $1 AND policy_id = $2 AND version = $3",
            tenant,
            policy.uuid(),
            stored(version)
        )
        .fetch_optional(self.connection())
        .await?;
        Ok(row.map(|row| DocumentRow {
            document: row.document,
            saved_at: row.created_at,
            saved_by: row.created_by,
        }))
    }

    /// Renames a policy; `false` when there is none. [`crate::Constraint::PolicyNameTaken`].
    pub async fn rename_policy(&mut self, id: PolicyId, name: &Label) -> Result<bool, Error> {
        let tenant = self.tenant().uuid();
        let done = sqlx::query!(
            "UPDATE policies SET name = $3 WHERE tenant_id = $1 AND id = $2",
            tenant,
            id.uuid(),
            name.as_str()
        )
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Takes a policy off the grants that don't work any more.
    pub async fn detach_from_ended(&mut self, policy: PolicyId, now: DateTime<Utc>) -> Result<(), Error> {
        let tenant = self.tenant().uuid();
        sqlx::query!(
            "UPDATE grants SET policy_id = NULL
             WHERE tenant_id = $1 AND policy_id = $2 AND (revoked_at IS NOT NULL OR expires_at <= $3)",
            tenant,
            policy.uuid(),
            now
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Deletes a policy with its versions; `false` when there is none. [`crate::Constraint::GrantPolicy`] while a grant
    /// has it.
    pub async fn delete_policy(&mut self, id: PolicyId) -> Result<bool, Error> {
        let tenant = self.tenant().uuid();
        let done = sqlx::query!("DELETE FROM policies WHERE tenant_id = $1 AND id = $2", tenant, id.uuid())
            .execute(self.connection())
            .await?;
        Ok(done.rows_affected() == 1)
    }
}
