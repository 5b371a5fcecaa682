//! Sessions of the legacy era. The upstream knows one caller, us: nobody else tells the sessions of our grants apart.

use axum::body::Body;
use axum::http::{Method, Response, StatusCode};
use domain::ServerId;
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use testkit::upstream::{Received, events, json as answered, raw, with_header};

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

fn ping_as(gate: &Gate, server: ServerId, grant: &Grant, session: &str) -> RequestBuilder {
    gate.door
        .http()
        .post(format!("{}/mcp/{server}", gate.door.base))
        .bearer_auth(&grant.token)
        .header("content-type", "application/json")
        .header("mcp-session-id", session)
        .body(legacy("ping", json!({})))
}

/// What a client takes for a session that has ended, so that it opens another.
fn assert_unknown(answer: &Answer) {
    assert_eq!((answer.status.as_u16(), answer.code()), (404, -32600), "{answer:?}");
    assert_eq!(answer.json()["id"], 1);
}

#[tokio::test]
async fn a_session_is_known_to_its_client_by_another_name() {
    let gate = Gate::new(plain).await;
    let session = open(&gate).await;
    assert!(!session.contains(INNER));
    assert_ne!(open(&gate).await, session, "each is sealed anew");
    assert_eq!(send(ping(&gate, &session)).await.status, 200);
    let received = gate.upstream().received();
    assert_eq!((received[0].header("mcp-session-id"), received[2].header("mcp-session-id")), ("", INNER));
}

#[tokio::test]
async fn a_session_is_known_to_its_own_grant_and_server_alone() {
    let gate = Gate::new(plain).await;
    let session = open(&gate).await;
    let (server, own) = (gate.world.server, &gate.grant);
    let other = gate.world.grant().await;
    let (other_server, at_other) = gate.another_server(gate.upstream().url()).await;
    assert_unknown(&send(ping_as(&gate, server, &other, &session)).await);
    assert_unknown(&send(ping_as(&gate, other_server, &at_other, &session)).await);
    let mut forged = session.clone();
    forged.replace_range(10..11, if &session[10..11] == "A" { "B" } else { "A" });
    for unknown in [INNER, &forged, &session[..session.len() - 1], "", "é", "x", &"x".repeat(10_000)] {
        assert_unknown(&send(ping_as(&gate, server, own, unknown)).await);
    }
    for method in [Method::GET, Method::DELETE] {
        let request = gate
            .door
            .http()
            .request(method, gate.door.url())
            .bearer_auth(&other.token)
            .header("mcp-session-id", &session);
        assert_eq!(send(request).await.status, 404);
    }
    assert_eq!(gate.upstream().received().len(), 1, "the handshake alone");
    assert_eq!(send(ping_as(&gate, server, own, &session)).await.status, 200);
}

#[tokio::test]
async fn an_id_like_a_session_of_another_tenant_does_not_open_it() {
    let gate = Gate::new(plain).await;
    let session = open(&gate).await;
    let (tenant, server, policy) = (new_id(), new_id(), new_id());
    gate.world.insert_tenant(tenant).await;
    gate.world.insert_server(tenant, server, policy, crate::gate::POLICY, &[]).await;
    let stranger = gate.world.mint(tenant, server, Some(policy), None).await;
    assert_unknown(&send(ping_as(&gate, server, &stranger, &session)).await);
    assert_eq!(send(ping_as(&gate, gate.world.server, &stranger, &session)).await.status, 401);
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
async fn a_session_that_the_upstream_has_ended_is_not_found() {
    let ended = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32001,"message":"Session not found"}}"#;
    let gate = Gate::new(move |request| {
        if request.rpc_method() == "ping" {
            raw(StatusCode::NOT_FOUND, "application/json", ended)
        } else {
            plain(request)
        }
    })
    .await;
    let session = open(&gate).await;
    let answer = send(ping(&gate, &session)).await;
    assert_eq!((answer.status, answer.text.as_str()), (StatusCode::NOT_FOUND, ended));
}

#[tokio::test]
async fn a_handshake_in_events_settles_a_session_too() {
    let gate = Gate::new(|request| {
        let result = json!({ "protocolVersion": "2025-06-18", "capabilities": { "tools": {}, "resources": {}, "tasks": {} } });
        if request.rpc_method() != "initialize" {
            return plain(request);
        }
        let message = json!({ "jsonrpc": "2.0", "id": 1, "result": result });
        with_header(events(format!("id: 1\ndata:\n\nid: 2\ndata: {message}\n\n")), "mcp-session-id", INNER)
    })
    .await;
    let answer = send(gate.legacy("initialize", initialize("2025-11-25"))).await;
    assert!(answer.text.starts_with("id: 1\ndata:\n\nid: 2\ndata: {"), "{}", answer.text);
    let data = answer.text.rsplit_once("data: ").unwrap().1;
    let message: Value = serde_json::from_str(data).unwrap();
    assert_eq!(message["result"]["capabilities"], json!({ "tools": {} }), "what is blocked is not offered");
    let session = answer.header("mcp-session-id").to_owned();
    assert_eq!(send(ping(&gate, &session)).await.status, 200);
    // Nothing but the session says which version and client it is.
    let row = gate.decisions().await.pop().unwrap();
    assert_eq!(row.protocol_version.as_deref(), Some("2025-06-18"));
    assert_eq!((row.client.name.as_deref(), row.client.version.as_deref()), (Some("probe"), Some("3")));
}

#[tokio::test]
async fn a_handshake_for_a_version_that_nobody_can_police_does_not_pass() {
    for version in ["2024-11-05", "2031-01-01", "2026-07-28"] {
        let gate = Gate::new(move |_| {
            let result = json!({ "protocolVersion": version, "capabilities": {} });
            with_header(
                answered(&json!({ "jsonrpc": "2.0", "id": 1, "result": result })),
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
    let gate = Gate::new(plain).await;
    let session = open(&gate).await;
    for body in [
        r#"{"jsonrpc":"2.0","id":"s1","result":{"roots":[]}}"#,
        r#"{"jsonrpc":"2.0","id":"s1","error":{"code":-1,"message":"no"}}"#,
    ] {
        let answer = send(gate.post(body).header("mcp-session-id", &session)).await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (202, ""));
        let last = gate.upstream().received().pop().unwrap();
        assert_eq!((last.body.as_ref(), last.header("mcp-session-id")), (body.as_bytes(), INNER));
        assert_eq!(send(gate.post(body)).await.status, 400, "outside of a session");
    }
    assert_eq!(gate.upstream().received().len(), 3);
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
