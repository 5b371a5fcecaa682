//! Partitions, lost calls, retention.

use std::time::Duration;

use audit::{Completion, DayHead, DrainSettings, Fault, day_head, verify_against};
use domain::{DecisionId, Outcome};
use ledger::GiveBack;
use sqlx::Connection;

use crate::desk::Desk;

const DAY: Duration = Duration::from_hours(24);

async fn partitions(desk: &Desk) -> Vec<String> {
    let mut owner = desk.db.owner().await;
    let names = sqlx::query_scalar(
        "SELECT c.relname::text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
         WHERE i.inhparent = 'decisions'::regclass ORDER BY 1",
    )
    .fetch_all(&mut owner)
    .await
    .unwrap();
    owner.close().await.unwrap();
    names
}

#[tokio::test]
async fn days_have_their_partition_before_they_come() {
    let desk = Desk::new().await;
    let drain = desk.drain();
    drain.make_partitions().await.unwrap();
    drain.make_partitions().await.unwrap();
    let names = partitions(&desk).await;
    assert_eq!(names.len(), 8);
    assert_eq!((names[0].as_str(), names[6].as_str()), ("decisions_20280614", "decisions_20280620"));
    desk.record(&desk.denied()).await;
    drain.once().await.unwrap();
    let mut owner = desk.db.owner().await;
    let held: i64 =
        sqlx::query_scalar("SELECT count(*) FROM decisions_20280614").fetch_one(&mut owner).await.unwrap();
    assert_eq!(held, 1);
}

#[tokio::test]
async fn a_day_without_a_partition_is_written_all_the_same() {
    let desk = Desk::new().await;
    desk.record(&desk.denied()).await;
    desk.drain().once().await.unwrap();
    // It stays where it is: the other days get theirs.
    desk.drain().make_partitions().await.unwrap();
    assert_eq!(partitions(&desk).await.len(), 7);
    desk.record(&desk.denied()).await;
    desk.drain().once().await.unwrap();
    assert_eq!(desk.rows().await.len(), 2);
    assert_eq!(desk.verified().await, 2);
}

#[tokio::test]
async fn a_call_whose_gateway_is_lost_ends_as_unknown_and_may_end_after_all() {
    let desk = Desk::new().await;
    let (lost, late) = (desk.allowed(), desk.allowed());
    desk.record(&lost).await;
    desk.record(&late).await;
    let drain = desk.drain();
    drain.once().await.unwrap();
    desk.advance(Duration::from_mins(59));
    drain.sweep().await.unwrap();
    assert_eq!(desk.get(&lost).await.unwrap().completion, Completion::Open);
    desk.advance(Duration::from_mins(2));
    drain.sweep().await.unwrap();
    for decision in [&lost, &late] {
        let row = desk.get(decision).await.unwrap();
        assert_eq!((row.outcome, row.completion), (Outcome::Allow, Completion::Unknown));
    }
    desk.close(&desk.closing(&late), GiveBack::Nothing).await;
    drain.once().await.unwrap();
    drain.sweep().await.unwrap();
    assert_eq!(desk.get(&late).await.unwrap().completion, Completion::Closed);
    assert_eq!(desk.get(&lost).await.unwrap().completion, Completion::Unknown);
    assert_eq!(desk.verified().await, 2);
}

#[tokio::test]
async fn old_days_go_and_the_chain_goes_on() {
    let desk = Desk::new().await;
    let settings = DrainSettings { keep_days: Some(3), ..DrainSettings::default() };
    let drain = desk.drain_with(settings);
    // One in the default partition, before there are any others.
    desk.record(&desk.denied()).await;
    drain.once().await.unwrap();
    let mut kept = Vec::new();
    for day in 0..10 {
        drain.make_partitions().await.unwrap();
        let decision = desk.denied();
        desk.record(&decision).await;
        drain.once().await.unwrap();
        drain.retire().await.unwrap();
        assert_eq!(desk.verified().await, if day < 3 { day + 2 } else { 3 }, "day {day}");
        kept.push(decision.id);
        desk.advance(DAY);
    }
    let rows: Vec<_> = desk.rows().await.into_iter().map(|row| row.id).rev().collect();
    assert_eq!(rows, kept[7..]);
    assert!(!partitions(&desk).await.contains(&"decisions_20280614".to_owned()));
    assert_eq!(desk.miscounted().await, Vec::<String>::new(), "the counts went with their rows");
    // What is kept is still held to account.
    let mut owner = desk.db.owner().await;
    sqlx::query("UPDATE decisions SET rule = 'x' WHERE id = $1")
        .bind(kept[8].uuid())
        .execute(&mut owner)
        .await
        .unwrap_err();
    sqlx::query("ALTER TABLE decisions DISABLE TRIGGER ALL").execute(&mut owner).await.unwrap();
    sqlx::query("UPDATE decisions SET rule = 'x' WHERE id = $1")
        .bind(kept[8].uuid())
        .execute(&mut owner)
        .await
        .unwrap();
    let verified = audit::verify(&desk.storage, desk.tenant).await.unwrap();
    assert_eq!(verified.fault, Some(audit::Fault::Changed(kept[8])));
}

/// Six days, of which the last three are kept: a decision each, and the heads of the days.
async fn cut() -> (Desk, Vec<DecisionId>, Vec<DayHead>) {
    let desk = Desk::new().await;
    let drain = desk.drain_with(DrainSettings { keep_days: Some(3), ..DrainSettings::default() });
    let (mut ids, mut heads) = (Vec::new(), Vec::new());
    for _ in 0..6 {
        drain.make_partitions().await.unwrap();
        let decision = desk.denied();
        desk.record(&decision).await;
        drain.once().await.unwrap();
        drain.retire().await.unwrap();
        ids.push(decision.id);
        let today = desk.clock.now().date_naive();
        heads.push(day_head(&desk.storage, desk.tenant, today).await.unwrap().unwrap());
        desk.advance(DAY);
    }
    assert_eq!(desk.verified().await, 3);
    (desk, ids, heads)
}

#[tokio::test]
async fn heads_of_days_that_were_dropped_still_hold() {
    let (desk, _, heads) = cut().await;
    for head in &heads {
        assert_eq!(verify_against(&desk.storage, desk.tenant, &[*head]).await.unwrap().fault, None);
        let again = day_head(&desk.storage, desk.tenant, head.day).await.unwrap();
        assert_eq!(again, Some(*head));
    }
    let other = format!("{}={}", heads[0].day, "ab".repeat(32)).parse().unwrap();
    let fault = verify_against(&desk.storage, desk.tenant, &[heads[0], other]).await.unwrap().fault;
    assert_eq!(fault, Some(Fault::Head(heads[0].day)));
}

#[tokio::test]
async fn dropping_more_than_retention_did_is_found() {
    // Batch 3 is the oldest that is kept: batches stay a day longer than rows.
    for (statement, expected) in [
        ("DELETE FROM audit_batches WHERE number = 3", Fault::Batch(3)),
        ("DELETE FROM audit_anchors WHERE number = 2", Fault::Batch(2)),
        ("UPDATE audit_anchors SET hash = decode(repeat('00', 32), 'hex') WHERE number = 2", Fault::Batch(3)),
        // The anchor of a batch that is still there leaves its rows to no batch.
        (
            "INSERT INTO audit_anchors SELECT tenant_id, '2028-06-18', number, hash FROM audit_batches WHERE number = 5",
            Fault::SlippedIn(DecisionId::from(uuid::Uuid::nil())),
        ),
    ] {
        let (desk, ids, _) = cut().await;
        let mut owner = desk.db.owner().await;
        let done = sqlx::query(statement).execute(&mut owner).await.unwrap();
        assert_eq!(done.rows_affected(), 1, "{statement}");
        let expected =
            if matches!(expected, Fault::SlippedIn(_)) { Fault::SlippedIn(ids[3]) } else { expected };
        let fault = verify_against(&desk.storage, desk.tenant, &[]).await.unwrap().fault;
        assert_eq!(fault, Some(expected), "{statement}");
    }
    // Nor can retention be said to have gone further than it went.
    let (desk, ids, _) = cut().await;
    let mut owner = desk.db.owner().await;
    sqlx::query("UPDATE audit_heads SET kept_from = kept_from + interval '2 days'")
        .execute(&mut owner)
        .await
        .unwrap();
    let fault = verify_against(&desk.storage, desk.tenant, &[]).await.unwrap().fault;
    assert_eq!(fault, Some(Fault::SlippedIn(ids[3])));
}

#[tokio::test]
async fn a_row_that_comes_after_its_day_was_dropped_is_held_to_account() {
    let (desk, _, _) = cut().await;
    let drain = desk.drain_with(DrainSettings { keep_days: Some(3), ..DrainSettings::default() });
    drain.retire().await.unwrap();
    let old = audit::Decision { decided_at: desk.clock.now() - 5 * DAY, ..desk.allowed() };
    desk.record(&old).await;
    desk.close(&desk.closing(&old), GiveBack::Nothing).await;
    drain.once().await.unwrap();
    for _ in 0..2 {
        assert_eq!(desk.verified().await, 3, "one of three days went, and the late one came");
        drain.retire().await.unwrap();
    }
    desk.advance(DAY);
    drain.retire().await.unwrap();
    assert_eq!(desk.verified().await, 1);
}

#[tokio::test]
async fn without_a_limit_nothing_goes() {
    let desk = Desk::new().await;
    let drain = desk.drain();
    drain.make_partitions().await.unwrap();
    desk.record(&desk.denied()).await;
    drain.once().await.unwrap();
    desk.advance(DAY * 1000);
    drain.retire().await.unwrap();
    assert_eq!(desk.rows().await.len(), 1);
}
