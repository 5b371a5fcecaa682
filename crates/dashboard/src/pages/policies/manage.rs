//! Renaming and deleting a policy.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use control::PolicyName;
use domain::{PolicyId, ServerId};

use super::draft::Draft;
use super::editor::{Editor, opened};
use crate::at::At;
use crate::caller::Member;
use crate::error::ErrorPage;
use crate::form::Form;
use crate::render::refused;
use crate::state::DashboardState;

/// `POST /o/{org}/servers/{server}/policies/{policy}/rename`
pub async fn rename(
    State(state): State<DashboardState>,
    member: Member,
    At((_, server, id)): At<(String, ServerId, PolicyId)>,
    mut naming: Form,
) -> Result<Response, ErrorPage> {
    let (view, policy) = opened(&state, &member, server, id).await?;
    let input = PolicyName { name: naming.value("name").to_owned() };
    if let Err(error) = state.control.rename_policy(&member.actor, id, &input).await {
        naming.absorb(error)?;
        let form = Form::with([("expected_version", &policy.summary.version.to_string())]);
        let page = Editor::of(
            &state,
            &member,
            view,
            Some(policy.summary),
            (Draft::untouched(policy.document), form),
        )
        .await?;
        return Ok(refused(Editor { naming, ..page }));
    }
    Ok(Redirect::to(&member.path(&format!("/servers/{server}/policies/{id}"))).into_response())
}

/// `POST /o/{org}/servers/{server}/policies/{policy}/delete`
pub async fn delete(
    State(state): State<DashboardState>,
    member: Member,
    At((_, server, id)): At<(String, ServerId, PolicyId)>,
) -> Result<Redirect, ErrorPage> {
    opened(&state, &member, server, id).await?;
    state.control.delete_policy(&member.actor, id).await?;
    Ok(Redirect::to(&member.path(&format!("/servers/{server}/policies"))))
}
