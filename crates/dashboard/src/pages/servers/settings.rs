//! `/o/{org}/servers/{server}/settings`: name, address, credentials, deletion.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use control::{EndedAccess, ServerChange};
use domain::ServerId;
use serde::Deserialize;

use super::headers::typed;
use super::login::LoginView;
use super::view::View;
use crate::at::At;
use crate::caller::Member;
use crate::error::ErrorPage;
use crate::form::Form;
use crate::frame::Frame;
use crate::render::{Page, refused};
use crate::state::DashboardState;
use crate::view::filters;

/// The page.
#[derive(Template)]
#[template(path = "servers/settings.html")]
pub struct Settings {
    pub frame: Frame,
    pub view: View,
    pub form: Form,
    pub login: LoginView,
    /// The form that changes the login.
    pub login_form: Form,
    /// What became of the access that was just ended.
    pub ended: Option<EndedAccess>,
    /// The form that deletes the server.
    pub deletion: Form,
}

/// What the page that led here did.
#[derive(Debug, Default, Deserialize)]
pub struct Done {
    #[serde(default)]
    ended: String,
}

impl Settings {
    /// The page as it is first shown.
    pub async fn of(state: &DashboardState, member: &Member, id: ServerId) -> Result<Self, ErrorPage> {
        let view = View::of(state, member, id, "/settings").await?;
        let form = Form::with([("name", &view.server.name), ("upstream_url", &view.server.upstream_url)]);
        let login = LoginView::of(state, member, &view.server).await?;
        let (login_form, deletion) = (login.form(), Form::default());
        let frame = member.frame(state, "servers");
        Ok(Self { frame, view, form, login, login_form, ended: None, deletion })
    }
}

/// `GET /o/{org}/servers/{server}/settings`
pub async fn settings(
    State(state): State<DashboardState>,
    member: Member,
    At((_, id)): At<(String, ServerId)>,
    Query(done): Query<Done>,
) -> Result<Page<Settings>, ErrorPage> {
    let ended = EndedAccess::read(&done.ended);
    Ok(Page(Settings { ended, ..Settings::of(&state, &member, id).await? }))
}

/// `POST /o/{org}/servers/{server}/settings`
pub async fn change(
    State(state): State<DashboardState>,
    member: Member,
    At((_, id)): At<(String, ServerId)>,
    mut form: Form,
) -> Result<Response, ErrorPage> {
    let headers = typed(&mut form);
    let replaced = form.value("credentials") == "replace" || !headers.is_empty();
    let input = ServerChange {
        name: Some(form.value("name").to_owned()),
        upstream_url: Some(form.value("upstream_url").to_owned()),
        headers: replaced.then_some(headers),
    };
    match state.control.update_server(&member.actor, id, &input).await {
        Ok(_) => Ok(Redirect::to(&member.path(&format!("/servers/{id}/settings"))).into_response()),
        Err(error) => {
            form.absorb(error)?;
            Ok(refused(Settings { form, ..Settings::of(&state, &member, id).await? }))
        }
    }
}

/// `POST /o/{org}/servers/{server}/delete`: only with the server's name typed.
pub async fn delete(
    State(state): State<DashboardState>,
    member: Member,
    At((_, id)): At<(String, ServerId)>,
    mut deletion: Form,
) -> Result<Response, ErrorPage> {
    let page = Settings::of(&state, &member, id).await?;
    let name = &page.view.server.name;
    if deletion.value("confirm").trim() != name {
        deletion.refuse("confirm", &format!("is not `{name}`: type the name exactly"));
        return Ok(refused(Settings { deletion, ..page }));
    }
    state.control.delete_server(&member.actor, id).await?;
    Ok(Redirect::to(&member.path("/servers")).into_response())
}
