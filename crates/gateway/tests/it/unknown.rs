//! Tools that are hidden, and tools that there are not: nobody can tell them apart by how a call of them is answered, in whatever way the
//! server says that it has no such tool.

use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::Body;
use axum::http::{Response, StatusCode};
use domain::Outcome;
use serde_json::{Value, json};
use storage::ProtocolRow;
use testkit::upstream::{self, Received, event, events, raw, with_header};

use crate::client::{Answer, Door};
use crate::gate::{Gate, legacy, send};
use crate::world::{Grant, World, plain};

const TOOLS: [&str; 3] = ["open", "hidden_a", "closed"];
/// Lets names through that are not known.
const OPEN: &str = r#"{ "version": "1", "default": "allow", "hide": ["hidden_*"] }"#;
/// Lets none through.
const SHUT: &str = r#"{ "version": "1", "default": "deny", "hide": ["hidden_*"], "tools": { "open": {} } }"#;

type Form = fn(&Value, &str) -> Response<Body>;

fn error(id: &Value, code: i32, message: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } })
}

fn failed(id: &Value, text: &str) -> Value {
    let content = json!([{ "type": "text", "text": text }]);
    json!({ "jsonrpc": "2.0", "id": id, "result": { "isError": true, "content": content, "resultType": "complete" } })
}

/// What servers say, with a status that only the stateless revision has last.
const FORMS: [Form; 7] = [
    |id, tool| upstream::json(&error(id, -32602, &format!("Unknown tool: {tool}"))),
    |id, tool| upstream::json(&error(id, -32601, &format!("there is no `{tool}` here, {tool}"))),
    |id, tool| {
        with_header(
            upstream::json(&failed(id, &format!("Tool {tool} not found"))),
            "cache-control",
            "no-store",
        )
    },
    |id, tool| events(format!(": ping\n\n{}", event(&failed(id, &format!("Unknown tool: {tool}"))))),
    |id, tool| {
        let said = failed(id, &format!("MCP error -32602: Tool {tool} not found"));
        with_header(
            events(format!("id: 4\r\nevent: message\r\ndata: {said}\r\n\r\n")),
            "mcp-session-id",
            "upstream-session",
        )
    },
    |id, _| upstream::json(&failed(id, "no")),
    |id, tool| raw(StatusCode::BAD_REQUEST, "application/json", error(id, -32602, tool).to_string()),
];

fn server(form: Form) -> impl Fn(&Received) -> Response<Body> + Send + Sync + 'static {
    move |request| {
        let message = request.json();
        match message["params"]["name"].as_str() {
            Some(tool) if !TOOLS.contains(&tool) => form(&message["id"], tool),
            _ => plain(request),
        }
    }
}

async fn world(document: &str, script: impl Fn(&Received) -> Response<Body> + Send + Sync + 'static) -> Gate {
    let tools = TOOLS.map(|tool| (tool, json!({ "type": "object" })));
    let world = World::with_tools(document, &tools, script).await;
    let (door, grant) = (world.door().await, world.grant().await);
    Gate { world, door, grant }
}

/// All of an answer that a client sees, with a star for what differs from one call to another.
fn seen(answer: &Answer, tool: &str) -> String {
    let headers = [
        "content-type",
        "cache-control",
        "content-length",
        "x-accel-buffering",
        "retry-after",
        "mcp-session-id",
    ];
    let headers = headers.map(|name| {
        let long = name == "content-length" && !answer.header(name).is_empty();
        if long { "some" } else { answer.header(name) }
    });
    // Events of the server have ids, by which nobody resumes behind what the gateway says.
    let text =
        answer.text.split_inclusive('\n').filter(|line| !line.starts_with("id:") && !line.starts_with(':'));
    let text = text.collect::<String>().trim_start().replace(tool, "*");
    format!("{} {headers:?} {text}", answer.status)
}

async fn ask(gate: &Gate, tool: &str, session: Option<&str>) -> String {
    let params = json!({ "name": tool, "arguments": { "key": "hush" } });
    let answer = match session {
        Some("") => send(gate.legacy("tools/call", params)).await,
        Some(session) => send(gate.legacy("tools/call", params).header("mcp-session-id", session)).await,
        None => send(gate.modern("tools/call", params)).await,
    };
    seen(&answer, tool)
}

#[tokio::test]
async fn a_hidden_tool_is_answered_as_one_that_is_not_there_in_every_form_and_era() {
    for (place, form) in FORMS.into_iter().enumerate() {
        let gate = world(OPEN, server(form)).await;
        let session = gate.session().await;
        for session in [None, Some(""), Some(session.as_str())] {
            if place + 1 == FORMS.len() && session.is_some() {
                continue;
            }
            // The hidden one first: nothing was learnt from the other.
            let hidden = ask(&gate, "hidden_a", session).await;
            assert_eq!(hidden, ask(&gate, "nowhere", session).await, "{place} {session:?}");
            assert_eq!(hidden, ask(&gate, "hidden_nowhere", session).await, "{place} {session:?}");
            // What only looks like a tool, too.
            assert_eq!(hidden, ask(&gate, "Hidden-A", session).await, "{place} {session:?}");
        }
        let called = gate.upstream().received();
        assert!(called.iter().all(|request| request.json()["params"]["name"] != "hidden_a"));
    }
}

#[tokio::test]
async fn what_a_policy_that_hides_refuses_and_nobody_lists_is_unknown_too() {
    for (place, form) in FORMS.into_iter().take(6).enumerate() {
        let gate = world(SHUT, server(form)).await;
        let hidden = ask(&gate, "hidden_a", None).await;
        assert_eq!(hidden, ask(&gate, "nowhere", None).await, "{place}");
        assert!(!hidden.contains("POLICY DENIED"));
        // What the server lists is denied, in words.
        assert!(ask(&gate, "closed", None).await.contains("POLICY DENIED"));
        let rows = gate.decisions().await;
        let noted: Vec<_> = rows.iter().map(|row| (row.outcome, row.rule.as_deref().unwrap_or(""))).collect();
        let denied = (Outcome::Deny, "(default deny)");
        assert_eq!(noted, [(Outcome::Hidden, "(hidden)"), denied, denied]);
    }
    // With pins, and a limit that is used up, it is the same.
    let limited = OPEN.replacen('{', r#"{ "all_tools": { "rate_limit": "1/hour" }, "#, 1);
    let gate = world(&limited, server(FORMS[3])).await;
    assert!(!ask(&gate, "open", None).await.contains("POLICY DENIED"));
    assert!(ask(&gate, "open", None).await.starts_with("429"));
    assert_eq!(ask(&gate, "hidden_a", None).await, ask(&gate, "nowhere", None).await);
    let pinned = ProtocolRow { custom_methods: Vec::new(), pin_tools: true };
    gate.world
        .change(gate.world.tenant, async |tx| {
            assert!(tx.set_protocol(gate.world.server, &pinned).await.unwrap());
        })
        .await;
    assert_eq!(ask(&gate, "hidden_a", None).await, ask(&gate, "nowhere", None).await);
    assert!(ask(&gate, "closed", None).await.contains("POLICY DENIED"));
}

#[tokio::test]
async fn a_policy_that_hides_nothing_says_of_every_name_that_it_denies_it() {
    let gate = world(r#"{ "version": "1", "default": "deny" }"#, server(FORMS[0])).await;
    for tool in ["open", "nowhere"] {
        assert!(ask(&gate, tool, None).await.contains("POLICY DENIED"));
    }
    assert!(gate.upstream().received().is_empty());
}

#[tokio::test]
async fn the_server_is_asked_once_by_a_name_that_nobody_has_and_with_nothing_of_the_clients() {
    let gate = world(OPEN, server(FORMS[3])).await;
    let other = gate.world.grant().await;
    let session = gate.session().await;
    for _ in 0..3 {
        ask(&gate, "hidden_a", None).await;
        ask(&gate, "hidden_b", Some(&session)).await;
        let body = legacy("tools/call", json!({ "name": "hidden_c", "arguments": {} }));
        gate.door
            .request(&other)
            .header("mcp-protocol-version", "2025-11-25")
            .body(body)
            .send()
            .await
            .unwrap();
    }
    let asked = gate.upstream().received().split_off(1);
    assert_eq!(asked.len(), 2, "{asked:?}");
    for request in &asked {
        let message = request.json();
        let name = message["params"]["name"].as_str().unwrap();
        assert!(name.starts_with("tollgate_no_such_tool_") && name.len() > 50, "{name}");
        assert_eq!((&message["id"], &message["params"]["arguments"]), (&json!(name), &json!({})));
        assert_eq!(request.header("x-upstream-key"), "sealed-and-opened");
        assert!(!format!("{request:?}").contains("hush"));
    }
    assert_ne!(asked[0].json()["id"], asked[1].json()["id"]);
    assert_eq!(
        (asked[0].header("mcp-session-id"), asked[0].header("mcp-protocol-version")),
        ("", "2026-07-28")
    );
    assert_eq!(asked[0].header("mcp-name"), asked[0].json()["params"]["name"]);
    assert_eq!(asked[1].header("mcp-session-id"), "upstream-session");
    assert_eq!(asked[1].header("mcp-protocol-version"), "2025-11-25");
    // Nobody's decision is about it.
    let rows = gate.decisions().await;
    assert!(rows.iter().all(|row| row.tool.as_deref().is_none_or(|tool| !tool.contains("tollgate"))));
}

#[tokio::test]
async fn a_server_that_says_nothing_of_use_is_spoken_for_as_the_protocol_writes_it() {
    let forms: [Form; 6] = [
        // It runs whatever it is called by.
        |id, tool| {
            upstream::json(
                &json!({ "jsonrpc": "2.0", "id": id, "result": { "content": [{ "type": "text", "text": tool }] } }),
            )
        },
        // It names others.
        |id, tool| upstream::json(&failed(id, &format!("Unknown tool {tool}. Available: open, hidden_a"))),
        |_, _| raw(StatusCode::SERVICE_UNAVAILABLE, "text/plain", "away"),
        |_, _| raw(StatusCode::UNAUTHORIZED, "", ""),
        |_, _| events(": nothing\n\n"),
        // It would tell one grant of the session of another.
        |id, _| upstream::json(&failed(id, "no such tool in upstream-session")),
    ];
    for form in forms {
        let gate = world(OPEN, server(form)).await;
        let session = gate.session().await;
        let answer =
            send(gate.legacy("tools/call", json!({ "name": "hidden_a" })).header("mcp-session-id", &session))
                .await;
        let expected = json!({ "jsonrpc": "2.0", "id": 1, "error": { "code": -32602, "message": "Unknown tool: hidden_a" } });
        assert_eq!((answer.status, answer.json()), (StatusCode::OK, expected));
    }
}

#[tokio::test]
async fn what_is_said_of_one_session_is_not_kept_for_others() {
    let answers = server(FORMS[2]);
    let gate = world(OPEN, move |request| match request.header("mcp-session-id") {
        "" if request.rpc_method() == "tools/call" => {
            let missing = error(&Value::Null, -32600, "Mcp-Session-Id header is required");
            raw(StatusCode::BAD_REQUEST, "application/json", missing.to_string())
        }
        _ => answers(request),
    })
    .await;
    let session = gate.session().await;
    let call = gate.legacy("tools/call", json!({ "name": "hidden_a" }));
    let outside = send(call.header("mcp-protocol-version", "2025-11-25")).await;
    assert_eq!(outside.json()["error"]["message"], "Unknown tool: hidden_a");
    assert!(ask(&gate, "hidden_a", Some(&session)).await.contains("Tool * not found"));
}

#[tokio::test]
async fn a_hidden_call_for_a_task_is_refused_with_an_error_whatever_the_form() {
    for form in [FORMS[1], FORMS[2]] {
        let gate = world(OPEN, server(form)).await;
        let answer = send(gate.legacy("tools/call", json!({ "name": "hidden_a", "task": {} }))).await;
        assert!(answer.code() == -32601 || answer.json()["error"]["message"] == "Unknown tool: hidden_a");
    }
}

#[tokio::test]
async fn a_name_that_is_listed_since_the_tools_were_read_is_a_name_of_a_tool() {
    static LISTED: AtomicBool = AtomicBool::new(false);
    let gate = world(SHUT.replacen("\"open\"", "\"*pen*\"", 1).as_str(), |request| {
        match request.rpc_method().as_str() {
            "tools/list" if LISTED.load(Ordering::SeqCst) => {
                let tools = json!([{ "name": "OPEN" }, { "name": "öpen" }, { "name": "pending" }, { "name": "late" }]);
                upstream::json(&json!({ "jsonrpc": "2.0", "id": 1, "result": { "tools": tools } }))
            }
            _ => plain(request),
        }
    })
    .await;
    let call = async |door: &Door, grant: &Grant, tool: &str| door.call(grant, tool, json!({})).await.json();
    let list = async || send(gate.legacy("tools/list", json!({}))).await;
    list().await;
    for tool in ["OPEN", "öpen"] {
        assert_eq!(call(&gate.door, &gate.grant, tool).await["error"]["code"], -32602, "{tool}");
    }
    assert_eq!(call(&gate.door, &gate.grant, "late").await["error"]["code"], -32602);
    LISTED.store(true, Ordering::SeqCst);
    list().await;
    let other = gate.world.grant().await;
    for grant in [&gate.grant, &other] {
        for tool in ["öpen", "pending"] {
            assert_eq!(call(&gate.door, grant, tool).await["result"]["content"][0]["text"], tool);
        }
        let late = call(&gate.door, grant, "late").await;
        assert_eq!(late["result"]["_meta"]["dev.tollgate/decision"]["rule"], "(default deny)");
    }
    // What it does not list is as unknown as before, and another gateway has seen no list.
    assert_eq!(call(&gate.door, &gate.grant, "oPen").await["error"]["code"], -32602);
    let elsewhere = gate.world.door().await;
    assert_eq!(call(&elsewhere, &gate.grant, "öpen").await["error"]["code"], -32602);
}
