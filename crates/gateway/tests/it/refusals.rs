//! One test per refusal of what the front can see: path, method, host, origin, size, content.

use axum::http::{Method, StatusCode};
use serde_json::json;

use crate::client::{Answer, call};
use crate::world::{ALLOW, World, plain};

#[tokio::test]
async fn a_path_that_names_no_server_is_not_found() {
    let world = World::new(ALLOW, plain).await;
    let (door, grant) = (world.door().await, world.grant().await);
    for path in ["/mcp", "/mcp/", "/mcp/x", "/mcp/%00", &format!("/mcp/{}/x", world.server)] {
        let response =
            door.http().post(format!("{}{path}", door.base)).bearer_auth(&grant.token).send().await;
        assert_eq!(response.unwrap().status(), StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn a_slash_at_the_end_makes_no_difference_and_no_redirect() {
    let world = World::new(ALLOW, plain).await;
    let (door, grant) = (world.door().await, world.grant().await);
    let request = door.http().post(format!("{}/?key=value", door.url())).bearer_auth(&grant.token);
    let request =
        request.header("content-type", "application/json").body(call("read", json!({})).to_string());
    let answer = Answer::of(request.send().await.unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(world.upstream.received()[0].uri, "/mcp", "the client's query went upstream");
}

#[tokio::test]
async fn other_methods_are_not_allowed() {
    let world = World::new(ALLOW, plain).await;
    let (door, grant) = (world.door().await, world.grant().await);
    for method in [Method::PUT, Method::PATCH, Method::HEAD, Method::OPTIONS, Method::TRACE] {
        let request = door.http().request(method.clone(), door.url()).bearer_auth(&grant.token);
        let answer = Answer::of(request.send().await.unwrap()).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method}");
        assert_eq!(answer.header("allow"), "POST, GET, DELETE", "{method}");
    }
    assert!(world.upstream.received().is_empty());
}

#[tokio::test]
async fn the_stateless_revision_has_only_post() {
    let world = World::new(ALLOW, plain).await;
    let (door, grant) = (world.door().await, world.grant().await);
    for method in [Method::GET, Method::DELETE] {
        let request = door.http().request(method.clone(), door.url()).bearer_auth(&grant.token);
        let request = request.header("mcp-protocol-version", "2026-07-28").header("mcp-session-id", "abc");
        let answer = Answer::of(request.send().await.unwrap()).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method}");
        assert_eq!(answer.header("allow"), "POST", "{method}");
    }
    assert!(world.upstream.received().is_empty());
}

#[tokio::test]
async fn a_foreign_host_is_forbidden() {
    let world = World::new(ALLOW, plain).await;
    let (door, grant) = (world.door().await, world.grant().await);
    for host in ["evil.example", "127.0.0.1.evil.example"] {
        let request = door.request(&grant).header("host", host).body(call("read", json!({})).to_string());
        let answer = Answer::of(request.send().await.unwrap()).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::FORBIDDEN, -32600), "{host}");
    }
    assert!(world.upstream.received().is_empty());
}

#[tokio::test]
async fn a_foreign_origin_is_forbidden_whatever_the_method() {
    let world = World::new(ALLOW, plain).await;
    let (door, grant) = (world.door().await, world.grant().await);
    for method in [Method::POST, Method::GET, Method::DELETE, Method::OPTIONS] {
        let request = door.http().request(method.clone(), door.url()).bearer_auth(&grant.token);
        let answer = Answer::of(request.header("origin", "https://evil.example").send().await.unwrap()).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{method}");
        assert_eq!(answer.header("access-control-allow-origin"), "", "{method}");
    }
    assert!(world.upstream.received().is_empty());
}

#[tokio::test]
async fn an_allowed_page_may_call_and_read() {
    let world = World::new(ALLOW, plain).await;
    let door = world.door_with(|settings| settings.origins.push("https://app.example".to_owned())).await;
    let grant = world.grant().await;
    let preflight = door
        .http()
        .request(Method::OPTIONS, door.url())
        .header("origin", "https://app.example")
        .header("access-control-request-headers", "authorization,mcp-param-region")
        .send();
    let answer = Answer::of(preflight.await.unwrap()).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert_eq!(answer.header("access-control-allow-origin"), "https://app.example");
    let allowed = answer.header("access-control-allow-headers");
    assert!(allowed.contains("authorization") && allowed.contains("mcp-param-region"), "{allowed}");

    let request = door.request(&grant).header("origin", "https://app.example");
    let answer = Answer::of(request.body(call("read", json!({})).to_string()).send().await.unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("access-control-allow-origin"), "https://app.example");
    assert!(answer.header("access-control-expose-headers").contains("mcp-session-id"));
    assert_eq!(world.upstream.received()[0].header("origin"), "", "the page's origin went upstream");
}

#[tokio::test]
async fn a_body_over_4_mib_is_too_large_declared_or_not() {
    let world = World::new(ALLOW, plain).await;
    let (door, grant) = (world.door().await, world.grant().await);
    let fits = call("read", json!({ "text": "x".repeat(4 * 1024 * 1024 - 200) })).to_string();
    assert_eq!(door.post(&grant, fits).await.status, StatusCode::OK);
    let large = "x".repeat(4 * 1024 * 1024 + 1);
    let declared = door.post(&grant, large.clone()).await;
    assert_eq!((declared.status, declared.code()), (StatusCode::PAYLOAD_TOO_LARGE, -32600));
    let pieces =
        futures_util::stream::iter(large.into_bytes().chunks(65_536).map(<[u8]>::to_vec).collect::<Vec<_>>());
    let pieces = futures_util::StreamExt::map(pieces, Ok::<_, std::io::Error>);
    let undeclared = door.post(&grant, reqwest::Body::wrap_stream(pieces)).await;
    assert_eq!(undeclared.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(world.upstream.received().len(), 1);
}

#[tokio::test]
async fn only_plain_json_is_taken() {
    let world = World::new(ALLOW, plain).await;
    let (door, grant) = (world.door().await, world.grant().await);
    let post =
        || door.http().post(door.url()).bearer_auth(&grant.token).body(call("read", json!({})).to_string());
    for request in [
        post(),
        post().header("content-type", "text/plain"),
        post().header("content-type", "application/x-www-form-urlencoded"),
        post().header("content-type", "application/json; charset=iso-8859-1"),
        post().header("content-type", "application/json").header("content-encoding", "gzip"),
    ] {
        let answer = Answer::of(request.send().await.unwrap()).await;
        assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    let spelt = post().header("content-type", "Application/JSON; charset=\"UTF-8\"").send().await.unwrap();
    assert_eq!(spelt.status(), StatusCode::OK);
    assert_eq!(world.upstream.received().len(), 1);
}

#[tokio::test]
async fn every_answer_names_its_request() {
    let world = World::new(ALLOW, plain).await;
    let (door, grant) = (world.door().await, world.grant().await);
    let allowed = door.call(&grant, "read", json!({})).await;
    let refused = door.post(&grant, "[]").await;
    let ids: Vec<_> = [&allowed, &refused].map(|answer| answer.header("x-request-id").to_owned()).into();
    let records = world.records(&[&door]).await;
    let recorded: Vec<_> = records.decisions.iter().map(|(decision, _)| decision.id.to_string()).collect();
    assert_eq!(ids, recorded);
}
