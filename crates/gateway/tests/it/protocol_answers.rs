//! What a client answers a server: only what it was asked, where it was asked, once, and as the policy is now.

use axum::body::Body;
use axum::http::{Response, StatusCode};
use domain::Outcome;
use serde_json::{Value, json};
use testkit::upstream::{self, Received, event, events, raw, with_header};

use crate::client::{Answer, Door, message};
use crate::gate::{Gate, send};
use crate::world::{Grant, plain};

const OPEN: &str = r#"{ "version": "1", "default": "allow" }"#;
const CLOSED: &str = r#"{ "version": "1", "default": "allow", "methods": { "elicitation": "deny" } }"#;

/// Opens a session of its own for everybody, and asks in calls: as the tool's name says, by the id 7.
fn asking(request: &Received) -> Response<Body> {
    let message = request.json();
    match request.rpc_method().as_str() {
        "initialize" => {
            let session = message["params"]["clientInfo"]["name"].as_str().unwrap().to_owned();
            let result = json!({ "protocolVersion": "2025-11-25", "capabilities": {} });
            let answer = json!({ "jsonrpc": "2.0", "id": message["id"], "result": result });
            with_header(upstream::json(&answer), "mcp-session-id", &session)
        }
        "tools/call" => {
            let asked =
                json!({ "jsonrpc": "2.0", "id": 7, "method": message["params"]["name"], "params": {} });
            let cancelled = json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 7 } });
            let taken_back = message["params"]["arguments"]["taken_back"] == true;
            let result = json!({ "jsonrpc": "2.0", "id": 1, "result": { "content": [] } });
            let cancelled = if taken_back { event(&cancelled) } else { String::new() };
            events(format!("{}{cancelled}{}", event(&asked), event(&result)))
        }
        _ if message.get("method").is_none() => raw(StatusCode::ACCEPTED, "", ""),
        _ => plain(request),
    }
}

async fn session(door: &Door, grant: &Grant, name: &str) -> String {
    let params = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": name, "version": "1" } });
    let answer = door.post(grant, message(0, "initialize", params).to_string()).await;
    answer.header("mcp-session-id").to_owned()
}

async fn ask(door: &Door, grant: &Grant, session: &str, params: Value) -> String {
    let request = door.request(grant).header("mcp-session-id", session);
    let text = send(request.body(message(1, "tools/call", params).to_string())).await.text;
    assert!(text.contains("\"id\":7"), "ids stay as they are: {text}");
    text
}

async fn answer(door: &Door, grant: &Grant, session: &str, id: Value) -> Answer {
    let body = json!({ "jsonrpc": "2.0", "id": id, "result": { "action": "accept", "content": {} } });
    send(door.request(grant).header("mcp-session-id", session).body(body.to_string())).await
}

fn answers(gate: &Gate) -> usize {
    gate.upstream().received().iter().filter(|request| request.json().get("result").is_some()).count()
}

#[tokio::test]
async fn an_answer_passes_once_on_any_gateway() {
    let gate = Gate::under(OPEN, asking).await;
    let other_door = gate.world.door().await;
    for (method, door) in
        [("elicitation/create", &gate.door), ("sampling/createMessage", &other_door), ("ping", &other_door)]
    {
        let session = session(&gate.door, &gate.grant, method).await;
        let before = answers(&gate);
        ask(&gate.door, &gate.grant, &session, json!({ "name": method })).await;
        assert_eq!(
            answer(door, &gate.grant, &session, json!(7)).await.status,
            StatusCode::ACCEPTED,
            "{method}"
        );
        assert_eq!(answers(&gate), before + 1);
        let again = answer(&gate.door, &gate.grant, &session, json!(7)).await;
        assert_eq!((again.status.as_u16(), again.code()), (400, -32600), "{method}");
        assert_eq!(answers(&gate), before + 1);
    }
}

#[tokio::test]
async fn an_answer_to_what_was_not_asked_there_does_not_pass() {
    let gate = Gate::under(OPEN, asking).await;
    let other = gate.world.grant().await;
    let (one, two) =
        (session(&gate.door, &gate.grant, "one").await, session(&gate.door, &gate.grant, "two").await);
    let third = session(&gate.door, &other, "one").await;
    ask(&gate.door, &gate.grant, &one, json!({ "name": "elicitation/create" })).await;
    for (grant, session, id) in [
        (&gate.grant, &two, json!(7)),
        (&other, &third, json!(7)),
        (&gate.grant, &one, json!("7")),
        (&gate.grant, &one, json!(8)),
    ] {
        let refused = answer(&gate.door, grant, session, id.clone()).await;
        assert_eq!((refused.status.as_u16(), refused.code()), (400, -32600), "{id}");
    }
    assert_eq!(answers(&gate), 0);
    assert_eq!(answer(&gate.door, &gate.grant, &one, json!(7)).await.status, StatusCode::ACCEPTED);
    let rows = gate.decisions().await;
    let refused: Vec<_> = rows.iter().filter(|row| row.outcome == Outcome::Malformed).collect();
    assert!(
        !refused.is_empty() && refused.iter().all(|row| row.message.as_deref() == Some("answer to nothing"))
    );
}

#[tokio::test]
async fn what_the_server_has_taken_back_is_not_answered() {
    let gate = Gate::under(OPEN, asking).await;
    let session = session(&gate.door, &gate.grant, "one").await;
    let params = json!({ "name": "elicitation/create", "arguments": { "taken_back": true } });
    let text = ask(&gate.door, &gate.grant, &session, params).await;
    assert!(text.contains("\"requestId\":7"));
    assert_eq!(answer(&gate.door, &gate.grant, &session, json!(7)).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(answers(&gate), 0);
}

#[tokio::test]
async fn an_answer_is_judged_by_the_policy_of_now_and_the_server_is_told() {
    let gate = Gate::under(OPEN, asking).await;
    let session = session(&gate.door, &gate.grant, "one").await;
    ask(&gate.door, &gate.grant, &session, json!({ "name": "elicitation/create" })).await;
    gate.world.save_policy(CLOSED).await;
    let refused = answer(&gate.door, &gate.grant, &session, json!(7)).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (400, -32600));
    assert_eq!(refused.json()["error"]["data"]["dev.tollgate/decision"]["rule"], "/methods/elicitation");
    let told = gate.upstream().received_at_least(3).await;
    let told = told.last().unwrap().json();
    assert_eq!((&told["id"], &told["error"]["code"]), (&json!(7), &json!(-32601)), "{told}");
    assert_eq!(answers(&gate), 0);
}

/// Modern: asks in rounds, with a state or without one.
fn rounds(state: Option<&'static str>) -> impl Fn(&Received) -> Response<Body> + use<> {
    move |request| {
        let message = request.json();
        let result = if message["params"].get("inputResponses").is_some_and(|given| given != &json!({})) {
            json!({ "resultType": "complete", "content": [], "got": message["params"] })
        } else {
            let mut result = json!({ "resultType": "input_required", "inputRequests": {
                "name": { "method": "elicitation/create", "params": {} } } });
            if let Some(state) = state {
                result["requestState"] = state.into();
            }
            result
        };
        upstream::json(&json!({ "jsonrpc": "2.0", "id": 1, "result": result }))
    }
}

fn call(gate: &Gate, state: &Value, responses: &Value) -> reqwest::RequestBuilder {
    let mut params = json!({ "name": "open", "arguments": {}, "inputResponses": responses });
    if !state.is_null() {
        params["requestState"] = state.clone();
    }
    gate.modern("tools/call", params)
}

#[tokio::test]
async fn a_round_answers_what_the_round_before_has_asked() {
    for inner in [Some("inner"), None] {
        let gate = Gate::under(OPEN, rounds(inner)).await;
        let asked = send(gate.modern("tools/call", json!({ "name": "open", "arguments": {} }))).await.json();
        let state = &asked["result"]["requestState"];
        assert!(state.is_string() && state != "inner", "{asked}");
        let both = json!({ "name": { "action": "accept" }, "other": { "model": "m" } });
        let got = send(call(&gate, state, &both)).await.json();
        let got = &got["result"]["got"];
        assert_eq!(got["inputResponses"], json!({ "name": { "action": "accept" } }));
        assert_eq!(got.get("requestState").and_then(Value::as_str), inner);
        let odd = send(call(&gate, state, &json!([1]))).await;
        assert_eq!((odd.status.as_u16(), odd.code()), (400, -32602));
    }
}

#[tokio::test]
async fn a_round_is_refused_when_what_it_answers_is_closed_by_now() {
    let gate = Gate::under(OPEN, rounds(Some("inner"))).await;
    let asked = send(gate.modern("tools/call", json!({ "name": "open", "arguments": {} }))).await.json();
    gate.world.save_policy(CLOSED).await;
    let before = gate.upstream().received().len();
    for state in [&asked["result"]["requestState"], &Value::Null] {
        let refused = send(call(&gate, state, &json!({ "name": { "action": "accept" } }))).await.json();
        assert_eq!(refused["result"]["isError"], true, "{refused}");
        assert_eq!(refused["result"]["_meta"]["dev.tollgate/decision"]["rule"], "/methods/elicitation");
    }
    assert_eq!(gate.upstream().received().len(), before);
}

#[tokio::test]
async fn a_task_is_told_what_it_has_asked() {
    let gate = Gate::under(OPEN, |request| {
        let message = request.json();
        let params = &message["params"];
        let result = match request.rpc_method().as_str() {
            "tools/call" => json!({ "resultType": "task", "taskId": "inner", "status": "working" }),
            "tasks/get" => json!({ "resultType": "complete", "taskId": "inner", "status": "input_required",
                "inputRequests": { "name": { "method": "elicitation/create", "params": {} } } }),
            _ => json!({ "resultType": "complete", "got": params["inputResponses"] }),
        };
        upstream::json(&json!({ "jsonrpc": "2.0", "id": 1, "result": result }))
    })
    .await;
    let task = async |method: &str, mut params: Value| {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": { "extensions": { "io.modelcontextprotocol/tasks": {} } },
        });
        let name = params["name"].as_str().or(params["taskId"].as_str()).unwrap().to_owned();
        let request = gate.post(message(1, method, params).to_string());
        let request = request.header("mcp-protocol-version", "2026-07-28").header("mcp-method", method);
        send(request.header("mcp-name", name)).await.json()
    };
    let id = task("tools/call", json!({ "name": "open" })).await["result"]["taskId"].clone();
    let update = json!({ "taskId": id, "inputResponses": { "name": { "action": "accept" }, "other": {} } });
    assert_eq!(
        task("tasks/update", update.clone()).await["result"]["got"],
        json!({}),
        "nothing was asked yet"
    );
    task("tasks/get", json!({ "taskId": id })).await;
    let told = task("tasks/update", update.clone()).await;
    assert_eq!(told["result"]["got"], json!({ "name": { "action": "accept" } }));
    gate.world.save_policy(CLOSED).await;
    let refused = task("tasks/update", update).await;
    assert_eq!(
        refused["error"]["data"]["dev.tollgate/decision"]["rule"], "/methods/elicitation",
        "{refused}"
    );
}
