//! What reaches the upstream is what was judged; and its answer is relayed as it came, unless it is not for the client.

use axum::body::Body;
use axum::http::{Method, Response, StatusCode};
use serde_json::json;
use testkit::upstream::{self, raw, with_header};

use crate::gate::{Gate, legacy, send};

const RESULT: &str = r#"{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"é"}],"structuredContent":{"n":12345678901234567890.10,"m":1e400}}}"#;

fn result() -> Response<Body> {
    raw(StatusCode::OK, "application/json", RESULT)
}

#[tokio::test]
async fn a_body_is_forwarded_byte_for_byte_and_so_is_its_answer() {
    let gate = Gate::new(|_| result()).await;
    let body = concat!(
        r#" {"method":"tools/call" , "params":{"arguments":{"n":12345678901234567890.10,"x":[ ],"u":"\u00e9"},"#,
        r#""name":"open","own":{"a":1.0},"_meta":{"progressToken":"p-1","com.example/x":7}},"id":"id-7","jsonrpc":"2.0"}"#,
        "\n"
    );
    let answer = send(gate.post(body)).await;
    assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, RESULT));
    let received = gate.upstream().received();
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].body, body);
    assert_eq!(received[0].header("content-length"), body.len().to_string());
}

#[tokio::test]
async fn a_task_that_nobody_asked_for_does_not_pass() {
    let gate = Gate::new(|_| {
        upstream::json(&json!({ "jsonrpc": "2.0", "id": 1, "result": { "resultType": "task", "task": { "taskId": "t" } } }))
    })
    .await;
    let answer = send(gate.modern("tools/call", json!({ "name": "open" }))).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (502, -32603));
    assert_eq!(answer.json()["id"], 1);
    assert!(!answer.text.contains("taskId"));
}

#[tokio::test]
async fn path_and_query_of_the_client_count_for_nothing() {
    let gate = Gate::new(|_| result()).await;
    for path in ["", "/", "?a=b", "/?access_token=x"] {
        let request = gate.request(Method::POST, path).header("content-type", "application/json");
        let answer = send(request.body(legacy("ping", json!({})))).await;
        assert_eq!(answer.status, 200, "{path:?} without a redirect");
    }
    for path in ["/other", "/../x", "//"] {
        let request = gate.request(Method::POST, path).header("content-type", "application/json");
        assert_eq!(send(request.body(legacy("ping", json!({})))).await.status, 404, "{path:?}");
    }
    let received = gate.upstream().received();
    assert_eq!(received.len(), 4);
    assert!(received.iter().all(|request| request.uri == "/mcp"));
}

#[tokio::test]
async fn a_call_is_never_sent_twice() {
    let (sender, stream) = upstream::stream();
    let gate = Gate::new(move |_| raw(StatusCode::OK, "application/json", stream.clone())).await;
    sender.send(r#"{"jsonrpc":"2.0","#);
    sender.break_off();
    let answer = send(gate.modern("tools/call", json!({ "name": "open" }))).await;
    assert_eq!(answer.status, 502);
    assert_eq!(gate.upstream().received().len(), 1);
    let gate = Gate::new(|_| raw(StatusCode::SERVICE_UNAVAILABLE, "text/plain", "later")).await;
    let answer = send(gate.legacy("tools/call", json!({ "name": "open" }))).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (502, -32603));
    assert!(!answer.text.contains("later"));
    assert_eq!(gate.upstream().received().len(), 1);
}

#[tokio::test]
async fn errors_by_which_clients_tell_the_eras_apart_pass_as_they_are() {
    let unsupported = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32022,"message":"x","data":{"supported":["2025-11-25"],"requested":"2026-07-28"}}}"#;
    let bare = r#"{"jsonrpc":"2.0","error":{"code":-32000,"message":"Bad Request: Server not initialized"},"id":null}"#;
    for (status, body) in [(400, unsupported), (400, bare), (404, bare)] {
        let status = StatusCode::from_u16(status).unwrap();
        let gate = Gate::new(move |_| raw(status, "application/json", body)).await;
        let answer = send(gate.modern("server/discover", json!({}))).await;
        assert_eq!((answer.status, answer.text.as_str()), (status, body));
    }
}

#[tokio::test]
async fn an_upstream_that_refuses_its_credentials_is_not_our_401() {
    for status in [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN] {
        let gate = Gate::new(move |_| {
            let body = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32001,"message":"secret detail"}}"#;
            with_header(
                raw(status, "application/json", body),
                "www-authenticate",
                "Bearer resource_metadata=\"http://evil\"",
            )
        })
        .await;
        let answer = send(gate.legacy("tools/call", json!({ "name": "open" }))).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (502, -32603));
        assert_eq!((answer.json()["id"].clone(), answer.header("www-authenticate")), (json!(1), ""));
        assert!(!answer.text.contains("secret detail"));
    }
}

#[tokio::test]
async fn a_notification_is_accepted_without_a_body() {
    for (status, kind, body) in [(202, "", ""), (200, "application/json", "{}"), (204, "", "")] {
        let status = StatusCode::from_u16(status).unwrap();
        let gate = Gate::new(move |_| raw(status, kind, body)).await;
        let answer = send(gate.post(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#)).await;
        assert_eq!((answer.status.as_u16(), answer.text.len()), (202, 0));
        assert_eq!(gate.upstream().received().len(), 1);
    }
}

#[tokio::test]
async fn an_answer_of_another_kind_does_not_pass() {
    let gate = Gate::new(|_| raw(StatusCode::OK, "text/html", "<html>")).await;
    let answer = send(gate.legacy("tools/call", json!({ "name": "open" }))).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (502, -32603));
    assert!(!answer.text.contains("<html>"));
}
