//! The official clients do everything through the gateway as they do without it: each runs one script twice, straight at the upstream of
//! the fixtures and through the gateway under a policy that allows everything, and tells the same both times. Which of them does what
//! is the table in `docs/protocol.md`, which they are held to.

mod inspector;
mod rmcp;
pub mod table;

use std::path::Path;

use serde_json::{Value, json};

use self::table::Row;
use crate::clients;
use crate::conformance::sources;
use crate::fixtures::Fixtures;

/// What a client did, step by step, and what came of it.
pub type Told = Vec<(String, Value)>;

/// Holds what was told to the client's row, and what was told through the gateway to what was told without it.
pub fn compare(row: &Row, mut direct: Told, mut through: Told) {
    for told in [&mut direct, &mut through] {
        // How long an answer may be kept is the gateway's word where it filters.
        for (_, outcome) in told {
            without_cache(outcome);
        }
    }
    row.hold(&direct);
    for ((step, outcome), other) in direct.iter().zip(&through) {
        assert_eq!(outcome.get("failed").is_some(), step.starts_with("no "), "{step} straight: {outcome}");
        assert_eq!(&(step.clone(), outcome.clone()), other, "{step}");
    }
    assert_eq!(direct.len(), through.len());
    let cancelled = direct.iter().find(|(step, _)| step == "cancel").map(|(_, outcome)| outcome.to_string());
    assert!(
        cancelled.is_none_or(|seen| seen.contains("\"cancelled\"")),
        "the server was not told: {direct:?}"
    );
}

fn without_cache(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.remove("ttlMs");
            object.remove("cacheScope");
            object.values_mut().for_each(without_cache);
        }
        Value::Array(list) => list.iter_mut().for_each(without_cache),
        _ => {}
    }
}

/// Runs a script of ours, in the mode that makes the revision of the row.
async fn script(client: &str, row: &Row, mode: &str) {
    let fixtures = Fixtures::start().await;
    let [direct, through] =
        fixtures.ways().map(|(url, token)| json!({ "url": url, "token": token, "mode": mode }));
    let [direct, through] = [clients::run(client, &direct).await, clients::run(client, &through).await];
    compare(row, serde_json::from_str(&direct).unwrap(), serde_json::from_str(&through).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn python_1() {
    script("same-python-1", &table::PYTHON_1, "legacy").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn python_2_in_sessions() {
    script("same-python-2", &table::PYTHON_2_SESSIONS, "legacy").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn python_2() {
    script("same-python-2", &table::PYTHON_2, "auto").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn typescript_1() {
    script("same-1", &table::TYPESCRIPT_1, "legacy").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn typescript_2_in_sessions() {
    script("same-2", &table::TYPESCRIPT_2_SESSIONS, "legacy").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn typescript_2() {
    script("same-2", &table::TYPESCRIPT_2, "auto").await;
}

/// The program that the texts for clients name, as they start it.
pub fn mcp_remote() -> [String; 2] {
    let script = sources().join("node_modules/mcp-remote/dist/proxy.js");
    [clients::noted("node-22"), script].map(|path| path.to_str().unwrap().to_owned())
}

/// `mcp-remote` between a client of standard input and output and the server.
async fn remote(client: &str, row: &Row, mode: &str) {
    let fixtures = Fixtures::start().await;
    let [node, program] = mcp_remote();
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("mcp-remote-{mode}"));
    let task = |(url, token): (&str, Option<&str>)| {
        let mut arguments = vec![program.as_str(), url, "--transport", "http-only"];
        let mut environment = json!({ "MCP_REMOTE_CONFIG_DIR": home });
        if let Some(token) = token {
            arguments.extend(["--header", "Authorization:${AUTH_HEADER}"]);
            environment["AUTH_HEADER"] = format!("Bearer {token}").into();
        }
        json!({ "command": { "command": node, "args": arguments, "env": environment }, "mode": mode })
    };
    let [direct, through] = fixtures.ways().map(task);
    let [direct, through] = [clients::run(client, &direct).await, clients::run(client, &through).await];
    compare(row, serde_json::from_str(&direct).unwrap(), serde_json::from_str(&through).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn mcp_remote_for_a_session_of_stdio() {
    remote("same-1", &table::MCP_REMOTE_SESSIONS, "legacy").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mcp_remote_for_a_stateless_client_of_stdio() {
    remote("same-2", &table::MCP_REMOTE, "auto").await;
}
