//! The epoch protocol: every order in which a change and calls can meet, and a crash between any two steps.

use std::time::Instant;

use chrono::{DateTime, Utc};
use ledger::{Settle, Settled};
use uuid::Uuid;

use crate::desk::{Desk, decision, minute, stale, taken};

const CHANGE: Uuid = Uuid::from_u128(1);
const OTHER: Uuid = Uuid::from_u128(2);

fn cacheable(settled: &Settled) -> bool {
    match settled {
        Settled::Taken { cacheable, .. } | Settled::Over { cacheable, .. } => *cacheable,
        other => panic!("{other:?} was not settled"),
    }
}

#[tokio::test]
async fn a_remembered_state_is_good_while_nothing_changes() {
    let desk = Desk::new().await;
    let settled = desk.remembered(1).await;
    assert!(taken(&settled) && cacheable(&settled));
    stale(desk.remembered(2).await);
    stale(desk.remembered(0).await);
}

#[tokio::test]
async fn a_tenant_unknown_to_redis_is_read_anew_once() {
    let desk = Desk::new().await;
    let desk = Desk { tenant: vault::Entropy::System.id(crate::desk::start()), ..desk };
    let at = stale(desk.remembered(5).await);
    let settled = desk.fresh(5, at).await;
    assert!(taken(&settled) && cacheable(&settled));
    assert!(taken(&desk.remembered(5).await));
}

#[tokio::test]
async fn a_state_read_before_redis_forgot_is_not_good_afterwards() {
    let desk = Desk::new().await;
    let at = stale(desk.remembered(0).await);
    // Read as of epoch 1; then a change is published, Redis loses the key, and another change finds it missing.
    desk.ledger.publish(desk.tenant, CHANGE, 3).await.unwrap();
    desk.forget_epoch().await;
    desk.advance(1);
    desk.ledger.publish(desk.tenant, OTHER, 2).await.unwrap();
    stale(desk.remembered(2).await);
    let now = stale(desk.fresh(1, at).await);
    assert!(taken(&desk.fresh(3, now).await));
    stale(desk.remembered(2).await);
    assert!(taken(&desk.remembered(3).await));
}

#[tokio::test]
async fn a_published_change_is_obeyed_by_the_next_call() {
    let desk = Desk::new().await;
    desk.ledger.mark(desk.tenant, CHANGE).await.unwrap();
    desk.ledger.publish(desk.tenant, CHANGE, 2).await.unwrap();
    let at = stale(desk.remembered(1).await);
    stale(desk.fresh(1, at).await);
    let settled = desk.fresh(2, at).await;
    assert!(taken(&settled) && cacheable(&settled));
    assert!(taken(&desk.remembered(2).await));
}

#[tokio::test]
async fn while_a_change_is_pending_nothing_is_remembered() {
    let desk = Desk::new().await;
    let marked = Instant::now();
    let by = desk.ledger.mark(desk.tenant, CHANGE).await.unwrap().commit_by;
    assert!(by <= Instant::now() + ledger::COMMIT_WITHIN && by >= marked + ledger::COMMIT_WITHIN);
    // Not committed yet: the old state still judges, but is read each time.
    let at = stale(desk.remembered(1).await);
    let settled = desk.fresh(1, at).await;
    assert!(taken(&settled) && !cacheable(&settled));
    stale(desk.remembered(1).await);
    // Committed, not published: whoever reads it raises the epoch, and the old state is refused from then on.
    let settled = desk.fresh(2, at).await;
    assert!(taken(&settled) && !cacheable(&settled));
    stale(desk.fresh(1, at).await);
    desk.ledger.publish(desk.tenant, CHANGE, 2).await.unwrap();
    assert!(taken(&desk.remembered(2).await));
}

#[tokio::test]
async fn a_withdrawn_change_leaves_everything_as_it_was() {
    let desk = Desk::new().await;
    desk.ledger.mark(desk.tenant, CHANGE).await.unwrap();
    stale(desk.remembered(1).await);
    desk.ledger.withdraw(desk.tenant, CHANGE).await.unwrap();
    assert!(taken(&desk.remembered(1).await));
}

#[tokio::test]
async fn a_crash_after_the_commit_hides_nothing() {
    let desk = Desk::new().await;
    desk.ledger.mark(desk.tenant, CHANGE).await.unwrap();
    // Committed as epoch 2; the process dies. Long after the mark has expired a remembered 1 is still refused.
    desk.advance(60_000);
    let at = stale(desk.remembered(1).await);
    let settled = desk.fresh(2, at).await;
    assert!(taken(&settled) && cacheable(&settled), "the expired mark is cleared by a fresh read");
    assert!(taken(&desk.remembered(2).await));
    stale(desk.remembered(1).await);
}

#[tokio::test]
async fn a_crash_before_the_commit_costs_one_reading() {
    let desk = Desk::new().await;
    desk.ledger.mark(desk.tenant, CHANGE).await.unwrap();
    desk.advance(9_999);
    let at = stale(desk.remembered(1).await);
    assert!(!cacheable(&desk.fresh(1, at).await), "the mark stands for ten seconds");
    desk.advance(1);
    let at = stale(desk.remembered(1).await);
    assert!(cacheable(&desk.fresh(1, at).await));
    assert!(taken(&desk.remembered(1).await));
}

#[tokio::test]
async fn a_mark_that_expired_after_the_reading_is_not_cleared_by_it() {
    let desk = Desk::new().await;
    desk.ledger.mark(desk.tenant, CHANGE).await.unwrap();
    desk.advance(9_000);
    let at = stale(desk.remembered(1).await);
    // The change might have committed between that reading and now.
    desk.advance(1_500);
    assert!(!cacheable(&desk.fresh(1, at).await));
    stale(desk.remembered(1).await);
}

#[tokio::test]
async fn a_reading_is_fresh_for_two_seconds() {
    let desk = Desk::new().await;
    desk.ledger.mark(desk.tenant, CHANGE).await.unwrap();
    let at = stale(desk.remembered(1).await);
    desk.advance(2_000);
    assert!(taken(&desk.fresh(1, at).await));
    desk.advance(1);
    let later = stale(desk.fresh(1, at).await);
    assert!(later > at && taken(&desk.fresh(1, later).await));
}

#[tokio::test]
async fn two_changes_at_once_do_not_hide_each_other() {
    // Both marked; the one that got epoch 3 publishes first, then the one with 2.
    let desk = Desk::new().await;
    desk.ledger.mark(desk.tenant, CHANGE).await.unwrap();
    desk.ledger.mark(desk.tenant, OTHER).await.unwrap();
    desk.ledger.publish(desk.tenant, OTHER, 3).await.unwrap();
    let at = stale(desk.remembered(3).await);
    let settled = desk.fresh(3, at).await;
    assert!(taken(&settled) && !cacheable(&settled), "the other's mark still stands");
    desk.ledger.publish(desk.tenant, CHANGE, 2).await.unwrap();
    assert!(taken(&desk.remembered(3).await), "the epoch does not fall");
    stale(desk.remembered(2).await);
}

#[tokio::test]
async fn withdrawing_one_change_leaves_the_mark_of_another() {
    let desk = Desk::new().await;
    desk.ledger.mark(desk.tenant, CHANGE).await.unwrap();
    desk.ledger.mark(desk.tenant, OTHER).await.unwrap();
    desk.ledger.withdraw(desk.tenant, CHANGE).await.unwrap();
    stale(desk.remembered(1).await);
}

#[tokio::test]
async fn a_stale_call_takes_and_writes_nothing() {
    let desk = Desk::new().await;
    stale(desk.settle_at(7, None, &[minute(1, 1)]).await);
    assert_eq!(desk.ledger.backlog().await.unwrap(), []);
    assert!(taken(&desk.take(&[minute(1, 1)]).await));
}

#[tokio::test]
async fn a_state_from_before_this_connection_is_stale_even_when_fresh() {
    let desk = Desk::new().await;
    let at = stale(desk.remembered(0).await);
    for fresh in [None, Some(at)] {
        let settle = Settle {
            tenant: desk.tenant,
            decision: decision(),
            epoch: 1,
            generation: desk.generation() - 1,
            fresh,
            charges: &[],
            record: b"{}",
        };
        let Settled::Stale { generation, .. } = desk.ledger.settle(&settle).await.unwrap() else {
            panic!("a state of another connection was taken")
        };
        assert_eq!(generation, desk.generation());
    }
}

/// A change on its way.
struct Change {
    id: Uuid,
    marked_at: DateTime<Utc>,
    epoch: Option<u64>,
}

/// Any number of changes, each of which may die after any step, among calls of two gateways that remember: every call
/// is judged by the newest state that has committed, also when nobody lived to publish it.
#[tokio::test]
async fn no_order_of_steps_judges_by_an_old_state() {
    let entropy = vault::Entropy::seeded(7);
    let pick = |n: usize| usize::from(entropy.bytes::<1>()[0]) % n;
    let desk = Desk::new().await;
    let (mut committed, mut published) = (1, 0);
    let mut remembered = [1, 1];
    let mut changes: Vec<Change> = Vec::new();
    for step in 0..4000_u128 {
        desk.advance([0, 10, 300, 1_500, 4_000][pick(5)]);
        match pick(4) {
            0 if changes.len() < 3 => {
                let id = Uuid::from_u128(step + 10);
                desk.ledger.mark(desk.tenant, id).await.unwrap();
                changes.push(Change { id, marked_at: desk.clock.now(), epoch: None });
            }
            1 if !changes.is_empty() => {
                let mut change = changes.swap_remove(pick(changes.len()));
                let late = desk.clock.now() - change.marked_at > chrono::Duration::seconds(5);
                match (change.epoch, pick(4)) {
                    // Dies here: its mark stays.
                    (_, 0) => {}
                    (None, _) if late => desk.ledger.withdraw(desk.tenant, change.id).await.unwrap(),
                    (None, _) => {
                        committed += 1;
                        change.epoch = Some(committed);
                        changes.push(change);
                    }
                    (Some(epoch), _) => {
                        desk.ledger.publish(desk.tenant, change.id, epoch).await.unwrap();
                        published += 1;
                    }
                }
            }
            _ => {
                let memory = &mut remembered[pick(2)];
                let mut judged_by = *memory;
                let mut settled = desk.remembered(judged_by).await;
                if let Settled::Stale { now, .. } = settled {
                    judged_by = committed;
                    settled = desk.fresh(judged_by, now).await;
                }
                assert_eq!(judged_by, committed, "step {step}");
                if cacheable(&settled) {
                    *memory = judged_by;
                }
            }
        }
    }
    assert!(published > 100, "{published} changes were published");
}
