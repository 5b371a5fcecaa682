//! Counters over everything, and the health check.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::table::text;
use super::world::World;

pub fn health() -> Value {
    json!({ "status": "ok", "service": "flowforge", "version": env!("CARGO_PKG_VERSION") })
}

pub fn stats(world: &World) -> Value {
    let mut runs = BTreeMap::new();
    for run in world.runs.all() {
        *runs.entry(text(run, "status")).or_insert(0) += 1;
    }
    let waiting = |row: &&Value| row["status"] == "pending";
    json!({
        "runs": runs, "events": world.events.all().count(), "functions": world.functions.all().count(),
        "agents": world.agents.all().count(), "tasks": world.tasks.all().count(),
        "tool_calls": world.calls.all().count(),
        "approvals_waiting": world.approvals.all().filter(waiting).count(), "queue_depth": 0,
    })
}
