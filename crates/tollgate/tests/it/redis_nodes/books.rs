//! The books of one organisation: what was told, what reached the upstream, and what is in the log agree.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{PgConnection, Row as _};
use testkit::eventually;

use super::House;
use super::load::{Call, Phase};
use crate::kills::{COUNTED, SCARCE, SCARCE_MAX, Tenant, caller};

/// A row of the log.
struct Row {
    trace: String,
    tool: String,
    allowed: bool,
    used: i64,
}

/// One more counted call: its id. Its row comes after all others that went through Redis.
pub async fn last_call(gateway: &str, tenant: &Tenant) -> String {
    let answer = caller(gateway, tenant).call_traced(COUNTED, &tenant.trace(usize::MAX)).await.unwrap();
    assert!(answer.allowed(), "{answer:?}");
    answer.request_id
}

/// Holds the rows of a tenant to what was seen. Where its primary was lost, records of calls that began between may be lost with it, and
/// what was told of them may be otherwise in the log.
pub async fn check(house: &House, tenant: &Tenant, seen: &[Call], lost: bool, final_id: &str) {
    let mut owner = house.installation.owner().await;
    let excused = |call: &Call| lost && call.phase == Phase::Between;
    let told = seen.iter().filter(|call| !excused(call)).filter_map(|call| Some((call, call.allowed?)));
    let told: Vec<(&Call, bool)> = told.collect();
    let rows = eventually("a row for every decision that was told", async || {
        let rows = rows(&mut owner, tenant).await;
        let all = told.iter().all(|(call, _)| rows.contains_key(&call.id));
        (all && rows.contains_key(final_id)).then_some(rows)
    })
    .await;

    for (call, allowed) in told {
        let row = &rows[&call.id];
        assert_eq!((row.allowed, row.tool.as_str()), (allowed, call.tool), "it was told otherwise: {call:?}");
    }
    let exceeds = |call: &Call| call.tool == SCARCE && call.allowed == Some(true);
    assert!(!seen.iter().any(exceeds), "a limit was exceeded");
    let allowed_of = |tool: &str| {
        let rows = rows.values().filter(|row| row.allowed && row.tool == tool);
        i64::try_from(rows.count()).unwrap()
    };
    assert_eq!(allowed_of(SCARCE), SCARCE_MAX, "a limit was exceeded");

    let mut allowed = BTreeSet::new();
    let mut traces = BTreeSet::new();
    for row in rows.values().filter(|row| row.trace.starts_with(&tenant.traces())) {
        assert!(traces.insert(row.trace.as_str()), "a call has two decisions: {}", row.trace);
        if row.allowed {
            allowed.insert(row.trace.as_str());
        }
    }
    let between: BTreeSet<&str> =
        seen.iter().filter(|call| excused(call)).map(|call| call.trace.as_str()).collect();
    for (trace, times) in house.upstream.arrived() {
        if trace.starts_with(&tenant.traces()) {
            assert_eq!(times, 1, "a call was forwarded twice: {trace}");
            let known = allowed.contains(trace.as_str()) || between.contains(trace.as_str());
            assert!(known, "a call reached the upstream and has no row: {trace}");
        }
    }
    if !lost {
        assert_eq!(rows[final_id].used, allowed_of(COUNTED), "what was counted is what was let through");
    }
}

/// The rows of all calls of a tenant, by id: none is there twice.
async fn rows(owner: &mut PgConnection, tenant: &Tenant) -> BTreeMap<String, Row> {
    let query = sqlx::query(
        "SELECT id::text, coalesce(trace_id, ''), coalesce(tool, ''), decided = 'allow', coalesce(limit_used / 1000000, 0)
         FROM decisions WHERE server_id = $1::uuid AND method = 'tools/call'",
    );
    let found = query.bind(&tenant.server).fetch_all(owner).await.unwrap();
    let mut rows = BTreeMap::new();
    for row in found {
        let (trace, tool, allowed, used) = (row.get(1), row.get(2), row.get(3), row.get(4));
        let id: String = row.get(0);
        let before = rows.insert(id.clone(), Row { trace, tool, allowed, used });
        assert!(before.is_none(), "{id} is there twice");
    }
    rows
}
