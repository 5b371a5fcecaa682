//! The envelope.

use mcp::envelope::{MAX_DEPTH, read};
use mcp::{Era, Id, Malformed, Message};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{parsed, vectors};

#[derive(Deserialize)]
struct Vector {
    name: String,
    body: String,
    accepted: Option<Value>,
    refused: Option<Refused>,
}

#[derive(Deserialize)]
struct Refused {
    status: u16,
    code: i32,
    reason: String,
    id: Value,
}

#[test]
fn vectors_hold() {
    for vector in vectors::<Vector>(include_str!("../vectors/envelope.json")) {
        match (read(vector.body.as_bytes()), vector.accepted, vector.refused) {
            (Ok(message), Some(expected), None) => assert_eq!(summary(&message), expected, "{}", vector.name),
            (Err(found), None, Some(expected)) => {
                assert_eq!(found.http_status.as_u16(), expected.status, "{}", vector.name);
                assert_eq!(
                    (found.code, found.reason),
                    (expected.code, expected.reason.as_str()),
                    "{}",
                    vector.name
                );
                let body = parsed(&found.body());
                assert_eq!(body["id"], expected.id, "{}", vector.name);
                assert_eq!(body["error"]["code"], expected.code, "{}", vector.name);
            }
            (found, _, _) => panic!("{}: {found:?}", vector.name),
        }
    }
}

fn summary(message: &Message<'_>) -> Value {
    let mut found = match message {
        Message::Request(request) => json!({
            "kind": "request",
            "id": request.id.to_json(),
            "method": request.method,
            "era": if request.era == Era::Modern { "modern" } else { "legacy" },
            "version": request.protocol_version,
            "client": request.client.as_ref().map(|client| [&client.name, &client.version]),
        }),
        Message::Notification(notification) => json!({
            "kind": "notification",
            "method": notification.method,
            "version": notification.protocol_version,
        }),
        Message::Response(response) => {
            json!({ "kind": "response", "id": response.id.to_json(), "result": response.outcome.is_ok() })
        }
    };
    found.as_object_mut().expect("object").retain(|_, value| !value.is_null());
    found
}

fn reason(refused: Result<Message<'_>, Malformed>) -> &'static str {
    refused.expect_err("refused").reason
}

#[test]
fn bytes_that_are_not_utf8_are_refused() {
    for bytes in [&b"\xff"[..], b"\xc0\x80", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80"] {
        let body = [br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":""#, bytes, br#""}}"#];
        assert_eq!(reason(read(&body.concat())), "not utf-8");
    }
    let utf16: Vec<u8> =
        r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(read(&utf16).is_err());
}

#[test]
fn depth_is_bounded() {
    let nested = |levels: usize| {
        let (open, close) = ("[".repeat(levels), "]".repeat(levels));
        let arguments = format!(r#"{{"a":{open}{close}}}"#);
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"x","arguments":{arguments}}}}}"#
        )
    };
    // The message, its params and the arguments are three levels.
    assert!(read(nested(MAX_DEPTH - 3).as_bytes()).is_ok());
    assert_eq!(reason(read(nested(MAX_DEPTH - 2).as_bytes())), "too deep");
    assert_eq!(reason(read(nested(2_000_000).as_bytes())), "too deep");
}

#[test]
fn a_long_client_name_counts_as_absent() {
    let client = |name: &str| {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": { "clientInfo": { "name": name } } });
        crate::request(&body.to_string()).client
    };
    assert!(client(&"é".repeat(200)).is_some());
    assert!(client(&"é".repeat(201)).is_none());
}

#[test]
fn an_id_is_echoed_as_it_came() {
    for id in [json!(1), json!(-9_007_199_254_740_993_i64), json!("é\"\u{0}"), json!("1")] {
        let body = json!({ "jsonrpc": "2.0", "id": id, "method": "x", "params": [] }).to_string();
        let refused = read(body.as_bytes()).expect_err("refused");
        assert_eq!(parsed(&refused.body())["id"], id);
    }
    assert_ne!(Id::Number(1), Id::Text("1".into()));
}

/// Something between JSON and not, near to what a message looks like.
fn near_json() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"jsonrpc\"",
        "\"2.0\"",
        "\"id\"",
        "1",
        "1.0",
        "null",
        "\"method\"",
        "\"Method\"",
        "\"tools/call\"",
        "\"params\"",
        "{}",
        "\"name\"",
        "\"_meta\"",
        "\"result\"",
        "\"error\"",
        " ",
        "\\",
        "\"\\ud800\"",
        "\u{feff}",
        "\"jsonrpc\":\"2.0\"",
        "\"id\":1",
        "\"method\":\"tools/call\"",
        "\"params\":{\"name\":\"x\"}",
    ]);
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// A JSON value of any shape.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1.0e9..1.0e9_f64).prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((".{0,6}", inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// What is accepted reads the same in the reader that most Rust servers use.
fn assert_reads_alike(body: &[u8]) {
    let Ok(message) = read(body) else { return };
    let other: Value = serde_json::from_slice(body).expect("what is accepted is JSON");
    let text = |key: &str| other.get(key).and_then(Value::as_str);
    match message {
        Message::Request(request) => {
            assert_eq!(Some(request.method.as_ref()), text("method"));
            assert_eq!(request.id.to_json(), other["id"]);
            let name = request.param("name").and_then(|name| name.as_str().map(str::to_owned));
            assert_eq!(name.as_deref(), other.pointer("/params/name").and_then(Value::as_str));
            let span = request.param("arguments").map(|arguments| arguments.span.of(body));
            assert_eq!(span.map(parsed).as_ref(), other.pointer("/params/arguments"));
        }
        Message::Notification(notification) => {
            assert_eq!(Some(notification.method.as_ref()), text("method"));
            assert!(other.get("id").is_none());
        }
        Message::Response(response) => {
            assert_eq!(response.id.to_json(), other["id"]);
            assert_eq!(response.outcome.is_ok(), other.get("result").is_some());
        }
    }
}

proptest! {
    #[test]
    fn bytes_never_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        assert_reads_alike(&body);
    }

    #[test]
    fn near_misses_never_panic(body in near_json()) {
        assert_reads_alike(body.as_bytes());
    }

    #[test]
    fn any_value_never_panics(value in any_json()) {
        assert_reads_alike(value.to_string().as_bytes());
    }

    #[test]
    fn a_plain_call_is_accepted(name in ".{1,20}", arguments in prop::collection::vec((".{0,6}", any_json()), 0..4)) {
        let arguments: serde_json::Map<_, _> = arguments.into_iter().collect();
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": name, "arguments": arguments } });
        let body = body.to_string();
        prop_assert!(read(body.as_bytes()).is_ok());
        assert_reads_alike(body.as_bytes());
    }

    #[test]
    fn a_second_copy_of_any_key_is_refused(value in any_json(), key in "[a-z]{1,6}") {
        let key = json!(key);
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"x","arguments":{{{key}:{value},{key}:1}}}}}}"#
        );
        prop_assert_eq!(reason(read(body.as_bytes())), "duplicate key");
    }
}
