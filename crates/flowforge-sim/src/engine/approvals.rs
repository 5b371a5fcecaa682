//! Approvals: tool calls of runs that wait for a person's yes or no.

use rmcp::model::JsonObject;
use serde_json::{Value, json};

use super::runs;
use super::table::{Answer, Query, Refusal, text};
use super::world::World;

pub fn list(world: &World, query: &Query) -> Answer {
    world.approvals.list(query, &["status", "run_id"], |_| true)
}

/// Lets the call run, with other arguments if some are given, and its run go on.
pub fn approve(world: &mut World, id: &str, body: &JsonObject) -> Answer {
    let modified = body.get("modified_arguments");
    decide(world, id, "approved", &Value::Null, modified)
}

/// Refuses the call, which fails its run.
pub fn reject(world: &mut World, id: &str, body: &JsonObject) -> Answer {
    let reason = body.get("reason").cloned().unwrap_or_else(|| json!("no reason given"));
    decide(world, id, "rejected", &reason, None)
}

fn decide(world: &mut World, id: &str, status: &str, reason: &Value, arguments: Option<&Value>) -> Answer {
    let now = world.now();
    let approval = world.approvals.get_mut(id)?;
    if approval["status"] != "pending" {
        return Err(Refusal::conflict(format!("approval `{id}` is already {}", text(approval, "status"))));
    }
    approval["status"] = status.into();
    approval["reason"] = reason.clone();
    approval["decided_at"] = now.into();
    if let Some(arguments) = arguments {
        approval["arguments"] = arguments.clone();
    }
    let decided = approval.clone();
    let run = text(&decided, "run_id").to_owned();
    runs::advance(world, &run)?;
    Ok(json!({ "approval": decided, "run": world.runs.get(&run)? }))
}
