//! Who changed what.

use chrono::{DateTime, Utc};
use domain::{AdminEventId, TenantId};
use serde_json::Value;
use uuid::Uuid;

use crate::{Error, SystemTx, TenantTx};

/// One change, as it is stored.
#[derive(Clone, Debug)]
pub struct AdminEventRow {
    /// Ids rise with time.
    pub id: AdminEventId,
    /// When.
    pub at: DateTime<Utc>,
    /// `user`, `key`, `link` or `gateway`.
    pub actor_kind: String,
    /// The person, key or link; of a gateway, the grant that it served.
    pub actor_id: Uuid,
    /// As it was called then.
    pub actor_label: String,
    /// `grant.revoke`, ...
    pub action: String,
    /// What was changed.
    pub subject_id: Uuid,
    /// As it was called then.
    pub subject_label: String,
    /// What else there is to say.
    pub details: Value,
}

impl TenantTx {
    /// Writes a change down.
    pub async fn insert_event(&mut self, event: &AdminEventRow) -> Result<(), Error> {
        let tenant = self.tenant();
        insert(self.connection(), tenant, event).await
    }

    /// Events before `before`, newest first.
    pub async fn events(
        &mut self,
        before: Option<AdminEventId>,
        limit: i64,
    ) -> Result<Vec<AdminEventRow>, Error> {
        let tenant = self.tenant().uuid();
        let rows = sqlx::query!(
            "SELECT id, at, actor_kind, actor_id, actor_label, action, subject_id, subject_label, details
             FROM admin_events
             WHERE tenant_id = $1 AND ($2::uuid IS NULL OR id < $2)
             ORDER BY id DESC
             LIMIT $3",
            tenant,
            before.map(AdminEventId::uuid),
            limit
        )
        .fetch_all(self.connection())
        .await?;
        let rows = rows.into_iter().map(|row| AdminEventRow {
            id: row.id.into(),
            at: row.at,
            actor_kind: row.actor_kind,
            actor_id: row.actor_id,
            actor_label: row.actor_label,
            action: row.action,
            subject_id: row.subject_id,
            subject_label: row.subject_label,
            details: row.details,
        });
        Ok(rows.collect())
    }
}

impl SystemTx {
    /// Writes a change down, in an organisation that is being made.
    pub async fn insert_event(&mut self, tenant: TenantId, event: &AdminEventRow) -> Result<(), Error> {
        insert(self.connection(), tenant, event).await
    }
}

async fn insert(
    connection: &mut sqlx::PgConnection,
    tenant: TenantId,
    event: &AdminEventRow,
) -> Result<(), Error> {
    sqlx::query!(
        "INSERT INTO admin_events (tenant_id, id, at, actor_kind, actor_id, actor_label, action, subject_id,
             subject_label, details)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        tenant.uuid(),
        event.id.uuid(),
        event.at,
        event.actor_kind,
        event.actor_id,
        event.actor_label,
        event.action,
        event.subject_id,
        event.subject_label,
        event.details
    )
    .execute(connection)
    .await?;
    Ok(())
}
