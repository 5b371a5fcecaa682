//! The task board.

use rmcp::model::JsonObject;
use serde_json::{Value, json};

use super::table::{Answer, Query, Refusal, named};
use super::world::World;

const COLUMNS: [&str; 6] = ["todo", "in_progress", "in_review", "done", "blocked", "cancelled"];
const CHANGEABLE: &[&str] = &["title", "status", "priority", "assignee_agent_id", "assignee_user_id"];
const ASSIGNEES: [&str; 2] = ["assignee_agent_id", "assignee_user_id"];

pub fn list(world: &World, query: &Query) -> Answer {
    world.tasks.list(query, &["status", "priority", "assignee_agent_id", "assignee_user_id"], |_| true)
}

/// The tasks by column.
pub fn board(world: &World, query: &Query) -> Value {
    let column = |name: &str| {
        let rows: Vec<&Value> =
            world.tasks.all().filter(|row| row["status"] == name && query.fits(row, &ASSIGNEES)).collect();
        (name.to_owned(), json!(rows))
    };
    json!({ "columns": COLUMNS.map(column).into_iter().collect::<JsonObject>() })
}

pub fn get(world: &World, id: &str) -> Answer {
    world.tasks.get(id).cloned()
}

pub fn create(world: &mut World, body: &JsonObject) -> Answer {
    named(body, "title")?;
    check(world, body)?;
    let (id, now) = (world.tasks.mint(), world.now());
    let row = json!({
        "id": id, "title": body.get("title"), "description": body.get("description"), "status": "todo",
        "priority": body.get("priority").cloned().unwrap_or_else(|| "none".into()),
        "assignee_agent_id": body.get("assignee_agent_id"), "assignee_user_id": body.get("assignee_user_id"),
        "function_id": body.get("function_id"), "labels": body.get("labels").cloned().unwrap_or_else(|| json!([])),
        "created_at": now, "updated_at": now,
    });
    Ok(world.tasks.put(&id, row))
}

pub fn update(world: &mut World, id: &str, body: &JsonObject) -> Answer {
    check(world, body)?;
    let now = world.now();
    world.tasks.patch(id, body, CHANGEABLE, now)
}

/// Removes a task and its comments for good.
pub fn delete(world: &mut World, id: &str) -> Answer {
    world.tasks.remove(id)?;
    world.comments.retain(|row| row["task_id"] != id);
    Ok(json!({ "deleted": id }))
}

fn check(world: &World, body: &JsonObject) -> Result<(), Refusal> {
    for (key, table) in [("assignee_agent_id", &world.agents), ("function_id", &world.functions)] {
        if let Some(id) = body.get(key).and_then(Value::as_str) {
            table.get(id).map_err(|missing| Refusal::invalid(format!("`{key}`: {}", missing.message)))?;
        }
    }
    Ok(())
}
