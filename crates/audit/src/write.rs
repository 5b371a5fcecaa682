//! Writing to the log: the only place that does. One tenant's rows and endings of a transaction are one batch.
//!
//! Everything may come twice, and endings before their decisions: what is already there stays as it is, and what has no
//! row yet waits in `early_closings`.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::{Outcome, TenantId};
use storage::SystemTx;
use uuid::Uuid;

use crate::Error;
use crate::chain::{Entry, Part};
use crate::counts::{Counts, Facets};
use crate::insert::insert;
use crate::statements::{self as sql, Completed};
use crate::stored::{Ending, Stored};

/// Rows and endings that may go into one batch.
pub(crate) const MOST: usize = 2000;

/// What is to be written for one tenant.
#[derive(Clone, Debug, Default)]
pub(crate) struct Batch {
    pub decisions: Vec<Stored>,
    pub endings: Vec<Ending>,
}

/// Writes one batch. Holds the tenant's head until the transaction ends: with several tenants in one transaction, call it
/// in the order of their ids.
pub(crate) async fn write(
    tx: &mut SystemTx,
    now: DateTime<Utc>,
    tenant: TenantId,
    batch: Batch,
) -> Result<(), Error> {
    let (tenant, connection) = (tenant.uuid(), tx.connection());
    let head = sql::lock_head(connection, tenant).await?;
    let number = head.number + 1;

    let mut rows: BTreeMap<Uuid, Stored> = BTreeMap::new();
    for row in batch.decisions {
        rows.entry(row.id).or_insert(Stored { batch: number, ..row });
    }
    let early = sql::take_early(connection, tenant, &rows.keys().copied().collect::<Vec<_>>()).await?;
    let mut endings = one_each(batch.endings.into_iter().chain(early));
    // An ending whose decision is in the same batch is written with it. Kept, in case the row turns out to be there.
    let mut merged: BTreeMap<Uuid, Ending> = BTreeMap::new();
    for row in rows.values_mut().filter(|row| row.is_open()) {
        if let Some(ending) = endings.remove(&row.id) {
            row.end(ending.clone(), number);
            merged.insert(row.id, ending);
        }
    }
    let inserted = insert(connection, &rows).await?;
    rows.retain(|id, _| inserted.contains(id));
    endings.extend(merged.into_iter().filter(|(id, _)| !inserted.contains(id)));
    let completed = sql::complete(connection, tenant, number, &endings).await?;

    let mut entries = Vec::with_capacity(rows.len() + completed.len());
    for row in rows.values() {
        entries.push(Entry::new(Part::Decision, row.decided_at, row.id, &row.decision_bytes()?));
        if let Some(ending) = row.ending_bytes()? {
            entries.push(Entry::new(Part::Ending, row.decided_at, row.id, &ending));
        }
    }
    let completed: BTreeMap<Uuid, Completed> = completed.into_iter().map(|row| (row.id, row)).collect();
    for ending in completed.keys().filter_map(|id| endings.get(id)) {
        entries.push(Entry::new(Part::Ending, ending.decided_at, ending.id, &ending.bytes()?));
    }
    endings.retain(|id, ending| !completed.contains_key(id) && ending.lost != Some(true));
    count(&rows, &completed).write(connection, tenant).await?;
    sql::put_aside(connection, now, tenant, &endings).await?;
    if !entries.is_empty() {
        sql::extend_chain(connection, now, tenant, &head, &entries).await?;
    }
    Ok(())
}

/// What these rows change in the counts.
fn count<'a>(rows: &'a BTreeMap<Uuid, Stored>, completed: &'a BTreeMap<Uuid, Completed>) -> Counts<'a> {
    let failed = Outcome::Error.as_str();
    let mut counts = Counts::default();
    for row in rows.values() {
        let outcome = if row.failed == Some(true) { failed } else { row.decided.as_str() };
        counts.add(Facets::of(row), outcome, 1);
    }
    // Neither an open row nor one of unknown end has failed so far.
    for row in completed.values().filter(|row| row.failed == Some(true)) {
        counts.add(Facets::from(row), &row.decided, -1);
        counts.add(Facets::from(row), failed, 1);
    }
    counts
}

/// The first ending of each row; one that says how it ended goes before one that does not know.
fn one_each(endings: impl Iterator<Item = Ending>) -> BTreeMap<Uuid, Ending> {
    let mut each: BTreeMap<Uuid, Ending> = BTreeMap::new();
    for ending in endings {
        let known = each.get(&ending.id);
        if known.is_none_or(|known| known.lost == Some(true) && ending.lost != Some(true)) {
            each.insert(ending.id, ending);
        }
    }
    each
}
