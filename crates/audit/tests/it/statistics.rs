//! Numbers over the log, against rows that were counted by hand.

use std::time::Duration;

use audit::{Decision, Filter, GrantNote, ServerNote};
use domain::Outcome;

use sqlx::Connection;

use crate::desk::{Desk, grant, server, start};

/// Three hours: 2 allowed and 1 denied at server 1, then 1 limit at server 2, then an allowed one that fails.
async fn three_hours() -> Desk {
    let desk = Desk::new().await;
    for decision in [desk.allowed(), desk.allowed(), desk.denied()] {
        desk.record(&decision).await;
    }
    desk.advance(Duration::from_hours(1));
    desk.record(&Decision {
        server: Some(ServerNote { id: server(2), name: "Two".to_owned() }),
        grant: Some(GrantNote { id: grant(2), label: "other".to_owned(), identity: "bot".to_owned() }),
        outcome: Outcome::Limit,
        ..desk.denied()
    })
    .await;
    desk.advance(Duration::from_hours(1));
    let failing = desk.allowed();
    desk.record(&failing).await;
    let closing = audit::Closing { failed: true, ..desk.closing(&failing) };
    desk.close(&closing, ledger::GiveBack::All).await;
    desk.drain().once().await.unwrap();
    desk
}

#[tokio::test]
async fn the_histogram_counts_by_hour_and_outcome() {
    let desk = three_hours().await;
    let mut tx = desk.storage.tenant(desk.tenant).await.unwrap();
    let bars = async |tx: &mut storage::TenantTx, filter: Filter| -> Vec<(u32, Outcome, u64)> {
        use chrono::Timelike;
        let bars = audit::histogram(tx, &filter).await.unwrap();
        bars.into_iter().map(|bar| (bar.hour.hour(), bar.outcome, bar.count)).collect()
    };
    assert_eq!(
        bars(&mut tx, Filter::default()).await,
        [(12, Outcome::Allow, 2), (12, Outcome::Deny, 1), (13, Outcome::Limit, 1), (14, Outcome::Error, 1)]
    );
    let narrow =
        Filter { server: Some(server(1)), from: Some(start() + Duration::from_mins(1)), ..Filter::default() };
    assert_eq!(bars(&mut tx, narrow).await, [(14, Outcome::Error, 1)]);
    let at = |minutes: i64| Some(start() + chrono::Duration::minutes(minutes));
    for (from, to, expected) in [
        (None, at(1), 2),
        (at(0), at(1), 2),
        (at(1), at(60), 0),
        (at(-30), at(61), 3),
        (at(1), at(61), 1),
        (at(60), at(60), 0),
        (at(-100), at(200), 4),
    ] {
        let filter = Filter { from, to, ..Filter::default() };
        assert_eq!(bars(&mut tx, filter).await.len(), expected, "{from:?} {to:?}");
    }
    // What is counted beside the rows, and what is not.
    for (filter, expected) in [
        (Filter { grant: Some(grant(1)), ..Filter::default() }, 3),
        (Filter { identity: Some("bot".to_owned()), ..Filter::default() }, 1),
        (Filter { tool: Some("flowforge_delete_run".to_owned()), ..Filter::default() }, 2),
        (Filter { tool: Some("flowforge_*".to_owned()), server: Some(server(1)), ..Filter::default() }, 3),
        (Filter { tool: Some("flowforge".to_owned()), ..Filter::default() }, 0),
        (Filter { outcomes: vec![Outcome::Deny, Outcome::Error], ..Filter::default() }, 2),
        (Filter { grant: Some(grant(2)), tool: Some("*".to_owned()), ..Filter::default() }, 1),
    ] {
        assert_eq!(bars(&mut tx, filter.clone()).await.len(), expected, "{filter:?}");
    }
}

#[tokio::test]
async fn tools_servers_rules_and_grants_are_counted() {
    let desk = three_hours().await;
    let mut tx = desk.storage.tenant(desk.tenant).await.unwrap();
    let tools = audit::tool_counts(&mut tx, None, start()).await.unwrap();
    let tools: Vec<_> = tools.iter().map(|tool| (tool.tool.as_str(), tool.calls, tool.refused)).collect();
    assert_eq!(tools, [("flowforge_list_runs", 3, 0), ("flowforge_delete_run", 2, 2)]);
    let of_two = audit::tool_counts(&mut tx, Some(server(2)), start()).await.unwrap();
    assert_eq!(of_two.len(), 1);

    let hours = audit::server_hours(&mut tx, start()).await.unwrap();
    let hours: Vec<_> = hours.iter().map(|hour| (hour.server, hour.calls, hour.refused)).collect();
    assert_eq!(hours, [(server(1), 3, 1), (server(1), 1, 0), (server(2), 1, 1)]);

    let rules = audit::top_rules(&mut tx, start(), 10).await.unwrap();
    assert_eq!(rules.len(), 2, "one rule of two servers");
    assert_eq!(rules[0].rule, "/tools/flowforge_delete_run/deny_if/0");
    assert_eq!((rules[0].count, rules[0].message.as_deref()), (1, Some("People delete runs.")));
    assert_eq!(audit::top_rules(&mut tx, start(), 1).await.unwrap().len(), 1);

    let mut used = audit::last_used(&mut tx, &[grant(1), grant(2), grant(3)]).await.unwrap();
    used.sort_unstable();
    let hours = |n: i64| start() + chrono::Duration::hours(n);
    assert_eq!(used, [(grant(1), hours(2)), (grant(2), hours(1))]);

    let clients = audit::clients_of(&mut tx, grant(1), start()).await.unwrap();
    assert_eq!(clients.len(), 1);
    assert_eq!(
        (clients[0].client.as_deref(), clients[0].calls, clients[0].last),
        (Some("claude-code"), 4, hours(2))
    );
    assert_eq!(audit::clients_of(&mut tx, grant(3), start()).await.unwrap(), []);
}

/// As it was before the migration: no smaller counts, and those of days, which are dropped unread.
const BEFORE: &str = "
    DROP VIEW decision_days;
    DROP TABLE decision_server_hours, decision_tool_hours, decision_grant_hours;
    DROP INDEX decision_hours_refused_idx;
    CREATE TABLE decision_days (tenant_id uuid)";

#[tokio::test]
async fn what_was_there_is_counted_by_the_migration() {
    let desk = three_hours().await;
    // One without a server, a tool or a grant; and a day that has a partition of its own.
    desk.advance(Duration::from_hours(24));
    desk.drain().make_partitions().await.unwrap();
    desk.record(&Decision { server: None, grant: None, tool: None, ..desk.denied() }).await;
    desk.record(&desk.allowed()).await;
    desk.drain().once().await.unwrap();
    let mut owner = desk.db.owner().await;
    sqlx::raw_sql(BEFORE).execute(&mut owner).await.unwrap();
    let migration = include_str!("../../../../migrations/0115_chart_counts.sql");
    let mut tx = owner.begin().await.unwrap();
    sqlx::raw_sql(migration).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    owner.close().await.unwrap();
    assert_eq!(desk.verified().await, 7);
    // What comes afterwards is counted on.
    desk.record(&desk.allowed()).await;
    desk.drain().once().await.unwrap();
    assert_eq!(desk.verified().await, 8);
    // The version before reads the days, and its drain can't write what it does not count.
    let mut tx = desk.storage.tenant(desk.tenant).await.unwrap();
    let of_days = "SELECT sum(count)::bigint FROM decision_days GROUP BY day ORDER BY day";
    let days: Vec<i64> = sqlx::query_scalar(of_days).fetch_all(tx.connection()).await.unwrap();
    assert_eq!(days, [5, 2]);
    let mut tx = desk.storage.system().await.unwrap();
    let written =
        sqlx::query("INSERT INTO decision_days (tenant_id) VALUES (NULL)").execute(tx.connection()).await;
    assert!(written.is_err());
}
