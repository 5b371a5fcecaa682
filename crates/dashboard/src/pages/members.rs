//! `/o/{org}/members`: who belongs to the organisation.

use askama::Template;
use axum::extract::State;
use control::Member as Person;

use crate::caller::Member;
use crate::error::ErrorPage;
use crate::frame::Frame;
use crate::render::Page;
use crate::state::DashboardState;
use crate::view::filters;

/// The page.
#[derive(Template)]
#[template(path = "members.html")]
pub struct Members {
    pub frame: Frame,
    pub people: Vec<Person>,
}

/// `GET /o/{org}/members`
pub async fn members(
    State(state): State<DashboardState>,
    member: Member,
) -> Result<Page<Members>, ErrorPage> {
    let people = state.control.members(&member.actor).await?;
    Ok(Page(Members { frame: member.frame(&state, "members"), people }))
}
