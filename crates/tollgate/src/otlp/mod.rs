//! OpenTelemetry: each request that is over leaves as spans and as a record of its decision, to a collector over OTLP.
//!
//! Off unless `TOLLGATE_OTLP_ENDPOINT` is set. What is to be sent waits in bounded queues: a call never waits for a collector,
//! and what finds its queue full is dropped and counted. What a request is turned into is made by the sender, not by the call.

mod finished;
mod send;

use std::sync::Arc;

use anyhow::Context as _;
use gateway::{Finished, Sampler, Telemetry};
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value as Any};
use prometheus::{IntCounter, IntCounterVec, Opts, Registry};
use tokio::sync::mpsc;

pub use self::send::Sending;
use crate::otlp_config::{OtlpConfig, Signal};

/// Characters of any one text that is sent.
const MOST: usize = 256;

/// What waits to be sent.
type Waiting = mpsc::Receiver<Arc<Finished>>;

/// What became of spans and records.
#[derive(Clone)]
struct Counts {
    sent: IntCounterVec,
    dropped: IntCounterVec,
    failures: IntCounter,
}

/// Where requests that are over are put.
struct Queue {
    signal: Signal,
    sender: mpsc::Sender<Arc<Finished>>,
    dropped: IntCounter,
}

/// Reads the configuration: what the gateway tells of requests to, and what sends it; nothing where no collector is named.
/// The counts are shown either way.
///
/// # Errors
/// A value can't be used; the message names its variable. Or `registry` shows others of these names.
pub fn open(config: &OtlpConfig, registry: &Registry) -> anyhow::Result<Option<(Telemetry, Sending)>> {
    let counts = Counts::shown_by(registry)?;
    let Some(endpoint) = config.endpoint.as_deref().filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let headers = pairs(config.headers.as_deref()).context("TOLLGATE_OTLP_HEADERS")?;
    let further = pairs(config.resource.as_deref()).context("TOLLGATE_OTLP_RESOURCE")?;
    let (mut queues, mut waiting) = (Vec::new(), Vec::new());
    for signal in [Signal::Traces, Signal::Logs] {
        if config.signals.contains(&signal) {
            let (sender, receiver) = mpsc::channel(config.queue);
            let dropped = counts.dropped.with_label_values(&[signal.as_str()]);
            queues.push(Queue { signal, sender, dropped });
            waiting.push((signal, receiver));
        }
    }
    let sending = Sending::new(endpoint, &headers, config.timeout, resource(&further), counts, waiting)?;
    let sampler = config.signals.contains(&Signal::Traces).then(|| sampler(config));
    let tell = Arc::new(move |finished| put(&queues, finished));
    Ok(Some((Telemetry { sampler, tell }, sending)))
}

/// Puts a request that is over where it is wanted.
fn put(queues: &[Queue], finished: Finished) {
    let finished = Arc::new(finished);
    let sampled = finished.trace.is_some_and(|trace| trace.sampled);
    for queue in queues.iter().filter(|queue| queue.signal == Signal::Logs || sampled) {
        if queue.sender.try_send(Arc::clone(&finished)).is_err() {
            queue.dropped.inc_by(finished::count(queue.signal, &finished));
        }
    }
}

impl Counts {
    fn shown_by(registry: &Registry) -> prometheus::Result<Self> {
        let vec = |name: &str, help: &str| IntCounterVec::new(Opts::new(name, help), &["signal"]);
        let counts = Self {
            sent: vec("tollgate_otlp_sent_total", "Spans and records that the collector took")?,
            dropped: vec("tollgate_otlp_dropped_total", "Spans and records that it did not get or take")?,
            failures: IntCounter::new("tollgate_otlp_failures_total", "Attempts to send that failed")?,
        };
        for signal in [Signal::Traces, Signal::Logs] {
            counts.sent.with_label_values(&[signal.as_str()]);
            counts.dropped.with_label_values(&[signal.as_str()]);
        }
        registry.register(Box::new(counts.sent.clone()))?;
        registry.register(Box::new(counts.dropped.clone()))?;
        registry.register(Box::new(counts.failures.clone()))?;
        Ok(counts)
    }
}

/// What says from which process something comes; what the operator names replaces what we name.
fn resource(further: &[(String, String)]) -> Vec<KeyValue> {
    let ours = [("service.name", "tollgate"), ("service.version", env!("CARGO_PKG_VERSION"))];
    let ours = ours.into_iter().filter(|(key, _)| further.iter().all(|(other, _)| other != key));
    let mut resource: Vec<_> = ours.map(|(key, value)| text(key, value)).collect();
    resource.extend(further.iter().map(|(key, value)| text(key, value)));
    resource
}

fn sampler(config: &OtlpConfig) -> Sampler {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of all ids, which saturates at both ends"
    )]
    let share = (config.sample * u64::MAX as f64) as u64;
    Sampler { share, obeys_parent: config.sample_by_parent }
}

/// `key=value,key=value`, values percent-encoded, as OpenTelemetry writes headers and attributes.
fn pairs(text: Option<&str>) -> anyhow::Result<Vec<(String, String)>> {
    let pair = |pair: &str| {
        let (key, value) = pair.split_once('=').filter(|(key, _)| !key.trim().is_empty())?;
        Some((key.trim().to_owned(), percent_decode(value.trim())?))
    };
    text.unwrap_or_default()
        .split(',')
        .filter(|text| !text.trim().is_empty())
        // The text may hold a secret, so it is not shown.
        .map(|text| pair(text).context("write it like key=value,key=value"))
        .collect()
}

fn percent_decode(text: &str) -> Option<String> {
    // A query's `+` and `&` are not themselves, which a header's or an attribute's are.
    let query = format!("v={}", text.replace('+', "%2B").replace('&', "%26"));
    url::form_urlencoded::parse(query.as_bytes()).next().map(|(_, value)| value.into_owned())
}

/// An attribute that is a text, as much of it as is sent.
fn text(key: &str, text: &str) -> KeyValue {
    pair(key, Any::StringValue(text.chars().take(MOST).collect()))
}

/// An attribute that is a number.
fn number(key: &str, number: u64) -> KeyValue {
    pair(key, Any::IntValue(i64::try_from(number).unwrap_or(i64::MAX)))
}

fn pair(key: &str, value: Any) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_read_as_opentelemetry_writes_them() {
        let read = pairs(Some("a=b, c = d%20e+f%2C&,g=h=i,")).unwrap();
        let wanted = [("a", "b"), ("c", "d e+f,&"), ("g", "h=i")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        assert_eq!(read, wanted);
        assert!(pairs(None).unwrap().is_empty());
        let wrong = pairs(Some("authorization")).unwrap_err().to_string();
        assert!(!wrong.contains("authorization"), "{wrong}");
    }

    #[test]
    fn the_operator_may_name_the_service() {
        let named = resource(&pairs(Some("service.name=edge,host.name=a")).unwrap());
        let keys: Vec<_> = named.iter().map(|attribute| attribute.key.as_str()).collect();
        assert_eq!(keys, ["service.version", "service.name", "host.name"]);
    }
}
