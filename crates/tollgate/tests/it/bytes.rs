//! What passes through is not kept: answers of a gigabyte, through a gateway process that hardly grows.

use std::convert::Infallible;
use std::path::PathBuf;

use axum::body::Body;
use axum::http::{Response, StatusCode};
use bytes::Bytes;
use futures_util::stream;
use serde_json::json;
use testkit::upstream::{self, Received, Upstream};
use testkit::{Api, Process};

use crate::stack::Stack;

const GIGABYTE: usize = 1 << 30;
/// Bytes of one piece of an answer: one that comes in one read, and one that has to be collected.
const PIECES: [usize; 2] = [1 << 14, 1 << 18];
/// Most that the process may grow while such an answer passes.
const GROWTH: u64 = 16 << 20;

/// An upstream whose tools return so much: `json_<piece>_<bytes>` in one message, `sse_<piece>_<bytes>` in many events.
fn plenty(request: &Received) -> Response<Body> {
    let message = request.json();
    let name = message["params"]["name"].as_str().unwrap_or_default();
    let size = |text: &str| {
        let (piece, bytes) = text.split_once('_').unwrap();
        let piece: usize = piece.parse().unwrap();
        (piece, bytes.parse::<usize>().unwrap() / piece)
    };
    if let Some((piece, count)) = name.strip_prefix("json_").map(size) {
        let head = r#"{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":""#;
        upstream::raw(
            StatusCode::OK,
            "application/json",
            repeated(head, &"x".repeat(piece), count, r#""}]}}"#),
        )
    } else if let Some((piece, count)) = name.strip_prefix("sse_").map(size) {
        let note = json!({ "jsonrpc": "2.0", "method": "notifications/message", "params": { "data": "x".repeat(piece) } });
        let end = json!({ "jsonrpc": "2.0", "id": 1, "result": { "content": [] } });
        upstream::events(repeated(": begins\n\n", &upstream::event(&note), count, &upstream::event(&end)))
    } else {
        upstream::json(
            &json!({ "jsonrpc": "2.0", "id": message["id"], "error": { "code": -32601, "message": "?" } }),
        )
    }
}

/// A body that is made while it is sent.
fn repeated(head: &str, piece: &str, count: usize, tail: &str) -> Body {
    let [head, piece, tail] = [head, piece, tail].map(|text| Bytes::from(text.to_owned()));
    let pieces = (0..count + 2).map(move |at| {
        let piece = if at == 0 {
            &head
        } else if at <= count {
            &piece
        } else {
            &tail
        };
        Ok::<_, Infallible>(piece.clone())
    });
    Body::from_stream(stream::iter(pieces))
}

/// Bytes that the process has held at most since [`forget`].
fn peak(process: &Process) -> u64 {
    let status = std::fs::read_to_string(of(process, "status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

/// Forgets how much the process has held before.
fn forget(process: &Process) {
    std::fs::write(of(process, "clear_refs"), "5").unwrap();
}

fn of(process: &Process, file: &str) -> PathBuf {
    PathBuf::from(format!("/proc/{}/{file}", process.id().unwrap()))
}

/// Calls the tool, and counts what it returns.
async fn call(gateway: &Process, server: &str, token: &str, tool: &str, modern: bool) -> usize {
    let mut body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": tool } });
    let mut request = reqwest::Client::new().post(format!("{}/mcp/{server}", gateway.url)).bearer_auth(token);
    if modern {
        body["params"]["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        request = request.header("mcp-protocol-version", "2026-07-28");
        request = request.header("mcp-method", "tools/call").header("mcp-name", tool);
    }
    let request = request.header("accept", "application/json, text/event-stream").json(&body);
    let mut response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let mut bytes = 0;
    while let Some(chunk) = response.chunk().await.unwrap() {
        bytes += chunk.len();
    }
    bytes
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_a_gigabyte_leaves_the_gateway_as_it_was() {
    let upstream = Upstream::start(plenty).await;
    let stack = Stack::start().await;
    let (control, gateway) = (stack.serve(&["control"]).await, stack.serve(&["gateway"]).await);
    let api = Api::sign_up(&control.url).await;
    let server =
        api.post("/servers", json!({ "name": "Plenty", "upstream_url": upstream.url().as_str() })).await;
    let server = server["id"].as_str().unwrap();
    let policy = api.policy(server, "all", &json!({ "version": "1", "default": "allow" })).await;
    let grant = api.mint(server, &policy, "reader").await;
    for (kind, piece, modern) in [
        ("json", PIECES[0], false),
        ("json", PIECES[1], true),
        ("sse", PIECES[0], true),
        ("sse", PIECES[1], false),
    ] {
        let tool = |bytes: usize| format!("{kind}_{piece}_{bytes}");
        call(&gateway, server, &grant.token, &tool(16 * piece), modern).await;
        forget(&gateway);
        let before = peak(&gateway);
        let passed = call(&gateway, server, &grant.token, &tool(GIGABYTE), modern).await;
        let grown = peak(&gateway).saturating_sub(before);
        assert!(passed >= GIGABYTE, "{kind} {piece}: {passed} bytes passed");
        assert!(grown < GROWTH, "{kind} {piece}: the gateway grew by {grown} bytes");
    }
}
