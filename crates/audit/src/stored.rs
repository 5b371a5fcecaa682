//! A row as the table has it: flat, one field a column, by the column's name.
//!
//! A row has two parts that never change once written: the decision, and its ending. Each is hashed on its own, since
//! the ending comes later.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// A row of `decisions`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Stored {
    pub tenant_id: Uuid,
    pub decided_at: DateTime<Utc>,
    pub id: Uuid,
    pub batch: i64,
    pub decided: String,
    pub forwards: bool,
    pub counting_until: Option<DateTime<Utc>>,
    pub server_id: Option<Uuid>,
    pub server_name: Option<String>,
    pub grant_id: Option<Uuid>,
    pub grant_label: Option<String>,
    pub identity: Option<String>,
    pub client_name: Option<String>,
    pub client_version: Option<String>,
    pub address: Option<String>,
    pub protocol_version: Option<String>,
    pub method: Option<String>,
    pub tool: Option<String>,
    pub rule: Option<String>,
    pub message: Option<String>,
    pub condition: Option<String>,
    pub policy_id: Option<Uuid>,
    pub policy_name: Option<String>,
    pub policy_version: Option<i32>,
    pub argument_keys: Vec<String>,
    pub argument_digest: Option<String>,
    pub limit_rule: Option<String>,
    pub limit_used: Option<i64>,
    pub limit_max: Option<i64>,
    pub limit_resets_at: Option<DateTime<Utc>>,
    pub shadow_outcome: Option<String>,
    pub shadow_rule: Option<String>,
    pub shadow_message: Option<String>,
    pub trace_id: Option<String>,
    pub judged_micros: Option<i64>,
    pub request_bytes: Option<i64>,
    pub closed_batch: Option<i64>,
    pub closed_at: Option<DateTime<Utc>>,
    pub lost: Option<bool>,
    pub failed: Option<bool>,
    pub failure: Option<String>,
    pub upstream_status: Option<i32>,
    pub gateway_micros: Option<i64>,
    pub upstream_micros: Option<i64>,
    pub response_bytes: Option<i64>,
    pub refunded: Option<bool>,
    pub repeats: Option<i64>,
    /// Made by Postgres.
    pub outcome: String,
    /// Made by Postgres.
    pub completion: String,
}

/// What completes a row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ending {
    pub decided_at: DateTime<Utc>,
    pub id: Uuid,
    pub closed_at: DateTime<Utc>,
    pub lost: Option<bool>,
    pub failed: Option<bool>,
    pub failure: Option<String>,
    pub upstream_status: Option<i32>,
    pub gateway_micros: Option<i64>,
    pub upstream_micros: Option<i64>,
    pub response_bytes: Option<i64>,
    pub refunded: Option<bool>,
    pub repeats: Option<i64>,
}

/// Columns that say where a row stands in the chain, or follow from others: in no hash.
const OF_THE_CHAIN: [&str; 4] = ["batch", "closed_batch", "outcome", "completion"];
/// Columns of the ending.
const OF_THE_ENDING: [&str; 10] = [
    "closed_at",
    "lost",
    "failed",
    "failure",
    "upstream_status",
    "gateway_micros",
    "upstream_micros",
    "response_bytes",
    "refunded",
    "repeats",
];

impl Stored {
    /// What is hashed of the decision: its columns that are not null, in the table's order, as JSON. A column added
    /// later is null in old rows, so their hashes stay.
    pub(crate) fn decision_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        self.bytes(|column| !OF_THE_ENDING.contains(&column))
    }

    /// What is hashed of the ending; none while there is none.
    pub(crate) fn ending_bytes(&self) -> Result<Option<Vec<u8>>, serde_json::Error> {
        let bytes = self.bytes(|column| OF_THE_ENDING.contains(&column))?;
        Ok((bytes != b"{}").then_some(bytes))
    }

    fn bytes(&self, holds: impl Fn(&str) -> bool) -> Result<Vec<u8>, serde_json::Error> {
        let mut row = serde_json::to_value(self)?;
        if let Value::Object(columns) = &mut row {
            columns.retain(|column, value| {
                !value.is_null() && !OF_THE_CHAIN.contains(&column.as_str()) && holds(column)
            });
        }
        serde_json::to_vec(&row)
    }

    /// Puts the ending in.
    pub(crate) fn end(&mut self, ending: Ending, batch: i64) {
        self.closed_batch = Some(batch);
        self.closed_at = Some(ending.closed_at);
        self.lost = ending.lost;
        self.failed = ending.failed;
        self.failure = ending.failure;
        self.upstream_status = ending.upstream_status;
        self.gateway_micros = ending.gateway_micros;
        self.upstream_micros = ending.upstream_micros;
        self.response_bytes = ending.response_bytes;
        self.refunded = ending.refunded;
        self.repeats = ending.repeats;
    }

    /// Whether an ending is still to come.
    pub(crate) fn is_open(&self) -> bool {
        self.closed_at.is_none() && (self.forwards || self.counting_until.is_some())
    }
}

impl Ending {
    /// What is hashed of it: as [`Stored::ending_bytes`] of the row that it completes.
    pub(crate) fn bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut row = Stored::default();
        row.end(self.clone(), 0);
        Ok(row.ending_bytes()?.unwrap_or_default())
    }
}
