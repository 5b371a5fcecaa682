//! The records that travel in the stream: a decision, and the closing of a call. JSON, so that gateways and drains
//! of neighbouring versions understand each other: unknown fields are passed over, missing ones take their default.

use chrono::{DateTime, Utc};
use domain::{DecisionId, GrantId, Outcome, PolicyId, ServerId, TenantId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::sizes;

/// The bytes are not a record.
#[derive(Debug, thiserror::Error)]
#[error("the record can't be read: {0}: was it written by a newer version?")]
pub struct RecordError(#[from] serde_json::Error);

/// The server that was called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ServerNote {
    /// Its id.
    #[schema(value_type = String, format = Uuid)]
    pub id: ServerId,
    /// Its name at the time.
    pub name: String,
}

/// The grant that was used, as it was at the time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GrantNote {
    /// Its id.
    #[schema(value_type = String, format = Uuid)]
    pub id: GrantId,
    /// Its label.
    pub label: String,
    /// The person or agent it stands for.
    pub identity: String,
}

/// What the client says it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClientNote {
    /// `clientInfo.name`.
    #[serde(default, serialize_with = "sizes::short")]
    pub name: Option<String>,
    /// `clientInfo.version`.
    #[serde(default, serialize_with = "sizes::short")]
    pub version: Option<String>,
}

/// The policy that judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PolicyNote {
    /// Its id.
    #[schema(value_type = String, format = Uuid)]
    pub id: PolicyId,
    /// Its name at the time.
    pub name: String,
    /// Which version.
    pub version: u32,
}

/// One charge of the call, in the order that the ledger was given them: what to write down should it refuse.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitNote {
    /// JSON Pointer of the limit.
    pub rule: String,
    /// The sentence for the caller.
    #[serde(serialize_with = "sizes::sentence")]
    pub message: String,
}

/// How far a limit was used. Amounts are millionths.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LimitLevel {
    /// JSON Pointer of the limit.
    pub rule: String,
    /// Counted.
    pub used: u64,
    /// The most that may be counted.
    pub max: u64,
    /// As in `ledger::Level`.
    pub resets_at: DateTime<Utc>,
}

/// What a policy in shadow mode would have done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ShadowNote {
    /// The outcome it would have had.
    #[schema(value_type = String, example = "deny")]
    pub outcome: Outcome,
    /// The rule that would have refused it.
    pub rule: String,
    /// The sentence the caller would have got.
    #[serde(serialize_with = "sizes::sentence")]
    pub message: String,
}

/// One judged request. Argument VALUES are never part of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Also the request id that the caller is told. Made with the time in `decided_at`: a look-up by id relies on it.
    pub id: DecisionId,
    /// Whose it is.
    pub tenant: TenantId,
    /// When it was judged, to the microsecond.
    pub decided_at: DateTime<Utc>,
    /// What became of it. An `allow` that the ledger refuses for a limit becomes `limit` on its way to the table.
    pub outcome: Outcome,
    /// Whether a [`Closing`] will follow: the call is forwarded if the ledger lets it.
    pub forwards: bool,
    /// The server called; none when the request named none that exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerNote>,
    /// The grant used; none without a valid token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<GrantNote>,
    /// The client.
    #[serde(default)]
    pub client: ClientNote,
    /// The caller's network address; for refusals before the policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// MCP protocol version.
    #[serde(default, serialize_with = "sizes::short", skip_serializing_if = "Option::is_none")]
    pub protocol_version: Option<String>,
    /// JSON-RPC method.
    #[serde(default, serialize_with = "sizes::short", skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The tool, by the name it was called.
    #[serde(default, serialize_with = "sizes::short", skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// JSON Pointer of the rule that refused it, or a word in parentheses.
    #[serde(default, serialize_with = "sizes::short", skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The sentence the caller got.
    #[serde(default, serialize_with = "sizes::long", skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Which condition of the rule held or failed.
    #[serde(default, serialize_with = "sizes::long", skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// The policy that judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyNote>,
    /// The keys of the arguments; sorted when the row is written.
    #[serde(default, serialize_with = "sizes::keys", skip_serializing_if = "Vec::is_empty")]
    pub argument_keys: Vec<String>,
    /// Keyed hash of the arguments, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub argument_digest: Option<String>,
    /// The charges given to the ledger, in that order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<LimitNote>,
    /// What a policy in shadow mode would have done; a shadow limit is added on the way to the table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shadow: Option<ShadowNote>,
    /// Time from the request's arrival to this decision, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judged_micros: Option<u64>,
    /// Bytes of the request's body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_bytes: Option<u64>,
    /// W3C trace id.
    #[serde(default, serialize_with = "sizes::short", skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
}

/// The end of a forwarded call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    /// The decision that it closes.
    pub id: DecisionId,
    /// Whose it is.
    pub tenant: TenantId,
    /// The decision's own time.
    pub decided_at: DateTime<Utc>,
    /// When it ended.
    pub closed_at: DateTime<Utc>,
    /// The upstream failed, or its result said so: the outcome becomes `error`.
    pub failed: bool,
    /// Why it failed, in words.
    #[serde(default, serialize_with = "sizes::long", skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// HTTP status of the upstream; none when it could not be reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream_status: Option<u16>,
    /// Time spent in the gateway, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway_micros: Option<u64>,
    /// Time until the upstream's answer was complete, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream_micros: Option<u64>,
    /// Bytes of the answer's body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_bytes: Option<u64>,
    /// How many requests one collapsed row stands for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeats: Option<u64>,
}

macro_rules! bytes {
    ($($name:ident)*) => {$(
        impl $name {
            /// The record for the stream.
            pub fn to_bytes(&self) -> Result<Vec<u8>, RecordError> {
                Ok(serde_json::to_vec(self)?)
            }

            /// The record from the stream.
            pub fn from_bytes(bytes: &[u8]) -> Result<Self, RecordError> {
                Ok(serde_json::from_slice(bytes)?)
            }
        }
    )*};
}

bytes! { Decision Closing }
