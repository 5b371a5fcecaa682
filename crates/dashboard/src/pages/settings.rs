//! `/o/{org}/settings`: the organisation's name.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use control::{Organisation, OrganisationName};

use crate::caller::Member;
use crate::error::ErrorPage;
use crate::form::Form;
use crate::frame::Frame;
use crate::render::{Page, refused};
use crate::state::DashboardState;
use crate::view::filters;

/// The page.
#[derive(Template)]
#[template(path = "settings.html")]
pub struct Settings {
    pub frame: Frame,
    pub organisation: Organisation,
    pub form: Form,
}

/// `GET /o/{org}/settings`
pub async fn settings(
    State(state): State<DashboardState>,
    member: Member,
) -> Result<Page<Settings>, ErrorPage> {
    let organisation = state.control.organisation(&member.actor).await?;
    let form = Form::with([("name", &organisation.name)]);
    Ok(Page(Settings { frame: member.frame(&state, "settings"), organisation, form }))
}

/// `POST /o/{org}/settings`
pub async fn rename(
    State(state): State<DashboardState>,
    member: Member,
    mut form: Form,
) -> Result<Response, ErrorPage> {
    let input = OrganisationName { name: form.value("name").to_owned() };
    match state.control.rename_organisation(&member.actor, &input).await {
        Ok(_) => Ok(Redirect::to(&member.path("/settings")).into_response()),
        Err(error) => {
            form.absorb(error)?;
            let organisation = state.control.organisation(&member.actor).await?;
            Ok(refused(Settings { frame: member.frame(&state, "settings"), organisation, form }))
        }
    }
}
