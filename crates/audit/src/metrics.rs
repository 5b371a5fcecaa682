//! What is counted and timed of the drain.

use std::time::Duration;

use prometheus::{Histogram, HistogramOpts, IntCounter, Registry};

const BATCH: &[f64] = &[0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// The measures of a drain. Cheap to clone; clones count together.
#[derive(Clone, Debug)]
pub struct Metrics {
    entries: IntCounter,
    batches: Histogram,
    failures: IntCounter,
    passed_over: IntCounter,
}

impl Metrics {
    /// Measures that have counted nothing yet.
    ///
    /// # Errors
    /// A name here is not one that Prometheus takes.
    pub fn new() -> prometheus::Result<Self> {
        let batches =
            HistogramOpts::new("tollgate_drain_batch_seconds", "Time to write one batch into the log");
        Ok(Self {
            entries: IntCounter::new(
                "tollgate_drain_entries_total",
                "Entries of the stream that were written into the log",
            )?,
            batches: Histogram::with_opts(batches.buckets(BATCH.to_vec()))?,
            failures: IntCounter::new(
                "tollgate_drain_failures_total",
                "Rounds of the drain that Postgres or Redis made fail",
            )?,
            passed_over: IntCounter::new(
                "tollgate_drain_passed_over_total",
                "Entries of the stream that could not be read and are not in the log",
            )?,
        })
    }

    /// Lets `registry` show them.
    ///
    /// # Errors
    /// It shows others of these names.
    pub fn register(&self, registry: &Registry) -> prometheus::Result<()> {
        registry.register(Box::new(self.batches.clone()))?;
        for counter in [&self.entries, &self.failures, &self.passed_over] {
            registry.register(Box::new(counter.clone()))?;
        }
        Ok(())
    }

    /// A batch was written and acknowledged.
    pub(crate) fn written(&self, entries: usize, took: Duration) {
        self.entries.inc_by(entries as u64);
        self.batches.observe(took.as_secs_f64());
    }

    /// A round failed.
    pub(crate) fn failed(&self) {
        self.failures.inc();
    }

    /// An entry could not be read.
    pub(crate) fn passed_over(&self) {
        self.passed_over.inc();
    }
}
