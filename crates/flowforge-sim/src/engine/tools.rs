//! The tools that agents of the engine may use. They are named, not numbered.

use rmcp::model::JsonObject;
use serde_json::{Value, json};

use super::functions::check_address;
use super::table::{Answer, Query, Refusal, text};
use super::world::World;

const CHANGEABLE: &[&str] = &[
    "description",
    "parameters",
    "tool_type",
    "code",
    "webhook_url",
    "webhook_method",
    "webhook_headers",
    "requires_approval",
    "approval_timeout",
    "is_active",
    "type",
];

pub fn list(world: &World, query: &Query) -> Answer {
    let kind = query.get("type");
    world.tools.list(query, &["is_active"], |row| kind.is_none_or(|wanted| row["tool_type"] == wanted))
}

pub fn get(world: &World, name: &str) -> Answer {
    world.tools.get(name).cloned()
}

pub fn create(world: &mut World, body: &JsonObject) -> Answer {
    let name = body.get("name").and_then(Value::as_str).unwrap_or_default();
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte)) {
        return Err(Refusal::invalid("`name` must be letters, digits, `_` and `-`"));
    }
    if world.tools.has(name) {
        return Err(Refusal::conflict(format!("there is a tool `{name}` already")));
    }
    let now = world.now();
    let mut row = json!({ "name": name, "requires_approval": false, "is_active": true, "created_at": now });
    for key in CHANGEABLE {
        if let Some(value) = body.get(*key) {
            row[*key] = value.clone();
        }
    }
    check(&row)?;
    Ok(world.tools.put(name, row))
}

pub fn update(world: &mut World, name: &str, body: &JsonObject) -> Answer {
    let before = get(world, name)?;
    let now = world.now();
    let after = world.tools.patch(name, body, CHANGEABLE, now)?;
    check(&after).inspect_err(|_| {
        world.tools.put(name, before);
    })?;
    Ok(after)
}

pub fn delete(world: &mut World, name: &str) -> Answer {
    world.tools.remove(name)?;
    let uses =
        |row: &&Value| row["tools"].as_array().is_some_and(|tools| tools.iter().any(|tool| tool == name));
    let broken: Vec<&str> = world.functions.all().filter(uses).map(|row| text(row, "id")).collect();
    Ok(json!({ "deleted": name, "functions_that_used_it": broken }))
}

fn check(row: &Value) -> Result<(), Refusal> {
    match text(row, "tool_type") {
        "webhook" => check_address("webhook_url", text(row, "webhook_url")),
        "custom" if text(row, "code").is_empty() => {
            Err(Refusal::invalid("`code` is required for a custom tool"))
        }
        _ => Ok(()),
    }
}
