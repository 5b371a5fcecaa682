//! Connections to upstream servers, and who this installation is to their authorization servers, for one tenant.
//! Renewing belongs to no request of a tenant: see `renewals`.

use chrono::{DateTime, Utc};
use domain::{ConnectionId, ServerId};

use crate::renewals::Row;
use crate::{Error, SealedConnection, TenantTx};

/// This installation as a client of an authorization server.
#[derive(Clone, PartialEq, Eq)]
pub struct UpstreamClientRow {
    /// Who issued it.
    pub issuer: String,
    /// Its id there.
    pub client_id: String,
    /// Its secret, sealed for `Place::UpstreamClient`.
    pub sealed_secret: Option<Vec<u8>>,
    /// `none`, `client_secret_basic`, `client_secret_post`, `private_key_jwt`
    pub auth: String,
    /// Of a key that it signs with: the public key, as a JSON Web Key.
    pub public_key: Option<serde_json::Value>,
    /// Registered by the operator, and not by itself.
    pub by_hand: bool,
    /// Where people come back to, as it was registered.
    pub redirect_uri: String,
    /// Since when.
    pub created_at: DateTime<Utc>,
}

impl std::fmt::Debug for UpstreamClientRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "UpstreamClientRow({} at {})", self.client_id, self.issuer)
    }
}

/// A connection to store. It takes the place of the one of the same server and identity.
#[derive(Clone, Debug)]
pub struct NewConnectionRow<'a> {
    /// The connection.
    pub id: ConnectionId,
    /// The server that it is to.
    pub server: ServerId,
    /// Whose it is; empty: the whole organisation's.
    pub identity: &'a str,
    /// Who issued its tokens.
    pub issuer: &'a str,
    /// What they are for.
    pub resource: &'a str,
    /// What they are good for, with blanks between.
    pub scopes: &'a str,
    /// The tokens, sealed for `Place::Connection`.
    pub sealed: &'a [u8],
    /// When the access token ends, if that is known.
    pub expires_at: Option<DateTime<Utc>>,
    /// Whether there is a refresh token.
    pub renewable: bool,
    /// Who made it.
    pub connected_by: &'a str,
    /// Now.
    pub at: DateTime<Utc>,
}

/// A connection, without its tokens.
#[derive(Clone, Debug)]
pub struct ConnectionRow {
    /// The connection.
    pub id: ConnectionId,
    /// Whose it is; empty: the whole organisation's.
    pub identity: String,
    /// Who issued its tokens.
    pub issuer: String,
    /// What they are for.
    pub resource: String,
    /// What they are good for, with blanks between.
    pub scopes: String,
    /// What the upstream asked for beyond them.
    pub wanted_scopes: String,
    /// When the access token was had.
    pub obtained_at: DateTime<Utc>,
    /// When it ends, if that is known.
    pub expires_at: Option<DateTime<Utc>>,
    /// Whether another can be had.
    pub renewable: bool,
    /// Why it must be made anew, in words.
    pub trouble: Option<String>,
    /// Who made it.
    pub connected_by: String,
    /// When.
    pub connected_at: DateTime<Utc>,
}

impl TenantTx {
    /// Says how a server is logged in to; `false` when there is none.
    pub async fn set_login(&mut self, server: ServerId, login: &str) -> Result<bool, Error> {
        let tenant = self.tenant().uuid();
        let done = sqlx::query!(
            "UPDATE servers SET login = $3 WHERE tenant_id = $1 AND id = $2",
            tenant,
            server.uuid(),
            login
        )
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// The clients that this installation is for a server.
    pub async fn upstream_clients(&mut self, server: ServerId) -> Result<Vec<UpstreamClientRow>, Error> {
        let tenant = self.tenant().uuid();
        let rows = sqlx::query_as!(
            UpstreamClientRow,
            "SELECT issuer, client_id, sealed_secret, auth, public_key, by_hand, redirect_uri, created_at
             FROM upstream_clients WHERE tenant_id = $1 AND server_id = $2 ORDER BY created_at",
            tenant,
            server.uuid()
        )
        .fetch_all(self.connection())
        .await?;
        Ok(rows)
    }

    /// Stores a client in the place of the one of the same issuer. One that was registered by itself never takes the
    /// place of one that was registered by hand.
    pub async fn upsert_upstream_client(
        &mut self,
        server: ServerId,
        client: &UpstreamClientRow,
    ) -> Result<(), Error> {
        let tenant = self.tenant().uuid();
        sqlx::query!(
            "INSERT INTO upstream_clients AS known
                 (tenant_id, server_id, issuer, client_id, sealed_secret, auth, public_key, by_hand, redirect_uri, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
             ON CONFLICT (tenant_id, server_id, issuer) DO UPDATE
             SET client_id = excluded.client_id, sealed_secret = excluded.sealed_secret, auth = excluded.auth,
                 public_key = excluded.public_key, by_hand = excluded.by_hand, redirect_uri = excluded.redirect_uri, created_at = excluded.created_at
             WHERE excluded.by_hand OR NOT known.by_hand",
            tenant,
            server.uuid(),
            client.issuer,
            client.client_id,
            client.sealed_secret,
            client.auth,
            client.public_key,
            client.by_hand,
            client.redirect_uri,
            client.created_at
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Forgets the clients for a server; of one issuer only, where one is named.
    pub async fn delete_upstream_clients(
        &mut self,
        server: ServerId,
        issuer: Option<&str>,
    ) -> Result<(), Error> {
        let tenant = self.tenant().uuid();
        sqlx::query!(
            "DELETE FROM upstream_clients
             WHERE tenant_id = $1 AND server_id = $2 AND ($3::text IS NULL OR issuer = $3)",
            tenant,
            server.uuid(),
            issuer
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// The connections to a server, by identity.
    pub async fn connections(&mut self, server: ServerId) -> Result<Vec<ConnectionRow>, Error> {
        let tenant = self.tenant().uuid();
        let rows = sqlx::query_as!(
            ConnectionRow,
            "SELECT id, identity, issuer, resource, scopes, wanted_scopes, obtained_at, expires_at, renewable, trouble,
                 connected_by, connected_at
             FROM connections WHERE tenant_id = $1 AND server_id = $2 ORDER BY identity",
            tenant,
            server.uuid()
        )
        .fetch_all(self.connection())
        .await?;
        Ok(rows)
    }

    /// Stores a connection.
    pub async fn insert_connection(&mut self, connection: &NewConnectionRow<'_>) -> Result<(), Error> {
        let tenant = self.tenant().uuid();
        sqlx::query!(
            "DELETE FROM connections WHERE tenant_id = $1 AND server_id = $2 AND identity = $3",
            tenant,
            connection.server.uuid(),
            connection.identity
        )
        .execute(self.connection())
        .await?;
        sqlx::query!(
            "INSERT INTO connections (tenant_id, id, server_id, identity, issuer, resource, scopes, sealed, obtained_at,
                 expires_at, renewable, connected_by, connected_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $9)",
            tenant,
            connection.id.uuid(),
            connection.server.uuid(),
            connection.identity,
            connection.issuer,
            connection.resource,
            connection.scopes,
            connection.sealed,
            connection.at,
            connection.expires_at,
            connection.renewable,
            connection.connected_by
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Forgets connections to a server, all or those named: what they were, so that their tokens can be given back.
    pub async fn delete_connections(
        &mut self,
        server: ServerId,
        only: Option<&[ConnectionId]>,
    ) -> Result<Vec<SealedConnection>, Error> {
        let tenant = self.tenant().uuid();
        let only: Option<Vec<_>> = only.map(|ids| ids.iter().map(|id| id.uuid()).collect());
        let rows = sqlx::query_as!(
            Row,
            "DELETE FROM connections
             WHERE tenant_id = $1 AND server_id = $2 AND ($3::uuid[] IS NULL OR id = ANY ($3))
             RETURNING tenant_id, id, server_id, identity, issuer, sealed, version, obtained_at, expires_at, renewable,
                 trouble",
            tenant,
            server.uuid(),
            only.as_deref()
        )
        .fetch_all(self.connection())
        .await?;
        Ok(rows.into_iter().map(SealedConnection::from).collect())
    }
}
