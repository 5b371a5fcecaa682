//! Answers that the gateway writes.

use mcp::{Era, Id, code, reply};
use serde_json::{Value, json};

use crate::parsed;

#[test]
fn a_denied_call_is_a_tool_result() {
    let decision = json!({ "rule": "/tools/x/action", "limit": { "max": 10 } });
    let denied =
        |era| parsed(&reply::tool_denied(&Id::Text("a".into()), era, "[POLICY DENIED] no", &decision));
    let mut expected = json!({
        "jsonrpc": "2.0",
        "id": "a",
        "result": {
            "content": [{ "type": "text", "text": "[POLICY DENIED] no" }],
            "isError": true,
            "_meta": { "dev.tollgate/decision": decision },
        },
    });
    assert_eq!(denied(Era::Legacy), expected);
    expected["result"]["resultType"] = "complete".into();
    assert_eq!(denied(Era::Modern), expected);
}

#[test]
fn a_hidden_tool_is_an_unknown_one() {
    let unknown = parsed(&reply::unknown_tool(&Id::Number(7), "x\"y"));
    let expected =
        json!({ "jsonrpc": "2.0", "id": 7, "error": { "code": -32602, "message": "Unknown tool: x\"y" } });
    assert_eq!(unknown, expected);
}

#[test]
fn an_error_echoes_its_id_or_null() {
    let error = |id: Option<&Id>, data: Option<&Value>| {
        parsed(&reply::error(id, code::INTERNAL_ERROR, "upstream is away", data))
    };
    let expected =
        json!({ "jsonrpc": "2.0", "id": null, "error": { "code": -32603, "message": "upstream is away" } });
    assert_eq!(error(None, None), expected);
    let found = error(Some(&Id::Number(i64::MIN)), Some(&json!({ "a": 1 })));
    assert_eq!((&found["id"], &found["error"]["data"]), (&json!(i64::MIN), &json!({ "a": 1 })));
}

#[test]
fn no_code_is_invented() {
    let defined = [-32700, -32600, -32601, -32602, -32603, -32020, -32021, -32022];
    let used = [
        code::PARSE_ERROR,
        code::INVALID_REQUEST,
        code::METHOD_NOT_FOUND,
        code::INVALID_PARAMS,
        code::INTERNAL_ERROR,
        code::HEADER_MISMATCH,
        code::MISSING_CLIENT_CAPABILITY,
        code::UNSUPPORTED_VERSION,
    ];
    assert_eq!(used, defined);
}
