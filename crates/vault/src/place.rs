//! Where a sealed record belongs. A record opens only in its own place, so that a value copied from one row
//! to another, or from one tenant to another, is as good as destroyed.

use domain::{ApprovalId, ConnectionId, GrantId, ServerId, TenantId};

/// The identity of a sealed value: what it is, and the row it lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place<'a> {
    /// The value of a static header that is sent to an upstream server.
    UpstreamHeader {
        /// The owner.
        tenant: TenantId,
        /// The server whose header it is.
        server: ServerId,
        /// The header's name, in lower case.
        name: &'a str,
    },
    /// The secret of this installation as a client of an authorization server.
    UpstreamClient {
        /// The owner.
        tenant: TenantId,
        /// The server that is connected through it.
        server: ServerId,
        /// Who issued it.
        issuer: &'a str,
    },
    /// The tokens of a connection to an upstream server.
    Connection {
        /// The owner.
        tenant: TenantId,
        /// The server that they are sent to.
        server: ServerId,
        /// The connection.
        connection: ConnectionId,
        /// Whose they are; empty: the whole organisation's.
        identity: &'a str,
        /// Who issued them.
        issuer: &'a str,
    },
    /// What was asked of an authorization server, until the answer comes.
    Authorization {
        /// The owner.
        tenant: TenantId,
        /// The server that is being connected.
        server: ServerId,
        /// SHA-256 of the state that the answer is known by.
        state: &'a [u8],
    },
    /// The token of a grant, kept so that an admin can reveal it.
    GrantToken {
        /// The owner.
        tenant: TenantId,
        /// The grant whose token it is.
        grant: GrantId,
    },
    /// An upstream's MCP session, as the client holds it.
    McpSession {
        /// The owner.
        tenant: TenantId,
        /// The grant that opened the session.
        grant: GrantId,
    },
    /// An upstream's task, as the client holds it.
    McpTask {
        /// The owner.
        tenant: TenantId,
        /// The grant that called.
        grant: GrantId,
    },
    /// Where a client resumes a stream, as the client holds it.
    EventId {
        /// The owner.
        tenant: TenantId,
        /// The grant that the stream was opened with.
        grant: GrantId,
    },
    /// The arguments of a call that waits for a person.
    ApprovalArguments {
        /// The owner.
        tenant: TenantId,
        /// The question about the call.
        approval: ApprovalId,
    },
    /// What an upstream gives a call to bring back in its next round, as the client holds it.
    RequestState {
        /// The owner.
        tenant: TenantId,
        /// The grant that called.
        grant: GrantId,
    },
}

impl Place<'_> {
    /// The associated data: every field behind its length, so that no two places give the same bytes.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        let mut field = |bytes: &[u8]| {
            out.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
            out.extend_from_slice(bytes);
        };
        match self {
            Self::UpstreamHeader { tenant, server, name } => {
                field(b"upstream-header");
                field(tenant.uuid().as_bytes());
                field(server.uuid().as_bytes());
                field(name.as_bytes());
            }
            Self::UpstreamClient { tenant, server, issuer } => {
                field(b"upstream-client");
                field(tenant.uuid().as_bytes());
                field(server.uuid().as_bytes());
                field(issuer.as_bytes());
            }
            Self::Connection { tenant, server, connection, identity, issuer } => {
                field(b"connection");
                field(tenant.uuid().as_bytes());
                field(server.uuid().as_bytes());
                field(connection.uuid().as_bytes());
                field(identity.as_bytes());
                field(issuer.as_bytes());
            }
            Self::Authorization { tenant, server, state } => {
                field(b"authorization");
                field(tenant.uuid().as_bytes());
                field(server.uuid().as_bytes());
                field(state);
            }
            Self::GrantToken { tenant, grant } => {
                field(b"grant-token");
                field(tenant.uuid().as_bytes());
                field(grant.uuid().as_bytes());
            }
            Self::McpSession { tenant, grant } => {
                field(b"mcp-session");
                field(tenant.uuid().as_bytes());
                field(grant.uuid().as_bytes());
            }
            Self::McpTask { tenant, grant } => {
                field(b"mcp-task");
                field(tenant.uuid().as_bytes());
                field(grant.uuid().as_bytes());
            }
            Self::EventId { tenant, grant } => {
                field(b"event-id");
                field(tenant.uuid().as_bytes());
                field(grant.uuid().as_bytes());
            }
            Self::ApprovalArguments { tenant, approval } => {
                field(b"approval-arguments");
                field(tenant.uuid().as_bytes());
                field(approval.uuid().as_bytes());
            }
            Self::RequestState { tenant, grant } => {
                field(b"request-state");
                field(tenant.uuid().as_bytes());
                field(grant.uuid().as_bytes());
            }
        }
    }
}
