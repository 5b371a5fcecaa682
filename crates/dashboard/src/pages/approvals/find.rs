//! `/approvals/{approval}`: the address that an agent is told, which knows no organisation. It leads to the one that has the question.

use axum::extract::State;
use axum::response::Redirect;
use domain::ApprovalId;

use crate::at::At;
use crate::caller::LoggedIn;
use crate::error::ErrorPage;
use crate::state::DashboardState;

/// `GET /approvals/{approval}`: of the reader's organisations; there is none in another.
pub async fn find(
    State(state): State<DashboardState>,
    logged_in: LoggedIn,
    At(id): At<ApprovalId>,
) -> Result<Redirect, ErrorPage> {
    let slug = state.control.organisation_of_approval(&logged_in.session, id).await?;
    Ok(Redirect::to(&format!("/o/{slug}/approvals/{id}")))
}
