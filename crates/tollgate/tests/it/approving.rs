//! The official clients make a call that a person must approve, while a person approves it by the API: each gets the tool's answer
//! to the call that it made.

use serde_json::{Value, json};
use testkit::{Api, Process};
use tokio::time::{Duration, sleep};

use crate::clients;
use crate::stack::Stack;

const TOOL: &str = "flowforge_health_check";

/// A server whose one allowed tool a person must approve, and what its client is told of it.
struct Desk {
    stack: Stack,
    _process: Process,
    api: Api,
    task: Value,
}

impl Desk {
    async fn new() -> Self {
        let stack = Stack::start().await;
        let process = stack.serve_with(&[], &[("TOLLGATE_APPROVAL_HOLD", "50")]).await;
        let api = Api::sign_up(&process.url).await;
        let server = stack.register(&api, "/mcp").await;
        let document =
            json!({ "version": "1", "default": "deny", "tools": { TOOL: { "action": "require_approval" } } });
        let policy = api.policy(&server, "asks", &document).await;
        let grant = api.mint(&server, &policy, "agent").await;
        let url = format!("{}/mcp/{server}", process.url);
        Self { stack, _process: process, api, task: json!({ "url": url, "token": grant.token }) }
    }

    /// A person who approves the first call that waits: its id.
    async fn person(&self) -> String {
        loop {
            let waiting = self.api.get("/approvals?state=pending").await;
            if let Some(id) = waiting["items"][0]["id"].as_str() {
                self.api.post(&format!("/approvals/{id}/approve"), json!({})).await;
                return id.to_owned();
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Runs a client with more of a task, and a person beside it: what it tells, and the approval.
    async fn run(&self, client: &str, more: &[(&str, Value)]) -> (Value, String) {
        let mut task = self.task.clone();
        for (key, value) in more {
            task[*key] = value.clone();
        }
        let (told, approval) = tokio::join!(clients::run(client, &task), self.person());
        (serde_json::from_str(&told).unwrap(), approval)
    }

    /// The call reached the upstream once, and the log has both of its decisions.
    async fn ran_once(&self, approval: &str) {
        assert_eq!(self.stack.reached().await["total"], 1);
        let approval = self.api.get(&format!("/approvals/{approval}")).await;
        assert_eq!(approval["state"], "used", "{approval}");
    }
}

async fn held(client: &str, mode: &str) {
    let desk = Desk::new().await;
    let calls = json!([{ "tool": TOOL, "arguments": {} }]);
    let (told, approval) = desk.run(client, &[("mode", mode.into()), ("calls", calls)]).await;
    let answer = &told["answers"][0];
    assert_eq!(answer["is_error"], false, "{told}");
    desk.ran_once(&approval).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn python_1_is_held() {
    held("python-1", "legacy").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn python_2_is_held() {
    held("python-2", "auto").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn typescript_1_is_held() {
    held("walk-1", "legacy").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn typescript_2_is_held() {
    held("walk-2", "auto").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn typescript_2_is_sent_to_the_page() {
    let desk = Desk::new().await;
    let (told, approval) = desk.run("opens-2", &[("tool", TOOL.into()), ("arguments", json!({}))]).await;
    let origin = desk.task["url"].as_str().unwrap().split("/mcp/").next().unwrap().to_owned();
    assert_eq!(told["opened"], json!([format!("{origin}/approvals/{approval}")]), "{told}");
    assert_eq!(told["is_error"], false, "{told}");
    desk.ran_once(&approval).await;
}
