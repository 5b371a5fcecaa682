//! A collector of OpenTelemetry: takes spans and log records, as protobuf over HTTP, and keeps them.

#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a test fails by panicking")]

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use tokio::net::TcpListener;

/// A collector. It is gone with the runtime of its test.
#[derive(Debug)]
pub struct Collector {
    /// Where it listens: `http://127.0.0.1:1234`.
    pub url: String,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Debug, Default)]
struct Taken {
    spans: Vec<Span>,
    records: Vec<LogRecord>,
    /// Everything that came, as it came.
    raw: Vec<u8>,
    refuses: bool,
}

type Shared = Arc<Mutex<Taken>>;

impl Collector {
    /// One that has taken nothing yet, and that wants the header `x-token: collector-secret`.
    pub async fn start() -> Self {
        let taken = Shared::default();
        let app = Router::new()
            .route("/v1/traces", post(traces))
            .route("/v1/logs", post(logs))
            .with_state(Arc::clone(&taken));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, taken }
    }

    /// Refuses everything from now on.
    pub fn refuse(&self) {
        self.taken.lock().unwrap().refuses = true;
    }

    /// The spans it took.
    pub fn spans(&self) -> Vec<Span> {
        self.taken.lock().unwrap().spans.clone()
    }

    /// The records of decisions that it took.
    pub fn decisions(&self) -> Vec<LogRecord> {
        self.records(|record| record.event_name == "tollgate.decision")
    }

    /// Whether `text` is anywhere in what came.
    pub fn saw(&self, text: &str) -> bool {
        self.taken.lock().unwrap().raw.windows(text.len()).any(|part| part == text.as_bytes())
    }

    fn records(&self, wanted: impl Fn(&LogRecord) -> bool) -> Vec<LogRecord> {
        self.taken.lock().unwrap().records.iter().filter(|record| wanted(record)).cloned().collect()
    }
}

/// An attribute as a text; empty if it is not there.
pub fn attribute(attributes: &[KeyValue], key: &str) -> String {
    let found = attributes.iter().find(|attribute| attribute.key == key);
    match found.and_then(|attribute| attribute.value.as_ref()?.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::BoolValue(flag)) => flag.to_string(),
        Some(other) => format!("{other:?}"),
        None => String::new(),
    }
}

async fn traces(State(taken): State<Shared>, headers: HeaderMap, body: Bytes) -> StatusCode {
    take(&taken, &headers, &body, |taken| {
        let request = ExportTraceServiceRequest::decode(body.clone()).unwrap();
        let scopes = request.resource_spans.into_iter().flat_map(|spans| spans.scope_spans);
        taken.spans.extend(scopes.flat_map(|scope| scope.spans));
    })
}

async fn logs(State(taken): State<Shared>, headers: HeaderMap, body: Bytes) -> StatusCode {
    take(&taken, &headers, &body, |taken| {
        let request = ExportLogsServiceRequest::decode(body.clone()).unwrap();
        let scopes = request.resource_logs.into_iter().flat_map(|logs| logs.scope_logs);
        taken.records.extend(scopes.flat_map(|scope| scope.log_records));
    })
}

fn take(taken: &Shared, headers: &HeaderMap, body: &Bytes, put: impl FnOnce(&mut Taken)) -> StatusCode {
    let mut taken = taken.lock().unwrap();
    let protobuf = headers.get("content-type").is_some_and(|kind| kind == "application/x-protobuf");
    if taken.refuses || !protobuf || headers.get("x-token").is_none_or(|token| token != "collector-secret") {
        return StatusCode::BAD_REQUEST;
    }
    taken.raw.extend_from_slice(body);
    put(&mut taken);
    StatusCode::OK
}
