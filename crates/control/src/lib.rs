//! The operations of the control plane and who may do them.
//!
//! A front door (API, pages, command line) parses nothing and decides nothing: it hands what was typed to one operation
//! of [`Control`] together with the [`Actor`] who asks, and shows the answer. Operations are `impl Control` blocks, a
//! file per noun.

mod accounts;
mod actor;
mod admin_log;
mod approvals;
mod catalogue;
mod change;
mod clients;
mod connections;
mod control;
mod error;
mod grants;
mod input;
mod keys;
mod log;
mod organisations;
mod policies;
mod probe;
mod servers;
mod throttle;
mod tokens;
mod tools;

pub use accounts::{LogIn, Membership, NewSession, Session, SignUp};
pub use actor::{Actor, Who};
pub use admin_log::{AdminEvent, AdminLogPage};
pub use approvals::{
    Approval, ApprovalDetail, ApprovalFilter, ApprovalPage, ApprovalPolicy, ApprovalRemark, ShownArguments,
};
pub use catalogue::CatalogueEntry;
pub use clients::{ClientConfiguration, configurations};
pub use connections::{
    Arrived, ClientAuthentication, ConnectLink, ConnectPage, Connection, ConnectionState, Departure,
    Disconnected, EndedAccess, Login, LoginChange, NewConnectLink, NewUpstreamClient, ServerLogin,
    UpstreamClient,
};
pub use control::{Control, ControlParts};
pub use error::{Conflict, DocumentProblem, Error, FieldProblem, Service};
pub use grants::{Grant, MintedGrant, NewGrant, PolicyRef};
pub use keys::{ApiKey, MintedKey, NewKey, Standing};
pub use organisations::{Member, Organisation, OrganisationName};
pub use policies::{
    CallContext, CallTemplate, Choice, ClientContext, ConditionFields, Custom, Diff, DiffKind, DiffLine,
    Difference, Effect, GrantContext, LIMIT_FIELDS, LimitFields, MatrixCell, MatrixInput, MatrixRow,
    MethodEffect, NewPolicy, Policy, PolicyCheck, PolicyMatrix, PolicyName, PolicySummary, PolicyVersion,
    Preset, RULES, RuleFields, SavePolicy, ServerContext, SimulatedCharge, SimulatedShadow, Simulation,
    SimulationResult, ToolChoice, ToolEffect, choose, customise, placeholders,
};
pub use servers::{
    NewHeader, NewServer, ProbeReport, ProbeRequest, ProtocolChange, ProtocolSettings, Server, ServerChange,
    ServerState, ToolApproval, ToolRefresh,
};
pub use tokens::AccessToken;
pub use tools::{Category, Risk, Tool};
