//! What an upstream's stream may bring, by era.

use axum::http::Method;
use reqwest::RequestBuilder;
use serde_json::json;
use testkit::upstream::{event, events};

use crate::gate::{Gate, send};

fn call(gate: &Gate) -> RequestBuilder {
    gate.legacy("tools/call", json!({ "name": "open" }))
}

fn result() -> String {
    event(&json!({ "jsonrpc": "2.0", "id": 1, "result": { "content": [] } }))
}

#[tokio::test]
async fn a_request_of_the_server_passes_in_the_legacy_era_alone() {
    let asks =
        event(&json!({ "jsonrpc": "2.0", "id": "s", "method": "sampling/createMessage", "params": {} }));
    let whole = format!("{asks}{}", result());
    let script = whole.clone();
    let gate = Gate::new(move |_| events(script.clone())).await;
    assert_eq!(send(call(&gate)).await.text, whole);
    assert_eq!(send(gate.modern("tools/call", json!({ "name": "open" }))).await.text, result());
}

#[tokio::test]
async fn a_stream_of_the_transport_before_is_not_relayed() {
    let endpoint = "event: endpoint\ndata: http://evil.example/messages\n\n";
    let gate = Gate::new(move |_| events(endpoint)).await;
    // That is how a client of the time begins.
    let answer = send(gate.request(Method::GET, "").header("accept", "text/event-stream")).await;
    assert!(!answer.text.contains("evil.example"), "{answer:?}");
}

#[tokio::test]
async fn an_answer_that_can_be_read_in_two_ways_does_not_pass_where_it_must_be_read() {
    let doubled = "data: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"a\":1,\"a\":2}}\n\n";
    let gate = Gate::new(move |_| events(doubled)).await;
    // What a tool of the legacy era returns is its own affair.
    assert_eq!(send(call(&gate)).await.text, doubled);
    let modern = send(gate.modern("tools/call", json!({ "name": "open" }))).await.text;
    assert!(modern.contains("-32603") && !modern.contains("\"a\""), "{modern}");
}
