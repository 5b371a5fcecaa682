//! Sessions of the revisions that have them: sealed for one grant at one server, and dead to everybody else.

use axum::http::{Method, StatusCode};
use serde_json::json;
use testkit::upstream;

use crate::client::{Answer, Door, call, masked, message};
use crate::world::{ALLOW, Grant, World, new_id, plain};

async fn session(door: &Door, grant: &Grant) -> String {
    let answer = door.initialize(grant).await;
    assert_eq!(answer.status, StatusCode::OK);
    answer.header("mcp-session-id").to_owned()
}

async fn call_in(door: &Door, grant: &Grant, session: &str) -> Answer {
    let request =
        door.request(grant).header("mcp-session-id", session).body(call("read", json!({})).to_string());
    Answer::of(request.send().await.unwrap()).await
}

#[tokio::test]
async fn a_session_is_known_to_the_client_by_another_name() {
    let world = World::new(ALLOW, plain).await;
    let (door, second, grant) = (world.door().await, world.door().await, world.grant().await);
    let session = session(&door, &grant).await;
    assert!(
        !session.contains("upstream") && session.bytes().all(|b| (0x21..=0x7e).contains(&b)),
        "{session}"
    );
    // Any gateway knows it: they hold nothing.
    for door in [&door, &second] {
        let answer = call_in(door, &grant, &session).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.header("mcp-session-id"), "");
    }
    let received = world.upstream.received();
    assert_eq!(received[0].header("mcp-session-id"), "");
    assert!(received[1..].iter().all(|request| request.header("mcp-session-id") == "upstream-session"));
}

#[tokio::test]
async fn an_upstream_that_repeats_the_session_repeats_it_by_the_clients_name() {
    let world = World::new(ALLOW, |request| {
        let response = plain(request);
        match request.rpc_method().as_str() {
            "initialize" => response,
            _ => upstream::with_header(response, "mcp-session-id", "upstream-session"),
        }
    })
    .await;
    let (door, grant) = (world.door().await, world.grant().await);
    let session = session(&door, &grant).await;
    assert_eq!(call_in(&door, &grant, &session).await.header("mcp-session-id"), session);
    assert_eq!(door.call(&grant, "read", json!({})).await.header("mcp-session-id"), "");
}

#[tokio::test]
async fn a_session_presented_by_anybody_else_is_unknown() {
    let world = World::new(ALLOW, plain).await;
    let (door, grant, other) = (world.door().await, world.grant().await, world.grant().await);
    let session = session(&door, &grant).await;
    let (second, policy) = (new_id(), new_id());
    world.insert_server(world.tenant, second, policy, ALLOW, &[]).await;
    let elsewhere = door.at(second);
    let abroad = world.mint(world.tenant, second, Some(policy), None).await;
    let before = world.upstream.received().len();
    let mut forged = session.clone();
    forged.replace_range(40..41, if &forged[40..41] == "x" { "y" } else { "x" });
    for (door, grant, session) in [
        (&door, &other, session.as_str()),
        (&elsewhere, &abroad, session.as_str()),
        (&door, &grant, forged.as_str()),
        (&door, &grant, "upstream-session"),
        (&door, &grant, ""),
    ] {
        let answer = call_in(door, grant, session).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::NOT_FOUND, -32600), "{session}");
        for method in [Method::GET, Method::DELETE] {
            let request = door.http().request(method, door.url()).bearer_auth(&grant.token);
            let answer = request.header("mcp-session-id", session).send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{session}");
        }
    }
    assert_eq!(world.upstream.received().len(), before);
    assert_eq!(call_in(&door, &grant, &session).await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_version_of_the_handshake_is_that_of_the_session() {
    let world = World::new(ALLOW, plain).await;
    let (door, grant) = (world.door().await, world.grant().await);
    let session = session(&door, &grant).await;
    call_in(&door, &grant, &session).await;
    let records = world.records(&[&door]).await;
    let (row, _) = records.decisions.last().unwrap();
    assert_eq!(row.protocol_version.as_deref(), Some("2025-11-25"));
    assert_eq!(row.client.name.as_deref(), Some("legacy"));
}

#[tokio::test]
async fn a_handshake_in_an_event_stream_settles_a_session_too() {
    let world = World::new(ALLOW, |request| match request.rpc_method().as_str() {
        "initialize" => {
            let noise =
                json!({ "jsonrpc": "2.0", "method": "notifications/message", "params": { "data": "hi" } });
            let result = json!({ "jsonrpc": "2.0", "id": 0, "result": {
                "protocolVersion": "2025-06-18", "capabilities": { "tools": {}, "future": {} },
                "serverInfo": { "name": "x", "version": "1" },
            } });
            let stream = format!("id: 1\ndata:\n\n{}{}", upstream::event(&noise), upstream::event(&result));
            upstream::with_header(upstream::events(stream), "mcp-session-id", "upstream-session")
        }
        _ => plain(request),
    })
    .await;
    let (door, grant) = (world.door().await, world.grant().await);
    let answer = door.initialize(&grant).await;
    assert!(masked(&answer.text).starts_with("id: *\ndata:\n\n"), "{answer:?}");
    // What is not let through is not offered.
    assert!(answer.text.contains("\"tools\"") && !answer.text.contains("future"), "{answer:?}");
    let session = answer.header("mcp-session-id").to_owned();
    assert_eq!(call_in(&door, &grant, &session).await.status, StatusCode::OK);
    let records = world.records(&[&door]).await;
    assert_eq!(records.decisions.last().unwrap().0.protocol_version.as_deref(), Some("2025-06-18"));
}

#[tokio::test]
async fn ending_a_session_and_what_the_client_says_of_itself_reach_the_upstream() {
    let world = World::new(ALLOW, plain).await;
    let (door, grant) = (world.door().await, world.grant().await);
    let session = session(&door, &grant).await;
    for (body, status) in [
        (json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }), StatusCode::ACCEPTED),
        (json!({ "jsonrpc": "2.0", "method": "notifications/roots/list_changed" }), StatusCode::ACCEPTED),
        (message(6, "ping", json!({})), StatusCode::OK),
    ] {
        let request = door.request(&grant).header("mcp-session-id", &session).body(body.to_string());
        let answer = Answer::of(request.send().await.unwrap()).await;
        assert_eq!(answer.status, status, "{body}: {answer:?}");
        if status == StatusCode::ACCEPTED {
            assert_eq!(answer.text, "");
        }
    }
    let request = door.http().delete(door.url()).bearer_auth(&grant.token).header("mcp-session-id", &session);
    assert_eq!(request.send().await.unwrap().status(), StatusCode::ACCEPTED);
    let received = world.upstream.received();
    let deleted = received.last().unwrap();
    assert_eq!((deleted.method.as_str(), deleted.header("mcp-session-id")), ("DELETE", "upstream-session"));
    assert_eq!(received.len(), 5);
}

#[tokio::test]
async fn a_terminated_session_is_a_404_of_the_upstreams_own() {
    let gone =
        r#"{"jsonrpc":"2.0","id":"server-error","error":{"code":-32600,"message":"Session terminated"}}"#;
    let world = World::new(ALLOW, move |request| match request.rpc_method().as_str() {
        "initialize" => plain(request),
        _ => upstream::raw(StatusCode::NOT_FOUND, "application/json", gone),
    })
    .await;
    let (door, grant) = (world.door().await, world.grant().await);
    let session = session(&door, &grant).await;
    let answer = call_in(&door, &grant, &session).await;
    assert_eq!((answer.status, answer.text.as_str()), (StatusCode::NOT_FOUND, gone));
}
