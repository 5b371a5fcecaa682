//! What is refused before any policy is asked: it never reaches the upstream, says what is wrong in the protocol's own
//! codes, and leaves a row.

use domain::Outcome;
use reqwest::RequestBuilder;
use serde_json::json;

use crate::client::Answer;
use crate::gate::{Gate, modern, send};
use crate::world::plain;

const CALL: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"open"}}"#;

async fn gate() -> Gate {
    Gate::new(plain).await
}

/// Sends what must be refused, and holds the answer and the row to what is expected.
async fn refused(gate: &Gate, request: RequestBuilder, status: u16, code: i64, reason: &str) -> Answer {
    let answer = send(request).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (status, code), "{reason}: {}", answer.text.clone());
    assert_eq!(answer.header("content-type"), "application/json", "{reason}");
    assert!(gate.reached().is_empty(), "{reason}: it reached the upstream");
    // One row a minute for each reason.
    let rows = gate.decisions().await;
    let row = rows.iter().rfind(|row| row.message.as_deref() == Some(reason)).expect("a row");
    assert_eq!(row.outcome, Outcome::Malformed, "{reason}");
    assert_eq!(row.grant.as_ref().map(|grant| grant.id), Some(gate.grant.id), "{reason}");
    answer
}

async fn refused_body(body: impl Into<reqwest::Body>, code: i64, reason: &str) -> Answer {
    let gate = gate().await;
    refused(&gate, gate.post(body), 400, code, reason).await
}

#[tokio::test]
async fn a_batch() {
    let gate = gate().await;
    for body in [format!("[{CALL}]"), format!("[{CALL},{CALL}]")] {
        for version in ["2025-03-26", "2025-11-25"] {
            let request = gate.post(body.clone()).header("mcp-protocol-version", version);
            refused(&gate, request, 400, -32600, "batch").await;
        }
    }
}

#[tokio::test]
async fn a_call_without_an_id() {
    let body = r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"open"}}"#;
    refused_body(body, -32600, "request without id").await;
}

#[tokio::test]
async fn a_null_id() {
    let body = r#"{"jsonrpc":"2.0","id":null,"method":"tools/call","params":{"name":"open"}}"#;
    refused_body(body, -32600, "id").await;
}

#[tokio::test]
async fn a_key_twice() {
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call","params":{"name":"open"}}"#;
    refused_body(body, -32602, "duplicate key").await;
}

#[tokio::test]
async fn a_key_twice_deep_in_the_arguments() {
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"open","arguments":{"a":[{"b":1,"b":2}]}}}"#;
    refused_body(body, -32602, "duplicate key").await;
}

#[tokio::test]
async fn a_key_in_another_case() {
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"open","Name":"denied"}}"#;
    let answer = refused_body(body, -32600, "look-alike key").await;
    assert_eq!(answer.json()["id"], 1);
}

#[tokio::test]
async fn a_key_that_unicode_folds() {
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"ping","paramſ":{"name":"open"}}"#;
    refused_body(body, -32600, "unknown key").await;
}

#[tokio::test]
async fn a_byte_order_mark() {
    refused_body(format!("\u{feff}{CALL}"), -32700, "byte order mark").await;
}

#[tokio::test]
async fn bytes_that_are_not_utf8() {
    let body = [
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"",
        &b"\xc0\xae"[..],
        b"\"}}",
    ];
    refused_body(body.concat(), -32700, "not utf-8").await;
}

#[tokio::test]
async fn half_a_surrogate_pair() {
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"\ud800"}}"#;
    refused_body(body, -32602, "lone surrogate").await;
}

#[tokio::test]
async fn a_body_nested_too_deep() {
    let body = CALL
        .replace(r#""open""#, &format!(r#""open","arguments":{{"a":{}{}}}"#, "[".repeat(70), "]".repeat(70)));
    refused_body(body, -32602, "too deep").await;
}

#[tokio::test]
async fn two_messages_in_one_body() {
    refused_body(format!("{CALL}\n{CALL}"), -32700, "not json").await;
}

#[tokio::test]
async fn an_open_top_level() {
    refused_body(CALL.replacen('{', r#"{"extra":1,"#, 1), -32600, "unknown key").await;
}

#[tokio::test]
async fn a_header_twice() {
    let gate = gate().await;
    let repeated =
        |name: &str, value: &str| gate.modern("tools/call", json!({ "name": "open" })).header(name, value);
    refused(&gate, repeated("content-type", "application/json"), 400, -32600, "repeated header").await;
    refused(
        &gate,
        repeated("mcp-session-id", "a").header("mcp-session-id", "b"),
        400,
        -32600,
        "repeated header",
    )
    .await;
    for (name, value) in
        [("mcp-protocol-version", "2026-07-28"), ("mcp-method", "tools/call"), ("mcp-name", "open")]
    {
        let answer = refused(&gate, repeated(name, value), 400, -32020, "repeated header").await;
        assert_eq!(answer.json()["id"], 1);
    }
}

#[tokio::test]
async fn headers_that_say_something_else() {
    let gate = gate().await;
    let body = modern("tools/call", json!({ "name": "denied" }));
    let with = |version: &str, method: &str, name: &str| {
        gate.post(body.clone())
            .header("mcp-protocol-version", version)
            .header("mcp-method", method)
            .header("mcp-name", name)
    };
    for (request, reason) in [
        (with("2025-11-25", "tools/call", "denied"), "header mismatch"),
        (with("2026-07-28", "ping", "denied"), "header mismatch"),
        (with("2026-07-28", "tools/call", "harmless"), "header mismatch"),
        (with("2026-07-28", "tools/call", "=?base64?aGFybWxlc3M=?="), "header mismatch"),
        (with("2026-07-28", "tools/call", "=?base64?aGFybWxlc3M?="), "header encoding"),
        (
            gate.post(body.clone()).header("mcp-method", "tools/call").header("mcp-name", "denied"),
            "missing header",
        ),
        (gate.post(body.clone()).header("mcp-protocol-version", "2026-07-28"), "missing header"),
        // No older server holds these against the body: something in between might still believe them.
        (gate.post(CALL).header("mcp-method", "ping").header("mcp-name", "harmless"), "header mismatch"),
    ] {
        let answer = refused(&gate, request, 400, -32020, reason).await;
        assert_eq!(answer.json()["id"], 1, "{reason}");
    }
}

#[tokio::test]
async fn an_argument_that_its_header_does_not_mirror() {
    let schema = json!({ "properties": { "region": { "type": "string", "x-mcp-header": "Region" } } });
    let gate = Gate::with(&[("open", schema)], |_| {}, plain).await;
    let call = || gate.modern("tools/call", json!({ "name": "open", "arguments": { "region": "eu" } }));
    let answer =
        refused(&gate, call().header("mcp-param-region", "us"), 400, -32020, "header mismatch").await;
    assert_eq!(answer.json()["id"], 1);
    refused(&gate, call(), 400, -32020, "missing header").await;
    let good =
        send(call().header("mcp-param-region", "=?base64?ZXU=?=").header("mcp-param-other", "x")).await;
    assert_eq!(good.status, 200);
    let received = gate.upstream().received();
    assert_eq!(
        (received[0].header("mcp-param-region"), received[0].header("mcp-param-other")),
        ("=?base64?ZXU=?=", "x")
    );
}

#[tokio::test]
async fn a_version_that_nobody_speaks() {
    let gate = gate().await;
    // A stateless request is told of what `server/discover` lists; another of everything.
    let (stateless, every) =
        (json!(["2026-07-28"]), json!(["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26"]));
    let future = modern("tools/call", json!({ "name": "open" })).replace("2026-07-28", "2031-01-01");
    for (body, supported) in [(future.as_str(), stateless), (CALL, every)] {
        let request = gate
            .post(body.to_owned())
            .header("mcp-protocol-version", "2031-01-01")
            .header("mcp-method", "tools/call")
            .header("mcp-name", "open");
        let answer = refused(&gate, request, 400, -32022, "unsupported version").await.json();
        assert_eq!(answer["error"]["data"], json!({ "supported": supported, "requested": "2031-01-01" }));
        assert_eq!(answer["id"], 1);
    }
}

#[tokio::test]
async fn a_modern_request_without_its_meta() {
    let gate = gate().await;
    let headers = |request: RequestBuilder| {
        request
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-method", "tools/call")
            .header("mcp-name", "open")
    };
    refused(&gate, headers(gate.post(CALL)), 400, -32602, "missing _meta").await;
    let without = modern("tools/call", json!({ "name": "open" })).replace("/clientCapabilities", "/other");
    refused(&gate, headers(gate.post(without)), 400, -32602, "missing _meta").await;
}

#[tokio::test]
async fn a_call_without_a_name() {
    let gate = gate().await;
    refused(&gate, gate.legacy("tools/call", json!({ "arguments": {} })), 200, -32602, "tool name").await;
    refused(&gate, gate.modern("tools/call", json!({ "arguments": {} })), 400, -32602, "tool name").await;
    refused(
        &gate,
        gate.legacy("tools/call", json!({ "name": "open", "arguments": [] })),
        200,
        -32602,
        "arguments",
    )
    .await;
}

#[tokio::test]
async fn a_method_that_does_not_pass() {
    let gate = gate().await;
    let methods = [
        "acme/thing",
        "tasks/update",
        "server/discover",
        "subscriptions/listen",
        "Tools/Call",
        "tools/call ",
        "sampling/createMessage",
    ];
    for method in methods {
        let answer =
            refused(&gate, gate.legacy(method, json!({ "name": "open" })), 200, -32601, "method").await;
        assert_eq!(answer.json()["id"], 1, "{method}");
    }
    for method in [
        "acme/thing",
        "tasks/result",
        "tasks/list",
        "resources/subscribe",
        "initialize",
        "ping",
        "logging/setLevel",
    ] {
        let answer = refused(&gate, gate.modern(method, json!({})), 404, -32601, "method").await;
        assert_eq!(answer.json()["id"], 1, "{method}");
    }
    let row = gate.decisions().await.pop().expect("a row");
    assert_eq!(row.method.as_deref(), Some("acme/thing"), "the first of the minute");
}

#[tokio::test]
async fn a_notification_that_does_not_pass() {
    let gate = gate().await;
    let body = r#"{"jsonrpc":"2.0","method":"acme/note"}"#;
    refused(&gate, gate.post(body), 400, -32601, "method").await;
    let cancelled = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}}"#;
    // Which request 7 is, the upstream could not tell: all our grants are one client to it.
    let request = gate.post(cancelled).header("mcp-protocol-version", "2026-07-28");
    refused(&gate, request, 404, -32601, "method").await;
}

#[tokio::test]
async fn a_response_of_the_modern_era() {
    let gate = gate().await;
    let body = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;
    refused(&gate, gate.post(body).header("mcp-protocol-version", "2026-07-28"), 400, -32600, "response")
        .await;
    refused(&gate, gate.post(body), 400, -32600, "response without session").await;
}

#[tokio::test]
async fn a_subscription_to_what_is_not_known() {
    let gate = gate().await;
    for filter in [json!({ "everything": true }), json!({ "taskIds": "t" }), json!([])] {
        let request = gate.modern("subscriptions/listen", json!({ "notifications": filter }));
        refused(&gate, request, 400, -32602, "subscription").await;
    }
}

#[tokio::test]
async fn no_argument_is_written_down() {
    let gate = gate().await;
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"open","arguments":{"a":"s3cret","a":"s3cret"}}}"#;
    let answer = refused(&gate, gate.post(body), 400, -32602, "duplicate key").await;
    assert!(!answer.text.contains("s3cret"));
    let row = serde_json::to_string(&gate.decisions().await).unwrap();
    assert!(!row.contains("s3cret"), "{row}");
}

#[tokio::test]
async fn a_flood_of_refusals_is_one_row() {
    let gate = gate().await;
    for _ in 0..5 {
        refused(&gate, gate.post("[]"), 400, -32600, "batch").await;
    }
    let rows =
        gate.decisions().await.into_iter().filter(|row| row.message.as_deref() == Some("batch")).count();
    assert!((1..=2).contains(&rows), "one a minute, and the minute may turn: {rows}");
}

/// A server that folds names would run the listed tool, and no rule for it was asked.
#[tokio::test]
async fn a_name_that_only_looks_like_a_tools() {
    let schema = json!({ "type": "object" });
    let tools = [("delete_file", schema.clone()), ("read", schema.clone()), ("Read_It", schema)];
    let gate = Gate::with(&tools, |_| {}, plain).await;
    for name in [
        "Delete_File",
        " delete_file",
        "delete-file",
        "deletefile",
        "delete_file\t",
        "READ",
        "ｒead",
        "read\u{200b}",
    ] {
        let params = json!({ "name": name });
        let answer = refused(&gate, gate.legacy("tools/call", params), 200, -32602, "tool name").await;
        assert_eq!(answer.json()["error"]["message"], format!("Unknown tool: {name}"));
    }
    refused(&gate, gate.modern("tools/call", json!({ "name": "READ" })), 200, -32602, "tool name").await;
    // What is listed, and what looks like nothing that is, passes: servers may have more than they list.
    for name in ["delete_file", "Read_It", "unlisted"] {
        assert_eq!(send(gate.legacy("tools/call", json!({ "name": name }))).await.status, 200);
    }
    assert_eq!(gate.reached().len(), 3);
    // A tool that was listed since is found by a look at what is stored now.
    gate.world.redefine("READ", &json!({ "type": "object" })).await;
    assert_eq!(send(gate.legacy("tools/call", json!({ "name": "READ" }))).await.status, 200);
    assert_eq!(gate.reached().len(), 4);
}
