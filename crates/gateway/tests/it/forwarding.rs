//! What reaches the upstream of a request, and what reaches the client of an answer.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use domain::Outcome;
use serde_json::json;
use testkit::upstream;

use crate::client::{Answer, call};
use crate::world::{ALLOW, CREDENTIAL, World, plain};

#[tokio::test]
async fn an_allowed_call_reaches_the_upstream_byte_for_byte() {
    let world = World::new(ALLOW, plain).await;
    let (door, grant) = (world.door().await, world.grant().await);
    let body = "{ \"jsonrpc\":\"2.0\", \"id\" : \"a\", \"method\":\"tools\\/call\",\n \
                \"params\":{\"name\":\"read\",\"arguments\":{\"n\":1.50}, \"x\": [1e3]} }";
    let answer = door.post(&grant, body).await;
    assert_eq!(answer.json()["result"]["content"][0]["text"], "read");
    assert_eq!(answer.json()["id"], "a");
    let received = world.upstream.received();
    assert_eq!((received.len(), &received[0].body[..]), (1, body.as_bytes()));
}

#[tokio::test]
async fn only_named_headers_go_upstream_and_our_credentials_in_the_place_of_the_clients() {
    let world = World::new(ALLOW, plain).await;
    let (door, grant) = (world.door().await, world.grant().await);
    let request = door
        .modern(&grant, "tools/call", json!({ "name": "read" }))
        .header("cookie", "session=secret")
        .header("proxy-authorization", "Basic c2VjcmV0")
        .header("x-forwarded-for", "10.0.0.1")
        .header("forwarded", "for=10.0.0.1")
        .header("x-api-key", "client-key")
        .header(CREDENTIAL.0, "client-key")
        .header("mcp-session-id", "of-no-meaning")
        .header("last-event-id", "of-no-meaning")
        .header("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
        .header("mcp-param-region", "eu");
    assert_eq!(Answer::of(request.send().await.unwrap()).await.status, StatusCode::OK);
    let received = world.upstream.received().remove(0);
    let names: BTreeSet<_> = received.headers.keys().map(http_name).collect();
    let expected = [
        "accept",
        "accept-encoding",
        "content-length",
        "content-type",
        "host",
        "mcp-method",
        "mcp-name",
        "mcp-param-region",
        "mcp-protocol-version",
        "traceparent",
        CREDENTIAL.0,
    ];
    assert_eq!(names, expected.map(str::to_owned).into());
    assert_eq!(received.header(CREDENTIAL.0), CREDENTIAL.1);
    assert_eq!(received.header("accept-encoding"), "identity");
    assert_eq!(received.header("host"), world.upstream.url().authority());
    assert!(
        received.headers.values().all(|value| !value.as_bytes().windows(9).any(|part| part == b"tg_grant_"))
    );
    let records = world.records(&[&door]).await;
    assert_eq!(records.decisions[0].0.trace_id.as_deref(), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
}

fn http_name(name: &axum::http::HeaderName) -> String {
    name.as_str().to_owned()
}

#[tokio::test]
async fn nothing_is_accepted_on_the_clients_behalf() {
    let world = World::new(ALLOW, plain).await;
    let (door, grant) = (world.door().await, world.grant().await);
    let mut request = door.request(&grant).body(call("read", json!({})).to_string()).build().unwrap();
    request.headers_mut().insert("accept", "application/json".parse().unwrap());
    door.http().execute(request).await.unwrap();
    assert_eq!(world.upstream.received()[0].header("accept"), "application/json");
}

#[tokio::test]
async fn only_named_headers_reach_the_client() {
    let world = World::new(ALLOW, |request| {
        let mut response = plain(request);
        for (name, value) in [
            ("set-cookie", "sticky=1"),
            ("www-authenticate", "Bearer resource_metadata=\"https://evil.example\""),
            ("server", "upstream"),
            ("alt-svc", "h3=\":443\""),
            ("access-control-allow-origin", "*"),
            ("x-powered-by", "upstream"),
            ("mcp-session-id", "raw-upstream-session"),
            ("retry-after", "7"),
        ] {
            response = upstream::with_header(response, name, value);
        }
        response
    })
    .await;
    let (door, grant) = (world.door().await, world.grant().await);
    for answer in [
        door.call(&grant, "read", json!({})).await,
        Answer::of(door.modern(&grant, "tools/list", json!({})).send().await.unwrap()).await,
    ] {
        let names: BTreeSet<_> = answer.headers.keys().map(http_name).collect();
        let allowed =
            ["cache-control", "content-length", "content-type", "date", "retry-after", "x-request-id"];
        assert!(names.is_subset(&allowed.map(str::to_owned).into()), "{names:?}");
        assert_eq!(answer.header("retry-after"), "7");
    }
}

#[tokio::test]
async fn the_record_tells_how_a_call_ended() {
    let world = World::new(ALLOW, plain).await;
    let (door, grant) = (world.door().await, world.grant().await);
    let body = call("read", json!({ "b": 1, "a": 2 })).to_string();
    let answer = door.post(&grant, body.clone()).await;
    door.call(&grant, "read", json!({ "a": 2.0, "b": 1 })).await;
    door.call(&grant, "read", json!({ "a": 3, "b": 1 })).await;
    let records = world.records(&[&door]).await;
    let (row, _) = &records.decisions[0];
    assert_eq!((row.outcome, row.forwards), (Outcome::Allow, true));
    assert_eq!(row.request_bytes, Some(body.len() as u64));
    let digests: Vec<_> =
        records.decisions.iter().map(|(row, _)| row.argument_digest.clone().unwrap()).collect();
    assert!(digests[0] == digests[1] && digests[1] != digests[2], "{digests:?}");
    assert_eq!(records.closings.len(), 3);
    let (closing, gave_back) = records.closings.iter().find(|(closing, _)| closing.id == row.id).unwrap();
    assert_eq!((closing.failed, closing.failure.as_deref(), *gave_back), (false, None, false));
    assert_eq!(closing.upstream_status, Some(200));
    assert_eq!(closing.response_bytes, Some(answer.text.len() as u64));
    assert!(closing.gateway_micros.is_some_and(|micros| micros > 0));
    assert!(closing.upstream_micros.is_some_and(|micros| micros > 0));
    assert_eq!(closing.decided_at, row.decided_at);
}

#[tokio::test]
async fn connections_to_the_upstream_are_used_again() {
    let world = World::new(ALLOW, plain).await;
    let (door, grant) = (world.door().await, world.grant().await);
    for _ in 0..20 {
        door.call(&grant, "read", json!({})).await;
    }
    let ports: BTreeSet<_> = world.upstream.received().iter().map(|request| request.peer).collect();
    assert_eq!(ports.len(), 1);
}
