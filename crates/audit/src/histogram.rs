//! Decisions by hour and outcome: whole hours from the counts, the hours at the ends of a range from its rows.

use chrono::{DateTime, TimeDelta, Utc};
use domain::Outcome;
use serde::Serialize;
use storage::TenantTx;
use utoipa::ToSchema;

use crate::counts::hour_of;
use crate::search::plan_by_values;
use crate::select::{Terms, filtered};
use crate::{Error, Filter};

/// Decisions of one hour with one outcome. Hours without any are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct HourBar {
    /// When the hour begins, UTC.
    pub hour: DateTime<Utc>,
    /// The outcome.
    #[schema(value_type = String, example = "allow")]
    pub outcome: Outcome,
    /// How many.
    pub count: u64,
}

/// A bar as Postgres has it.
struct Bar {
    hour: DateTime<Utc>,
    outcome: String,
    count: i64,
}

/// Decisions by hour and outcome, oldest hour first.
///
/// By grant and identity the rows themselves are counted, which an index leads to.
pub async fn histogram(tx: &mut TenantTx, filter: &Filter) -> Result<Vec<HourBar>, Error> {
    let terms = Terms::of(filter);
    let mut bars = Vec::new();
    if filter.request_id.is_some() || filter.grant.is_some() || filter.identity.is_some() {
        bars = of_rows(tx, filter).await?;
    } else {
        // The whole hours of the range; what is outside of them, at its ends.
        let first = terms.from.map(|from| if hour_of(from) < from { hour_of(from) + HOUR } else { from });
        let end = terms.to.map(hour_of);
        if let (Some(from), Some(first)) = (terms.from, first)
            && from < first
        {
            let to = terms.to.map_or(first, |to| to.min(first));
            bars.extend(of_rows(tx, &Filter { to: Some(to), ..filter.clone() }).await?);
        }
        bars.extend(of_counts(tx, &terms, (first, end)).await?);
        if let (Some(to), Some(end)) = (terms.to, end)
            && end < to
            && first.is_none_or(|first| first <= end)
        {
            bars.extend(of_rows(tx, &Filter { from: Some(end), ..filter.clone() }).await?);
        }
    }
    // An outcome of a newer version is in no chart yet.
    let bars = bars.into_iter().filter_map(|bar| {
        Some(HourBar { hour: bar.hour, outcome: bar.outcome.parse().ok()?, count: bar.count.unsigned_abs() })
    });
    Ok(bars.collect())
}

const HOUR: TimeDelta = TimeDelta::hours(1);

async fn of_counts(
    tx: &mut TenantTx,
    terms: &Terms,
    (first, end): (Option<DateTime<Utc>>, Option<DateTime<Utc>>),
) -> Result<Vec<Bar>, Error> {
    plan_by_values(tx).await?;
    let tenant = tx.tenant().uuid();
    Ok(sqlx::query_as!(
        Bar,
        r#"SELECT hour, outcome, sum(count)::bigint AS "count!"
           FROM decision_hours
           WHERE tenant_id = $1 AND ($2::uuid IS NULL OR server_id = $2) AND ($3::text IS NULL OR tool = $3)
               AND ($4::text IS NULL OR tool ~>=~ $4 AND tool <> '') AND ($5::text IS NULL OR tool ~<~ $5)
               AND ($6::text IS NULL OR rule = $6 AND rule <> '')
               AND (cardinality($7::text[]) = 0 OR outcome = ANY($7))
               AND ($8::timestamptz IS NULL OR hour >= $8) AND ($9::timestamptz IS NULL OR hour < $9)
           GROUP BY 1, 2 HAVING sum(count) > 0 ORDER BY 1, 2"#,
        tenant,
        terms.server,
        terms.tool,
        terms.tools.least,
        terms.tools.behind,
        terms.rule,
        &terms.outcomes,
        first,
        end
    )
    .fetch_all(tx.connection())
    .await?)
}

async fn of_rows(tx: &mut TenantTx, filter: &Filter) -> Result<Vec<Bar>, Error> {
    plan_by_values(tx).await?;
    let tenant = tx.tenant().uuid();
    let terms = Terms::of(filter);
    let bars = filtered!(
        Bar,
        r#"SELECT date_trunc('hour', decided_at, 'UTC') AS "hour!", outcome, count(*) AS "count!""#,
        "decisions",
        terms,
        tenant,
        "GROUP BY 1, 2 ORDER BY 1, 2"
    );
    Ok(bars.fetch_all(tx.connection()).await?)
}
