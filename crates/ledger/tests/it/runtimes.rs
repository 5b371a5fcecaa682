//! Threads that each have a connection of their own: what they take adds up, and what one loses all have lost.

use std::sync::Arc;

use domain::Clock;
use futures_util::future::join_all;
use ledger::{Close, GiveBack, Ledger, LedgerConfig, Settle, Settled, Window};
use testkit::Wire;
use tokio::runtime::{Builder, Runtime};

use crate::connection::later;
use crate::desk::{Desk, charge, decision, taken};

/// Runtimes of one thread each.
struct Threads(Vec<Runtime>);

impl Threads {
    fn start(count: usize) -> Self {
        let start = |_| Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        Self((0..count).map(start).collect())
    }

    /// A ledger that they call, and the way it takes to Redis.
    async fn ledger(&self, desk: &Desk) -> (Ledger, Wire) {
        let wire = Wire::to(&desk.redis.url).await;
        let ledger = testkit::connected(LedgerConfig {
            url: domain::Secret::new(wire.url().to_owned()),
            runtimes: self.0.iter().map(|runtime| runtime.handle().clone()).collect(),
            ..desk.redis.config(Clock::System)
        });
        (ledger.await, wire)
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.0.drain(..).for_each(Runtime::shutdown_background);
    }
}

fn settle<'a>(desk: &Desk, ledger: &Ledger, charges: &'a [ledger::Charge]) -> Settle<'a> {
    let generation = *ledger.generation().borrow();
    let (tenant, decision) = (desk.tenant, decision());
    Settle { tenant, decision, epoch: 1, generation, fresh: None, charges, record: b"{}" }
}

#[tokio::test]
async fn a_thread_that_calls_has_a_connection_of_its_own() {
    let (desk, threads) = (Desk::at(Clock::System).await, Threads::start(3));
    let (ledger, wire) = threads.ledger(&desk).await;
    assert_eq!(wire.let_through(), 4, "one for each, and one for all others");
    for runtime in &threads.0 {
        let ledger = ledger.clone();
        assert_eq!(runtime.spawn(async move { ledger.ping().await }).await.unwrap(), Ok(()));
    }
    assert_eq!(wire.let_through(), 4);
}

#[tokio::test]
async fn what_all_threads_take_and_give_back_adds_up() {
    let (desk, threads) = (Arc::new(Desk::at(Clock::System).await), Threads::start(2));
    let (ledger, _wire) = threads.ledger(&desk).await;
    let round = async || {
        let calls = (0..120).map(|call| {
            let (desk, ledger) = (Arc::clone(&desk), ledger.clone());
            threads.0[call % 2].spawn(async move {
                let charges = [charge(7, Window::Sliding { seconds: 3600 }, 50)];
                let settle = settle(&desk, &ledger, &charges);
                taken(&ledger.settle(&settle).await.unwrap()).then_some(settle.decision)
            })
        });
        let decisions = join_all(calls).await.into_iter().filter_map(Result::unwrap);
        decisions.collect::<Vec<_>>()
    };
    let first = round().await;
    assert_eq!(first.len(), 50);
    // By the other thread than took it, twice.
    let back = first.iter().enumerate().map(|(place, decision)| {
        let (desk, ledger, decision) = (Arc::clone(&desk), ledger.clone(), *decision);
        threads.0[(place + 1) % 2].spawn(async move {
            let close = Close { tenant: desk.tenant, decision, record: b"{}", give_back: GiveBack::All };
            let (once, again) = (ledger.close(&close).await.unwrap(), ledger.close(&close).await.unwrap());
            assert!(once.gave_back && !again.gave_back);
        })
    });
    join_all(back).await.into_iter().for_each(Result::unwrap);
    assert_eq!(round().await.len(), 50);
}

#[tokio::test]
async fn what_one_thread_loses_all_have_lost() {
    let (desk, threads) = (Desk::at(Clock::System).await, Threads::start(2));
    let (ledger, wire) = threads.ledger(&desk).await;
    let before = settle(&desk, &ledger, &[]);
    assert!(taken(&ledger.settle(&before).await.unwrap()));
    wire.break_newest();
    let second = later(&ledger, before.generation).await;
    // Whoever asks, from wherever, is told that what it knows is old.
    let answer = ledger.settle(&Settle { decision: decision(), ..before.clone() }).await.unwrap();
    assert!(matches!(answer, Settled::Stale { generation, .. } if generation == second));
    for runtime in &threads.0 {
        let (ledger, now) = (ledger.clone(), settle(&desk, &ledger, &[]));
        let settled = runtime.spawn(async move { ledger.settle(&now).await }).await.unwrap();
        assert!(taken(&settled.unwrap()));
    }
}
