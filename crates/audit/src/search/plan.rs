//! How a search goes about it: by the index of its rarest condition, newest first, a few days and a stretch of rows at a time,
//! and no longer than a page may take.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use storage::TenantTx;
use tokio::time::Instant;
use uuid::Uuid;

use super::windows::{self, Windows};
use crate::facet::{Facet, reach_of_calls, reach_of_grants};
use crate::select::{Terms, select_rows};
use crate::stored::Stored;
use crate::{Cursor, Error, Filter};

/// Rows looked at by one statement.
const STRETCH: usize = 2000;
/// After this no other stretch begins.
const ENOUGH: Duration = Duration::from_millis(20);
/// Rows that may be sorted.
const FEW: i64 = 2000;

/// How to search.
pub(super) struct Plan {
    /// All conditions.
    terms: Terms,
    /// The one whose index leads.
    lead: Terms,
    /// The lead is all there is: what it leads to is what is looked for.
    whole: bool,
    /// When.
    windows: Windows,
}

impl Plan {
    /// None when there is no such row.
    pub(super) async fn of(
        tx: &mut TenantTx,
        filter: &Filter,
        after: Option<Cursor>,
    ) -> Result<Option<Self>, Error> {
        plan_by_index(tx).await?;
        let mut terms = Terms::of(filter);
        let before = after.map(|after| after.decided_at + TimeDelta::microseconds(1));
        terms.to = [terms.to, before].into_iter().flatten().min();
        if let (Some(_), Some(from), Some(to)) = (filter.request_id, terms.from, terms.to) {
            let windows = Windows::of((from, to));
            return Ok(Some(Self { lead: terms.clone(), terms, whole: true, windows }));
        }
        let Some(span) = windows::span(tx).await? else { return Ok(None) };
        narrow(&mut terms, span);
        let facets = Facet::all_of(filter);
        // What is together in no hour is nowhere.
        for reach in
            [reach_of_calls(tx, &terms).await?, reach_of_grants(tx, &terms).await?].into_iter().flatten()
        {
            let Some(span) = reach.span else { return Ok(None) };
            narrow(&mut terms, span);
        }
        let (Some(first), Some(behind)) = (terms.from, terms.to) else { return Ok(None) };
        if first >= behind {
            return Ok(None);
        }
        let refused = !terms.outcomes.is_empty() && !terms.outcomes.iter().any(|outcome| outcome == "allow");
        let rarest = rarest(tx, &facets, &terms).await?;
        let lead = rarest.map(|facet| facet.alone(&terms)).unwrap_or_default();
        let whole = terms.outcomes.is_empty()
            && match rarest {
                None => facets.is_empty(),
                Some(_) => facets.len() == 1 && terms.tools.least.is_none(),
            };
        // Refusals are in an index of their own.
        let lead = Terms { refused: refused && rarest.is_none(), ..lead };
        Ok(Some(Self { terms, lead, whole, windows: Windows::of((first, behind)) }))
    }

    /// Adds rows until there are `wanted`. Answers where the search ended before that, unless it was at the end.
    pub(super) async fn collect(
        &self,
        tx: &mut TenantTx,
        after: Option<Cursor>,
        wanted: usize,
        rows: &mut Vec<Stored>,
    ) -> Result<Option<Cursor>, Error> {
        let begun = Instant::now();
        let mut behind = after;
        let mut window = self.windows;
        loop {
            rows.extend(self.stretch(tx, window, behind, wanted - rows.len()).await?);
            if rows.len() >= wanted {
                return Ok(None);
            }
            let end = if self.whole { None } else { self.end_of_stretch(tx, window, behind).await? };
            if end.is_none() {
                let Some(before) = window.before() else { return Ok(None) };
                window = before;
            }
            behind = end.or(Some(Cursor { decided_at: window.to, id: Uuid::nil().into() }));
            if begun.elapsed() >= ENOUGH {
                return Ok(behind);
            }
        }
    }

    async fn stretch(
        &self,
        tx: &mut TenantTx,
        window: Windows,
        after: Option<Cursor>,
        wanted: usize,
    ) -> Result<Vec<Stored>, Error> {
        let tenant = tx.tenant().uuid();
        let (time, id) = after.map(|after| (after.decided_at, after.id.uuid())).unzip();
        let most = if self.whole { wanted } else { STRETCH };
        let terms = Terms { from: Some(window.from), to: Some(window.to), ..self.terms.clone() };
        let lead = &self.lead;
        let rows = select_rows!(
            "(SELECT * FROM decisions AS d
              WHERE d.tenant_id = $12
                  AND ($13::timestamptz IS NULL OR d.decided_at <= $13 AND (d.decided_at, d.id) < ($13, $14::uuid))
                  AND d.decided_at >= $9 AND d.decided_at < $10
                  AND ($15::uuid IS NULL OR d.server_id = $15)
                  AND ($16::uuid IS NULL OR d.grant_id = $16)
                  AND ($17::text IS NULL OR d.identity = $17)
                  AND ($18::text IS NULL OR d.tool = $18)
                  AND ($19::text IS NULL OR d.tool ~>=~ $19)
                  AND ($20::text IS NULL OR d.tool ~<~ $20)
                  AND (NOT $21 OR d.outcome <> 'allow')
                  AND ($22::text IS NULL OR d.rule = $22)
                  AND ($11::uuid IS NULL OR d.id = $11)
              ORDER BY d.decided_at DESC, d.id DESC LIMIT $23) AS decisions",
            terms,
            tenant,
            "ORDER BY decisions.decided_at DESC, decisions.id DESC LIMIT $24",
            time,
            id,
            lead.server,
            lead.grant,
            lead.identity,
            lead.tool,
            lead.tools.least,
            lead.tools.behind,
            lead.refused,
            lead.rule,
            i64::try_from(most).unwrap_or(i64::MAX),
            i64::try_from(wanted).unwrap_or(i64::MAX)
        );
        Ok(rows.fetch_all(tx.connection()).await?)
    }

    /// The last row that [`Self::stretch`] looked at, if it was not the last of all.
    async fn end_of_stretch(
        &self,
        tx: &mut TenantTx,
        window: Windows,
        after: Option<Cursor>,
    ) -> Result<Option<Cursor>, Error> {
        let tenant = tx.tenant().uuid();
        let (time, id) = after.map(|after| (after.decided_at, after.id.uuid())).unzip();
        let lead = &self.lead;
        let last = sqlx::query!(
            "SELECT d.decided_at, d.id FROM decisions AS d
             WHERE d.tenant_id = $1
                 AND ($2::timestamptz IS NULL OR d.decided_at <= $2 AND (d.decided_at, d.id) < ($2, $3::uuid))
                 AND d.decided_at >= $4 AND d.decided_at < $5
                 AND ($6::uuid IS NULL OR d.server_id = $6)
                 AND ($7::uuid IS NULL OR d.grant_id = $7)
                 AND ($8::text IS NULL OR d.identity = $8)
                 AND ($9::text IS NULL OR d.tool = $9)
                 AND ($10::text IS NULL OR d.tool ~>=~ $10)
                 AND ($11::text IS NULL OR d.tool ~<~ $11)
                 AND (NOT $12 OR d.outcome <> 'allow')
                 AND ($13::text IS NULL OR d.rule = $13)
             ORDER BY d.decided_at DESC, d.id DESC OFFSET $14 LIMIT 1",
            tenant,
            time,
            id,
            window.from,
            window.to,
            lead.server,
            lead.grant,
            lead.identity,
            lead.tool,
            lead.tools.least,
            lead.tools.behind,
            lead.refused,
            lead.rule,
            i64::try_from(STRETCH - 1).unwrap_or(i64::MAX)
        )
        .fetch_optional(tx.connection())
        .await?;
        Ok(last.map(|last| Cursor { decided_at: last.decided_at, id: last.id.into() }))
    }
}

/// Makes Postgres plan with the values at hand, and walk along an index. It takes a table from its beginning where it thinks that
/// what is looked for is everywhere in it, and what is far apart in time is not.
async fn plan_by_index(tx: &mut TenantTx) -> Result<(), Error> {
    sqlx::query!(
        "SELECT set_config('plan_cache_mode', 'force_custom_plan', true) AS plans, set_config('enable_seqscan', 'off', true) AS tables,
             set_config('enable_bitmapscan', 'off', true) AS bitmaps"
    )
    .fetch_one(tx.connection())
    .await?;
    Ok(())
}

/// Makes the times of the terms no wider than a span.
fn narrow(terms: &mut Terms, (first, behind): (DateTime<Utc>, DateTime<Utc>)) {
    terms.from = terms.from.max(Some(first));
    terms.to = [terms.to, Some(behind)].into_iter().flatten().min();
}

/// The part of the terms that is the rarest condition.
pub(crate) async fn lead(tx: &mut TenantTx, filter: &Filter, terms: &Terms) -> Result<Terms, Error> {
    let rarest = rarest(tx, &Facet::all_of(filter), terms).await?;
    Ok(rarest.map(|facet| facet.alone(terms)).unwrap_or_default())
}

/// The condition that lets the fewest rows through; of those that let too many through to be counted, the first.
async fn rarest(tx: &mut TenantTx, facets: &[Facet], span: &Terms) -> Result<Option<Facet>, Error> {
    let by_beginning = span.tools.least.is_some();
    if let [one] = facets
        && !by_beginning
    {
        return Ok(Some(*one));
    }
    let mut rarest: Option<(i64, Facet)> = None;
    for facet in facets {
        let alone = facet.alone(span);
        let reach = if facet.is_of_calls() {
            reach_of_calls(tx, &alone).await?
        } else {
            reach_of_grants(tx, &alone).await?
        };
        let rows = reach.map_or(i64::MAX, |reach| reach.rows);
        // What has one beginning of several is in no order of time: it must be sorted.
        if *facet == Facet::Tool && by_beginning && rows > FEW {
            continue;
        }
        if rarest.is_none_or(|(least, _)| rows < least) {
            rarest = Some((rows, *facet));
        }
    }
    Ok(rarest.map(|(_, facet)| facet))
}
