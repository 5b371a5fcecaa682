//! `tollgate bridge`, the binary itself, in front of the fixtures on stdio: with the conformance suite, and as an upstream of the gateway
//! for the official clients.

use std::path::Path;
use std::process::Stdio;

use http::header::AUTHORIZATION;
use serde_json::{Value, json};
use testkit::{Api, Forwarder, eventually, free_address};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::conformance::{Check, run, sources, wanting};
use crate::stack::Stack;
use crate::{clients, conformance};

const TOKEN: &str = "a-token-of-the-bridge-that-is-long";

/// A running bridge; killed when dropped.
struct Bridge {
    url: String,
    process: Child,
}

impl Bridge {
    /// A bridge to the fixtures, told `arguments`.
    async fn start(arguments: &[&str]) -> Self {
        let address = free_address();
        let mut process = Command::new(env!("CARGO_BIN_EXE_tollgate"))
            .args(["bridge", "--listen", &address.to_string(), "--"])
            .arg(clients::noted("node-22"))
            .arg(sources().join("upstream/stdio.mjs"))
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

async fn suite(revision: &str, scenarios: usize) {
    let bridge = Bridge::start(&[]).await;
    let way = Forwarder::to(&bridge.url, AUTHORIZATION, &format!("Bearer {TOKEN}")).await;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("conformance").join(revision);
    let checks = run(&format!("{}/mcp", way.url()), revision, &folder.join("bridge")).await;
    let wanting: Vec<&Check> = wanting(&checks).collect();
    assert!(wanting.is_empty(), "{wanting:#?}");
    assert_eq!(conformance::scenarios(&checks).len(), scenarios);
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_suite_in_sessions() {
    // All but the polling of streams, which has no check where streams are not resumed.
    suite("2025-11-25", 32).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_suite_stateless() {
    suite("2026-07-28", 50).await;
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
