//! Reading rows: pages of a search, one row, and what is new.

mod plan;
mod windows;

use domain::DecisionId;
use storage::TenantTx;

use self::plan::Plan;
pub(crate) use self::plan::lead;
use crate::select::{Terms, select_rows};
use crate::stored::Stored;
use crate::write::MOST;
use crate::{Cursor, Error, Filter, Page, Row, Tail, TailCursor};

/// Rows of a page at most.
pub const PAGE_MAX: u16 = 1000;

/// The rows that the filter lets through, newest first, behind `after`; 1 to [`PAGE_MAX`] of them. Where a filter of several
/// conditions finds little, the search ends after a while: [`Page::searched_to`] says where, and `next` goes on there.
pub async fn search(
    tx: &mut TenantTx,
    filter: &Filter,
    after: Option<Cursor>,
    limit: u16,
) -> Result<Page, Error> {
    let limit = usize::from(limit.clamp(1, PAGE_MAX));
    let mut rows: Vec<Stored> = Vec::new();
    let mut next = None;
    if let Some(plan) = Plan::of(tx, filter, after).await? {
        next = plan.collect(tx, after, limit + 1, &mut rows).await?;
    }
    let mut searched_to = next.map(|next| next.decided_at);
    if rows.len() > limit {
        rows.truncate(limit);
        next = rows.last().map(|row| Cursor { decided_at: row.decided_at, id: row.id.into() });
        searched_to = None;
    }
    let rows = rows.into_iter().map(Row::try_from).collect::<Result<_, _>>()?;
    Ok(Page { rows, next, searched_to })
}

/// One row of the tenant.
pub async fn get(tx: &mut TenantTx, id: DecisionId) -> Result<Option<Row>, Error> {
    let filter = Filter { request_id: Some(id), ..Filter::default() };
    Ok(search(tx, &filter, None, 1).await?.rows.pop())
}

/// Where a tail begins that is to show what comes from now on.
pub async fn tail_start(tx: &mut TenantTx) -> Result<TailCursor, Error> {
    let tenant = tx.tenant().uuid();
    let number = sqlx::query_scalar!("SELECT number FROM audit_heads WHERE tenant_id = $1", tenant)
        .fetch_optional(tx.connection())
        .await?;
    Ok(TailCursor(number.unwrap_or(0)))
}

/// What was written or completed since `after`, in the order of writing. A `from` in the filter spares looking into old
/// days.
pub async fn tail(tx: &mut TenantTx, filter: &Filter, after: TailCursor) -> Result<Tail, Error> {
    plan_by_values(tx).await?;
    let tenant = tx.tenant().uuid();
    let terms = Terms::of(filter);
    // A row's batch is never above the head: read first, so that what is written meanwhile is left for the next call.
    let head = tail_start(tx).await?.0;
    // More than a batch has: at least one is told as a whole.
    let most = MOST + 1;
    let rows = select_rows!(
        "decisions",
        terms,
        tenant,
        "AND (batch > $13 AND batch <= $14 OR closed_batch > $13 AND closed_batch <= $14 AND closed_batch > batch)
         ORDER BY greatest(batch, closed_batch), decided_at, id LIMIT $15",
        after.0,
        head,
        i64::try_from(most).unwrap_or(i64::MAX)
    );
    let mut rows = rows.fetch_all(tx.connection()).await?;
    let written = |row: &Stored| row.closed_batch.map_or(row.batch, |closed| closed.max(row.batch));
    let mut next = head.max(after.0);
    if rows.len() == most
        && let Some(last) = rows.last().map(written)
    {
        // The last batch may go on behind the limit.
        rows.retain(|row| written(row) < last);
        next = last - 1;
    }
    let rows = rows.into_iter().map(Row::try_from).collect::<Result<_, _>>()?;
    Ok(Tail { rows, next: TailCursor(next) })
}

/// Makes Postgres plan with the values at hand: one plan for any filter would read whole partitions.
pub(crate) async fn plan_by_values(tx: &mut TenantTx) -> Result<(), Error> {
    sqlx::query!("SET LOCAL plan_cache_mode = force_custom_plan").execute(tx.connection()).await?;
    Ok(())
}
