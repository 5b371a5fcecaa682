//! Skills: instruction files for agents, installed here or offered by a market that is a fixed list.

use rmcp::model::JsonObject;
use serde_json::{Value, json};

use super::table::{Answer, Query, Refusal, text};
use super::world::World;

/// Repository, name, category, one sentence.
const MARKET: &[(&str, &str, &str, &str)] = &[
    ("acme/ticket-triage", "Ticket triage", "support", "Sorts incoming tickets by urgency and team."),
    ("acme/refund-rules", "Refund rules", "billing", "Decides which refunds need a person."),
    ("northwind/sql-reports", "SQL reports", "data", "Writes read-only reports over a warehouse."),
    ("northwind/release-notes", "Release notes", "engineering", "Turns merged changes into release notes."),
    ("contoso/cold-outreach", "Cold outreach", "sales", "Drafts first mails to leads."),
];

pub fn list(world: &World, query: &Query) -> Answer {
    let search = query.get("search").map(str::to_lowercase);
    world.skills.list(query, &["category", "source"], |row| {
        search.as_ref().is_none_or(|wanted| {
            [text(row, "name"), text(row, "description")]
                .iter()
                .any(|text| text.to_lowercase().contains(wanted))
        })
    })
}

pub fn search_market(query: &Query) -> Value {
    let wanted = query.get("query").unwrap_or_default().to_lowercase();
    let items: Vec<Value> = MARKET
        .iter()
        .filter(|(repo, name, category, what)| {
            [repo, name, category, what].iter().any(|text| text.to_lowercase().contains(&wanted))
        })
        .map(|(repo, name, category, what)| {
            json!({ "repo": repo, "name": name, "category": category, "description": what })
        })
        .collect();
    json!({ "total": items.len(), "items": items })
}

/// The file as it would be installed.
pub fn preview(body: &JsonObject) -> Answer {
    let (repo, name, category, what) = offered(body)?;
    let path = body.get("path").and_then(Value::as_str).unwrap_or("SKILL.md");
    let content = format!("---\nname: {name}\ncategory: {category}\n---\n\n# {name}\n\n{what}\n");
    Ok(json!({ "repo": repo, "path": path, "content": content }))
}

pub fn import(world: &mut World, body: &JsonObject) -> Answer {
    let (repo, name, category, what) = offered(body)?;
    let (id, now) = (world.skills.mint(), world.now());
    let or = |key: &str, other: &str| body.get(key).cloned().unwrap_or_else(|| other.into());
    let row = json!({
        "id": id, "name": or("name_override", name), "description": what, "category": or("category", category),
        "source": or("source", "skills_sh"), "repo": repo, "path": or("path", "SKILL.md"),
        "tags": body.get("tags").cloned().unwrap_or_else(|| json!([])), "installed_at": now,
    });
    Ok(world.skills.put(&id, row))
}

fn offered(body: &JsonObject) -> Result<(&'static str, &'static str, &'static str, &'static str), Refusal> {
    let repo = body.get("repo").and_then(Value::as_str).unwrap_or_default();
    MARKET.iter().find(|skill| skill.0 == repo).copied().ok_or_else(|| Refusal::not_found("repository", repo))
}

/// The `skill_ids` of a body, all of which are installed.
pub fn chosen(world: &World, body: &JsonObject) -> Result<Vec<Value>, Refusal> {
    let ids = body.get("skill_ids").and_then(Value::as_array).cloned().unwrap_or_default();
    match ids.iter().filter_map(Value::as_str).find(|id| !world.skills.has(id)) {
        Some(unknown) => Err(Refusal::invalid(format!("`skill_ids`: there is no skill `{unknown}`"))),
        None => Ok(ids),
    }
}
