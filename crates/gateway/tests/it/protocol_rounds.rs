//! Calls in several rounds (2026-07-28): each is judged by itself, and what the upstream gives along opens for the same
//! grant, server, tool and arguments alone.

use axum::body::Body;
use axum::http::Response;
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use testkit::upstream::{self, Received, event, events};

use crate::gate::{Gate, send};
use crate::world::Grant;

const INNER: &str = "upstream \"state\"";

/// Asks for more in the first round, and is done in the second.
fn asks(request: &Received) -> Response<Body> {
    let params = &request.json()["params"];
    let result = if params["requestState"] == INNER {
        json!({ "resultType": "complete", "content": [] })
    } else {
        json!({ "resultType": "input_required", "requestState": INNER, "inputRequests": { "q": { "method": "elicitation/create" } } })
    };
    upstream::json(&json!({ "jsonrpc": "2.0", "id": 1, "result": result }))
}

fn call(gate: &Gate, grant: &Grant, tool: &str, arguments: &Value, state: Option<&str>) -> RequestBuilder {
    let mut params = json!({ "name": tool, "arguments": arguments });
    if let Some(state) = state {
        params["requestState"] = state.into();
        params["inputResponses"] = json!({ "q": { "action": "accept" } });
    }
    gate.door.modern(grant, "tools/call", params)
}

async fn first_round(gate: &Gate) -> String {
    let answer = send(call(gate, &gate.grant, "open", &json!({ "a": 1 }), None)).await.json();
    assert_eq!(answer["result"]["resultType"], "input_required");
    assert_eq!(answer["result"]["inputRequests"], json!({ "q": { "method": "elicitation/create" } }));
    answer["result"]["requestState"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_state_is_sealed_down_and_opened_up() {
    let gate = Gate::new(asks).await;
    let state = first_round(&gate).await;
    assert!(!state.contains("upstream"));
    let answer = send(call(&gate, &gate.grant, "open", &json!({ "a": 1 }), Some(&state))).await;
    assert_eq!(answer.json()["result"]["resultType"], "complete");
    let received = gate.upstream().received();
    assert_eq!(received[1].json()["params"]["inputResponses"], json!({ "q": { "action": "accept" } }));
    assert_eq!(received[1].header("content-length"), received[1].body.len().to_string());
    assert_eq!(gate.decisions().await.len(), 2, "a row for each round");
}

#[tokio::test]
async fn a_state_in_events_is_sealed_too() {
    let message = json!({ "jsonrpc": "2.0", "id": 1, "result": { "resultType": "input_required", "requestState": INNER } });
    let gate = Gate::new(move |_| events(event(&message))).await;
    let answer = send(call(&gate, &gate.grant, "open", &json!({}), None)).await.text;
    assert!(answer.contains("requestState") && !answer.contains("upstream"), "{answer}");
}

#[tokio::test]
async fn a_state_opens_for_its_own_call_alone() {
    let gate = Gate::new(asks).await;
    let state = first_round(&gate).await;
    let other = gate.world.grant().await;
    let same = json!({ "a": 1 });
    let mut forged = state.clone();
    forged.replace_range(20..21, if &state[20..21] == "A" { "B" } else { "A" });
    for (why, request) in [
        ("another grant", call(&gate, &other, "open", &same, Some(&state))),
        ("another tool", call(&gate, &gate.grant, "other", &same, Some(&state))),
        ("other arguments", call(&gate, &gate.grant, "open", &json!({ "a": 2 }), Some(&state))),
        ("no arguments", call(&gate, &gate.grant, "open", &json!({}), Some(&state))),
        ("forged", call(&gate, &gate.grant, "open", &same, Some(&forged))),
        ("the upstream's own", call(&gate, &gate.grant, "open", &same, Some(INNER))),
    ] {
        let answer = send(request).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (400, -32602), "{why}");
        assert_eq!(answer.json()["id"], 1);
    }
    let params = json!({ "requestState": state });
    assert_eq!(send(gate.modern("tools/list", params)).await.status, 400, "no call at all");
    assert_eq!(gate.upstream().received().len(), 1);
}

#[tokio::test]
async fn a_state_does_not_last_for_ever() {
    let gate = Gate::new(asks).await;
    let state = first_round(&gate).await;
    gate.world.clock.advance(std::time::Duration::from_hours(25));
    let answer = send(call(&gate, &gate.grant, "open", &json!({ "a": 1 }), Some(&state))).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (400, -32602));
}

#[tokio::test]
async fn each_round_is_judged_anew() {
    let gate = Gate::new(asks).await;
    let state = first_round(&gate).await;
    gate.world
        .save_policy(r#"{ "version": "1", "default": "allow", "tools": { "open": { "action": "deny", "reason": "no more" } } }"#)
        .await;
    let answer = send(call(&gate, &gate.grant, "open", &json!({ "a": 1 }), Some(&state))).await.json();
    assert_eq!(answer["result"]["isError"], true);
    assert_eq!(gate.upstream().received().len(), 1);
    assert_eq!(gate.decisions().await.len(), 2);
}
