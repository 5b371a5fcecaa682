//! `tools/list`, filtered byte for byte in every form that an answer can take.

use axum::http::StatusCode;
use serde_json::json;
use testkit::upstream::{event, events, raw};

use crate::client::masked;
use crate::gate::{Gate, send};

const TOOLS: &str = r#"[{"name":"hidden_a","inputSchema":{}},{"name":"open","inputSchema":{"maximum":1.50,"x-mcp-header":"R"},"_meta":{"ui":{}}},{"name":"hidden_b"},{"name":"denied"}]"#;
const SHOWN: &str = r#"[{"name":"open","inputSchema":{"maximum":1.50,"x-mcp-header":"R"},"_meta":{"ui":{}}},{"name":"denied"}]"#;

fn page(tools: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"tools":{tools},"nextCursor":"c2"}}}}"#)
}

#[tokio::test]
async fn a_list_in_json() {
    let gate = Gate::new(|_| raw(StatusCode::OK, "application/json", page(TOOLS))).await;
    let answer = send(gate.legacy("tools/list", json!({ "cursor": "" }))).await;
    assert_eq!((answer.status, answer.text.clone()), (StatusCode::OK, page(SHOWN)));
    assert_eq!(answer.header("cache-control"), "private, no-store");
}

#[tokio::test]
async fn a_list_in_events() {
    let stream = |tools: &str| {
        format!(": hi\r\n\r\nid: 1\r\nretry: 5\r\ndata:\r\n\r\nid: 2\r\ndata: {}\r\n\r\n", page(tools))
    };
    let gate = Gate::new(move |_| events(stream(TOOLS))).await;
    let answer = send(gate.legacy("tools/list", json!({}))).await;
    assert_eq!(answer.header("content-type"), "text/event-stream");
    assert_eq!(masked(&answer.text), masked(&stream(SHOWN)));
}

#[tokio::test]
async fn a_list_in_an_array() {
    // Servers of 2025-03-26 may answer so, even one request.
    let array = |tools: &str| {
        format!(r#"[{{"jsonrpc":"2.0","method":"notifications/message","params":{{}}}},{}]"#, page(tools))
    };
    let gate = Gate::new(move |_| raw(StatusCode::OK, "application/json", array(TOOLS))).await;
    assert_eq!(send(gate.legacy("tools/list", json!({}))).await.text, array(SHOWN));
    let gate = Gate::new(move |_| events(format!("data: {}\n\n", array(TOOLS)))).await;
    assert_eq!(send(gate.legacy("tools/list", json!({}))).await.text, format!("data: {}\n\n", array(SHOWN)));
}

#[tokio::test]
async fn a_list_beside_another_answer() {
    // An older stream may bring the answers of other requests.
    let list =
        |tools: &str| event(&serde_json::from_str(&page(tools).replace(r#""id":1"#, r#""id":9"#)).unwrap());
    let result = event(&json!({ "jsonrpc": "2.0", "id": 1, "result": { "content": [] } }));
    let whole = format!("{}{result}", list(TOOLS));
    let gate = Gate::new(move |_| events(whole.clone())).await;
    let answer = send(gate.legacy("tools/call", json!({ "name": "open" }))).await.text;
    assert!(!answer.contains("hidden_"), "{answer}");
    assert!(answer.ends_with(&event(&json!({ "jsonrpc": "2.0", "id": 1, "result": { "content": [] } }))));
}
