//! Numbers over the log.

use chrono::{DateTime, Utc};
use domain::{Outcome, ServerId};
use serde::Serialize;
use utoipa::ToSchema;

/// Decisions of one hour with one outcome. Hours without any are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct HourBar {
    /// When the hour begins, UTC.
    pub hour: DateTime<Utc>,
    /// The outcome.
    #[schema(value_type = String, example = "allow")]
    pub outcome: Outcome,
    /// How many.
    pub count: u64,
}

/// How often a tool was called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ToolCount {
    /// The tool.
    pub tool: String,
    /// Calls, whatever became of them.
    pub calls: u64,
    /// Those that were refused.
    pub refused: u64,
}

/// What happened at a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ServerCount {
    /// The server.
    pub server: ServerId,
    /// Requests, whatever became of them.
    pub calls: u64,
    /// Those that were refused.
    pub refused: u64,
}

/// How often a rule refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleCount {
    /// The rule.
    pub rule: String,
    /// The server it stands for.
    pub server: Option<ServerId>,
    /// The last sentence it gave.
    pub message: Option<String>,
    /// How often.
    pub count: u64,
    /// When last.
    pub last: DateTime<Utc>,
}

/// A client that used a grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClientUse {
    /// `clientInfo.name`.
    pub client: Option<String>,
    /// How often.
    pub calls: u64,
    /// When last.
    pub last: DateTime<Utc>,
}
