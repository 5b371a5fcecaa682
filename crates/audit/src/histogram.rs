//! Decisions by hour and outcome: whole hours from the smallest counts that have the answer, the hours at the ends of a range from
//! its rows.

use chrono::{DateTime, TimeDelta, Utc};
use domain::Outcome;
use serde::Serialize;
use storage::TenantTx;
use utoipa::ToSchema;

use crate::counts::{ALL_SERVERS, hour_of};
use crate::search::{lead, plan_by_values};
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
/// By grant or identity together with a server, tool or rule the rows themselves are counted, which an index leads to.
pub async fn histogram(tx: &mut TenantTx, filter: &Filter) -> Result<Vec<HourBar>, Error> {
    let terms = Terms::of(filter);
    let mut bars = Vec::new();
    let of_grant = filter.grant.is_some() || filter.identity.is_some();
    let of_call = filter.server.is_some() || filter.tool.is_some() || filter.rule.is_some();
    if filter.request_id.is_some() || of_grant && of_call {
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

/// A checked query of counts: of which table, and which of its rows by `$5` and on.
macro_rules! counted {
    ($from:literal, $which:literal, $tx:ident, $terms:ident, $first:ident, $end:ident $(, $argument:expr)*) => {{
        let tenant = $tx.tenant().uuid();
        sqlx::query_as!(
            Bar,
            r#"SELECT hour, outcome, sum(count)::bigint AS "count!" FROM "#
                + $from
                + " WHERE tenant_id = $1 AND (cardinality($2::text[]) = 0 OR outcome = ANY($2))
                        AND ($3::timestamptz IS NULL OR hour >= $3) AND ($4::timestamptz IS NULL OR hour < $4) AND "
                + $which
                + " GROUP BY 1, 2 HAVING sum(count) > 0 ORDER BY 1, 2",
            tenant,
            &$terms.outcomes,
            $first,
            $end
            $(, $argument)*
        )
        .fetch_all($tx.connection())
        .await?
    }};
}

async fn of_counts(
    tx: &mut TenantTx,
    terms: &Terms,
    (first, end): (Option<DateTime<Utc>>, Option<DateTime<Utc>>),
) -> Result<Vec<Bar>, Error> {
    plan_by_values(tx).await?;
    let tool = terms.tool.is_some() || terms.tools.least.is_some();
    Ok(if terms.grant.is_some() || terms.identity.is_some() {
        counted!(
            "decision_grant_hours",
            "($5::uuid IS NULL OR grant_id = $5) AND ($6::text IS NULL OR identity = $6)",
            tx,
            terms,
            first,
            end,
            terms.grant,
            terms.identity
        )
    } else if terms.rule.is_some() || tool && terms.server.is_some() {
        counted!(
            "decision_hours",
            "($5::uuid IS NULL OR server_id = $5) AND ($6::text IS NULL OR tool = $6)
                 AND ($7::text IS NULL OR tool ~>=~ $7 AND tool <> '') AND ($8::text IS NULL OR tool ~<~ $8)
                 AND ($9::text IS NULL OR rule = $9 AND rule <> '')",
            tx,
            terms,
            first,
            end,
            terms.server,
            terms.tool,
            terms.tools.least,
            terms.tools.behind,
            terms.rule
        )
    } else if tool {
        counted!(
            "decision_tool_hours",
            "($5::text IS NULL OR tool = $5) AND ($6::text IS NULL OR tool ~>=~ $6) AND ($7::text IS NULL OR tool ~<~ $7)",
            tx,
            terms,
            first,
            end,
            terms.tool,
            terms.tools.least,
            terms.tools.behind
        )
    } else {
        counted!(
            "decision_server_hours",
            "server_id = $5",
            tx,
            terms,
            first,
            end,
            terms.server.unwrap_or(ALL_SERVERS)
        )
    })
}

/// Led by the rarest condition, as a search is: Postgres takes an identity for as frequent here as it is in all organisations together.
async fn of_rows(tx: &mut TenantTx, filter: &Filter) -> Result<Vec<Bar>, Error> {
    plan_by_values(tx).await?;
    let tenant = tx.tenant().uuid();
    let terms = Terms::of(filter);
    let lead = lead(tx, filter, &terms).await?;
    let bars = filtered!(
        Bar,
        r#"SELECT date_trunc('hour', decided_at, 'UTC') AS "hour!", outcome AS "outcome!", count(*) AS "count!""#,
        "(SELECT * FROM decisions AS d
          WHERE d.tenant_id = $12
              AND ($9::timestamptz IS NULL OR d.decided_at >= $9)
              AND ($10::timestamptz IS NULL OR d.decided_at < $10)
              AND ($13::uuid IS NULL OR d.server_id = $13)
              AND ($14::uuid IS NULL OR d.grant_id = $14)
              AND ($15::text IS NULL OR d.identity = $15)
              AND ($16::text IS NULL OR d.tool = $16)
              AND ($17::text IS NULL OR d.tool ~>=~ $17)
              AND ($18::text IS NULL OR d.tool ~<~ $18)
              AND ($19::text IS NULL OR d.rule = $19)
          OFFSET 0) AS decisions",
        terms,
        tenant,
        "GROUP BY 1, 2 ORDER BY 1, 2",
        lead.server,
        lead.grant,
        lead.identity,
        lead.tool,
        lead.tools.least,
        lead.tools.behind,
        lead.rule
    );
    Ok(bars.fetch_all(tx.connection()).await?)
}
