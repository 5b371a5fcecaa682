//! `/o/{org}/servers/{server}/policies/new?from=`: a first text, proposed from what the tools are, or one that was written for
//! such a server.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use control::NewPolicy;
use domain::ServerId;
use serde::Deserialize;

use super::draft::Draft;
use super::editor::{Editor, unsaved};
use crate::at::{Asked, At};
use crate::caller::Member;
use crate::error::ErrorPage;
use crate::form::Form;
use crate::pages::servers::view::View;
use crate::render::{Page, refused};
use crate::state::DashboardState;

/// What to start from.
#[derive(Deserialize)]
pub struct Start {
    from: Option<String>,
}

/// `GET /o/{org}/servers/{server}/policies/new`
pub async fn new(
    State(state): State<DashboardState>,
    member: Member,
    At((_, server)): At<(String, ServerId)>,
    Asked(Start { from }): Asked<Start>,
) -> Result<Page<Editor>, ErrorPage> {
    let view = opened(&state, &member, server).await?;
    let presets = state.control.policy_presets(&member.actor, server).await?;
    let preset = from.and_then(|id| presets.iter().find(|preset| preset.id == id)).cloned();
    let (document, name) = match &preset {
        Some(preset) => (preset.document.clone(), preset.name.clone()),
        None => (state.control.propose_policy(&member.actor, server).await?, String::new()),
    };
    let draft = (Draft::untouched(document), Form::with([("name", &name)]));
    let page = Editor::of(&state, &member, view, None, draft).await?;
    Ok(Page(Editor { presets, preset: preset.map(|preset| preset.id), ..page }))
}

/// `POST /o/{org}/servers/{server}/policies/new`
pub async fn submit(
    State(state): State<DashboardState>,
    member: Member,
    At((_, server)): At<(String, ServerId)>,
    mut form: Form,
) -> Result<Response, ErrorPage> {
    let view = opened(&state, &member, server).await?;
    let draft = Draft::of(&mut form)?;
    let saving = form.value("do") == "save";
    if saving && form.is_clean() {
        let input = NewPolicy { name: form.value("name").to_owned(), document: draft.document.clone() };
        match state.control.create_policy(&member.actor, server, &input).await {
            Ok(policy) => {
                let path = format!("/servers/{server}/policies/{}?saved=1", policy.summary.id);
                return Ok(Redirect::to(&member.path(&path)).into_response());
            }
            Err(error) => unsaved(&mut form, error)?,
        }
    }
    let page = Editor::of(&state, &member, view, None, (draft, form)).await?;
    let again = saving || !page.form.is_clean();
    let page = Editor { checked: page.form.value("do") == "check", ..page };
    Ok(if again { refused(page) } else { Page(page).into_response() })
}

/// The head of the server.
pub async fn opened(state: &DashboardState, member: &Member, server: ServerId) -> Result<View, ErrorPage> {
    let view = View::of(state, member, server, "/policies").await?;
    Ok(view.deeper(member, "Write policy", &[("/policies", "Policies")]))
}
