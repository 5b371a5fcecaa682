//! Looks at upstreams on real sockets: wrong in every way that has its own words, and right in both eras.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Response, StatusCode};
use domain::{Secret, UpstreamUrl};
use egress::EgressConfig;
use serde_json::{Value, json};
use testkit::upstream::{self, Received, Upstream};

use super::{Sight, look_within};
use crate::ServerState;
use crate::input::Problems;
use crate::servers::{NewHeader, UpstreamHeader, headers};

const PATIENCE: Duration = Duration::from_secs(30);

fn egress() -> egress::Client {
    egress::Client::new(EgressConfig { allow_private: true, ..EgressConfig::default() }).unwrap()
}

async fn look(url: &str, headers: &[UpstreamHeader]) -> Sight {
    look_within(PATIENCE, &egress(), &url.parse().unwrap(), headers).await
}

async fn look_at(script: impl Fn(&Received) -> Response<Body> + Send + Sync + 'static) -> Sight {
    look(Upstream::start(script).await.url().as_str(), &[]).await
}

fn key(value: &str) -> Vec<UpstreamHeader> {
    let typed = NewHeader { name: "X-Api-Key".to_owned(), value: Secret::new(value.to_owned()) };
    headers::read(&[typed], &mut Problems::new())
}

fn reply(request: &Received, result: &Value) -> Response<Body> {
    upstream::json(&json!({ "jsonrpc": "2.0", "id": request.json()["id"], "result": result }))
}

fn error(request: &Received, status: u16, code: i32) -> Response<Body> {
    let body =
        json!({ "jsonrpc": "2.0", "id": request.json()["id"], "error": { "code": code, "message": "no" } });
    upstream::raw(StatusCode::from_u16(status).unwrap(), "application/json", body.to_string())
}

/// A server of the sessions' era: knows `initialize`, and answers the rest by `list`.
fn legacy(request: &Received, list: impl Fn(&Received) -> Response<Body>) -> Response<Body> {
    match request.rpc_method().as_str() {
        "initialize" => reply(
            request,
            &json!({
                "protocolVersion": "2025-06-18", "capabilities": { "tools": {} },
                "serverInfo": { "name": "old", "version": "1.2" },
            }),
        ),
        "notifications/initialized" => upstream::raw(StatusCode::ACCEPTED, "application/json", ""),
        "tools/list" => list(request),
        _ => error(request, 200, -32601),
    }
}

fn tool(name: &str) -> Value {
    json!({ "name": name, "inputSchema": { "type": "object" } })
}

#[tokio::test]
async fn what_the_client_drops_of_a_definition_is_kept() {
    for streams in [false, true] {
        let sight = look_at(move |request| {
            legacy(request, |request| {
                let second = request.json()["params"]["cursor"].is_string();
                let mut long = tool(if second { "b" } else { "a" });
                long["execution"] = json!({ "taskSupport": "optional", "own": [1] });
                let mut page = json!({ "tools": [long, tool(if second { "a" } else { "plain" })] });
                if !second {
                    page["nextCursor"] = "2".into();
                }
                let answer = json!({ "jsonrpc": "2.0", "id": request.json()["id"], "result": page });
                let told = json!({ "jsonrpc": "2.0", "method": "notifications/message", "params": { "level": "info", "data": 1 } });
                if streams {
                    upstream::events(format!("{}{}", upstream::event(&told), upstream::event(&answer)))
                } else {
                    upstream::json(&answer)
                }
            })
        })
        .await;
        let kept: Vec<_> =
            sight.tools.iter().map(|tool| (tool.name.as_str(), tool.more.clone().unwrap())).collect();
        let long = json!({ "execution": { "taskSupport": "optional", "own": [1] } });
        let plain = json!({ "execution": null });
        assert_eq!(
            kept,
            [("a", long.clone()), ("plain", plain), ("b", long)],
            "{streams}: {}",
            sight.message
        );
    }
}

#[tokio::test]
async fn a_server_of_the_sessions_era_lists_its_pages() {
    let sight = look_at(|request| {
        legacy(request, |request| {
            let page = match request.json()["params"]["cursor"].as_str() {
                None => json!({ "tools": [tool("a"), tool("b")], "nextCursor": "2" }),
                Some("2") => json!({ "tools": [], "nextCursor": "3" }),
                Some(_) => json!({ "tools": [tool("c")] }),
            };
            reply(request, &page)
        })
    })
    .await;
    assert_eq!((sight.state, sight.message.as_str()), (ServerState::Ready, "Ready. It lists 3 tools."));
    assert_eq!(sight.protocol_version.as_deref(), Some("2025-06-18"));
    assert_eq!(sight.upstream_name.as_deref(), Some("old 1.2"));
    let names: Vec<_> = sight.tools.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "c"]);
}

#[tokio::test]
async fn a_server_without_sessions_is_spoken_to_in_its_own_way() {
    let upstream = Upstream::start(|request| match request.rpc_method().as_str() {
        "server/discover" => reply(
            request,
            &json!({
                "resultType": "complete", "ttlMs": 0, "cacheScope": "private",
                "supportedVersions": ["2026-07-28"], "capabilities": { "tools": {} },
                "serverInfo": { "name": "new", "version": "2" },
            }),
        ),
        "tools/list" => reply(
            request,
            &json!({ "resultType": "complete", "ttlMs": 0, "cacheScope": "private", "tools": [tool("a")] }),
        ),
        _ => error(request, 404, -32601),
    })
    .await;
    let sight = look(upstream.url().as_str(), &[]).await;
    assert_eq!((sight.state, sight.tools.len()), (ServerState::Ready, 1), "{}", sight.message);
    assert_eq!(sight.protocol_version.as_deref(), Some("2026-07-28"));
    let methods: Vec<_> = upstream.received().iter().map(Received::rpc_method).collect();
    assert_eq!(methods, ["server/discover", "tools/list"], "nothing of the other era is sent");
    assert_eq!(upstream.received()[1].header("mcp-method"), "tools/list");
}

#[tokio::test]
async fn flowforge_is_ready_with_49_tools_and_wants_its_key() {
    let key_header = ("x-api-key".parse().unwrap(), "secret".parse().unwrap());
    let options = flowforge_sim::Options { key: Some(key_header), ..Default::default() };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let app = flowforge_sim::router(flowforge_sim::Engine::default(), options);
    tokio::spawn(async move { axum::serve(listener, app).await });
    for path in ["/mcp", "/mcp/json"] {
        let url = format!("{base}{path}");
        let sight = look(&url, &key("secret")).await;
        assert_eq!((sight.state, sight.tools.len()), (ServerState::Ready, 49), "{}", sight.message);
        let refused = look(&url, &key("wrong")).await;
        assert_eq!(
            (refused.state, refused.message.as_str()),
            (
                ServerState::Unauthorized,
                "Upstream answered 401. Its API key may have changed: update the credentials."
            )
        );
        let asked = look(&url, &[]).await;
        assert_eq!(
            asked.message,
            "Upstream answered 401. It asks for credentials: add its API key as a header."
        );
    }
}

#[tokio::test]
async fn a_status_is_named_with_what_to_do() {
    for (status, state, words) in [
        (401, ServerState::Unauthorized, "It asks for credentials: add its API key as a header."),
        (403, ServerState::Unauthorized, "It asks for credentials: add its API key as a header."),
        (404, ServerState::NotMcp, "No MCP server is at this address: check the path, which often is /mcp."),
        (405, ServerState::NotMcp, "No MCP server is at this address: check the path, which often is /mcp."),
        (307, ServerState::NotMcp, "Redirects are not followed: use the address that it leads to."),
        (429, ServerState::Slow, "It has had too many requests: look again in a few minutes."),
        (503, ServerState::Down, "It has trouble of its own: check its log, then look again."),
    ] {
        let sight = look_at(move |_| {
            let answer = upstream::raw(StatusCode::from_u16(status).unwrap(), "text/plain", "no");
            upstream::with_header(answer, "location", "/elsewhere")
        })
        .await;
        assert_eq!(sight.message, format!("Upstream answered {status}. {words}"));
        assert_eq!(sight.state, state, "{status}");
    }
}

#[tokio::test]
async fn what_answers_but_is_no_mcp_server_is_told_so() {
    for (content_type, body) in [
        ("text/html", "<h1>Welcome</h1>"),
        ("application/json", "{}"),
        ("application/json", "not json"),
        ("text/event-stream", "data: hello\n\n"),
    ] {
        let sight = look_at(move |_| upstream::raw(StatusCode::OK, content_type, body)).await;
        assert_eq!(sight.state, ServerState::NotMcp, "{content_type} {body}");
        assert!(
            sight.message.starts_with("Upstream answers, but not as an MCP server does"),
            "{}",
            sight.message
        );
    }
}

#[tokio::test]
async fn a_server_that_knows_no_tools_is_ready_without() {
    let sight = look_at(|request| legacy(request, |request| error(request, 200, -32601))).await;
    assert_eq!(sight.message, "Ready, but it lists no tools.");
}

#[tokio::test]
async fn a_list_that_goes_round_and_round_is_given_up() {
    let sight = look_at(|request| {
        legacy(request, |request| reply(request, &json!({ "tools": [], "nextCursor": "again" })))
    })
    .await;
    assert_eq!(sight.state, ServerState::NotMcp);
    assert!(sight.message.starts_with("Upstream's list of tools is too long"), "{}", sight.message);
}

#[tokio::test]
async fn nobody_at_the_address_is_down_and_silence_is_slow() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    let silent = look_within(Duration::from_millis(300), &egress(), &url.parse().unwrap(), &[]).await;
    assert_eq!(silent.state, ServerState::Slow);
    assert!(silent.message.starts_with("Upstream did not answer in time"), "{}", silent.message);
    drop(listener);
    let sight = look(&url, &[]).await;
    assert_eq!(sight.state, ServerState::Down);
    assert!(sight.message.starts_with("The server refuses connections"), "{}", sight.message);
}

#[tokio::test]
async fn an_address_inside_is_not_looked_at_unless_that_is_allowed() {
    let upstream = Upstream::start(|request| reply(request, &json!({}))).await;
    let config = EgressConfig { allow_http: true, ..EgressConfig::default() };
    let guarded = egress::Client::new(config).unwrap();
    let inside: UpstreamUrl = upstream.url().as_str().parse().unwrap();
    let sight = look_within(PATIENCE, &guarded, &inside, &[]).await;
    assert_eq!(sight.state, ServerState::Refused);
    assert!(sight.message.contains("has no address that may be called"), "{}", sight.message);
    assert_eq!(upstream.received().len(), 0);
}

#[tokio::test]
async fn the_credentials_are_sent_and_no_header_of_them_is_shown() {
    let upstream =
        Upstream::start(|request| legacy(request, |request| reply(request, &json!({ "tools": [] })))).await;
    let headers = key("top-secret");
    assert!(!format!("{headers:?}").contains("top-secret"));
    let sight = look(upstream.url().as_str(), &headers).await;
    assert_eq!(sight.state, ServerState::Ready);
    assert!(upstream.received().iter().all(|request| request.header("x-api-key") == "top-secret"));
    assert!(!format!("{sight:?}").contains("top-secret"));
}
