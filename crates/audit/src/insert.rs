//! Adding rows to the log: the one statement that does.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::PgConnection;
use uuid::Uuid;

use crate::Error;
use crate::stored::Stored;

/// Adds rows; those that are there already stay as they are. Answers which were added.
pub(crate) async fn insert(
    connection: &mut PgConnection,
    rows: &BTreeMap<Uuid, Stored>,
) -> Result<BTreeSet<Uuid>, Error> {
    if rows.is_empty() {
        return Ok(BTreeSet::new());
    }
    let rows: Vec<&Stored> = rows.values().collect();
    let inserted = sqlx::query_scalar!(
        "INSERT INTO decisions (tenant_id, decided_at, id, batch, decided, forwards, counting_until, server_id, server_name, grant_id,
             grant_label, identity, client_name, client_version, address, protocol_version, method, tool, rule, message,
             condition, policy_id, policy_name, policy_version, argument_keys, argument_digest, limit_rule, limit_used,
             limit_max, limit_resets_at, shadow_outcome, shadow_rule, shadow_message, trace_id, judged_micros, request_bytes,
             closed_batch, closed_at, lost, failed, failure, upstream_status, gateway_micros, upstream_micros,
             response_bytes, refunded, repeats)
         SELECT tenant_id, decided_at, id, batch, decided, forwards, counting_until, server_id, server_name, grant_id,
             grant_label, identity, client_name, client_version, address, protocol_version, method, tool, rule, message,
             condition, policy_id, policy_name, policy_version, argument_keys, argument_digest, limit_rule, limit_used,
             limit_max, limit_resets_at, shadow_outcome, shadow_rule, shadow_message, trace_id, judged_micros, request_bytes,
             closed_batch, closed_at, lost, failed, failure, upstream_status, gateway_micros, upstream_micros,
             response_bytes, refunded, repeats
         FROM UNNEST($1::decision_row[])
         ON CONFLICT DO NOTHING
         RETURNING id",
        rows as Vec<&Stored>
    )
    .fetch_all(connection)
    .await?;
    Ok(inserted.into_iter().collect())
}
