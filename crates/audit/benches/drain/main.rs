//! What the drain can: a backlog of real entries drained as fast as it goes, alone and beside calls, and how far the log is behind a
//! flow of calls: a steady one, and as many as the machine can make.
//!
//! Entries come from the ledger's own scripts and are drained by the drain's own code into the migrated tables. Callers beside the drain
//! are a process of their own. Prints rows a second and what Postgres, Redis, the drain and the callers took of the processor; the lag
//! is from the answer to a call until its row is there.

#![expect(clippy::unwrap_used, reason = "a benchmark that can't go on has nothing to say")]
#![expect(
    clippy::disallowed_methods,
    reason = "how much to drain is in the environment, and time is what it measures"
)]
#![expect(clippy::print_stdout, reason = "the figures are what it is for")]

mod beside;
mod calls;
mod usage;

use std::time::{Duration, Instant};

use audit::{Drain, DrainSettings};
use domain::{Clock, TenantId};
use ledger::Ledger;
use testkit::{TestDb, TestRedis};
use tokio_util::sync::CancellationToken;
use vault::Entropy;

use self::beside::Beside;
use self::calls::Caller;
use self::usage::{Programs, Used};

/// As the binary has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Organisations that the calls are of: several to a shard, as it is in an installation.
const TENANTS: usize = 40;
/// How long a flow lasts.
const FLOW: Duration = Duration::from_secs(15);
/// Between two looks at how far the log is behind.
const LOOK_EVERY: Duration = Duration::from_millis(400);

#[tokio::main]
async fn main() {
    if beside::is_asked_for() {
        return beside::run().await;
    }
    let number = |name: &str, otherwise: usize| {
        std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
    };
    let mut bench = Bench::start().await;
    let (calls, rate) = (number("CALLS", 100_000), number("RATE", 4000));
    for beside in [None, Some(1000), Some(rate)] {
        bench.backlog(calls, beside).await;
    }
    for rate in [Some(1000), Some(rate), None] {
        bench.flow(rate).await;
    }
}

struct Bench {
    db: TestDb,
    redis: TestRedis,
    programs: Programs,
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
        let programs = Programs::of(&db).await;
        let bench = Self { db, redis, programs, ledgers, tenants };
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

    /// Calls that ended before the drain looked: a row each, written once. Beside them others are made, so many a second.
    async fn backlog(&mut self, calls: usize, beside: Option<usize>) {
        let filled = Instant::now();
        calls::make(&self.ledgers[0], &self.tenants, calls).await;
        println!("{calls} calls, settled and ended in {:.1} s", filled.elapsed().as_secs_f64());
        let beside = match beside {
            Some(rate) => Some(Beside::start(&self.redis, &self.tenants, Some(rate)).await),
            None => None,
        };
        let callers = beside.as_ref().map(Beside::process);
        let (rows, before, begun) = (self.rows().await, self.programs.used(callers).await, Instant::now());
        let entries = self.drain().once().await.unwrap();
        let (took, after) = (begun.elapsed(), self.programs.used(callers).await);
        let rows = self.rows().await - rows;
        println!(
            "drained {entries} entries in {:.1} s: {:.0} rows a second",
            took.as_secs_f64(),
            rate(rows, took)
        );
        if let Some(beside) = beside {
            println!("  beside {:.0} calls a second", beside.stop().await);
            // What came meanwhile.
            self.drain().once().await.unwrap();
        }
        tell(&before, &after, took, Some(rows));
    }

    /// Calls while the drain runs, at a steady rate or as many as go, and how far the log is behind them.
    async fn flow(&mut self, rate: Option<usize>) {
        let stop = CancellationToken::new();
        let (drain, told) = (self.drain(), stop.clone());
        let draining = tokio::spawn(async move { drain.run(told).await });
        let beside = Beside::start(&self.redis, &self.tenants, rate).await;
        let callers = Some(beside.process());
        let (before, begun) = (self.programs.used(callers).await, Instant::now());
        let mut lags = self.lags(begun).await;
        let (took, after) = (begun.elapsed(), self.programs.used(callers).await);
        let made = beside.stop().await;
        stop.cancel();
        draining.await.unwrap();
        self.drain().once().await.unwrap();
        lags.sort();
        let millis = |part: usize| lags[(lags.len() - 1) * part / 100].as_secs_f64() * 1000.0;
        let asked =
            rate.map_or("as many calls as go".to_owned(), |rate| format!("{rate} calls a second asked for"));
        println!(
            "{asked}, {made:.0} a second made: the log is behind by {:.0} ms in the middle, {:.0} ms at most",
            millis(50),
            millis(100)
        );
        tell(&before, &after, took, None);
    }

    /// From the answer to a call until its row is in the log.
    async fn lags(&self, begun: Instant) -> Vec<Duration> {
        let mut lags = Vec::new();
        while begun.elapsed() < FLOW {
            tokio::time::sleep(LOOK_EVERY).await;
            let caller = Caller::of(&self.ledgers[0], self.tenants[lags.len() % TENANTS]);
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

    /// Rows of the log, by its counts.
    async fn rows(&mut self) -> u64 {
        self.programs.rows().await
    }
}

/// So many a second.
fn rate(number: u64, took: Duration) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "for people")]
    let number = number as f64;
    number / took.as_secs_f64()
}

/// What each took of the processor, in cores; and of each row.
fn tell(before: &Used, after: &Used, took: Duration, rows: Option<u64>) {
    for ((name, now), (_, then)) in after.iter().zip(before) {
        let used = Duration::from_micros(now.saturating_sub(*then));
        let row = rows.map(|rows| {
            format!(", {:5.1} µs of a row", used.as_secs_f64() * 1e6 / rate(rows, Duration::from_secs(1)))
        });
        println!(
            "  {name:10} {:5.2} cores{}",
            used.as_secs_f64() / took.as_secs_f64(),
            row.unwrap_or_default()
        );
    }
}
