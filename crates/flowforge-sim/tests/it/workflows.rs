//! What the tools do: runs that complete, fail, pause and go on, and the things around them.

use rmcp::model::ProtocolVersion;
use serde_json::{Value, json};

use crate::support::{Client, Sim, done, refused};

async fn client() -> Client {
    Sim::start().await.modern("/mcp/json").await
}

#[tokio::test]
async fn an_event_starts_the_runs_that_listen_once_for_each_id() {
    let client = client().await;
    let event = json!({ "name": "order/created", "data": { "order_id": "A-2001" }, "id": "order-2001" });
    let sent = done(&client, "flowforge_send_event", event.clone()).await;
    assert_eq!(sent["runs"], json!(["run-0007"]));
    assert_eq!(done(&client, "flowforge_send_event", event).await, sent);
    let run = done(&client, "flowforge_get_run", json!({ "run_id": "run-0007" })).await;
    assert_eq!((&run["status"], &run["input"]["order_id"]), (&json!("completed"), &json!("A-2001")));
    let steps = done(&client, "flowforge_get_run_steps", json!({ "run_id": "run-0007" })).await;
    let names: Vec<_> = steps["items"].as_array().unwrap().iter().map(|step| step["name"].clone()).collect();
    assert_eq!(names, ["read input", "use lookup_order", "use send_email", "write answer"]);
    let calls = done(&client, "flowforge_get_run_tool_calls", json!({ "run_id": "run-0007" })).await;
    assert_eq!(calls["items"][1]["tool"], "send_email");
    let nobody = done(&client, "flowforge_send_event", json!({ "name": "nobody/listens" })).await;
    assert_eq!(nobody["runs"], json!([]));
    assert_eq!(done(&client, "flowforge_list_events", json!({ "name": "nobody/listens" })).await["total"], 1);
}

#[tokio::test]
async fn a_failed_run_is_retried_where_it_broke_and_replayed_from_the_start() {
    let client = client().await;
    let run = json!({ "run_id": "run-0002" });
    for attempt in 2..=4 {
        let failed = done(&client, "flowforge_retry_run", run.clone()).await;
        assert_eq!((&failed["status"], &failed["attempt"]), (&json!("failed"), &json!(attempt)));
    }
    assert_eq!(done(&client, "flowforge_retry_run", run.clone()).await["status"], "completed");
    let refusal = refused(&client, "flowforge_retry_run", run.clone()).await;
    assert_eq!(refusal["error"], "run `run-0002` is completed: only a failed run can be retried");
    let calls = done(&client, "flowforge_get_run_tool_calls", run.clone()).await;
    assert_eq!(calls["items"].as_array().unwrap().len(), 2, "steps that were done are not done again");
    let again = done(&client, "flowforge_replay_run", run).await;
    assert_eq!((&again["id"], &again["replay_of"]), (&json!("run-0007"), &json!("run-0002")));
}

#[tokio::test]
async fn an_approval_lets_the_run_go_on_with_the_arguments_given() {
    let client = client().await;
    let change = json!({ "approval_id": "apr-0001", "modified_arguments": { "amount": 10 } });
    let decided = done(&client, "flowforge_approve_tool_call", change.clone()).await;
    assert_eq!(decided["run"]["status"], "completed");
    let calls = done(&client, "flowforge_get_run_tool_calls", json!({ "run_id": "run-0003" })).await;
    assert_eq!(calls["items"][1]["arguments"], json!({ "amount": 10 }));
    assert_eq!(calls["items"][1]["approval_id"], "apr-0001");
    assert_eq!(refused(&client, "flowforge_approve_tool_call", change).await["status"], 409);
}

#[tokio::test]
async fn a_rejection_fails_the_run_and_a_cancelled_run_wants_no_approval() {
    let client = client().await;
    let reason = json!({ "approval_id": "apr-0001", "reason": "too much" });
    let decided = done(&client, "flowforge_reject_tool_call", reason).await;
    assert_eq!(decided["run"]["error"], "a person refused it: too much");

    let sent = done(&client, "flowforge_send_event", json!({ "name": "billing/refund" })).await;
    let paused = json!({ "run_id": sent["runs"][0] });
    assert_eq!(done(&client, "flowforge_cancel_run", paused.clone()).await["status"], "cancelled");
    assert_eq!(refused(&client, "flowforge_cancel_run", paused).await["status"], 409);
    let waiting = done(&client, "flowforge_list_approvals", json!({ "status": "pending" })).await;
    assert_eq!(waiting["total"], 0);
}

#[tokio::test]
async fn a_missing_credential_fails_a_run_until_it_is_stored() {
    let client = client().await;
    let run = json!({ "run_id": "run-0004" });
    let failed = done(&client, "flowforge_get_run", run.clone()).await;
    assert_eq!(failed["error"], "credential `crm_token` is missing");
    let secret = json!({ "name": "crm_token", "value": "crm-secret-value" });
    let stored = done(&client, "flowforge_create_credential", secret).await;
    assert_eq!(stored["masked"], "crm-…");
    assert_eq!(done(&client, "flowforge_retry_run", run).await["status"], "completed");
    let listed = done(&client, "flowforge_list_credentials", json!({})).await;
    assert_eq!(listed["total"], 5);
    assert!(!listed.to_string().contains("secret-value"));
    let deleted = done(&client, "flowforge_delete_credential", json!({ "name": "stripe_key" })).await;
    assert_eq!(deleted["tools_that_used_it"], json!(["issue_refund"]));
}

#[tokio::test]
async fn functions_and_their_tools_are_made_changed_and_removed() {
    let client = client().await;
    let tool = json!({ "name": "sum", "description": "adds", "parameters": {}, "code": "return a + b" });
    done(&client, "flowforge_create_tool", tool.clone()).await;
    assert_eq!(refused(&client, "flowforge_create_tool", tool).await["status"], 409);
    let webhook = json!({ "name": "hook", "description": "x", "parameters": {}, "tool_type": "webhook" });
    assert_eq!(refused(&client, "flowforge_create_tool", webhook).await["status"], 422);
    let function = json!({
        "name": "Adder", "trigger_type": "event", "trigger_value": "math/add", "system_prompt": "Add.",
        "tools": ["sum"],
    });
    let made = done(&client, "flowforge_create_inline_function", function).await;
    let id = made["id"].clone();
    let off = json!({ "tool_name": "sum", "is_active": false });
    done(&client, "flowforge_update_tool", off).await;
    let sent = done(&client, "flowforge_send_event", json!({ "name": "math/add" })).await;
    let run = done(&client, "flowforge_get_run", json!({ "run_id": sent["runs"][0] })).await;
    assert_eq!(run["error"], "tool `sum` is switched off");
    done(&client, "flowforge_delete_function", json!({ "function_id": id })).await;
    let silent = done(&client, "flowforge_send_event", json!({ "name": "math/add" })).await;
    assert_eq!(silent["runs"], json!([]));
    let broken = done(&client, "flowforge_delete_tool", json!({ "tool_name": "sum" })).await;
    assert_eq!(broken["functions_that_used_it"], json!([id]));
}

#[tokio::test]
async fn tasks_comments_and_notifications_hang_together() {
    let client = client().await;
    let task = json!({ "title": "Look", "assignee_agent_id": "agent-0001", "labels": ["x"] });
    let id = done(&client, "flowforge_create_task", task).await["id"].clone();
    let nobody = json!({ "title": "Look", "assignee_agent_id": "agent-0099" });
    assert_eq!(refused(&client, "flowforge_create_task", nobody).await["status"], 422);
    let comment = json!({ "task_id": id, "content": "@kim, please" });
    done(&client, "flowforge_add_comment", comment).await;
    let unread = done(&client, "flowforge_list_notifications", json!({ "is_read": false })).await;
    assert_eq!(unread["items"][0]["text"], "kim was mentioned on task-0005");
    let marked = done(&client, "flowforge_mark_notifications_read", json!({})).await;
    assert_eq!(marked["marked"], unread["total"]);
    done(&client, "flowforge_update_task", json!({ "task_id": id, "status": "done" })).await;
    let board = done(&client, "flowforge_get_task_board", json!({ "assignee_agent_id": "agent-0001" })).await;
    assert_eq!(board["columns"]["done"][0]["id"], id);
    done(&client, "flowforge_delete_task", json!({ "task_id": id })).await;
    assert_eq!(done(&client, "flowforge_list_comments", json!({ "task_id": id })).await["total"], 0);
}

#[tokio::test]
async fn skills_are_found_installed_and_given_to_agents() {
    let client = client().await;
    let found = done(&client, "flowforge_search_marketplace", json!({ "query": "refund" })).await;
    let repo = found["items"][0]["repo"].clone();
    let preview = done(&client, "flowforge_preview_skill", json!({ "repo": repo })).await;
    assert!(preview["content"].as_str().unwrap().contains("# Refund rules"));
    let skill = done(&client, "flowforge_import_skill", json!({ "repo": repo, "category": "money" })).await;
    assert_eq!((&skill["id"], &skill["category"]), (&json!("skill-0003"), &json!("money")));
    let given = json!({ "agent_id": "agent-0002", "skill_ids": ["skill-0003"] });
    assert_eq!(done(&client, "flowforge_set_agent_skills", given).await["skills"], json!(["skill-0003"]));
    let unknown = json!({ "function_id": "fn-0001", "skill_ids": ["skill-0009"] });
    assert_eq!(refused(&client, "flowforge_set_function_skills", unknown).await["status"], 422);
    assert_eq!(
        refused(&client, "flowforge_import_skill", json!({ "repo": "no/where" })).await["status"],
        404
    );
}

/// Arguments with which a tool succeeds on the seed data.
fn arguments(tool: &str) -> Value {
    let trigger = json!({ "name": "F", "trigger_type": "event", "trigger_value": "a/b" });
    let with = |mut base: Value, more: Value| {
        base.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        base
    };
    match tool.trim_start_matches("flowforge_") {
        "send_event" => json!({ "name": "a/b" }),
        "get_event" => json!({ "event_id": "evt-0001" }),
        "get_function" | "update_function" | "delete_function" => json!({ "function_id": "fn-0001" }),
        "create_function" => with(trigger, json!({ "endpoint_url": "https://example.com/f" })),
        "create_inline_function" => with(trigger, json!({ "system_prompt": "x", "tools": [] })),
        "get_run" | "replay_run" | "get_run_steps" | "get_run_tool_calls" => json!({ "run_id": "run-0001" }),
        "cancel_run" => json!({ "run_id": "run-0003" }),
        "retry_run" => json!({ "run_id": "run-0002" }),
        "get_tool" | "update_tool" | "delete_tool" => json!({ "tool_name": "send_email" }),
        "create_tool" => json!({ "name": "t", "description": "x", "parameters": {}, "code": "x" }),
        "approve_tool_call" => json!({ "approval_id": "apr-0001" }),
        "reject_tool_call" => json!({ "approval_id": "apr-0001", "reason": "no" }),
        "get_agent" | "update_agent" => json!({ "agent_id": "agent-0001" }),
        "create_agent" => json!({ "name": "A" }),
        "set_agent_skills" => json!({ "agent_id": "agent-0001", "skill_ids": [] }),
        "set_function_skills" => json!({ "function_id": "fn-0001", "skill_ids": [] }),
        "get_task" | "update_task" | "delete_task" => json!({ "task_id": "task-0001" }),
        "create_task" => json!({ "title": "T" }),
        "search_marketplace" => json!({ "query": "a" }),
        "preview_skill" | "import_skill" => json!({ "repo": "acme/refund-rules" }),
        "add_comment" => json!({ "run_id": "run-0001", "content": "x" }),
        "create_credential" => json!({ "name": "c", "value": "v" }),
        "delete_credential" => json!({ "name": "openai_key" }),
        _ => json!({}),
    }
}

#[tokio::test]
async fn every_tool_answers_in_its_own_fresh_world() {
    let sim = Sim::start().await;
    let client = sim.legacy("/mcp", ProtocolVersion::V_2025_06_18).await;
    for tool in client.list_all_tools().await.unwrap() {
        reqwest::Client::new().post(format!("{}/__reset", sim.url)).send().await.unwrap();
        let name = tool.name.into_owned().leak();
        let answer = done(&client, name, arguments(name)).await;
        assert!(answer.as_object().is_some_and(|members| !members.is_empty()), "{name}: {answer}");
    }
}
