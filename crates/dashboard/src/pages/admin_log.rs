//! `/o/{org}/admin-log`: who changed what.

use askama::Template;
use axum::extract::State;
use control::AdminLogPage;
use domain::AdminEventId;
use serde::Deserialize;

use crate::at::Asked;
use crate::caller::Member;
use crate::error::ErrorPage;
use crate::frame::Frame;
use crate::render::Page;
use crate::state::DashboardState;
use crate::view::filters;

/// Events on a page.
const LIMIT: usize = 50;

/// The page.
#[derive(Template)]
#[template(path = "admin_log.html")]
pub struct AdminLog {
    pub frame: Frame,
    pub log: AdminLogPage,
    /// The page is not the newest one.
    pub older: bool,
}

/// Where the page begins.
#[derive(Deserialize)]
pub struct Before {
    before: Option<AdminEventId>,
}

/// `GET /o/{org}/admin-log`
pub async fn admin_log(
    State(state): State<DashboardState>,
    member: Member,
    Asked(Before { before }): Asked<Before>,
) -> Result<Page<AdminLog>, ErrorPage> {
    let log = state.control.admin_log(&member.actor, before, LIMIT).await?;
    Ok(Page(AdminLog { frame: member.frame(&state, "admin-log"), log, older: before.is_some() }))
}
