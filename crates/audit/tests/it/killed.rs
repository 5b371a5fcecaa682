//! A drain that is killed at any point, again and again, and two drains at once: every decision has its row, none twice.

use std::collections::BTreeSet;
use std::time::Duration;

use audit::{Closing, Completion, Drain, DrainSettings};
use domain::DecisionId;
use ledger::GiveBack;
use tokio_util::sync::CancellationToken;

use crate::desk::Desk;

/// Records calls, some of which end at once, some later, some never. Answers the ids, and of those that ended.
async fn traffic(desk: &Desk, calls: usize) -> (BTreeSet<DecisionId>, BTreeSet<DecisionId>) {
    let (mut all, mut ended, mut under_way) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    for call in 0..calls {
        desk.advance(Duration::from_micros(10));
        let decision = desk.allowed();
        desk.record(&decision).await;
        all.insert(decision.id);
        if call % 5 != 0 {
            under_way.push(decision);
        }
        if call % 3 == 0 {
            for decision in under_way.drain(..) {
                ended.insert(decision.id);
                // Some fail: their rows count elsewhere from then on.
                let failed = ended.len() % 2 == 0;
                let closing = Closing { failed, ..desk.closing(&decision) };
                desk.close(&closing, GiveBack::Nothing).await;
            }
        }
    }
    (all, ended)
}

async fn compare(desk: &Desk, all: &BTreeSet<DecisionId>, ended: &BTreeSet<DecisionId>) {
    let rows = desk.rows().await;
    assert_eq!(rows.len(), all.len(), "none twice");
    assert_eq!(rows.iter().map(|row| row.id).collect::<BTreeSet<_>>(), *all);
    let closed = rows.iter().filter(|row| row.completion == Completion::Closed).map(|row| row.id);
    assert_eq!(closed.collect::<BTreeSet<_>>(), *ended);
    assert_eq!(desk.verified().await, all.len() as u64);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_killed_at_any_point_loses_and_doubles_nothing() {
    let desk = Desk::new().await;
    let drain = desk.drain();
    let killer = {
        let entropy = vault::Entropy::seeded(5);
        let kill_after = move || Duration::from_micros(u64::from(entropy.bytes::<1>()[0]) * 100);
        tokio::spawn(async move {
            for _ in 0..120 {
                let drain = drain.clone();
                let task = tokio::spawn(async move { drain.run(CancellationToken::new()).await });
                tokio::time::sleep(kill_after()).await;
                task.abort();
                assert!(task.await.unwrap_err().is_cancelled());
            }
        })
    };
    let (all, ended) = traffic(&desk, 900).await;
    killer.await.unwrap();
    desk.drain().once().await.unwrap();
    compare(&desk, &all, &ended).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_drains_at_the_same_work_do_it_once() {
    let desk = Desk::new().await;
    // The same holder twice: each thinks that the lease is its own, as one does that has outlived it.
    let (stop, first, second) = (CancellationToken::new(), desk.drain(), desk.drain());
    let drains = [first, second].map(|drain| {
        let stop = stop.clone();
        tokio::spawn(async move { drain.run(stop).await })
    });
    let (all, ended) = traffic(&desk, 900).await;
    while !desk.ledger.backlog().await.unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    stop.cancel();
    for drain in drains {
        drain.await.unwrap();
    }
    compare(&desk, &all, &ended).await;
}

#[tokio::test]
async fn another_drain_leaves_a_leased_shard_alone() {
    let desk = Desk::new().await;
    desk.record(&desk.denied()).await;
    let shard = ledger::Shard::of(desk.tenant);
    assert!(desk.ledger.lease(shard, uuid::Uuid::from_u128(9), Duration::from_mins(1)).await.unwrap());
    let other = Drain::new(
        desk.ledger.clone(),
        desk.storage.clone(),
        desk.clock.clone(),
        &vault::Entropy::System,
        DrainSettings::default(),
    );
    assert_eq!(other.once().await.unwrap(), 0);
    desk.ledger.release(shard, uuid::Uuid::from_u128(9)).await.unwrap();
    assert_eq!(other.once().await.unwrap(), 1);
    assert!(
        desk.ledger.lease(shard, uuid::Uuid::from_u128(9), Duration::from_mins(1)).await.unwrap(),
        "let go"
    );
}
