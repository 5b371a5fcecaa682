//! The agents of the workspace.

use rmcp::model::JsonObject;
use serde_json::{Value, json};

use super::skills;
use super::table::{Answer, Query, named};
use super::world::World;

const CHANGEABLE: &[&str] = &["name", "status", "model", "system_prompt", "is_active"];

pub fn list(world: &World, query: &Query) -> Answer {
    world.agents.list(query, &["status", "is_active"], |_| true)
}

pub fn get(world: &World, id: &str) -> Answer {
    world.agents.get(id).cloned()
}

pub fn create(world: &mut World, body: &JsonObject) -> Answer {
    named(body, "name")?;
    let (id, now) = (world.agents.mint(), world.now());
    let row = json!({
        "id": id, "name": body.get("name"), "description": body.get("description"),
        "model": body.get("model").cloned().unwrap_or_else(|| "gpt-5-mini".into()),
        "system_prompt": body.get("system_prompt"), "status": "idle", "is_active": true, "skills": [],
        "stats": { "runs": 0, "tokens": 0 }, "created_at": now, "updated_at": now,
    });
    Ok(world.agents.put(&id, row))
}

pub fn update(world: &mut World, id: &str, body: &JsonObject) -> Answer {
    let now = world.now();
    world.agents.patch(id, body, CHANGEABLE, now)
}

pub fn set_skills(world: &mut World, id: &str, body: &JsonObject) -> Answer {
    let chosen = skills::chosen(world, body)?;
    let now = world.now();
    let change = JsonObject::from_iter([("skills".to_owned(), Value::from(chosen))]);
    world.agents.patch(id, &change, &["skills"], now)
}

pub fn set_function_skills(world: &mut World, id: &str, body: &JsonObject) -> Answer {
    let chosen = skills::chosen(world, body)?;
    let now = world.now();
    let change = JsonObject::from_iter([("skills".to_owned(), Value::from(chosen))]);
    world.functions.patch(id, &change, &["skills"], now)
}
