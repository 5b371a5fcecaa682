//! What is looked at when somebody asks: pools, services, the stream. Every process says the same of the stream, whether or
//! not a drain runs anywhere, so that a drain that is gone shows.

use std::time::Duration;

use domain::Clock;
use futures_util::future::join_all;
use gateway::GatewayState;
use ledger::{Ledger, LedgerError};
use prometheus::{Gauge, IntGauge, Registry};
use tokio::time::timeout;

use crate::health::{Health, Missing};

/// How long the look at the stream may take.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Clone)]
pub(super) struct Samples {
    postgres_up: IntGauge,
    redis_up: IntGauge,
    redis_generation: IntGauge,
    postgres_connections: IntGauge,
    postgres_idle: IntGauge,
    postgres_most: IntGauge,
    stream_entries: IntGauge,
    stream_fullest: IntGauge,
    stream_most: IntGauge,
    lag: Gauge,
    directory: IntGauge,
}

impl Samples {
    pub(super) fn new(registry: &Registry) -> prometheus::Result<Self> {
        let gauge = |name: &str, help: &str| {
            let gauge = IntGauge::new(name, help)?;
            registry.register(Box::new(gauge.clone()))?;
            prometheus::Result::Ok(gauge)
        };
        let lag = Gauge::new(
            "tollgate_drain_lag_seconds",
            "Age of the oldest decision that is not in the log yet",
        )?;
        registry.register(Box::new(lag.clone()))?;
        Ok(Self {
            postgres_up: gauge("tollgate_postgres_up", "Whether Postgres answers and is fit to be used")?,
            redis_up: gauge("tollgate_redis_up", "Whether Redis answers")?,
            redis_generation: gauge(
                "tollgate_redis_generation",
                "Connections to Redis that this process has had, one after another",
            )?,
            postgres_connections: gauge(
                "tollgate_postgres_connections",
                "Connections to Postgres that stand",
            )?,
            postgres_idle: gauge(
                "tollgate_postgres_connections_idle",
                "Connections to Postgres that nobody uses",
            )?,
            postgres_most: gauge(
                "tollgate_postgres_connections_max",
                "Connections to Postgres there may be",
            )?,
            stream_entries: gauge(
                "tollgate_stream_entries",
                "Entries that wait in the stream, of all shards",
            )?,
            stream_fullest: gauge("tollgate_stream_fullest", "Entries that wait in the fullest shard")?,
            stream_most: gauge("tollgate_stream_max", "Entries of a shard from which on calls are refused")?,
            lag,
            directory: gauge("tollgate_directory_grants", "Grants that the gateway remembers")?,
        })
    }

    /// What the configuration says of what is sampled.
    pub(super) fn bounds(&self, stream_max: u64, database_connections: u32) {
        self.stream_most.set(signed(stream_max));
        self.postgres_most.set(i64::from(database_connections));
    }

    /// Looks at everything once.
    pub(super) async fn take(&self, health: &Health, gateway: Option<&GatewayState>) {
        let (missing, stream) = tokio::join!(health.missing(), timeout(PATIENCE, stream(&health.ledger)));
        let lacks = |wanted: fn(&Missing) -> bool| i64::from(!missing.iter().any(wanted));
        self.postgres_up.set(lacks(|what| matches!(what, Missing::Postgres { .. })));
        self.redis_up.set(lacks(|what| matches!(what, Missing::Redis { .. })));
        self.redis_generation.set(signed(*health.ledger.generation().borrow()));
        let (stand, idle) = health.storage.connections();
        self.postgres_connections.set(i64::from(stand));
        self.postgres_idle.set(i64::try_from(idle).unwrap_or(i64::MAX));
        // While Redis is away the last that was seen stays: `tollgate_redis_up` tells.
        if let Ok(Ok(seen)) = stream {
            self.stream_entries.set(signed(seen.entries));
            self.stream_fullest.set(signed(seen.fullest));
            self.lag.set(seen.lag.as_secs_f64());
        }
        if let Some(gateway) = gateway {
            self.directory.set(i64::try_from(gateway.directory_size()).unwrap_or(i64::MAX));
        }
    }
}

#[derive(Default)]
struct Stream {
    entries: u64,
    fullest: u64,
    lag: Duration,
}

async fn stream(ledger: &Ledger) -> Result<Stream, LedgerError> {
    let backlog = ledger.backlog().await?;
    let oldest = join_all(backlog.iter().map(|(shard, _)| ledger.read(*shard, 1))).await;
    let mut seen = Stream::default();
    for (_, length) in &backlog {
        seen.entries += length;
        seen.fullest = seen.fullest.max(*length);
    }
    let now = Clock::System.now();
    for entries in oldest {
        let written = entries?.first().and_then(|entry| entry.id.written_at());
        let lag = written.and_then(|at| (now - at).to_std().ok()).unwrap_or_default();
        seen.lag = seen.lag.max(lag);
    }
    Ok(seen)
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
