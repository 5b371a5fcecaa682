//! `/o/{org}/servers/{server}/policies/{policy}/history`: who saved which version when.

use askama::Template;
use axum::extract::State;
use control::{PolicySummary, PolicyVersion};
use domain::{PolicyId, ServerId};

use super::editor::opened;
use crate::at::At;
use crate::caller::Member;
use crate::error::ErrorPage;
use crate::frame::Frame;
use crate::pages::servers::view::View;
use crate::render::Page;
use crate::state::DashboardState;
use crate::view::filters;

/// The page.
#[derive(Template)]
#[template(path = "policies/history.html")]
pub struct History {
    pub frame: Frame,
    pub view: View,
    pub policy: Option<PolicySummary>,
    /// The policy's address.
    pub base: String,
    pub versions: Vec<PolicyVersion>,
}

/// `GET /o/{org}/servers/{server}/policies/{policy}/history`
pub async fn history(
    State(state): State<DashboardState>,
    member: Member,
    At((_, server, id)): At<(String, ServerId, PolicyId)>,
) -> Result<Page<History>, ErrorPage> {
    let (view, policy) = opened(&state, &member, server, id).await?;
    let versions = state.control.policy_history(&member.actor, id).await?;
    let base = member.path(&format!("/servers/{server}/policies/{id}"));
    let frame = member.frame(&state, "servers");
    Ok(Page(History { frame, view, policy: Some(policy.summary), base, versions }))
}
