//! `tools/list`: filtered in every form it can take, and what is hidden is unknown when it is called.

use axum::body::Body;
use axum::http::{Method, Response, StatusCode};
use serde_json::{Value, json};
use testkit::upstream::{self, Received, event, events, raw};

use crate::gate::{Gate, legacy, send};

const TOOLS: &str = r#"[{"name":"hidden_a","inputSchema":{}},{"name":"open","inputSchema":{"maximum":1.50,"x-mcp-header":"R"},"_meta":{"ui":{}}},{"name":"hidden_b"},{"name":"denied"}]"#;
const SHOWN: &str = r#"[{"name":"open","inputSchema":{"maximum":1.50,"x-mcp-header":"R"},"_meta":{"ui":{}}},{"name":"denied"}]"#;

fn page(tools: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"tools":{tools},"nextCursor":"c2"}}}}"#)
}

fn json_page(_: &Received) -> Response<Body> {
    raw(StatusCode::OK, "application/json", page(TOOLS))
}

#[tokio::test]
async fn a_list_in_json() {
    let gate = Gate::new(json_page).await;
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
    assert_eq!(answer.text.clone(), stream(SHOWN));
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
async fn a_page_of_hidden_tools_alone_keeps_its_cursor() {
    let gate = Gate::new(|_| raw(StatusCode::OK, "application/json", page(r#"[{"name":"hidden_a"}]"#))).await;
    let answer = send(gate.legacy("tools/list", json!({ "cursor": "c1" }))).await;
    assert_eq!(answer.json()["result"], json!({ "tools": [], "nextCursor": "c2" }));
    assert_eq!(gate.upstream().received()[0].json()["params"]["cursor"], "c1");
}

#[tokio::test]
async fn a_list_that_a_get_brings() {
    // A stream that is resumed brings answers again which came on the stream of their POST before.
    let stream = |tools: &str| format!("id: 8\nevent: message\ndata: {}\n\n", page(tools));
    let gate = Gate::new(move |_| events(stream(TOOLS))).await;
    let request =
        gate.request(Method::GET, "").header("accept", "text/event-stream").header("last-event-id", "7");
    let answer = send(request).await;
    assert_eq!((answer.status, answer.text.clone()), (StatusCode::OK, stream(SHOWN)));
    assert_eq!(gate.upstream().received()[0].header("last-event-id"), "7");
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

#[tokio::test]
async fn a_modern_list_is_private_and_soon_stale() {
    let result = json!({
        "resultType": "complete", "ttlMs": 86_400_000, "cacheScope": "public", "tools": [{ "name": "hidden_a" }, { "name": "open" }],
    });
    let gate =
        Gate::new(move |_| upstream::json(&json!({ "jsonrpc": "2.0", "id": 1, "result": result }))).await;
    let found = send(gate.modern("tools/list", json!({}))).await.json()["result"].clone();
    assert_eq!(found["tools"], json!([{ "name": "open" }]));
    assert_eq!((&found["cacheScope"], &found["resultType"]), (&json!("private"), &json!("complete")));
    assert!(found["ttlMs"].as_u64().is_some_and(|ttl| ttl <= 60_000), "{found}");
}

#[tokio::test]
async fn a_list_that_can_be_read_in_two_ways_does_not_pass() {
    let doubled = r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[],"tools":[{"name":"hidden_a"}]}}"#;
    let gate = Gate::new(move |_| raw(StatusCode::OK, "application/json", doubled)).await;
    let answer = send(gate.legacy("tools/list", json!({}))).await;
    assert_eq!((answer.status.as_u16(), answer.code(), answer.json()["id"].clone()), (502, -32603, json!(1)));
    let gate = Gate::new(move |_| events(format!("data: {doubled}\n\n"))).await;
    let answer = send(gate.legacy("tools/list", json!({}))).await.text;
    assert!(!answer.contains("hidden_a") && answer.contains("-32603"), "{answer}");
}

#[tokio::test]
async fn a_grant_without_a_policy_sees_nothing() {
    let gate = Gate::new(json_page).await;
    let grant = gate.world.mint(gate.world.tenant, gate.world.server, None, None).await;
    let request = gate.door.request(&grant).body(legacy("tools/list", json!({})));
    assert_eq!(send(request).await.json()["result"]["tools"], json!([]));
}

#[tokio::test]
async fn a_hidden_tool_is_an_unknown_one_when_it_is_called() {
    let gate = Gate::new(json_page).await;
    for request in [
        gate.legacy("tools/call", json!({ "name": "hidden_a", "arguments": { "a": 1 } })),
        gate.modern("tools/call", json!({ "name": "hidden_a" })),
    ] {
        let answer = send(request).await;
        let expected: Value = json!({
            "jsonrpc": "2.0", "id": 1, "error": { "code": -32602, "message": "Unknown tool: hidden_a" },
        });
        assert_eq!((answer.status, answer.json()), (StatusCode::OK, expected));
    }
    assert!(gate.upstream().received().is_empty());
    let rows = gate.decisions().await;
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| row.rule.as_deref() == Some("(hidden)")));
}
