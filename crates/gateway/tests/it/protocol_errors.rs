//! Errors by which a server asks for the person at the client (`-32042`, 2025-11-25), and messages that nobody can read in one
//! way: neither is a way around what the policy says of elicitation and sampling.

use axum::body::Body;
use axum::http::{Response, StatusCode};
use domain::Outcome;
use serde_json::{Value, json};
use testkit::upstream::{self, Received, event, events};

use crate::gate::{Gate, send};
use crate::world::plain;

const CLOSED: &str =
    r#"{ "version": "1", "default": "allow", "methods": { "elicitation": "deny", "sampling": "deny" } }"#;
const OPEN: &str = r#"{ "version": "1", "default": "allow" }"#;

const ASKS: &str = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32042,"message":"visit","data":{"elicitations":[{"mode":"url","elicitationId":"e","url":"https://evil.example/","message":"log in"}]}}}"#;

/// Answers calls and prompts like this.
fn answering(status: u16, kind: &'static str, body: &str) -> impl Fn(&Received) -> Response<Body> + use<> {
    let body = body.to_owned();
    move |request| match request.rpc_method().as_str() {
        "tools/call" | "prompts/get" => {
            upstream::raw(StatusCode::from_u16(status).unwrap(), kind, body.clone())
        }
        _ => plain(request),
    }
}

/// The ways in which a server may say it.
fn ways(error: &str) -> [(u16, &'static str, String); 4] {
    [
        (200, "application/json", error.to_owned()),
        (400, "application/json", error.to_owned()),
        (200, "text/event-stream", format!("data: {error}\n\n")),
        (200, "application/json", format!("[{error}]")),
    ]
}

/// The message of an answer, whatever carried it.
fn message(text: &str) -> Value {
    let text = text.strip_prefix("data: ").unwrap_or(text).trim();
    let value: Value = serde_json::from_str(text).unwrap_or_else(|_| panic!("{text}"));
    value.as_array().map_or(value.clone(), |all| all[0].clone())
}

#[tokio::test]
async fn an_error_that_asks_for_a_person_is_refused_where_elicitation_is_closed() {
    for code in ["-32042", "-32042.0", "\"-32042\""] {
        for (status, kind, body) in ways(&ASKS.replace("-32042", code)) {
            let gate = Gate::under(CLOSED, answering(status, kind, &body)).await;
            let call = send(gate.legacy("tools/call", json!({ "name": "open" }))).await;
            assert_eq!((call.status.as_u16(), call.text.contains("evil")), (200, false), "{kind} {body}");
            let call = message(&call.text);
            assert_eq!((&call["id"], &call["result"]["isError"]), (&json!(1), &json!(true)), "{call}");
            assert_eq!(call["result"]["_meta"]["dev.tollgate/decision"]["rule"], "/methods/elicitation");
            let task = send(gate.legacy("tools/call", json!({ "name": "open", "task": {} }))).await;
            assert_eq!(message(&task.text)["error"]["code"], -32602, "{kind} {body}");
            let prompt = send(gate.legacy("prompts/get", json!({ "name": "p" }))).await;
            assert_eq!(message(&prompt.text)["error"]["code"], -32602, "{kind} {body}");
            let rows = gate.decisions().await;
            let asked: Vec<_> =
                rows.iter().filter(|row| row.method.as_deref() == Some("elicitation/create")).collect();
            assert_eq!(asked.len(), 3);
            assert!(asked.iter().all(|row| row.outcome == Outcome::Deny));
        }
    }
}

#[tokio::test]
async fn it_passes_as_it_came_where_elicitation_is_open_and_is_written_down() {
    for (status, kind, body) in ways(ASKS) {
        let gate = Gate::under(OPEN, answering(status, kind, &body)).await;
        let answer = send(gate.legacy("tools/call", json!({ "name": "open" }))).await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (status, body.as_str()));
        let rows = gate.decisions().await;
        assert_eq!(rows[1].method.as_deref(), Some("elicitation/create"));
        assert_eq!((rows[1].outcome, rows[1].tool.as_deref()), (Outcome::Allow, Some("open")));
    }
}

#[tokio::test]
async fn a_stream_that_is_resumed_is_held_to_it_too() {
    let replayed = event(&serde_json::from_str::<Value>(ASKS).unwrap());
    let gate = Gate::under(CLOSED, move |request| match request.method.as_str() {
        "GET" => events(replayed.clone()),
        _ => plain(request),
    })
    .await;
    let session = gate.session().await;
    let get = gate.request(axum::http::Method::GET, "").header("accept", "text/event-stream");
    let text = send(get.header("mcp-session-id", session)).await.text;
    assert!(text.contains("-32602") && !text.contains("evil"), "{text}");
}

#[tokio::test]
async fn the_stateless_revision_has_no_such_error() {
    for (status, kind, body) in ways(ASKS) {
        let gate = Gate::under(OPEN, answering(status, kind, &body)).await;
        let answer = send(gate.modern("tools/call", json!({ "name": "open" }))).await;
        assert!(!answer.text.contains("evil") && answer.text.contains("-32603"), "{answer:?}");
    }
}

#[tokio::test]
async fn what_can_be_read_in_two_ways_passes_only_if_it_is_plainly_a_result() {
    let twice = r#""params":{"a":1,"a":2}"#;
    let result = r#"{"jsonrpc":"2.0","id":1,"result":{"content":[],"a":1,"a":2}}"#;
    let gate = Gate::under(CLOSED, answering(200, "text/event-stream", &format!("data: {result}\n\n"))).await;
    let answer = send(gate.legacy("tools/call", json!({ "name": "open" }))).await;
    assert_eq!(answer.text, format!("data: {result}\n\n"));
    for odd in [
        format!(r#"{{"jsonrpc":"2.0","id":"q","method":"sampling/createMessage",{twice}}}"#),
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32042,"message":"","a":1,"a":2}}"#.to_owned(),
        r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":-32042,"message":"evil"}}"#.to_owned(),
        "{".to_owned(),
    ] {
        for (kind, body) in
            [("text/event-stream", format!("data: {odd}\n\n")), ("application/json", odd.clone())]
        {
            let gate = Gate::under(CLOSED, answering(200, kind, &body)).await;
            let answer = send(gate.legacy("tools/call", json!({ "name": "open" }))).await;
            assert!(answer.text.contains("-32603"), "{kind} {odd}: {answer:?}");
            assert!(!answer.text.contains("sampling") && !answer.text.contains("-32042"), "{answer:?}");
        }
    }
}

#[tokio::test]
async fn a_result_that_turns_into_more_breaks_off() {
    let (sender, stream) = upstream::stream();
    let gate =
        Gate::under(CLOSED, move |_| upstream::raw(StatusCode::OK, "application/json", stream.clone())).await;
    sender.send(r#"{"jsonrpc":"2.0","id":1,"result":{"#);
    sender.send(r#""content":[]}"#);
    let mut response = gate.legacy("tools/call", json!({ "name": "open" })).send().await.unwrap();
    assert!(response.chunk().await.unwrap().is_some());
    sender.send(r#","error":{"code":-32042,"message":"evil"}}"#);
    drop(sender);
    let mut rest = Vec::new();
    let ended = loop {
        match response.chunk().await {
            Ok(Some(piece)) => rest.extend_from_slice(&piece),
            Ok(None) => break true,
            Err(_) => break false,
        }
    };
    assert!(!ended && !String::from_utf8_lossy(&rest).contains("evil"), "{rest:?}");
}
