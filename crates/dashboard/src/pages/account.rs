//! `/account`: who is logged in, until when, and where they belong.

use askama::Template;
use axum::extract::State;
use control::Session;

use crate::caller::LoggedIn;
use crate::frame::Frame;
use crate::render::Page;
use crate::state::DashboardState;
use crate::view::filters;

/// The page.
#[derive(Template)]
#[template(path = "account.html")]
pub struct Account {
    pub frame: Frame,
    pub session: Session,
}

/// `GET /account`
pub async fn account(State(state): State<DashboardState>, caller: LoggedIn) -> Page<Account> {
    Page(Account { frame: caller.frame(&state, "account"), session: caller.session })
}
