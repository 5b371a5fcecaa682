//! The Inspector's CLI mode: a program that does one thing and prints what came of it.

use std::path::Path;

use serde_json::{Value, json};
use tokio::process::Command;

use super::table::{INSPECTOR, INSPECTOR_SESSIONS};
use super::{Told, compare};
use crate::clients;
use crate::conformance::sources;
use crate::fixtures::Fixtures;

const HELLO: &[&str] = &["initialize"];
const LIST: &[&str] = &["tools/list"];
const CALL: &[&str] = &["tools/call", "--tool-name", "test_multiple_content_types"];
/// What it does in both eras.
const BOTH: [(&str, &[&str]); 9] = [
    ("hello", HELLO),
    ("list", LIST),
    ("call", CALL),
    ("error", &["tools/call", "--tool-name", "test_error_handling"]),
    ("resources", &["resources/list"]),
    ("templates", &["resources/templates/list"]),
    ("resource", &["resources/read", "--uri", "test://static-text"]),
    ("prompts", &["prompts/list"]),
    ("prompt", &["prompts/get", "--prompt-name", "test_simple_prompt"]),
];
/// What it does in sessions besides.
const SESSIONS: [(&str, &[&str]); 3] = [
    ("level", &["logging/setLevel", "--log-level", "debug"]),
    ("elicit", &["tools/call", "--tool-name", "test_elicitation", "--tool-arg", "message=who"]),
    ("resume", &["tools/call", "--tool-name", "test_reconnection"]),
];

/// What it prints for a method.
async fn inspected((url, token): (&str, Option<&str>), era: &str, method: &[&str]) -> Value {
    let mut command = Command::new(clients::noted("node-22"));
    command
        .arg(sources().join("node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js"))
        .args(["--cli", "--transport", "http", "--server-url", url, "--protocol-era", era])
        .env("MCP_CATALOG_PATH", Path::new(env!("CARGO_TARGET_TMPDIR")).join("inspector.json"));
    if let Some(token) = token {
        command.args(["--header", &format!("Authorization: Bearer {token}")]);
    }
    let output = command.arg("--method").args(method).output().await.unwrap();
    let printed: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{method:?}: {error}: {}", String::from_utf8_lossy(&output.stderr)));
    json!({ "succeeded": output.status.success(), "printed": printed })
}

async fn tells(way: (&str, Option<&str>), era: &str, methods: &[(&str, &[&str])]) -> Told {
    let mut told = Told::new();
    for (step, method) in methods {
        told.push(((*step).to_owned(), inspected(way, era, method).await));
    }
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn the_inspector_in_sessions() {
    let fixtures = Fixtures::start().await;
    let methods: Vec<_> = BOTH.into_iter().chain(SESSIONS).collect();
    let [direct, through] = fixtures.ways().map(|way| tells(way, "legacy", &methods));
    compare(&INSPECTOR_SESSIONS, direct.await, through.await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_inspector() {
    let fixtures = Fixtures::start().await;
    let [direct, through] = fixtures.ways().map(|way| tells(way, "modern", &BOTH));
    compare(&INSPECTOR, direct.await, through.await);
}
