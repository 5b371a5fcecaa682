//! `/` and `/organisations/new`: to the first organisation, and to another one.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use control::OrganisationName;

use crate::caller::LoggedIn;
use crate::error::ErrorPage;
use crate::form::Form;
use crate::frame::Frame;
use crate::render::{Page, refused};
use crate::state::DashboardState;
use crate::view::filters;

/// The page.
#[derive(Template)]
#[template(path = "new_organisation.html")]
pub struct NewOrganisation {
    pub frame: Frame,
    pub form: Form,
}

/// `GET /`: to the overview of the first organisation.
pub async fn home(caller: LoggedIn) -> Redirect {
    match caller.session.organisations.first() {
        Some(first) => Redirect::to(&format!("/o/{}", first.slug)),
        None => Redirect::to("/organisations/new"),
    }
}

/// `GET /organisations/new`
pub async fn new_organisation(
    State(state): State<DashboardState>,
    caller: LoggedIn,
) -> Page<NewOrganisation> {
    Page(NewOrganisation { frame: caller.frame(&state, "organisations"), form: Form::default() })
}

/// `POST /organisations/new`
pub async fn create(
    State(state): State<DashboardState>,
    caller: LoggedIn,
    mut form: Form,
) -> Result<Response, ErrorPage> {
    let input = OrganisationName { name: form.value("name").to_owned() };
    match state.control.create_organisation(&caller.session, &input).await {
        Ok(slug) => Ok(Redirect::to(&format!("/o/{slug}")).into_response()),
        Err(error) => {
            form.absorb(error)?;
            Ok(refused(NewOrganisation { frame: caller.frame(&state, "organisations"), form }))
        }
    }
}
