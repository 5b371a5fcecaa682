//! What a tool says of itself to models, people and clients: the part of its definition that is held against the one which was approved.

use json::Value;

use crate::edit::json_text;

/// The hints of `annotations` that are compared; others are not kept.
const HINTS: [&str; 5] = ["title", "readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"];
/// The members of an icon that are compared; others are not kept.
const ICON: [&str; 4] = ["src", "mimeType", "sizes", "theme"];

/// How much of a definition is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Extent {
    /// Title, description, input schema and annotations.
    Words,
    /// Output schema, icons and `_meta` too.
    Shown,
    /// `execution` too, which says whether a call may or must be a task (2025-11-25).
    Whole,
}

/// A definition as one text: equal ones give the same, whatever the order of keys and the digits of numbers. None for one that the
/// protocol does not have.
pub fn canonical(tool: &Value<'_>, extent: Extent) -> Option<String> {
    read(tool, extent).ok()
}

/// Something in a definition is of another kind than the protocol says.
struct Odd;

fn read(tool: &Value<'_>, extent: Extent) -> Result<String, Odd> {
    let annotations = object(tool, "annotations")?;
    let hinted = annotations.and_then(|annotations| annotations.get("title")).and_then(Value::as_str);
    let title = text(tool, "title")?.or_else(|| hinted.map(str::to_owned));
    let schema = object(tool, "inputSchema")?.ok_or(Odd)?;
    let quoted = |text: Option<String>| text.map_or_else(null, |text| json_text(&text));
    let mut parts = vec![quoted(title), quoted(text(tool, "description")?), schema.canonical()];
    parts.extend(HINTS.iter().map(|hint| member(annotations, hint)));
    if extent >= Extent::Shown {
        parts.push(object(tool, "outputSchema")?.map_or_else(null, Value::canonical));
        parts.push(icons(tool)?);
        parts.push(object(tool, "_meta")?.map_or_else(null, Value::canonical));
    }
    if extent == Extent::Whole {
        parts.push(object(tool, "execution")?.map_or_else(null, Value::canonical));
    }
    Ok(format!("[{}]", parts.join(",")))
}

fn null() -> String {
    "null".to_owned()
}

/// What is there, unless it is null.
fn given<'v, 'a>(holder: &'v Value<'a>, key: &str) -> Option<&'v Value<'a>> {
    holder.get(key).filter(|value| !value.is_null())
}

/// A member of an object, as it is written where it is not there.
fn member(holder: Option<&Value<'_>>, key: &str) -> String {
    holder.and_then(|holder| given(holder, key)).map_or_else(null, Value::canonical)
}

/// A text, if there is one. Stored without NUL, which Postgres does not hold.
fn text(tool: &Value<'_>, key: &str) -> Result<Option<String>, Odd> {
    let text = |value: &Value<'_>| value.as_str().map(|text| text.replace('\0', "\u{fffd}")).ok_or(Odd);
    given(tool, key).map(text).transpose()
}

/// An object, if there is one.
fn object<'v, 'a>(tool: &'v Value<'a>, key: &str) -> Result<Option<&'v Value<'a>>, Odd> {
    given(tool, key).map(|value| value.as_object().map(|_| value).ok_or(Odd)).transpose()
}

fn icons(tool: &Value<'_>) -> Result<String, Odd> {
    let Some(icons) = given(tool, "icons") else { return Ok(null()) };
    let icon = |icon: &Value<'_>| {
        icon.as_object().ok_or(Odd)?;
        let members: Vec<_> = ICON.iter().map(|key| member(Some(icon), key)).collect();
        Ok(format!("[{}]", members.join(",")))
    };
    let icons: Result<Vec<_>, Odd> = icons.as_array().ok_or(Odd)?.iter().map(icon).collect();
    Ok(format!("[{}]", icons?.join(",")))
}
