//! The tools that a server listed.

use chrono::{DateTime, Utc};
use domain::ServerId;
use serde_json::Value;

use crate::{Error, TenantTx};

/// A tool, as an upstream listed it.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolDefinition {
    /// As it is called.
    pub name: String,
    /// For people.
    pub title: Option<String>,
    /// The upstream's own words.
    pub description: Option<String>,
    /// JSON Schema of its arguments.
    pub input_schema: Value,
    /// The upstream's hints about itself.
    pub annotations: Option<Value>,
    /// Its output schema, icons and `_meta`, as members of one object; none: they were not kept when it was read.
    pub more: Option<Value>,
    /// SHA-256 of all of this.
    pub digest: [u8; 32],
}

/// A tool, as it is stored.
#[derive(Clone, Debug)]
pub struct ToolRow {
    /// What the upstream listed.
    pub definition: ToolDefinition,
    /// When its definition was last seen to differ.
    pub changed_at: DateTime<Utc>,
}

impl TenantTx {
    /// The tools of a server, in the upstream's order.
    pub async fn tools(&mut self, server: ServerId) -> Result<Vec<ToolRow>, Error> {
        let tenant = self.tenant().uuid();
        let rows = sqlx::query!(
            "SELECT name, title, description, input_schema, annotations, more, digest, changed_at
             FROM server_tools
             WHERE tenant_id = $1 AND server_id = $2
             ORDER BY position, name",
            tenant,
            server.uuid()
        )
        .fetch_all(self.connection())
        .await?;
        let rows = rows.into_iter().map(|row| ToolRow {
            definition: ToolDefinition {
                name: row.name,
                title: row.title,
                description: row.description,
                input_schema: row.input_schema,
                annotations: row.annotations,
                more: row.more,
                // A check constraint holds the length.
                digest: row.digest.try_into().unwrap_or_default(),
            },
            changed_at: row.changed_at,
        });
        Ok(rows.collect())
    }

    /// Forgets the tools of a server that are not among `names`.
    pub async fn delete_tools_except(&mut self, server: ServerId, names: &[String]) -> Result<(), Error> {
        let tenant = self.tenant().uuid();
        sqlx::query!(
            "DELETE FROM server_tools WHERE tenant_id = $1 AND server_id = $2 AND name <> ALL ($3)",
            tenant,
            server.uuid(),
            names
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Stores the tools of a server, in this order; one whose digest differs has changed now.
    pub async fn upsert_tools(
        &mut self,
        server: ServerId,
        tools: &[ToolDefinition],
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let tenant = self.tenant().uuid();
        let names: Vec<_> = tools.iter().map(|tool| tool.name.clone()).collect();
        let titles: Vec<_> = tools.iter().map(|tool| tool.title.clone()).collect();
        let descriptions: Vec<_> = tools.iter().map(|tool| tool.description.clone()).collect();
        let schemas: Vec<_> = tools.iter().map(|tool| tool.input_schema.clone()).collect();
        let annotations: Vec<_> = tools.iter().map(|tool| tool.annotations.clone()).collect();
        let more: Vec<_> = tools.iter().map(|tool| tool.more.clone()).collect();
        let digests: Vec<_> = tools.iter().map(|tool| tool.digest.to_vec()).collect();
        sqlx::query!(
            "INSERT INTO server_tools AS t (tenant_id, server_id, name, position, title, description, input_schema,
                 annotations, more, digest, first_seen_at, changed_at)
             SELECT $1, $2, n.name, n.position, n.title, n.description, n.input_schema, n.annotations, n.more, n.digest,
                 $10, $10
             FROM unnest($3::text[], $4::text[], $5::text[], $6::jsonb[], $7::jsonb[], $8::jsonb[], $9::bytea[])
                 WITH ORDINALITY AS n (name, title, description, input_schema, annotations, more, digest, position)
             ON CONFLICT ON CONSTRAINT server_tools_pkey DO UPDATE SET
                 position = excluded.position, title = excluded.title, description = excluded.description,
                 input_schema = excluded.input_schema, annotations = excluded.annotations, more = excluded.more,
                 digest = excluded.digest,
                 changed_at = CASE WHEN t.digest = excluded.digest THEN t.changed_at ELSE excluded.changed_at END",
            tenant,
            server.uuid(),
            &names,
            titles.as_slice() as _,
            descriptions.as_slice() as _,
            &schemas,
            annotations.as_slice() as _,
            more.as_slice() as _,
            &digests,
            now
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }
}
