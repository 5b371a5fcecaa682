//! Calls in several rounds (2026-07-28): each is judged by itself, and the upstream's state travels sealed.

use axum::body::Body;
use axum::http::Response;
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use testkit::upstream::{self, Received, event, events};

use crate::gate::{Gate, send};

const INNER: &str = "upstream \"state\"";

/// Asks for more, for ever.
fn asks(_: &Received) -> Response<Body> {
    upstream::json(&asked())
}

fn asked() -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "result": { "resultType": "input_required", "requestState": INNER,
        "inputRequests": { "q": { "method": "elicitation/create", "params": {} } } } })
}

fn call(gate: &Gate, state: Option<&str>) -> RequestBuilder {
    let mut params = json!({ "name": "open", "arguments": { "a": 1 } });
    if let Some(state) = state {
        params["requestState"] = state.into();
        params["inputResponses"] = json!({ "q": { "action": "accept" } });
    }
    gate.modern("tools/call", params)
}

async fn first_round(gate: &Gate) -> String {
    let answer = send(call(gate, None)).await.json();
    answer["result"]["requestState"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_a_client_was_asked_reaches_the_upstream_with_its_state() {
    let gate = Gate::new(asks).await;
    let state = first_round(&gate).await;
    assert_ne!(state, INNER);
    send(call(&gate, Some(&state))).await;
    let second = &gate.upstream().received()[1];
    assert_eq!(second.json()["params"]["requestState"], INNER);
    assert_eq!(second.json()["params"]["inputResponses"], json!({ "q": { "action": "accept" } }));
    assert_eq!(second.header("content-length"), second.body.len().to_string());
}

#[tokio::test]
async fn a_state_belongs_to_a_call() {
    let gate = Gate::new(asks).await;
    let state = first_round(&gate).await;
    let answer = send(gate.modern("tools/list", json!({ "requestState": state }))).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (400, -32602));
    assert_eq!(gate.upstream().received().len(), 1);
}

#[tokio::test]
async fn a_state_in_events_is_sealed_too() {
    let gate = Gate::new(|_| events(event(&asked()))).await;
    let answer = send(call(&gate, None)).await.text;
    assert!(answer.contains("requestState") && !answer.contains("upstream"), "{answer}");
}

#[tokio::test]
async fn each_round_is_judged_anew() {
    let gate = Gate::new(asks).await;
    let state = first_round(&gate).await;
    gate.world
        .save_policy(r#"{ "version": "1", "default": "allow", "tools": { "open": { "action": "deny", "reason": "no more" } } }"#)
        .await;
    let answer = send(call(&gate, Some(&state))).await.json();
    assert_eq!(answer["result"]["isError"], true);
    assert_eq!(gate.upstream().received().len(), 1);
    assert_eq!(gate.decisions().await.len(), 3, "two rounds, and what the first has asked");
}
