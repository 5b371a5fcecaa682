//! The books: what was told, what reached the upstream, what is in the log, and what was counted agree.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{Connection as _, PgConnection, Row as _};
use testkit::{Installation, eventually};
use uuid::Uuid;

use super::load::Seen;
use super::{COUNTED, SCARCE, SCARCE_MAX, Tenant, caller};
use crate::upstream_log::UpstreamLog;

/// A row of the log.
struct Row {
    id: String,
    trace: String,
    decided: String,
    tool: String,
    rule: String,
    /// Whole calls.
    limit_used: Option<i64>,
}

/// One more call of the counted tool, which is allowed: its id. Its row comes after all others of its tenant.
pub async fn last_call(gateway: &str, tenant: &Tenant) -> String {
    let caller = caller(gateway, tenant);
    let answer = caller.call_traced(COUNTED, &tenant.trace(usize::MAX)).await.unwrap();
    assert!(answer.allowed(), "{answer:?}");
    answer.request_id
}

/// Holds one tenant's rows to what was seen.
pub async fn check(
    installation: &Installation,
    tenant: &Tenant,
    last: &str,
    seen: &Seen,
    upstream: &UpstreamLog,
) {
    let mut owner = installation.owner().await;
    let rows = eventually("the row of the last call", async || {
        let rows = rows(&mut owner, tenant).await;
        rows.iter().any(|row| row.id == last).then_some(rows)
    })
    .await;
    owner.close().await.unwrap();

    let by_id: BTreeMap<&str, &Row> = rows.iter().map(|row| (row.id.as_str(), row)).collect();
    assert_eq!(by_id.len(), rows.len(), "a decision is there twice");
    let mut allowed = BTreeSet::new();
    let mut traces = BTreeSet::new();
    for row in &rows {
        assert!(traces.insert(row.trace.as_str()), "a call has two decisions: {}", row.trace);
        if row.decided == "allow" {
            allowed.insert(row.trace.as_str());
        }
    }
    let of_tenant = |(trace, _): &(String, usize)| trace.starts_with(&tenant.traces());
    for (trace, times) in upstream.arrived().into_iter().filter(of_tenant) {
        assert_eq!(times, 1, "a call was forwarded twice: {trace}");
        assert!(allowed.contains(trace.as_str()), "a call reached the upstream and has no row: {trace}");
    }
    for (id, was_allowed) in &seen.answers {
        // Those of other tenants are in their rows.
        if let Some(row) = by_id.get(id.as_str()) {
            assert_eq!(row.decided == "allow", *was_allowed, "{id} was told otherwise: {}", row.decided);
        }
    }

    let of = |tool: &str, decided: &str| {
        let rows = rows.iter().filter(|row| row.tool == tool && row.decided == decided);
        i64::try_from(rows.count()).unwrap()
    };
    assert!(of(SCARCE, "allow") <= SCARCE_MAX, "a limit was exceeded");
    // What Redis has taken for a call is known to its log, whatever became of the call.
    let (taken, counted) = (by_id[last].limit_used.unwrap(), of(COUNTED, "allow"));
    let unsure = rows.iter().filter(|row| row.tool == COUNTED && row.rule == "(limits unavailable)").count();
    assert!(taken >= counted, "{counted} calls were allowed, {taken} were counted");
    let without_row = taken - counted;
    assert!(
        without_row <= i64::try_from(unsure).unwrap(),
        "{without_row} calls were counted that have no row, {unsure} were refused for want of Redis"
    );
}

/// Every decision that was told is in the log, every grant that was minted is there.
pub async fn check_changes(installation: &Installation, seen: &Seen) {
    let mut owner = installation.owner().await;
    let ids = |ids: &mut dyn Iterator<Item = &String>| {
        ids.map(|id| id.parse::<Uuid>().unwrap()).collect::<Vec<_>>()
    };
    let told = ids(&mut seen.answers.iter().map(|(id, _)| id));
    let missing: Vec<Uuid> =
        sqlx::query_scalar("SELECT id FROM unnest($1::uuid[]) id WHERE id NOT IN (SELECT id FROM decisions)")
            .bind(told)
            .fetch_all(&mut owner)
            .await
            .unwrap();
    assert!(missing.is_empty(), "decisions that were told are not in the log: {missing:?}");
    let minted = ids(&mut seen.minted.iter());
    let there: i64 = sqlx::query_scalar("SELECT count(*) FROM grants WHERE id = ANY($1)")
        .bind(&minted)
        .fetch_one(&mut owner)
        .await
        .unwrap();
    assert_eq!(usize::try_from(there).unwrap(), minted.len(), "a grant that was minted is gone");
    owner.close().await.unwrap();
}

async fn rows(owner: &mut PgConnection, tenant: &Tenant) -> Vec<Row> {
    let rows = sqlx::query(
        "SELECT id::text, coalesce(trace_id, ''), decided, coalesce(tool, ''), coalesce(rule, ''), limit_used / 1000000
         FROM decisions WHERE server_id = $1::uuid AND method = 'tools/call'",
    );
    let rows = rows.bind(&tenant.server).fetch_all(owner).await.unwrap();
    rows.iter()
        .map(|row| Row {
            id: row.get(0),
            trace: row.get(1),
            decided: row.get(2),
            tool: row.get(3),
            rule: row.get(4),
            limit_used: row.get(5),
        })
        .collect()
}
