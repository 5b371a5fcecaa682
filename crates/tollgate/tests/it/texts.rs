//! The texts for clients, run as they are given out: what curl, `mcp-remote` and the SDKs make of them against a real gateway. Those that
//! programs of others read are read as these would.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::clients;
use crate::fixtures::Fixtures;
use crate::same::mcp_remote;

/// The text for a client.
fn text(fixtures: &Fixtures, id: &str) -> String {
    let texts = fixtures.texts.as_array().unwrap();
    let found = texts.iter().find(|text| text["id"] == id).unwrap();
    found["text"].as_str().unwrap().to_owned()
}

/// What a program prints that is given `input`.
async fn printed(command: &mut Command, input: &str) -> String {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).await.unwrap();
    drop(stdin);
    let output = child.wait_with_output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_says_hello() {
    let fixtures = Fixtures::start().await;
    let answer = printed(Command::new("sh").arg("-c").arg(text(&fixtures, "curl")), "").await;
    assert!(answer.contains("\"conformance-upstream\""), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sdks_list_the_tools() {
    let fixtures = Fixtures::start().await;
    let python = printed(Command::new(clients::python("2")).arg("-"), &text(&fixtures, "python")).await;
    let mut node = Command::new(clients::noted("node"));
    node.args(["--input-type=module", "-"])
        .current_dir(clients::root().join("crates/tollgate/tests/clients/node"));
    let typescript = printed(&mut node, &text(&fixtures, "typescript")).await;
    for listed in [&python, &typescript] {
        assert!(listed.lines().any(|tool| tool == "test_simple_text"), "{listed}");
    }
    assert_eq!(python, typescript);
}

#[tokio::test(flavor = "multi_thread")]
async fn mcp_remote_serves_a_client_of_stdio() {
    let fixtures = Fixtures::start().await;
    let [node, program] = mcp_remote();
    let home = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("mcp-remote-texts");
    // What `npx` would fetch is here already.
    let desktop: Value = serde_json::from_str(&text(&fixtures, "claude-desktop")).unwrap();
    let entry = &desktop["mcpServers"]["fixtures"];
    let arguments = entry["args"].as_array().unwrap();
    assert_eq!((&entry["command"], &arguments[0]), (&json!("npx"), &json!("-y")));
    assert!(arguments[1].as_str().unwrap().starts_with("mcp-remote@"));
    let mut environment = entry["env"].clone();
    environment["MCP_REMOTE_CONFIG_DIR"] = home.to_str().unwrap().into();
    let arguments: Vec<_> = [json!(program)].into_iter().chain(arguments[2..].iter().cloned()).collect();
    let command = json!({ "command": node, "args": arguments, "env": environment });
    let told = clients::run("same-1", &json!({ "command": command })).await;
    assert!(told.contains("Multiple content types test:"), "{told}");

    // The text for a shell says the same in its own way.
    let shell = text(&fixtures, "mcp-remote");
    let (before, package) = shell.split_once("npx -y ").unwrap();
    let (_, after) = package.split_once(' ').unwrap();
    let script = format!("{before}{node} {program} {after}");
    let hello = json!({
        "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": { "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "sh", "version": "1" } },
    });
    // It reads its input to the end, and what it is asked before that it answers.
    let mut child = Command::new("sh")
        .args(["-c", &script])
        .env("MCP_REMOTE_CONFIG_DIR", &home)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(format!("{hello}\n").as_bytes()).await.unwrap();
    let mut lines =
        tokio::io::AsyncBufReadExt::lines(tokio::io::BufReader::new(child.stdout.take().unwrap()));
    let answer = lines.next_line().await.unwrap().expect("an answer");
    assert!(answer.contains("\"conformance-upstream\""), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_programs_of_others_read_can_be_read() {
    let fixtures = Fixtures::start().await;
    for id in ["claude-desktop", "cursor", "vscode", "windsurf", "gemini-cli", "json"] {
        let value: Value = serde_json::from_str(&text(&fixtures, id)).unwrap();
        assert!(value.to_string().contains(&fixtures.token), "{id}");
    }
    // Python reads TOML by itself.
    let toml = "import json, sys, tomllib; print(json.dumps(tomllib.loads(sys.stdin.read())))";
    let read =
        printed(Command::new(clients::python("2")).args(["-c", toml]), &text(&fixtures, "codex")).await;
    let entry: Value = serde_json::from_str(&read).unwrap();
    let entry = &entry["mcp_servers"]["fixtures"];
    assert_eq!(entry["url"], fixtures.url.as_str());
    assert_eq!(entry["http_headers"]["Authorization"], format!("Bearer {}", fixtures.token));
    // And a shell the words of a command.
    let shell = text(&fixtures, "claude-code").replacen("claude ", "printf '%s\\n' ", 1);
    let words = printed(Command::new("sh").args(["-c", &shell]), "").await;
    let words: Vec<_> = words.lines().collect();
    let header = format!("Authorization: Bearer {}", fixtures.token);
    let wanted = ["mcp", "add", "--transport", "http", "fixtures", &fixtures.url, "--header", &header];
    assert_eq!(words, wanted);
}
