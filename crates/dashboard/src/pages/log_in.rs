//! `/login` and `/logout`.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use control::{LogIn, NewSession};
use domain::Secret;
use http::HeaderMap;
use http::header::SET_COOKIE;
use serde::Deserialize;

use crate::at::Asked;
use crate::caller::Visitor;
use crate::cookies;
use crate::error::ErrorPage;
use crate::form::Form;
use crate::render::{Page, refused};
use crate::state::DashboardState;
use crate::view::filters;

/// The page.
#[derive(Template)]
#[template(path = "login.html")]
pub struct Login {
    pub csrf: String,
    pub form: Form,
}

/// Where to go on afterwards.
#[derive(Deserialize)]
pub struct Next {
    #[serde(default)]
    next: String,
}

/// `GET /login`
pub async fn login(visitor: Visitor, Asked(Next { next }): Asked<Next>) -> Response {
    let csrf = visitor.csrf.clone();
    visitor.answer(Page(Login { csrf, form: Form::with([("next", &next)]) }))
}

/// `POST /login`
pub async fn submit_login(
    State(state): State<DashboardState>,
    visitor: Visitor,
    mut form: Form,
) -> Result<Response, ErrorPage> {
    let input = LogIn {
        email: form.value("email").to_owned(),
        password: Secret::new(form.value("password").to_owned()),
    };
    match state.control.log_in(&input, visitor.address).await {
        Ok(session) => Ok(logged_in(&state, &session, local(form.value("next")))),
        Err(error) => {
            form.absorb(error)?;
            Ok(refused(Login { csrf: visitor.csrf, form }))
        }
    }
}

/// `POST /logout`
pub async fn logout(State(state): State<DashboardState>, headers: HeaderMap) -> Result<Response, ErrorPage> {
    if let Some(token) = cookies::get(&headers, cookies::SESSION) {
        state.control.log_out(token).await?;
    }
    let mut response = Redirect::to("/login").into_response();
    response.headers_mut().extend(cookies::remove(cookies::SESSION).map(|cookie| (SET_COOKIE, cookie)));
    Ok(response)
}

/// On to the page that was asked for, else to the first organisation, with the session's cookie.
pub fn logged_in(state: &DashboardState, session: &NewSession, next: Option<&str>) -> Response {
    let home = session.home.as_ref().map_or("/organisations/new".to_owned(), |slug| format!("/o/{slug}"));
    let mut response = Redirect::to(next.unwrap_or(&home)).into_response();
    let age = (session.expires_at - state.clock.now()).num_seconds().max(0);
    let cookie = cookies::set(cookies::SESSION, session.token.expose(), Some(age));
    response.headers_mut().extend(cookie.map(|cookie| (SET_COOKIE, cookie)));
    response
}

/// An address of our own; `//host` and `/\host` lead elsewhere.
fn local(next: &str) -> Option<&str> {
    let rest = next.strip_prefix('/')?;
    let plain = !rest.starts_with(['/', '\\']) && !next.contains(|c: char| c.is_control());
    plain.then_some(next)
}

#[cfg(test)]
mod tests {
    use super::local;

    #[test]
    fn log_in_leads_to_our_own_pages_only() {
        assert_eq!(local("/o/acme/log?tool=x"), Some("/o/acme/log?tool=x"));
        for bad in
            ["", "o", "//evil.example", "/\\evil.example", "https://evil.example", "/a\n//evil.example"]
        {
            assert_eq!(local(bad), None, "{bad}");
        }
    }
}
