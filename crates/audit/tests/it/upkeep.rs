//! Partitions, lost calls, retention.

use std::time::Duration;

use audit::{Completion, DrainSettings};
use domain::Outcome;
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
