//! Connecting upstream servers without being logged in: the page of a link, coming back from an authorization server, and
//! the document that describes this installation to them.

use askama::Template;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use control::{ConnectPage, Departure};
use domain::Secret;
use http::Uri;
use http::header::CACHE_CONTROL;

use crate::at::At;
use crate::caller::{Browser, LoggedIn, Visitor};
use crate::error::ErrorPage;
use crate::render::Page;
use crate::state::DashboardState;
use crate::view::filters;

/// The page of a link.
#[derive(Template)]
#[template(path = "connect/link.html")]
pub struct LinkPage {
    pub csrf: String,
    pub action: String,
    pub page: ConnectPage,
}

/// The page before somebody is sent away.
#[derive(Template)]
#[template(path = "connect/depart.html")]
pub struct DepartPage {
    pub departure: Departure,
}

/// The page for who came by a link and is connected.
#[derive(Template)]
#[template(path = "connect/done.html")]
pub struct Done {
    pub server_name: String,
    pub identity: Option<String>,
}

/// `GET /connect/{token}`
pub async fn link(
    State(state): State<DashboardState>,
    visitor: Visitor,
    At(token): At<String>,
) -> Result<Response, ErrorPage> {
    let page = state.control.connect_page(&Secret::new(token.clone())).await?;
    let (csrf, action) = (visitor.csrf.clone(), format!("/connect/{token}"));
    Ok(visitor.answer(Page(LinkPage { csrf, action, page })))
}

/// `POST /connect/{token}`
pub async fn begin(
    State(state): State<DashboardState>,
    Browser(browser): Browser,
    At(token): At<String>,
) -> Result<Page<DepartPage>, ErrorPage> {
    let departure = state.control.begin_connect_by_link(&Secret::new(token), &browser).await?;
    Ok(Page(DepartPage { departure }))
}

/// `GET /oauth/callback`
pub async fn callback(
    State(state): State<DashboardState>,
    logged_in: Option<LoggedIn>,
    Browser(browser): Browser,
    uri: Uri,
) -> Result<Response, ErrorPage> {
    let session = logged_in.as_ref().map(|logged_in| &logged_in.session);
    let arrived = state.control.finish_connect(session, &browser, uri.query().unwrap_or_default()).await?;
    Ok(match arrived.organisation {
        Some(organisation) => {
            Redirect::to(&format!("/o/{organisation}/servers/{}", arrived.server)).into_response()
        }
        None => Page(Done { server_name: arrived.server_name, identity: arrived.identity }).into_response(),
    })
}

/// `GET /oauth/client.json`
pub async fn metadata(State(state): State<DashboardState>) -> Response {
    ([(CACHE_CONTROL, "public, max-age=3600")], Json(state.control.client_metadata())).into_response()
}
