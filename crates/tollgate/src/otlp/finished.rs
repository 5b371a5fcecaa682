//! A request that is over, as spans and as a log record. What is sent is named here, one by one: a field that is added to a
//! decision stays at home until somebody adds it here too. Nothing of a call's arguments is sent, their keys neither.

use chrono::{DateTime, Utc};
use gateway::{Finished, Stretch, Trace};
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value as Any};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, SeverityNumber};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{Span, Status, span::SpanKind};

use super::{number, text};
use crate::otlp_config::Signal;

/// Bits of a span's flags that say that its parent is known to be of another process.
const REMOTE_PARENT: u32 = 0x300;
/// The same, of this process.
const LOCAL_PARENT: u32 = 0x100;
/// The bit of the flags that says that the trace is kept.
const SAMPLED: u32 = 1;

/// How many spans or records are made of a request.
pub(super) fn count(signal: Signal, finished: &Finished) -> u64 {
    match (signal, finished.trace) {
        (Signal::Logs, _) => 1,
        (Signal::Traces, None) => 0,
        (Signal::Traces, Some(trace)) => {
            let inner = [judged(trace).is_some(), trace.settle.is_some(), called(finished).is_some()];
            1 + inner.into_iter().filter(|there| *there).count() as u64
        }
    }
}

/// Its spans: the request, and within it its judgement, the ledger's settling, and the call of the upstream.
pub(super) fn spans(finished: &Finished) -> Vec<Span> {
    let Some(trace) = finished.trace else { return Vec::new() };
    let mut spans = vec![request(finished, trace)];
    // No two spans of a trace have one id: these differ from the request's, which is random, in a bit that ours never share.
    let within = |bit: u64, name: &str, stretch: Stretch| Span {
        span_id: (trace.request ^ bit).to_be_bytes().to_vec(),
        kind: SpanKind::Internal.into(),
        ..inner(finished, trace, name, stretch)
    };
    spans.extend(judged(trace).map(|stretch| Span {
        attributes: vec![number("tollgate.attempts", trace.attempts.into())],
        ..within(2, "judge", stretch)
    }));
    spans.extend(trace.settle.map(|stretch| within(4, "settle", stretch)));
    spans.extend(called(finished).map(|stretch| upstream(finished, trace, stretch)));
    spans
}

fn judged(trace: Trace) -> Option<Stretch> {
    (trace.attempts > 0).then_some(trace.judge)
}

/// When the upstream was called, if it was.
fn called(finished: &Finished) -> Option<Stretch> {
    let closing = finished.closing.as_ref()?;
    let (from, took) = (closing.gateway_micros?, closing.upstream_micros?);
    Some(Stretch { from, until: from.saturating_add(took) })
}

fn request(finished: &Finished, trace: Trace) -> Span {
    let mut attributes = vec![
        text("tollgate.id", &finished.decision.id.to_string()),
        text("tollgate.tenant", &finished.decision.tenant.to_string()),
        text("tollgate.outcome", outcome(finished)),
    ];
    attributes.extend(subject(finished));
    let ends = [Some(trace.judge), trace.settle, called(finished)];
    let ended = ends.into_iter().flatten().map(|stretch| stretch.until).max().unwrap_or_default();
    let closed = finished.closing.as_ref().map_or(0, |closing| nanos(closing.closed_at));
    Span {
        trace_id: trace.trace.to_be_bytes().to_vec(),
        span_id: trace.request.to_be_bytes().to_vec(),
        parent_span_id: trace.parent.map(|span| span.to_be_bytes().to_vec()).unwrap_or_default(),
        flags: SAMPLED | if trace.parent.is_some() { REMOTE_PARENT } else { LOCAL_PARENT },
        kind: SpanKind::Server.into(),
        name: name(finished),
        start_time_unix_nano: at(finished, 0),
        end_time_unix_nano: closed.max(at(finished, ended)),
        attributes,
        status: status(finished),
        ..Span::default()
    }
}

fn upstream(finished: &Finished, trace: Trace, stretch: Stretch) -> Span {
    let status_code = finished.closing.as_ref().and_then(|closing| closing.upstream_status);
    let attributes = status_code.map(|code| number("http.response.status_code", code.into()));
    Span {
        span_id: trace.upstream.to_be_bytes().to_vec(),
        kind: SpanKind::Client.into(),
        attributes: attributes.into_iter().collect(),
        status: status(finished),
        ..inner(finished, trace, &format!("upstream {}", name(finished)), stretch)
    }
}

/// A span within the request's.
fn inner(finished: &Finished, trace: Trace, name: &str, stretch: Stretch) -> Span {
    Span {
        trace_id: trace.trace.to_be_bytes().to_vec(),
        parent_span_id: trace.request.to_be_bytes().to_vec(),
        flags: SAMPLED | LOCAL_PARENT,
        name: name.to_owned(),
        start_time_unix_nano: at(finished, stretch.from),
        end_time_unix_nano: at(finished, stretch.until.max(stretch.from)),
        ..Span::default()
    }
}

fn status(finished: &Finished) -> Option<Status> {
    let closing = finished.closing.as_ref().filter(|closing| closing.failed)?;
    Some(Status { message: closing.failure.clone().unwrap_or_default(), code: StatusCode::Error.into() })
}

/// The record of its decision.
pub(super) fn record(finished: &Finished) -> LogRecord {
    let (decision, closing) = (&finished.decision, finished.closing.as_ref());
    let time = at(finished, 0);
    let trace = finished.trace;
    LogRecord {
        time_unix_nano: time,
        observed_time_unix_nano: closing.map_or(time, |closing| nanos(closing.closed_at)),
        severity_number: SeverityNumber::Info.into(),
        severity_text: "INFO".to_owned(),
        event_name: "tollgate.decision".to_owned(),
        body: Some(AnyValue {
            value: Some(Any::StringValue(format!("{} {}", outcome(finished), name(finished)))),
        }),
        attributes: [
            text("tollgate.id", &decision.id.to_string()),
            text("tollgate.tenant", &decision.tenant.to_string()),
            text("tollgate.outcome", outcome(finished)),
        ]
        .into_iter()
        .chain(subject(finished))
        .chain(parties(finished))
        .chain(measures(finished))
        .collect(),
        flags: trace.map_or(0, |trace| u32::from(trace.sampled)),
        trace_id: match trace {
            Some(trace) => trace.trace.to_be_bytes().to_vec(),
            // Where no spans are sent, the client's.
            None => decision.trace_id.as_deref().and_then(trace_id).unwrap_or_default(),
        },
        span_id: trace.map(|trace| trace.request.to_be_bytes().to_vec()).unwrap_or_default(),
        ..LogRecord::default()
    }
}

fn trace_id(hex: &str) -> Option<Vec<u8>> {
    u128::from_str_radix(hex, 16).ok().map(|id| id.to_be_bytes().to_vec())
}

/// What was asked for, and what decided.
fn subject(finished: &Finished) -> impl Iterator<Item = KeyValue> {
    let decision = &finished.decision;
    let server = decision.server.as_ref().map(|server| server.id.to_string());
    let grant = decision.grant.as_ref().map(|grant| grant.id.to_string());
    let words = [
        ("mcp.method.name", decision.method.as_deref()),
        ("mcp.protocol.version", decision.protocol_version.as_deref()),
        ("gen_ai.tool.name", decision.tool.as_deref()),
        ("tollgate.rule", decision.rule.as_deref()),
        ("tollgate.server.id", server.as_deref()),
        ("tollgate.grant.id", grant.as_deref()),
    ];
    words.map(|(key, word)| word.map(|word| text(key, word))).into_iter().flatten()
}

/// Who took part, by the names they had.
fn parties(finished: &Finished) -> impl Iterator<Item = KeyValue> {
    let decision = &finished.decision;
    let (server, grant) = (decision.server.as_ref(), decision.grant.as_ref());
    let (policy, shadow) = (decision.policy.as_ref(), decision.shadow.as_ref());
    let policy_id = policy.map(|policy| policy.id.to_string());
    let words = [
        ("tollgate.server.name", server.map(|server| server.name.as_str())),
        ("tollgate.grant.label", grant.map(|grant| grant.label.as_str())),
        ("tollgate.grant.identity", grant.map(|grant| grant.identity.as_str())),
        ("tollgate.policy.id", policy_id.as_deref()),
        ("tollgate.policy.name", policy.map(|policy| policy.name.as_str())),
        ("tollgate.shadow.outcome", shadow.map(|shadow| shadow.outcome.as_str())),
        ("tollgate.shadow.rule", shadow.map(|shadow| shadow.rule.as_str())),
        ("tollgate.client.name", decision.client.name.as_deref()),
        ("tollgate.client.version", decision.client.version.as_deref()),
        ("client.address", decision.address.as_deref()),
    ];
    let words = words.map(|(key, word)| word.filter(|word| !word.is_empty()).map(|word| text(key, word)));
    let version = policy.map(|policy| number("tollgate.policy.version", policy.version.into()));
    words.into_iter().flatten().chain(version)
}

/// What was measured.
fn measures(finished: &Finished) -> impl Iterator<Item = KeyValue> {
    let (limit, closing) = (finished.limit.as_ref(), finished.closing.as_ref());
    let forwarded = called(finished).is_some();
    let numbers = [
        ("tollgate.limit.used", limit.map(|limit| limit.used)),
        ("tollgate.limit.max", limit.map(|limit| limit.max)),
        ("tollgate.judged_micros", finished.decision.judged_micros),
        ("tollgate.gateway_micros", closing.filter(|_| forwarded).and_then(|closing| closing.gateway_micros)),
        ("tollgate.upstream_micros", closing.and_then(|closing| closing.upstream_micros)),
        ("tollgate.request_bytes", finished.decision.request_bytes),
        ("tollgate.response_bytes", closing.and_then(|closing| closing.response_bytes)),
        ("http.response.status_code", closing.and_then(|closing| closing.upstream_status).map(u64::from)),
    ];
    let numbers = numbers.map(|(key, measured)| measured.map(|measured| number(key, measured)));
    let resets = limit.map(|limit| text("tollgate.limit.resets_at", &limit.resets_at.to_rfc3339()));
    let failure = closing.and_then(|closing| closing.failure.as_deref());
    numbers.into_iter().flatten().chain(resets).chain(failure.map(|why| text("tollgate.failure", why)))
}

/// What became of it in the end.
fn outcome(finished: &Finished) -> &'static str {
    let failed = finished.closing.as_ref().is_some_and(|closing| closing.failed);
    if failed { "error" } else { finished.decision.outcome.as_str() }
}

fn name(finished: &Finished) -> String {
    let method = finished.decision.method.as_deref().unwrap_or("request");
    let whole = match &finished.decision.tool {
        Some(tool) => format!("{method} {tool}"),
        None => method.to_owned(),
    };
    whole.chars().take(super::MOST).collect()
}

/// So many microseconds after it came, in nanoseconds since the Unix epoch.
fn at(finished: &Finished, micros: u64) -> u64 {
    nanos(finished.decision.decided_at).saturating_add(micros.saturating_mul(1000))
}

fn nanos(at: DateTime<Utc>) -> u64 {
    at.timestamp_nanos_opt().and_then(|nanos| u64::try_from(nanos).ok()).unwrap_or_default()
}
