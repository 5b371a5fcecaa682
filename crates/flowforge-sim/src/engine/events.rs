//! Events: publishing one starts a run of every active function that listens for its name.

use rmcp::model::JsonObject;
use serde_json::{Value, json};

use super::runs;
use super::table::{Answer, Query, named, text};
use super::world::World;

pub fn list(world: &World, query: &Query) -> Answer {
    world.events.list(query, &["name"], |_| true)
}

pub fn get(world: &World, id: &str) -> Answer {
    world.events.get(id).cloned()
}

/// An id that was used before answers the event it was used for, and starts nothing.
pub fn send(world: &mut World, body: &JsonObject) -> Answer {
    let name = named(body, "name")?;
    let id = match body.get("id").and_then(Value::as_str) {
        Some(id) if world.events.has(id) => return get(world, id),
        Some(id) => id.to_owned(),
        None => world.events.mint(),
    };
    let data = body.get("data").cloned().unwrap_or_else(|| json!({}));
    let now = world.now();
    world.events.put(&id, json!({ "id": id, "name": name, "data": data, "received_at": now, "runs": [] }));
    let listening: Vec<String> = world
        .functions
        .all()
        .filter(|function| function["is_active"] == true && function["trigger"]["type"] == "event")
        .filter(|function| function["trigger"]["value"] == name)
        .map(|function| text(function, "id").to_owned())
        .collect();
    let mut started = Vec::new();
    for function in listening {
        started.push(runs::start(world, &function, Some(&id), &data)?);
    }
    let event = world.events.get_mut(&id)?;
    event["runs"] = json!(started);
    Ok(event.clone())
}
