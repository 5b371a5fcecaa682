//! A corner of the Redis of `REDIS_URL` for each test: a namespace of its own.

use std::time::Duration;

use domain::{Clock, TenantId};
use ledger::{Ledger, LedgerConfig, Settle, Settled, Shard};
use uuid::Uuid;

/// Where a test's keys live.
#[derive(Clone, Debug)]
pub struct TestRedis {
    /// The address.
    pub url: String,
    /// In front of every key.
    pub namespace: String,
}

/// A namespace that nobody else uses.
///
/// # Panics
/// Without `REDIS_URL`: `make test` sets it.
pub fn redis() -> TestRedis {
    let url = crate::environment("REDIS_URL").unwrap_or_else(|error| panic!("no test redis: {error:#}"));
    TestRedis {
        url,
        namespace: format!("test-{}", Uuid::from_bytes(vault::Entropy::System.bytes()).simple()),
    }
}

impl TestRedis {
    /// Settings for a ledger in this namespace; patient, since tests share few cores.
    pub fn config(&self, clock: Clock) -> LedgerConfig {
        LedgerConfig {
            namespace: self.namespace.clone(),
            timeout: Duration::from_secs(10),
            clock,
            ..LedgerConfig::new(self.url.clone())
        }
    }

    /// A ledger with a connection of its own, once it stands.
    ///
    /// # Panics
    /// When Redis can't be reached within ten seconds.
    pub async fn ledger(&self, clock: Clock) -> Ledger {
        connected(self.config(clock)).await
    }
}

/// A ledger of these settings, once its connection stands.
///
/// # Panics
/// When Redis can't be reached within ten seconds.
pub async fn connected(config: LedgerConfig) -> Ledger {
    let ledger = Ledger::connect(config).unwrap_or_else(|error| panic!("{error}"));
    let mut generation = ledger.generation();
    let stands = tokio::time::timeout(Duration::from_secs(10), generation.wait_for(|number| *number > 0));
    assert!(matches!(stands.await, Ok(Ok(_))), "Redis does not answer");
    ledger
}

/// Lets Redis know the epoch of a tenant, as a gateway's first call does, and takes what that recorded out of the stream.
///
/// # Panics
/// When Redis can't be reached, or knows a later epoch.
pub async fn introduce(ledger: &Ledger, tenant: TenantId, epoch: u64) {
    let generation = *ledger.generation().borrow();
    let decision = vault::Entropy::System.id(Clock::System.now());
    let mut settle = Settle { tenant, decision, epoch, generation, fresh: None, charges: &[], record: b"{}" };
    let first = ledger.settle(&settle).await;
    let Ok(Settled::Stale { now, .. }) = first else { panic!("{first:?} is not stale") };
    settle.fresh = Some(now);
    let second = ledger.settle(&settle).await;
    assert!(matches!(second, Ok(Settled::Taken { cacheable: true, .. })), "{second:?} is not taken");
    let shard = Shard::of(tenant);
    let entries = ledger.read(shard, 1000).await.unwrap_or_else(|error| panic!("{error}"));
    let last = entries.last().unwrap_or_else(|| panic!("nothing was recorded"));
    ledger.acknowledge(shard, last.id).await.unwrap_or_else(|error| panic!("{error}"));
}
