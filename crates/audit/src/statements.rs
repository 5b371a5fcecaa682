//! The statements of [`crate::write`] but for the one that adds rows, a function each.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::Error;
use crate::chain::{self, BEGINNING, Entry, Hash};
use crate::stored::Ending;

/// A tenant's last batch.
pub(crate) struct Head {
    pub number: i64,
    pub hash: Hash,
}

/// What is counted of a row that was completed.
pub(crate) struct Completed {
    pub id: Uuid,
    pub decided_at: DateTime<Utc>,
    pub decided: String,
    pub failed: Option<bool>,
    pub server_id: Option<Uuid>,
    pub grant_id: Option<Uuid>,
    pub identity: Option<String>,
    pub client_name: Option<String>,
    pub tool: Option<String>,
    pub rule: Option<String>,
}

/// The head, made where there is none, and held until the transaction ends.
pub(crate) async fn lock_head(connection: &mut PgConnection, tenant: Uuid) -> Result<Head, Error> {
    let head = sqlx::query!(
        "INSERT INTO audit_heads (tenant_id, number, hash) VALUES ($1, 0, $2)
         ON CONFLICT (tenant_id) DO UPDATE SET number = audit_heads.number
         RETURNING number, hash",
        tenant,
        BEGINNING.as_slice()
    )
    .fetch_one(connection)
    .await?;
    // INVARIANT: only `extend_chain` writes a hash. Another length ends in a hash that `verify` does not find.
    Ok(Head { number: head.number, hash: head.hash.try_into().unwrap_or(BEGINNING) })
}

/// Endings that came before these decisions.
pub(crate) async fn take_early(
    connection: &mut PgConnection,
    tenant: Uuid,
    decisions: &[Uuid],
) -> Result<Vec<Ending>, Error> {
    let early = sqlx::query_scalar!(
        "DELETE FROM early_closings WHERE tenant_id = $1 AND id = ANY($2) RETURNING closing",
        tenant,
        decisions
    )
    .fetch_all(connection)
    .await?;
    Ok(early.into_iter().map(serde_json::from_value).collect::<Result<_, _>>()?)
}

/// Completes rows that are open, or whose end was not known; another's guess that an end is lost only those that are
/// open. Answers the rows that were completed.
pub(crate) async fn complete(
    connection: &mut PgConnection,
    tenant: Uuid,
    batch: i64,
    endings: &BTreeMap<Uuid, Ending>,
) -> Result<Vec<Completed>, Error> {
    let times = || endings.values().map(|ending| ending.decided_at);
    let (Some(first), Some(last)) = (times().min(), times().max()) else { return Ok(Vec::new()) };
    let endings = serde_json::to_value(endings.values().collect::<Vec<_>>())?;
    // The bounds let Postgres look into the partitions of those days alone.
    let completed = sqlx::query_as!(
        Completed,
        "UPDATE decisions d SET closed_batch = $2, closed_at = e.closed_at, lost = e.lost, failed = e.failed,
             failure = e.failure, upstream_status = e.upstream_status, gateway_micros = e.gateway_micros,
             upstream_micros = e.upstream_micros, response_bytes = e.response_bytes, refunded = e.refunded,
             repeats = e.repeats
         FROM jsonb_to_recordset($3) AS e (decided_at timestamptz, id uuid, closed_at timestamptz, lost boolean,
             failed boolean, failure text, upstream_status integer, gateway_micros bigint, upstream_micros bigint,
             response_bytes bigint, refunded boolean, repeats bigint)
         WHERE d.tenant_id = $1 AND d.decided_at = e.decided_at AND d.id = e.id AND d.decided_at BETWEEN $4 AND $5
             AND (d.completion = 'open' OR d.completion = 'unknown' AND e.lost IS NOT TRUE)
         RETURNING d.id, d.decided_at, d.decided, d.failed, d.server_id, d.grant_id, d.identity, d.client_name,
             d.tool, d.rule",
        tenant,
        batch,
        endings,
        first,
        last
    )
    .fetch_all(connection)
    .await?;
    Ok(completed)
}

/// Keeps the endings that have no row yet, until it comes.
pub(crate) async fn put_aside(
    connection: &mut PgConnection,
    now: DateTime<Utc>,
    tenant: Uuid,
    endings: &BTreeMap<Uuid, Ending>,
) -> Result<(), Error> {
    if endings.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = endings.keys().copied().collect();
    let times: Vec<DateTime<Utc>> = endings.values().map(|ending| ending.decided_at).collect();
    let closings: Vec<serde_json::Value> =
        endings.values().map(serde_json::to_value).collect::<Result<_, _>>()?;
    sqlx::query!(
        "INSERT INTO early_closings (tenant_id, id, closing, arrived_at)
         SELECT $1, e.id, e.closing, $2
         FROM unnest($3::uuid[], $4::timestamptz[], $5::jsonb[]) AS e (id, decided_at, closing)
         WHERE NOT EXISTS (
             SELECT FROM decisions d WHERE d.tenant_id = $1 AND d.decided_at = e.decided_at AND d.id = e.id)
         ON CONFLICT DO NOTHING",
        tenant,
        now,
        &ids,
        &times,
        &closings
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Adds a batch behind the head.
pub(crate) async fn extend_chain(
    connection: &mut PgConnection,
    now: DateTime<Utc>,
    tenant: Uuid,
    head: &Head,
    entries: &[Entry],
) -> Result<(), Error> {
    let number = head.number + 1;
    let entries = chain::encode(entries);
    let hash = chain::link(tenant, number, &head.hash, &entries);
    sqlx::query!(
        "WITH batch AS (
             INSERT INTO audit_batches (tenant_id, written_at, number, previous, entries, hash)
             VALUES ($1, $2, $3, $4, $5, $6))
         UPDATE audit_heads SET number = $3, hash = $6 WHERE tenant_id = $1",
        tenant,
        now,
        number,
        head.hash.as_slice(),
        entries,
        hash.as_slice()
    )
    .execute(connection)
    .await?;
    Ok(())
}
