//! How often a grant may ask about its tasks: a limit apart from those of calls, shared by all gateways.

use axum::body::Body;
use axum::http::{Response, StatusCode};
use domain::Outcome;
use serde_json::{Value, json};
use testkit::upstream::{self, Received};

use crate::client::{Door, message};
use crate::gate::{Gate, send};
use crate::world::{Grant, plain};

fn tasks(request: &Received) -> Response<Body> {
    let message = request.json();
    let params = &message["params"];
    let result = match request.rpc_method().as_str() {
        "tools/call" => json!({ "task": { "taskId": params["name"], "status": "working" } }),
        "tasks/get" | "tasks/cancel" => json!({ "taskId": params["taskId"], "status": "working" }),
        "tasks/list" => json!({ "tasks": [] }),
        "tasks/result" => json!({ "content": [] }),
        _ => return plain(request),
    };
    upstream::json(&json!({ "jsonrpc": "2.0", "id": message["id"], "result": result }))
}

async fn made(door: &Door, grant: &Grant, tool: &str) -> Value {
    let body = message(1, "tools/call", json!({ "name": tool, "task": {} })).to_string();
    door.post(grant, body).await.json()["result"]["task"]["taskId"].clone()
}

#[tokio::test]
async fn a_task_is_asked_about_so_often_and_no_more() {
    let gate = Gate::with(&[], |settings| settings.task_polls = 3, tasks).await;
    let other = gate.world.door_with(|settings| settings.task_polls = 3).await;
    let (one, two) = (made(&gate.door, &gate.grant, "one").await, made(&gate.door, &gate.grant, "two").await);
    let poll = async |door: &Door, method: &str, task: &Value| {
        door.post(&gate.grant, message(5, method, json!({ "taskId": task })).to_string()).await
    };
    for (door, method) in [(&gate.door, "tasks/get"), (&other, "tasks/result"), (&other, "tasks/get")] {
        assert_eq!(poll(door, method, &one).await.status, StatusCode::OK);
    }
    let before = gate.upstream().received().len();
    for door in [&gate.door, &other] {
        let refused = poll(door, "tasks/get", &one).await;
        // With 429 a client of the older revisions would think its session broken.
        assert_eq!((refused.status.as_u16(), refused.code()), (200, -32603));
        let wait: u64 = refused.header("retry-after").parse().unwrap();
        assert!((1..=62).contains(&wait), "{wait}");
        let body = refused.json();
        assert_eq!(
            (&body["id"], &body["error"]["data"]["dev.tollgate/decision"]["rule"]),
            (&json!(5), &json!("(task polls)"))
        );
        assert_eq!(body["error"]["data"]["dev.tollgate/decision"]["limit"]["max"], 3);
    }
    assert_eq!(gate.upstream().received().len(), before);
    // The end of a task, other tasks, and lists are counted apart or not at all.
    assert_eq!(poll(&gate.door, "tasks/cancel", &one).await.status, StatusCode::OK);
    assert_eq!(poll(&gate.door, "tasks/get", &two).await.status, StatusCode::OK);
    let list = async || gate.door.post(&gate.grant, message(5, "tasks/list", json!({})).to_string()).await;
    for _ in 0..3 {
        assert_eq!(list().await.status, StatusCode::OK);
    }
    assert_eq!(list().await.code(), -32603);
    let params = json!({ "taskId": one });
    let stateless = gate.modern("tasks/get", params).header("mcp-name", one.as_str().unwrap());
    let stateless = send(stateless).await;
    assert_eq!((stateless.status, stateless.code()), (StatusCode::TOO_MANY_REQUESTS, -32603));
    let rows = gate.world.records(&[&gate.door, &other]).await.decisions;
    let refused: Vec<_> = rows.iter().filter_map(|(row, limit)| limit.as_ref().map(|_| row)).collect();
    assert_eq!(refused.len(), 4);
    assert!(refused.iter().all(|row| row.outcome == Outcome::Allow && row.limits[0].rule == "(task polls)"));
}
