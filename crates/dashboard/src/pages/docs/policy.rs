//! `/docs/policy`: the policy language on one page, and its JSON Schema for editors.

use std::sync::LazyLock;

use askama::Template;
use axum::Json;
use axum::response::IntoResponse;
use http::header::CACHE_CONTROL;

use crate::render::Page;

/// A policy that shows most of the language.
const EXAMPLE: &str = r#"{
  "version": "1",
  "default": "deny",
  "hide": ["*_delete_*"],
  "tools": {
    "list_*": {},
    "send_payment": {
      "require": [{ "path": "args.currency", "op": "in", "value": ["EUR", "USD"] }],
      "deny_if": [{
        "conditions": [{ "path": "args.amount", "op": "gt", "value": 500 }],
        "on_deny": "Payments over 500 are made by people."
      }],
      "limits": [{ "counter": "spend", "window": "day", "max": 2000, "increment_from": "args.amount" }]
    },
    "restart": { "rate_limit": "3/hour" }
  }
}"#;

/// The page.
#[derive(Template)]
#[template(path = "docs/policy.html")]
pub struct Policy;

static SCHEMA: LazyLock<serde_json::Value> = LazyLock::new(policy::schema);

/// `GET /docs/policy`
pub async fn policy() -> Page<Policy> {
    Page(Policy)
}

/// `GET /schemas/policy-v1.json`
pub async fn schema() -> impl IntoResponse {
    ([(CACHE_CONTROL, "public, max-age=3600")], Json(&*SCHEMA))
}
