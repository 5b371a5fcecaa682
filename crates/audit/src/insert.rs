//! Adding rows to the log: the one statement that does, a column at a time, since that is what Postgres reads fastest.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::Error;
use crate::stored::Stored;

/// Adds rows of one tenant and batch; those that are there already stay as they are. Answers which were added.
pub(crate) async fn insert(
    connection: &mut PgConnection,
    tenant: Uuid,
    batch: i64,
    rows: &BTreeMap<Uuid, Stored>,
) -> Result<BTreeSet<Uuid>, Error> {
    if rows.is_empty() {
        return Ok(BTreeSet::new());
    }
    // Lists in lists must be of one length in Postgres, so each list of keys travels as a text.
    let keys = column(rows, |row| array_literal(&row.argument_keys));
    let inserted = sqlx::query_scalar!(
        "INSERT INTO decisions (tenant_id, batch, decided_at, id, decided, forwards, counting_until, server_id, server_name,
             grant_id, grant_label, identity, client_name, client_version, address, protocol_version, method, tool, rule,
             message, condition, policy_id, policy_name, policy_version, argument_keys, argument_digest,
             limit_rule, limit_used, limit_max, limit_resets_at, shadow_outcome, shadow_rule, shadow_message,
             trace_id, judged_micros, request_bytes, closed_batch, closed_at, lost, failed, failure,
             upstream_status, gateway_micros, upstream_micros, response_bytes, refunded, repeats)
         SELECT $1::uuid, $2::bigint, decided_at, id, decided, forwards, counting_until, server_id, server_name, grant_id, grant_label,
             identity, client_name, client_version, address, protocol_version, method, tool, rule, message,
             condition, policy_id, policy_name, policy_version, argument_keys::text[], argument_digest, limit_rule, limit_used, limit_max,
             limit_resets_at, shadow_outcome, shadow_rule, shadow_message, trace_id, judged_micros,
             request_bytes, closed_batch, closed_at, lost, failed, failure, upstream_status, gateway_micros,
             upstream_micros, response_bytes, refunded, repeats
         FROM UNNEST($3::timestamptz[], $4::uuid[], $5::text[], $6::boolean[], $7::timestamptz[], $8::uuid[], $9::text[],
             $10::uuid[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::text[],
             $17::text[], $18::text[], $19::text[], $20::text[], $21::text[], $22::uuid[], $23::text[],
             $24::integer[], $25::text[], $26::text[], $27::text[], $28::bigint[], $29::bigint[],
             $30::timestamptz[], $31::text[], $32::text[], $33::text[], $34::text[], $35::bigint[],
             $36::bigint[], $37::bigint[], $38::timestamptz[], $39::boolean[], $40::boolean[], $41::text[],
             $42::integer[], $43::bigint[], $44::bigint[], $45::bigint[], $46::boolean[], $47::bigint[])
             AS r (decided_at, id, decided, forwards, counting_until, server_id, server_name, grant_id, grant_label, identity,
             client_name, client_version, address, protocol_version, method, tool, rule, message, condition,
             policy_id, policy_name, policy_version, argument_keys, argument_digest, limit_rule, limit_used,
             limit_max, limit_resets_at, shadow_outcome, shadow_rule, shadow_message, trace_id, judged_micros,
             request_bytes, closed_batch, closed_at, lost, failed, failure, upstream_status, gateway_micros,
             upstream_micros, response_bytes, refunded, repeats)
         ON CONFLICT DO NOTHING
         RETURNING id",
        tenant,
        batch,
        &column(rows, |row| row.decided_at),
        &column(rows, |row| row.id),
        &column(rows, |row| row.decided.as_str()) as &[&str],
        &column(rows, |row| row.forwards),
        &column(rows, |row| row.counting_until) as &[Option<DateTime<Utc>>],
        &column(rows, |row| row.server_id) as &[Option<Uuid>],
        &column(rows, |row| row.server_name.as_deref()) as &[Option<&str>],
        &column(rows, |row| row.grant_id) as &[Option<Uuid>],
        &column(rows, |row| row.grant_label.as_deref()) as &[Option<&str>],
        &column(rows, |row| row.identity.as_deref()) as &[Option<&str>],
        &column(rows, |row| row.client_name.as_deref()) as &[Option<&str>],
        &column(rows, |row| row.client_version.as_deref()) as &[Option<&str>],
        &column(rows, |row| row.address.as_deref()) as &[Option<&str>],
        &column(rows, |row| row.protocol_version.as_deref()) as &[Option<&str>],
        &column(rows, |row| row.method.as_deref()) as &[Option<&str>],
        &column(rows, |row| row.tool.as_deref()) as &[Option<&str>],
        &column(rows, |row| row.rule.as_deref()) as &[Option<&str>],
        &column(rows, |row| row.message.as_deref()) as &[Option<&str>],
        &column(rows, |row| row.condition.as_deref()) as &[Option<&str>],
        &column(rows, |row| row.policy_id) as &[Option<Uuid>],
        &column(rows, |row| row.policy_name.as_deref()) as &[Option<&str>],
        &column(rows, |row| row.policy_version) as &[Option<i32>],
        &keys,
        &column(rows, |row| row.argument_digest.as_deref()) as &[Option<&str>],
        &column(rows, |row| row.limit_rule.as_deref()) as &[Option<&str>],
        &column(rows, |row| row.limit_used) as &[Option<i64>],
        &column(rows, |row| row.limit_max) as &[Option<i64>],
        &column(rows, |row| row.limit_resets_at) as &[Option<DateTime<Utc>>],
        &column(rows, |row| row.shadow_outcome.as_deref()) as &[Option<&str>],
        &column(rows, |row| row.shadow_rule.as_deref()) as &[Option<&str>],
        &column(rows, |row| row.shadow_message.as_deref()) as &[Option<&str>],
        &column(rows, |row| row.trace_id.as_deref()) as &[Option<&str>],
        &column(rows, |row| row.judged_micros) as &[Option<i64>],
        &column(rows, |row| row.request_bytes) as &[Option<i64>],
        &column(rows, |row| row.closed_batch) as &[Option<i64>],
        &column(rows, |row| row.closed_at) as &[Option<DateTime<Utc>>],
        &column(rows, |row| row.lost) as &[Option<bool>],
        &column(rows, |row| row.failed) as &[Option<bool>],
        &column(rows, |row| row.failure.as_deref()) as &[Option<&str>],
        &column(rows, |row| row.upstream_status) as &[Option<i32>],
        &column(rows, |row| row.gateway_micros) as &[Option<i64>],
        &column(rows, |row| row.upstream_micros) as &[Option<i64>],
        &column(rows, |row| row.response_bytes) as &[Option<i64>],
        &column(rows, |row| row.refunded) as &[Option<bool>],
        &column(rows, |row| row.repeats) as &[Option<i64>],
    )
    .fetch_all(connection)
    .await?;
    Ok(inserted.into_iter().collect())
}

/// One field of all rows.
fn column<'a, T>(rows: &'a BTreeMap<Uuid, Stored>, of: impl Fn(&'a Stored) -> T) -> Vec<T> {
    rows.values().map(of).collect()
}

/// A list of texts as Postgres reads it: <https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO>.
fn array_literal(texts: &[String]) -> String {
    let mut literal = "{".to_owned();
    for (at, text) in texts.iter().enumerate() {
        literal.push_str(if at == 0 { "\"" } else { ",\"" });
        for letter in text.chars() {
            if matches!(letter, '"' | '\\') {
                literal.push('\\');
            }
            literal.push(letter);
        }
        literal.push('"');
    }
    literal.push('}');
    literal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_literal_quotes_what_it_must() {
        let literal =
            |texts: &[&str]| array_literal(&texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>());
        assert_eq!(literal(&[]), "{}");
        assert_eq!(literal(&["a", "", "NULL"]), r#"{"a","","NULL"}"#);
        assert_eq!(literal(&[r#"x"y\z,{}"#]), r#"{"x\"y\\z,{}"}"#);
    }
}
