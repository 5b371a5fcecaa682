//! `tollgate bridge`, the binary itself, in front of the fixtures on stdio: with the conformance suite, and as an upstream of the gateway
//! for the official clients.

use std::path::Path;
use std::process::Stdio;

use http::header::AUTHORIZATION;
use serde_json::{Value, json};
use testkit::{Api, Forwarder, eventually, free_address};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::conformance::{Required, run, sources};
use crate::same::{compare, table};
use crate::stack::Stack;
use crate::{clients, conformance};

const TOKEN: &str = "a-token-of-the-bridge-that-is-long";

/// The protocol's own test server.
const EVERYTHING: &str = "node_modules/@modelcontextprotocol/server-everything/dist/index.js";

/// A running bridge; killed when dropped.
struct Bridge {
    url: String,
    process: Child,
}

impl Bridge {
    /// A bridge to the fixtures, told `arguments`.
    async fn start(arguments: &[&str]) -> Self {
        Self::to("upstream/stdio.mjs", arguments).await
    }

    /// A bridge to a program of the folder of the suite.
    async fn to(program: &str, arguments: &[&str]) -> Self {
        let address = free_address();
        let mut process = Command::new(env!("CARGO_BIN_EXE_tollgate"))
            .args(["bridge", "--listen", &address.to_string(), "--"])
            .arg(clients::noted("node-22"))
            .arg(sources().join(program))
            .args(arguments)
            .env("TOLLGATE_BRIDGE_TOKEN", TOKEN)
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let first = lines.next_line().await.unwrap().expect("it says where it is");
        assert!(first.contains(&format!("serving at http://{address}/mcp")), "{first}");
        // Read on, so that it never waits for a reader.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { url: format!("http://{address}"), process }
    }

    /// Tells it to stop, and waits until it has.
    async fn stop(mut self) {
        let pid = self.process.id().unwrap().to_string();
        assert!(Command::new("kill").arg(pid).status().await.unwrap().success());
        let ended = self.process.wait().await.unwrap();
        assert!(ended.success(), "{ended}");
    }
}

async fn suite(revision: &str) {
    let bridge = Bridge::start(&[]).await;
    let way = Forwarder::to(&bridge.url, AUTHORIZATION, &format!("Bearer {TOKEN}")).await;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("conformance").join(revision);
    let checks = run(&format!("{}/mcp", way.url()), revision, &folder.join("bridge")).await;
    Required::of(revision).await.hold(&checks);
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_suite_in_sessions() {
    suite("2025-11-25").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_suite_stateless() {
    suite("2026-07-28").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_clients_do() {
    let (upstream, bridge) = (conformance::upstream().await, Bridge::start(&[]).await);
    for (client, row, mode) in [
        ("same-1", &table::TYPESCRIPT_1, "legacy"),
        ("same-2", &table::TYPESCRIPT_2_SESSIONS, "legacy"),
        ("same-2", &table::TYPESCRIPT_2, "auto"),
        ("same-python-1", &table::PYTHON_1, "legacy"),
        ("same-python-2", &table::PYTHON_2_SESSIONS, "legacy"),
        ("same-python-2", &table::PYTHON_2, "auto"),
    ] {
        let direct = clients::run(client, &json!({ "url": upstream.url, "mode": mode })).await;
        let task = json!({ "url": format!("{}/mcp", bridge.url), "token": TOKEN, "mode": mode });
        let through = clients::run(client, &task).await;
        compare(row, serde_json::from_str(&direct).unwrap(), serde_json::from_str(&through).unwrap());
    }
    bridge.stop().await;
}

/// What `client` gets of the fixtures through the gateway and a bridge that was told `arguments`.
async fn through(client: &str, mode: &str, arguments: &[&str], version: &str) {
    let (stack, bridge) = (Stack::start().await, Bridge::start(arguments).await);
    let tollgate = stack.serve(&[]).await;
    let api = Api::sign_up(&tollgate.url).await;
    let key = format!("Bearer {TOKEN}");
    let server = api.register("Bridged", &format!("{}/mcp", bridge.url), &[("Authorization", &key)]).await;
    let document = json!({ "version": "1", "default": "allow", "tools": { "test_error_handling": { "action": "deny" } } });
    let policy = api.policy(&server, "bridged", &document).await;
    let grant = api.mint(&server, &policy, client).await;
    let call = |tool: &str| json!({ "tool": tool, "arguments": {} });
    let calls = [call("test_simple_text"), call("test_error_handling"), call("test_simple_text")];
    let url = format!("{}/mcp/{server}", tollgate.url);
    let task = json!({ "url": url, "token": grant.token, "mode": mode, "calls": calls });
    let walked: Value = serde_json::from_str(&clients::run(client, &task).await).unwrap();
    assert_eq!(walked["version"], version);
    let answers = walked["answers"].as_array().unwrap();
    assert_eq!(answers[0]["text"], "This is a simple text response for testing.");
    assert_eq!(answers[0], answers[2]);
    assert!(answers[1]["text"].as_str().unwrap().starts_with("[POLICY DENIED] "), "{answers:?}");
    let rows = eventually("a row for every call", async || {
        let mut rows = api.decisions(&format!("&grant={}", grant.id)).await;
        rows.retain(|row| row["method"] == "tools/call");
        (rows.len() == 3).then_some(rows)
    })
    .await;
    assert!(rows.iter().all(|row| row["protocol_version"] == version), "{rows:?}");
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn python_1() {
    through("python-1", "legacy", &[], "2025-11-25").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn python_2() {
    through("python-2", "auto", &[], "2026-07-28").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn typescript_1() {
    through("walk-1", "legacy", &["legacy"], "2025-11-25").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn typescript_2() {
    through("walk-2", "auto", &[], "2026-07-28").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn typescript_2_to_an_older_server() {
    through("walk-2", "auto", &["legacy"], "2026-07-28").await;
}

/// What `client` does with the protocol's own test server at `task`: the version that was settled, and what came of each step.
async fn everything(client: &str, task: &Value) -> (Value, Vec<(String, Value)>) {
    let text = clients::run(client, task).await;
    let mut found: Value = serde_json::from_str(&text).unwrap();
    (found["version"].take(), serde_json::from_value(found["told"].take()).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_npm_in_both_eras() {
    let (node, program) = (clients::noted("node-22"), sources().join(EVERYTHING));
    let command = json!({ "command": { "command": node, "args": [program, "stdio"] } });
    let (_, mut direct) = everything("everything-1", &command).await;
    assert_eq!(direct.len(), 9, "{direct:?}");
    let failed: Vec<_> = direct.iter().filter(|(_, outcome)| outcome.get("failed").is_some()).collect();
    assert!(failed.is_empty(), "{failed:?}");
    // Over stdio the client itself may lose what comes at once with the answer. Nobody may lose it here.
    let (steps, all) = (&mut direct[3].1[1], json!([[1, 3], [2, 3], [3, 3]]));
    assert!(all.as_array().unwrap().starts_with(steps.as_array().unwrap()), "{steps}");
    *steps = all;

    let bridge = Bridge::to(EVERYTHING, &["stdio"]).await;
    let task = json!({ "url": format!("{}/mcp", bridge.url), "token": TOKEN });
    for (client, version) in [
        ("everything-1", "2025-11-25"),
        ("everything-2", "2026-07-28"),
        ("everything-python-1", "2025-11-25"),
        ("everything-python-2", "2026-07-28"),
    ] {
        let (settled, told) = everything(client, &task).await;
        assert_eq!(settled, version, "{client}");
        assert_eq!(told.len(), direct.len(), "{client}: {told:?}");
        for ((step, outcome), (_, expected)) in told.iter().zip(&direct) {
            let outcome = if step == "tools" { shown(outcome, expected) } else { plain(outcome) };
            assert_eq!(&outcome, expected, "{client}: {step}");
        }
    }
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_server_asks_through_the_gateway() {
    let (stack, bridge) = (Stack::start().await, Bridge::to(EVERYTHING, &["stdio"]).await);
    let tollgate = stack.serve(&[]).await;
    let api = Api::sign_up(&tollgate.url).await;
    let (url, key) = (format!("{}/mcp", bridge.url), format!("Bearer {TOKEN}"));
    let server = api.register("Everything", &url, &[("Authorization", &key)]).await;
    let policy = api.policy(&server, "all", &json!({ "version": "1", "default": "allow" })).await;
    let grant = api.mint(&server, &policy, "all").await;
    let (_, direct) = everything("everything-2", &json!({ "url": url, "token": TOKEN })).await;
    let through = json!({ "url": format!("{}/mcp/{server}", tollgate.url), "token": grant.token });
    let (version, through) = everything("everything-2", &through).await;
    assert_eq!(version, "2026-07-28");
    assert_eq!(through, direct);
    assert_eq!(direct[4].1[0], "✅ User provided the requested information!", "{direct:?}");
    bridge.stop().await;
}

/// Of the tools that a client was shown, those that another was: some show more where more can be asked.
fn shown(tools: &Value, others: &Value) -> Value {
    let others = others.as_array().unwrap();
    tools.as_array().unwrap().iter().filter(|tool| others.contains(tool)).cloned().collect()
}

/// The same with whole numbers where the client says them with a fraction of nothing.
fn plain(value: &Value) -> Value {
    match value {
        Value::Array(list) => list.iter().map(plain).collect(),
        Value::Number(number) if number.is_f64() => {
            serde_json::from_str(&format!("{}", number.as_f64().unwrap())).unwrap()
        }
        other => other.clone(),
    }
}
