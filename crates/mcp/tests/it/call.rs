//! Reading a call.

use mcp::ToolCall;
use serde_json::json;

use crate::{legacy, modern, parsed, request};

#[test]
fn a_name_is_taken_byte_for_byte() {
    for name in ["x", " x ", "Delete_File", "ﬁle", "x\u{0}", "../x", "é"] {
        let body = legacy("tools/call", &json!({ "name": name, "arguments": { "a": 1 } }));
        let request = request(&body);
        let call = ToolCall::read(&request).expect(name);
        assert_eq!(call.name, name);
        assert!(call.arguments.is_some() && !call.task_augmented);
    }
}

#[test]
fn arguments_may_be_absent_or_null() {
    for params in [json!({ "name": "x" }), json!({ "name": "x", "arguments": null })] {
        let body = legacy("tools/call", &params);
        assert!(ToolCall::read(&request(&body)).expect("a call").arguments.is_none());
    }
}

#[test]
fn a_call_without_a_name_or_with_arguments_of_another_kind_is_refused() {
    for (params, reason) in [
        (json!({}), "tool name"),
        (json!({ "name": "" }), "tool name"),
        (json!({ "name": null }), "tool name"),
        (json!({ "name": ["x"] }), "tool name"),
        (json!({ "name": "x", "arguments": [] }), "arguments"),
        (json!({ "name": "x", "arguments": "{}" }), "arguments"),
    ] {
        for (body, status) in
            [(legacy("tools/call", &params), 200), (modern("tools/call", params.clone()), 400)]
        {
            let refused = ToolCall::read(&request(&body)).expect_err("refused");
            assert_eq!(
                (refused.http_status.as_u16(), refused.code, refused.reason),
                (status, -32602, reason)
            );
            assert_eq!(parsed(&refused.body())["id"], 1);
        }
    }
    let none = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#;
    assert!(ToolCall::read(&request(none)).is_err());
}

#[test]
fn a_task_is_seen_in_the_legacy_era_alone() {
    let params = json!({ "name": "x", "task": { "ttl": 1 } });
    let body = legacy("tools/call", &params);
    assert!(ToolCall::read(&request(&body)).expect("a call").task_augmented);
    for odd in [json!(true), json!(null), json!("x")] {
        let body = legacy("tools/call", &json!({ "name": "x", "task": odd }));
        let refused = ToolCall::read(&request(&body)).expect_err("refused");
        assert_eq!((refused.http_status.as_u16(), refused.code, refused.reason), (200, -32602, "task"));
    }
    let body = modern("tools/call", params);
    assert!(!ToolCall::read(&request(&body)).expect("a call").task_augmented);
}
