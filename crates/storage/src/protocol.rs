//! What a server's settings say about the protocol, and which definitions of its tools were approved.

use domain::ServerId;

use crate::{Error, TenantTx};

/// What a server's settings say about the protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProtocolRow {
    /// Methods that no revision knows and that pass.
    pub custom_methods: Vec<String>,
    /// Tools are held to the definitions that were approved.
    pub pin_tools: bool,
}

impl TenantTx {
    /// The settings of a server; nothing when there is none.
    pub async fn protocol(&mut self, server: ServerId) -> Result<Option<ProtocolRow>, Error> {
        let tenant = self.tenant().uuid();
        let row = sqlx::query_as!(
            ProtocolRow,
            "SELECT custom_methods, pin_tools FROM servers WHERE tenant_id = $1 AND id = $2",
            tenant,
            server.uuid()
        )
        .fetch_optional(self.connection())
        .await?;
        Ok(row)
    }

    /// Replaces them; `false` when there is no such server.
    pub async fn set_protocol(&mut self, server: ServerId, settings: &ProtocolRow) -> Result<bool, Error> {
        let tenant = self.tenant().uuid();
        let done = sqlx::query!(
            "UPDATE servers SET custom_methods = $3, pin_tools = $4 WHERE tenant_id = $1 AND id = $2",
            tenant,
            server.uuid(),
            &settings.custom_methods,
            settings.pin_tools
        )
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Tools whose definition is not the one that was approved, in the upstream's order.
    pub async fn unapproved_tools(&mut self, server: ServerId) -> Result<Vec<String>, Error> {
        let tenant = self.tenant().uuid();
        let names = sqlx::query_scalar!(
            "SELECT name FROM server_tools
             WHERE tenant_id = $1 AND server_id = $2 AND approved_digest IS DISTINCT FROM digest
             ORDER BY position, name",
            tenant,
            server.uuid()
        )
        .fetch_all(self.connection())
        .await?;
        Ok(names)
    }

    /// Takes the approval of tools back, unless the configuration is another by now than at `epoch`: the names of those that were
    /// approved.
    pub async fn withdraw_approval(
        &mut self,
        server: ServerId,
        names: &[String],
        epoch: u64,
    ) -> Result<Vec<String>, Error> {
        let tenant = self.tenant().uuid();
        let withdrawn = sqlx::query_scalar!(
            "UPDATE server_tools SET approved_digest = NULL
             WHERE tenant_id = $1 AND server_id = $2 AND name = ANY ($3) AND approved_digest IS NOT NULL
                 AND EXISTS (SELECT 1 FROM tenants t WHERE t.id = $1 AND t.config_epoch = $4)
             RETURNING name",
            tenant,
            server.uuid(),
            names,
            i64::try_from(epoch).unwrap_or(i64::MAX)
        )
        .fetch_all(self.connection())
        .await?;
        Ok(withdrawn)
    }

    /// Approves tools as they are stored, all or those named: the names of those that were not approved so.
    pub async fn approve_tools(
        &mut self,
        server: ServerId,
        only: Option<&[String]>,
    ) -> Result<Vec<String>, Error> {
        let tenant = self.tenant().uuid();
        let names = sqlx::query_scalar!(
            "UPDATE server_tools SET approved_digest = digest
             WHERE tenant_id = $1 AND server_id = $2 AND ($3::text[] IS NULL OR name = ANY ($3))
                 AND approved_digest IS DISTINCT FROM digest
             RETURNING name",
            tenant,
            server.uuid(),
            only
        )
        .fetch_all(self.connection())
        .await?;
        Ok(names)
    }
}
