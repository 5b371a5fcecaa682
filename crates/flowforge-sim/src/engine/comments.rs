//! Comments on tasks and runs. `@name` in a comment notifies that person.

use rmcp::model::JsonObject;
use serde_json::{Value, json};

use super::table::{Answer, Query, Refusal};
use super::world::World;

pub fn list(world: &World, query: &Query) -> Answer {
    world.comments.list(query, &["task_id", "run_id"], |_| true)
}

pub fn add(world: &mut World, body: &JsonObject) -> Answer {
    let member = |key: &str| body.get(key).and_then(Value::as_str);
    let about = match (member("task_id"), member("run_id")) {
        (Some(task), None) => world.tasks.get(task).map(|_| task)?,
        (None, Some(run)) => world.runs.get(run).map(|_| run)?,
        _ => return Err(Refusal::invalid("one of `task_id` and `run_id` is required")),
    };
    let content = member("content").unwrap_or_default();
    let (id, now) = (world.comments.mint(), world.now());
    let row = json!({
        "id": id, "task_id": member("task_id"), "run_id": member("run_id"), "content": content,
        "author_agent_id": member("author_agent_id"), "author_user_id": member("author_user_id"), "created_at": now,
    });
    let is_name = |letter: char| letter.is_alphanumeric() || letter == '-' || letter == '_';
    for word in content.split_whitespace().filter_map(|word| word.strip_prefix('@')) {
        let name = word.trim_end_matches(|letter| !is_name(letter));
        if !name.is_empty() {
            world.notify("mention", &format!("{name} was mentioned on {about}"), &id);
        }
    }
    Ok(world.comments.put(&id, row))
}
