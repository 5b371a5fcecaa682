//! One limit, two gateways, many callers at once; and what the official clients make of one that leaves nothing to be called.

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use rmcp::model::{CallToolRequestParams, ClientConfig, ProtocolVersion};
use rmcp::service::{ClientLifecycleMode, ClientServiceExt as _};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use serde_json::{Value, json};
use testkit::Api;
use tokio::task::JoinSet;

use crate::caller::Caller;
use crate::clients;
use crate::stack::Stack;

const CALLERS: usize = 200;
const MAX: usize = 100;

#[tokio::test(flavor = "multi_thread")]
async fn two_gateways_let_exactly_the_limit_through() {
    let stack = Stack::start().await;
    let (one, two) = (stack.serve(&[]).await, stack.serve(&["gateway"]).await);
    let api = Api::sign_up(&one.url).await;
    let server = stack.register(&api, "/mcp/json").await;
    let document = json!({
        "version": "1", "default": "deny",
        "tools": { "flowforge_health_check": { "rate_limit": { "max": MAX, "window": 60 } } },
    });
    let policy = api.policy(&server, "limited", &document).await;
    let grant = api.mint(&server, &policy, "crowd").await;

    let mut calls = JoinSet::new();
    for number in 0..CALLERS {
        let gateway = if number % 2 == 0 { &one.url } else { &two.url };
        let caller = Caller::new(gateway, &server, &grant.token);
        calls.spawn(async move { caller.call("flowforge_health_check", &json!({})).await.unwrap() });
    }
    let answers = calls.join_all().await;

    let allowed = answers.iter().filter(|answer| answer.allowed()).count();
    let limited = answers
        .iter()
        .filter(|answer| answer.denied() == Some("/tools/flowforge_health_check/rate_limit"))
        .count();
    assert_eq!((allowed, limited), (MAX, CALLERS - MAX));
    assert_eq!(stack.reached().await["total"], MAX);
}

const TOOL: &str = "flowforge_health_check";

/// A gateway with a grant that may call once an hour, whatever it calls: its address and token.
async fn once() -> (Stack, impl Sized, String, String) {
    let stack = Stack::start().await;
    let tollgate = stack.serve(&[]).await;
    let api = Api::sign_up(&tollgate.url).await;
    let server = stack.register(&api, "/mcp").await;
    let document = json!({ "version": "1", "default": "allow", "all_tools": { "rate_limit": { "max": 1, "window": 3600 } } });
    let policy = api.policy(&server, "once", &document).await;
    let grant = api.mint(&server, &policy, "once").await;
    let url = format!("{}/mcp/{server}", tollgate.url);
    (stack, tollgate, url, grant.token)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_client_loses_its_connection_when_nothing_more_can_be_called() {
    for (client, mode, stateless) in [
        ("python-1", "legacy", false),
        ("python-2", "legacy", false),
        ("python-2", "auto", true),
        ("walk-1", "legacy", false),
        ("walk-2", "legacy", false),
        ("walk-2", "auto", true),
    ] {
        let (stack, _tollgate, url, token) = once().await;
        let call = json!({ "tool": TOOL, "arguments": {} });
        let task = json!({ "url": url, "token": token, "mode": mode, "calls": [call, call, call] });
        let walked: Value = serde_json::from_str(&clients::run(client, &task).await).unwrap();
        let answers = walked["answers"].as_array().unwrap();
        assert_eq!(answers[0]["is_error"], false, "{client} {mode}: {answers:?}");
        for answer in &answers[1..] {
            let text = answer["text"].as_str().unwrap();
            assert!(
                text.contains("[POLICY DENIED] ") && text.contains("(try again in "),
                "{client} {mode}: {text}"
            );
            assert_eq!(answer["is_error"].is_null(), stateless, "{client} {mode}: {answer}");
        }
        assert_eq!(stack.reached().await["total"], 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_does_the_rust_client() {
    let (stack, _tollgate, url, token) = once().await;
    let bearer = (AUTHORIZATION, HeaderValue::try_from(format!("Bearer {token}")).unwrap());
    let http = reqwest::Client::builder().default_headers(HeaderMap::from_iter([bearer])).build().unwrap();
    let config = StreamableHttpClientTransportConfig::with_uri(url);
    let transport = StreamableHttpClientTransport::with_client(http, config);
    let lifecycle = ClientLifecycleMode::Auto {
        preferred_versions: vec![ProtocolVersion::V_2026_07_28],
        legacy_version: Some(ProtocolVersion::V_2025_11_25),
    };
    let client = ClientConfig::default().serve_with_lifecycle(transport, lifecycle).await.unwrap();
    client.call_tool(CallToolRequestParams::new(TOOL)).await.unwrap();
    for _ in 0..2 {
        let refused = client.call_tool(CallToolRequestParams::new(TOOL)).await.unwrap_err().to_string();
        assert!(refused.contains("429"), "{refused}");
    }
    assert_eq!(client.list_all_tools().await.unwrap().len(), 49);
    assert_eq!(stack.reached().await["total"], 1);
}
