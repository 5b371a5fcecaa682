//! Answers that the gateway writes itself.

use serde_json::{Value, json};

use crate::{Era, Id, code};

/// Key of the decision in the `_meta` of a denied call's result.
pub const DECISION_META: &str = "dev.tollgate/decision";

/// A denied `tools/call`: a tool result with `isError`, whose text the model reads. HTTP 200.
pub fn tool_denied(id: &Id, era: Era, text: &str, decision: &Value) -> Vec<u8> {
    let mut result = json!({
        "content": [{ "type": "text", "text": text }],
        "isError": true,
        "_meta": { DECISION_META: decision },
    });
    if era == Era::Modern {
        result["resultType"] = "complete".into();
    }
    bytes(&json!({ "jsonrpc": "2.0", "id": id.to_json(), "result": result }))
}

/// What a server says of a tool that it does not have: the same for one that is hidden. HTTP 200.
pub fn unknown_tool(id: &Id, tool: &str) -> Vec<u8> {
    error(Some(id), code::INVALID_PARAMS, &format!("Unknown tool: {tool}"), None)
}

/// A denied request of any other kind, or a denied call that is not answered with a result: a JSON-RPC error.
pub fn denied(id: Option<&Id>, code: i32, text: &str, decision: &Value) -> Vec<u8> {
    error(id, code, text, Some(&json!({ DECISION_META: decision })))
}

/// A JSON-RPC error; the id is null where none is known.
pub fn error(id: Option<&Id>, code: i32, message: &str, data: Option<&Value>) -> Vec<u8> {
    let mut error = json!({ "code": code, "message": message });
    if let Some(data) = data {
        error["data"] = data.clone();
    }
    bytes(&json!({ "jsonrpc": "2.0", "id": id.map_or(Value::Null, Id::to_json), "error": error }))
}

fn bytes(message: &Value) -> Vec<u8> {
    message.to_string().into_bytes()
}
