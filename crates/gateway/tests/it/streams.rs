//! Answers that are event streams: passed on as they come, looked at event by event, and no longer than the right to them.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Response, StatusCode};
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use testkit::upstream::{self, Received, Sender, event, stream};

use crate::client::{Door, call, event_ids, masked, message};
use crate::world::{ALLOW, Grant, World, new_id, plain};

/// One call an hour, to see what is given back.
const ONE: &str = r#"{ "version": "1", "default": "allow", "hide": ["secret"],
    "tools": { "read": { "limits": [{ "counter": "one", "window": "hour", "max": 1 }] } } }"#;

/// A stream of the client's, read piece by piece.
struct Reading {
    response: reqwest::Response,
    text: String,
}

impl Reading {
    async fn of(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-cache");
        assert_eq!(response.headers()["x-accel-buffering"], "no");
        Self { response, text: String::new() }
    }

    /// Reads until `expected` has come.
    async fn until(&mut self, expected: &str) {
        while !self.text.contains(expected) {
            let chunk = tokio::time::timeout(Duration::from_secs(20), self.response.chunk()).await;
            let chunk = chunk.unwrap_or_else(|_| panic!("`{expected}` should have come after {}", self.text));
            let chunk = chunk.unwrap().unwrap_or_else(|| panic!("ended before `{expected}`: {}", self.text));
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// Reads until the end.
    async fn rest(mut self) -> String {
        loop {
            let chunk = tokio::time::timeout(Duration::from_secs(20), self.response.chunk()).await;
            match chunk.unwrap_or_else(|_| panic!("should have ended after {}", self.text)).unwrap() {
                Some(chunk) => self.text.push_str(std::str::from_utf8(&chunk).unwrap()),
                None => return self.text,
            }
        }
    }
}

/// A world whose upstream answers calls and GETs with a stream of the test's, and all else plainly.
async fn streaming(document: &str) -> (World, Door, Grant, Sender) {
    let (sender, streamed) = stream();
    let script = move |request: &Received| -> Response<Body> {
        match request.rpc_method().as_str() {
            "initialize" => plain(request),
            _ => upstream::events(streamed.clone()),
        }
    };
    let world = World::new(document, script).await;
    let door = world
        .door_with(|settings| {
            settings.recheck = Duration::from_millis(50);
            settings.keep_alive = Duration::from_millis(100);
        })
        .await;
    let grant = world.grant().await;
    (world, door, grant, sender)
}

fn calling(door: &Door, grant: &Grant) -> RequestBuilder {
    door.request(grant).body(call("read", json!({})).to_string())
}

fn listening(door: &Door, grant: &Grant) -> RequestBuilder {
    door.http().get(door.url()).bearer_auth(&grant.token).header("accept", "text/event-stream")
}

fn result(result: Value) -> String {
    let mut message = json!({ "jsonrpc": "2.0", "id": 1 });
    message["result"] = result;
    event(&message)
}

#[tokio::test]
async fn events_pass_as_they_come_byte_for_byte() {
    let (world, door, grant, sender) = streaming(ALLOW).await;
    let first = ":hello\r\n\r\nid: 7\r\nretry: 10\r\ndata\r\n\r\n";
    sender.send(first);
    let mut reading = Reading::of(calling(&door, &grant)).await;
    reading.until("retry: 10\r\ndata\r\n\r\n").await;
    let progress =
        "event: message\nid:8\ndata: {\"jsonrpc\":\"2.0\",\ndata: \"method\":\"notifications/progress\"}\n\n";
    // However it is cut.
    for byte in progress.as_bytes() {
        sender.send(vec![*byte]);
    }
    reading.until("progress\"}\n\n").await;
    let last = "data:{\"jsonrpc\" : \"2.0\", \"id\":1, \"result\":{\"content\":[]}}\n\n";
    sender.send(last);
    reading.until(last).await;
    drop(sender);
    let text = reading.rest().await.replace(": keep-alive\n\n", "");
    assert_eq!(masked(&text), masked(&format!("{first}{progress}{last}")));
    assert!(event_ids(&text).iter().all(|id| id.len() > 32), "ids are sealed: {text}");
    let records = world.records(&[&door]).await;
    assert!(!records.closings[0].0.failed, "{:?}", records.closings);
}

#[tokio::test]
async fn a_quiet_stream_is_kept_alive() {
    let (_world, door, grant, sender) = streaming(ALLOW).await;
    sender.send(": here\n\n");
    let mut reading = Reading::of(calling(&door, &grant)).await;
    reading.until(": keep-alive\n\n: keep-alive\n\n").await;
}

#[tokio::test]
async fn what_is_known_to_be_a_stream_has_a_connection_of_its_own() {
    let world = World::new(ALLOW, |request| match request.rpc_method().as_str() {
        "" | "subscriptions/listen" => upstream::events(": here\n\n"),
        _ => plain(request),
    })
    .await;
    let (door, grant) = (world.door().await, world.grant().await);
    let filter = json!({ "notifications": { "toolsListChanged": true } });
    for request in [
        calling(&door, &grant),
        listening(&door, &grant),
        calling(&door, &grant),
        door.modern(&grant, "subscriptions/listen", filter),
        calling(&door, &grant),
    ] {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        response.bytes().await.unwrap();
    }
    let peers: Vec<_> = world.upstream.received().iter().map(|received| received.peer).collect();
    let [first, get, second, listen, third] = peers[..] else { panic!("{peers:?}") };
    assert!(first == second && second == third, "calls share one: {peers:?}");
    assert!(get != first && listen != first && get != listen, "{peers:?}");
}

#[tokio::test]
async fn lists_are_filtered_in_every_stream() {
    let list = result(json!({ "tools": [{ "name": "read" }, { "name": "secret" }], "nextCursor": "n" }));
    let world = World::new(ONE, move |request| match request.rpc_method().as_str() {
        "initialize" => plain(request),
        _ => upstream::events(format!("id: 3\n{list}")),
    })
    .await;
    let (door, grant) = (world.door().await, world.grant().await);
    let session = door.initialize(&grant).await.header("mcp-session-id").to_owned();
    let post = door.request(&grant).body(message(1, "tools/list", json!({})).to_string());
    let mut seen = String::new();
    for resumes in [false, true] {
        // What was missed is replayed on a GET: nobody there says which request it answers.
        let get = listening(&door, &grant).header("mcp-session-id", &session).header("last-event-id", &seen);
        let request = if resumes { get } else { post.try_clone().unwrap() };
        let text = Reading::of(request).await.rest().await;
        assert!(masked(&text).starts_with("id: *\nevent: message\ndata: "), "{text}");
        seen = event_ids(&text)[0].to_owned();
        assert!(text.contains("\"read\"") && text.contains("\"nextCursor\":\"n\""), "{text}");
        assert!(!text.contains("secret"), "{text}");
    }
    let received = world.upstream.received();
    assert_eq!(received[2].header("last-event-id"), "3", "the upstream's own");
    assert_eq!(received[2].header("mcp-session-id"), "upstream-session");
}

#[tokio::test]
async fn a_stream_is_resumed_by_who_was_told_the_id_alone() {
    let event = event(&json!({ "jsonrpc": "2.0", "method": "notifications/message", "params": {} }));
    let world = World::new(ALLOW, move |_| upstream::events(format!("id: 3\n{event}"))).await;
    let (door, grant, other) = (world.door().await, world.grant().await, world.grant().await);
    let (second, policy) = (new_id(), new_id());
    world.insert_server(world.tenant, second, policy, ALLOW, &[]).await;
    let (elsewhere, abroad) = (door.at(second), world.mint(world.tenant, second, Some(policy), None).await);
    let text = Reading::of(listening(&door, &grant)).await.rest().await;
    let id = event_ids(&text)[0].to_owned();
    let before = world.upstream.received().len();
    for (door, grant, id) in
        [(&door, &other, id.as_str()), (&elsewhere, &abroad, &id), (&door, &grant, "3"), (&door, &grant, "*")]
    {
        let answer = listening(door, grant).header("last-event-id", id).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{id}");
    }
    assert_eq!(world.upstream.received().len(), before);
    Reading::of(listening(&door, &grant).header("last-event-id", &id)).await.rest().await;
    assert_eq!(world.upstream.received()[before].header("last-event-id"), "3");
}

#[tokio::test]
async fn an_error_in_a_stream_gives_the_quota_back_before_it_is_seen() {
    let error =
        event(&json!({ "jsonrpc": "2.0", "id": 1, "error": { "code": -32011, "message": "theirs" } }));
    let world = World::new(ONE, move |_| upstream::events(error.clone())).await;
    let (door, grant) = (world.door().await, world.grant().await);
    for _ in 0..3 {
        let text = Reading::of(calling(&door, &grant)).await.rest().await;
        assert!(text.contains("theirs"), "{text}");
    }
    let records = world.records(&[&door]).await;
    assert!(records.closings.iter().all(|(closing, gave_back)| closing.failed && *gave_back));
}

#[tokio::test]
async fn a_stateless_stream_ends_with_its_answer_and_holds_no_requests_of_the_server() {
    let (world, door, grant, sender) = streaming(ALLOW).await;
    sender
        .send(event(&json!({ "jsonrpc": "2.0", "id": 9, "method": "sampling/createMessage", "params": {} })));
    sender.send(event(&json!({ "jsonrpc": "2.0", "method": "notifications/progress", "params": {} })));
    sender.send(result(json!({ "resultType": "complete", "content": [] })));
    sender.send(event(&json!({ "jsonrpc": "2.0", "method": "notifications/late", "params": {} })));
    let request = door.modern(&grant, "tools/call", json!({ "name": "read" }));
    let text = Reading::of(request).await.rest().await;
    assert!(text.contains("notifications/progress") && text.contains("complete"), "{text}");
    assert!(!text.contains("sampling") && !text.contains("late"), "{text}");
    // The upstream has not ended it: we have.
    sender.closed().await;
    let records = world.records(&[&door]).await;
    assert!(!records.closings[0].0.failed);
}

#[tokio::test]
async fn a_stateless_stream_without_an_answer_is_a_failure() {
    let (world, door, grant, sender) = streaming(ALLOW).await;
    sender.send(event(&json!({ "jsonrpc": "2.0", "method": "notifications/progress", "params": {} })));
    drop(sender);
    Reading::of(door.modern(&grant, "tools/call", json!({ "name": "read" }))).await.rest().await;
    let records = world.records(&[&door]).await;
    assert!(records.closings[0].0.failed);
}

#[tokio::test]
async fn a_stream_that_breaks_off_says_so_to_who_waits() {
    let (world, door, grant, sender) = streaming(ONE).await;
    sender.send(": here\n\n");
    let mut reading = Reading::of(calling(&door, &grant)).await;
    reading.until(": here").await;
    sender.break_off();
    let text = reading.rest().await;
    assert!(text.contains("-32603") && text.contains("\"id\":1"), "{text}");
    let records = world.records(&[&door]).await;
    let (closing, gave_back) = &records.closings[0];
    assert!(closing.failed && !gave_back, "the tool may have run: {closing:?}");
}

#[tokio::test]
async fn what_can_not_be_relayed_ends_the_stream_with_an_error() {
    let oversized = format!("data: {}\n\n", "x".repeat(17 * 1024 * 1024));
    for bad in [
        "event: endpoint\ndata: https://evil.example/messages\n\n",
        "data: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"tools\":[],\"tools\":[]}}\n\n",
        "data: not json\n\n",
        &oversized,
    ] {
        let (world, door, grant, sender) = streaming(ALLOW).await;
        sender.send(bad.to_owned());
        sender.send(result(json!({ "content": [] })));
        let request = door.request(&grant).body(message(1, "tools/list", json!({})).to_string());
        let text = Reading::of(request).await.rest().await;
        assert!(
            text.starts_with("data: ") && text.contains("-32603") && text.contains("\"id\":1"),
            "{text:.200}"
        );
        assert!(!text.contains("evil") && !text.contains("content"), "{text:.200}");
        sender.closed().await;
        assert!(world.records(&[&door]).await.closings[0].0.failed);
    }
}

#[tokio::test]
async fn a_client_that_goes_away_takes_the_upstream_with_it() {
    let (world, door, grant, sender) = streaming(ONE).await;
    sender.send(": here\n\n");
    let mut reading = Reading::of(calling(&door, &grant)).await;
    reading.until(": here").await;
    drop(reading);
    sender.closed().await;
    let records = world.records(&[&door]).await;
    let (closing, gave_back) = &records.closings[0];
    assert!(!closing.failed && !gave_back && closing.failure.is_some(), "{closing:?}");
}

#[tokio::test]
async fn a_client_that_leaves_its_stream_ends_it_well() {
    let (world, door, grant, sender) = streaming(ALLOW).await;
    sender.send(": here\n\n");
    let mut reading = Reading::of(listening(&door, &grant)).await;
    reading.until(": here").await;
    drop(reading);
    sender.closed().await;
    let records = world.records(&[&door]).await;
    let (row, _) = &records.decisions[0];
    assert_eq!(row.method.as_deref(), Some("GET"));
    assert_eq!((records.closings[0].0.failed, records.closings[0].0.failure.as_deref()), (false, None));
}

#[tokio::test]
async fn a_revoked_grant_ends_its_streams() {
    for listens in [true, false] {
        let (world, door, grant, sender) = streaming(ALLOW).await;
        sender.send(": here\n\n");
        let request = if listens { listening(&door, &grant) } else { calling(&door, &grant) };
        let mut reading = Reading::of(request).await;
        reading.until(": here").await;
        world.revoke(grant.id).await;
        reading.rest().await;
        sender.closed().await;
    }
}

#[tokio::test]
async fn an_expired_grant_ends_its_streams() {
    let (world, door, _, sender) = streaming(ALLOW).await;
    let end = world.now() + Duration::from_mins(1);
    let grant = world.mint(world.tenant, world.server, Some(world.policy), Some(end)).await;
    sender.send(": here\n\n");
    let mut reading = Reading::of(listening(&door, &grant)).await;
    reading.until(": here").await;
    world.clock.advance(Duration::from_mins(1));
    reading.rest().await;
    sender.closed().await;
}

#[tokio::test]
async fn another_policy_ends_what_is_listened_to_and_not_what_was_allowed() {
    let (world, door, grant, sender) = streaming(ALLOW).await;
    sender.send(": here\n\n");
    let mut reading = Reading::of(calling(&door, &grant)).await;
    reading.until(": here").await;
    world.save_policy(r#"{ "version": "1", "default": "deny" }"#).await;
    // Two looks at the grant later it still is open.
    reading.until(": keep-alive\n\n: keep-alive\n\n").await;
    sender.send(result(json!({ "content": [] })));
    reading.until("content").await;

    let (world, door, grant, sender) = streaming(ALLOW).await;
    sender.send(": here\n\n");
    let mut reading = Reading::of(listening(&door, &grant)).await;
    reading.until(": here").await;
    world.save_policy(r#"{ "version": "1", "default": "deny" }"#).await;
    reading.rest().await;
    sender.closed().await;
}

#[tokio::test]
async fn a_change_that_is_none_of_its_business_leaves_a_stream_open() {
    let (world, door, grant, sender) = streaming(ALLOW).await;
    sender.send(": here\n\n");
    let mut reading = Reading::of(listening(&door, &grant)).await;
    reading.until(": here").await;
    world.revoke(world.grant().await.id).await;
    reading.until(": keep-alive\n\n: keep-alive\n\n").await;
    sender.send(": still here\n\n");
    reading.until(": still here").await;
}

#[tokio::test]
async fn a_stateless_client_hears_of_another_policy_and_its_subscription_ends() {
    for told in [true, false] {
        let (world, door, grant, sender) = streaming(ALLOW).await;
        let acknowledged = event(&json!({
            "jsonrpc": "2.0", "method": "notifications/subscriptions/acknowledged",
            "params": { "notifications": { "toolsListChanged": told } },
        }));
        sender.send(acknowledged.clone());
        let params = json!({ "notifications": { "toolsListChanged": true } });
        let mut reading = Reading::of(door.modern(&grant, "subscriptions/listen", params)).await;
        reading.until(&acknowledged).await;
        world.save_policy(r#"{ "version": "1", "default": "deny" }"#).await;
        let text = reading.rest().await.replace(": keep-alive\n\n", "");
        let tag = json!({ "_meta": { "io.modelcontextprotocol/subscriptionId": 1 } });
        let changed =
            json!({ "jsonrpc": "2.0", "method": "notifications/tools/list_changed", "params": tag });
        let ended = json!({ "jsonrpc": "2.0", "id": 1, "result": {
            "resultType": "complete", "_meta": { "io.modelcontextprotocol/subscriptionId": 1 },
        } });
        let changed = if told { event(&changed) } else { String::new() };
        assert_eq!(text, format!("{acknowledged}{changed}{}", event(&ended)));
        sender.closed().await;
    }
}

#[tokio::test]
async fn a_session_hears_of_another_policy_where_its_server_tells_of_changes() {
    for told in [true, false] {
        let (sender, streamed) = stream();
        let world = World::new(ALLOW, move |request| match request.rpc_method().as_str() {
            "initialize" => {
                let result = json!({ "protocolVersion": "2025-11-25", "capabilities": { "tools": { "listChanged": told } } });
                let answer = upstream::json(&json!({ "jsonrpc": "2.0", "id": 0, "result": result }));
                upstream::with_header(answer, "mcp-session-id", "upstream-session")
            }
            _ => upstream::events(streamed.clone()),
        })
        .await;
        let (door, grant) = (world.door().await, world.grant().await);
        let session = door.initialize(&grant).await.header("mcp-session-id").to_owned();
        sender.send(": here\n\n");
        let mut reading = Reading::of(listening(&door, &grant).header("mcp-session-id", session)).await;
        reading.until(": here").await;
        world.save_policy(r#"{ "version": "1", "default": "deny" }"#).await;
        let text = reading.rest().await;
        assert_eq!(text.contains("notifications/tools/list_changed"), told, "{text}");
        sender.closed().await;
    }
}

#[tokio::test]
async fn streams_are_looked_after_without_redis() {
    let (world, _, grant, sender) = streaming(ALLOW).await;
    let wire = testkit::Wire::to(&world.redis.url).await;
    let plan = crate::world::Plan { redis: wire.url().to_owned(), ..world.plan() };
    let door = world.open(plan, |settings| settings.recheck = Duration::from_millis(50)).await;
    sender.send(": here\n\n");
    let mut reading = Reading::of(calling(&door, &grant)).await;
    reading.until(": here").await;
    wire.cut();
    world.revoke(grant.id).await;
    reading.rest().await;
    sender.closed().await;
}

#[tokio::test]
async fn a_gateway_that_stops_ends_its_streams() {
    let (_world, door, grant, sender) = streaming(ALLOW).await;
    sender.send(": here\n\n");
    let mut reading = Reading::of(listening(&door, &grant)).await;
    reading.until(": here").await;
    door.state.stop();
    reading.rest().await;
    sender.closed().await;
}

#[tokio::test]
async fn a_gateway_that_stops_lets_a_call_go_on_and_then_tells_it() {
    let (world, door, grant, sender) = streaming(ALLOW).await;
    sender.send(": here\n\n");
    let params = json!({ "name": "read", "arguments": {} });
    let mut reading = Reading::of(door.modern(&grant, "tools/call", params)).await;
    reading.until(": here").await;
    door.state.stop();
    sender.send(": on\n\n");
    reading.until(": on").await;
    door.state.end();
    let text = reading.rest().await;
    assert!(text.contains("whether the request was carried out is not known"), "{text}");
    sender.closed().await;
    let records = world.records(&[&door]).await;
    let closing = &records.closings[0].0;
    assert_eq!((closing.failed, closing.failure.as_deref()), (false, Some("the gateway is being stopped")));
}
