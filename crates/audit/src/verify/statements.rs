//! The statements of [`super::verify`], one function each.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::TenantId;
use storage::{Storage, TenantTx};
use uuid::Uuid;

use super::Checked;
use crate::chain::Entry;
use crate::search::plan_by_values;
use crate::select::{Terms, select_rows};
use crate::{Error, Filter};

/// Batches read at once.
const BATCHES: i64 = 200;
/// Bytes of entries looked at once; one batch at least.
const BYTES: usize = 100_000;

/// The end of the chain, as the table has it.
pub(super) struct StoredHead {
    pub number: i64,
    pub hash: Vec<u8>,
    pub kept_from: Option<DateTime<Utc>>,
}

/// A batch, as the table has it.
pub(super) struct StoredBatch {
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

pub(super) async fn head(tx: &mut TenantTx) -> Result<Option<StoredHead>, Error> {
    let tenant = tx.tenant().uuid();
    Ok(sqlx::query_as!(
        StoredHead,
        "SELECT number, hash, kept_from FROM audit_heads WHERE tenant_id = $1",
        tenant
    )
    .fetch_optional(tx.connection())
    .await?)
}

pub(super) async fn batches_behind(tx: &mut TenantTx, number: i64) -> Result<Vec<StoredBatch>, Error> {
    let tenant = tx.tenant().uuid();
    let mut batches = sqlx::query_as!(
        StoredBatch,
        "SELECT number, previous, entries, hash FROM audit_batches
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
pub(super) async fn rows_of(
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

pub(super) async fn exists(tx: &mut TenantTx, entry: &Entry) -> Result<bool, Error> {
    let tenant = tx.tenant().uuid();
    Ok(sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM decisions WHERE tenant_id = $1 AND decided_at = $2 AND id = $3) AS "exists!""#,
        tenant,
        entry.decided_at,
        entry.id
    )
    .fetch_one(tx.connection())
    .await?)
}

/// A row of a batch that is not in the chain. In one statement with the head, so that no batch comes in between.
pub(super) async fn stray(
    tx: &mut TenantTx,
    first: i64,
    kept_from: Option<DateTime<Utc>>,
) -> Result<Option<Uuid>, Error> {
    let tenant = tx.tenant().uuid();
    Ok(sqlx::query_scalar!(
        "SELECT d.id FROM decisions d
         WHERE d.tenant_id = $1 AND ($3::timestamptz IS NULL OR d.decided_at >= $3)
             AND (d.batch < $2 OR greatest(d.batch, d.closed_batch) >
                 (SELECT h.number FROM audit_heads h WHERE h.tenant_id = $1))
         ORDER BY d.decided_at, d.id LIMIT 1",
        tenant,
        first,
        kept_from
    )
    .fetch_optional(tx.connection())
    .await?)
}
