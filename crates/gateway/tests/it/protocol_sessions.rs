//! Sessions of the legacy era. The upstream knows one caller, us: nobody else tells the sessions of our grants apart.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Body;
use axum::http::{Method, Response, StatusCode};
use domain::Outcome;
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use testkit::upstream::{self, Received, raw, with_header};

use crate::client::Answer;
use crate::gate::{Gate, legacy, send};
use crate::world::{Grant, new_id, plain};

const INNER: &str = "upstream-session";

fn initialize(version: &str) -> Value {
    json!({ "protocolVersion": version, "capabilities": {}, "clientInfo": { "name": "probe", "version": "3" } })
}

/// Opens a session; its id as the client holds it.
async fn open(gate: &Gate) -> String {
    let answer = send(gate.legacy("initialize", initialize("2025-11-25"))).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let session = answer.header("mcp-session-id").to_owned();
    assert!(!session.is_empty() && session.bytes().all(|byte| matches!(byte, b'!'..=b'~')), "{session}");
    session
}

fn ping(gate: &Gate, session: &str) -> RequestBuilder {
    gate.legacy("ping", json!({})).header("mcp-session-id", session)
}

#[tokio::test]
async fn a_session_does_not_open_for_another_tenant() {
    let gate = Gate::new(plain).await;
    let session = open(&gate).await;
    let (tenant, server, policy) = (new_id(), new_id(), new_id());
    gate.world.insert_tenant(tenant).await;
    gate.world.insert_server(tenant, server, policy, crate::gate::POLICY, &[]).await;
    let stranger = gate.world.mint(tenant, server, Some(policy), None).await;
    let request = gate.door.at(server).request(&stranger).header("mcp-session-id", &session);
    let answer = send(request.body(legacy("ping", json!({})))).await;
    // What a client takes for a session that has ended, so that it opens another.
    assert_eq!((answer.status.as_u16(), answer.code(), answer.json()["id"].clone()), (404, -32600, json!(1)));
    assert_eq!(gate.upstream().received().len(), 1, "the handshake alone");
}

#[tokio::test]
async fn the_end_of_a_session_is_forwarded() {
    for status in [StatusCode::OK, StatusCode::NO_CONTENT, StatusCode::METHOD_NOT_ALLOWED] {
        let gate =
            Gate::new(
                move |request| {
                    if request.method == Method::DELETE { raw(status, "", "") } else { plain(request) }
                },
            )
            .await;
        let session = open(&gate).await;
        let answer = send(gate.request(Method::DELETE, "").header("mcp-session-id", &session)).await;
        assert_eq!(answer.status, status);
        let received = gate.upstream().received();
        assert_eq!((&received[1].method, received[1].header("mcp-session-id")), (&Method::DELETE, INNER));
    }
}

#[tokio::test]
async fn a_handshake_for_a_version_that_nobody_can_police_does_not_pass() {
    for version in ["2024-11-05", "2031-01-01", "2026-07-28"] {
        let gate = Gate::new(move |_| {
            let result = json!({ "protocolVersion": version, "capabilities": {} });
            with_header(
                upstream::json(&json!({ "jsonrpc": "2.0", "id": 1, "result": result })),
                "mcp-session-id",
                INNER,
            )
        })
        .await;
        let answer = send(gate.legacy("initialize", initialize(version))).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (502, -32603), "{version}");
        assert_eq!(answer.header("mcp-session-id"), "");
    }
}

#[tokio::test]
async fn an_upstream_without_sessions_stays_so() {
    let gate = Gate::new(|request| {
        let mut response = plain(request);
        response.headers_mut().remove("mcp-session-id");
        response
    })
    .await;
    let answer = send(gate.legacy("initialize", initialize("2025-11-25"))).await;
    assert_eq!((answer.status.as_u16(), answer.header("mcp-session-id")), (200, ""));
    assert_eq!(send(gate.legacy("ping", json!({}))).await.status, 200);
}

#[tokio::test]
async fn a_session_that_an_upstream_changes_behind_the_clients_back_is_not_handed_on() {
    let gate = Gate::new(|request: &Received| -> Response<Body> {
        match request.rpc_method().as_str() {
            "initialize" => plain(request),
            _ => with_header(plain(request), "mcp-session-id", "of-somebody-else"),
        }
    })
    .await;
    let session = open(&gate).await;
    assert_eq!(send(ping(&gate, &session)).await.header("mcp-session-id"), "");
}

#[tokio::test]
async fn the_modern_era_has_no_sessions() {
    let gate = Gate::new(|request| with_header(plain(request), "mcp-session-id", INNER)).await;
    let session = open(&gate).await;
    for presented in [session.as_str(), "nonsense"] {
        let request =
            gate.modern("tools/call", json!({ "name": "open" })).header("mcp-session-id", presented);
        let answer = send(request.header("last-event-id", "7")).await;
        assert_eq!((answer.status.as_u16(), answer.header("mcp-session-id")), (200, ""), "{presented}");
    }
    let received = gate.upstream().received();
    for request in &received[1..] {
        assert_eq!((request.header("mcp-session-id"), request.header("last-event-id")), ("", ""));
    }
}

#[tokio::test]
async fn what_a_client_answers_reaches_its_session_alone() {
    let gate = Gate::new(|request| match request.rpc_method().as_str() {
        "tools/call" => upstream::events(upstream::event(
            &json!({ "jsonrpc": "2.0", "id": "s1", "method": "roots/list" }),
        )),
        _ => plain(request),
    })
    .await;
    let session = open(&gate).await;
    for body in [
        r#"{"jsonrpc":"2.0","id":"s1","result":{"roots":[]}}"#,
        r#"{"jsonrpc":"2.0","id":"s1","error":{"code":-1,"message":"no"}}"#,
    ] {
        send(gate.legacy("tools/call", json!({ "name": "open" })).header("mcp-session-id", &session)).await;
        let answer = send(gate.post(body).header("mcp-session-id", &session)).await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (202, ""));
        let last = gate.upstream().received().pop().unwrap();
        assert_eq!((last.body.as_ref(), last.header("mcp-session-id")), (body.as_bytes(), INNER));
        assert_eq!(send(gate.post(body)).await.status, 400, "outside of a session");
    }
    assert_eq!(gate.upstream().received().len(), 5);
}

#[tokio::test]
async fn a_version_header_in_a_session_must_be_one_that_is_spoken() {
    let gate = Gate::new(plain).await;
    let session = open(&gate).await;
    let with = |version: &str| ping(&gate, &session).header("mcp-protocol-version", version);
    assert_eq!(send(with("2025-11-25")).await.status, 200);
    let answer = send(with("1999-01-01")).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (400, -32022));
    let get = gate.request(Method::GET, "").header("mcp-session-id", &session);
    assert_eq!(send(get.header("mcp-protocol-version", "1999-01-01")).await.status, 400);
    assert_eq!(gate.upstream().received().len(), 2);
}

#[tokio::test]
async fn a_get_of_an_upstream_that_has_none_is_405() {
    let gate = Gate::new(|request| {
        if request.method == Method::GET {
            raw(StatusCode::METHOD_NOT_ALLOWED, "", "")
        } else {
            plain(request)
        }
    })
    .await;
    let answer = send(gate.request(Method::GET, "").header("accept", "text/event-stream")).await;
    assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, "POST"));
}

/// Opens a session for everybody, leaves calls of `slow` without an answer, and answers the rest.
fn slow(streams: Vec<upstream::Stream>) -> impl Fn(&Received) -> Response<Body> {
    let (streams, sessions) = (Mutex::new(streams), AtomicUsize::new(0));
    move |request| match (request.rpc_method().as_str(), request.json()["params"]["name"].as_str()) {
        ("initialize", _) => {
            let mut answer = plain(request);
            let number = sessions.fetch_add(1, Ordering::SeqCst);
            answer.headers_mut().insert("mcp-session-id", format!("s-{number}").parse().unwrap());
            answer
        }
        ("tools/call", Some("slow")) => upstream::events(streams.lock().unwrap().remove(0)),
        _ => plain(request),
    }
}

#[tokio::test]
async fn an_id_in_use_in_a_session_is_refused_there_until_it_is_answered_or_left() {
    let (streams, senders): (Vec<_>, Vec<_>) =
        (0..6).map(|_| upstream::stream()).map(|(sender, stream)| (stream, sender)).unzip();
    let gate = Gate::new(slow(streams)).await;
    let (one, two) = (gate.session().await, gate.session().await);
    let other = gate.world.grant().await;
    let third = gate.door.initialize(&other).await.header("mcp-session-id").to_owned();
    let slow = async |grant: &Grant, session: &str, id: &Value| {
        let body =
            json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": { "name": "slow" } });
        let request = gate.door.request(grant).body(body.to_string());
        let request = if session.is_empty() { request } else { request.header("mcp-session-id", session) };
        request.send().await.unwrap()
    };
    let (answered, left) = (&senders[0], &senders[1]);
    let mut first = slow(&gate.grant, &one, &json!(7)).await;
    let second = slow(&gate.grant, &one, &json!("7")).await;
    // Others have ids of their own, and outside of a session nothing could be taken for another.
    slow(&gate.grant, &two, &json!(7)).await;
    slow(&other, &third, &json!(7)).await;
    slow(&gate.grant, "", &json!(7)).await;
    slow(&gate.grant, "", &json!(7)).await;
    let before = gate.upstream().received().len();
    for id in [json!(7), json!("7")] {
        let refused = Answer::of(slow(&gate.grant, &one, &id).await).await;
        assert_eq!((refused.status.as_u16(), refused.code()), (400, -32600));
        assert_eq!(refused.json()["id"], id);
    }
    assert_eq!(gate.upstream().received().len(), before);

    answered.send(upstream::event(&json!({ "jsonrpc": "2.0", "id": 7, "result": {} })));
    let mut text = Vec::new();
    while !text.ends_with(b"\n\n") {
        text.extend(first.chunk().await.unwrap().unwrap());
    }
    drop(second);
    left.closed().await;
    for id in [json!(7), json!("7")] {
        let again = json!({ "jsonrpc": "2.0", "id": id, "method": "ping" }).to_string();
        let again = gate.post(again).header("mcp-session-id", &one);
        assert_eq!(send(again).await.status, StatusCode::OK, "{id}");
    }
    let rows = gate.decisions().await;
    let refused: Vec<_> = rows.iter().filter(|row| row.outcome == Outcome::Malformed).collect();
    assert_eq!((refused.len(), refused[0].message.as_deref()), (1, Some("id in use")), "one a minute");
}
