//! The walk with the official SDK clients, both major lines of Python and TypeScript: allowed, denied, hidden, limited.

use serde::Deserialize;
use serde_json::{Value, json};
use testkit::{Api, eventually};

use crate::clients;
use crate::stack::{Stack, UPSTREAM_KEY};

/// What a client tells of its walk.
#[derive(Deserialize)]
struct Walked {
    /// The revision it agreed with the gateway.
    version: String,
    tools: Vec<String>,
    answers: Vec<Value>,
}

/// A call, and what its caller and the log say of it.
struct Step {
    tool: &'static str,
    arguments: Value,
    outcome: &'static str,
    rule: Option<&'static str>,
}

fn steps() -> Vec<Step> {
    let step = |tool, arguments, outcome, rule| Step { tool, arguments, outcome, rule };
    let retry = || json!({ "run_id": "run-0002" });
    let limit = Some("/tools/flowforge_retry_run/rate_limit");
    vec![
        step("flowforge_list_runs", json!({ "limit": 3 }), "allow", None),
        step("flowforge_get_run", json!({ "run_id": "run-0001" }), "allow", None),
        step("flowforge_retry_run", retry(), "allow", None),
        step("flowforge_retry_run", retry(), "allow", None),
        step("flowforge_retry_run", retry(), "limit", limit),
        step(
            "flowforge_send_event",
            json!({ "name": "x" }),
            "deny",
            Some("/tools/flowforge_send_event/action"),
        ),
        step("flowforge_create_task", json!({ "title": "x" }), "deny", Some("(default deny)")),
        step("flowforge_delete_credential", json!({ "name": "openai_key" }), "hidden", Some("(hidden)")),
    ]
}

fn document() -> Value {
    json!({
        "version": "1", "default": "deny", "hide": ["flowforge_delete_*"],
        "tools": {
            "flowforge_list_*": {}, "flowforge_get_*": {},
            "flowforge_retry_run": { "rate_limit": "2/minute" },
            "flowforge_send_event": { "action": "deny", "reason": "Events are sent by people." },
        },
    })
}

/// Walks with `client` in `mode` to the upstream at `path`, and holds answers, upstream and log to the steps.
async fn walk(client: &str, mode: &str, path: &str, version: &str) {
    let stack = Stack::start().await;
    let tollgate = stack.serve(&[]).await;
    let api = Api::sign_up(&tollgate.url).await;
    let server = stack.register(&api, path).await;
    let policy = api.policy(&server, "walk", &document()).await;
    let grant = api.mint(&server, &policy, client).await;

    let steps = steps();
    let calls: Vec<Value> =
        steps.iter().map(|step| json!({ "tool": step.tool, "arguments": step.arguments })).collect();
    let url = format!("{}/mcp/{server}", tollgate.url);
    let task = json!({ "url": url, "token": grant.token, "mode": mode, "calls": calls });
    let walked: Walked = serde_json::from_str(&clients::run(client, &task).await).unwrap();

    assert_eq!(walked.version, version);
    assert_eq!(walked.tools.len(), 49 - 4, "all but the hidden ones: {:?}", walked.tools);
    assert!(!walked.tools.iter().any(|tool| tool.starts_with("flowforge_delete_")));
    for (step, answer) in steps.iter().zip(&walked.answers) {
        check_answer(step, answer);
    }
    check_upstream(&stack, &steps, &grant.token).await;
    check_rows(&api, &steps, &grant.id, &walked).await;
}

fn check_answer(step: &Step, answer: &Value) {
    let text = answer["text"].as_str().unwrap();
    match step.outcome {
        "allow" => assert_eq!(answer["is_error"], false, "{}: {answer}", step.tool),
        "hidden" => {
            assert_eq!(answer["code"], -32602, "{}: {answer}", step.tool);
            assert!(text.ends_with(&format!("Unknown tool: {}", step.tool)), "{text}");
        }
        _ => {
            assert_eq!(answer["is_error"], true, "{}: {answer}", step.tool);
            assert!(text.starts_with("[POLICY DENIED] "), "{text}");
            let decision = &answer["meta"]["dev.tollgate/decision"];
            assert_eq!(decision["rule"].as_str(), step.rule);
            assert_eq!(decision["policyVersion"], 1);
            assert_eq!(decision["limit"]["max"].as_u64(), (step.outcome == "limit").then_some(2));
        }
    }
}

/// Exactly the allowed calls, with the upstream's own key and nothing of the caller's.
async fn check_upstream(stack: &Stack, steps: &[Step], token: &str) {
    let log = stack.reached().await;
    let reached: Vec<_> = log["calls"]
        .as_array()
        .unwrap()
        .iter()
        .map(|call| (call["tool"].as_str().unwrap(), &call["arguments"]))
        .collect();
    let allowed: Vec<_> = steps
        .iter()
        .filter(|step| step.outcome == "allow")
        .map(|step| (step.tool, &step.arguments))
        .collect();
    assert_eq!(reached, allowed);
    for request in log["requests"].as_array().unwrap() {
        let headers = &request["headers"];
        assert_eq!(headers[UPSTREAM_KEY.0], UPSTREAM_KEY.1);
        assert!(headers["authorization"].is_null() && headers["cookie"].is_null(), "{headers}");
        assert!(!headers.to_string().contains(token));
    }
}

/// One row for each call, in order, that says what the caller was told.
async fn check_rows(api: &Api, steps: &[Step], grant: &str, walked: &Walked) {
    let rows = eventually("a row for every call", async || {
        let mut rows = api.decisions(&format!("&grant={grant}")).await;
        rows.retain(|row| row["method"] == "tools/call");
        (rows.len() >= steps.len()).then_some(rows)
    })
    .await;
    let told: Vec<_> = rows
        .iter()
        .rev()
        .map(|row| (row["tool"].as_str().unwrap(), row["outcome"].as_str().unwrap(), row["rule"].as_str()))
        .collect();
    let wanted: Vec<_> = steps.iter().map(|step| (step.tool, step.outcome, step.rule)).collect();
    assert_eq!(told, wanted);
    assert!(rows.iter().all(|row| row["protocol_version"] == walked.version.as_str()), "{rows:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn python_1() {
    walk("python-1", "legacy", "/mcp", "2025-11-25").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn python_2() {
    walk("python-2", "auto", "/mcp", "2026-07-28").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn python_2_with_sessions() {
    walk("python-2", "legacy", "/mcp", "2025-11-25").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn typescript_1() {
    walk("walk-1", "legacy", "/mcp/json", "2025-11-25").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn typescript_1_with_sessions() {
    walk("walk-1", "legacy", "/mcp", "2025-11-25").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn typescript_2() {
    walk("walk-2", "auto", "/mcp/json", "2026-07-28").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn typescript_2_with_sessions() {
    walk("walk-2", "legacy", "/mcp", "2025-11-25").await;
}
