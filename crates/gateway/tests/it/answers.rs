//! Answers of one JSON message: passed, filtered, or not fit to be relayed; and what a failure gives back.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Response, StatusCode};
use serde_json::{Value, json};
use testkit::upstream::{self, Received};

use crate::client::{Answer, message};
use crate::world::{ALLOW, Plan, World, plain};

/// One call an hour; `lenient` also gives back what the tool itself failed at.
const ONE: &str = r#"{ "version": "1", "default": "allow", "tools": {
    "read":    { "limits": [{ "counter": "one", "window": "hour", "max": 1 }] },
    "lenient": { "limits": [{ "counter": "two", "window": "hour", "max": 1, "refund_on_error": true }] }
}}"#;

/// An upstream that answers calls with this status, type and body, and everything else plainly.
fn calls(status: StatusCode, kind: &'static str, body: &'static str) -> impl Fn(&Received) -> Response<Body> {
    move |request| match request.rpc_method().as_str() {
        "tools/call" => upstream::raw(status, kind, body),
        _ => plain(request),
    }
}

const RPC_ERROR: &str = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32011,"message":"theirs"}}"#;

#[tokio::test]
async fn a_json_rpc_error_passes_byte_for_byte_and_gives_the_quota_back() {
    for status in
        [StatusCode::OK, StatusCode::BAD_REQUEST, StatusCode::NOT_FOUND, StatusCode::INTERNAL_SERVER_ERROR]
    {
        let world = World::new(ONE, calls(status, "application/json", RPC_ERROR)).await;
        let (door, grant) = (world.door().await, world.grant().await);
        for _ in 0..3 {
            let answer = door.call(&grant, "read", json!({})).await;
            assert_eq!((answer.status, answer.text.as_str()), (status, RPC_ERROR));
        }
        let records = world.records(&[&door]).await;
        assert_eq!(records.closings.len(), 3);
        for (closing, gave_back) in records.closings {
            assert!(closing.failed && gave_back, "{status}: {closing:?}");
            assert_eq!(closing.upstream_status, Some(status.as_u16()));
        }
    }
}

#[tokio::test]
async fn a_tools_own_error_gives_back_only_where_the_policy_says_so() {
    let body = r#"{"jsonrpc":"2.0","id":1,"result":{"isError":true,"content":[]}}"#;
    let world = World::new(ONE, calls(StatusCode::OK, "application/json", body)).await;
    let (door, grant) = (world.door().await, world.grant().await);
    assert_eq!(door.call(&grant, "read", json!({})).await.text, body);
    let refused = door.call(&grant, "read", json!({})).await;
    assert!(refused.text.contains("POLICY DENIED"), "{refused:?}");
    for _ in 0..3 {
        assert_eq!(door.call(&grant, "lenient", json!({})).await.text, body);
    }
    let records = world.records(&[&door]).await;
    let mut gave: Vec<_> = records.closings.iter().map(|(closing, gave)| (closing.failed, *gave)).collect();
    gave.sort_unstable();
    assert_eq!(gave, [(true, false), (true, true), (true, true), (true, true)]);
}

#[tokio::test]
async fn an_upstream_that_fails_is_a_502_of_ours_and_gives_the_quota_back() {
    for (status, kind, body, expected) in [
        (StatusCode::INTERNAL_SERVER_ERROR, "text/html", "<h1>stack trace</h1>", StatusCode::BAD_GATEWAY),
        (StatusCode::BAD_GATEWAY, "application/json", "{\"detail\":\"secret\"}", StatusCode::BAD_GATEWAY),
        (StatusCode::SERVICE_UNAVAILABLE, "", "", StatusCode::BAD_GATEWAY),
        (StatusCode::UNAUTHORIZED, "application/json", RPC_ERROR, StatusCode::BAD_GATEWAY),
        (StatusCode::FORBIDDEN, "", "", StatusCode::BAD_GATEWAY),
        (StatusCode::PAYMENT_REQUIRED, "", "", StatusCode::BAD_GATEWAY),
        (StatusCode::NOT_FOUND, "text/plain", "gone", StatusCode::NOT_FOUND),
        (StatusCode::TOO_MANY_REQUESTS, "", "", StatusCode::TOO_MANY_REQUESTS),
    ] {
        let world = World::new(ONE, calls(status, kind, body)).await;
        let (door, grant) = (world.door().await, world.grant().await);
        for _ in 0..2 {
            let answer = door.call(&grant, "read", json!({})).await;
            assert_eq!((answer.status, answer.code()), (expected, -32603), "{status}");
            assert_eq!(answer.json()["id"], 1);
            assert_eq!(answer.header("www-authenticate"), "");
            assert!(!answer.text.contains("secret") && !answer.text.contains("trace"), "{answer:?}");
        }
        let records = world.records(&[&door]).await;
        assert!(records.closings.iter().all(|(closing, gave_back)| closing.failed && *gave_back));
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = upstream::Upstream::start(plain).await;
    let target = elsewhere.url().to_string();
    let world = World::new(ALLOW, move |_| {
        upstream::with_header(upstream::raw(StatusCode::TEMPORARY_REDIRECT, "", ""), "location", &target)
    })
    .await;
    let (door, grant) = (world.door().await, world.grant().await);
    let answer = door.call(&grant, "read", json!({})).await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::BAD_GATEWAY, ""));
    assert!(elsewhere.received().is_empty());
}

#[tokio::test]
async fn an_upstream_that_is_not_there_is_a_502_and_gives_the_quota_back() {
    let world = World::new(ONE, plain).await;
    let (door, grant) = (world.door().await, world.grant().await);
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let url = format!("http://{closed}/mcp").parse().unwrap();
    world
        .change(world.tenant, async |tx| {
            tx.update_server(world.server, &"moved".parse().unwrap(), &url).await.unwrap();
        })
        .await;
    for _ in 0..2 {
        let answer = door.call(&grant, "read", json!({})).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::BAD_GATEWAY, -32603));
    }
    let records = world.records(&[&door]).await;
    for (closing, gave_back) in records.closings {
        assert!(closing.failed && gave_back && closing.upstream_status.is_none(), "{closing:?}");
    }
}

#[tokio::test]
async fn an_upstream_that_does_not_begin_to_answer_is_a_504() {
    let (_sender, stream) = upstream::stream();
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let world = World::new(ONE, move |_| upstream::events(stream.clone())).await;
    let url = format!("http://{}/mcp", silent.local_addr().unwrap()).parse().unwrap();
    world
        .change(world.tenant, async |tx| {
            tx.update_server(world.server, &"silent".parse().unwrap(), &url).await.unwrap();
        })
        .await;
    let plan = Plan { first_byte_timeout: Duration::from_millis(500), ..world.plan() };
    let (door, grant) = (world.open(plan, |_| {}).await, world.grant().await);
    let answer = door.call(&grant, "read", json!({})).await;
    assert_eq!((answer.status, answer.code()), (StatusCode::GATEWAY_TIMEOUT, -32603));
    let records = world.records(&[&door]).await;
    assert!(records.closings[0].1, "the quota was not given back");
}

#[tokio::test]
async fn an_answer_that_is_no_message_is_not_relayed_to_the_stateless_revision() {
    for (kind, body) in [
        ("application/json", "not json"),
        ("application/json", r#"{"jsonrpc":"2.0","id":1,"result":{},"result":{}}"#),
        ("application/json", r#"{"jsonrpc":"2.0","id":2,"result":{}}"#),
        ("application/json", r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"task","taskId":"x"}}"#),
        ("text/plain", r#"{"jsonrpc":"2.0","id":1,"result":{}}"#),
        ("application/json; charset=utf-16", r#"{"jsonrpc":"2.0","id":1,"result":{}}"#),
        ("", ""),
    ] {
        let world = World::new(ALLOW, calls(StatusCode::OK, kind, body)).await;
        let (door, grant) = (world.door().await, world.grant().await);
        let answer = door.modern_call(&grant, "read", json!({})).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::BAD_GATEWAY, -32603), "{kind} {body}");
        let records = world.records(&[&door]).await;
        assert!(records.closings[0].0.failed);
    }
}

#[tokio::test]
async fn an_encoded_answer_is_not_relayed() {
    let world =
        World::new(ALLOW, |request| upstream::with_header(plain(request), "content-encoding", "gzip")).await;
    let (door, grant) = (world.door().await, world.grant().await);
    assert_eq!(door.call(&grant, "read", json!({})).await.status, StatusCode::BAD_GATEWAY);
}

#[tokio::test]
async fn what_a_tool_returns_passes_as_it_came_however_large() {
    // Lone surrogates and doubled keys are the tool's own affair.
    let odd = r#"{"jsonrpc":"2.0","id":1,"result":{"content":[],"x":"\ud800","y":1,"y":2}}"#;
    let world = World::new(ALLOW, calls(StatusCode::OK, "application/json", odd)).await;
    let (door, grant) = (world.door().await, world.grant().await);
    assert_eq!(door.call(&grant, "read", json!({})).await.text, odd);

    let large = format!(
        r#"{{"jsonrpc":"2.0","id":1,"result":{{"content":[{{"type":"text","text":"{}"}}]}}}}"#,
        "x".repeat(20 * 1024 * 1024)
    );
    let large: &'static str = large.leak();
    let world = World::new(ALLOW, calls(StatusCode::OK, "application/json", large)).await;
    let (door, grant) = (world.door().await, world.grant().await);
    let answer = door.call(&grant, "read", json!({})).await;
    assert!(answer.text == large, "{} bytes of {}", answer.text.len(), large.len());
    let records = world.records(&[&door]).await;
    assert_eq!(records.closings[0].0.response_bytes, Some(large.len() as u64));
}

#[tokio::test]
async fn a_long_answer_is_passed_on_while_it_comes() {
    let (sender, stream) = upstream::stream();
    let world =
        World::new(ALLOW, move |_| upstream::raw(StatusCode::OK, "application/json", stream.clone())).await;
    let (door, grant) = (world.door().await, world.grant().await);
    sender.send(r#"{"jsonrpc":"2.0","id":1,"#);
    sender.send(r#""result":{"content":[],"#);
    let body = crate::client::call("read", json!({})).to_string();
    let mut response = door.request(&grant).body(body).send().await.unwrap();
    let mut text = response.chunk().await.unwrap().unwrap().to_vec();
    sender.send(r#""isError":false}}"#);
    drop(sender);
    while let Some(chunk) = response.chunk().await.unwrap() {
        text.extend_from_slice(&chunk);
    }
    assert_eq!(
        String::from_utf8(text).unwrap(),
        r#"{"jsonrpc":"2.0","id":1,"result":{"content":[],"isError":false}}"#
    );
}

#[tokio::test]
async fn an_answer_that_breaks_off_breaks_off_for_the_client_too() {
    let (sender, stream) = upstream::stream();
    let world =
        World::new(ONE, move |_| upstream::raw(StatusCode::OK, "application/json", stream.clone())).await;
    let (door, grant) = (world.door().await, world.grant().await);
    sender.send(r#"{"jsonrpc":"2.0","id":1,"result":{"#);
    let body = crate::client::call("read", json!({})).to_string();
    let sending = tokio::spawn(door.request(&grant).body(body).send());
    world.upstream.received_at_least(1).await;
    sender.break_off();
    let ended = match sending.await.unwrap() {
        Ok(response) => response.text().await.is_err(),
        Err(_) => true,
    };
    assert!(ended, "half an answer was passed off as a whole one");
    let records = world.records(&[&door]).await;
    let (closing, gave_back) = &records.closings[0];
    assert!(closing.failed && !gave_back, "{closing:?}");
}

#[tokio::test]
async fn lists_hold_what_the_policy_shows_on_every_page() {
    let document = r#"{ "version": "1", "default": "allow", "hide": ["sec*", "write"] }"#;
    let page = |cursor: Value, tools: Value| json!({ "tools": tools, "nextCursor": cursor, "x": 1.50 });
    let world = World::new(document, move |request| {
        let message = request.json();
        let mut result = match message["params"]["cursor"].as_str() {
            None => page(
                json!("2"),
                json!([{ "name": "read", "inputSchema": { "type": "object" } }, { "name": "secret" }]),
            ),
            Some(_) => page(json!(""), json!([{ "name": "write" }])),
        };
        if message["params"]["_meta"].is_object() {
            result["resultType"] = "complete".into();
            result["ttlMs"] = 3_600_000.into();
            result["cacheScope"] = "public".into();
        }
        upstream::json(&json!({ "jsonrpc": "2.0", "id": message["id"], "result": result }))
    })
    .await;
    let (door, grant) = (world.door().await, world.grant().await);
    let first = door.post(&grant, message(1, "tools/list", json!({})).to_string()).await;
    assert_eq!(
        first.json()["result"]["tools"],
        json!([{ "name": "read", "inputSchema": { "type": "object" } }])
    );
    assert_eq!(first.json()["result"]["nextCursor"], "2");
    assert_eq!(first.header("cache-control"), "private, no-store");
    let second = door.post(&grant, message(2, "tools/list", json!({ "cursor": "2" })).to_string()).await;
    assert_eq!(second.json()["result"]["tools"], json!([]));
    assert_eq!(second.json()["result"]["nextCursor"], "");

    for (cursor, names) in [(json!({}), json!(["read"])), (json!({ "cursor": "2" }), json!([]))] {
        let answer = Answer::of(door.modern(&grant, "tools/list", cursor).send().await.unwrap()).await;
        let result = &answer.json()["result"];
        let listed: Vec<_> =
            result["tools"].as_array().unwrap().iter().map(|tool| tool["name"].clone()).collect();
        assert_eq!(json!(listed), names);
        assert_eq!((&result["cacheScope"], &result["ttlMs"]), (&json!("private"), &json!(60_000)));
    }
}

#[tokio::test]
async fn a_list_that_can_not_be_read_is_not_relayed() {
    for body in ["{", r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[],"tools":[{"name":"secret"}]}}"#] {
        let world = World::new(ALLOW, move |_| upstream::raw(StatusCode::OK, "application/json", body)).await;
        let (door, grant) = (world.door().await, world.grant().await);
        let answer = door.post(&grant, message(1, "tools/list", json!({})).to_string()).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::BAD_GATEWAY, -32603), "{body}");
    }
}

#[tokio::test]
async fn the_state_of_a_call_in_rounds_is_sealed_for_its_grant_and_its_arguments() {
    let world = World::new(ALLOW, |request| {
        let message = request.json();
        let result = match message["params"]["requestState"].as_str() {
            None => json!({ "resultType": "input_required", "requestState": "upstream-state", "inputRequests": {} }),
            Some(state) => json!({ "resultType": "complete", "content": [{ "type": "text", "text": state }] }),
        };
        upstream::json(&json!({ "jsonrpc": "2.0", "id": message["id"], "result": result }))
    })
    .await;
    let (door, grant, other) = (world.door().await, world.grant().await, world.grant().await);
    let round = async |grant, tool: &str, arguments: Value, state: Option<&str>| {
        let mut params = json!({ "name": tool, "arguments": arguments });
        if let Some(state) = state {
            params["requestState"] = state.into();
        }
        Answer::of(door.modern(grant, "tools/call", params).send().await.unwrap()).await
    };
    let first = round(&grant, "read", json!({ "n": 1 }), None).await.json();
    let state = first["result"]["requestState"].as_str().unwrap();
    assert!(!state.contains("upstream"), "{state}");

    let second = round(&grant, "read", json!({ "n": 1.0 }), Some(state)).await;
    assert_eq!(second.json()["result"]["content"][0]["text"], "upstream-state");
    let before = world.upstream.received().len();
    for refused in [
        round(&other, "read", json!({ "n": 1 }), Some(state)).await,
        round(&grant, "write", json!({ "n": 1 }), Some(state)).await,
        round(&grant, "read", json!({ "n": 2 }), Some(state)).await,
        round(&grant, "read", json!({ "n": 1 }), Some("upstream-state")).await,
    ] {
        assert_eq!((refused.status, refused.code()), (StatusCode::BAD_REQUEST, -32602), "{refused:?}");
    }
    world.clock.advance(Duration::from_hours(24));
    assert_eq!(round(&grant, "read", json!({ "n": 1 }), Some(state)).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(world.upstream.received().len(), before);
}
