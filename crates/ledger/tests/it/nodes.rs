//! What the tests of several servers share: tenants by shard, callers who never stop, and the account of what they were told.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use domain::{Clock, DecisionId, TenantId};
use ledger::{
    Charge, EntryKind, Ledger, LedgerConfig, LedgerError, RedisTime, Settle, Settled, Shard, Window,
};
use tokio::task::JoinSet;
use vault::Entropy;

use crate::desk::{charge, decision, level};

/// Callers at once on each ledger.
const CALLERS: usize = 8;

pub fn folder() -> &'static std::path::Path {
    std::path::Path::new(env!("CARGO_TARGET_TMPDIR"))
}

pub fn config(url: &str) -> LedgerConfig {
    // Patient enough for a slot that is moved by hand, and for tests that share few cores.
    LedgerConfig { timeout: Duration::from_secs(5), ..LedgerConfig::new(url) }
}

/// A ledger that reaches every shard.
pub async fn whole(url: &str) -> Ledger {
    let ledger = Ledger::connect(config(url)).unwrap();
    testkit::eventually("every shard in reach", async || ledger.out_of_reach().is_empty().then_some(()))
        .await;
    ledger
}

/// A tenant that lives in `shard`.
pub fn tenant_in(shard: Shard) -> TenantId {
    std::iter::repeat_with(|| Entropy::System.id(Clock::System.now()))
        .find(|id| Shard::of(*id) == shard)
        .unwrap()
}

/// The slot of a shard, by what the answering node computes.
pub async fn slot(server: &testkit::RedisServer, shard: Shard) -> u16 {
    server.ask(&["CLUSTER", "KEYSLOT", &shard.to_string()]).await.parse().unwrap()
}

/// A charge of one call a day, of `max`.
pub fn daily(max: u64) -> Charge {
    charge(1, Window::Sliding { seconds: 86_400 }, max)
}

/// One gateway, as far as one tenant goes: it remembers a state, and reads it anew when it is stale.
pub struct Gateway {
    pub ledger: Ledger,
    tenant: TenantId,
    /// When the remembered state was read; 0 for none.
    read_at: AtomicU64,
}

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    Taken,
    Over,
    /// Whether it took effect is unknown, or it did not.
    Failed,
}

impl Gateway {
    pub fn new(ledger: Ledger, tenant: TenantId) -> Arc<Self> {
        Arc::new(Self { ledger, tenant, read_at: AtomicU64::new(0) })
    }

    /// One call that takes `charges`. Never settled again but for a stale answer.
    pub async fn settle(&self, decision: DecisionId, charges: &[Charge]) -> Result<Settled, LedgerError> {
        let mut generation = self.read_at.load(Ordering::SeqCst);
        let mut fresh: Option<RedisTime> = None;
        let record = decision.uuid().to_string();
        loop {
            let (tenant, record) = (self.tenant, record.as_bytes());
            let settle = Settle { tenant, decision, epoch: 1, generation, fresh, charges, record };
            match self.ledger.settle(&settle).await? {
                Settled::Stale { now, generation: of } => (fresh, generation) = (Some(now), of),
                settled => {
                    self.read_at.store(generation, Ordering::SeqCst);
                    return Ok(settled);
                }
            }
        }
    }

    /// As a caller is told.
    pub async fn call(&self, decision: DecisionId, charges: &[Charge]) -> Told {
        match self.settle(decision, charges).await {
            Ok(Settled::Taken { .. }) => Told::Taken,
            Ok(Settled::Over { .. }) => Told::Over,
            Ok(other) => panic!("{other:?}"),
            Err(LedgerError::Protocol(error)) => panic!("{error}"),
            Err(_) => Told::Failed,
        }
    }

    /// What a counter holds, once it can be asked.
    pub async fn counted(&self, charge: &Charge) -> u64 {
        let probe = [Charge { amount: 0, max: 9_000_000_000_000_000, ..charge.clone() }];
        testkit::eventually("a counter", async || {
            Some(level(self.settle(decision(), &probe).await.ok()?).used)
        })
        .await
    }

    /// Settles once with what is remembered, and nothing else.
    pub async fn remembered(&self, generation: u64) -> Settled {
        let (tenant, decision) = (self.tenant, decision());
        let settle =
            Settle { tenant, decision, epoch: 1, generation, fresh: None, charges: &[], record: b"{}" };
        testkit::eventually("an answer", async || self.ledger.settle(&settle).await.ok()).await
    }
}

/// Callers that go on until told to stop, on several gateways.
pub struct Crowd {
    stop: Arc<AtomicBool>,
    pub answered: Arc<AtomicU64>,
    callers: JoinSet<Vec<(DecisionId, Told)>>,
}

impl Crowd {
    pub fn start(gateways: &[Arc<Gateway>], max: u64) -> Self {
        let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let mut callers = JoinSet::new();
        for gateway in gateways.iter().flat_map(|gateway| std::iter::repeat_n(gateway, CALLERS)) {
            let (gateway, stop, answered) = (Arc::clone(gateway), Arc::clone(&stop), Arc::clone(&answered));
            callers.spawn(async move {
                let charges = [daily(max)];
                let mut told = Vec::new();
                while !stop.load(Ordering::SeqCst) {
                    let decision = decision();
                    let answer = gateway.call(decision, &charges).await;
                    told.push((decision, answer));
                    match answer {
                        // Somebody who is refused waits a little.
                        Told::Failed => tokio::time::sleep(Duration::from_millis(20)).await,
                        _ => _ = answered.fetch_add(1, Ordering::SeqCst),
                    }
                }
                told
            });
        }
        Self { stop, answered, callers }
    }

    /// Waits for so many answers from now on.
    pub async fn goes_on(&self, more: u64) {
        let wanted = self.answered.load(Ordering::SeqCst) + more;
        let enough = async || (self.answered.load(Ordering::SeqCst) >= wanted).then_some(());
        testkit::eventually("answers", enough).await;
    }

    pub async fn stop(self) -> Account {
        self.stop.store(true, Ordering::SeqCst);
        Account(self.callers.join_all().await.concat())
    }
}

/// What the callers were told.
pub struct Account(Vec<(DecisionId, Told)>);

/// The account held against what Redis has.
#[derive(Debug)]
pub struct Balance {
    /// Calls that were told that they are taken.
    pub taken: u64,
    /// Of these, how many Redis does not know of any more.
    pub lost: u64,
    /// Calls whose end was unknown, and were taken.
    pub unknown: u64,
    /// What the counter holds.
    pub counted: u64,
}

impl Account {
    /// Asserts that no decision is recorded twice.
    pub async fn balance(&self, gateway: &Gateway) -> Balance {
        let shard = Shard::of(gateway.tenant);
        let mut recorded: BTreeMap<DecisionId, bool> = BTreeMap::new();
        let mut entries = 0;
        for entry in gateway.ledger.read(shard, 1_000_000).await.unwrap() {
            let EntryKind::Decision { limit, over, .. } = entry.kind else { continue };
            if limit.is_some() {
                entries += 1;
                let id = std::str::from_utf8(&entry.record).unwrap().parse::<uuid::Uuid>();
                let twice = recorded.insert(id.unwrap().into(), over);
                assert!(twice.is_none(), "a decision is recorded twice");
            }
        }
        assert!(entries > 0);
        let is = |wanted| self.0.iter().filter(move |(_, told)| *told == wanted);
        let known = |decision: &DecisionId| recorded.get(decision) == Some(&false);
        let counted = gateway.counted(&daily(1)).await;
        let count = |calls: usize| u64::try_from(calls).unwrap();
        Balance {
            taken: count(is(Told::Taken).count()),
            lost: count(is(Told::Taken).filter(|(id, _)| !known(id)).count()),
            unknown: count(is(Told::Failed).filter(|(id, _)| known(id)).count()),
            counted,
        }
    }
}
