//! What is counted and timed of calls. Every handle is made once, at the start: counting is a few atomic additions, without
//! a lock and without memory.
//!
//! INVARIANT: a label has one of the words that stand in this file. None holds a tenant, a server, a tool or anything else
//! that a caller could make up.

use std::time::Duration;

use domain::Outcome;
use ledger::{LedgerError, Settled};
use prometheus::core::Collector;
use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts, Registry,
};
use tokio::time::Instant;

use crate::close::Ending;
use crate::refusal::Refusal;

/// Upper bounds, in seconds, for what is done here.
const SHORT: &[f64] = &[
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];
/// Upper bounds, in seconds, for what upstreams do.
const LONG: &[f64] =
    &[0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0];

/// The measures of a gateway. Cheap to clone; clones count together.
#[derive(Clone, Debug)]
pub struct Metrics {
    decisions: Counters<8>,
    refusals: Counters<19>,
    endings: Counters<9>,
    settled: Counters<6>,
    forwarded: Histogram,
    denied: Histogram,
    first_byte: Histogram,
    upstream: Histogram,
    settle: Histogram,
    close: Histogram,
    open_calls: IntGauge,
    open_streams: IntGauge,
    collectors: Collectors,
}

/// One counter for each word that a label may have.
#[derive(Clone, Debug)]
struct Counters<const N: usize>([IntCounter; N]);

#[derive(Clone, Debug)]
struct Collectors {
    counters: Vec<IntCounterVec>,
    histograms: Vec<HistogramVec>,
    gauges: Vec<IntGauge>,
}

/// Counts one while it lives.
#[derive(Debug)]
pub(crate) struct Open(IntGauge);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}

const REFUSALS: [&str; 19] = [
    "method",
    "host",
    "origin",
    "unauthenticated",
    "too_large",
    "interrupted",
    "malformed",
    "session_unknown",
    "unavailable",
    "log_full",
    "unsettled",
    "upstream_unreachable",
    "upstream_timeout",
    "upstream_credentials",
    "upstream_login",
    "upstream_status",
    "upstream_answer",
    "internal",
    "busy",
];
const ENDINGS: [&str; 9] = [
    "done",
    "tool_error",
    "rpc_error",
    "status",
    "unreachable",
    "logged_out",
    "broken",
    "ended",
    "abandoned",
];
const SETTLED: [&str; 6] = ["taken", "over", "stale", "full", "timeout", "away"];

impl Metrics {
    /// Measures that have counted nothing yet.
    ///
    /// # Errors
    /// A name here is not one that Prometheus takes.
    pub fn new() -> prometheus::Result<Self> {
        let mut made = Collectors { counters: Vec::new(), histograms: Vec::new(), gauges: Vec::new() };
        let outcomes = Outcome::ALL.map(Outcome::as_str);
        let decisions = made.counters(
            "tollgate_decisions_total",
            "Requests that were decided, by outcome",
            "outcome",
            outcomes,
        )?;
        let refusals = made.counters(
            "tollgate_refusals_total",
            "Requests that ended without an answer of the upstream or of the policy, by reason",
            "reason",
            REFUSALS,
        )?;
        let endings = made.counters(
            "tollgate_calls_ended_total",
            "Forwarded requests that ended, by how",
            "ending",
            ENDINGS,
        )?;
        let settled = made.counters(
            "tollgate_settled_total",
            "Answers of the ledger to attempts to settle, by kind",
            "answer",
            SETTLED,
        )?;
        let [forwarded, denied] = made.histograms(
            "tollgate_gateway_seconds",
            "From a request's arrival until it is written to the upstream, or refused by the policy",
            "way",
            ["forwarded", "denied"],
            SHORT,
        )?;
        let [first_byte, upstream] = made.histograms(
            "tollgate_upstream_seconds",
            "From a request's writing to the upstream until the head, or the end, of its answer",
            "until",
            ["head", "end"],
            LONG,
        )?;
        let [settle, close] = made.histograms(
            "tollgate_ledger_seconds",
            "Time that the ledger took, by operation",
            "operation",
            ["settle", "close"],
            SHORT,
        )?;
        let open_calls = made.gauge("tollgate_open_calls", "Forwarded requests that have not ended")?;
        let open_streams = made.gauge("tollgate_open_streams", "Event streams that are being relayed")?;
        Ok(Self {
            decisions,
            refusals,
            endings,
            settled,
            forwarded,
            denied,
            first_byte,
            upstream,
            settle,
            close,
            open_calls,
            open_streams,
            collectors: made,
        })
    }

    /// Lets `registry` show them.
    ///
    /// # Errors
    /// It shows others of these names.
    pub fn register(&self, registry: &Registry) -> prometheus::Result<()> {
        fn boxed<C: Collector + Clone + 'static>(each: &[C]) -> impl Iterator<Item = Box<dyn Collector>> {
            each.iter().cloned().map(|one| Box::new(one) as Box<dyn Collector>)
        }
        let Collectors { counters, histograms, gauges } = &self.collectors;
        boxed(counters)
            .chain(boxed(histograms))
            .chain(boxed(gauges))
            .try_for_each(|one| registry.register(one))
    }

    /// A request was decided, so long after it came.
    pub(crate) fn decided(&self, outcome: Outcome, since: Instant) {
        self.count(outcome);
        if outcome != Outcome::Allow {
            self.denied.observe(since.elapsed().as_secs_f64());
        }
    }

    /// A decision that no time is taken of.
    pub(crate) fn count(&self, outcome: Outcome) {
        let place = Outcome::ALL.iter().position(|one| *one == outcome).unwrap_or_default();
        self.decisions.0[place].inc();
    }

    /// A request was refused.
    pub(crate) fn refused(&self, refusal: &Refusal) {
        self.refusals.0[refusal_place(refusal)].inc();
        if let Some((outcome, _)) = refusal.record() {
            self.count(outcome);
        }
    }

    /// The ledger answered an attempt to settle.
    pub(crate) fn settled(&self, answer: &Result<Settled, LedgerError>, began: Instant) {
        self.settle.observe(began.elapsed().as_secs_f64());
        let place = match answer {
            Ok(Settled::Taken { .. }) => 0,
            Ok(Settled::Over { .. }) => 1,
            Ok(Settled::Stale { .. }) => 2,
            Ok(Settled::Full) => 3,
            Err(LedgerError::Timeout) => 4,
            Err(_) => 5,
        };
        self.settled.0[place].inc();
    }

    /// The ledger took a closing.
    pub(crate) fn closed(&self, began: Instant) {
        self.close.observe(began.elapsed().as_secs_f64());
    }

    /// A request is written to the upstream, so long after it came.
    pub(crate) fn forwarded(&self, took: Duration) {
        self.forwarded.observe(took.as_secs_f64());
    }

    /// The head of an upstream's answer came.
    pub(crate) fn answered(&self, took: Duration) {
        self.first_byte.observe(took.as_secs_f64());
    }

    /// A forwarded request ended; a stream's length is nothing that the upstream took.
    pub(crate) fn ended(&self, ending: &Ending, took: Option<Duration>) {
        self.endings.0[ending_place(ending)].inc();
        if let Some(took) = took {
            self.upstream.observe(took.as_secs_f64());
        }
    }

    /// A forwarded request that has not ended.
    pub(crate) fn open_call(&self) -> Open {
        opened(&self.open_calls)
    }

    /// A stream that is being relayed.
    pub(crate) fn open_stream(&self) -> Open {
        opened(&self.open_streams)
    }
}

fn opened(gauge: &IntGauge) -> Open {
    gauge.inc();
    Open(gauge.clone())
}

fn refusal_place(refusal: &Refusal) -> usize {
    use egress::EgressError;
    match refusal {
        Refusal::MethodNotAllowed => 0,
        Refusal::Host => 1,
        Refusal::Origin => 2,
        Refusal::Unauthenticated { .. } => 3,
        Refusal::TooLarge => 4,
        Refusal::Interrupted => 5,
        Refusal::Malformed(_) => 6,
        Refusal::SessionUnknown => 7,
        Refusal::Unavailable => 8,
        Refusal::LogFull => 9,
        Refusal::Unsettled => 10,
        Refusal::Upstream(EgressError::Timeout(_)) => 12,
        Refusal::Upstream(_) => 11,
        Refusal::UpstreamCredentials => 13,
        Refusal::UpstreamLogin(_) => 14,
        Refusal::UpstreamStatus { .. } => 15,
        Refusal::UpstreamAnswer(_) => 16,
        Refusal::Internal => 17,
        Refusal::Busy => 18,
    }
}

fn ending_place(ending: &Ending) -> usize {
    match ending {
        Ending::Done => 0,
        Ending::ToolError => 1,
        Ending::RpcError => 2,
        Ending::Status(_) => 3,
        Ending::Unreachable(_) => 4,
        Ending::LoggedOut(_) => 5,
        Ending::Broken(_) => 6,
        Ending::Ended(_) => 7,
        Ending::Abandoned => 8,
    }
}

impl Collectors {
    fn counters<const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        words: [&str; N],
    ) -> prometheus::Result<Counters<N>> {
        let made = IntCounterVec::new(Opts::new(name, help), &[label])?;
        let each = Counters(words.map(|word| made.with_label_values(&[word])));
        self.counters.push(made);
        Ok(each)
    }

    fn histograms<const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        words: [&str; N],
        bounds: &[f64],
    ) -> prometheus::Result<[Histogram; N]> {
        let made = HistogramVec::new(HistogramOpts::new(name, help).buckets(bounds.to_vec()), &[label])?;
        let each = words.map(|word| made.with_label_values(&[word]));
        self.histograms.push(made);
        Ok(each)
    }

    fn gauge(&mut self, name: &str, help: &str) -> prometheus::Result<IntGauge> {
        let made = IntGauge::new(name, help)?;
        self.gauges.push(made.clone());
        Ok(made)
    }
}
