//! A decision as the table holds it.

use std::fmt;

use chrono::{DateTime, Utc};
use domain::{DecisionId, Outcome, TenantId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::stored::Stored;
use crate::{
    ClientNote, Cursor, Error, GrantNote, LimitLevel, PolicyNote, ServerNote, ShadowNote, TailCursor,
};

/// Whether the end of a request is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Completion {
    /// Forwarded and not ended yet; or a refusal that still counts others of its kind.
    Open,
    /// Ended, or never forwarded.
    Closed,
    /// Its gateway was lost before it ended.
    Unknown,
}

impl fmt::Display for Completion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Unknown => "unknown",
        })
    }
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
    /// The search ended here, before the page was full: what is older was not looked at yet.
    pub searched_to: Option<DateTime<Utc>>,
}

/// What came since a tail cursor, oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tail {
    /// Rows that are new, or that were completed: a row seen before is to be replaced, by its id.
    pub rows: Vec<Row>,
    /// Where to go on.
    pub next: TailCursor,
}

impl TryFrom<Stored> for Row {
    type Error = Error;

    fn try_from(row: Stored) -> Result<Self, Error> {
        let id = DecisionId::from(row.id);
        let unknown = |column, value: &str| Error::Unknown { id, column, value: value.to_owned() };
        let outcome = |text: &str| text.parse::<Outcome>().map_err(|_| unknown("outcome", text));
        let shadow = match (row.shadow_outcome, row.shadow_rule) {
            (Some(word), Some(rule)) => Some(ShadowNote {
                outcome: outcome(&word)?,
                rule,
                message: row.shadow_message.unwrap_or_default(),
            }),
            _ => None,
        };
        Ok(Self {
            id,
            tenant: row.tenant_id.into(),
            decided_at: row.decided_at,
            outcome: outcome(&row.outcome)?,
            completion: match row.completion.as_str() {
                "open" => Completion::Open,
                "closed" => Completion::Closed,
                "unknown" => Completion::Unknown,
                other => return Err(unknown("completion", other)),
            },
            server: row
                .server_id
                .map(|id| ServerNote { id: id.into(), name: row.server_name.unwrap_or_default() }),
            grant: row.grant_id.map(|id| GrantNote {
                id: id.into(),
                label: row.grant_label.unwrap_or_default(),
                identity: row.identity.unwrap_or_default(),
            }),
            client: ClientNote { name: row.client_name, version: row.client_version },
            address: row.address,
            protocol_version: row.protocol_version,
            method: row.method,
            tool: row.tool,
            rule: row.rule,
            message: row.message,
            condition: row.condition,
            policy: row.policy_id.zip(row.policy_version).map(|(id, version)| PolicyNote {
                id: id.into(),
                name: row.policy_name.unwrap_or_default(),
                version: version.unsigned_abs(),
            }),
            argument_keys: row.argument_keys,
            argument_digest: row.argument_digest,
            limit: limit(row.limit_rule, row.limit_used, row.limit_max, row.limit_resets_at),
            shadow,
            trace_id: row.trace_id,
            judged_micros: row.judged_micros.map(i64::unsigned_abs),
            request_bytes: row.request_bytes.map(i64::unsigned_abs),
            closed_at: row.closed_at,
            failure: row.failure,
            upstream_status: row.upstream_status.and_then(|status| u16::try_from(status).ok()),
            gateway_micros: row.gateway_micros.map(i64::unsigned_abs),
            upstream_micros: row.upstream_micros.map(i64::unsigned_abs),
            response_bytes: row.response_bytes.map(i64::unsigned_abs),
            refunded: row.refunded.unwrap_or(false),
            repeats: row.repeats.map_or(1, i64::unsigned_abs),
        })
    }
}

fn limit(
    rule: Option<String>,
    used: Option<i64>,
    max: Option<i64>,
    resets_at: Option<DateTime<Utc>>,
) -> Option<LimitLevel> {
    Some(LimitLevel {
        rule: rule?,
        used: used?.unsigned_abs(),
        max: max?.unsigned_abs(),
        resets_at: resets_at?,
    })
}
