//! `Mcp-Param-*` against the arguments.

use mcp::ToolCall;
use mcp::headers::ParamHeaders;
use serde_json::{Value, json};

use crate::{headers, modern, request};

fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "region": { "type": "string", "x-mcp-header": "Region" },
            "count": { "type": "integer", "x-mcp-header": "Count" },
            "dry": { "type": "boolean", "x-mcp-header": "Dry" },
            "to": { "type": "object", "properties": { "host": { "type": "string", "x-mcp-header": "Host" } } },
            "list": { "type": "array", "items": { "type": "object", "properties": {} } },
        },
    })
}

/// The reason of the refusal, if it is one.
fn checked(schema: &Value, arguments: &Value, pairs: &[(&str, &str)]) -> Option<&'static str> {
    let body = modern("tools/call", json!({ "name": "x", "arguments": arguments }));
    let request = request(&body);
    let call = ToolCall::read(&request).expect("a call");
    ParamHeaders::of(schema).check(&headers(pairs), &call).err().map(|refused| {
        assert_eq!((refused.http_status.as_u16(), refused.code), (400, -32020));
        refused.reason
    })
}

#[test]
fn headers_agree_with_arguments() {
    let check = |arguments: Value, pairs: &[(&str, &str)]| checked(&schema(), &arguments, pairs);
    for (arguments, pairs) in [
        (json!({}), &[][..]),
        (json!({ "region": null }), &[]),
        (json!({ "region": "eu" }), &[("Mcp-Param-Region", "eu")]),
        (json!({ "region": "é" }), &[("mcp-param-REGION", "=?base64?w6k=?=")]),
        (json!({ "region": " padded " }), &[("mcp-param-region", "=?base64?IHBhZGRlZCA=?=")]),
        (json!({ "count": 42 }), &[("mcp-param-count", "42")]),
        (json!({ "count": 42 }), &[("mcp-param-count", "42.0")]),
        (json!({ "count": 42.0 }), &[("mcp-param-count", "42")]),
        (json!({ "count": -7 }), &[("mcp-param-count", "-7")]),
        (json!({ "dry": true }), &[("mcp-param-dry", "true")]),
        (json!({ "to": { "host": "a" } }), &[("mcp-param-host", "a")]),
        (json!({ "to": {} }), &[]),
        // Unknown ones are for somebody else.
        (json!({}), &[("mcp-param-other", "x"), ("mcp-param-other", "y")]),
    ] {
        assert_eq!(check(arguments.clone(), pairs), None, "{arguments} {pairs:?}");
    }
    for (arguments, pairs, reason) in [
        (json!({ "region": "eu" }), &[][..], "missing header"),
        (json!({ "region": "" }), &[], "missing header"),
        (json!({ "region": "eu" }), &[("mcp-param-region", "us")], "header mismatch"),
        (json!({ "region": "eu" }), &[("mcp-param-region", "EU")], "header mismatch"),
        (json!({}), &[("mcp-param-region", "eu")], "header mismatch"),
        (json!({ "region": null }), &[("mcp-param-region", "null")], "header mismatch"),
        (json!({ "region": ["eu"] }), &[("mcp-param-region", "eu")], "header mismatch"),
        (
            json!({ "region": "eu" }),
            &[("mcp-param-region", "eu"), ("mcp-param-region", "eu")],
            "repeated header",
        ),
        (json!({ "region": "eu" }), &[("mcp-param-region", "=?base64?eu?=")], "header encoding"),
        (json!({ "region": "é" }), &[("mcp-param-region", "é")], "header characters"),
        (json!({ "region": "42" }), &[("mcp-param-region", "42.0")], "header mismatch"),
        (json!({ "count": 42 }), &[("mcp-param-count", "42.5")], "header mismatch"),
        (json!({ "count": 42 }), &[("mcp-param-count", "0x2a")], "header mismatch"),
        (json!({ "count": 42 }), &[("mcp-param-count", "\"42\"")], "header mismatch"),
        (
            json!({ "count": 9_007_199_254_740_993_u64 }),
            &[("mcp-param-count", "9007199254740992")],
            "header mismatch",
        ),
        (json!({ "dry": true }), &[("mcp-param-dry", "TRUE")], "header mismatch"),
        (json!({ "dry": false }), &[("mcp-param-dry", "true")], "header mismatch"),
        (json!({ "to": { "host": "a" } }), &[], "missing header"),
    ] {
        assert_eq!(check(arguments.clone(), pairs), Some(reason), "{arguments} {pairs:?}");
    }
}

#[test]
fn a_call_without_arguments_has_no_headers() {
    let body = modern("tools/call", json!({ "name": "x" }));
    let request = request(&body);
    let call = ToolCall::read(&request).expect("a call");
    let params = ParamHeaders::of(&schema());
    assert!(params.check(&headers::<&str, &str>(&[]), &call).is_ok());
    assert!(params.check(&headers(&[("mcp-param-region", "eu")]), &call).is_err());
}

#[test]
fn a_schema_with_bad_marks_mirrors_nothing() {
    let mut deep = json!({});
    for _ in 0..100 {
        deep = json!({ "properties": { "a": deep } });
    }
    for properties in [
        json!({ "a": { "x-mcp-header": "" } }),
        json!({ "a": { "x-mcp-header": 7 } }),
        json!({ "a": { "x-mcp-header": "a b" } }),
        json!({ "a": { "x-mcp-header": "a:b" } }),
        json!({ "a": { "x-mcp-header": "a\r\nb" } }),
        json!({ "a": { "x-mcp-header": "Same" }, "b": { "x-mcp-header": "sAME" } }),
        json!({ "a": { "x-mcp-header": "A" }, "b": deep }),
    ] {
        let found = ParamHeaders::of(&json!({ "properties": properties }));
        assert_eq!(found, ParamHeaders::default(), "{properties}");
    }
    assert_eq!(ParamHeaders::of(&json!(true)), ParamHeaders::default());
}
