//! The sender: takes what waits in the queues, in batches, to the collector, as protobuf over HTTP. Each signal goes its own
//! way, so that a collector that takes records is not held up because it takes no spans.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};
use bytes::Bytes;
use egress::{EgressConfig, EgressError};
use gateway::Finished;
use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsServiceRequest, ExportLogsServiceResponse};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::{InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::logs::v1::{ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans};
use prost::Message;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::{Counts, Waiting, finished};
use crate::otlp_config::Signal;

/// Requests of one batch, at most.
const BATCH: usize = 512;
/// How long the first of a batch waits for others.
const GATHER: Duration = Duration::from_secs(1);
/// Waits between attempts at a batch that the collector may take later.
const RETRIES: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(2)];
/// Bytes of a collector's answer.
const MAX_ANSWER: usize = 1024 * 1024;
/// How long what still waits may take to be sent at a stop.
const LAST: Duration = Duration::from_secs(5);

/// What sends, once it is started.
pub struct Sending {
    way: Way,
    waiting: Vec<(Signal, Waiting)>,
}

/// What sends, until it is told to stop.
pub struct Started {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

#[derive(Clone)]
struct Way {
    http: egress::Client,
    endpoint: String,
    headers: HeaderMap,
    timeout: Duration,
    resource: Resource,
    counts: Counts,
}

impl Sending {
    pub(super) fn new(
        endpoint: &str,
        headers: &[(String, String)],
        timeout: Duration,
        attributes: Vec<KeyValue>,
        counts: Counts,
        waiting: Vec<(Signal, Waiting)>,
    ) -> anyhow::Result<Self> {
        let mut sent =
            HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"))]);
        for (name, value) in headers {
            let (name, value) = (name.parse::<HeaderName>().ok(), HeaderValue::try_from(value).ok());
            let (name, mut value) = name.zip(value).context("TOLLGATE_OTLP_HEADERS: one is no header")?;
            value.set_sensitive(true);
            sent.insert(name, value);
        }
        // The operator names the collector, so it may be inside.
        let http = egress::Client::new(EgressConfig { allow_private: true, ..EgressConfig::default() })?;
        let resource = Resource { attributes, ..Resource::default() };
        let endpoint = address(endpoint)?;
        Ok(Self { way: Way { http, endpoint, headers: sent, timeout, resource, counts }, waiting })
    }

    /// Starts it.
    pub fn start(self) -> Started {
        let stop = CancellationToken::new();
        let told = stop.clone();
        let task = tokio::spawn(async move {
            let Self { way, waiting } = self;
            let each = waiting.into_iter().map(|(signal, waiting)| way.drain(signal, waiting, &told));
            futures_util::future::join_all(each).await;
        });
        Started { stop, task }
    }
}

impl Started {
    /// Sends what still waits, for a while.
    pub async fn finish(self) {
        self.stop.cancel();
        if timeout(LAST, self.task).await.is_err() {
            tracing::warn!("some spans and records were not sent");
        }
    }
}

/// The collector's address, less the path of a signal.
fn address(endpoint: &str) -> anyhow::Result<String> {
    let read = url::Url::parse(endpoint).ok().filter(|url| {
        let whole = url.query().is_none() && url.fragment().is_none();
        let nobody = url.username().is_empty() && url.password().is_none();
        matches!(url.scheme(), "http" | "https") && url.has_host() && whole && nobody
    });
    // What was written is not shown: it may hold a password.
    let read = read.context(
        "TOLLGATE_OTLP_ENDPOINT: write it like http://collector:4318, and what the collector is to know of us into \
         TOLLGATE_OTLP_HEADERS",
    )?;
    Ok(read.as_str().trim_end_matches('/').to_owned())
}

/// The next batch; nothing once it is told to stop and nothing waits any more.
async fn gather(waiting: &mut Waiting, stop: &CancellationToken) -> Option<Vec<Arc<Finished>>> {
    let first = tokio::select! {
        biased;
        first = waiting.recv() => first?,
        () = stop.cancelled() => return None,
    };
    let mut batch = vec![first];
    let gathered = sleep_until(Instant::now() + GATHER);
    tokio::pin!(gathered);
    while batch.len() < BATCH {
        tokio::select! {
            biased;
            more = waiting.recv() => match more {
                Some(more) => batch.push(more),
                None => break,
            },
            () = stop.cancelled() => break,
            () = &mut gathered => break,
        }
    }
    Some(batch)
}

impl Way {
    async fn drain(&self, signal: Signal, mut waiting: Waiting, stop: &CancellationToken) {
        while let Some(batch) = gather(&mut waiting, stop).await {
            let count = batch.iter().map(|one| finished::count(signal, one)).sum();
            self.send(signal, count, self.body(signal, &batch)).await;
        }
    }

    fn body(&self, signal: Signal, batch: &[Arc<Finished>]) -> Bytes {
        let (resource, scope) = (Some(self.resource.clone()), Some(scope()));
        let body = match signal {
            Signal::Traces => {
                let spans = batch.iter().flat_map(|one| finished::spans(one)).collect();
                let scope_spans = vec![ScopeSpans { scope, spans, ..ScopeSpans::default() }];
                let resource_spans =
                    vec![ResourceSpans { resource, scope_spans, ..ResourceSpans::default() }];
                ExportTraceServiceRequest { resource_spans }.encode_to_vec()
            }
            Signal::Logs => {
                let log_records = batch.iter().map(|one| finished::record(one)).collect();
                let scope_logs = vec![ScopeLogs { scope, log_records, ..ScopeLogs::default() }];
                let resource_logs = vec![ResourceLogs { resource, scope_logs, ..ResourceLogs::default() }];
                ExportLogsServiceRequest { resource_logs }.encode_to_vec()
            }
        };
        body.into()
    }

    /// Sends a batch, again where that may help; what the collector does not take is dropped.
    async fn send(&self, signal: Signal, count: u64, body: Bytes) {
        let mut waits = RETRIES.iter();
        let refused = loop {
            let (again, why) = match self.attempt(signal, body.clone()).await {
                Ok(answer) if answer.status().is_success() => {
                    break refused(signal, answer.body()).min(count);
                }
                Ok(answer) => (passes(answer.status()), format!("it answered {}", answer.status())),
                Err(error) => (true, error.to_string()),
            };
            self.counts.failures.inc();
            let Some(wait) = waits.next().filter(|_| again) else {
                tracing::warn!(signal = signal.as_str(), count, why, "the collector did not take a batch");
                break count;
            };
            sleep(*wait).await;
        };
        let of = [signal.as_str()];
        self.counts.sent.with_label_values(&of).inc_by(count - refused);
        self.counts.dropped.with_label_values(&of).inc_by(refused);
    }

    async fn attempt(&self, signal: Signal, body: Bytes) -> Result<Response<Bytes>, EgressError> {
        let address = format!("{}/v1/{}", self.endpoint, signal.as_str());
        let mut request = Request::new(body);
        *request.method_mut() = Method::POST;
        *request.uri_mut() =
            Uri::try_from(address).map_err(|error| EgressError::Unsendable(error.to_string()))?;
        *request.headers_mut() = self.headers.clone();
        self.http.fetch(request, MAX_ANSWER, self.timeout).await
    }
}

/// How many of a batch the collector says it did not take, though it took the batch. Nothing is resent then.
fn refused(signal: Signal, answer: &[u8]) -> u64 {
    let refused = match signal {
        Signal::Traces => ExportTraceServiceResponse::decode(answer)
            .ok()
            .and_then(|answer| answer.partial_success)
            .map(|partial| partial.rejected_spans),
        Signal::Logs => ExportLogsServiceResponse::decode(answer)
            .ok()
            .and_then(|answer| answer.partial_success)
            .map(|partial| partial.rejected_log_records),
    };
    refused.and_then(|number| u64::try_from(number).ok()).unwrap_or_default()
}

/// Statuses that the specification says to try again after.
fn passes(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 502 | 503 | 504)
}

fn scope() -> InstrumentationScope {
    InstrumentationScope {
        name: "tollgate".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..InstrumentationScope::default()
    }
}
