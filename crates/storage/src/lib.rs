//! The only door to Postgres for the control plane: the pool, the two kinds of transaction, one function a statement.
//!
//! Nobody reads or writes a tenant's rows but through a [`TenantTx`], which sees that tenant alone, or a [`SystemTx`],
//! which sees what logging in, the gateway's directory and the workers need. Row level security holds both to it.

mod admin_events;
mod approvals;
mod authorizations;
mod connections;
pub mod directory;
mod error;
mod grants;
mod keys;
mod migrate;
mod people;
mod policies;
mod protocol;
mod ready;
mod renewals;
mod servers;
mod tenants;
mod tools;
mod transaction;

pub use admin_events::AdminEventRow;
pub use approvals::{ApprovalFilter, ApprovalRow, ApprovedCall, NewApprovalRow, Standing, TakenApproval};
pub use authorizations::{AuthorizationRow, ConnectLinkRow, NewConnectLinkRow};
pub use connections::{ConnectionRow, NewConnectionRow, UpstreamClientRow};
pub use error::{Constraint, Error};
pub use grants::{GrantPolicyRow, GrantRow, NewGrantRow, TokenRow};
pub use keys::{KeyRow, NewKeyRow};
pub use migrate::{MigrateError, create_database, fingerprint, migrate};
pub use people::{Attempts, MemberRow, MembershipRow, SessionRow, UserRow};
pub use policies::{DocumentRow, NewVersionRow, PolicyRow, VersionRow};
pub use protocol::ProtocolRow;
pub use ready::NotReady;
pub use renewals::{RenewedRow, SealedConnection};
pub use servers::{NewServerRow, ServerRow, Sighting};
pub use tenants::TenantRow;
pub use tools::{ToolDefinition, ToolRow};
pub use transaction::{ChangeTx, Storage, StorageConfig, SystemTx, TenantTx};

/// A role as it is stored; a check constraint holds that it is one.
fn read_role(text: &str) -> Result<domain::Role, Error> {
    text.parse().map_err(|error: String| Error::Database(sqlx::Error::Decode(error.into())))
}
