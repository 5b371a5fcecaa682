//! The scripted upstream does what a script says.

use serde_json::json;
use testkit::upstream::{self, Upstream};

#[tokio::test]
async fn it_answers_by_script_and_remembers() {
    let upstream = Upstream::start(|request| upstream::json(&json!({ "was": request.rpc_method() }))).await;
    let response = reqwest::Client::new()
        .post(format!("{}?a=b", upstream.url()))
        .header("x-a", "1")
        .body(r#"{"method":"ping"}"#)
        .send()
        .await
        .unwrap();
    assert_eq!(response.text().await.unwrap(), r#"{"was":"ping"}"#);
    let received = upstream.received_at_least(1).await;
    assert_eq!((received[0].method.as_str(), received[0].header("x-a")), ("POST", "1"));
    assert_eq!(received[0].uri, "/mcp?a=b");
}

#[tokio::test]
async fn a_stream_comes_piece_by_piece_and_is_seen_to_be_left() {
    let (sender, stream) = upstream::stream();
    let upstream = Upstream::start(move |_| upstream::events(stream.clone())).await;
    let mut response = reqwest::get(upstream.url().clone()).await.unwrap();
    for piece in ["one", "two"] {
        sender.send(piece);
        assert_eq!(response.chunk().await.unwrap().unwrap(), piece);
    }
    drop(response);
    sender.closed().await;
}

#[tokio::test]
async fn a_stream_can_end_or_be_broken_off() {
    let (sender, stream) = upstream::stream();
    let upstream = Upstream::start(move |_| upstream::events(stream.clone())).await;
    let mut response = reqwest::get(upstream.url().clone()).await.unwrap();
    sender.send("one");
    assert_eq!(response.chunk().await.unwrap().unwrap(), "one");
    sender.break_off();
    assert!(response.chunk().await.is_err());

    let (sender, stream) = upstream::stream();
    let upstream = Upstream::start(move |_| upstream::events(stream.clone())).await;
    let response = reqwest::get(upstream.url().clone()).await.unwrap();
    drop(sender);
    assert_eq!(response.text().await.unwrap(), "");
}
