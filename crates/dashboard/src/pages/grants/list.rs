//! `/o/{org}/servers/{server}/grants`

use askama::Template;
use axum::extract::State;
use chrono::{DateTime, Utc};
use control::Grant;
use domain::{GrantId, ServerId};
use serde::Deserialize;

use crate::at::{Asked, At};
use crate::caller::Member;
use crate::error::ErrorPage;
use crate::frame::Frame;
use crate::pages::servers::view::View;
use crate::render::Page;
use crate::state::DashboardState;
use crate::view::filters;

/// The page.
#[derive(Template)]
#[template(path = "grants/list.html")]
pub struct List {
    pub frame: Frame,
    pub view: View,
    pub grants: Vec<Grant>,
    /// The grants' address.
    pub base: String,
    /// The policies' address.
    pub policies: String,
    /// Label of the grant that was revoked a moment ago, and when that took effect.
    pub revoked: Option<(String, DateTime<Utc>)>,
}

/// What to say above the list.
#[derive(Deserialize)]
pub struct Said {
    revoked: Option<GrantId>,
}

/// `GET /o/{org}/servers/{server}/grants`
pub async fn list(
    State(state): State<DashboardState>,
    member: Member,
    At((_, server)): At<(String, ServerId)>,
    Asked(said): Asked<Said>,
) -> Result<Page<List>, ErrorPage> {
    let view = View::of(&state, &member, server, "/grants").await?;
    let grants = state.control.grants(&member.actor, Some(server)).await?;
    let revoked = grants.iter().find(|grant| Some(grant.id) == said.revoked);
    let revoked = revoked.and_then(|grant| Some((grant.label.clone(), grant.revoked_at?)));
    let base = member.path(&format!("/servers/{server}/grants"));
    let policies = member.path(&format!("/servers/{server}/policies"));
    Ok(Page(List { frame: member.frame(&state, "servers"), view, grants, base, policies, revoked }))
}
