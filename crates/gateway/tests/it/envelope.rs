//! Messages that can't be understood in exactly one way, or that don't pass: refused before the policy, recorded, and never
//! forwarded.

use axum::http::StatusCode;
use domain::Outcome;
use serde_json::json;

use crate::client::{Answer, message};
use crate::world::{ALLOW, World, plain};

/// A call of `read`, to be spoilt.
const CALL: &str =
    r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read","arguments":{}}}"#;

#[tokio::test]
async fn a_body_of_two_meanings_is_refused() {
    let world = World::new(ALLOW, plain).await;
    let (door, grant) = (world.door().await, world.grant().await);
    let deep = format!("{}1{}", "[".repeat(70), "]".repeat(70));
    let mut latin = CALL.as_bytes().to_vec();
    latin[60] = 0xff;
    for (body, code) in [
        (Vec::new(), -32700),
        (b"{".into(), -32700),
        (latin, -32700),
        (format!("{CALL} {CALL}").into(), -32700),
        (format!("\u{feff}{CALL}").into(), -32700),
        (CALL.replace("\"read\"", "\"\\ud800\"").into(), -32700),
        (CALL.replace("{}", "{\"a\":1,\"a\":2}").into(), -32700),
        (CALL.replace("{}", "{\"a\":1e999}").into(), -32700),
        (CALL.replace("{}", &deep).into(), -32700),
        (CALL.replace("{}", "[]").into(), -32602),
        (CALL.replace("\"id\":1", "\"id\":1,\"method\":\"ping\"").into(), -32700),
        (CALL.replace("\"id\":1", "\"id\":1,\"Method\":\"ping\"").into(), -32600),
        (CALL.replace("\"id\":1", "\"id\":null").into(), -32600),
        (CALL.replace("\"id\":1", "\"id\":1.5").into(), -32600),
        (CALL.replace("\"id\":1,", "").into(), -32600),
        (CALL.replace("\"id\":1", "\"id\":1,\"extra\":1").into(), -32600),
        (CALL.replace("\"2.0\"", "\"1.0\"").into(), -32600),
        (format!("[{CALL}]").into(), -32600),
        (b"[]".into(), -32600),
        (b"1".into(), -32600),
    ] {
        let shown = String::from_utf8_lossy(&body).into_owned();
        let answer = door.post(&grant, body).await;
        assert_eq!(answer.code(), code, "{shown}: {answer:?}");
        let status = if code == -32602 { StatusCode::OK } else { StatusCode::BAD_REQUEST };
        assert_eq!(answer.status, status, "{shown}");
    }
    assert!(world.upstream.received().is_empty());
}

#[tokio::test]
async fn what_was_refused_is_on_record_without_a_word_of_it() {
    let world = World::new(ALLOW, plain).await;
    let (door, grant) = (world.door().await, world.grant().await);
    for _ in 0..3 {
        door.post(&grant, format!("[{CALL}]")).await;
    }
    let secret = CALL.replace("{}", "{\"hunter2\":1,\"hunter2\":2}");
    door.post(&grant, secret).await;
    let records = world.records(&[&door]).await;
    let rows: Vec<_> = records.decisions.iter().map(|(row, _)| row).collect();
    assert_eq!(rows.len(), 2, "{rows:#?}");
    for row in rows {
        assert_eq!((row.outcome, row.forwards), (Outcome::Malformed, false));
        assert_eq!(row.grant.as_ref().map(|noted| noted.id), Some(grant.id));
        assert!(row.message.is_some());
        assert!(!String::from_utf8(row.to_bytes().unwrap()).unwrap().contains("hunter2"));
    }
    assert!(records.closings.is_empty());
}

#[tokio::test]
async fn headers_of_the_stateless_revision_must_agree_with_the_body() {
    let world = World::new(ALLOW, plain).await;
    let (door, grant) = (world.door().await, world.grant().await);
    let call = || door.modern(&grant, "tools/call", json!({ "name": "read" })).build().unwrap();
    let spoil = |name: &'static str, value: Option<&str>| {
        let mut request = call();
        request.headers_mut().remove(name);
        if let Some(value) = value {
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        request
    };
    for (request, code) in [
        (spoil("mcp-protocol-version", None), -32020),
        (spoil("mcp-protocol-version", Some("2025-11-25")), -32020),
        (spoil("mcp-method", None), -32020),
        (spoil("mcp-method", Some("ping")), -32020),
        (spoil("mcp-name", None), -32020),
        (spoil("mcp-name", Some("write")), -32020),
        (spoil("mcp-name", Some("Read")), -32020),
    ] {
        let answer = Answer::of(door.http().execute(request).await.unwrap()).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::BAD_REQUEST, code), "{answer:?}");
        assert_eq!(answer.json()["id"], 1);
    }
    assert!(world.upstream.received().is_empty());
    let encoded = spoil("mcp-name", Some("=?base64?cmVhZA==?="));
    assert_eq!(door.http().execute(encoded).await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn a_version_that_is_not_spoken_is_refused_with_those_that_are() {
    let world = World::new(ALLOW, plain).await;
    let (door, grant) = (world.door().await, world.grant().await);
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": { "_meta": {
        "io.modelcontextprotocol/protocolVersion": "2031-01-01",
        "io.modelcontextprotocol/clientCapabilities": {},
    } } });
    let request =
        door.request(&grant).header("mcp-protocol-version", "2031-01-01").header("mcp-method", "tools/list");
    let answer = Answer::of(request.body(body.to_string()).send().await.unwrap()).await;
    assert_eq!((answer.status, answer.code()), (StatusCode::BAD_REQUEST, -32022));
    let data = &answer.json()["error"]["data"];
    assert_eq!(data["requested"], "2031-01-01");
    assert!(data["supported"].as_array().unwrap().contains(&json!("2026-07-28")), "{data}");
    assert!(world.upstream.received().is_empty());
}

#[tokio::test]
async fn methods_that_no_policy_can_judge_do_not_pass() {
    let world = World::new(ALLOW, plain).await;
    let (door, grant) = (world.door().await, world.grant().await);
    for method in
        ["resources/read", "prompts/get", "completion/complete", "tasks/get", "x/custom", "Tools/Call"]
    {
        let legacy =
            door.post(&grant, message(7, method, json!({ "uri": "x", "name": "x" })).to_string()).await;
        assert_eq!((legacy.status, legacy.code()), (StatusCode::OK, -32601), "{method}: {legacy:?}");
        assert_eq!(legacy.json()["id"], 7);
        let modern = Answer::of(door.modern(&grant, method, json!({})).send().await.unwrap()).await;
        assert!(modern.status.is_client_error(), "{method}: {modern:?}");
    }
    let unknown = Answer::of(door.modern(&grant, "x/custom", json!({})).send().await.unwrap()).await;
    assert_eq!((unknown.status, unknown.code()), (StatusCode::NOT_FOUND, -32601));
    assert!(world.upstream.received().is_empty());
    let records = world.records(&[&door]).await;
    assert!(
        records.decisions.iter().all(|(row, _)| row.outcome == Outcome::Malformed && row.method.is_some())
    );
}

#[tokio::test]
async fn a_call_for_a_task_is_an_error_and_not_a_result() {
    let world = World::new(ALLOW, plain).await;
    let (door, grant) = (world.door().await, world.grant().await);
    let body = message(3, "tools/call", json!({ "name": "read", "arguments": {}, "task": { "ttl": 1 } }));
    let answer = door.post(&grant, body.to_string()).await;
    assert_eq!((answer.status, answer.code()), (StatusCode::OK, -32601));
    assert!(world.upstream.received().is_empty());
}

#[tokio::test]
async fn a_response_outside_of_a_session_is_refused() {
    let world = World::new(ALLOW, plain).await;
    let (door, grant) = (world.door().await, world.grant().await);
    let answer = door.post(&grant, r#"{"jsonrpc":"2.0","id":1,"result":{}}"#).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(world.upstream.received().is_empty());
}
