//! Stored secrets, by name. The value itself is not kept: only what a list may show of it.

use rmcp::model::JsonObject;
use serde_json::json;

use super::table::{Answer, Query, named, text};
use super::world::World;

pub fn list(world: &World, query: &Query) -> Answer {
    world.credentials.list(query, &[], |_| true)
}

/// Stores a secret; one of that name is replaced.
pub fn create(world: &mut World, body: &JsonObject) -> Answer {
    let (name, value) = (named(body, "name")?, named(body, "value")?);
    let rotated = world.credentials.has(name);
    let now = world.now();
    let shown: String = value.chars().take(4).collect();
    let kind = body.get("credential_type").cloned().unwrap_or_else(|| "api_key".into());
    let row = json!({
        "name": name, "credential_type": kind, "description": body.get("description"), "masked": format!("{shown}…"),
        "rotated": rotated, "updated_at": now,
    });
    Ok(world.credentials.put(name, row))
}

pub fn delete(world: &mut World, name: &str) -> Answer {
    world.credentials.remove(name)?;
    let broken: Vec<&str> =
        world.tools.all().filter(|tool| tool["credential"] == name).map(|tool| text(tool, "name")).collect();
    Ok(json!({ "deleted": name, "tools_that_used_it": broken }))
}
