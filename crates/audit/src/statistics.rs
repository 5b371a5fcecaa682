//! Numbers over the log.

use chrono::{DateTime, Utc};
use domain::{GrantId, Outcome, ServerId};
use serde::Serialize;
use storage::TenantTx;
use utoipa::ToSchema;

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

/// How often a tool was called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ToolCount {
    /// The tool.
    pub tool: String,
    /// Calls, whatever became of them.
    pub calls: u64,
    /// Those that were refused.
    pub refused: u64,
}

/// What happened at a server in one hour. Hours without anything are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ServerHour {
    /// The server.
    pub server: ServerId,
    /// When the hour begins, UTC.
    pub hour: DateTime<Utc>,
    /// Requests, whatever became of them.
    pub calls: u64,
    /// Those that were refused.
    pub refused: u64,
}

/// How often a rule refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleCount {
    /// The rule.
    pub rule: String,
    /// The server it stands for.
    pub server: Option<ServerId>,
    /// The last sentence it gave.
    pub message: Option<String>,
    /// How often.
    pub count: u64,
    /// When last.
    pub last: DateTime<Utc>,
}

/// A client that used a grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClientUse {
    /// `clientInfo.name`.
    pub client: Option<String>,
    /// How often.
    pub calls: u64,
    /// When last.
    pub last: DateTime<Utc>,
}

/// Decisions by hour and outcome, oldest hour first.
pub async fn histogram(tx: &mut TenantTx, filter: &Filter) -> Result<Vec<HourBar>, Error> {
    struct Bar {
        hour: DateTime<Utc>,
        outcome: String,
        count: i64,
    }
    plan_by_values(tx).await?;
    let tenant = tx.tenant().uuid();
    let terms = Terms::of(filter);
    let bars = filtered!(
        Bar,
        r#"SELECT date_trunc('hour', decided_at, 'UTC') AS "hour!", outcome, count(*) AS "count!""#,
        terms,
        tenant,
        "GROUP BY 1, 2 ORDER BY 1, 2"
    );
    let bars = bars.fetch_all(tx.connection()).await?;
    // An outcome of a newer version is in no chart yet.
    let bars = bars.into_iter().filter_map(|bar| {
        Some(HourBar { hour: bar.hour, outcome: bar.outcome.parse().ok()?, count: bar.count.unsigned_abs() })
    });
    Ok(bars.collect())
}

/// Calls of each tool since `since`, of one server or all, most called first.
pub async fn tool_counts(
    tx: &mut TenantTx,
    server: Option<ServerId>,
    since: DateTime<Utc>,
) -> Result<Vec<ToolCount>, Error> {
    plan_by_values(tx).await?;
    let tenant = tx.tenant().uuid();
    let tools = sqlx::query!(
        r#"SELECT tool AS "tool!", count(*) AS "calls!", count(*) FILTER (WHERE outcome NOT IN ('allow', 'error')) AS "refused!"
           FROM decisions
           WHERE tenant_id = $1 AND ($2::uuid IS NULL OR server_id = $2) AND decided_at >= $3 AND tool IS NOT NULL
           GROUP BY 1 ORDER BY 2 DESC, 1"#,
        tenant,
        server.map(ServerId::uuid),
        since
    )
    .fetch_all(tx.connection())
    .await?;
    let tools = tools.into_iter().map(|row| ToolCount {
        tool: row.tool,
        calls: row.calls.unsigned_abs(),
        refused: row.refused.unsigned_abs(),
    });
    Ok(tools.collect())
}

/// What happened at each server since `since`, hour by hour.
pub async fn server_hours(tx: &mut TenantTx, since: DateTime<Utc>) -> Result<Vec<ServerHour>, Error> {
    plan_by_values(tx).await?;
    let tenant = tx.tenant().uuid();
    let hours = sqlx::query!(
        r#"SELECT server_id AS "server_id!", date_trunc('hour', decided_at, 'UTC') AS "hour!", count(*) AS "calls!",
               count(*) FILTER (WHERE outcome NOT IN ('allow', 'error')) AS "refused!"
           FROM decisions
           WHERE tenant_id = $1 AND decided_at >= $2 AND server_id IS NOT NULL
           GROUP BY 1, 2 ORDER BY 1, 2"#,
        tenant,
        since
    )
    .fetch_all(tx.connection())
    .await?;
    let hours = hours.into_iter().map(|row| ServerHour {
        server: row.server_id.into(),
        hour: row.hour,
        calls: row.calls.unsigned_abs(),
        refused: row.refused.unsigned_abs(),
    });
    Ok(hours.collect())
}

/// The rules that refused most since `since`, at most `limit` of them.
pub async fn top_rules(tx: &mut TenantTx, since: DateTime<Utc>, limit: u16) -> Result<Vec<RuleCount>, Error> {
    plan_by_values(tx).await?;
    let tenant = tx.tenant().uuid();
    let rules = sqlx::query!(
        r#"SELECT rule AS "rule!", server_id, count(*) AS "count!", max(decided_at) AS "last!",
               (array_agg(message ORDER BY decided_at DESC))[1] AS message
           FROM decisions
           WHERE tenant_id = $1 AND decided_at >= $2 AND rule IS NOT NULL AND outcome NOT IN ('allow', 'error')
           GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT $3"#,
        tenant,
        since,
        i64::from(limit)
    )
    .fetch_all(tx.connection())
    .await?;
    let rules = rules.into_iter().map(|row| RuleCount {
        rule: row.rule,
        server: row.server_id.map(ServerId::from),
        message: row.message,
        count: row.count.unsigned_abs(),
        last: row.last,
    });
    Ok(rules.collect())
}

/// When each of these grants was used last. Those never used are left out.
pub async fn last_used(
    tx: &mut TenantTx,
    grants: &[GrantId],
) -> Result<Vec<(GrantId, DateTime<Utc>)>, Error> {
    plan_by_values(tx).await?;
    let tenant = tx.tenant().uuid();
    let grants: Vec<_> = grants.iter().map(|grant| grant.uuid()).collect();
    let used = sqlx::query!(
        r#"SELECT g.id AS "id!", d.decided_at AS "decided_at!"
           FROM unnest($2::uuid[]) AS g (id)
           CROSS JOIN LATERAL (
               SELECT decided_at FROM decisions WHERE tenant_id = $1 AND grant_id = g.id
               ORDER BY decided_at DESC LIMIT 1) AS d"#,
        tenant,
        &grants
    )
    .fetch_all(tx.connection())
    .await?;
    Ok(used.into_iter().map(|row| (row.id.into(), row.decided_at)).collect())
}

/// The clients that used a grant since `since`, last used first.
pub async fn clients_of(
    tx: &mut TenantTx,
    grant: GrantId,
    since: DateTime<Utc>,
) -> Result<Vec<ClientUse>, Error> {
    plan_by_values(tx).await?;
    let tenant = tx.tenant().uuid();
    let clients = sqlx::query!(
        r#"SELECT client_name, count(*) AS "calls!", max(decided_at) AS "last!"
           FROM decisions WHERE tenant_id = $1 AND grant_id = $2 AND decided_at >= $3
           GROUP BY 1 ORDER BY 3 DESC, 1"#,
        tenant,
        grant.uuid(),
        since
    )
    .fetch_all(tx.connection())
    .await?;
    let clients = clients.into_iter().map(|row| ClientUse {
        client: row.client_name,
        calls: row.calls.unsigned_abs(),
        last: row.last,
    });
    Ok(clients.collect())
}
