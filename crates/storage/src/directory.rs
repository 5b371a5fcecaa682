//! What the gateway must know of a grant to judge its calls, read in one statement and so from one snapshot.

use chrono::{DateTime, Utc};
use domain::{GrantId, PolicyId, ServerId, TenantId};

use crate::{Error, SealedConnection, SystemTx};

/// A grant, its server, its policy and the tools last seen there, as they stood at `epoch`.
#[derive(Clone, Debug)]
pub struct GrantView {
    /// The organisation.
    pub tenant: TenantId,
    /// The epoch of the organisation's configuration that all of this was read at.
    pub epoch: u64,
    /// The grant.
    pub grant: GrantId,
    /// Its label.
    pub grant_label: String,
    /// Who acts through it.
    pub identity: String,
    /// It does not work from then on.
    pub expires_at: Option<DateTime<Utc>>,
    /// It has not worked since.
    pub revoked_at: Option<DateTime<Utc>>,
    /// The server it lets call.
    pub server: ServerId,
    /// That server's name.
    pub server_name: String,
    /// Where calls are forwarded to.
    pub upstream_url: String,
    /// Headers to send there.
    pub headers: Vec<SealedHeader>,
    /// The login to the server.
    pub login: Login,
    /// What judges the calls; none: all are denied.
    pub policy: Option<PolicyText>,
    /// Methods that no revision knows and that pass.
    pub custom_methods: Vec<String>,
    /// Tools are held to the definitions that were approved.
    pub pin_tools: bool,
    /// Tools last seen, with what they take.
    pub tools: Vec<ToolSchema>,
}

/// How a server is logged in to, beside its headers.
#[derive(Clone, Debug)]
pub enum Login {
    /// Not at all.
    Headers,
    /// By a connection.
    Connection(Box<SealedConnection>),
    /// By a connection that was not made yet.
    Missing {
        /// It would be one of the grant's identity.
        personal: bool,
    },
}

/// A header for the upstream, sealed by the vault for `Place::UpstreamHeader`.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedHeader {
    /// In lower case.
    pub name: String,
    /// The sealed value.
    pub sealed: Vec<u8>,
}

impl std::fmt::Debug for SealedHeader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SealedHeader({})", self.name)
    }
}

/// The version of a policy that is in force.
#[derive(Clone, Debug)]
pub struct PolicyText {
    /// The policy.
    pub id: PolicyId,
    /// Its name.
    pub name: String,
    /// From 1.
    pub version: u32,
    /// As it was written.
    pub document: String,
}

/// What a tool takes.
#[derive(Clone, Debug)]
pub struct ToolSchema {
    /// The tool.
    pub name: String,
    /// JSON Schema of its arguments, as text: most are never looked at.
    pub input_schema: String,
    /// Title, description, annotations, and what more of it is kept, where tools are pinned; else null.
    pub words: serde_json::Value,
    /// Its definition is the one that was approved.
    pub approved: bool,
}

impl SystemTx {
    /// The grant with this token (SHA-256), working or not.
    pub async fn grant_view(&mut self, token_hash: &[u8; 32]) -> Result<Option<GrantView>, Error> {
        let row = sqlx::query!(
            r#"SELECT t.id AS tenant_id, t.config_epoch, g.id, g.label, g.identity, g.expires_at, g.revoked_at,
                 s.id AS server_id, s.name AS server_name, s.upstream_url, s.custom_methods, s.pin_tools, s.login,
                 c.id AS "connection_id?", c.identity AS "connection_identity?", c.issuer AS "issuer?",
                 c.sealed AS "sealed?", c.version AS "connection_version?", c.obtained_at AS "obtained_at?",
                 c.expires_at AS connection_expires_at, c.renewable AS "renewable?", c.trouble AS trouble,
                 p.id AS "policy_id?", p.name AS "policy_name?", v.version AS "version?", v.document AS "document?",
                 ARRAY(SELECT h.name FROM sealed_credentials h
                       WHERE h.tenant_id = s.tenant_id AND h.server_id = s.id ORDER BY h.name) AS "header_names!",
                 ARRAY(SELECT h.sealed FROM sealed_credentials h
                       WHERE h.tenant_id = s.tenant_id AND h.server_id = s.id ORDER BY h.name) AS "header_values!",
                 ARRAY(SELECT o.name FROM server_tools o
                       WHERE o.tenant_id = s.tenant_id AND o.server_id = s.id ORDER BY o.name) AS "tool_names!",
                 ARRAY(SELECT o.input_schema::text FROM server_tools o
                       WHERE o.tenant_id = s.tenant_id AND o.server_id = s.id ORDER BY o.name) AS "tool_schemas!",
                 ARRAY(SELECT CASE WHEN s.pin_tools
                         THEN jsonb_build_object('title', o.title, 'description', o.description,
                           'annotations', o.annotations, 'more', o.more)
                         ELSE 'null'::jsonb END
                       FROM server_tools o
                       WHERE o.tenant_id = s.tenant_id AND o.server_id = s.id ORDER BY o.name) AS "tool_words!",
                 ARRAY(SELECT o.approved_digest IS NOT DISTINCT FROM o.digest FROM server_tools o
                       WHERE o.tenant_id = s.tenant_id AND o.server_id = s.id ORDER BY o.name) AS "tool_approvals!"
               FROM grants g
               JOIN tenants t ON t.id = g.tenant_id
               JOIN servers s ON s.tenant_id = g.tenant_id AND s.id = g.server_id
               LEFT JOIN connections c ON c.tenant_id = s.tenant_id AND c.server_id = s.id
                 AND c.identity = CASE s.login WHEN 'shared' THEN '' WHEN 'identity' THEN g.identity END
               LEFT JOIN policies p ON p.tenant_id = g.tenant_id AND p.id = g.policy_id
               LEFT JOIN policy_versions v
                 ON v.tenant_id = p.tenant_id AND v.policy_id = p.id AND v.version = p.version
               WHERE g.token_hash = $1"#,
            token_hash.as_slice()
        )
        .fetch_optional(self.connection())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let policy = match (row.policy_id, row.policy_name, row.version, row.document) {
            (Some(id), Some(name), Some(version), Some(document)) => {
                Some(PolicyText { id: id.into(), name, version: version.unsigned_abs(), document })
            }
            _ => None,
        };
        let connection =
            match (row.connection_id, row.connection_identity, row.issuer, row.sealed, row.obtained_at) {
                (Some(id), Some(identity), Some(issuer), Some(sealed), Some(obtained_at)) => {
                    Some(Box::new(SealedConnection {
                        tenant: row.tenant_id.into(),
                        id: id.into(),
                        server: row.server_id.into(),
                        identity,
                        issuer,
                        sealed,
                        version: row.connection_version.unwrap_or_default(),
                        obtained_at,
                        expires_at: row.connection_expires_at,
                        renewable: row.renewable.unwrap_or_default(),
                        trouble: row.trouble,
                    }))
                }
                _ => None,
            };
        let login = match (row.login.as_str(), connection) {
            ("headers", _) => Login::Headers,
            (_, Some(connection)) => Login::Connection(connection),
            (login, None) => Login::Missing { personal: login == "identity" },
        };
        let headers = row.header_names.into_iter().zip(row.header_values);
        let tools =
            row.tool_names.into_iter().zip(row.tool_schemas).zip(row.tool_words).zip(row.tool_approvals);
        Ok(Some(GrantView {
            tenant: row.tenant_id.into(),
            epoch: row.config_epoch.unsigned_abs(),
            grant: row.id.into(),
            grant_label: row.label,
            identity: row.identity,
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
            server: row.server_id.into(),
            server_name: row.server_name,
            upstream_url: row.upstream_url,
            login,
            headers: headers.map(|(name, sealed)| SealedHeader { name, sealed }).collect(),
            policy,
            custom_methods: row.custom_methods,
            pin_tools: row.pin_tools,
            tools: tools
                .map(|(((name, input_schema), words), approved)| ToolSchema {
                    name,
                    input_schema,
                    words,
                    approved,
                })
                .collect(),
        }))
    }

    /// The epoch of an organisation's configuration; nothing if there is no such organisation.
    pub async fn config_epoch(&mut self, tenant: TenantId) -> Result<Option<u64>, Error> {
        let epoch = sqlx::query_scalar!("SELECT config_epoch FROM tenants WHERE id = $1", tenant.uuid())
            .fetch_optional(self.connection())
            .await?;
        Ok(epoch.map(i64::unsigned_abs))
    }

    /// The epochs of many organisations, of those that there are.
    pub async fn config_epochs(&mut self, tenants: &[TenantId]) -> Result<Vec<(TenantId, u64)>, Error> {
        let ids: Vec<uuid::Uuid> = tenants.iter().map(|tenant| tenant.uuid()).collect();
        let rows = sqlx::query!("SELECT id, config_epoch FROM tenants WHERE id = ANY($1)", &ids)
            .fetch_all(self.connection())
            .await?;
        Ok(rows.into_iter().map(|row| (row.id.into(), row.config_epoch.unsigned_abs())).collect())
    }

    /// The organisation of a server, for a record of a call that had no valid grant.
    pub async fn tenant_of_server(&mut self, server: ServerId) -> Result<Option<TenantId>, Error> {
        let tenant = sqlx::query_scalar!("SELECT tenant_id FROM servers WHERE id = $1", server.uuid())
            .fetch_optional(self.connection())
            .await?;
        Ok(tenant.map(TenantId::from))
    }
}
