//! How a search goes about it: by the index of its rarest condition, newest first, a stretch at a time, and no longer than a
//! page may take.

use std::time::Duration;

use storage::TenantTx;
use tokio::time::Instant;

use super::plan_by_values;
use crate::facet::{Facet, reach_of_days, reach_of_hours};
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
    /// The one whose index leads, and the times.
    lead: Terms,
    /// The lead is all there is: what it leads to is what is looked for.
    whole: bool,
}

impl Plan {
    /// None when there is no such row.
    pub(super) async fn of(
        tx: &mut TenantTx,
        filter: &Filter,
        after: Option<Cursor>,
    ) -> Result<Option<Self>, Error> {
        let mut terms = Terms::of(filter);
        if filter.request_id.is_some() {
            return Ok(Some(Self { lead: terms.clone(), terms, whole: true }));
        }
        let facets = Facet::all_of(filter);
        let of_outcome = !terms.outcomes.is_empty();
        if facets.is_empty() && !of_outcome {
            return Ok(Some(Self { lead: terms.clone(), terms, whole: true }));
        }
        let mut span = terms.clone();
        span.to = [span.to, after.map(|after| after.decided_at)].into_iter().flatten().min();
        let of_hours = facets.is_empty() || facets.iter().any(|facet| facet.is_of_hours());
        let of_days = facets.iter().any(|facet| !facet.is_of_hours());
        // What is together in no hour or no day is nowhere.
        for reach in [
            if of_hours { reach_of_hours(tx, &span).await? } else { None },
            if of_days { reach_of_days(tx, &span).await? } else { None },
        ] {
            let Some(reach) = reach else { continue };
            let Some((first, behind)) = reach.span else { return Ok(None) };
            terms.from = terms.from.max(Some(first));
            terms.to = [terms.to, Some(behind)].into_iter().flatten().min();
        }
        let rarest = rarest(tx, &facets, &span).await?;
        let only = Terms { from: terms.from, to: terms.to, ..Terms::default() };
        let lead = match rarest {
            // Refusals are in an index of their own.
            None if of_outcome && !terms.outcomes.iter().any(|outcome| outcome == "allow") => {
                Terms { outcomes: terms.outcomes.clone(), ..only }
            }
            None => only,
            Some(facet) => facet.alone(&terms),
        };
        let whole = match rarest {
            None => facets.is_empty() && !lead.outcomes.is_empty(),
            Some(_) => facets.len() == 1 && !of_outcome && terms.tools.least.is_none(),
        };
        Ok(Some(Self { terms, lead, whole }))
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
        plan_by_values(tx).await?;
        loop {
            rows.extend(self.stretch(tx, behind, wanted - rows.len()).await?);
            if self.whole || rows.len() >= wanted {
                return Ok(None);
            }
            behind = self.end_of_stretch(tx, behind).await?;
            if behind.is_none() || begun.elapsed() >= ENOUGH {
                return Ok(behind);
            }
        }
    }

    async fn stretch(
        &self,
        tx: &mut TenantTx,
        after: Option<Cursor>,
        wanted: usize,
    ) -> Result<Vec<Stored>, Error> {
        let tenant = tx.tenant().uuid();
        let (time, id) = after.map(|after| (after.decided_at, after.id.uuid())).unzip();
        let most = if self.whole { wanted } else { STRETCH };
        let lead = &self.lead;
        let rows = select_rows!(
            "(SELECT * FROM decisions AS d
              WHERE d.tenant_id = $12
                  AND ($13::timestamptz IS NULL OR d.decided_at <= $13 AND (d.decided_at, d.id) < ($13, $14::uuid))
                  AND ($9::timestamptz IS NULL OR d.decided_at >= $9)
                  AND ($10::timestamptz IS NULL OR d.decided_at < $10)
                  AND ($15::uuid IS NULL OR d.server_id = $15)
                  AND ($16::uuid IS NULL OR d.grant_id = $16)
                  AND ($17::text IS NULL OR d.identity = $17)
                  AND ($18::text IS NULL OR d.tool = $18)
                  AND ($19::text IS NULL OR d.tool ~>=~ $19)
                  AND ($20::text IS NULL OR d.tool ~<~ $20)
                  AND (cardinality($21::text[]) = 0 OR d.outcome = ANY($21) AND d.outcome <> 'allow')
                  AND ($22::text IS NULL OR d.rule = $22)
                  AND ($11::uuid IS NULL OR d.id = $11)
              ORDER BY d.decided_at DESC, d.id DESC LIMIT $23) AS decisions",
            self.terms,
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
            &lead.outcomes,
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
        after: Option<Cursor>,
    ) -> Result<Option<Cursor>, Error> {
        let tenant = tx.tenant().uuid();
        let (time, id) = after.map(|after| (after.decided_at, after.id.uuid())).unzip();
        let lead = &self.lead;
        let last = sqlx::query!(
            "SELECT d.decided_at, d.id FROM decisions AS d
             WHERE d.tenant_id = $1
                 AND ($2::timestamptz IS NULL OR d.decided_at <= $2 AND (d.decided_at, d.id) < ($2, $3::uuid))
                 AND ($4::timestamptz IS NULL OR d.decided_at >= $4)
                 AND ($5::timestamptz IS NULL OR d.decided_at < $5)
                 AND ($6::uuid IS NULL OR d.server_id = $6)
                 AND ($7::uuid IS NULL OR d.grant_id = $7)
                 AND ($8::text IS NULL OR d.identity = $8)
                 AND ($9::text IS NULL OR d.tool = $9)
                 AND ($10::text IS NULL OR d.tool ~>=~ $10)
                 AND ($11::text IS NULL OR d.tool ~<~ $11)
                 AND (cardinality($12::text[]) = 0 OR d.outcome = ANY($12) AND d.outcome <> 'allow')
                 AND ($13::text IS NULL OR d.rule = $13)
             ORDER BY d.decided_at DESC, d.id DESC OFFSET $14 LIMIT 1",
            tenant,
            time,
            id,
            lead.from,
            lead.to,
            lead.server,
            lead.grant,
            lead.identity,
            lead.tool,
            lead.tools.least,
            lead.tools.behind,
            &lead.outcomes,
            lead.rule,
            i64::try_from(STRETCH - 1).unwrap_or(i64::MAX)
        )
        .fetch_optional(tx.connection())
        .await?;
        Ok(last.map(|last| Cursor { decided_at: last.decided_at, id: last.id.into() }))
    }
}

/// The condition that lets the fewest rows through, if any is rare enough to be counted.
async fn rarest(tx: &mut TenantTx, facets: &[Facet], span: &Terms) -> Result<Option<Facet>, Error> {
    if let [one] = facets
        && span.tools.least.is_none()
    {
        return Ok(Some(*one));
    }
    let mut rarest: Option<(i64, Facet)> = None;
    for facet in facets {
        let alone = facet.alone(span);
        let reach = match facet {
            _ if facet.is_of_hours() => reach_of_hours(tx, &alone).await?,
            _ => reach_of_days(tx, &alone).await?,
        };
        // A beginning that many tools have is in no order of time.
        let unknown = if *facet == Facet::Tool && span.tools.least.is_some() { None } else { Some(i64::MAX) };
        let Some(rows) = reach.map(|reach| reach.rows).or(unknown) else { continue };
        if *facet == Facet::Tool && span.tools.least.is_some() && rows > FEW {
            continue;
        }
        if rarest.is_none_or(|(least, _)| rows < least) {
            rarest = Some((rows, *facet));
        }
    }
    Ok(rarest.map(|(_, facet)| facet))
}
