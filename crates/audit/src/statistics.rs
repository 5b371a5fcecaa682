//! Numbers over the log, from the counts that are kept beside it (see [`crate::counts`]): by whole hours.

use chrono::{DateTime, Utc};
use domain::{GrantId, ServerId};
use serde::Serialize;
use storage::TenantTx;

use crate::Error;
use crate::counts::hour_of;

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

/// Calls of each tool since the hour of `since` began, of one server or all, most called first.
pub async fn tool_counts(
    tx: &mut TenantTx,
    server: Option<ServerId>,
    since: DateTime<Utc>,
) -> Result<Vec<ToolCount>, Error> {
    let tenant = tx.tenant().uuid();
    let tools = sqlx::query!(
        r#"SELECT tool, sum(count)::bigint AS "calls!",
               coalesce(sum(count) FILTER (WHERE outcome NOT IN ('allow', 'error')), 0)::bigint AS "refused!"
           FROM decision_hours
           WHERE tenant_id = $1 AND hour >= $3 AND ($2::uuid IS NULL OR server_id = $2) AND tool <> ''
           GROUP BY 1 HAVING sum(count) > 0 ORDER BY 2 DESC, 1"#,
        tenant,
        server.map(ServerId::uuid),
        hour_of(since)
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

/// What happened at each server since the hour of `since` began, hour by hour.
pub async fn server_hours(tx: &mut TenantTx, since: DateTime<Utc>) -> Result<Vec<ServerHour>, Error> {
    let tenant = tx.tenant().uuid();
    let hours = sqlx::query!(
        r#"SELECT server_id, hour, sum(count)::bigint AS "calls!",
               coalesce(sum(count) FILTER (WHERE outcome NOT IN ('allow', 'error')), 0)::bigint AS "refused!"
           FROM decision_server_hours
           WHERE tenant_id = $1 AND hour >= $2 AND server_id <> 'ffffffff-ffff-ffff-ffff-ffffffffffff'
           GROUP BY 1, 2 HAVING sum(count) > 0 ORDER BY 1, 2"#,
        tenant,
        hour_of(since)
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

/// The rules that refused most since the hour of `since` began, at most `limit` of them.
pub async fn top_rules(tx: &mut TenantTx, since: DateTime<Utc>, limit: u16) -> Result<Vec<RuleCount>, Error> {
    let tenant = tx.tenant().uuid();
    let rules = sqlx::query!(
        r#"SELECT r.rule AS "rule!", r.server_id AS "server!", r.count AS "count!", r.last AS "last!",
               (SELECT d.message FROM decisions d
                WHERE d.tenant_id = $1 AND d.rule = r.rule AND d.decided_at = r.last LIMIT 1) AS message
           FROM (SELECT rule, server_id, sum(count)::bigint AS count, max(last) AS last
                 FROM decision_hours
                 WHERE tenant_id = $1 AND hour >= $2 AND rule <> '' AND outcome NOT IN ('allow', 'error')
                 GROUP BY 1, 2 HAVING sum(count) > 0 ORDER BY 3 DESC, 1, 2 LIMIT $3) AS r
           ORDER BY 3 DESC, 1, 2"#,
        tenant,
        hour_of(since),
        i64::from(limit)
    )
    .fetch_all(tx.connection())
    .await?;
    let rules = rules.into_iter().map(|row| RuleCount {
        rule: row.rule,
        server: (!row.server.is_nil()).then(|| ServerId::from(row.server)),
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
    let tenant = tx.tenant().uuid();
    let grants: Vec<_> = grants.iter().map(|grant| grant.uuid()).collect();
    let used = sqlx::query!(
        r#"SELECT g.id AS "id!", c.last AS "last!"
           FROM unnest($2::uuid[]) AS g (id)
           CROSS JOIN LATERAL (
               SELECT hour, max(last) AS last FROM decision_grant_hours WHERE tenant_id = $1 AND grant_id = g.id
               GROUP BY hour ORDER BY hour DESC LIMIT 1) AS c"#,
        tenant,
        &grants
    )
    .fetch_all(tx.connection())
    .await?;
    Ok(used.into_iter().map(|row| (row.id.into(), row.last)).collect())
}

/// The clients that used a grant since the hour of `since` began, last used first.
pub async fn clients_of(
    tx: &mut TenantTx,
    grant: GrantId,
    since: DateTime<Utc>,
) -> Result<Vec<ClientUse>, Error> {
    let tenant = tx.tenant().uuid();
    let clients = sqlx::query!(
        r#"SELECT nullif(client, '') AS client, sum(count)::bigint AS "calls!", max(last) AS "last!"
           FROM decision_grant_hours WHERE tenant_id = $1 AND grant_id = $2 AND hour >= $3
           GROUP BY 1 HAVING sum(count) > 0 ORDER BY 3 DESC, 1"#,
        tenant,
        grant.uuid(),
        hour_of(since)
    )
    .fetch_all(tx.connection())
    .await?;
    let clients = clients.into_iter().map(|row| ClientUse {
        client: row.client,
        calls: row.calls.unsigned_abs(),
        last: row.last,
    });
    Ok(clients.collect())
}
