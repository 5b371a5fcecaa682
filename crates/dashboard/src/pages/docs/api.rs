//! `/docs/api`: the management API, from its own description.

use askama::Template;
use axum::extract::State;

use super::openapi::{Group, Schema, groups, schemas};
use crate::render::Page;
use crate::state::DashboardState;
use crate::view::filters;

/// The page.
#[derive(Template)]
#[template(path = "docs/api.html")]
pub struct Api {
    pub title: String,
    pub version: String,
    pub description: String,
    pub groups: Vec<Group>,
    pub schemas: Vec<Schema>,
}

/// `GET /docs/api`
pub async fn api(State(state): State<DashboardState>) -> Page<Api> {
    Page(Api::of(&state.openapi))
}

impl Api {
    /// The page of an OpenAPI document.
    pub fn of(document: &serde_json::Value) -> Self {
        let info = |name: &str| document["info"][name].as_str().unwrap_or_default().to_owned();
        Self {
            title: info("title"),
            version: info("version"),
            description: info("description"),
            groups: groups(document),
            schemas: schemas(document),
        }
    }
}
