//! What the gateway must know of a grant to judge its calls, read in one statement and so from one snapshot.

use chrono::{DateTime, Utc};
use domain::{GrantId, PolicyId, ServerId, TenantId};

use crate::{Error, SystemTx};

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
    /// What judges the calls; none: all are denied.
    pub policy: Option<PolicyText>,
    /// Tools last seen, with what they take.
    pub tools: Vec<ToolSchema>,
}

/// A header for the upstream, sealed with [`credential_aad`].
#[derive(Clone, PartialEq, Eq)]
pub struct SealedHeader {
    /// In lower case.
    pub name: String,
    /// To be opened by the vault.
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
    pub version: i32,
    /// As it was written.
    pub document: String,
}

/// What a tool takes.
#[derive(Clone, Debug)]
pub struct ToolSchema {
    /// The tool.
    pub name: String,
    /// JSON Schema of its arguments.
    pub input_schema: serde_json::Value,
}

/// What a sealed header is bound to: a record copied into another row does not open there.
pub fn credential_aad(tenant: TenantId, server: ServerId, header: &str) -> Vec<u8> {
    format!("sealed_credentials/{tenant}/{server}/{header}").into_bytes()
}

/// What a sealed grant token is bound to.
pub fn grant_token_aad(tenant: TenantId, grant: GrantId) -> Vec<u8> {
    format!("grants/{tenant}/{grant}/sealed_token").into_bytes()
}

impl SystemTx {
    /// The grant with this token (SHA-256), if there is one.
    pub async fn grant_view(&mut self, token_hash: &[u8; 32]) -> Result<Option<GrantView>, Error> {
        let _ = token_hash;
        unimplemented!()
    }

    /// The organisation of a server, for a record of a call that had no valid grant.
    pub async fn tenant_of_server(&mut self, server: ServerId) -> Result<Option<TenantId>, Error> {
        let _ = server;
        unimplemented!()
    }
}
