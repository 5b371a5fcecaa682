//! `/o/{org}/servers/{server}/policies/check`: what is wrong with a text, asked by the editor while it is typed.

use axum::Json;
use axum::extract::State;
use control::{DocumentProblem, PolicyCheck};
use domain::ServerId;
use serde::Serialize;

use super::choices::signature;
use crate::at::At;
use crate::caller::Member;
use crate::error::ErrorPage;
use crate::form::Form;
use crate::state::DashboardState;

/// The answer.
#[derive(Debug, Serialize)]
pub struct Checked {
    /// Why it can't be saved.
    problems: Vec<DocumentProblem>,
    /// What to look at.
    warnings: Vec<DocumentProblem>,
    /// What the table of tools would show, to see whether it still does; none where there is no table.
    effects: Option<String>,
}

/// `POST /o/{org}/servers/{server}/policies/check`
pub async fn check(
    State(state): State<DashboardState>,
    member: Member,
    At((_, server)): At<(String, ServerId)>,
    form: Form,
) -> Result<Json<Checked>, ErrorPage> {
    let check = state.control.check_policy(&member.actor, server, form.value("document")).await?;
    let effects = check.problems.is_empty().then(|| signature(&check));
    let PolicyCheck { problems, warnings, .. } = check;
    Ok(Json(Checked { problems, warnings, effects }))
}
