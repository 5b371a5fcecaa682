//! Behind proxies: the log and the counting of log-ins know the client that a trusted proxy names, and no other.

use reqwest::StatusCode;
use serde_json::json;
use testkit::{Api, Process, eventually};

use crate::stack::Stack;

/// Tries to log in from `client`, as a proxy tells of it, with a password that is wrong.
async fn wrong(process: &Process, client: &str) -> StatusCode {
    let login = json!({ "email": "ada@example.com", "password": "not the password" });
    let request = reqwest::Client::new().post(format!("{}/api/v1/sessions", process.url));
    request.header("x-forwarded-for", client).json(&login).send().await.unwrap().status()
}

/// What the log has as the address of a call without a grant that came from `client`.
async fn noted(process: &Process, api: &Api, server: &str, client: &str) -> String {
    let request = reqwest::Client::new().post(format!("{}/mcp/{server}", process.url));
    let answer =
        request.bearer_auth("tg_grant_nobodys").header("x-forwarded-for", client).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    let row = eventually("the row", async || api.decisions("&outcome=unauthenticated").await.pop()).await;
    row["address"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_is_who_a_trusted_proxy_names() {
    let stack = Stack::start().await;
    let settings = [("TOLLGATE_TRUSTED_PROXIES", "127.0.0.1,10.0.0.0/8")];
    let process = stack.serve_with(&[], &settings).await;
    let api = Api::sign_up(&process.url).await;
    let server = stack.register(&api, "/mcp/json").await;
    assert_eq!(noted(&process, &api, &server, "192.0.2.1, 203.0.113.7, 10.0.0.9").await, "203.0.113.7");

    // One address may try ten times; another of the same proxy is not held to that.
    let mut tries = Vec::new();
    for _ in 0..11 {
        tries.push(wrong(&process, "203.0.113.7").await);
    }
    assert_eq!(tries.pop(), Some(StatusCode::TOO_MANY_REQUESTS), "{tries:?}");
    assert!(tries.iter().all(|status| *status == StatusCode::UNAUTHORIZED), "{tries:?}");
    assert_eq!(wrong(&process, "203.0.113.8").await, StatusCode::UNAUTHORIZED);
    assert_eq!(wrong(&process, "203.0.113.9, 203.0.113.7").await, StatusCode::TOO_MANY_REQUESTS, "made up");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_believed_unless_told_so() {
    let stack = Stack::start().await;
    let process = stack.serve(&[]).await;
    let api = Api::sign_up(&process.url).await;
    let server = stack.register(&api, "/mcp/json").await;
    assert_eq!(noted(&process, &api, &server, "203.0.113.7").await, "127.0.0.1");
    for number in 0..10 {
        assert_eq!(wrong(&process, &format!("203.0.113.{number}")).await, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(wrong(&process, "203.0.113.99").await, StatusCode::TOO_MANY_REQUESTS);
}
