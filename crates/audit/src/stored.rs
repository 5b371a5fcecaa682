//! A row as the table has it: flat, one field a column, by the column's name.
//!
//! A row has two parts that never change once written: the decision, and its ending. Each is hashed on its own, since
//! the ending comes later.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A row of `decisions`. Its fields are those of the type `decision_row`, in that order.
#[derive(Clone, Debug, Default, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "decision_row")]
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

/// An object of those named fields that are not null, in that order.
macro_rules! object {
    ($row:expr, $($column:ident)*) => {{
        let mut object = Object::default();
        $(object.member(stringify!($column), &$row.$column)?;)*
        object.end()
    }};
}

impl Stored {
    /// What is hashed of the decision: its columns that are not null, in the table's order, as JSON. A column added
    /// later is null in old rows, so their hashes stay. Columns that say where a row stands in the chain, or that follow
    /// from others, are in no hash.
    pub(crate) fn decision_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        Ok(
            object!(self, tenant_id decided_at id decided forwards counting_until server_id server_name grant_id
            grant_label identity client_name client_version address protocol_version method tool rule message condition
            policy_id policy_name policy_version argument_keys argument_digest limit_rule limit_used limit_max
            limit_resets_at shadow_outcome shadow_rule shadow_message trace_id judged_micros request_bytes),
        )
    }

    /// What is hashed of the ending; none while there is none.
    pub(crate) fn ending_bytes(&self) -> Result<Option<Vec<u8>>, serde_json::Error> {
        let bytes = object!(self, closed_at lost failed failure upstream_status gateway_micros upstream_micros
            response_bytes refunded repeats);
        Ok((bytes != b"{}").then_some(bytes))
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

/// A JSON object on its way into bytes.
struct Object(Vec<u8>);

impl Default for Object {
    fn default() -> Self {
        let mut bytes = Vec::with_capacity(1024);
        bytes.push(b'{');
        Self(bytes)
    }
}

impl Object {
    fn member(&mut self, name: &str, value: &impl Serialize) -> Result<(), serde_json::Error> {
        let before = self.0.len();
        if before > 1 {
            self.0.push(b',');
        }
        self.0.push(b'"');
        self.0.extend_from_slice(name.as_bytes());
        self.0.extend_from_slice(b"\":");
        serde_json::to_writer(&mut self.0, value)?;
        // A text that ends so ends in a quotation mark.
        if self.0.ends_with(b":null") {
            self.0.truncate(before);
        }
        Ok(())
    }

    fn end(mut self) -> Vec<u8> {
        self.0.push(b'}');
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_null_is_in_no_hash() {
        let row = Stored { decided: ":null".to_owned(), tool: Some("a\"b".to_owned()), ..Stored::default() };
        let bytes = row.decision_bytes().unwrap();
        let nil = Uuid::nil();
        let expected = format!(
            "{{\"tenant_id\":\"{nil}\",\"decided_at\":\"1970-01-01T00:00:00Z\",\"id\":\"{nil}\",\"decided\":\":null\",\
             \"forwards\":false,\"tool\":\"a\\\"b\",\"argument_keys\":[]}}"
        );
        assert_eq!(String::from_utf8(bytes).unwrap(), expected);
        assert_eq!(row.ending_bytes().unwrap(), None);
    }

    #[test]
    fn an_ending_is_hashed_alike_alone_and_in_its_row() {
        let ending = Ending {
            failed: Some(true),
            refunded: Some(false),
            upstream_status: Some(502),
            ..Ending::default()
        };
        let mut row = Stored::default();
        row.end(ending.clone(), 7);
        assert_eq!(row.ending_bytes().unwrap(), Some(ending.bytes().unwrap()));
    }
}
