//! Event streams: passed on as they come, byte for byte, for as long as there is a right to them.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};
use testkit::upstream::{self, Sender, event, events};

use crate::gate::{Gate, send};

/// A gateway whose upstream answers with a stream that the test sends.
async fn streaming(keep_alive: Duration, recheck: Duration) -> (Gate, Sender) {
    let (sender, stream) = upstream::stream();
    let settle = |settings: &mut gateway::GatewaySettings| {
        (settings.keep_alive, settings.recheck) = (keep_alive, recheck);
    };
    (Gate::with(&[], settle, move |_| events(stream.clone())).await, sender)
}

const LONG: Duration = Duration::from_mins(10);
const SOON: Duration = Duration::from_millis(20);

fn call(gate: &Gate) -> RequestBuilder {
    gate.legacy("tools/call", json!({ "name": "open" }))
}

fn result() -> String {
    event(&json!({ "jsonrpc": "2.0", "id": 1, "result": { "content": [] } }))
}

fn notification(n: u32) -> String {
    event(&json!({ "jsonrpc": "2.0", "method": "notifications/progress", "params": { "progress": n } }))
}

/// Reads on until this has come, and nothing else.
async fn expect(response: &mut Response, text: &str) {
    let mut found = String::new();
    while found.len() < text.len() {
        let chunk = response.chunk().await.unwrap().unwrap_or_else(|| panic!("ended after {found:?}"));
        found.push_str(std::str::from_utf8(&chunk).unwrap());
    }
    assert_eq!(found, text);
}

async fn expect_end(response: &mut Response) {
    assert_eq!(response.chunk().await.unwrap(), None);
}

#[tokio::test]
async fn a_stream_passes_byte_for_byte() {
    let whole = concat!(
        ": hello\n\n",
        "id: 1\nretry: 500\ndata:\n\n",
        "event: message\r\nid: 2\r\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\r\n",
        "data: \"params\":{\"data\":1.50}}\r\n\r\n",
        "data:{\"jsonrpc\":\"2.0\",\"id\":\"s\",\"method\":\"roots/list\"}\n\n",
        "x-unknown: 1\ndata: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"content\":[],\"n\":12345678901234567890.10}}\n\n",
        "data: {\"jsonrpc\":\"2.0\",\"id\":9,\"result\":{}}\n\n",
    );
    let gate = Gate::new(move |_| events(whole)).await;
    let answer = send(call(&gate)).await;
    assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, whole));
    let headers = ["content-type", "cache-control", "x-accel-buffering"].map(|name| answer.header(name));
    assert_eq!(headers, ["text/event-stream", "no-cache", "no"]);
}

#[tokio::test]
async fn each_event_passes_as_soon_as_it_is_whole() {
    let (gate, sender) = streaming(LONG, LONG).await;
    let mut response = call(&gate).send().await.unwrap();
    for n in 0..3 {
        sender.send(notification(n));
        expect(&mut response, &notification(n)).await;
    }
    let last = result();
    let (start, end) = last.split_at(20);
    sender.send(start.to_owned());
    sender.send(end.to_owned());
    expect(&mut response, &last).await;
    drop(sender);
    expect_end(&mut response).await;
}

#[tokio::test]
async fn a_quiet_stream_is_kept_alive() {
    let (gate, sender) = streaming(SOON, LONG).await;
    let mut response = call(&gate).send().await.unwrap();
    expect(&mut response, ": keep-alive\n\n: keep-alive\n\n").await;
    drop((response, sender));
}

#[tokio::test]
async fn a_client_that_leaves_is_left_by_us_too() {
    for modern in [false, true] {
        let (gate, sender) = streaming(LONG, LONG).await;
        let request = if modern { gate.modern("tools/call", json!({ "name": "open" })) } else { call(&gate) };
        let mut response = request.send().await.unwrap();
        sender.send(notification(1));
        expect(&mut response, &notification(1)).await;
        drop(response);
        sender.closed().await;
        let closing = gate.world.records(&[&gate.door]).await.closings.pop().unwrap().0;
        assert!(!closing.failed, "the upstream is not to blame");
        assert!(closing.failure.unwrap().contains("client went away"));
    }
}

#[tokio::test]
async fn a_modern_stream_ends_with_its_answer() {
    let (gate, sender) = streaming(LONG, LONG).await;
    let mut response = gate.modern("tools/call", json!({ "name": "open" })).send().await.unwrap();
    let last =
        event(&json!({ "jsonrpc": "2.0", "id": 1, "result": { "resultType": "complete", "content": [] } }));
    sender.send(notification(1) + &last + &notification(2));
    expect(&mut response, &(notification(1) + &last)).await;
    expect_end(&mut response).await;
    sender.closed().await;
}

#[tokio::test]
async fn a_request_of_the_server_passes_in_the_legacy_era_alone() {
    let asks =
        event(&json!({ "jsonrpc": "2.0", "id": "s", "method": "sampling/createMessage", "params": {} }));
    let whole = format!("{asks}{}", result());
    let script = whole.clone();
    let gate = Gate::new(move |_| events(script.clone())).await;
    assert_eq!(send(call(&gate)).await.text, whole);
    assert_eq!(send(gate.modern("tools/call", json!({ "name": "open" }))).await.text, result());
}

#[tokio::test]
async fn a_stream_that_breaks_is_an_error_and_not_tried_again() {
    for modern in [false, true] {
        let (gate, sender) = streaming(LONG, LONG).await;
        let request = if modern { gate.modern("tools/call", json!({ "name": "open" })) } else { call(&gate) };
        let mut response = request.send().await.unwrap();
        sender.send(notification(1));
        expect(&mut response, &notification(1)).await;
        sender.break_off();
        let rest = response.text().await.unwrap();
        let error: Value = serde_json::from_str(rest.trim().strip_prefix("data: ").unwrap()).unwrap();
        assert_eq!((&error["id"], &error["error"]["code"]), (&json!(1), &json!(-32603)));
        assert_eq!(gate.upstream().received().len(), 1);
        let closing = gate.world.records(&[&gate.door]).await.closings.pop().unwrap().0;
        assert!(closing.failed);
    }
}

#[tokio::test]
async fn a_stream_of_the_transport_before_is_not_relayed() {
    let endpoint = "event: endpoint\ndata: http://evil.example/messages\n\n";
    let gate = Gate::new(move |_| events(endpoint)).await;
    for request in [call(&gate), gate.request(Method::GET, "").header("accept", "text/event-stream")] {
        let answer = send(request).await;
        assert!(!answer.text.contains("evil.example"), "{answer:?}");
    }
}

#[tokio::test]
async fn an_event_beyond_the_cap_is_an_error() {
    let (gate, sender) = streaming(LONG, LONG).await;
    let response = call(&gate).send().await.unwrap();
    let piece = "x".repeat(1 << 20);
    sender.send("data: ");
    for _ in 0..17 {
        sender.send(piece.clone());
    }
    let text = response.text().await.unwrap();
    assert!(text.len() < 1000 && text.contains("-32603"), "{text:.100}");
    sender.closed().await;
}

#[tokio::test]
async fn an_answer_that_can_be_read_in_two_ways_does_not_pass_where_it_must_be_read() {
    let doubled = "data: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"a\":1,\"a\":2}}\n\n";
    let gate = Gate::new(move |_| events(doubled)).await;
    // What a tool of the legacy era returns is its own affair.
    assert_eq!(send(call(&gate)).await.text, doubled);
    let modern = send(gate.modern("tools/call", json!({ "name": "open" }))).await.text;
    assert!(modern.contains("-32603") && !modern.contains("\"a\""), "{modern}");
}

#[tokio::test]
async fn a_revoked_grant_loses_its_open_streams() {
    let (gate, sender) = streaming(LONG, SOON).await;
    let get = gate.request(Method::GET, "").header("accept", "text/event-stream");
    let mut response = get.send().await.unwrap();
    sender.send(notification(1));
    expect(&mut response, &notification(1)).await;
    gate.world.revoke(gate.grant.id).await;
    expect_end(&mut response).await;
    sender.closed().await;
}

#[tokio::test]
async fn a_policy_that_changes_ends_the_streams_that_nobody_asked_for() {
    let (gate, sender) = streaming(LONG, SOON).await;
    let get = gate.request(Method::GET, "").header("accept", "text/event-stream");
    let mut response = get.send().await.unwrap();
    sender.send(notification(1));
    expect(&mut response, &notification(1)).await;
    gate.world.save_policy(r#"{ "version": "1", "default": "deny" }"#).await;
    expect_end(&mut response).await;
    sender.closed().await;
}

#[tokio::test]
async fn a_listener_is_told_of_changes_of_lists() {
    let (gate, sender) = streaming(LONG, LONG).await;
    let filter = json!({ "notifications": { "toolsListChanged": true } });
    let mut response = gate.modern("subscriptions/listen", filter).send().await.unwrap();
    let tagged = |method: &str| {
        let meta = json!({ "io.modelcontextprotocol/subscriptionId": 1 });
        event(&json!({ "jsonrpc": "2.0", "method": method, "params": { "_meta": meta } }))
    };
    for method in ["notifications/subscriptions/acknowledged", "notifications/tools/list_changed"] {
        sender.send(tagged(method));
        expect(&mut response, &tagged(method)).await;
    }
    let end = event(&json!({ "jsonrpc": "2.0", "id": 1, "result": { "resultType": "complete" } }));
    sender.send(end.clone());
    expect(&mut response, &end).await;
    expect_end(&mut response).await;
}

#[tokio::test]
async fn a_gateway_that_stops_ends_its_streams() {
    let (gate, sender) = streaming(LONG, LONG).await;
    let mut response = call(&gate).send().await.unwrap();
    sender.send(notification(1));
    expect(&mut response, &notification(1)).await;
    gate.door.state.stop();
    expect_end(&mut response).await;
    sender.closed().await;
}
