//! OpenTelemetry: each decision leaves once, traces lead through the gateway, nothing leaves that must not, and a collector
//! that is away or slow costs no call anything.

use axum::body::Body;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde_json::json;
use testkit::upstream::{self, Received, Upstream};
use testkit::{Api, Collector, Process, attribute, eventually};
use tokio::net::TcpListener;

use crate::stack::Stack;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// A server that any policy may be written for, and that answers every call.
async fn server() -> Upstream {
    Upstream::start(|request: &Received| {
        let message = request.json();
        let result = match message["method"].as_str().unwrap_or_default() {
            "initialize" => json!({ "protocolVersion": "2025-11-25", "capabilities": { "tools": {} },
                "serverInfo": { "name": "traced", "version": "1" } }),
            "tools/list" => json!({ "tools": [] }),
            "tools/call" => json!({ "content": [], "isError": false, "resultType": "complete" }),
            _ if message["id"].is_null() => return upstream::raw(StatusCode::ACCEPTED, "", Body::empty()),
            _ => {
                let error = json!({ "code": -32601, "message": "unknown" });
                return upstream::json(&json!({ "jsonrpc": "2.0", "id": message["id"], "error": error }));
            }
        };
        upstream::json(&json!({ "jsonrpc": "2.0", "id": message["id"], "result": result }))
    })
    .await
}

struct World {
    upstream: Upstream,
    api: Api,
    process: Process,
    url: String,
    token: String,
    _stack: Stack,
}

/// An installation that sends to `collector`, with further settings.
async fn world(collector: &str, further: &[(&str, &str)]) -> World {
    let (stack, upstream) = (Stack::start().await, server().await);
    let sent =
        [("TOLLGATE_OTLP_ENDPOINT", collector), ("TOLLGATE_OTLP_HEADERS", "x-token=collector%2Dsecret")];
    let process = stack.serve_with(&[], &[&sent, further].concat()).await;
    let api = Api::sign_up(&process.url).await;
    let server = api.register("Traced", upstream.url().as_str(), &[("x-api-key", "upstream-secret")]).await;
    let document = json!({ "version": "1", "default": "allow", "tools": { "shut": { "action": "deny" },
        "once": { "limits": [{ "counter": "calls", "window": "hour", "max": 1 }] } } });
    let policy = api.policy(&server, "traced", &document).await;
    let token = api.mint(&server, &policy, "traced").await.token;
    let url = format!("{}/mcp/{server}", process.url);
    World { upstream, api, process, url, token, _stack: stack }
}

impl World {
    /// Calls a tool with these headers, and a trace context in the message where `meta` names one: its request id.
    async fn call(&self, tool: &str, headers: &[(&'static str, String)], meta: Option<String>) -> String {
        let mut params = json!({ "name": tool, "arguments": { "argument-key": "argument-value" } });
        if let Some(meta) = meta {
            params["_meta"] = json!({ "traceparent": meta });
        }
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        let answer = reqwest::Client::new()
            .post(&self.url)
            .bearer_auth(&self.token)
            .header("accept", "application/json, text/event-stream")
            .headers(headers.collect::<HeaderMap>())
            .json(&body)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
        answer.headers()["x-request-id"].to_str().unwrap().to_owned()
    }

    fn last_call(&self) -> Received {
        let mut calls = self.upstream.received().into_iter();
        calls.rfind(|request| request.rpc_method() == "tools/call").unwrap()
    }

    /// The rows of the log, when there are so many.
    async fn rows(&self, many: usize) -> Vec<serde_json::Value> {
        eventually("each call has its row", async || {
            let rows = self.api.decisions("").await;
            (rows.len() >= many).then_some(rows)
        })
        .await
    }
}

fn place(trace: &str, span: &str, flags: &str) -> String {
    format!("00-{trace}-{span}-{flags}")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn decisions_leave_once_and_traces_lead_through() {
    let collector = Collector::start().await;
    let world = world(&collector.url, &[]).await;
    let by_header = [("traceparent", place(TRACE, PARENT, "01")), ("tracestate", "vendor=1".to_owned())];
    let open = world.call("open", &by_header, None).await;
    let sent = world.last_call();
    let shut = world.call("shut", &by_header, None).await;
    let (other, span) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331");
    world.call("open", &by_header, Some(place(other, span, "01"))).await;
    let sent_by_message = world.last_call();
    world.call("once", &by_header, None).await;
    let over = world.call("once", &by_header, None).await;

    let (records, spans) = eventually("five decisions and their spans", async || {
        let (records, spans) = (collector.decisions(), collector.spans());
        (records.len() >= 5 && spans.len() >= 18).then_some((records, spans))
    })
    .await;
    assert_eq!((records.len(), spans.len()), (5, 18), "a record each; 4 spans of what was forwarded, else 3");

    let record = |id: &str| {
        let found = records.iter().find(|record| attribute(&record.attributes, "tollgate.id") == id);
        found.unwrap_or_else(|| panic!("no record of {id}"))
    };
    let allowed = record(&open);
    let says = |key: &str| attribute(&allowed.attributes, key);
    assert_eq!((says("tollgate.outcome"), says("gen_ai.tool.name")), ("allow".to_owned(), "open".to_owned()));
    assert_eq!(says("tollgate.grant.label"), "traced");
    assert_eq!(says("http.response.status_code"), "200");
    assert_eq!(hex(&allowed.trace_id), TRACE);
    let denied = record(&shut);
    assert_eq!(attribute(&denied.attributes, "tollgate.outcome"), "deny");
    assert_eq!(attribute(&denied.attributes, "tollgate.rule"), "/tools/shut/action");
    let limited = record(&over);
    assert_eq!(attribute(&limited.attributes, "tollgate.outcome"), "limit");
    assert!(attribute(&limited.attributes, "tollgate.rule").contains("once"), "{limited:?}");
    assert!(!attribute(&limited.attributes, "tollgate.limit.max").is_empty());

    // The client's span, ours within it, and the upstream's within ours.
    let request = spans.iter().find(|span| attribute(&span.attributes, "tollgate.id") == open).unwrap();
    assert_eq!((hex(&request.trace_id).as_str(), hex(&request.parent_span_id).as_str()), (TRACE, PARENT));
    assert_eq!(request.name, "tools/call open");
    assert_eq!(request.span_id, allowed.span_id, "the record names the span");
    let within: Vec<_> = spans.iter().filter(|span| span.parent_span_id == request.span_id).collect();
    let names: Vec<_> = within.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["judge", "settle", "upstream tools/call open"]);
    for pair in within.windows(2) {
        assert!(pair[0].end_time_unix_nano <= pair[1].start_time_unix_nano, "{pair:?}");
    }
    for span in &within {
        assert!(request.start_time_unix_nano <= span.start_time_unix_nano, "{span:?}");
        assert!(span.start_time_unix_nano <= span.end_time_unix_nano, "{span:?}");
        assert!(span.end_time_unix_nano <= request.end_time_unix_nano, "{span:?}");
    }
    assert_eq!(sent.header("traceparent"), place(TRACE, &hex(&within[2].span_id), "01"));
    assert_eq!(sent.header("tracestate"), "vendor=1");
    assert!(sent.json()["params"].get("_meta").is_none(), "nothing is added to a body that had none");

    // The message's own word goes before the header's, and is replaced where it stands.
    let request = spans.iter().find(|one| hex(&one.parent_span_id) == span).unwrap();
    assert_eq!(hex(&request.trace_id), other);
    let call = spans.iter().rfind(|one| one.parent_span_id == request.span_id).unwrap();
    let ours = place(other, &hex(&call.span_id), "01");
    assert_eq!(sent_by_message.json()["params"]["_meta"]["traceparent"], ours.as_str());
    assert_eq!(sent_by_message.header("traceparent"), ours);
    assert_eq!(sent_by_message.header("tracestate"), "", "it is of another trace");

    let rows = world.rows(5).await;
    let row = rows.iter().find(|row| row["id"] == open.as_str()).unwrap();
    assert_eq!(row["trace_id"], TRACE);
    let secrets =
        ["argument-key", "argument-value", "upstream-secret", "collector-secret", testkit::PASSWORD];
    for secret in [world.token.as_str()].iter().chain(&secrets) {
        assert!(!collector.saw(secret), "{secret} left");
    }
    assert!(collector.saw("tollgate.decision"), "what came was looked at");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_kept_is_passed_on_as_not_kept() {
    let collector = Collector::start().await;
    let world = world(&collector.url, &[("TOLLGATE_OTLP_SAMPLE", "0")]).await;
    let own = world.call("open", &[("tracestate", "vendor=1".to_owned())], None).await;
    let sent = world.last_call();
    assert!(sent.header("traceparent").ends_with("-00"), "{}", sent.header("traceparent"));
    assert_eq!(sent.header("tracestate"), "", "it is of no trace");
    world.call("open", &[("traceparent", place(TRACE, PARENT, "00"))], None).await;
    assert!(world.last_call().header("traceparent").starts_with(&format!("00-{TRACE}-")));
    world.call("open", &[("traceparent", place(TRACE, PARENT, "01"))], None).await;
    let (records, spans) = eventually("the decisions, and the spans that the client wants", async || {
        let (records, spans) = (collector.decisions(), collector.spans());
        (records.len() >= 3 && spans.len() >= 4).then_some((records, spans))
    })
    .await;
    assert_eq!((records.len(), spans.len()), (3, 4));
    let record = records.iter().find(|record| attribute(&record.attributes, "tollgate.id") == own).unwrap();
    assert_eq!((hex(&record.trace_id).as_str(), record.flags), (&sent.header("traceparent")[3..35], 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_traces_the_clients_word_passes_as_it_is() {
    let collector = Collector::start().await;
    let world = world(&collector.url, &[("TOLLGATE_OTLP_SIGNALS", "logs")]).await;
    let theirs = place(TRACE, PARENT, "01");
    world.call("open", &[("traceparent", theirs.clone())], None).await;
    assert_eq!(world.last_call().header("traceparent"), theirs);
    let records =
        eventually("the decision", async || Some(collector.decisions()).filter(|all| !all.is_empty()));
    assert_eq!(hex(&records.await[0].trace_id), TRACE);
    assert!(collector.spans().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_refuses_holds_up_no_call_and_is_counted() {
    let collector = Collector::start().await;
    let world = world(&collector.url, &[]).await;
    collector.refuse();
    for _ in 0..5 {
        world.call("open", &[], None).await;
    }
    dropped(&world, 20.0, 5.0).await;
    assert_eq!(world.rows(5).await.len(), 5, "the log is complete");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_hangs_holds_up_no_call_and_is_counted() {
    // It accepts, as the system does for whoever listens, and never answers.
    let hanging = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", hanging.local_addr().unwrap());
    let world = world(&url, &[("TOLLGATE_OTLP_QUEUE", "1"), ("TOLLGATE_OTLP_TIMEOUT", "600000")]).await;
    // More than a batch holds, so that the first is on its way and the queue is full.
    eventually("a call finds no place", async || {
        world.call("shut", &[], None).await;
        let metrics = world.process.metrics().await;
        let full = metrics["tollgate_otlp_dropped_total{signal=\"logs\"}"] >= 3.0;
        (full && metrics["tollgate_otlp_dropped_total{signal=\"traces\"}"] >= 9.0).then_some(())
    })
    .await;
    world.call("open", &[], None).await;
    assert!(world.process.stop().await.success(), "it stops all the same");
}

/// Waits until so many spans and records are counted as dropped.
async fn dropped(world: &World, spans: f64, records: f64) {
    let metrics = eventually("what was dropped is counted", async || {
        let metrics = world.process.metrics().await;
        let dropped = |signal: &str| metrics[&format!("tollgate_otlp_dropped_total{{signal=\"{signal}\"}}")];
        (dropped("traces") >= spans && dropped("logs") >= records).then_some(metrics)
    })
    .await;
    assert!(metrics["tollgate_otlp_failures_total"] >= 2.0);
}
