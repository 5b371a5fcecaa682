//! What the tests share: a tenant at a ledger whose clock is moved by hand.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, TimeZone, Utc};
use domain::{Clock, DecisionId, TenantId};
use ledger::{Charge, Ledger, Level, RedisTime, Settle, Settled, Window};
use testkit::TestRedis;
use vault::Entropy;

/// A tenant at epoch 1 with a ledger, which settles as the gateway would.
pub struct Desk {
    pub redis: TestRedis,
    pub ledger: Ledger,
    pub clock: Clock,
    pub tenant: TenantId,
}

/// 29 February 2028, 23:59:58.5 UTC: a second and a half before the end of minute, hour, day and month.
pub fn start() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2028, 2, 29, 23, 59, 58).unwrap() + chrono::Duration::milliseconds(500)
}

/// An id that nobody else has.
pub fn decision() -> DecisionId {
    Entropy::System.id(start())
}

impl Desk {
    pub async fn new() -> Self {
        Self::at(Clock::manual(start())).await
    }

    pub async fn at(clock: Clock) -> Self {
        let redis = testkit::redis();
        let ledger = redis.ledger(clock.clone()).await;
        let desk = Self { redis, ledger, clock, tenant: Entropy::System.id(start()) };
        testkit::introduce(&desk.ledger, desk.tenant, 1).await;
        desk
    }

    pub fn advance(&self, millis: u64) {
        self.clock.advance(Duration::from_millis(millis));
    }

    pub fn generation(&self) -> u64 {
        *self.ledger.generation().borrow()
    }

    /// As an eviction, or somebody at the console, does.
    pub async fn forget_epoch(&self) {
        self.command("DEL", "epoch", None).await;
    }

    /// As a failover to a replica that had not heard of them.
    pub async fn forget_marks(&self) {
        self.command("DEL", "pending", None).await;
    }

    /// As a failover to a replica that was behind.
    pub async fn put_epoch(&self, epoch: u8) {
        self.command("SET", "epoch", Some(epoch)).await;
    }

    /// Sends Redis a command about a key of this tenant.
    async fn command(&self, command: &str, key: &str, value: Option<u8>) {
        let mut connection = self.console().await;
        let shard = ledger::Shard::of(self.tenant);
        let key = format!("{}:{shard}:{}:{key}", self.redis.namespace, self.tenant.uuid().simple());
        let mut command = redis::cmd(command);
        command.arg(key).arg(value);
        command.query_async::<redis::Value>(&mut connection).await.unwrap();
    }

    /// What Redis holds of this tenant but for its stream: what a replica has heard of.
    pub async fn dump(&self) -> BTreeMap<String, Vec<u8>> {
        let mut console = self.console().await;
        let mut dump = BTreeMap::new();
        for key in self.keys(&mut console).await {
            let held: Vec<u8> = redis::cmd("DUMP").arg(&key).query_async(&mut console).await.unwrap();
            dump.insert(key, held);
        }
        dump
    }

    /// As a failover to a replica that has heard of this alone.
    pub async fn restore(&self, dump: &BTreeMap<String, Vec<u8>>) {
        let mut console = self.console().await;
        for key in self.keys(&mut console).await {
            redis::cmd("DEL").arg(&key).query_async::<()>(&mut console).await.unwrap();
        }
        for (key, held) in dump {
            let mut restore = redis::cmd("RESTORE");
            restore.arg(key).arg(86_400_000).arg(held);
            restore.query_async::<()>(&mut console).await.unwrap();
        }
    }

    async fn keys(&self, console: &mut redis::aio::MultiplexedConnection) -> Vec<String> {
        let tenant = format!("{}:*:{}:*", self.redis.namespace, self.tenant.uuid().simple());
        redis::cmd("KEYS").arg(tenant).query_async(console).await.unwrap()
    }

    async fn console(&self) -> redis::aio::MultiplexedConnection {
        let client = redis::Client::open(self.redis.url.as_str()).unwrap();
        client.get_multiplexed_async_connection().await.unwrap()
    }

    /// Settles with what a gateway remembers of `epoch`.
    pub async fn remembered(&self, epoch: u64) -> Settled {
        self.settle_at(epoch, None, &[]).await
    }

    /// Settles with a state of `epoch` that was read after the stale answer `at`.
    pub async fn fresh(&self, epoch: u64, at: RedisTime) -> Settled {
        self.settle_at(epoch, Some(at), &[]).await
    }

    pub async fn settle_at(&self, epoch: u64, fresh: Option<RedisTime>, charges: &[Charge]) -> Settled {
        let settle = Settle {
            tenant: self.tenant,
            decision: decision(),
            epoch,
            generation: self.generation(),
            fresh,
            charges,
            record: b"{}",
        };
        self.ledger.settle(&settle).await.unwrap()
    }

    /// Settles a call that was judged by what a gateway remembers.
    pub async fn take(&self, charges: &[Charge]) -> Settled {
        self.take_as(decision(), charges).await
    }

    pub async fn take_as(&self, decision: DecisionId, charges: &[Charge]) -> Settled {
        let settle = Settle {
            tenant: self.tenant,
            decision,
            epoch: 1,
            generation: self.generation(),
            fresh: None,
            charges,
            record: b"{}",
        };
        self.ledger.settle(&settle).await.unwrap()
    }

    /// What a counter holds, by a charge that takes nothing.
    pub async fn used(&self, charge: &Charge) -> u64 {
        let probe = Charge { amount: 0, max: 9_000_000_000_000_000, ..charge.clone() };
        level(self.take(&[probe]).await).used
    }
}

/// A charge of one call on the counter of this number.
pub fn charge(counter: u8, window: Window, max: u64) -> Charge {
    Charge { counter: [counter; 32], window, max, amount: 1, shadow: false }
}

pub fn minute(counter: u8, max: u64) -> Charge {
    charge(counter, Window::Sliding { seconds: 60 }, max)
}

/// The level of the only charge.
pub fn level(settled: Settled) -> Level {
    match settled {
        Settled::Taken { levels, .. } if levels.len() == 1 => levels[0],
        Settled::Over { level, .. } => level,
        other => panic!("{other:?} has not one level"),
    }
}

pub fn taken(settled: &Settled) -> bool {
    matches!(settled, Settled::Taken { .. })
}

/// Redis' time of a stale answer.
pub fn stale(settled: Settled) -> RedisTime {
    match settled {
        Settled::Stale { now, .. } => now,
        other => panic!("{other:?} is not stale"),
    }
}
