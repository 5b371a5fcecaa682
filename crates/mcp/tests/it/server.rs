//! Messages of an upstream.

use mcp::Id;
use mcp::server::{Ending, ServerMessage, read};

fn one(body: &str) -> ServerMessage {
    let mut messages = read(body.as_bytes()).expect("readable");
    assert_eq!(messages.len(), 1);
    messages.remove(0)
}

fn ending(body: &str) -> Ending {
    match one(body) {
        ServerMessage::Response { ending, .. } => ending,
        other => panic!("not a response: {other:?}"),
    }
}

#[test]
fn messages_are_told_apart() {
    let result = Ending::Result { is_error: false, result_type: None };
    assert_eq!(
        one(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#),
        ServerMessage::Response { id: Some(Id::Number(1)), ending: result }
    );
    assert_eq!(
        one(r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":""}}"#),
        ServerMessage::Response { id: None, ending: Ending::Error }
    );
    assert_eq!(
        one(r#"{"jsonrpc":"2.0","id":"s","method":"roots/list"}"#),
        ServerMessage::Request { id: Id::Text("s".into()), method: "roots/list".into() }
    );
    assert_eq!(
        one(r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{}}"#),
        ServerMessage::Notification { method: "notifications/progress".into() }
    );
    assert_eq!(read(br#"[{"id":1,"result":{}},{"id":2,"error":{}}]"#).expect("an array").len(), 2);
    assert_eq!(read(b"[]"), Ok(vec![]));
}

#[test]
fn how_a_call_ended_is_read() {
    let failed = r#"{"id":1,"result":{"isError":true,"content":[]}}"#;
    assert_eq!(ending(failed), Ending::Result { is_error: true, result_type: None });
    for no_error in [r#"{"id":1,"result":{"isError":false}}"#, r#"{"id":1,"result":{"isError":"true"}}"#] {
        assert_eq!(ending(no_error), Ending::Result { is_error: false, result_type: None });
    }
    for (kind, core) in
        [("complete", true), ("input_required", true), ("task", false), ("Complete", false), ("", false)]
    {
        let found = ending(&format!(r#"{{"id":1,"result":{{"resultType":"{kind}"}}}}"#));
        assert_eq!(found, Ending::Result { is_error: false, result_type: Some(kind.into()) });
        assert_eq!(found.is_core(), core, "{kind}");
    }
    assert!(ending(r#"{"id":1,"result":{}}"#).is_core() && ending(r#"{"id":1,"error":{}}"#).is_core());
}

#[test]
fn what_is_no_message_is_not_read() {
    for body in [
        "",
        "7",
        "{}",
        r#"{"id":1}"#,
        r#"{"id":1,"result":{},"error":{}}"#,
        r#"{"id":1,"method":7}"#,
        r#"{"id":null,"method":"roots/list"}"#,
        r#"{"id":1,"result":{},"result":{}}"#,
        r#"[{"id":1,"result":{}},7]"#,
    ] {
        assert!(read(body.as_bytes()).is_err(), "{body}");
    }
}
