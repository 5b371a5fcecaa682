//! Functions: what runs when an event, a clock or a webhook triggers it; code at a URL, or an agent with tools.

use rmcp::model::JsonObject;
use serde_json::{Value, json};

use super::table::{Answer, Query, Refusal, named};
use super::world::World;

const CHANGEABLE: &[&str] =
    &["name", "endpoint_url", "system_prompt", "tools", "agent_config", "config", "is_active"];

pub fn list(world: &World, query: &Query) -> Answer {
    let trigger = query.get("trigger_type");
    world.functions.list(query, &["is_active"], |row| {
        row["deleted_at"].is_null() && trigger.is_none_or(|wanted| row["trigger"]["type"] == wanted)
    })
}

pub fn get(world: &World, id: &str) -> Answer {
    world.functions.get(id).cloned()
}

/// A function whose code lives at a URL.
pub fn create(world: &mut World, body: &JsonObject) -> Answer {
    let endpoint = body.get("endpoint_url").and_then(Value::as_str).unwrap_or_default();
    check_address("endpoint_url", endpoint)?;
    let own = json!({ "kind": "remote", "endpoint_url": endpoint });
    insert(world, None, body, own)
}

/// An agent with a prompt and tools, that the engine itself runs.
pub fn create_inline(world: &mut World, body: &JsonObject) -> Answer {
    check_tools(world, body)?;
    let id = body.get("id").and_then(Value::as_str);
    if let Some(id) = id.filter(|id| world.functions.has(id)) {
        return Err(Refusal::conflict(format!("there is a function `{id}` already")));
    }
    let own = json!({
        "kind": "inline", "system_prompt": body.get("system_prompt"), "tools": body.get("tools"),
        "agent_config": body.get("agent_config"),
    });
    insert(world, id, body, own)
}

fn insert(world: &mut World, id: Option<&str>, body: &JsonObject, own: Value) -> Answer {
    named(body, "name")?;
    let id = id.map_or_else(|| world.functions.mint(), str::to_owned);
    let now = world.now();
    let trigger = json!({
        "type": body.get("trigger_type"), "value": body.get("trigger_value"),
        "expression": body.get("trigger_expression"),
    });
    let mut row = json!({
        "id": id, "name": body.get("name"), "trigger": trigger, "config": body.get("config"), "is_active": true,
        "skills": [], "created_at": now, "updated_at": now, "deleted_at": null,
    });
    if let (Some(row), Value::Object(own)) = (row.as_object_mut(), own) {
        row.extend(own);
    }
    Ok(world.functions.put(&id, row))
}

pub fn update(world: &mut World, id: &str, body: &JsonObject) -> Answer {
    if let Some(endpoint) = body.get("endpoint_url").and_then(Value::as_str) {
        check_address("endpoint_url", endpoint)?;
    }
    check_tools(world, body)?;
    let now = world.now();
    world.functions.patch(id, body, CHANGEABLE, now)
}

/// Hides it and stops it from reacting; its runs stay.
pub fn delete(world: &mut World, id: &str) -> Answer {
    let now = world.now();
    let row = world.functions.get_mut(id)?;
    if !row["deleted_at"].is_null() {
        return Err(Refusal::not_found("function", id));
    }
    row["is_active"] = false.into();
    row["deleted_at"] = now.into();
    Ok(json!({ "deleted": id }))
}

fn check_tools(world: &World, body: &JsonObject) -> Result<(), Refusal> {
    let tools = body.get("tools").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    match { tools }.find(|tool| !world.tools.has(tool)) {
        Some(unknown) => Err(Refusal::invalid(format!("`tools`: there is no tool `{unknown}`"))),
        None => Ok(()),
    }
}

/// Refuses what is not an absolute http(s) address.
pub fn check_address(field: &str, address: &str) -> Result<(), Refusal> {
    match url::Url::parse(address) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(()),
        _ => Err(Refusal::invalid(format!("`{field}` must be an http or https address"))),
    }
}
