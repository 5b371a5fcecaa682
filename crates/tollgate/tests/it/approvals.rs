//! A call that a person must approve: asked, approved in the API, made once.

use serde_json::{Value, json};
use testkit::{Api, eventually};

use crate::caller::{Answer, Caller};
use crate::stack::Stack;

const TOOL: &str = "flowforge_retry_run";

fn document() -> Value {
    json!({
        "version": "1", "default": "deny",
        "tools": { TOOL: { "approve_if": [{ "conditions": [], "message": "Retries cost money.", "expires_in": "10m" }] } },
    })
}

/// The approval that the caller is told to wait for.
fn told(answer: &Answer) -> String {
    let approval = &answer.body["result"]["_meta"]["dev.tollgate/decision"]["approval"];
    approval["id"].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_runs_once_when_a_person_has_approved_it() {
    let stack = Stack::start().await;
    let tollgate = stack.serve_with(&[], &[("TOLLGATE_APPROVAL_HOLD", "0")]).await;
    let api = Api::sign_up(&tollgate.url).await;
    let server = stack.register(&api, "/mcp/json").await;
    let policy = api.policy(&server, "asks", &document()).await;
    let grant = api.mint(&server, &policy, "bot").await;
    let agent = Caller::new(&tollgate.url, &server, &grant.token);
    let arguments = json!({ "run_id": "run-0002" });

    let id = told(&agent.call(TOOL, &arguments).await.unwrap());
    assert_eq!(told(&agent.call(TOOL, &arguments).await.unwrap()), id, "asked once");
    let approval = format!("/approvals/{id}");
    let asked = api.get(&approval).await;
    assert_eq!((&asked["state"], &asked["tool"]), (&json!("pending"), &json!(TOOL)));
    assert_eq!(asked["arguments"]["text"], "{\n  \"run_id\": \"run-0002\"\n}");
    assert_eq!((&asked["message"], &asked["policy"]["version"]), (&json!("Retries cost money."), &json!(1)));

    api.post(&format!("{approval}/approve"), json!({})).await;
    assert_eq!(stack.reached().await["counts"], json!({}), "approving runs nothing");
    let other = agent.call(TOOL, &json!({ "run_id": "run-0003" })).await.unwrap();
    assert_ne!(told(&other), id, "it is for these arguments");
    let made = agent.call(TOOL, &arguments).await.unwrap();
    assert!(made.allowed(), "{made:?}");
    assert_ne!(told(&agent.call(TOOL, &arguments).await.unwrap()), id, "it is good for one call");
    assert_eq!(stack.reached().await["counts"], json!({ TOOL: 1 }));

    let used = api.get(&approval).await;
    assert_eq!((&used["state"], &used["arguments"]), (&json!("used"), &Value::Null));
    assert_eq!(used["used_decision_id"], made.request_id);
    let row = eventually("the decision is in the log", async || {
        api.decisions(&format!("&request_id={}", made.request_id)).await.pop()
    });
    let row = row.await;
    assert_eq!((&row["outcome"], &row["argument_digest"]), (&json!("allow"), &used["argument_digest"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_call_is_told_why() {
    let stack = Stack::start().await;
    let tollgate = stack.serve_with(&[], &[("TOLLGATE_APPROVAL_HOLD", "0")]).await;
    let api = Api::sign_up(&tollgate.url).await;
    let server = stack.register(&api, "/mcp/json").await;
    let policy = api.policy(&server, "asks", &document()).await;
    let grant = api.mint(&server, &policy, "bot").await;
    let agent = Caller::new(&tollgate.url, &server, &grant.token);
    let arguments = json!({ "run_id": "run-0002" });

    let id = told(&agent.call(TOOL, &arguments).await.unwrap());
    api.post(&format!("/approvals/{id}/refuse"), json!({ "note": "Use run-0001." })).await;
    let refused = agent.call(TOOL, &arguments).await.unwrap();
    let text = refused.body["result"]["content"][0]["text"].as_str().unwrap();
    assert!(text.contains("Use run-0001."), "{text}");
    assert!(refused.denied().is_some(), "{refused:?}");
    assert_eq!(stack.reached().await["counts"], json!({}));
    let waiting = api.get("/approvals?state=pending").await;
    assert_eq!(waiting["items"], json!([]), "a refusal stands");
}
