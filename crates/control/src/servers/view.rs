//! Servers as they are shown.

use chrono::{DateTime, Utc};
use domain::ServerId;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{Login, Tool};

/// What the last look at an upstream found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ServerState {
    /// It speaks MCP and listed its tools.
    Ready,
    /// It answered 401 or 403.
    Unauthorized,
    /// The name does not resolve, or to an address that may not be called.
    Refused,
    /// No connection.
    Down,
    /// No answer in time.
    Slow,
    /// It answered, but not as an MCP server does.
    NotMcp,
}

impl ServerState {
    /// The word in the database, the API and the pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Unauthorized => "unauthorized",
            Self::Refused => "refused",
            Self::Down => "down",
            Self::Slow => "slow",
            Self::NotMcp => "not_mcp",
        }
    }

    pub(super) fn read(text: &str) -> Option<Self> {
        [Self::Ready, Self::Unauthorized, Self::Refused, Self::Down, Self::Slow, Self::NotMcp]
            .into_iter()
            .find(|state| state.as_str() == text)
    }
}

/// A registered upstream.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Server {
    /// Its id, also in the gateway's address.
    #[schema(value_type = String, format = Uuid)]
    pub id: ServerId,
    /// What people call it; unique in the organisation.
    pub name: String,
    /// Where calls are forwarded to.
    pub upstream_url: String,
    /// Where clients call instead: `https://tollgate.example/mcp/{id}`.
    pub gateway_url: String,
    /// The catalogue entry it was made from.
    pub catalogue_entry: Option<String>,
    /// What the last look found.
    pub state: ServerState,
    /// The same in a sentence that says what to do.
    pub state_message: String,
    /// When that was.
    pub checked_at: DateTime<Utc>,
    /// Of MCP, as agreed with the upstream.
    pub protocol_version: Option<String>,
    /// What the upstream calls itself, with its version.
    pub upstream_name: Option<String>,
    /// How it is logged in to, beside its headers.
    pub login: Login,
    /// Names of the headers that are sent to it. Their values are sealed and never shown.
    pub header_names: Vec<String>,
    /// Tools it listed.
    pub tools: i64,
    /// Policies written for it.
    pub policies: i64,
    /// Grants that work.
    pub grants: i64,
    /// Since when.
    pub created_at: DateTime<Utc>,
}

/// What a look at an upstream found, before anything is saved.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProbeReport {
    /// What was found.
    pub state: ServerState,
    /// The same in a sentence that says what to do.
    pub message: String,
    /// Of MCP, as agreed with the upstream.
    pub protocol_version: Option<String>,
    /// What the upstream calls itself, with its version.
    pub upstream_name: Option<String>,
    /// What it can do, in its own order; empty unless ready.
    pub tools: Vec<Tool>,
}

/// What changed when the tools were read anew.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ToolRefresh {
    /// The server afterwards.
    pub server: Server,
    /// Names that are new.
    pub added: Vec<String>,
    /// Names that are gone.
    pub removed: Vec<String>,
    /// Names whose description, schema or annotations differ.
    pub changed: Vec<String>,
}
