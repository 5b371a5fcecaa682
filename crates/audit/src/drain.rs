//! The drain: from the ledger's stream into the table.
//!
//! A batch is read, written in one transaction, and acknowledged after the commit. Whoever is killed in between leaves
//! entries that come again, and find their rows there. One drain reads a shard at a time, by lease; should a slow one
//! outlive its lease, the two do the same work and the table takes it once.
//!
//! A transaction costs about as much as a hundred rows: entries gather for a moment, so that there are few of them.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::{Clock, TenantId};
use futures_util::StreamExt;
use ledger::{Entry, EntryKind, Ledger, Most, Shard};
use storage::Storage;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;
use vault::Entropy;

use crate::compose::{self, Marks};
use crate::metrics::Metrics;
use crate::write::{Batch, MOST, write};
use crate::{Closing, Decision, Error, RecordError};

/// How long a shard stays with a drain that was killed.
const LEASE: Duration = Duration::from_secs(5);
/// How long entries gather, from one look at the stream to the next. Most of the log's lag, and it is watched live.
const GATHER: Duration = Duration::from_millis(200);
/// How long to wait after Postgres or Redis failed.
const RETRY: Duration = Duration::from_secs(1);
/// Shards written at once.
const AT_ONCE: usize = 4;
/// What one transaction writes. In memory it is several times these bytes, for each of the shards written at once.
const BATCH: Most = Most { entries: MOST, bytes: 1 << 20 };

/// How the log is kept.
#[derive(Clone, Copy, Debug)]
pub struct DrainSettings {
    /// After this time a call without an ending counts as lost.
    pub lost_after: Duration,
    /// Whole days to keep, today among them; none: for ever.
    pub keep_days: Option<u32>,
}

impl Default for DrainSettings {
    /// An hour, and for ever.
    fn default() -> Self {
        Self { lost_after: Duration::from_hours(1), keep_days: None }
    }
}

/// Fills the table and keeps it. Any number of processes may run one.
#[derive(Clone, Debug)]
pub struct Drain {
    pub(crate) ledger: Ledger,
    pub(crate) storage: Storage,
    pub(crate) clock: Clock,
    pub(crate) settings: DrainSettings,
    holder: Uuid,
    metrics: Option<Metrics>,
}

impl Drain {
    /// A drain with a name of its own. It reads large batches: give it a ledger that gateways don't use.
    pub fn new(
        ledger: Ledger,
        storage: Storage,
        clock: Clock,
        entropy: &Entropy,
        settings: DrainSettings,
    ) -> Self {
        Self { ledger, storage, clock, settings, holder: Uuid::from_bytes(entropy.bytes()), metrics: None }
    }

    /// The same, counted and timed.
    #[must_use]
    pub fn measured(self, metrics: Metrics) -> Self {
        Self { metrics: Some(metrics), ..self }
    }

    /// Drains and keeps the log until it is told to stop; then finishes the batch at hand.
    pub async fn run(&self, stop: CancellationToken) {
        // Before the first row: a day that has begun in the default partition stays there.
        self.keep().await;
        tokio::join!(self.keep_draining(&stop), self.keep_up(&stop));
    }

    async fn keep_draining(&self, stop: &CancellationToken) {
        let mut failing = false;
        while !stop.is_cancelled() {
            let begun = Instant::now();
            let next = match self.drain(stop).await {
                Ok(_) => {
                    if std::mem::take(&mut failing) {
                        tracing::info!("decisions reach the log again");
                    }
                    begun + GATHER
                }
                Err(error) => {
                    self.measure(Metrics::failed);
                    if !std::mem::replace(&mut failing, true) {
                        tracing::error!(%error, "decisions wait in the stream");
                    }
                    Instant::now() + RETRY
                }
            };
            tokio::select! {
                () = tokio::time::sleep_until(next) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    /// Writes all that the stream holds now and nobody else is at. Answers how many entries that were.
    pub async fn once(&self) -> Result<u64, Error> {
        self.drain(&CancellationToken::new()).await
    }

    async fn drain(&self, stop: &CancellationToken) -> Result<u64, Error> {
        let backlog = self.ledger.backlog().await?;
        let shards = futures_util::stream::iter(backlog.into_iter().map(|(shard, _)| shard));
        // Tasks, so that one is read and hashed while another is.
        let start = |shard| {
            let (drain, stop) = (self.clone(), stop.clone());
            AbortOnDropHandle::new(tokio::spawn(async move { drain.drain_shard(shard, &stop).await }))
        };
        let mut written = shards.map(start).buffer_unordered(AT_ONCE);
        let mut sum = 0;
        let mut failure = None;
        // A shard that fails does not hold up the others.
        while let Some(shard) = written.next().await {
            match shard {
                Ok(Ok(entries)) => sum += entries,
                Ok(Err(error)) => failure = Some(error),
                Err(ended) if ended.is_panic() => std::panic::resume_unwind(ended.into_panic()),
                // The runtime is gone, and this with it.
                Err(_) => {}
            }
        }
        failure.map_or(Ok(sum), Err)
    }

    async fn drain_shard(&self, shard: Shard, stop: &CancellationToken) -> Result<u64, Error> {
        let mut written = 0;
        while !stop.is_cancelled() && self.ledger.lease(shard, self.holder, LEASE).await? {
            let portion = self.ledger.read_portion(shard, BATCH).await?;
            let Some(last) = portion.entries.last().map(|entry| entry.id) else { break };
            written += portion.entries.len() as u64;
            let began = Instant::now();
            self.write(&portion.entries).await?;
            self.ledger.acknowledge(shard, last).await?;
            self.measure(|metrics| metrics.written(portion.entries.len(), began.elapsed()));
            // What has come since gathers for the next look.
            if !portion.more {
                break;
            }
        }
        self.ledger.release(shard, self.holder).await?;
        Ok(written)
    }

    fn measure(&self, what: impl FnOnce(&Metrics)) {
        if let Some(metrics) = &self.metrics {
            what(metrics);
        }
    }

    /// Writes entries of one shard in one transaction.
    async fn write(&self, entries: &[Entry]) -> Result<(), Error> {
        // In the order of ids: so that two at the same work don't wait for each other crosswise.
        let mut batches: BTreeMap<TenantId, Batch> = BTreeMap::new();
        for entry in entries {
            if let Err(error) = put(batches.entry(entry.tenant).or_default(), entry) {
                self.measure(Metrics::passed_over);
                // Nothing of its content: it may be anything.
                tracing::error!(tenant = %entry.tenant, entry = %entry.id, %error, "an entry of the stream is passed over");
            }
        }
        let mut tx = self.storage.system().await?;
        for (tenant, batch) in batches {
            write(&mut tx, self.clock.now(), tenant, batch).await?;
        }
        Ok(tx.commit().await?)
    }
}

fn put(batch: &mut Batch, entry: &Entry) -> Result<(), RecordError> {
    match entry.kind {
        EntryKind::Decision { limit, over, shadow, counted_for } => {
            // The stream says whose it is; a record that says otherwise does not change that.
            let decision = Decision { tenant: entry.tenant, ..Decision::from_bytes(&entry.record)? };
            batch.decisions.push(compose::decision(&decision, Marks { limit, over, shadow, counted_for }));
        }
        EntryKind::Closing { gave_back } => {
            batch.endings.push(compose::ending(&Closing::from_bytes(&entry.record)?, gave_back));
        }
    }
    Ok(())
}
