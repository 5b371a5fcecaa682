//! Losing Redis and finding it again.

use std::sync::atomic::Ordering;
use std::time::Duration;

use domain::Clock;
use ledger::{Ledger, LedgerConfig, LedgerError, Settle, Settled};

use crate::desk::{Desk, decision, taken};
use crate::outage::{Script, info};

/// Waits until the ledger has a connection later than `than`.
pub async fn later(ledger: &Ledger, than: u64) -> u64 {
    let mut generation = ledger.generation();
    let later = generation.wait_for(|generation| *generation > than);
    *tokio::time::timeout(Duration::from_secs(20), later)
        .await
        .expect("a connection")
        .expect("the ledger lives")
}

/// Waits until Redis is seen to be away.
async fn away(ledger: &Ledger) -> LedgerError {
    let away = async {
        loop {
            match ledger.ping().await {
                Err(error @ LedgerError::Away(_)) => return error,
                _ => tokio::task::yield_now().await,
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), away).await.expect("the loss is noticed")
}

#[tokio::test]
async fn a_lost_connection_is_away_and_comes_back_as_another_generation() {
    let desk = Desk::at(Clock::System).await;
    let wire = testkit::Wire::to(&desk.redis.url).await;
    let config =
        LedgerConfig { url: domain::Secret::new(wire.url().to_owned()), ..desk.redis.config(Clock::System) };
    let ledger = testkit::connected(config).await;
    let first = *ledger.generation().borrow();
    let settle = Settle {
        tenant: desk.tenant,
        decision: decision(),
        epoch: 1,
        generation: first,
        fresh: None,
        charges: &[],
        record: b"{}",
    };
    assert!(taken(&ledger.settle(&settle).await.unwrap()));
    wire.cut();
    away(&ledger).await;
    assert!(matches!(ledger.settle(&settle).await, Err(LedgerError::Away(_))));
    wire.mend();
    let second = later(&ledger, first).await;
    assert!(
        matches!(ledger.settle(&settle).await.unwrap(), Settled::Stale { generation, .. } if generation == second)
    );
    assert!(taken(&ledger.settle(&Settle { generation: second, ..settle }).await.unwrap()));
}

#[tokio::test]
async fn a_redis_that_forgot_its_scripts_is_sent_them_again() {
    let desk = Desk::new().await;
    assert!(taken(&desk.take(&[]).await));
    let mut redis = redis::Client::open(desk.redis.url.as_str())
        .unwrap()
        .get_multiplexed_async_connection()
        .await
        .unwrap();
    redis::cmd("SCRIPT").arg("FLUSH").query_async::<()>(&mut redis).await.unwrap();
    assert!(taken(&desk.take(&[]).await));
}

#[tokio::test]
async fn a_restart_behind_a_standing_connection_is_another_generation() {
    let (redis, url) = Script::start().await;
    let ledger = testkit::connected(LedgerConfig::new(url)).await;
    let first = *ledger.generation().borrow();
    redis.info.send_replace(info("second", "master"));
    assert!(later(&ledger, first).await > first);
    assert_eq!(ledger.ping().await, Ok(()));
}

#[tokio::test]
async fn a_primary_that_became_a_replica_is_away() {
    let (redis, url) = Script::start().await;
    let ledger = testkit::connected(LedgerConfig::new(url)).await;
    redis.info.send_replace(info("first", "slave"));
    assert!(away(&ledger).await.to_string().contains("it is a replica"));
}

#[tokio::test]
async fn a_silent_redis_times_out_and_is_then_away() {
    let (redis, url) = Script::start().await;
    let config = LedgerConfig { timeout: Duration::from_millis(50), ..LedgerConfig::new(url) };
    let ledger = testkit::connected(config).await;
    redis.silent.store(true, Ordering::SeqCst);
    assert_eq!(ledger.ping().await, Err(LedgerError::Timeout));
    away(&ledger).await;
    redis.silent.store(false, Ordering::SeqCst);
    later(&ledger, 1).await;
    assert_eq!(ledger.ping().await, Ok(()));
}

#[tokio::test]
async fn errors_are_told_apart_by_what_to_do() {
    let (redis, url) = Script::start().await;
    let ledger = testkit::connected(LedgerConfig::new(url)).await;
    redis.answer.send_replace("-OOM command not allowed when used memory > 'maxmemory'.\r\n");
    assert!(matches!(ledger.ping().await, Err(LedgerError::Away(_))));
    redis.answer.send_replace("-WRONGTYPE Operation against a key\r\n");
    assert!(matches!(ledger.ping().await, Err(LedgerError::Protocol(_))));
    let first = *ledger.generation().borrow();
    redis.answer.send_replace("-READONLY You can't write against a read only replica.\r\n");
    assert!(matches!(ledger.ping().await, Err(LedgerError::Away(_))));
    later(&ledger, first).await;
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_at_once_and_one_that_does_not_answer_is_away() {
    assert!(matches!(Ledger::connect(LedgerConfig::new("http://x")), Err(LedgerError::Address(_))));
    let ledger = Ledger::connect(LedgerConfig::new("redis://127.0.0.1:1")).unwrap();
    assert!(matches!(ledger.ping().await, Err(LedgerError::Away(_))));
}
