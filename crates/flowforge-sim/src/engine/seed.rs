//! The data that an engine starts with: a small shop's workflows, made by the engine's own operations.
//!
//! run-0001 completed; run-0002 failed, and will three times more; run-0003 paused for apr-0001; run-0004 failed for a
//! missing credential; run-0005 completed after apr-0002 was approved.

use rmcp::model::JsonObject;
use serde_json::{Value, json};

use super::table::Refusal;
use super::world::World;
use super::{agents, approvals, comments, credentials, events, functions, runs, skills, tasks};

/// The world at the start.
pub fn world() -> World {
    // INVARIANT: the operations below succeed, which a test holds; an empty engine is not worth an end of the process.
    build().unwrap_or_else(|refusal| {
        tracing::error!(?refusal, "the seed data does not fit the engine");
        World::empty()
    })
}

fn build() -> Result<World, Refusal> {
    let mut world = World::empty();
    let w = &mut world;
    for (name, value, kind) in [
        ("openai_key", "sk-demo-1", "api_key"),
        ("stripe_key", "rk_demo_2", "api_key"),
        ("smtp_password", "mail-demo-3", "basic_auth"),
        ("slack_token", "xoxb-demo-4", "bearer_token"),
    ] {
        credentials::create(w, &object(json!({ "name": name, "value": value, "credential_type": kind })))?;
    }
    tools(w);
    for repo in ["acme/ticket-triage", "northwind/sql-reports"] {
        skills::import(w, &object(json!({ "repo": repo })))?;
    }
    for (name, model, prompt) in [
        ("Support triage", "gpt-5-mini", "Sort what comes in and answer what is simple."),
        ("Refund clerk", "claude-sonnet-5", "Prepare refunds. A person approves them."),
        ("Report writer", "gpt-5", "Write the nightly report from the warehouse."),
    ] {
        agents::create(w, &object(json!({ "name": name, "model": model, "system_prompt": prompt })))?;
    }
    agents::set_skills(w, "agent-0001", &object(json!({ "skill_ids": ["skill-0001"] })))?;
    workflows(w)?;
    history(w)?;
    board(w)?;
    Ok(world)
}

fn tools(world: &mut World) {
    for (name, kind, credential, approval, what) in [
        ("lookup_order", "custom", None, false, "Finds an order by its number."),
        ("send_email", "builtin", Some("smtp_password"), false, "Sends a mail to a customer."),
        ("issue_refund", "webhook", Some("stripe_key"), true, "Pays money back to a customer."),
        ("web_search", "builtin", Some("openai_key"), false, "Searches the web."),
        ("post_to_crm", "webhook", Some("crm_token"), false, "Writes a lead to the CRM."),
    ] {
        let now = world.now();
        let row = json!({
            "name": name, "description": what, "tool_type": kind, "parameters": { "type": "object" },
            "code": (kind == "custom").then_some("def run(input):\n    return orders.find(input[\"order_id\"])\n"),
            "webhook_url": (kind == "webhook").then(|| format!("https://hooks.example.com/{name}")),
            "credential": credential, "requires_approval": approval, "is_active": true, "created_at": now,
        });
        world.tools.put(name, row);
    }
}

fn workflows(world: &mut World) -> Result<(), Refusal> {
    for (name, trigger, value, tools) in [
        ("Order intake", "event", "order/created", json!(["lookup_order", "send_email"])),
        ("Refund review", "event", "billing/refund", json!(["lookup_order", "issue_refund"])),
        ("Lead enrichment", "event", "lead/created", json!(["web_search", "post_to_crm"])),
    ] {
        let function = json!({
            "name": name, "trigger_type": trigger, "trigger_value": value, "tools": tools,
            "system_prompt": format!("You carry out \"{name}\" for the shop."),
        });
        functions::create_inline(world, &object(function))?;
    }
    let nightly = json!({
        "name": "Nightly report", "trigger_type": "cron", "trigger_value": "0 3 * * *",
        "endpoint_url": "https://jobs.example.com/nightly-report",
    });
    functions::create(world, &object(nightly))?;
    Ok(())
}

fn history(world: &mut World) -> Result<(), Refusal> {
    for (name, data) in [
        ("order/created", json!({ "order_id": "A-1001", "total": 84.5 })),
        ("order/created", json!({ "order_id": "A-1002", "total": 12, "simulate_faults": 4 })),
        ("billing/refund", json!({ "order_id": "A-1001", "amount": 84.5 })),
        ("lead/created", json!({ "company": "Northwind" })),
        ("billing/refund", json!({ "order_id": "A-0990", "amount": 9.9 })),
    ] {
        events::send(world, &object(json!({ "name": name, "data": data })))?;
    }
    approvals::approve(world, "apr-0002", &JsonObject::new())?;
    runs::start(world, "fn-0004", None, &json!({ "scheduled_for": "2026-03-02T03:00:00Z" }))?;
    Ok(())
}

fn board(world: &mut World) -> Result<(), Refusal> {
    for (title, priority, agent) in [
        ("Answer the refund of order A-1001", "high", "agent-0002"),
        ("Find out why run-0002 fails", "urgent", "agent-0001"),
        ("Rotate the CRM token", "medium", "agent-0001"),
        ("Review last week's report", "low", "agent-0003"),
    ] {
        let task =
            json!({ "title": title, "priority": priority, "assignee_agent_id": agent, "labels": ["shop"] });
        tasks::create(world, &object(task))?;
    }
    tasks::update(world, "task-0002", &object(json!({ "status": "in_progress" })))?;
    let comment =
        json!({ "task_id": "task-0002", "content": "It was the mail step last time. @dana can you look?" });
    comments::add(world, &object(comment))?;
    Ok(())
}

fn object(value: Value) -> JsonObject {
    match value {
        Value::Object(members) => members,
        _ => JsonObject::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seed_is_what_its_description_says() {
        let world = build().unwrap();
        let statuses: Vec<_> = world.runs.all().map(|run| run["status"].as_str().unwrap()).collect();
        assert_eq!(statuses, ["completed", "failed", "paused", "failed", "completed", "completed"]);
        assert_eq!(world.approvals.get("apr-0001").unwrap()["run_id"], "run-0003");
        assert_eq!(world.approvals.get("apr-0002").unwrap()["status"], "approved");
        assert_eq!(world.runs.get("run-0004").unwrap()["error"], "credential `crm_token` is missing");
        assert_eq!(world.runs.get("run-0002").unwrap()["faults_left"], 3);
    }
}
