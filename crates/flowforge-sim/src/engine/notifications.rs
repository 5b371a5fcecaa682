//! The inbox of the current user.

use serde_json::{Value, json};

use super::table::{Answer, Query};
use super::world::World;

pub fn list(world: &World, query: &Query) -> Answer {
    world.notifications.list(query, &["is_read"], |_| true)
}

pub fn mark_read(world: &mut World, id: &str) -> Answer {
    let row = world.notifications.get_mut(id)?;
    row["is_read"] = true.into();
    Ok(row.clone())
}

pub fn mark_all_read(world: &mut World) -> Value {
    let mut marked = 0;
    for row in world.notifications.all_mut().filter(|row| row["is_read"] == false) {
        row["is_read"] = true.into();
        marked += 1;
    }
    json!({ "marked": marked })
}
