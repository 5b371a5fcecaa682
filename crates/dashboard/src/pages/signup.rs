//! `/signup`: an account, its first organisation, and a log-in.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use control::SignUp;
use domain::Secret;

use super::log_in::logged_in;
use crate::caller::Visitor;
use crate::error::ErrorPage;
use crate::form::Form;
use crate::render::{Page, refused};
use crate::state::DashboardState;
use crate::view::filters;

/// The page.
#[derive(Template)]
#[template(path = "signup.html")]
pub struct Signup {
    pub csrf: String,
    pub form: Form,
}

/// `GET /signup`
pub async fn signup(visitor: Visitor) -> Response {
    let csrf = visitor.csrf.clone();
    visitor.answer(Page(Signup { csrf, form: Form::default() }))
}

/// `POST /signup`
pub async fn submit_signup(
    State(state): State<DashboardState>,
    visitor: Visitor,
    mut form: Form,
) -> Result<Response, ErrorPage> {
    let input = SignUp {
        email: form.value("email").to_owned(),
        password: Secret::new(form.value("password").to_owned()),
        organisation: form.value("organisation").to_owned(),
    };
    match state.control.sign_up(&input, visitor.address).await {
        Ok(session) => Ok(logged_in(&state, &session, None)),
        Err(error) => {
            form.absorb(error)?;
            Ok(refused(Signup { csrf: visitor.csrf, form }))
        }
    }
}
