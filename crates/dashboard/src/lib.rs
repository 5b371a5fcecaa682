//! HTML front door: server-rendered pages, forms, CSRF.
//!
//! A handler takes the request apart, calls one operation of `control` and renders one template of `web/templates`.
//! Every page works without a script; `web/static/app.js` makes it smooth.

mod assets;
mod at;
mod caller;
mod cookies;
mod error;
mod form;
mod frame;
mod guard;
mod hex;
mod pages;
mod patience;
mod render;
mod request_id;
#[cfg(test)]
mod samples;
mod security;
mod state;
mod view;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};

pub use error::ErrorPage;
pub use state::DashboardState;

/// All pages, at `/`.
pub fn router(state: DashboardState) -> Router {
    pages::routes()
        .fallback(|| async { ErrorPage::NotFound })
        .layer(from_fn_with_state(state.clone(), guard::guard))
        .layer(from_fn_with_state(state.clone(), patience::limit))
        .layer(from_fn(security::headers))
        .layer(from_fn_with_state(state.clone(), request_id::give))
        .with_state(state)
}
