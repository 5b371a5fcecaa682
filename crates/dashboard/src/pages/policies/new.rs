//! `/o/{org}/servers/{server}/policies/new`: a first text, proposed from what the tools are.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use control::NewPolicy;
use domain::ServerId;

use super::editor::{Editor, unsaved, written};
use crate::at::At;
use crate::caller::Member;
use crate::error::ErrorPage;
use crate::form::Form;
use crate::pages::servers::view::View;
use crate::render::{Page, refused};
use crate::state::DashboardState;

/// `GET /o/{org}/servers/{server}/policies/new`
pub async fn new(
    State(state): State<DashboardState>,
    member: Member,
    At((_, server)): At<(String, ServerId)>,
) -> Result<Page<Editor>, ErrorPage> {
    let view = opened(&state, &member, server).await?;
    let proposed = state.control.propose_policy(&member.actor, server).await?;
    Ok(Page(Editor::of(&state, &member, view, None, (proposed, Form::default())).await?))
}

/// `POST /o/{org}/servers/{server}/policies/new`
pub async fn submit(
    State(state): State<DashboardState>,
    member: Member,
    At((_, server)): At<(String, ServerId)>,
    mut form: Form,
) -> Result<Response, ErrorPage> {
    let view = opened(&state, &member, server).await?;
    let document = written(&mut form);
    let saving = form.value("do") == "save";
    if saving && form.is_clean() {
        let input = NewPolicy { name: form.value("name").to_owned(), document: document.clone() };
        match state.control.create_policy(&member.actor, server, &input).await {
            Ok(policy) => {
                let path = format!("/servers/{server}/policies/{}?saved=1", policy.summary.id);
                return Ok(Redirect::to(&member.path(&path)).into_response());
            }
            Err(error) => unsaved(&mut form, error)?,
        }
    }
    let page = Editor::of(&state, &member, view, None, (document, form)).await?;
    let page = Editor { checked: !saving, ..page };
    Ok(if saving { refused(page) } else { Page(page).into_response() })
}

/// The head of the server.
pub async fn opened(state: &DashboardState, member: &Member, server: ServerId) -> Result<View, ErrorPage> {
    let view = View::of(state, member, server, "/policies").await?;
    Ok(view.deeper(member, "Write policy", &[("/policies", "Policies")]))
}
