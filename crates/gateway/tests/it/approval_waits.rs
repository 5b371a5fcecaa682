//! How clients wait for a person: held for a moment, sent to a page, or with a handle to ask about.

use std::time::Duration;

use axum::body::Body;
use axum::http::Response;
use domain::{ApprovalState, Outcome};
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use testkit::upstream::{self, Received};

use crate::client::{Answer, call, message};
use crate::desk::{Desk, POLICY, all, text, waits_for};
use crate::gate::{Gate, send};
use crate::world::{Grant, World, plain};

const URL: &str = r#"{ "elicitation": { "url": {} } }"#;
const TASKS: &str = r#"{ "extensions": { "io.modelcontextprotocol/tasks": {} } }"#;
const OWN: &str = "dev.tollgate/approval";

/// A modern request of a client with these capabilities.
fn modern(gate: &Gate, grant: &Grant, capabilities: &str, method: &str, mut params: Value) -> RequestBuilder {
    let capabilities: Value = serde_json::from_str(capabilities).unwrap();
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": capabilities,
    });
    let name = params["taskId"].as_str().or_else(|| params["name"].as_str()).unwrap_or_default().to_owned();
    let request =
        gate.door.request(grant).header("mcp-protocol-version", "2026-07-28").header("mcp-method", method);
    let request = if name.is_empty() { request } else { request.header("mcp-name", name) };
    request.body(message(1, method, params).to_string())
}

async fn wipe(desk: &Desk, capabilities: &str, more: Value) -> Answer {
    let mut params = json!({ "name": "wipe", "arguments": all() });
    for (key, value) in more.as_object().unwrap() {
        params[key] = value.clone();
    }
    send(modern(&desk.gate, &desk.gate.grant, capabilities, "tools/call", params)).await
}

#[tokio::test]
async fn a_held_call_goes_on_when_a_person_allows_it() {
    let world = World::new(POLICY, plain).await;
    let door = world.door_with(|settings| settings.approval_hold = Duration::from_mins(2)).await;
    let grant = world.grant().await;
    let desk = Desk { gate: Gate { world, door, grant } };
    let held = tokio::spawn(send(desk.gate.post(call("wipe", all()).to_string())));
    while desk.questions().await.is_empty() {
        assert!(!held.is_finished());
        tokio::task::yield_now().await;
    }
    desk.approve().await;
    let answer = held.await.unwrap();
    assert_eq!((answer.json()["result"]["isError"].clone(), desk.forwarded()), (json!(null), 1));
    // Two decisions: the client knows the one by which the call went on.
    let decisions = desk.gate.decisions().await;
    let outcomes: Vec<_> = decisions.iter().map(|decision| decision.outcome).collect();
    assert_eq!(outcomes, [Outcome::Pending, Outcome::Allow]);
    assert_eq!(answer.header("x-request-id"), decisions[1].id.to_string());
}

#[tokio::test]
async fn a_held_call_ends_when_a_person_refuses_it() {
    let world = World::new(POLICY, plain).await;
    let door = world.door_with(|settings| settings.approval_hold = Duration::from_mins(2)).await;
    let grant = world.grant().await;
    let desk = Desk { gate: Gate { world, door, grant } };
    let held = tokio::spawn(send(desk.gate.post(call("wipe", all()).to_string())));
    while desk.questions().await.is_empty() {
        tokio::task::yield_now().await;
    }
    desk.decide(false, None).await;
    assert_eq!(text(&held.await.unwrap()), "[POLICY DENIED] a person refused this call");
    assert_eq!(desk.forwarded(), 0);
}

#[tokio::test]
async fn a_client_that_opens_addresses_is_sent_to_the_page() {
    let desk = Desk::new().await;
    let asked = wipe(&desk, URL, json!({})).await.json();
    let result = &asked["result"];
    let id = desk.questions().await[0].id;
    assert_eq!((&asked["id"], &result["resultType"]), (&json!(1), &json!("input_required")), "{asked}");
    let own = &result["inputRequests"][OWN];
    assert_eq!(own["method"], "elicitation/create");
    assert_eq!(own["params"]["mode"], "url");
    assert_eq!(own["params"]["url"], format!("{}/approvals/{id}", desk.gate.door.base));
    let state = result["requestState"].as_str().unwrap();
    let again =
        |action: &str| json!({ "requestState": state, "inputResponses": { OWN: { "action": action } } });
    // That the page was opened means nothing.
    for action in ["accept", "decline"] {
        assert_eq!(waits_for(&wipe(&desk, URL, again(action)).await), id.to_string());
    }
    assert_eq!(desk.forwarded(), 0);
    desk.approve().await;
    assert_eq!(wipe(&desk, URL, again("accept")).await.json()["result"]["isError"], json!(null));
    let received = &desk.gate.upstream().received()[0].json()["params"];
    assert_eq!((&received["requestState"], &received["inputResponses"]), (&json!(null), &json!(null)));
    assert!(received.get("requestState").is_none() && received.get("inputResponses").is_none());
    // The state is of this call alone.
    let other = json!({ "arguments": {}, "requestState": state });
    assert_eq!(wipe(&desk, URL, other).await.code(), -32602);
}

#[tokio::test]
async fn a_client_with_forms_alone_is_sent_nowhere() {
    let desk = Desk::new().await;
    for less in ["{}", r#"{ "elicitation": {} }"#, r#"{ "elicitation": { "form": {} } }"#] {
        waits_for(&wipe(&desk, less, json!({})).await);
    }
}

/// Asks once, then answers.
fn asks_once(request: &Received) -> Response<Body> {
    if request.json()["params"].get("requestState").is_some() {
        return plain(request);
    }
    upstream::json(
        &json!({ "jsonrpc": "2.0", "id": 1, "result": { "resultType": "input_required", "requestState": "inner",
        "inputRequests": { "q": { "method": "elicitation/create", "params": {} } } } }),
    )
}

#[tokio::test]
async fn further_rounds_of_an_approved_call_are_part_of_it() {
    let desk = Desk::before(asks_once).await;
    wipe(&desk, "{}", json!({})).await;
    desk.approve().await;
    let asked = wipe(&desk, "{}", json!({})).await.json();
    assert_eq!(asked["result"]["resultType"], "input_required", "{asked}");
    let state = asked["result"]["requestState"].clone();
    let second = json!({ "requestState": state, "inputResponses": { "q": { "action": "accept" } } });
    let answer = wipe(&desk, "{}", second.clone()).await.json();
    assert_eq!((&answer["result"]["isError"], desk.forwarded()), (&json!(null), 2), "{answer}");
    // Each round goes on once.
    waits_for(&wipe(&desk, "{}", second).await);
    assert_eq!(desk.forwarded(), 2);
}

async fn of_task(desk: &Desk, grant: &Grant, method: &str, task: &Value) -> Answer {
    send(modern(&desk.gate, grant, TASKS, method, json!({ "taskId": task, "inputResponses": {} }))).await
}

#[tokio::test]
async fn a_client_with_tasks_gets_a_handle() {
    let desk = Desk::new().await;
    let grant = &desk.gate.grant;
    let made = wipe(&desk, TASKS, json!({})).await.json();
    let result = &made["result"];
    assert_eq!((&result["resultType"], &result["status"]), (&json!("task"), &json!("working")), "{made}");
    assert_eq!(result["ttlMs"], 600_000);
    let task = &result["taskId"];
    let stands = of_task(&desk, grant, "tasks/get", task).await.json()["result"].clone();
    assert_eq!((&stands["resultType"], &stands["status"]), (&json!("complete"), &json!("working")));
    assert_eq!(&stands["taskId"], task);
    assert_eq!(
        of_task(&desk, grant, "tasks/update", task).await.json()["result"],
        json!({ "resultType": "complete" })
    );
    desk.approve().await;
    let stands = of_task(&desk, grant, "tasks/get", task).await.json()["result"].clone();
    assert_eq!((&stands["status"], &stands["result"]["isError"]), (&json!("completed"), &json!(true)));
    let said = stands["result"]["content"][0]["text"].as_str().unwrap();
    assert!(said.starts_with("approved: call `wipe` again with the same arguments, once, until "), "{said}");
    assert_eq!(desk.forwarded(), 0, "nothing of a handle is forwarded");
    assert_eq!(wipe(&desk, TASKS, json!({})).await.json()["result"]["isError"], json!(null));
    assert_eq!(desk.forwarded(), 1);
    let decisions = desk.gate.decisions().await;
    let forwards: Vec<_> = decisions.iter().map(|decision| (decision.outcome, decision.forwards)).collect();
    let ours = (Outcome::Allow, false);
    assert_eq!(forwards, [(Outcome::Pending, false), ours, ours, ours, (Outcome::Allow, true)]);
}

#[tokio::test]
async fn a_handle_is_its_grants_and_can_be_given_up() {
    let desk = Desk::new().await;
    let task = wipe(&desk, TASKS, json!({})).await.json()["result"]["taskId"].clone();
    let other = desk.gate.world.grant().await;
    assert_eq!(of_task(&desk, &other, "tasks/get", &task).await.code(), -32602);
    let listening = json!({ "notifications": { "taskIds": [task] } });
    let grant = &desk.gate.grant;
    let listens = modern(&desk.gate, grant, TASKS, "subscriptions/listen", listening);
    assert_eq!(send(listens).await.code(), -32602);
    of_task(&desk, grant, "tasks/cancel", &task).await;
    assert_eq!(desk.questions().await[0].state, ApprovalState::Withdrawn);
    let stands = of_task(&desk, grant, "tasks/get", &task).await.json();
    assert_eq!(stands["result"]["status"], "cancelled");
    assert_eq!(desk.forwarded(), 0);
}

#[tokio::test]
async fn a_call_that_wants_a_task_of_the_legacy_era_gets_an_error() {
    let desk = Desk::new().await;
    let params = json!({ "name": "wipe", "arguments": all(), "task": { "ttl": 1000 } });
    let answer = send(desk.gate.legacy("tools/call", params)).await.json();
    let said = answer["error"]["message"].as_str().unwrap();
    let id = desk.questions().await[0].id;
    assert!(said.contains(&format!("pending approval {id}")), "{said}");
}
