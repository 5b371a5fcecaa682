//! What a tool says of itself, as far as it is shown to a model: the part of its definition that is held against the one which was
//! approved.

use json::Value;

use crate::edit::json_text;

/// The hints of `annotations` that are compared; others are not kept.
const HINTS: [&str; 5] = ["title", "readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"];

/// Title, description, input schema and annotations of a tool as one text: equal ones give the same, whatever the order of keys
/// and the digits of numbers. None for a definition that the protocol does not have.
pub fn canonical(tool: &Value<'_>) -> Option<String> {
    let given = |holder: Option<&'_ Value<'_>>, key: &str| -> Option<String> {
        let value = holder?.get(key).filter(|value| !value.is_null())?;
        Some(value.canonical())
    };
    let text = |key: &str| match tool.get(key).filter(|value| !value.is_null()) {
        // Stored without NUL, which Postgres does not hold.
        Some(value) => value.as_str().map(|text| Some(text.replace('\0', "\u{fffd}"))),
        None => Some(None),
    };
    let annotations = tool.get("annotations").filter(|annotations| !annotations.is_null());
    if annotations.is_some_and(|annotations| annotations.as_object().is_none()) {
        return None;
    }
    let hinted = annotations.and_then(|annotations| annotations.get("title")).and_then(Value::as_str);
    let title = text("title")?.or_else(|| hinted.map(str::to_owned));
    let schema = tool.get("inputSchema").filter(|schema| schema.as_object().is_some())?;
    let or_null = |text: Option<String>| text.map_or_else(|| "null".to_owned(), |text| json_text(&text));
    let mut parts = vec![or_null(title), or_null(text("description")?), schema.canonical()];
    parts.extend(HINTS.iter().map(|hint| given(annotations, hint).unwrap_or_else(|| "null".to_owned())));
    Some(format!("[{}]", parts.join(",")))
}
