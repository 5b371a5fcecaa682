//! `/o/{org}/servers/{server}/policies`

use askama::Template;
use axum::extract::State;
use control::PolicySummary;
use domain::ServerId;

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
#[template(path = "policies/list.html")]
pub struct List {
    pub frame: Frame,
    pub view: View,
    pub policies: Vec<PolicySummary>,
}

/// `GET /o/{org}/servers/{server}/policies`
pub async fn list(
    State(state): State<DashboardState>,
    member: Member,
    At((_, server)): At<(String, ServerId)>,
) -> Result<Page<List>, ErrorPage> {
    let view = View::of(&state, &member, server, "/policies").await?;
    let policies = state.control.policies(&member.actor, Some(server)).await?;
    Ok(Page(List { frame: member.frame(&state, "servers"), view, policies }))
}
