//! Answers that the gateway writes itself.

use serde_json::Value;

use crate::{Era, Id};

/// Key of the decision in the `_meta` of a denied call's result.
pub const DECISION_META: &str = "dev.tollgate/decision";

/// A denied `tools/call`: a tool result with `isError`, whose text the model reads. HTTP 200.
pub fn tool_denied(id: &Id, era: Era, text: &str, decision: &Value) -> Vec<u8> {
    unimplemented!("{id} {era:?} {text} {decision}")
}

/// What a server says of a tool that it does not have. HTTP 200.
pub fn unknown_tool(id: &Id, tool: &str) -> Vec<u8> {
    unimplemented!("{id} {tool}")
}

/// A JSON-RPC error; the id is null where none is known.
pub fn error(id: Option<&Id>, code: i32, message: &str, data: Option<&Value>) -> Vec<u8> {
    unimplemented!("{id:?} {code} {message} {data:?}")
}
