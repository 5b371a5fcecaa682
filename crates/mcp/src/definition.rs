//! What a tool says of itself to models, people and clients: the part of its definition that is held against the one which was approved.

use json::Value;

use crate::edit::json_text;

/// The hints of `annotations` that are compared; others are not kept.
const HINTS: [&str; 5] = ["title", "readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"];
/// The members of an icon that are compared; others are not kept.
const ICON: [&str; 4] = ["src", "mimeType", "sizes", "theme"];

/// How much of a definition is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Title, description, input schema and annotations.
    Words,
    /// Output schema, icons and `_meta` too.
    Whole,
}

/// A definition as one text: equal ones give the same, whatever the order of keys and the digits of numbers. None for one that the
/// protocol does not have.
pub fn canonical(tool: &Value<'_>, extent: Extent) -> Option<String> {
    let annotations = object(tool, "annotations")?;
    let hinted = annotations.and_then(|annotations| annotations.get("title")).and_then(Value::as_str);
    let title = text(tool, "title")?.or_else(|| hinted.map(str::to_owned));
    let schema = object(tool, "inputSchema")??;
    let quoted = |text: Option<String>| text.map_or_else(null, |text| json_text(&text));
    let mut parts = vec![quoted(title), quoted(text(tool, "description")?), schema.canonical()];
    parts.extend(HINTS.iter().map(|hint| member(annotations, hint)));
    if extent == Extent::Whole {
        parts.push(object(tool, "outputSchema")?.map_or_else(null, Value::canonical));
        parts.push(icons(tool)?);
        parts.push(object(tool, "_meta")?.map_or_else(null, Value::canonical));
    }
    Some(format!("[{}]", parts.join(",")))
}

fn null() -> String {
    "null".to_owned()
}

/// A member of an object, as it is written where it is not there.
fn member(holder: Option<&Value<'_>>, key: &str) -> String {
    holder.and_then(|holder| holder.get(key)).map_or_else(null, Value::canonical)
}

/// A text, if there is one; none for what is something else. Stored without NUL, which Postgres does not hold.
fn text(tool: &Value<'_>, key: &str) -> Option<Option<String>> {
    match tool.get(key).filter(|value| !value.is_null()) {
        Some(value) => value.as_str().map(|text| Some(text.replace('\0', "\u{fffd}"))),
        None => Some(None),
    }
}

/// An object, if there is one; none for what is something else.
fn object<'v, 'a>(tool: &'v Value<'a>, key: &str) -> Option<Option<&'v Value<'a>>> {
    match tool.get(key).filter(|value| !value.is_null()) {
        Some(value) => value.as_object().map(|_| Some(value)),
        None => Some(None),
    }
}

fn icons(tool: &Value<'_>) -> Option<String> {
    let Some(icons) = tool.get("icons").filter(|icons| !icons.is_null()) else { return Some(null()) };
    let icon = |icon: &Value<'_>| {
        icon.as_object()?;
        let members: Vec<_> = ICON.iter().map(|key| member(Some(icon), key)).collect();
        Some(format!("[{}]", members.join(",")))
    };
    let icons: Option<Vec<_>> = icons.as_array()?.iter().map(icon).collect();
    Some(format!("[{}]", icons?.join(",")))
}
