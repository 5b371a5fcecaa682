//! Tasks in both eras: named for one grant, and for nobody else; judged, filtered and written down like the call that made
//! them.

use axum::body::Body;
use axum::http::Response;
use domain::Outcome;
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use testkit::upstream::{self, Received};

use crate::client::{Answer, message};
use crate::gate::{Gate, POLICY, send};
use crate::world::{Grant, plain};

/// An upstream with tasks: those of everybody are `task-<tool>`, and there is one that nobody here made.
fn tasks(request: &Received) -> Response<Body> {
    let message = request.json();
    let params = &message["params"];
    let id = params["taskId"].as_str().unwrap_or("").to_owned();
    let related = json!({ "io.modelcontextprotocol/related-task": { "taskId": id } });
    let modern = params["_meta"].get("io.modelcontextprotocol/protocolVersion").is_some();
    let made = json!({ "taskId": format!("task-{}", params["name"].as_str().unwrap_or("")), "status": "working", "ttl": 60000 });
    let mut result = match request.rpc_method().as_str() {
        "tools/call" if params.get("task").is_some() => json!({ "task": made }),
        "tools/call" if modern => {
            let mut result = made;
            result["resultType"] = "task".into();
            result
        }
        "tasks/get" if modern => {
            json!({ "taskId": id, "status": "completed", "result": { "content": [], "_meta": related } })
        }
        "tasks/get" | "tasks/cancel" if !modern => json!({ "taskId": id, "status": "working" }),
        "tasks/result" => json!({ "content": [{ "type": "text", "text": id }], "_meta": related }),
        "tasks/list" => {
            json!({ "tasks": [{ "taskId": "task-read" }, { "taskId": "task-of-somebody" }, { "taskId": "task-write" }], "nextCursor": "n" })
        }
        "tasks/cancel" | "tasks/update" => json!({}),
        _ => return plain(request),
    };
    if modern && result.get("resultType").is_none() {
        result["resultType"] = "complete".into();
    }
    upstream::json(&json!({ "jsonrpc": "2.0", "id": message["id"], "result": result }))
}

async fn legacy(gate: &Gate, grant: &Grant, method: &str, params: Value) -> Answer {
    gate.door.post(grant, message(1, method, params).to_string()).await
}

/// A modern request of a client that works with tasks.
fn modern(gate: &Gate, grant: &Grant, method: &str, params: &Value) -> RequestBuilder {
    let mut params = params.clone();
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": { "extensions": { "io.modelcontextprotocol/tasks": {} } },
    });
    let name = params["taskId"].as_str().or_else(|| params["name"].as_str()).map(str::to_owned);
    let request =
        gate.door.request(grant).header("mcp-protocol-version", "2026-07-28").header("mcp-method", method);
    let request = match name {
        Some(name) => request.header("mcp-name", name),
        None => request,
    };
    request.body(message(1, method, params).to_string())
}

async fn legacy_task(gate: &Gate, grant: &Grant, tool: &str) -> String {
    let made =
        legacy(gate, grant, "tools/call", json!({ "name": tool, "task": { "ttl": 60000 } })).await.json();
    assert_eq!(made["result"]["task"]["status"], "working", "{made}");
    made["result"]["task"]["taskId"].as_str().unwrap().to_owned()
}

async fn modern_task(gate: &Gate, grant: &Grant, tool: &str) -> String {
    let made =
        send(modern(gate, grant, "tools/call", &json!({ "name": tool, "arguments": {} }))).await.json();
    assert_eq!(made["result"]["resultType"], "task", "{made}");
    made["result"]["taskId"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_task_of_the_legacy_era_is_known_by_another_name_from_call_to_result() {
    let gate = Gate::new(tasks).await;
    let id = legacy_task(&gate, &gate.grant, "read").await;
    assert!(!id.contains("task-read"));
    for method in ["tasks/get", "tasks/cancel"] {
        let answer = legacy(&gate, &gate.grant, method, json!({ "taskId": id })).await.json();
        assert_eq!(answer["result"]["taskId"], *id, "{method}");
    }
    let answer = legacy(&gate, &gate.grant, "tasks/result", json!({ "taskId": id })).await.json();
    assert_eq!(answer["result"]["_meta"]["io.modelcontextprotocol/related-task"]["taskId"], *id);
    assert_eq!(answer["result"]["content"][0]["text"], "task-read", "what a tool says is its own affair");
    let upstream = gate.upstream().received();
    assert!(upstream[1..].iter().all(|request| request.json()["params"]["taskId"] == "task-read"));
    let rows = gate.decisions().await;
    assert_eq!(rows.len(), 4);
    assert!(rows.iter().all(|row| row.tool.as_deref() == Some("read") && row.outcome == Outcome::Allow));
}

#[tokio::test]
async fn a_task_of_the_modern_era_too() {
    let gate = Gate::new(tasks).await;
    let id = modern_task(&gate, &gate.grant, "read").await;
    let got = send(modern(&gate, &gate.grant, "tasks/get", &json!({ "taskId": id }))).await.json();
    assert_eq!((&got["result"]["taskId"], &got["result"]["resultType"]), (&json!(id), &json!("complete")));
    assert_eq!(got["result"]["result"]["_meta"]["io.modelcontextprotocol/related-task"]["taskId"], *id);
    for (method, params) in [
        ("tasks/update", json!({ "taskId": id, "inputResponses": {} })),
        ("tasks/cancel", json!({ "taskId": id })),
    ] {
        assert_eq!(send(modern(&gate, &gate.grant, method, &params)).await.status, 200, "{method}");
    }
    let upstream = gate.upstream().received();
    assert_eq!(
        upstream[0].json()["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"]["extensions"],
        json!({ "io.modelcontextprotocol/tasks": {} })
    );
    for request in &upstream[1..] {
        assert_eq!(
            (request.json()["params"]["taskId"].as_str(), request.header("mcp-name")),
            (Some("task-read"), "task-read")
        );
    }
}

#[tokio::test]
async fn a_task_is_there_for_its_grant_alone() {
    let gate = Gate::new(tasks).await;
    let other = gate.world.grant().await;
    let id = legacy_task(&gate, &gate.grant, "read").await;
    let before = gate.upstream().received().len();
    for (grant, id) in [
        (&other, id.as_str()),
        (&gate.grant, "task-read"),
        (&gate.grant, "task-of-somebody"),
        (&gate.grant, ""),
    ] {
        for method in ["tasks/get", "tasks/result", "tasks/cancel"] {
            let answer = legacy(&gate, grant, method, json!({ "taskId": id })).await;
            assert_eq!((answer.status.as_u16(), answer.code()), (200, -32602), "{method} {id}");
            assert_eq!(answer.json()["error"]["message"], "Task not found");
        }
        for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
            let answer = send(modern(&gate, grant, method, &json!({ "taskId": id }))).await;
            assert_eq!((answer.status.as_u16(), answer.code()), (400, -32602), "{method} {id}");
        }
        let filter = json!({ "notifications": { "taskIds": [id] } });
        let answer = send(modern(&gate, grant, "subscriptions/listen", &filter)).await;
        assert_eq!(answer.json()["error"]["message"], "Task not found");
    }
    assert_eq!(gate.upstream().received().len(), before);
}

#[tokio::test]
async fn a_list_holds_the_tasks_of_the_grant() {
    let gate = Gate::new(tasks).await;
    let other = gate.world.grant().await;
    let id = legacy_task(&gate, &gate.grant, "read").await;
    legacy_task(&gate, &other, "write").await;
    let listed = legacy(&gate, &gate.grant, "tasks/list", json!({})).await.json();
    assert_eq!(listed["result"], json!({ "tasks": [{ "taskId": id }], "nextCursor": "n" }));
    let bare = gate.world.grant().await;
    assert_eq!(legacy(&gate, &bare, "tasks/list", json!({})).await.json()["result"]["tasks"], json!([]));
}

#[tokio::test]
async fn a_grant_that_may_no_longer_call_the_tool_may_only_cancel() {
    let gate = Gate::new(tasks).await;
    let (old, new) =
        (legacy_task(&gate, &gate.grant, "read").await, modern_task(&gate, &gate.grant, "read").await);
    gate.world
        .save_policy(r#"{ "version": "1", "default": "allow", "tools": { "read": { "action": "deny" } } }"#)
        .await;
    let before = gate.upstream().received().len();
    for method in ["tasks/get", "tasks/result"] {
        let answer = legacy(&gate, &gate.grant, method, json!({ "taskId": old })).await;
        let error = &answer.json()["error"];
        assert_eq!((answer.status.as_u16(), &error["code"]), (200, &json!(-32602)), "{method}");
        assert_eq!(error["data"]["dev.tollgate/decision"]["rule"], "/tools/read/action");
    }
    for method in ["tasks/get", "tasks/update"] {
        assert_eq!(send(modern(&gate, &gate.grant, method, &json!({ "taskId": new }))).await.code(), -32602);
    }
    assert_eq!(gate.upstream().received().len(), before);
    assert_eq!(
        legacy(&gate, &gate.grant, "tasks/list", json!({})).await.json()["result"]["tasks"],
        json!([])
    );
    assert_eq!(
        legacy(&gate, &gate.grant, "tasks/cancel", json!({ "taskId": old })).await.json()["result"]["taskId"],
        *old
    );
    assert_eq!(send(modern(&gate, &gate.grant, "tasks/cancel", &json!({ "taskId": new }))).await.status, 200);
}

#[tokio::test]
async fn a_refused_call_that_wants_a_task_is_an_error() {
    let gate = Gate::new(tasks).await;
    for (tool, message) in
        [("denied", "[POLICY DENIED] not for agents"), ("hidden_x", "Unknown tool: hidden_x")]
    {
        let answer = legacy(&gate, &gate.grant, "tools/call", json!({ "name": tool, "task": {} })).await;
        let (status, answer) = (answer.status.as_u16(), answer.json());
        assert_eq!((status, &answer["error"]["code"], answer.get("result")), (200, &json!(-32602), None));
        assert_eq!(answer["error"]["message"], message);
    }
    let answer = send(modern(&gate, &gate.grant, "tools/call", &json!({ "name": "denied" }))).await.json();
    assert_eq!(answer["result"]["isError"], true, "nobody there asked for a task");
    assert!(POLICY.contains("not for agents"));
}

#[tokio::test]
async fn news_of_tasks_reach_their_grant_by_its_name() {
    let news = |id: &str| {
        upstream::event(
            &json!({ "jsonrpc": "2.0", "method": "notifications/tasks/status", "params": { "taskId": id, "status": "completed" } }),
        )
    };
    let stream = format!("{}{}", news("task-of-somebody"), news("task-read"));
    let gate = Gate::new(move |request| match request.method.as_str() {
        "GET" => upstream::events(stream.clone()),
        _ => tasks(request),
    })
    .await;
    let id = legacy_task(&gate, &gate.grant, "read").await;
    let listen = |grant: &Grant| {
        gate.door.http().get(gate.door.url()).bearer_auth(&grant.token).header("accept", "text/event-stream")
    };
    assert_eq!(send(listen(&gate.grant)).await.text, news(&id));
    assert_eq!(send(listen(&gate.world.grant().await)).await.text, "");
}

#[tokio::test]
async fn a_subscription_to_tasks_speaks_of_them_by_the_clients_names() {
    let gate = Gate::new(|request| match request.rpc_method().as_str() {
        "subscriptions/listen" => {
            let ids = request.json()["params"]["notifications"]["taskIds"].clone();
            let acknowledged = json!({ "jsonrpc": "2.0", "method": "notifications/subscriptions/acknowledged", "params": { "notifications": { "taskIds": ids } } });
            let news = |id: &str| upstream::event(&json!({ "jsonrpc": "2.0", "method": "notifications/tasks", "params": { "taskId": id } }));
            upstream::events(format!("{}{}{}", upstream::event(&acknowledged), news("task-of-somebody"), news("task-read")))
        }
        _ => tasks(request),
    })
    .await;
    let id = modern_task(&gate, &gate.grant, "read").await;
    let filter = json!({ "notifications": { "taskIds": [id] } });
    let text = send(modern(&gate, &gate.grant, "subscriptions/listen", &filter)).await.text;
    assert_eq!(
        gate.upstream().received()[1].json()["params"]["notifications"]["taskIds"],
        json!(["task-read"])
    );
    assert_eq!(text.matches(&id).count(), 2, "{text}");
    assert!(!text.contains("task-read") && !text.contains("somebody"), "{text}");
}
