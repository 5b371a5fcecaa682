//! `/o/{org}/servers/{server}/policies/{policy}/versions/{version}?rule=`: a version as it was written, the lines of
//! a rule marked: where a decision in the log leads.

use askama::Template;
use axum::extract::State;
use control::{Policy, PolicySummary};
use domain::{PolicyId, ServerId};
use serde::Deserialize;

use super::editor::opened;
use crate::at::{Asked, At};
use crate::caller::Member;
use crate::error::ErrorPage;
use crate::frame::Frame;
use crate::pages::servers::view::View;
use crate::render::Page;
use crate::state::DashboardState;
use crate::view::filters;
use crate::view::lines::{Line, marked};

/// The page.
#[derive(Template)]
#[template(path = "policies/version.html")]
pub struct Version {
    pub frame: Frame,
    pub view: View,
    pub policy: Option<PolicySummary>,
    /// The policy's address.
    pub base: String,
    pub shown: Policy,
    pub lines: Vec<Line>,
    /// The rule that was asked for.
    pub rule: Option<String>,
    /// It is in this version.
    pub found: bool,
}

/// The rule to mark.
#[derive(Deserialize)]
pub struct Marked {
    rule: Option<String>,
}

/// `GET /o/{org}/servers/{server}/policies/{policy}/versions/{version}`
pub async fn version(
    State(state): State<DashboardState>,
    member: Member,
    At((_, server, id, version)): At<(String, ServerId, PolicyId, u32)>,
    Asked(Marked { rule }): Asked<Marked>,
) -> Result<Page<Version>, ErrorPage> {
    let (view, policy) = opened(&state, &member, server, id).await?;
    let shown = state.control.policy(&member.actor, id, Some(version)).await?;
    let lines = marked(&shown.document, rule.as_deref());
    let found = lines.iter().any(|line| line.hit);
    let base = member.path(&format!("/servers/{server}/policies/{id}"));
    let frame = member.frame(&state, "servers");
    Ok(Page(Version { frame, view, policy: Some(policy.summary), base, shown, lines, rule, found }))
}
