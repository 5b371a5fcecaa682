//! Samples of the pages of a person, and of those that nobody needs to log in for.

use super::data::*;
use super::html;
use crate::form::Form;
use crate::pages::{ErrorTemplate, account, docs, log_in, organisations, signup};
use domain::Role;

pub fn all() -> Vec<(&'static str, String)> {
    let csrf = "5f4c3a".to_owned();
    let openapi = serde_json::json!({
        "info": {"title": "Tollgate API", "version": "0.1.0", "description": "Manage servers, policies and grants."},
        "tags": [{"name": "grants", "description": "The tokens that agents call with."}],
        "paths": {"/api/v1/servers/{id}/grants": {"post": {
            "tags": ["grants"], "operationId": "mint_grant", "summary": "Mint a grant",
            "description": "Needs the role `editor`.",
            "parameters": [{"name": "id", "required": true, "schema": {"type": "string", "format": "uuid"}}],
            "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/NewGrant"}}}},
            "responses": {"201": {"description": "Minted."}, "401": {"description": "No valid token."}}
        }}},
        "components": {"schemas": {"NewGrant": {"description": "A grant to mint.", "required": ["label"],
            "properties": {"label": {"type": "string", "description": "1 to 80 characters."}}}}}
    });
    let mut refused =
        Form::with([("email", "ada@acme"), ("password", "hunter2hunter2"), ("organisation", "")]);
    super::wrong(
        &mut refused,
        &[
            ("email", "`ada@acme` is not an e-mail address: it looks like name@example.com"),
            ("organisation", "must not be empty: type at least one character"),
        ],
    );
    let mut locked = Form::with([("email", "ada@acme.example"), ("next", "/o/acme/log")]);
    super::wrong(&mut locked, &[("", "the e-mail or password is wrong, or the log-in has ended")]);
    vec![
        ("signup", html(&signup::Signup { csrf: csrf.clone(), form: Form::default() })),
        ("signup-refused", html(&signup::Signup { csrf: csrf.clone(), form: refused })),
        ("login", html(&log_in::Login { csrf: csrf.clone(), form: locked })),
        (
            "new_organisation",
            html(&organisations::NewOrganisation {
                frame: crate::frame::Frame { org: None, ..frame("organisations", Role::Owner) },
                form: Form::default(),
            }),
        ),
        (
            "account",
            html(&account::Account {
                frame: crate::frame::Frame { org: None, ..frame("account", Role::Owner) },
                session: control::Session {
                    id: id(3),
                    user: id(4),
                    email: "ada@acme.example".parse().expect("an address"),
                    expires_at: now() + chrono::Duration::days(13),
                    organisations: frame("account", Role::Owner).organisations,
                },
            }),
        ),
        ("docs-api", html(&docs::api::Api::of(&openapi))),
        ("docs-policy", html(&docs::policy::Policy)),
        (
            "error",
            html(&ErrorTemplate {
                status: 404,
                title: "Not found",
                message: "there is nothing at this address".to_owned(),
                request_id: id(7),
            }),
        ),
    ]
}
