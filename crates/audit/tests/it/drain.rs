//! From the stream to the table: everything arrives, once, as it was.

use audit::{Completion, LimitNote, ShadowNote};
use domain::Outcome;
use ledger::{Charge, GiveBack, Once, Window};
use storage::{Storage, StorageConfig};

use crate::desk::Desk;

#[tokio::test]
async fn a_call_that_ended_well_has_everything_in_its_row() {
    let desk = Desk::new().await;
    let decision = desk.allowed();
    desk.settle(&decision).await;
    desk.close(&desk.closing(&decision), GiveBack::Nothing).await;
    assert_eq!(desk.drain().once().await.unwrap(), 2);

    let row = desk.get(&decision).await.unwrap();
    assert_eq!((row.id, row.tenant, row.decided_at), (decision.id, desk.tenant, decision.decided_at));
    assert_eq!((row.outcome, row.completion), (Outcome::Allow, Completion::Closed));
    assert_eq!((row.server, row.grant, row.policy), (decision.server, decision.grant, decision.policy));
    assert_eq!(row.client, decision.client);
    assert_eq!((row.protocol_version, row.method), (decision.protocol_version, decision.method));
    assert_eq!((row.tool, row.rule, row.message), (decision.tool, None, None));
    assert_eq!(row.argument_keys, ["limit", "run_id"], "sorted");
    assert_eq!((row.argument_digest, row.trace_id), (decision.argument_digest, decision.trace_id));
    assert_eq!((row.judged_micros, row.request_bytes), (Some(180), Some(230)));
    let limit = row.limit.unwrap();
    assert_eq!((limit.rule.as_str(), limit.used, limit.max), ("/tools/a/limits/0", 1, 2));
    assert_eq!(row.closed_at, Some(desk.closing(&desk.allowed()).closed_at));
    assert_eq!((row.upstream_status, row.gateway_micros), (Some(200), Some(410)));
    assert_eq!((row.upstream_micros, row.response_bytes), (Some(11_500), Some(900)));
    assert_eq!((row.refunded, row.repeats, row.shadow, row.failure), (false, 1, None, None));
    assert_eq!(desk.ledger.backlog().await.unwrap(), [], "acknowledged");
}

#[tokio::test]
async fn a_refused_call_is_closed_from_the_start() {
    let desk = Desk::new().await;
    let decision = desk.denied();
    desk.settle(&decision).await;
    desk.drain().once().await.unwrap();
    let row = desk.get(&decision).await.unwrap();
    assert_eq!((row.outcome, row.completion, row.closed_at), (Outcome::Deny, Completion::Closed, None));
    assert_eq!((row.rule, row.message), (decision.rule, decision.message));
}

#[tokio::test]
async fn the_limit_that_refused_is_named() {
    let desk = Desk::new().await;
    let mut last = desk.allowed();
    for _ in 0..3 {
        last = desk.allowed();
        desk.settle(&last).await;
    }
    desk.drain().once().await.unwrap();
    let row = desk.get(&last).await.unwrap();
    assert_eq!((row.outcome, row.completion), (Outcome::Limit, Completion::Closed));
    assert_eq!(row.rule.as_deref(), Some("/tools/a/limits/0"));
    assert_eq!(row.message.as_deref(), Some("at most 2 a minute"));
    let limit = row.limit.unwrap();
    assert_eq!((limit.used, limit.max), (2, 2));
    assert!(limit.resets_at > desk.clock.now());
}

#[tokio::test]
async fn a_shadow_limit_is_noted_beside_an_allowed_call() {
    let desk = Desk::new().await;
    let note = |rule: &str| LimitNote { rule: rule.to_owned(), message: "shadow".to_owned() };
    let mut decision = desk.allowed();
    decision.limits = vec![note("/real"), note("/shadow")];
    let real = Charge { counter: [1; 32], window: Window::CalendarMonth, max: 9, amount: 1, shadow: false };
    let shadow = Charge { counter: [2; 32], max: 0, shadow: true, ..real.clone() };
    desk.settle_charges(&decision, &[real, shadow]).await;
    desk.drain().once().await.unwrap();
    let row = desk.get(&decision).await.unwrap();
    assert_eq!(row.outcome, Outcome::Allow);
    assert_eq!(row.limit.unwrap().rule, "/real");
    let expected =
        ShadowNote { outcome: Outcome::Limit, rule: "/shadow".to_owned(), message: "shadow".to_owned() };
    assert_eq!(row.shadow, Some(expected));
}

#[tokio::test]
async fn an_ending_completes_its_row_in_a_later_batch() {
    let desk = Desk::new().await;
    let decision = desk.allowed();
    desk.settle(&decision).await;
    desk.drain().once().await.unwrap();
    assert_eq!(desk.get(&decision).await.unwrap().completion, Completion::Open);

    let mut closing = desk.closing(&decision);
    closing.failed = true;
    closing.failure = Some("upstream answered 503".to_owned());
    closing.upstream_status = Some(503);
    desk.close(&closing, GiveBack::All).await;
    desk.drain().once().await.unwrap();
    let row = desk.get(&decision).await.unwrap();
    assert_eq!((row.outcome, row.completion), (Outcome::Error, Completion::Closed));
    assert_eq!((row.failure, row.upstream_status, row.refunded), (closing.failure, Some(503), true));
    assert_eq!(desk.verified().await, 1);
}

#[tokio::test]
async fn what_comes_twice_is_written_once() {
    let desk = Desk::new().await;
    let (open, denied) = (desk.allowed(), desk.denied());
    desk.settle(&open).await;
    desk.settle(&denied).await;
    desk.close(&desk.closing(&open), GiveBack::Nothing).await;
    desk.drain().once().await.unwrap();
    let before = desk.rows().await;

    // Again, as after a kill between commit and acknowledgement; all at once and one by one; the ending even another.
    let mut other = desk.closing(&open);
    other.upstream_status = Some(500);
    for apart in [false, true] {
        for decision in [&open, &denied, &open] {
            desk.record(decision).await;
            if apart {
                desk.drain().once().await.unwrap();
            }
        }
        desk.close(&other, GiveBack::Nothing).await;
        desk.close(&desk.closing(&open), GiveBack::Nothing).await;
        desk.drain().once().await.unwrap();
        assert_eq!(desk.rows().await, before);
        assert_eq!(desk.verified().await, 2);
    }
}

#[tokio::test]
async fn an_ending_that_comes_with_a_second_copy_of_its_decision_is_written() {
    let desk = Desk::new().await;
    let decision = desk.allowed();
    desk.record(&decision).await;
    desk.drain().once().await.unwrap();
    desk.record(&decision).await;
    desk.close(&desk.closing(&decision), GiveBack::Nothing).await;
    desk.drain().once().await.unwrap();
    assert_eq!(desk.get(&decision).await.unwrap().completion, Completion::Closed);
    assert_eq!(desk.verified().await, 1);
}

#[tokio::test]
async fn an_ending_may_come_before_its_decision() {
    let desk = Desk::new().await;
    let decision = desk.allowed();
    desk.close(&desk.closing(&decision), GiveBack::Nothing).await;
    desk.drain().once().await.unwrap();
    assert_eq!(desk.rows().await, []);
    desk.settle(&decision).await;
    desk.drain().once().await.unwrap();
    let row = desk.get(&decision).await.unwrap();
    assert_eq!((row.completion, row.upstream_status), (Completion::Closed, Some(200)));
    assert_eq!(desk.verified().await, 1);
}

#[tokio::test]
async fn tenants_of_one_shard_each_get_their_rows() {
    let desk = Desk::new().await;
    let shard = ledger::Shard::of(desk.tenant);
    let other = (0..100_000).map(|_| desk.id()).find(|tenant| ledger::Shard::of(*tenant) == shard).unwrap();
    desk.publish(other).await;
    for n in 0..6 {
        let tenant = if n % 2 == 0 { desk.tenant } else { other };
        desk.record(&audit::Decision { tenant, ..desk.denied() }).await;
    }
    assert_eq!(desk.drain().once().await.unwrap(), 6);
    assert_eq!(desk.verified().await, 3);
    let other = Desk { tenant: other, ..desk };
    assert_eq!(other.verified().await, 3);
}

#[tokio::test]
async fn while_postgres_is_away_decisions_wait_in_the_stream() {
    let desk = Desk::new().await;
    desk.record(&desk.denied()).await;
    let nowhere = StorageConfig {
        max_connections: 1,
        acquire_timeout: std::time::Duration::from_millis(200),
        ..StorageConfig::new("postgres://nobody@127.0.0.1:1/none".to_owned())
    };
    let storage = Storage::connect(&nowhere).unwrap();
    let away = audit::Drain::new(
        desk.ledger.clone(),
        storage,
        desk.clock.clone(),
        &vault::Entropy::seeded(1),
        audit::DrainSettings::default(),
    );
    assert!(matches!(away.once().await, Err(audit::Error::Storage(_))));
    assert_eq!(desk.rows().await, []);
    desk.drain().once().await.unwrap();
    assert_eq!(desk.rows().await.len(), 1);
}

#[tokio::test]
async fn whatever_callers_put_into_texts_is_written() {
    let desk = Desk::new().await;
    let mut decision = desk.denied();
    decision.tool = Some(format!("nul\0{}", "🦀".repeat(5000)));
    decision.client.name = Some(String::new());
    decision.argument_keys = (0..1000).map(|n| format!("{n}\0{}", "x".repeat(2000))).collect();
    decision.message = Some("\u{1b}[31m\"quoted\"\r\n".to_owned());
    assert!(decision.to_bytes().unwrap().len() < 32_768, "also in the stream");
    desk.record(&decision).await;
    desk.drain().once().await.unwrap();
    let row = desk.get(&decision).await.unwrap();
    let tool = row.tool.unwrap();
    assert!(tool.starts_with("nul\u{fffd}🦀") && tool.chars().count() == 512);
    assert_eq!((row.client.name, row.message), (None, decision.message));
    assert_eq!(row.argument_keys.len(), 128);
    assert_eq!(desk.verified().await, 1);
}

#[tokio::test]
async fn a_flood_of_refusals_is_one_row_with_their_count() {
    let desk = Desk::new().await;
    let mut refusal = desk.denied();
    refusal.outcome = Outcome::Unauthenticated;
    refusal.address = Some("192.0.2.7".to_owned());
    for _ in 0..5 {
        let once = Once { same: [1; 32], seconds: 60, decision: refusal.id };
        desk.ledger.append(desk.tenant, &refusal.to_bytes().unwrap(), Some(once)).await.unwrap();
    }
    let drain = desk.drain();
    drain.once().await.unwrap();
    drain.sweep().await.unwrap();
    let row = desk.get(&refusal).await.unwrap();
    assert_eq!((row.completion, row.repeats, row.address), (Completion::Open, 1, refusal.address.clone()));
    desk.advance(std::time::Duration::from_mins(2));
    drain.sweep().await.unwrap();
    let row = desk.get(&refusal).await.unwrap();
    assert_eq!((row.outcome, row.completion, row.repeats), (Outcome::Unauthenticated, Completion::Closed, 5));
    assert_eq!(desk.verified().await, 1);
}
