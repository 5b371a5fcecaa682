//! What a filter says, one condition at a time, and what the counts know of each: how many rows it lets through, and in
//! which hours. A search is led by the rarest.

use chrono::{DateTime, TimeDelta, Utc};
use storage::TenantTx;

use crate::counts::hour_of;
use crate::select::Terms;
use crate::{Error, Filter};

/// Counts looked at for one condition. When there are more it is nothing rare.
const COUNTS: i64 = 1000;

/// One condition but for outcomes and times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Facet {
    Grant,
    Identity,
    Rule,
    Tool,
    Server,
}

/// What the counts know of a condition, in a span of time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reach {
    /// Rows, whatever their outcome.
    pub rows: i64,
    /// The first row may be here, the last is before; none: there is no row of the outcomes asked for.
    pub span: Option<(DateTime<Utc>, DateTime<Utc>)>,
}

impl Facet {
    /// The conditions of a filter, those first that mostly let fewer rows through.
    pub(crate) fn all_of(filter: &Filter) -> Vec<Self> {
        let facets = [
            filter.grant.map(|_| Self::Grant),
            filter.identity.as_ref().map(|_| Self::Identity),
            filter.rule.as_ref().map(|_| Self::Rule),
            filter.tool.as_ref().map(|_| Self::Tool),
            filter.server.map(|_| Self::Server),
        ];
        facets.into_iter().flatten().collect()
    }

    /// Whether it is of what was called, counted together with the others that are; else of who called.
    pub(crate) fn is_of_calls(self) -> bool {
        matches!(self, Self::Server | Self::Tool | Self::Rule)
    }

    /// The part of the terms that is this condition, and the times.
    pub(crate) fn alone(self, terms: &Terms) -> Terms {
        let all = terms.clone();
        let only = Terms { from: all.from, to: all.to, ..Terms::default() };
        match self {
            Self::Server => Terms { server: all.server, ..only },
            Self::Tool => Terms { tool: all.tool, tools: all.tools, ..only },
            Self::Rule => Terms { rule: all.rule, ..only },
            Self::Grant => Terms { grant: all.grant, ..only },
            Self::Identity => Terms { identity: all.identity, ..only },
        }
    }
}

/// What the counts know of the terms' server, tool, rule and outcomes together. None when that would be too much to look at, which
/// it always is without a tool or rule: only those lead to their counts.
pub(crate) async fn reach_of_calls(tx: &mut TenantTx, terms: &Terms) -> Result<Option<Reach>, Error> {
    if terms.tool.is_none() && terms.tools.least.is_none() && terms.rule.is_none() {
        return Ok(None);
    }
    let tenant = tx.tenant().uuid();
    let found = sqlx::query!(
        r#"SELECT count(*) AS "looked!", coalesce(sum(count) FILTER (WHERE fits), 0)::bigint AS "rows!",
               min(hour) FILTER (WHERE hit) AS first, max(hour) FILTER (WHERE hit) AS last
           FROM (SELECT hour, count, fits,
                     fits AND count > 0 AND (cardinality($7::text[]) = 0 OR outcome = ANY($7)) AS hit
                 FROM (SELECT hour, count, outcome, ($2::uuid IS NULL OR server_id = $2) AS fits
                       FROM decision_hours
                       WHERE tenant_id = $1 AND ($3::text IS NULL OR tool = $3)
                           AND ($4::text IS NULL OR tool ~>=~ $4 AND tool <> '') AND ($5::text IS NULL OR tool ~<~ $5)
                           AND ($6::text IS NULL OR rule = $6 AND rule <> '')
                           AND ($8::timestamptz IS NULL OR hour >= $8) AND ($9::timestamptz IS NULL OR hour <= $9)
                       LIMIT $10) AS looked) AS c"#,
        tenant,
        terms.server,
        terms.tool,
        terms.tools.least,
        terms.tools.behind,
        terms.rule,
        &terms.outcomes,
        terms.from.map(hour_of),
        terms.to,
        COUNTS
    )
    .fetch_one(tx.connection())
    .await?;
    let span = found.first.zip(found.last).map(|(first, last)| (first, last + TimeDelta::hours(1)));
    Ok((found.looked < COUNTS).then_some(Reach { rows: found.rows, span }))
}

/// What the counts know of the terms' grant, identity and outcomes together. None when that would be too much to look at, or there
/// is neither grant nor identity.
pub(crate) async fn reach_of_grants(tx: &mut TenantTx, terms: &Terms) -> Result<Option<Reach>, Error> {
    if terms.grant.is_none() && terms.identity.is_none() {
        return Ok(None);
    }
    let tenant = tx.tenant().uuid();
    let found = sqlx::query!(
        r#"SELECT count(*) AS "looked!", coalesce(sum(count), 0)::bigint AS "rows!",
               min(hour) FILTER (WHERE hit) AS first, max(hour) FILTER (WHERE hit) AS last
           FROM (SELECT hour, count, count > 0 AND (cardinality($4::text[]) = 0 OR outcome = ANY($4)) AS hit
                 FROM decision_grant_hours
                 WHERE tenant_id = $1 AND ($2::uuid IS NULL OR grant_id = $2) AND ($3::text IS NULL OR identity = $3)
                     AND ($5::timestamptz IS NULL OR hour >= $5) AND ($6::timestamptz IS NULL OR hour <= $6)
                 LIMIT $7) AS c"#,
        tenant,
        terms.grant,
        terms.identity,
        &terms.outcomes,
        terms.from.map(hour_of),
        terms.to,
        COUNTS
    )
    .fetch_one(tx.connection())
    .await?;
    let span = found.first.zip(found.last).map(|(first, last)| (first, last + TimeDelta::hours(1)));
    Ok((found.looked < COUNTS).then_some(Reach { rows: found.rows, span }))
}
