//! Upstream servers and the sealed headers that are sent to them.

use chrono::{DateTime, Utc};
use domain::{Label, ServerId, UpstreamUrl};

use crate::directory::SealedHeader;
use crate::{Error, TenantTx};

/// What the last look at an upstream found.
#[derive(Clone, Debug)]
pub struct Sighting<'a> {
    /// `ready`, `down`, ...
    pub state: &'a str,
    /// The same in a sentence.
    pub message: &'a str,
    /// Of MCP.
    pub protocol_version: Option<&'a str>,
    /// What it calls itself.
    pub upstream_name: Option<&'a str>,
    /// When.
    pub at: DateTime<Utc>,
}

/// A server to store.
#[derive(Clone, Debug)]
pub struct NewServerRow<'a> {
    /// The server.
    pub id: ServerId,
    /// What people call it.
    pub name: &'a Label,
    /// Where calls go.
    pub upstream_url: &'a UpstreamUrl,
    /// The catalogue entry it was made from.
    pub catalogue_entry: Option<&'a str>,
    /// What a look at it found.
    pub sighting: Sighting<'a>,
    /// Since when.
    pub created_at: DateTime<Utc>,
}

/// A server, with what it has.
#[derive(Clone, Debug)]
pub struct ServerRow {
    /// The server.
    pub id: ServerId,
    /// What people call it.
    pub name: String,
    /// Where calls go.
    pub upstream_url: String,
    /// The catalogue entry it was made from.
    pub catalogue_entry: Option<String>,
    /// `ready`, `down`, ...
    pub state: String,
    /// The same in a sentence.
    pub state_message: String,
    /// Of MCP.
    pub protocol_version: Option<String>,
    /// What it calls itself.
    pub upstream_name: Option<String>,
    /// When it was last looked at.
    pub checked_at: DateTime<Utc>,
    /// Since when.
    pub created_at: DateTime<Utc>,
    /// How it is logged in to: `headers`, `shared`, `identity`.
    pub login: String,
    /// Names of its headers, sorted.
    pub header_names: Vec<String>,
    /// Tools.
    pub tools: i64,
    /// Policies.
    pub policies: i64,
    /// Grants that work.
    pub grants: i64,
}

impl TenantTx {
    /// A new server; [`crate::Constraint::ServerNameTaken`].
    pub async fn insert_server(&mut self, server: &NewServerRow<'_>) -> Result<(), Error> {
        let tenant = self.tenant().uuid();
        sqlx::query!(
            "INSERT INTO servers (tenant_id, id, name, upstream_url, catalogue_entry, state, state_message,
                 protocol_version, upstream_name, checked_at, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            tenant,
            server.id.uuid(),
            server.name.as_str(),
            server.upstream_url.as_str(),
            server.catalogue_entry,
            server.sighting.state,
            server.sighting.message,
            server.sighting.protocol_version,
            server.sighting.upstream_name,
            server.sighting.at,
            server.created_at
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// All servers by name, or the one of this id.
    pub async fn servers(
        &mut self,
        only: Option<ServerId>,
        now: DateTime<Utc>,
    ) -> Result<Vec<ServerRow>, Error> {
        let tenant = self.tenant().uuid();
        let rows = sqlx::query!(
            r#"SELECT s.id, s.name, s.upstream_url, s.catalogue_entry, s.state, s.state_message,
                 s.protocol_version, s.upstream_name, s.checked_at, s.created_at, s.login,
                 ARRAY(SELECT c.name FROM sealed_credentials c
                       WHERE c.tenant_id = s.tenant_id AND c.server_id = s.id ORDER BY c.name) AS "header_names!",
                 (SELECT count(*) FROM server_tools t
                  WHERE t.tenant_id = s.tenant_id AND t.server_id = s.id) AS "tools!",
                 (SELECT count(*) FROM policies p
                  WHERE p.tenant_id = s.tenant_id AND p.server_id = s.id) AS "policies!",
                 (SELECT count(*) FROM grants g
                  WHERE g.tenant_id = s.tenant_id AND g.server_id = s.id AND g.revoked_at IS NULL
                      AND (g.expires_at IS NULL OR g.expires_at > $3)) AS "grants!"
               FROM servers s
               WHERE s.tenant_id = $1 AND ($2::uuid IS NULL OR s.id = $2)
               ORDER BY s.name"#,
            tenant,
            only.map(ServerId::uuid),
            now
        )
        .fetch_all(self.connection())
        .await?;
        let rows = rows.into_iter().map(|row| ServerRow {
            id: row.id.into(),
            name: row.name,
            upstream_url: row.upstream_url,
            catalogue_entry: row.catalogue_entry,
            state: row.state,
            state_message: row.state_message,
            protocol_version: row.protocol_version,
            upstream_name: row.upstream_name,
            checked_at: row.checked_at,
            created_at: row.created_at,
            login: row.login,
            header_names: row.header_names,
            tools: row.tools,
            policies: row.policies,
            grants: row.grants,
        });
        Ok(rows.collect())
    }

    /// Renames a server and points it somewhere; `false` when there is none. [`crate::Constraint::ServerNameTaken`].
    pub async fn update_server(
        &mut self,
        id: ServerId,
        name: &Label,
        upstream_url: &UpstreamUrl,
    ) -> Result<bool, Error> {
        let tenant = self.tenant().uuid();
        let done = sqlx::query!(
            "UPDATE servers SET name = $3, upstream_url = $4 WHERE tenant_id = $1 AND id = $2",
            tenant,
            id.uuid(),
            name.as_str(),
            upstream_url.as_str()
        )
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Writes down what a look at a server of this address found; `false` when there is none, or it points elsewhere by
    /// now.
    pub async fn note_sighting(
        &mut self,
        id: ServerId,
        upstream_url: &UpstreamUrl,
        sighting: &Sighting<'_>,
    ) -> Result<bool, Error> {
        let tenant = self.tenant().uuid();
        let done = sqlx::query!(
            "UPDATE servers SET state = $4, state_message = $5, protocol_version = $6, upstream_name = $7,
                 checked_at = $8
             WHERE tenant_id = $1 AND id = $2 AND upstream_url = $3",
            tenant,
            id.uuid(),
            upstream_url.as_str(),
            sighting.state,
            sighting.message,
            sighting.protocol_version,
            sighting.upstream_name,
            sighting.at
        )
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Deletes a server with all it has; `false` when there is none.
    pub async fn delete_server(&mut self, id: ServerId) -> Result<bool, Error> {
        let tenant = self.tenant().uuid();
        let done = sqlx::query!("DELETE FROM servers WHERE tenant_id = $1 AND id = $2", tenant, id.uuid())
            .execute(self.connection())
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Stores a sealed header.
    pub async fn insert_credential(
        &mut self,
        server: ServerId,
        header: &SealedHeader,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let tenant = self.tenant().uuid();
        sqlx::query!(
            "INSERT INTO sealed_credentials (tenant_id, server_id, name, sealed, created_at)
             VALUES ($1, $2, $3, $4, $5)",
            tenant,
            server.uuid(),
            header.name,
            header.sealed,
            now
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// The sealed headers of a server, by name.
    pub async fn credentials(&mut self, server: ServerId) -> Result<Vec<SealedHeader>, Error> {
        let tenant = self.tenant().uuid();
        let rows = sqlx::query_as!(
            SealedHeader,
            "SELECT name, sealed FROM sealed_credentials WHERE tenant_id = $1 AND server_id = $2 ORDER BY name",
            tenant,
            server.uuid()
        )
        .fetch_all(self.connection())
        .await?;
        Ok(rows)
    }

    /// Forgets the headers of a server.
    pub async fn delete_credentials(&mut self, server: ServerId) -> Result<(), Error> {
        let tenant = self.tenant().uuid();
        sqlx::query!(
            "DELETE FROM sealed_credentials WHERE tenant_id = $1 AND server_id = $2",
            tenant,
            server.uuid()
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }
}
