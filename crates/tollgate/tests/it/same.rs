//! The official clients do everything through the gateway as they do without it: each runs one script twice, straight at the upstream of
//! the fixtures and through the gateway under a policy that allows everything, and tells the same both times.

use std::path::Path;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use rmcp::model::{
    CallToolRequestParams, ClientConfig, GetPromptRequestParams, ProtocolVersion, ReadResourceRequestParams,
};
use rmcp::service::{ClientLifecycleMode, ClientServiceExt as _, ServiceError};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::clients;
use crate::conformance::sources;
use crate::fixtures::Fixtures;

/// Holds what was told through the gateway to what was told without it, step by step.
fn compare(mut direct: Vec<(String, Value)>, mut through: Vec<(String, Value)>, steps: usize) {
    assert_eq!(direct.len(), steps, "{direct:?}");
    for told in [&mut direct, &mut through] {
        // How long an answer may be kept is the gateway's word where it filters.
        for (_, outcome) in told {
            without_cache(outcome);
        }
    }
    for ((step, outcome), other) in direct.iter().zip(&through) {
        assert_eq!(outcome.get("failed").is_some(), step.starts_with("no "), "{step} straight: {outcome}");
        assert_eq!(&(step.clone(), outcome.clone()), other, "{step}");
    }
    assert_eq!(direct.len(), through.len());
}

fn without_cache(value: &mut Value) {
    if let Some(object) = value.as_object_mut() {
        object.remove("ttlMs");
        object.remove("cacheScope");
        object.values_mut().for_each(without_cache);
    }
}

async fn script(client: &str, steps: usize) {
    let fixtures = Fixtures::start().await;
    let [direct, through] = fixtures.ways().map(|(url, token)| json!({ "url": url, "token": token }));
    let [direct, through] = [clients::run(client, &direct).await, clients::run(client, &through).await];
    compare(serde_json::from_str(&direct).unwrap(), serde_json::from_str(&through).unwrap(), steps);
}

#[tokio::test(flavor = "multi_thread")]
async fn python_1() {
    script("same-python-1", 18).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn python_2() {
    script("same-python-2", 18).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn typescript_1() {
    script("same-1", 20).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn typescript_2() {
    script("same-2", 20).await;
}

/// The program that the texts for clients name, as they start it.
pub fn mcp_remote() -> [String; 2] {
    let script = sources().join("node_modules/mcp-remote/dist/proxy.js");
    [clients::noted("node-22"), script].map(|path| path.to_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn mcp_remote_for_a_client_of_stdio() {
    let fixtures = Fixtures::start().await;
    let [node, program] = mcp_remote();
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mcp-remote");
    let task = |(url, token): (&str, Option<&str>)| {
        let mut arguments = vec![program.as_str(), url, "--transport", "http-only"];
        let mut environment = json!({ "MCP_REMOTE_CONFIG_DIR": home });
        if let Some(token) = token {
            arguments.extend(["--header", "Authorization:${AUTH_HEADER}"]);
            environment["AUTH_HEADER"] = format!("Bearer {token}").into();
        }
        json!({ "command": { "command": node, "args": arguments, "env": environment } })
    };
    let [direct, through] = fixtures.ways().map(task);
    let [direct, through] = [clients::run("same-1", &direct).await, clients::run("same-1", &through).await];
    compare(serde_json::from_str(&direct).unwrap(), serde_json::from_str(&through).unwrap(), 20);
}

/// What the Inspector prints for a method.
async fn inspected((url, token): (&str, Option<&str>), method: &[&str]) -> (bool, String) {
    let mut command = Command::new(clients::noted("node-22"));
    command
        .arg(sources().join("node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js"))
        .args(["--cli", "--transport", "http", "--server-url", url])
        .env("MCP_CATALOG_PATH", Path::new(env!("CARGO_TARGET_TMPDIR")).join("inspector.json"));
    if let Some(token) = token {
        command.args(["--header", &format!("Authorization: Bearer {token}")]);
    }
    let output = command.arg("--method").args(method).output().await.unwrap();
    (output.status.success(), String::from_utf8(output.stdout).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_inspector() {
    let fixtures = Fixtures::start().await;
    let methods: [&[&str]; 6] = [
        &["tools/list"],
        &["tools/call", "--tool-name", "test_multiple_content_types"],
        &["tools/call", "--tool-name", "test_error_handling"],
        &["resources/read", "--uri", "test://static-text"],
        &["prompts/list"],
        &["prompts/get", "--prompt-name", "test_simple_prompt"],
    ];
    for method in methods {
        let [direct, through] = fixtures.ways();
        let (direct, through) = (inspected(direct, method).await, inspected(through, method).await);
        assert_eq!(direct, through, "{method:?}");
        assert!(!direct.1.trim().is_empty(), "{method:?} prints something");
    }
}

fn outcome<T: Serialize>(result: Result<T, ServiceError>) -> Value {
    match result {
        Ok(result) => serde_json::to_value(result).unwrap(),
        Err(ServiceError::McpError(error)) => json!({ "failed": error.code.0 }),
        Err(error) => panic!("{error}"),
    }
}

/// What rmcp does and is told, in one era.
async fn rmcp_tells(
    (url, token): (&str, Option<&str>),
    lifecycle: ClientLifecycleMode,
) -> Vec<(String, Value)> {
    let config = StreamableHttpClientTransportConfig::with_uri(url);
    let headers: HeaderMap = token
        .map(|token| (AUTHORIZATION, HeaderValue::try_from(format!("Bearer {token}")).unwrap()))
        .into_iter()
        .collect();
    let http = reqwest::Client::builder().default_headers(headers).build().unwrap();
    let transport = StreamableHttpClientTransport::with_client(http, config);
    let client = ClientConfig::default().serve_with_lifecycle(transport, lifecycle).await.unwrap();
    let call = async |name: &'static str| outcome(client.call_tool(CallToolRequestParams::new(name)).await);
    let read = async |uri: &str| outcome(client.read_resource(ReadResourceRequestParams::new(uri)).await);
    let told = [
        ("server", serde_json::to_value(client.peer_info()).unwrap()),
        ("list", outcome(client.list_tools(None).await)),
        ("prompts", outcome(client.list_prompts(None).await)),
        ("prompt", outcome(client.get_prompt(GetPromptRequestParams::new("test_simple_prompt")).await)),
        ("resources", outcome(client.list_resources(None).await)),
        ("resource", read("test://static-text").await),
        ("no resource", read("test://nowhere").await),
        ("call", call("test_multiple_content_types").await),
        ("error", call("test_error_handling").await),
        ("progress", call("test_tool_with_progress").await),
        ("no tool", call("test_nothing").await),
    ];
    told.map(|(step, outcome)| (step.to_owned(), outcome)).into()
}

#[tokio::test(flavor = "multi_thread")]
async fn rmcp() {
    let fixtures = Fixtures::start().await;
    let [direct, through] = fixtures.ways();
    let modern = || ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::LATEST] };
    compare(rmcp_tells(direct, modern()).await, rmcp_tells(through, modern()).await, 11);
    let legacy = || ClientLifecycleMode::Initialize;
    compare(rmcp_tells(direct, legacy()).await, rmcp_tells(through, legacy()).await, 11);
}
