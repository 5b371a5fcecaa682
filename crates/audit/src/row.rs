//! A decision as the table holds it.

use chrono::{DateTime, Utc};
use domain::{DecisionId, Outcome, TenantId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{ClientNote, Cursor, GrantNote, LimitLevel, PolicyNote, ServerNote, ShadowNote, TailCursor};

/// Whether the end of a request is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Completion {
    /// Forwarded, and not ended yet.
    Open,
    /// Ended, or never forwarded.
    Closed,
    /// Its gateway was lost before it ended.
    Unknown,
}

/// One row of the log. Everything here may be shown to members of the tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Decision)]
pub struct Row {
    /// Also the request id.
    #[schema(value_type = String, format = Uuid)]
    pub id: DecisionId,
    /// Whose it is.
    #[serde(skip)]
    pub tenant: TenantId,
    /// When it was judged.
    pub decided_at: DateTime<Utc>,
    /// What became of it.
    #[schema(value_type = String, example = "allow")]
    pub outcome: Outcome,
    /// Whether its end is known.
    pub completion: Completion,
    /// The server called.
    pub server: Option<ServerNote>,
    /// The grant used.
    pub grant: Option<GrantNote>,
    /// The client.
    pub client: ClientNote,
    /// The caller's network address; for refusals before the policy.
    pub address: Option<String>,
    /// MCP protocol version.
    pub protocol_version: Option<String>,
    /// JSON-RPC method.
    pub method: Option<String>,
    /// The tool.
    pub tool: Option<String>,
    /// JSON Pointer of the rule that refused it, or a word in parentheses.
    pub rule: Option<String>,
    /// The sentence the caller got.
    pub message: Option<String>,
    /// Which condition of the rule held or failed.
    pub condition: Option<String>,
    /// The policy that judged.
    pub policy: Option<PolicyNote>,
    /// The keys of the arguments, sorted.
    pub argument_keys: Vec<String>,
    /// Keyed hash of the arguments, in hexadecimal.
    pub argument_digest: Option<String>,
    /// The limit that refused it; else the one with the least left.
    pub limit: Option<LimitLevel>,
    /// What a policy in shadow mode would have done.
    pub shadow: Option<ShadowNote>,
    /// W3C trace id.
    pub trace_id: Option<String>,
    /// Time from arrival to the decision, in microseconds.
    pub judged_micros: Option<u64>,
    /// Bytes of the request's body.
    pub request_bytes: Option<u64>,
    /// When it ended.
    pub closed_at: Option<DateTime<Utc>>,
    /// Why the upstream failed, in words.
    pub failure: Option<String>,
    /// HTTP status of the upstream.
    pub upstream_status: Option<u16>,
    /// Time spent in the gateway, in microseconds.
    pub gateway_micros: Option<u64>,
    /// Time until the upstream's answer was complete, in microseconds.
    pub upstream_micros: Option<u64>,
    /// Bytes of the answer's body.
    pub response_bytes: Option<u64>,
    /// Whether quota was given back.
    pub refunded: bool,
    /// How many requests this row stands for; more than 1 for collapsed refusals.
    pub repeats: u64,
}

/// One page of a search, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The rows.
    pub rows: Vec<Row>,
    /// Where the next page goes on; none at the end.
    pub next: Option<Cursor>,
}

/// What came since a tail cursor, oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tail {
    /// Rows that are new, or that were completed: a row seen before is to be replaced, by its id.
    pub rows: Vec<Row>,
    /// Where to go on.
    pub next: TailCursor,
}
