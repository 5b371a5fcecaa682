//! `/o/{org}/servers/{server}/grants/{grant}`: one grant and everything that can be done with it.

use askama::Template;
use axum::extract::State;
use chrono::Duration;
use control::Grant as Facts;
use domain::{GrantId, ServerId};

use super::choices;
use crate::at::At;
use crate::caller::Member;
use crate::error::ErrorPage;
use crate::form::Form;
use crate::frame::Frame;
use crate::pages::servers::view::View;
use crate::render::Page;
use crate::state::DashboardState;
use crate::view::filters;

/// The page, with a form for each thing that can be done.
#[derive(Template)]
#[template(path = "grants/grant.html")]
pub struct Grant {
    pub frame: Frame,
    pub view: View,
    pub facts: Facts,
    /// The grants' address.
    pub base: String,
    /// The policies' address.
    pub policies_base: String,
    /// Values and names for the select.
    pub policies: Vec<(String, String)>,
    pub attaching: Form,
    pub expiring: Form,
    pub revealing: Form,
    /// Who would notice: `3 clients used it in the last hour.`
    pub use_note: String,
}

/// `GET /o/{org}/servers/{server}/grants/{grant}`
pub async fn grant(
    State(state): State<DashboardState>,
    member: Member,
    At((_, server, id)): At<(String, ServerId, GrantId)>,
) -> Result<Page<Grant>, ErrorPage> {
    Ok(Page(of(&state, &member, server, id).await?))
}

/// The page; a grant of another server is not found here.
pub async fn of(
    state: &DashboardState,
    member: &Member,
    server: ServerId,
    id: GrantId,
) -> Result<Grant, ErrorPage> {
    let facts = state.control.grant(&member.actor, id).await?;
    if facts.server_id != server {
        return Err(ErrorPage::NotFound);
    }
    let view = View::of(state, member, server, "/grants").await?;
    let policies = choices(&state.control.policies(&member.actor, Some(server)).await?);
    let attached = facts.policy.as_ref().map(|policy| policy.id.to_string()).unwrap_or_default();
    let since = state.clock.now() - Duration::hours(1);
    let clients = state.control.clients_of(&member.actor, id, since).await?;
    let ends = facts
        .expires_at
        .map(|at| filters::last_moment(at).format("%Y-%m-%d").to_string())
        .unwrap_or_default();
    Ok(Grant {
        frame: member.frame(state, "servers"),
        view: view.deeper(member, &facts.label, &[("/grants", "Grants")]),
        base: member.path(&format!("/servers/{server}/grants")),
        policies_base: member.path(&format!("/servers/{server}/policies")),
        attaching: Form::with([("policy_id", &attached)]),
        expiring: Form::with([("expires_at", &ends)]),
        revealing: Form::default(),
        use_note: use_note(clients.len()),
        policies,
        facts,
    })
}

/// Who would notice.
fn use_note(clients: usize) -> String {
    match clients {
        0 => " No client used this grant in the last hour.".to_owned(),
        1 => " 1 client used this grant in the last hour.".to_owned(),
        n => format!(" {n} clients used this grant in the last hour."),
    }
}
