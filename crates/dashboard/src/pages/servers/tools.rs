//! `/o/{org}/servers/{server}/tools`: what the server can do, and what a policy does to it.

use std::collections::HashMap;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use chrono::Duration;
use control::{PolicySummary, Tool, ToolEffect, ToolRefresh};
use domain::{PolicyId, ServerId};
use serde::Deserialize;

use super::view::View;
use crate::at::{Asked, At};
use crate::caller::Member;
use crate::error::ErrorPage;
use crate::frame::Frame;
use crate::render::Page;
use crate::state::DashboardState;
use crate::view::filters;

/// Days that calls are counted over.
const DAYS: i64 = 7;

/// The page.
#[derive(Template)]
#[template(path = "servers/tools.html")]
pub struct Tools {
    pub frame: Frame,
    pub view: View,
    pub rows: Vec<ToolFacts>,
    pub policies: Vec<PolicySummary>,
    /// The policy in view.
    pub chosen: Option<PolicyId>,
    /// Tools that are denied until an admin approves their definitions.
    pub unapproved: Vec<String>,
    /// What changed when the tools were read a moment ago.
    pub refresh: Option<ToolRefresh>,
}

/// A tool, what the policy in view does to it, and how often it is called.
#[derive(Clone, Debug)]
pub struct ToolFacts {
    pub tool: Tool,
    pub effect: Option<ToolEffect>,
    /// In the last seven days.
    pub calls: u64,
    /// Its definition changed in the last seven days.
    pub changed: bool,
}

impl Tools {
    /// The policy is the one in view.
    pub fn is_chosen(&self, policy: &PolicySummary) -> bool {
        self.chosen == Some(policy.id)
    }

    /// The tool is denied until its definition is approved.
    pub fn is_unapproved(&self, tool: &Tool) -> bool {
        self.unapproved.contains(&tool.name)
    }

    /// What reading the tools again found.
    pub fn refreshed(refresh: &ToolRefresh) -> String {
        let part = |names: &[String], word: &str| {
            if names.is_empty() { None } else { Some(format!("{word}: {}", names.join(", "))) }
        };
        let parts: Vec<_> =
            [part(&refresh.added, "new"), part(&refresh.removed, "gone"), part(&refresh.changed, "changed")]
                .into_iter()
                .flatten()
                .collect();
        if parts.is_empty() { "the tools are the same as before".to_owned() } else { parts.join("; ") }
    }
}

/// The policy in view.
#[derive(Deserialize)]
pub struct Chosen {
    #[serde(default)]
    policy: String,
}

/// `GET /o/{org}/servers/{server}/tools`
pub async fn tools(
    State(state): State<DashboardState>,
    member: Member,
    At((_, id)): At<(String, ServerId)>,
    Asked(Chosen { policy }): Asked<Chosen>,
) -> Result<Page<Tools>, ErrorPage> {
    let chosen = policy.parse().ok();
    Ok(Page(of(&state, &member, id, chosen, None).await?))
}

/// `POST /o/{org}/servers/{server}/tools`: reads them from the upstream again.
pub async fn refresh(
    State(state): State<DashboardState>,
    member: Member,
    At((_, id)): At<(String, ServerId)>,
) -> Result<Response, ErrorPage> {
    let refresh = state.control.refresh_tools(&member.actor, id).await?;
    Ok(Page(of(&state, &member, id, None, Some(refresh)).await?).into_response())
}

async fn of(
    state: &DashboardState,
    member: &Member,
    id: ServerId,
    chosen: Option<PolicyId>,
    refresh: Option<ToolRefresh>,
) -> Result<Tools, ErrorPage> {
    let (control, actor) = (&state.control, &member.actor);
    let view = View::of(state, member, id, "/tools").await?;
    let policies = control.policies(actor, Some(id)).await?;
    // The first policy is in view until another is chosen: the column is what the page is for.
    let chosen = chosen.or_else(|| policies.first().map(|policy| policy.id));
    let mut effects = effects(state, member, id, chosen).await?;
    let since = state.clock.now() - Duration::days(DAYS);
    let calls: HashMap<String, u64> = control
        .tool_counts(actor, Some(id), since)
        .await?
        .into_iter()
        .map(|count| (count.tool, count.calls))
        .collect();
    let facts = |tool: Tool| ToolFacts {
        effect: effects.remove(&tool.name),
        calls: calls.get(&tool.name).copied().unwrap_or_default(),
        changed: tool
            .changed_at
            .is_some_and(|at| at > since && at > view.server.created_at + Duration::minutes(1)),
        tool,
    };
    let rows = control.tools(actor, id).await?.into_iter().map(facts).collect();
    let unapproved = control.protocol(actor, id).await?.unapproved_tools;
    Ok(Tools { frame: member.frame(state, "servers"), rows, policies, chosen, unapproved, refresh, view })
}

/// What the policy in view does to each tool, by name.
async fn effects(
    state: &DashboardState,
    member: &Member,
    server: ServerId,
    chosen: Option<PolicyId>,
) -> Result<HashMap<String, ToolEffect>, ErrorPage> {
    let Some(policy) = chosen else { return Ok(HashMap::new()) };
    let policy = state.control.policy(&member.actor, policy, None).await?;
    let check = state.control.check_policy(&member.actor, server, &policy.document).await?;
    Ok(check.effects.into_iter().map(|effect| (effect.tool.clone(), effect)).collect())
}
