//! The statements of [`super::verify`] and [`crate::evidence`], one function each.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::TenantId;
use storage::{Storage, TenantTx};
use uuid::Uuid;

use super::Checked;
use crate::chain::{self, BEGINNING, Entry, Hash, Part};
use crate::search::plan_by_values;
use crate::select::{Terms, select_rows};
use crate::{Error, Filter};

/// Batches read at once.
const BATCHES: i64 = 200;
/// Bytes of entries looked at once; one batch at least.
const BYTES: usize = 100_000;

/// Where a tenant's chain begins and ends.
pub(crate) struct Bounds {
    /// Number and hash of the last batch.
    pub head: (i64, Hash),
    /// Of the last batch that was dropped; the beginning where none was.
    pub anchor: (i64, Hash),
    /// Rows decided before were dropped ...
    pub kept_from: Option<DateTime<Utc>>,
    /// ... if they were of a batch up to this one.
    kept_behind: i64,
}

impl Bounds {
    /// Whether the row was dropped with its day, as far as the time of its decision tells.
    pub(crate) fn is_old(&self, decided_at: DateTime<Utc>) -> bool {
        self.kept_from.is_some_and(|from| decided_at < from)
    }

    /// Whether this decision was dropped with its day. Endings don't tell when their decision was written.
    pub(crate) fn dropped(&self, batch: i64, entry: &Entry) -> bool {
        entry.part == Part::Decision && batch <= self.kept_behind && self.is_old(entry.decided_at)
    }
}

/// A batch, as the table has it.
pub(crate) struct StoredBatch {
    pub written_at: DateTime<Utc>,
    pub number: i64,
    pub previous: Vec<u8>,
    pub entries: Vec<u8>,
    pub hash: Vec<u8>,
}

/// The tenants that have a log.
pub async fn tenants(storage: &Storage) -> Result<Vec<TenantId>, Error> {
    let mut tx = storage.system().await?;
    let tenants = sqlx::query_scalar!("SELECT tenant_id FROM audit_heads ORDER BY 1")
        .fetch_all(tx.connection())
        .await?;
    Ok(tenants.into_iter().map(TenantId::from).collect())
}

impl StoredBatch {
    /// Its hash, if it follows from the last and is as it was written.
    pub(crate) fn follows(&self, tenant: Uuid, last: (i64, Hash)) -> Option<Hash> {
        let follows = (self.number, self.previous.as_slice()) == (last.0 + 1, last.1.as_slice());
        let hash = chain::link(tenant, self.number, &last.1, &self.entries);
        (follows && self.hash == hash).then_some(hash)
    }
}

pub(crate) async fn bounds(tx: &mut TenantTx) -> Result<Bounds, Error> {
    let tenant = tx.tenant().uuid();
    let row = sqlx::query!(
        r#"SELECT h.number, h.hash, h.kept_from, h.kept_behind, a.number AS "anchor?", a.hash AS "anchor_hash?"
           FROM audit_heads h
           LEFT JOIN LATERAL (SELECT number, hash FROM audit_anchors a WHERE a.tenant_id = h.tenant_id
                              ORDER BY number DESC LIMIT 1) a ON true
           WHERE h.tenant_id = $1"#,
        tenant
    )
    .fetch_optional(tx.connection())
    .await?;
    // A hash of another length follows from nothing, and nothing from it.
    let hash = |bytes: Vec<u8>| bytes.try_into().unwrap_or([0xff; 32]);
    let begins = (0, BEGINNING);
    Ok(row.map_or(Bounds { head: begins, anchor: begins, kept_from: None, kept_behind: 0 }, |row| Bounds {
        head: (row.number, hash(row.hash)),
        anchor: row.anchor.zip(row.anchor_hash).map_or(begins, |(number, bytes)| (number, hash(bytes))),
        kept_from: row.kept_from,
        kept_behind: row.kept_behind.unwrap_or(0),
    }))
}

/// The heads of the days that were dropped.
pub(crate) async fn anchors(tx: &mut TenantTx) -> Result<Vec<Hash>, Error> {
    let tenant = tx.tenant().uuid();
    let hashes = sqlx::query_scalar!("SELECT hash FROM audit_anchors WHERE tenant_id = $1", tenant)
        .fetch_all(tx.connection())
        .await?;
    Ok(hashes.into_iter().filter_map(|hash| hash.try_into().ok()).collect())
}

/// The first and last batch that were written in a span of time.
pub(crate) async fn span(
    tx: &mut TenantTx,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Result<Option<(i64, i64)>, Error> {
    let tenant = tx.tenant().uuid();
    let span = sqlx::query!(
        "SELECT min(number) AS first, max(number) AS last FROM audit_batches
         WHERE tenant_id = $1 AND written_at >= $2 AND written_at < $3",
        tenant,
        from,
        to
    )
    .fetch_one(tx.connection())
    .await?;
    Ok(span.first.zip(span.last))
}

pub(crate) async fn batches_behind(tx: &mut TenantTx, number: i64) -> Result<Vec<StoredBatch>, Error> {
    let tenant = tx.tenant().uuid();
    let mut batches = sqlx::query_as!(
        StoredBatch,
        "SELECT written_at, number, previous, entries, hash FROM audit_batches
         WHERE tenant_id = $1 AND number > $2 ORDER BY number LIMIT $3",
        tenant,
        number,
        BATCHES
    )
    .fetch_all(tx.connection())
    .await?;
    let mut bytes = 0;
    let fitting = batches.iter().take_while(|batch| {
        bytes += batch.entries.len();
        bytes <= BYTES
    });
    let fitting = fitting.count().max(1);
    batches.truncate(fitting);
    Ok(batches)
}

/// The rows that say they were written or completed by these batches.
pub(crate) async fn rows_of(
    tx: &mut TenantTx,
    first: i64,
    last: i64,
) -> Result<BTreeMap<(DateTime<Utc>, Uuid), Checked>, Error> {
    plan_by_values(tx).await?;
    let tenant = tx.tenant().uuid();
    let terms = Terms::of(&Filter::default());
    let rows = select_rows!(
        "decisions",
        terms,
        tenant,
        "AND (batch BETWEEN $13 AND $14 OR closed_batch BETWEEN $13 AND $14)",
        first,
        last
    );
    let rows = rows.fetch_all(tx.connection()).await?;
    Ok(rows.into_iter().map(|row| ((row.decided_at, row.id), Checked::new(row))).collect())
}

/// The batch of a row's ending, if the row is there.
pub(crate) async fn closed_by(tx: &mut TenantTx, entry: &Entry) -> Result<Option<Option<i64>>, Error> {
    let tenant = tx.tenant().uuid();
    Ok(sqlx::query_scalar!(
        "SELECT closed_batch FROM decisions WHERE tenant_id = $1 AND decided_at = $2 AND id = $3",
        tenant,
        entry.decided_at,
        entry.id
    )
    .fetch_optional(tx.connection())
    .await?)
}

/// A row of a batch that is not in the chain. In one statement with the head, so that no batch comes in between.
pub(crate) async fn stray(tx: &mut TenantTx, anchor: i64) -> Result<Option<Uuid>, Error> {
    let tenant = tx.tenant().uuid();
    Ok(sqlx::query_scalar!(
        "SELECT d.id FROM decisions d
         WHERE d.tenant_id = $1 AND (d.batch <= $2 OR greatest(d.batch, d.closed_batch) >
             coalesce((SELECT h.number FROM audit_heads h WHERE h.tenant_id = $1), 0))
         ORDER BY d.decided_at, d.id LIMIT 1",
        tenant,
        anchor
    )
    .fetch_optional(tx.connection())
    .await?)
}
