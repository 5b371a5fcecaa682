//! What the drain can: a backlog of real entries drained as fast as it goes, and how far the log is behind a steady flow of calls.
//!
//! Entries come from the ledger's own scripts and are drained by the drain's own code into the migrated tables. Prints rows a second
//! and the processor time of a row in Postgres, Redis and here; then the lag: from the answer to the call until its row is there.

#![expect(clippy::unwrap_used, reason = "a benchmark that can't go on has nothing to say")]
#![expect(
    clippy::disallowed_methods,
    reason = "how much to drain is in the environment, and time is what it measures"
)]
#![expect(clippy::print_stdout, reason = "the figures are what it is for")]

mod calls;
mod usage;

use std::time::{Duration, Instant};

use audit::{Drain, DrainSettings};
use domain::{Clock, TenantId};
use futures_util::StreamExt;
use ledger::Ledger;
use testkit::TestDb;
use tokio_util::sync::CancellationToken;
use vault::Entropy;

use self::calls::Caller;
use self::usage::Programs;

/// Organisations that the calls are of: several to a shard, as it is in an installation.
const TENANTS: usize = 40;
/// How long the steady flow lasts.
const FLOW: Duration = Duration::from_secs(15);
/// Between two looks at how far the log is behind.
const LOOK_EVERY: Duration = Duration::from_millis(400);

#[tokio::main]
async fn main() {
    let number = |name: &str, otherwise: usize| {
        std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
    };
    let bench = Bench::start().await;
    bench.backlog(number("CALLS", 100_000)).await;
    for rate in [1000, number("RATE", 4000)] {
        bench.flow(rate).await;
    }
}

struct Bench {
    db: TestDb,
    /// Of the gateway, and of the drain: they share no connection.
    ledgers: [Ledger; 2],
    tenants: Vec<TenantId>,
}

impl Bench {
    async fn start() -> Self {
        let (db, redis) = (testkit::database().await, testkit::redis());
        let ledgers = [redis.ledger(Clock::System).await, redis.ledger(Clock::System).await];
        let mut tenants = Vec::new();
        for _ in 0..TENANTS {
            let tenant = Entropy::System.id(Clock::System.now());
            testkit::introduce(&ledgers[0], tenant, 1).await;
            tenants.push(tenant);
        }
        let bench = Self { db, ledgers, tenants };
        bench.drain().make_partitions().await.unwrap();
        bench
    }

    fn drain(&self) -> Drain {
        let storage = self.db.storage.clone();
        Drain::new(
            self.ledgers[1].clone(),
            storage,
            Clock::System,
            &Entropy::System,
            DrainSettings::default(),
        )
    }

    fn caller(&self, number: usize) -> Caller<'_> {
        Caller::of(&self.ledgers[0], self.tenants[number % TENANTS])
    }

    /// Calls that ended before the drain looked: a row each, written once.
    async fn backlog(&self, calls: usize) {
        let filled = Instant::now();
        let made = futures_util::stream::iter(0..calls).map(|n| self.caller(n).call(n)).buffer_unordered(64);
        made.count().await;
        println!("{calls} calls, settled and ended in {:.1} s", filled.elapsed().as_secs_f64());
        let mut programs = Programs::of(&self.db).await;
        let (before, begun) = (programs.used().await, Instant::now());
        let entries = self.drain().once().await.unwrap();
        let (took, used) = (begun.elapsed().as_secs_f64(), programs.used().await);
        #[expect(clippy::cast_precision_loss, reason = "for people")]
        let rate = calls as f64 / took;
        println!(
            "drained {entries} entries in {took:.1} s: {rate:.0} rows a second; processor time of a row:"
        );
        for ((name, now), (_, then)) in used.iter().zip(&before) {
            #[expect(clippy::cast_precision_loss, reason = "for people")]
            let micros = now.saturating_sub(*then) as f64 / calls as f64;
            println!("  {name:10} {micros:6.1} µs");
        }
    }

    /// Calls at a steady rate while the drain runs, and how far the log is behind them.
    async fn flow(&self, rate: usize) {
        let stop = CancellationToken::new();
        let (drain, told) = (self.drain(), stop.clone());
        let draining = tokio::spawn(async move { drain.run(told).await });
        let begun = Instant::now();
        let ticks = futures_util::stream::unfold(0_usize, |n| async move {
            let due = begun + Duration::from_secs(n as u64) / u32::try_from(rate).unwrap();
            tokio::time::sleep_until(due.into()).await;
            (begun.elapsed() < FLOW).then_some((n, n + 1))
        });
        let calls = ticks.map(|n| self.caller(n).call(n)).buffer_unordered(256).count();
        let (calls, mut lags) = tokio::join!(calls, self.lags(begun));
        stop.cancel();
        draining.await.unwrap();
        lags.sort();
        let millis = |part: usize| lags[(lags.len() - 1) * part / 100].as_secs_f64() * 1000.0;
        #[expect(clippy::cast_precision_loss, reason = "for people")]
        let reached = calls as f64 / begun.elapsed().as_secs_f64();
        println!(
            "{rate} calls a second asked for, {reached:.0} made: the log is behind by {:.0} ms in the middle, {:.0} ms at most",
            millis(50),
            millis(100)
        );
    }

    /// From the answer to a call until its row is in the log.
    async fn lags(&self, begun: Instant) -> Vec<Duration> {
        let mut lags = Vec::new();
        while begun.elapsed() < FLOW {
            tokio::time::sleep(LOOK_EVERY).await;
            let caller = self.caller(lags.len());
            let id = caller.call(lags.len()).await;
            let answered = Instant::now();
            loop {
                let mut tx = self.db.storage.tenant(caller.tenant).await.unwrap();
                let row = audit::get(&mut tx, id).await.unwrap();
                tx.commit().await.unwrap();
                if row.is_some() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            lags.push(answered.elapsed());
        }
        lags
    }
}
